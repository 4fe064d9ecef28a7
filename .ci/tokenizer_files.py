"""Tokenizers of other makers, trained on the text beside the clone: python tokenizer_files.py FOLDER

Writes into FOLDER two SentencePiece models with byte fallback of 6,000 pieces (`plain.model` changes
no text, `nfkc.model` has the default rules), the first as a `tokenizer.json` in the layout of Llama 2,
and a byte-level `tokenizer.json` in that of Qwen.
"""

import gzip
import importlib.util
import json
import pathlib
import sys

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

root = pathlib.Path(__file__).parent.parent
made = root / "crates/tokenizer/tests/fixtures/make_sentencepiece.py"
spec = importlib.util.spec_from_file_location("make_sentencepiece", made)
make = importlib.util.module_from_spec(spec)
spec.loader.exec_module(make)

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
lines = []
for language in ("en", "zh"):
    with gzip.open(root.parent / "shared/data" / f"pydocs-{language}.txt.gz", "rt") as text:
        lines += [line.rstrip("\n") for line in text][:20000]

size = 6000
for name, settings in make.variants.items():
    model = make.train(
        lines, folder / f"{name}.model", **make.common, vocab_size=size, character_coverage=0.999, **settings
    )
    if name == "plain":
        make.as_json(model, folder / "llama.json")

# Qwen's pattern is the one that tokenizers trained here have; its normaliser is NFC.
source = (root / "crates/tokenizer/src/train.rs").read_text()
pattern = source.split('pub const SPLIT_PATTERN: &str = r"')[1].split('";')[0]
qwen = Tokenizer(models.BPE())
qwen.normalizer = normalizers.NFC()
qwen.pre_tokenizer = pre_tokenizers.Sequence(
    [
        pre_tokenizers.Split(Regex(pattern), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ]
)
qwen.decoder = decoders.ByteLevel()
alphabet = pre_tokenizers.ByteLevel.alphabet()
trainer = trainers.BpeTrainer(vocab_size=size - 1, initial_alphabet=alphabet, show_progress=False)
qwen.train_from_iterator(lines, trainer)
qwen.add_special_tokens([AddedToken("<|endoftext|>", normalized=False, special=True)])
assert qwen.get_vocab_size() == size, qwen.get_vocab_size()
qwen.save(str(folder / "qwen.json"), pretty=False)
print(json.dumps({"folder": str(folder), "pieces": size}))
