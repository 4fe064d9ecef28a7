"""Checks that Python encodes as the program does: python tokenizer_parity.py ROOT [DOCUMENTS]

For every set of token shards below ROOT/data/store, documents of its corpus (the first 2,000 of the
training text, unless another number is given, and all that are held out) are encoded with the
tokenizer's file by Python's `tokenizers` or `sentencepiece` and compared with the stored tokens, one by
one; decoding gives the text back, unless the file says that it changes text. Bytes per token are
compared with those that the program states. For every compacted tokenizer the map of ids is checked
piece by piece.
"""

import json
import struct
import sys
from collections import Counter
from itertools import islice
from pathlib import Path

from tokenizers import Tokenizer

store = Path(sys.argv[1]) / "data" / "store"
TRAINING_DOCUMENTS = int(sys.argv[2]) if len(sys.argv) > 2 else 2000
# Names of the end of a document: see crates/tokenizer/src/hugging_face.rs.
ENDS = ("<|endoftext|>", "<|end_of_text|>", "<｜end▁of▁sentence｜>", "</s>")


def records(stage):
    for path in sorted((store / stage).glob("*/.artifact.json")):
        yield path.parent, json.loads(path.read_text())


folders = {
    record["key"]: folder
    for stage in store.iterdir()
    if stage.is_dir()
    for folder, record in records(stage.name)
}


class HuggingFace:
    def __init__(self, path):
        self.tokenizer = Tokenizer.from_file(str(path))
        # Text that spells a special token is text.
        self.tokenizer.encode_special_tokens = True
        self.end = next(
            self.tokenizer.token_to_id(name) for name in ENDS if self.tokenizer.token_to_id(name) is not None
        )
        self.size = self.tokenizer.get_vocab_size(with_added_tokens=True)
        self.piece = self.tokenizer.id_to_token

    def encode(self, text):
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def decode(self, ids):
        return self.tokenizer.decode(ids, skip_special_tokens=False)


class SentencePiece:
    def __init__(self, path):
        import sentencepiece

        self.model = sentencepiece.SentencePieceProcessor(model_file=str(path))
        self.end = self.model.eos_id()
        self.size = self.model.vocab_size()
        self.piece = self.model.id_to_piece

    def encode(self, text):
        return self.model.encode(text)

    def decode(self, ids):
        return self.model.decode(ids)


def load(folder):
    model = folder / "tokenizer.model"
    return SentencePiece(model) if model.exists() else HuggingFace(folder / "tokenizer.json")


def read_shard(path):
    """Documents of a token shard; its layout is in crates/corpus/src/shard_format.rs."""
    data = path.read_bytes()
    magic, version, width, vocabulary, tokens, documents, text = struct.unpack_from("<8sIIQQQQ", data)
    assert (magic, version) == (b"ABLSHARD", 1), path
    ids = memoryview(data)[64 : 64 + tokens * width].cast("H" if width == 2 else "I")
    start = 64 + (tokens * width + 7) // 8 * 8
    bounds = struct.unpack_from(f"<{documents + 1}Q", data, start)
    assert bounds[0] == 0 and bounds[-1] == tokens
    assert len(data) == start + 8 * (documents + 1)
    return vocabulary, text, [list(ids[a:b]) for a, b in zip(bounds, bounds[1:])]


def compare(tokenizer, lines, path, changes, most=None):
    """Tokens compared, lines by language, and bytes per token of what was compared."""
    vocabulary, total, documents = read_shard(path)
    assert vocabulary == tokenizer.size, path
    with open(lines, encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    assert len(rows) == len(documents), path
    assert total == sum(len(row["text"].encode()) for row in rows), path
    compared, size, texts = Counter(), 0, 0
    for row, stored in islice(zip(rows, documents), most):
        text = row["text"]
        size += len(stored)
        texts += len(text.encode())
        # Python takes this mark in a text for a space, and loses it.
        if "\u2581" in text:
            continue
        ids = tokenizer.encode(text)
        assert ids + [tokenizer.end] == stored, f"{path}: {text!r}\n{ids}\n{stored}"
        assert changes or tokenizer.decode(ids) == text, f"{path}: {text!r}"
        compared[row["language"]] += 1
    return dict(compared), size, texts / size


checked = 0
for folder, record in records("shards"):
    corpus, home = (folders[record["inputs"][role]] for role in ("corpus", "tokenizer"))
    tokenizer = load(home)
    changes = (home / "changes.json").exists()
    summary = json.loads((folder / "shards.json").read_text())["validation"]
    sizes = {}
    for shard in sorted(folder.glob("*.shard")):
        most = TRAINING_DOCUMENTS if shard.stem == "train" else None
        lines, tokens, ratio = compare(tokenizer, corpus / f"{shard.stem}.jsonl", shard, changes, most)
        if shard.stem != "train":
            stated = summary[shard.stem.removeprefix("validation-")]
            assert (stated["tokens"], ratio) == (tokens, stated["bytes"] / stated["tokens"]), shard
        sizes[shard.stem] = f"{tokens} tokens of {lines} lines, {ratio:.3f} bytes each"
    # Bytes of every id.
    lengths = json.loads((home / "token_bytes.json").read_text())
    assert len(lengths) == tokenizer.size
    assert lengths[tokenizer.end] == 0
    print(f"{folder.name} with {home.name}: {sizes} agree")
    checked += 1
assert checked > 1, "a trained and a compacted tokenizer were expected"

for folder, record in records("compact"):
    small, large = load(folder), load(folders[record["inputs"]["tokenizer"]])
    new_to_old = json.loads((folder / "id_map.json").read_text())
    assert len(new_to_old) == small.size == record["recipe"]["vocabulary"]
    assert len(set(new_to_old)) == len(new_to_old)
    for new, old in enumerate(new_to_old):
        assert small.piece(new) == large.piece(old), (new, old)
    # What is kept are the most frequent pieces, save for those that merges or bytes need.
    counts = json.loads((folders[record["inputs"]["shards"]] / "counts.json").read_text())
    kept = sum(counts[old] for old in new_to_old) / sum(counts)
    best = sum(sorted(counts, reverse=True)[: len(new_to_old)]) / sum(counts)
    stated = json.loads((folder / "coverage.json").read_text())["kept"]
    assert abs(kept - stated) < 1e-12 and kept <= best + 1e-12, (kept, stated, best)
    print(f"{folder.name}: {len(new_to_old)} pieces map back, coverage {kept:.4f} (at best {best:.4f})")
