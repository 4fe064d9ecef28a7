"""Times Python's `tokenizers`: training a byte-level BPE on text files, and encoding them.

    python bpe.py train  en.txt zh.txt --vocabulary 4096 --threads 2 [--save tokenizer.json]
    python bpe.py encode en.txt zh.txt --load tokenizer.json --threads 2 [--fast]

A document is a line. The tokenizer is made exactly as `ablate` makes its own (pattern, alphabet,
longest piece, smallest count). `encode` works in batches of 10,000 documents with `encode_batch`,
or with `encode_batch_fast`, which leaves offsets out. `seconds` is what the calls took, without
taking the ids out of them; `seconds_with_ids` counts that too. Prints one line of JSON.
"""

import argparse
import json
import os
import pathlib
import time
from itertools import islice

BATCH = 10_000
PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def new_tokenizer():
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PATTERN), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def train(texts, vocabulary):
    """The tokenizer, and the seconds that training took."""
    from tokenizers import pre_tokenizers, trainers

    tokenizer = new_tokenizer()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        min_frequency=2,
        max_token_length=17,  # pieces are strictly shorter
        special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    start = time.perf_counter()
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer, time.perf_counter() - start


def encode(tokenizer, texts, fast):
    """Tokens, seconds of the calls, and seconds with the ids taken out as lists."""
    call = tokenizer.encode_batch_fast if fast else tokenizer.encode_batch
    tokens, calls, whole = 0, 0.0, 0.0
    texts = iter(texts)
    while batch := list(islice(texts, BATCH)):
        start = time.perf_counter()
        encodings = call(batch, add_special_tokens=False)
        calls += time.perf_counter() - start
        ids = [encoding.ids for encoding in encodings]
        whole += time.perf_counter() - start
        tokens += sum(map(len, ids))
    return tokens, calls, whole


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("work", choices=["train", "encode"])
    parser.add_argument("files", nargs="+")
    parser.add_argument("--vocabulary", type=int, default=4096)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--save", help="of train: where to write the tokenizer")
    parser.add_argument("--load", help="of encode: a tokenizer.json")
    parser.add_argument("--fast", action="store_true")
    options = parser.parse_args()
    # Read when the library is loaded, or when it first works.
    os.environ["RAYON_NUM_THREADS"] = str(options.threads)
    os.environ["TOKENIZERS_PARALLELISM"] = "true"
    import tokenizers

    files = [pathlib.Path(file).read_text("utf-8") for file in options.files]
    texts = [text for file in files for text in file.rstrip("\n").split("\n")]
    size = sum(len(text.encode()) for text in texts)
    result = dict(tokenizers=tokenizers.__version__, bytes=size, documents=len(texts))
    if options.work == "train":
        tokenizer, seconds = train(texts, options.vocabulary)
        if options.save:
            tokenizer.save(options.save)
    else:
        tokenizer = tokenizers.Tokenizer.from_file(options.load)
        tokens, seconds, whole = encode(tokenizer, texts, options.fast)
        result |= dict(tokens=tokens, seconds_with_ids=whole)
    result |= dict(vocabulary=tokenizer.get_vocab_size(), seconds=seconds)
    print(json.dumps(result | dict(megabytes_per_second=size / 1e6 / seconds)))


if __name__ == "__main__":
    main()
