"""Trains a list of variants as a researcher would: a loop of scripts, a Python process each.

    echo '[{"name": "small", "depth": 2, "width": 64, "heads": 2, "ffn": 176, "vocabulary": 512,
            "context": 64, "batch": 8}]' | python sweep.py --jobs 1 --threads 2 --steps 50

`--jobs 2 --threads 1` trains two at a time, the largest first, so that the last one to end is a
short one. Prints one line of JSON: wall time from the first start to the last end, and how much of
it the processes spent before their first step, one after the other.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

TRAIN = pathlib.Path(__file__).with_name("train.py")


def train(variant, options):
    command = [sys.executable, str(TRAIN), "--warmup", "0"]
    command += ["--threads", str(options.threads), "--steps", str(options.steps)]
    for key, value in variant.items():
        if key != "name":
            command += [f"--{key}", str(value)]
    command += ["--compile"] * options.compile
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def work(variant):
    """Operations of a step, roughly: what variants are ordered by."""
    layer = 4 * variant["width"] ** 2 + 3 * variant["width"] * variant["ffn"]
    weights = variant["depth"] * layer + variant["vocabulary"] * variant["width"]
    return weights * variant["batch"] * variant["context"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=1, help="trainings side by side")
    parser.add_argument("--threads", type=int, default=2, help="threads of each")
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--compile", action="store_true")
    options = parser.parse_args()
    variants = sorted(json.load(sys.stdin), key=work, reverse=True)

    start = time.perf_counter()
    with ThreadPoolExecutor(options.jobs) as pool:
        results = list(pool.map(lambda variant: train(variant, options), variants))
    print(
        json.dumps(
            dict(
                wall_seconds=time.perf_counter() - start,
                jobs=options.jobs,
                threads=options.threads,
                steps=options.steps,
                start_seconds=sum(r["start_seconds"] for r in results),
                step_seconds=sum(sum(r["step_seconds"]) for r in results),
                parameters=[r["parameters"] for r in results],
                losses=[r["loss"] for r in results],
            )
        )
    )


if __name__ == "__main__":
    main()
