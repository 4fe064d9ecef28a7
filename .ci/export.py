"""Checks that an exported model is the same in `transformers`: python export.py FOLDER TEXT...

The folder must load with AutoModelForCausalLM and AutoTokenizer, and give the ids and the greedy text
that `ablate generate` gives, and the logits of `ablate`'s decoder to 1e-4. Run from the root of the
clone, after the program and the example `logits` have been built.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

PROGRAM, LOGITS, NEW = "target/release/ablate", "target/release/examples/logits", 24
folder, texts = sys.argv[1], sys.argv[2:]
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
tokenizer = AutoTokenizer.from_pretrained(folder)
assert model.config.model_type == "llama"
assert len(tokenizer) == model.config.vocab_size, (len(tokenizer), model.config.vocab_size)
assert tokenizer.eos_token_id == model.config.eos_token_id

ids = [tokenizer(text).input_ids for text in texts]
for text, text_ids in zip(texts, ids):
    run = subprocess.run([PROGRAM, "generate", folder, "--prompt", text, "--json", "--max-new-tokens", str(NEW)],
                         capture_output=True, text=True, check=True)
    ours = json.loads(run.stdout)
    assert ours["prompt_tokens"] == text_ids, (text, ours["prompt_tokens"], text_ids)
    with torch.no_grad():
        found = model.generate(torch.tensor([text_ids]), max_new_tokens=NEW)[0, len(text_ids):].tolist()
    if found[-1:] == [model.config.eos_token_id]:
        found.pop()
    assert ours["tokens"] == found, (text, ours["tokens"], found)
    assert ours["text"] == tokenizer.decode(found, skip_special_tokens=True), text

with tempfile.TemporaryDirectory() as scratch:
    out = Path(scratch) / "logits.safetensors"
    subprocess.run([LOGITS, folder, out], input=json.dumps(ids), text=True, check=True)
    ours = load_file(out)
with torch.no_grad():
    worst = max((model(torch.tensor([text_ids])).logits[0] - ours[str(index)]).abs().max().item()
                for index, text_ids in enumerate(ids))
assert worst < 1e-4, worst
print(f"{len(texts)} texts in transformers: the same ids and greedy texts, logits within {worst:.1e}")
