"""Times training steps of a LLaMA-like decoder in plain PyTorch, written as one would for research.

    python train.py --depth 6 --width 256 --heads 8 --ffn 688 --vocabulary 4096 \\
        --context 256 --batch 16 --threads 2 [--compile] [--bf16] [--steps 10] [--warmup 3]

Prints one line of JSON: seconds and tokens/s of every step, their median, peak memory, the last
loss. A step draws a batch of random ids, clears gradients, runs forward and backward, clips, and
updates. Compilation happens in the warm-up, whose seconds are reported by themselves.
"""

import argparse
import json
import resource
import statistics
import time

START = time.perf_counter()

import torch
import torch.nn.functional as F
from torch import nn


class Layer(nn.Module):
    def __init__(self, width, heads, ffn):
        super().__init__()
        self.heads = heads
        self.attention_norm = nn.Parameter(torch.ones(width))
        self.query = nn.Linear(width, width, bias=False)
        self.key = nn.Linear(width, width, bias=False)
        self.value = nn.Linear(width, width, bias=False)
        self.output = nn.Linear(width, width, bias=False)
        self.ffn_norm = nn.Parameter(torch.ones(width))
        self.gate = nn.Linear(width, ffn, bias=False)
        self.up = nn.Linear(width, ffn, bias=False)
        self.down = nn.Linear(ffn, width, bias=False)

    def forward(self, x, cos, sin):
        batch, time, width = x.shape
        y = F.rms_norm(x, (width,), self.attention_norm, 1e-5)
        projections = (self.query(y), self.key(y), self.value(y))
        q, k, v = (p.view(batch, time, self.heads, -1).transpose(1, 2) for p in projections)
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.output(mixed.transpose(1, 2).reshape(batch, time, width))
        y = F.rms_norm(x, (width,), self.ffn_norm, 1e-5)
        return x + self.down(F.silu(self.gate(y)) * self.up(y))


def rotate(x, cos, sin):
    """Rotary positions in the half-split form of Hugging Face's LLaMA."""
    cos, sin = cos.to(x.dtype), sin.to(x.dtype)
    left, right = x.chunk(2, dim=-1)
    return torch.cat((left * cos - right * sin, right * cos + left * sin), dim=-1)


class Decoder(nn.Module):
    """Gives the mean cross-entropy of `targets`."""

    def __init__(self, depth, width, heads, ffn, vocabulary, context):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        self.layers = nn.ModuleList(Layer(width, heads, ffn) for _ in range(depth))
        self.norm = nn.Parameter(torch.ones(width))
        self.head = nn.Linear(width, vocabulary, bias=False)
        half = width // heads // 2
        angles = torch.outer(torch.arange(context), 10_000.0 ** (-torch.arange(half) / half))
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)
        for parameter in self.parameters():
            if parameter.dim() == 2:
                nn.init.normal_(parameter, std=0.02)

    def forward(self, ids, targets):
        x = self.embedding(ids)
        for layer in self.layers:
            x = layer(x, self.cos, self.sin)
        logits = self.head(F.rms_norm(x, x.shape[-1:], self.norm, 1e-5))
        return F.cross_entropy(logits.float().flatten(0, 1), targets.flatten())


def adamw(model, rate=1e-3):
    """AdamW as in LLaMA: weight decay on matrices only; the fused update."""
    matrices = [p for p in model.parameters() if p.dim() == 2]
    vectors = [p for p in model.parameters() if p.dim() == 1]
    groups = [dict(params=matrices, weight_decay=0.1), dict(params=vectors, weight_decay=0.0)]
    return torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.95), eps=1e-8, fused=True)


def step(model, optimizer, draw, autocast):
    """One training step; gives the loss."""
    ids, targets = draw()
    optimizer.zero_grad(set_to_none=True)
    with autocast:
        loss = model(ids, targets)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return loss.detach()


def main():
    parser = argparse.ArgumentParser()
    for name in ("depth", "width", "heads", "ffn", "vocabulary", "context", "batch"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--warmup", type=int, default=3)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--bf16", action="store_true", help="autocast")
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    memory_before = peak_memory()
    size = {
        n: getattr(options, n) for n in ("depth", "width", "heads", "ffn", "vocabulary", "context")
    }
    model = Decoder(**size)
    optimizer = adamw(model)
    parameters = sum(p.numel() for p in model.parameters())
    if options.compile:
        model.compile()
    autocast = torch.autocast("cpu", torch.bfloat16, enabled=options.bf16)

    def draw():
        window = torch.randint(options.vocabulary, (options.batch, options.context + 1))
        return window[:, :-1].contiguous(), window[:, 1:].contiguous()

    seconds, loss = [], None
    ready = time.perf_counter()
    for _ in range(options.warmup + options.steps):
        start = time.perf_counter()
        loss = step(model, optimizer, draw, autocast).item()
        seconds.append(time.perf_counter() - start)

    tokens = options.batch * options.context
    measured = seconds[options.warmup :]
    print(
        json.dumps(
            dict(
                mode="compiled" if options.compile else "eager",
                precision="bf16" if options.bf16 else "f32",
                threads=torch.get_num_threads(),
                torch=torch.__version__,
                parameters=parameters,
                tokens_per_step=tokens,
                start_seconds=ready - START,
                warmup_seconds=seconds[: options.warmup],
                step_seconds=measured,
                step_tokens_per_second=[tokens / s for s in measured],
                tokens_per_second=tokens / statistics.median(measured),
                memory_before_bytes=memory_before,
                peak_memory_bytes=peak_memory(),
                loss=loss,
            )
        )
    )


def peak_memory():
    """The most memory that this process ever had, in bytes (Linux counts in KiB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main()
