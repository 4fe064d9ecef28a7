"""What a second thread brings: python3 bench/scaling.py [--variant 33m] [--rounds 3] [--steps 3]

Times the same training step on one thread, on two threads, and as two processes of one thread each
that know nothing of each other, ours and PyTorch's in turn. The two processes share the machine
(clock, third-level cache, memory, whatever runs on the sibling of a core) and nothing else, so
what they lose against one process alone no way of splitting a step can win back; what two threads
lose beyond that is the program's own. Every line is the fastest and the median step over all rounds.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path
from statistics import median

import shapes
from measure import ROOT, malloc_environment, parse, thread_environment

HERE = Path(__file__).parent


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--variant", default="33m")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--compile", action="store_true", help="PyTorch compiled")
    options = parser.parse_args()
    variant = next(v for v in shapes.read(HERE / "shapes.toml") if v["name"] == options.variant)

    def ours(threads):
        return [ROOT / "target/release/ablate", "bench", HERE / "shapes.toml", "--json",
                "--variant", options.variant, "--threads", threads, "--steps", options.steps]  # fmt: skip

    def peer(threads):
        sizes = [x for key, n in variant.items() if key != "name" for x in (f"--{key}", n)]
        more = ["--compile"] if options.compile else []
        return [HERE / ".venv/bin/python", HERE / "peers/train.py", *sizes,
                "--threads", threads, "--steps", options.steps, *more]  # fmt: skip

    # Program, threads, processes at once.
    plan = [(side, *how) for how in ((1, 1), (2, 1), (1, 2)) for side in (ours, peer)]
    steps = {line: [] for line in plan}
    for turn in range(options.rounds):
        for line in plan if turn % 2 == 0 else plan[::-1]:
            side, threads, processes = line
            steps[line].extend(together(side(threads), threads, processes))
    print(f"{'':22}{'fastest s':>12}{'median s':>12}   per thread, against one thread alone")
    for line, seconds in steps.items():
        side, threads, processes = line
        alone = steps[(side, 1, 1)]
        name = f"{side.__name__} {threads} x {processes}"
        shares = (f(alone) / (f(seconds) * threads) for f in (min, median))
        print(f"{name:22}{min(seconds):12.3f}{median(seconds):12.3f}   "
              + ", ".join(f"{share:.2f}" for share in shares))  # fmt: skip


def together(command, threads, processes):
    """The step times of so many processes at once."""
    environment = os.environ | malloc_environment() | thread_environment(threads)
    running = [
        subprocess.Popen(
            [str(part) for part in command], env=environment, stdout=subprocess.PIPE, text=True
        )
        for _ in range(processes)
    ]
    seconds = []
    for process in running:
        text, _ = process.communicate()
        if process.returncode:
            sys.exit(f"{command[0]} ended with {process.returncode}")
        found = parse(text)
        seconds.extend(found.get("variants", [found])[0]["step_seconds"])
    return seconds


if __name__ == "__main__":
    main()
