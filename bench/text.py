"""Text for the tokenizer's comparison: files with a document a line, in bench/scratch/text."""

import contextlib
import gzip
import json
import subprocess
import sys

from measure import HERE, ROOT, say

FOLDER = HERE / "scratch" / "text"
STORE = HERE / "scratch" / "store"


def storyworld(ablate):
    """The 100 MB of bench/text.toml, English and Chinese, made once. No files if that failed."""
    files = {code: FOLDER / f"storyworld-{code}.txt" for code in ("en", "zh")}
    if not all(file.exists() for file in files.values()):
        say("  writing the text")
        command = [ablate, "run", HERE / "text.toml", "--root", STORE, "--no-progress"]
        with contextlib.suppress(OSError):
            subprocess.run(command, cwd=ROOT, stdout=sys.stderr)
        # The corpus is there even if a later stage failed.
        corpus = next(STORE.glob("data/store/corpus/*/train.jsonl"), None)
        if not corpus:
            return []
        FOLDER.mkdir(parents=True, exist_ok=True)
        texts = {code: [] for code in files}
        with corpus.open(encoding="utf-8") as lines:
            for line in lines:
                document = json.loads(line)
                texts[document["language"]].append(document["text"].replace("\n", " "))
        for code, file in files.items():
            file.write_text("\n".join(texts[code]) + "\n", encoding="utf-8")
    return list(files.values())


def own(sources, size):
    """`size` bytes in all of the user's files (txt or txt.gz), repeated where they are shorter."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    files = []
    for number, source in enumerate(sources):
        raw = source.read_bytes()
        lines = (gzip.decompress(raw) if source.suffix == ".gz" else raw).decode().splitlines(True)
        files.append(FOLDER / f"own-{number}.txt")
        left = size // len(sources)
        with files[-1].open("w", encoding="utf-8") as out:
            while left > 0:
                for line in lines:
                    out.write(line)
                    left -= len(line.encode())
                    if left <= 0:
                        break
    return files
