"""Follows a study with TensorBoard while it is interrupted and goes on: one curve, and the right one.

    live.py ROOT            (in an environment with `tensorboard`)

A TensorBoard looks at the study's folder all the time. Launcher and workers are killed when trainings have
gone on after a checkpoint, and started again. In the end every training's event files, read by TensorBoard's
own reader and by the server that was looking, hold the same steps and values as its `metrics.jsonl`, and that
the same as the metrics in its result.
"""

import json
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import SCALARS, EventAccumulator

ABLATE = Path(os.environ.get("ABLATE", "target/release/ablate")).resolve()
STUDY = ".ci/cluster.toml"
NAMES = ("loss", "bits_per_byte", "learning_rate", "gradient_norm", "tokens_per_second")
KILLS = 2
PATIENCE = 120


def start(root):
    """A run with its workers in a process group of their own."""
    command = [ABLATE, "run", STUDY, "--root", root, "--no-progress", "--jobs", "2"]
    log = open(root.parent / f"{root.name}.log", "ab")
    return subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)


def lines(path):
    text = path.read_text() if path.exists() else ""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def last_step(path):
    return max((line["step"] for line in lines(path)), default=0)


def overtaken(root, seen):
    """A training that is past a checkpoint, so that steps will be made again."""
    for checkpoint in (root / "data/store/train").glob("*.partial/t-*/checkpoints/step-*"):
        name = checkpoint.parents[2].name.removesuffix(".partial")
        step = int(checkpoint.name.removeprefix("step-"))
        metrics = root / "data/store/live" / f"train-{name}" / "metrics.jsonl"
        if (name, step) not in seen and last_step(metrics) >= step + 5:
            return name, step
    return None


def single(value):
    """A number as TensorBoard keeps it."""
    return struct.unpack("<f", struct.pack("<f", value))[0]


def expected(metrics):
    """Steps, times and values by tag."""
    tags = {}
    for line in metrics:
        prefix = line["split"] + ("/" + line["language"] if "language" in line else "")
        for name in NAMES:
            if name in line:
                point = (line["step"], line["time"], single(line[name]))
                tags.setdefault(f"{prefix}/{name}", []).append(point)
    return tags


class TensorBoard:
    """The server as a user starts it."""

    def __init__(self, folder):
        program = Path(sys.executable).with_name("tensorboard")
        command = [program, "--logdir", folder, "--port", "0", "--reload_interval", "1"]
        command += ["--load_fast", "true"]
        self.child = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self.url = None
        while self.url is None:
            line = self.child.stderr.readline()
            assert line, "TensorBoard did not start"
            found = re.search(r"at (http://\S+?/)", line)
            self.url = found and found.group(1)
        # What it says from here on must not fill the pipe.
        threading.Thread(target=self.child.stderr.read, daemon=True).start()

    def ask(self, path, **query):
        query = urllib.parse.urlencode(query)
        with urllib.request.urlopen(f"{self.url}data/plugin/scalars/{path}?{query}", timeout=20) as answer:
            return json.load(answer)

    def scalars(self, run, tag):
        try:
            points = self.ask("scalars", run=run, tag=tag)
        except urllib.error.HTTPError:
            return []
        return [(step, when, value) for when, step, value in points]

    def stop(self):
        self.child.terminate()
        self.child.wait()


def same(found, wanted):
    """Whether two curves agree; TensorBoard rounds times."""
    return len(found) == len(wanted) and all(
        a[0] == b[0] and abs(a[1] - b[1]) < 1e-3 and abs(a[2] - b[2]) <= 1e-6 * abs(b[2])
        for a, b in zip(found, wanted)
    )


def main(root):
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    live = root / "data/live/cluster"
    live.mkdir(parents=True)
    board = TensorBoard(live)
    try:
        seen = set()
        for _ in range(KILLS):
            child, until = start(root), time.monotonic() + PATIENCE
            while (found := overtaken(root, seen)) is None:
                assert child.poll() is None, "the run ended before it was interrupted"
                assert time.monotonic() < until, "no training passed a checkpoint"
                time.sleep(0.01)
            # Longer than the pause between two looks of TensorBoard: it has seen what will be void.
            os.killpg(child.pid, signal.SIGSTOP)
            time.sleep(2.5)
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            seen.add(found)
            print(f"killed after step {found[1]} of {found[0]}")
        child = start(root)
        assert child.wait(timeout=PATIENCE) == 0, "the run failed"

        runs = sorted(path for path in live.rglob("*") if path.is_symlink())
        assert len(runs) == 12, f"three variants with three seeds, one in two rounds: {runs}"
        restarts = points = 0
        for run in runs:
            metrics = lines(run / "metrics.jsonl")
            result = root / "data/store/train" / run.resolve().name.removeprefix("train-")
            own = lines(result / "metrics.jsonl")
            bare = [{k: v for k, v in line.items() if k not in ("time", "steps")} for line in metrics]
            assert bare == own, f"{run}: not the metrics of the result"
            steps = [line["step"] for line in metrics if line["split"] == "train"]
            assert steps == list(range(1, metrics[0]["steps"] + 1)), f"{run}: {steps}"
            tags = expected(metrics)

            files = sorted(run.glob("events.out.tfevents.*"))
            restarts += len(files) - 1
            reader = EventAccumulator(str(run), size_guidance={SCALARS: 0})
            reader.Reload()
            assert sorted(reader.Tags()["scalars"]) == sorted(tags), reader.Tags()
            for tag, wanted in tags.items():
                found = [(e.step, e.wall_time, e.value) for e in reader.Scalars(tag)]
                assert same(found, wanted), f"{run}: {tag}: {found} for {wanted}"
                points += len(wanted)

            # The server that has been looking all the time.
            name, until = str(run.relative_to(live)), time.monotonic() + 30
            for tag, wanted in tags.items():
                while not same(found := board.scalars(name, tag), wanted):
                    assert time.monotonic() < until, f"{name}: {tag}: {found} for {wanted}"
                    time.sleep(0.5)
        assert restarts >= KILLS, "no event file says that steps are void"
        print(f"{len(runs)} trainings, {restarts} of their event files after a kill, {points} points: all as measured")
    finally:
        board.stop()


main(Path(sys.argv[1]).resolve())
