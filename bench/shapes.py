"""The variants of a study file as sizes, for the peers: python3 bench/shapes.py STUDY

Reads only what the files of this folder use: a base, and a design that is a list or a grid. Prints
name, parameters and operations per token of every variant, to be held against `ablate plan STUDY`.
"""

import itertools
import math
import sys
import tomllib


def read(path):
    """For every variant its name, depth, width, heads, ffn, vocabulary, context and batch."""
    with open(path, "rb") as file:
        study = tomllib.load(file)
    design = study["design"]
    if "list" in design:
        return [shape(d["name"], merge(study, d.get("set", {}))) for d in design["list"]]
    # The first path is the slowest, and names are made of the path's end and the value.
    grid = design["grid"]
    variants = []
    for values in itertools.product(*grid.values()):
        base, names = study, []
        for path, value in zip(grid, values, strict=True):
            *tables, key = path.split(".")
            names.append(f"{key}-{value}")
            delta = {key: value}
            for table in reversed(tables):
                delta = {table: delta}
            base = merge(base, delta)
        variants.append(shape("_".join(names), base))
    return variants


def merge(base, delta):
    """Tables merge key by key; everything else is replaced."""
    if not isinstance(base, dict) or not isinstance(delta, dict):
        return delta
    return base | {key: merge(base.get(key), value) for key, value in delta.items()}


def shape(name, study):
    model, ffn = study["model"], study["model"]["ffn"]
    assert not model["tied"] and "kv_heads" not in model, "the peers' decoder has neither"
    width = model["width"]
    multiple = ffn.get("multiple", 1)
    channels = ffn.get("size") or math.ceil(math.floor(ffn["rate"] * width) / multiple) * multiple
    return dict(
        name=name,
        depth=model["depth"],
        width=width,
        heads=model.get("heads") or width // model["head_dim"],
        ffn=channels,
        vocabulary=study["tokenizer"]["vocabulary"],
        context=model["context"],
        batch=study["train"]["batch_tokens"] // model["context"],
    )


def parameters(s):
    """Of a decoder without biases, with a head of its own."""
    layer = 4 * s["width"] ** 2 + 3 * s["width"] * s["ffn"] + 2 * s["width"]
    return 2 * s["vocabulary"] * s["width"] + s["depth"] * layer + s["width"]


def flops_per_token(s):
    """Of training, as `ablate-cost` counts them: two for every weight of a product, causal
    attention at its mean length, and three times the forward pass."""
    layer = 4 * s["width"] ** 2 + 3 * s["width"] * s["ffn"]
    products = s["depth"] * layer + s["vocabulary"] * s["width"]
    attention = s["depth"] * 2 * s["width"] * (s["context"] + 1) / 2
    return 3 * 2 * (products + attention)


if __name__ == "__main__":
    for variant in read(sys.argv[1]):
        print(variant["name"], parameters(variant), f"{flops_per_token(variant):.4g}", variant)
