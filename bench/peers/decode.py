"""Times greedy decoding with transformers' LlamaForCausalLM, random weights, f32.

    python decode.py --shape 256,6,8,688,4096 --batch 20 --prompt 2 --new 510 --threads 2

The shape is width, layers, heads, feed-forward channels, vocabulary. `--compile` takes the static
cache and a compiled forward pass instead of `generate` as it comes. Prints one line of JSON with
the new tokens/s of all sequences together; one short generation before it warms up.
"""

import argparse
import json
import time

import torch
import transformers
from transformers import LlamaConfig, LlamaForCausalLM


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--shape", required=True)
    parser.add_argument("--batch", type=int, default=20)
    parser.add_argument("--prompt", type=int, default=2)
    parser.add_argument("--new", type=int, default=510)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--compile", action="store_true")
    options = parser.parse_args()
    width, layers, heads, ffn, vocabulary = map(int, options.shape.split(","))

    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=width,
        intermediate_size=ffn,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=heads,
        max_position_embeddings=options.prompt + options.new,
        rms_norm_eps=1e-5,
        tie_word_embeddings=False,
        bos_token_id=0,
        eos_token_id=None,
        pad_token_id=0,
    )
    model = LlamaForCausalLM(config).float().eval()
    prompt = torch.randint(1, vocabulary, (options.batch, options.prompt))

    def generate(new):
        with torch.inference_mode():
            ids = model.generate(
                prompt,
                attention_mask=torch.ones_like(prompt),
                do_sample=False,
                min_new_tokens=new,
                max_new_tokens=new,
                **cache,
            )
        assert ids.shape == (options.batch, options.prompt + new), ids.shape

    cache = {}
    if options.compile:
        cache = dict(cache_implementation="static")
        model.forward = torch.compile(model.forward)
    start = time.perf_counter()
    # A static cache has the length of the generation, and a compiled pass is for one length.
    generate(options.new if options.compile else 8)
    warmup = time.perf_counter() - start

    start = time.perf_counter()
    generate(options.new)
    seconds = time.perf_counter() - start
    print(
        json.dumps(
            dict(
                mode="static cache, compiled" if options.compile else "generate",
                transformers=transformers.__version__,
                torch=torch.__version__,
                threads=torch.get_num_threads(),
                parameters=sum(p.numel() for p in model.parameters()),
                warmup_seconds=warmup,
                seconds=seconds,
                tokens_per_second=options.batch * options.new / seconds,
            )
        )
    )


if __name__ == "__main__":
    main()
