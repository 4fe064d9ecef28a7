"""Times training steps of PyTorch on one GPU: bf16 autocast, torch.compile, flash attention.

    python bench/gpu/peer.py 125m            # or 1b: the variants of bench/gpu/shapes.toml
    python bench/gpu/peer.py 1b --batch 4    # sequences, where the memory is small

The decoder, the optimiser and the step are those of bench/peers/train.py. Prints one line of JSON:
tokens/s, and the share of the GPU's bf16 peak that the model's operations come to (MFU). Peaks of
known GPUs are below; another needs `--peak` in FLOP/s, dense, without sparsity. `--device cpu` is
there to see that the script works.
"""

import argparse
import json
import pathlib
import statistics
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "peers")]

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

import shapes
import train

# Dense bf16 with f32 accumulation, from the makers' data sheets; the first name that fits counts.
PEAKS = {
    "H100 PCIe": 756e12,
    "H100 NVL": 835e12,
    "H100": 989e12,
    "H200": 989e12,
    "A100": 312e12,
    "L40S": 362e12,
    "4090": 165e12,
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("variant")
    parser.add_argument("--shapes", default=HERE / "shapes.toml")
    parser.add_argument("--batch", type=int, help="sequences; the study's by default")
    parser.add_argument("--steps", type=int, default=10, help="in each of the blocks")
    parser.add_argument("--blocks", type=int, default=5, help="timed; the median counts")
    parser.add_argument("--warmup", type=int, default=5)
    parser.add_argument("--eager", action="store_true", help="without torch.compile")
    parser.add_argument("--compile-mode", default="default")
    parser.add_argument("--peak", type=float)
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    options = parser.parse_args()

    size = next(s for s in shapes.read(options.shapes) if s["name"] == options.variant)
    batch = options.batch or size["batch"]
    device = torch.device(options.device)
    torch.manual_seed(1)
    torch.set_float32_matmul_precision("high")
    keys = ("depth", "width", "heads", "ffn", "vocabulary", "context")
    model = train.Decoder(**{key: size[key] for key in keys}).to(device)
    optimizer = train.adamw(model)
    parameters = sum(p.numel() for p in model.parameters())
    assert parameters == shapes.parameters(size)
    if not options.eager:
        model.compile(mode=options.compile_mode)
    autocast = torch.autocast(device.type, torch.bfloat16)
    cuda = device.type == "cuda"

    def draw():
        ids = torch.randint(size["vocabulary"], (batch, size["context"] + 1), device=device)
        return ids[:, :-1].contiguous(), ids[:, 1:].contiguous()

    def block(steps):
        """Seconds of some steps, without waiting for the GPU in between."""
        if cuda:
            torch.cuda.synchronize()
        start = time.perf_counter()
        for _ in range(steps):
            loss = train.step(model, optimizer, draw, autocast)
        loss = loss.item()
        return time.perf_counter() - start, loss

    # Flash attention or an error: never the slow path unseen.
    with sdpa_kernel(SDPBackend.FLASH_ATTENTION):
        warmup, _ = block(options.warmup)
        timed = [block(options.steps) for _ in range(options.blocks)]

    name = torch.cuda.get_device_name() if cuda else "cpu"
    peak = options.peak or next((p for key, p in PEAKS.items() if key in name), None)
    rates = [options.steps * batch * size["context"] / s for s, _ in timed]
    rate = statistics.median(rates)
    flops = rate * shapes.flops_per_token(size)
    print(
        json.dumps(
            dict(
                name=options.variant,
                mode="eager" if options.eager else f"compiled ({options.compile_mode})",
                precision="bf16",
                device=name,
                torch=torch.__version__,
                parameters=parameters,
                tokens_per_step=batch * size["context"],
                warmup_seconds=warmup,
                block_tokens_per_second=rates,
                tokens_per_second=rate,
                flops_per_second=flops,
                peak_flops_per_second=peak,
                mfu=flops / peak if peak else None,
                peak_memory_bytes=torch.cuda.max_memory_allocated() if cuda else None,
                loss=timed[-1][1],
            )
        )
    )


if __name__ == "__main__":
    main()
