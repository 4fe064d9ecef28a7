"""Checks that Python's `tokenizers` encodes as the program does: python tokenizer_parity.py ROOT

For every set of token shards below ROOT/data/store, documents of its corpus are encoded with the
tokenizer's `tokenizer.json` and compared with the stored tokens, one by one; decoding gives the
text back. For every compacted tokenizer the map of ids is checked piece by piece.
"""

import json
import struct
import sys
from itertools import islice
from pathlib import Path

from tokenizers import Tokenizer

TRAINING_DOCUMENTS = 2000

store = Path(sys.argv[1]) / "data" / "store"


def records(stage):
    for path in sorted((store / stage).glob("*/.artifact.json")):
        yield path.parent, json.loads(path.read_text())


folders = {
    record["key"]: folder
    for stage in store.iterdir()
    if stage.is_dir()
    for folder, record in records(stage.name)
}


def load(folder):
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    # Text that spells a special token is text.
    tokenizer.encode_special_tokens = True
    return tokenizer


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


def compare(tokenizer, end, lines, path, most=None):
    vocabulary, total, documents = read_shard(path)
    assert vocabulary == tokenizer.get_vocab_size(with_added_tokens=True), path
    size = 0
    with open(lines, encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line in lines]
    assert len(texts) == len(documents), path
    assert total == sum(len(text.encode()) for text in texts), path
    for text, stored in islice(zip(texts, documents), most):
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        assert ids + [end] == stored, f"{path}: {text!r}\n{ids}\n{stored}"
        assert tokenizer.decode(ids, skip_special_tokens=False) == text, f"{path}: {text!r}"
        size += len(stored)
    return size


checked = 0
for folder, record in records("shards"):
    corpus, home = (folders[record["inputs"][role]] for role in ("corpus", "tokenizer"))
    tokenizer = load(home)
    end = tokenizer.token_to_id("<|endoftext|>")
    sizes = {
        shard.name: compare(
            tokenizer,
            end,
            corpus / f"{shard.stem}.jsonl",
            shard,
            TRAINING_DOCUMENTS if shard.stem == "train" else None,
        )
        for shard in sorted(folder.glob("*.shard"))
    }
    # Bytes of every id.
    lengths = json.loads((home / "token_bytes.json").read_text())
    assert len(lengths) == tokenizer.get_vocab_size()
    assert lengths[end] == 0
    print(f"{folder.name} with {home.name}: {sizes} tokens agree")
    checked += 1
assert checked > 1, "a trained and a compacted tokenizer were expected"

for folder, record in records("compact"):
    small, large = load(folder), load(folders[record["inputs"]["tokenizer"]])
    new_to_old = json.loads((folder / "id_map.json").read_text())
    assert len(new_to_old) == small.get_vocab_size() == record["recipe"]["vocabulary"]
    assert len(set(new_to_old)) == len(new_to_old)
    for new, old in enumerate(new_to_old):
        assert small.id_to_token(new) == large.id_to_token(old), (new, old)
    # What is kept are the most frequent pieces, save for those that merges or bytes need.
    counts = json.loads((folder / "frequencies.json").read_text())
    kept = sum(counts[old] for old in new_to_old) / sum(counts)
    best = sum(sorted(counts, reverse=True)[: len(new_to_old)]) / sum(counts)
    stated = json.loads((folder / "coverage.json").read_text())["kept"]
    assert abs(kept - stated) < 1e-12 and kept <= best + 1e-12, (kept, stated, best)
    print(f"{folder.name}: {len(new_to_old)} pieces map back, coverage {kept:.4f} (at best {best:.4f})")
