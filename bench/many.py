"""What a study of many tiny variants costs besides the work: planning, scheduling, status.

    cargo build --release --workspace --bins
    python3 bench/many.py [--variants 1000] [--seeds 5]

Makes a study of that many variants of about a thousand weights, times `plan`, runs it with two jobs,
then times `status` on all its results. Overhead is the time of both jobs less what the stages' records
say that the work took, per stage; the launcher's memory is read while it runs.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import time
from datetime import datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = ROOT / "target/release/ablate"
SCRATCH = ROOT / "bench/scratch/many"
JOBS = 2
STUDY = """[study]
name = "many"
seeds = {seeds}

[corpus]
bytes = "100kB"
validation_bytes = "2kB"

[tokenizer]
vocabulary = 300

[model]
depth = 1
width = 4
heads = 1
context = 32
tied = true
ffn.size = 8

[train]
tokens = "1k"
batch_tokens = 256
learning_rate = 1e-3
validations = 1

[eval]
benchmarks = ["boolq"]
items = 2

[design.grid]
"train.learning_rate" = [{rates}]
"""


def timed(*words):
    start = time.monotonic()
    done = subprocess.run([PROGRAM, *words, "--root", SCRATCH], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{words[0]}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return time.monotonic() - start


def seconds(moment):
    """Of a moment such as 2026-11-29T01:23:12.123945670Z, whose fraction has as many digits as it needs."""
    whole, _, fraction = moment.rstrip("Z").partition(".")
    return datetime.fromisoformat(whole + "+00:00").timestamp() + float(f"0.{fraction or 0}")


def resident(pid):
    """MB of a process, or nothing when it is gone."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1000
    except OSError:
        return None


def main():
    parse = argparse.ArgumentParser()
    parse.add_argument("--variants", type=int, default=1000)
    parse.add_argument("--seeds", type=int, default=1)
    asked = parse.parse_args()
    shutil.rmtree(SCRATCH, ignore_errors=True)
    SCRATCH.mkdir(parents=True)
    study = SCRATCH / "many.toml"
    rates = ", ".join(f"{1e-3 * (1 + i / asked.variants):.7f}" for i in range(asked.variants))
    study.write_text(STUDY.format(seeds=list(range(1, asked.seeds + 1)), rates=rates))

    timed("plan", study)  # times the shapes once
    plans = [timed("plan", study) for _ in range(5)]
    print(f"plan, {asked.variants} variants x {asked.seeds} seeds: {statistics.median(plans):.2f} s", flush=True)

    with open(SCRATCH / "run.log", "w") as log:
        start = time.monotonic()
        command = [PROGRAM, "run", study, "--root", SCRATCH, "--quiet", "--jobs", str(JOBS), "--threads", str(JOBS)]
        child = subprocess.Popen(command, stdout=log, stderr=log)
        memory = []
        while child.poll() is None:
            now = resident(child.pid)
            if now:
                memory.append((time.monotonic() - start, now))
            time.sleep(0.2)
    if child.returncode != 0:
        raise SystemExit((SCRATCH / "run.log").read_text()[-2000:])
    records = [json.loads(path.read_text()) for path in (SCRATCH / "data/store").glob("*/*/.artifact.json")]
    # The report comes after the last stage.
    ends = sorted(seconds(record["finished"]) for record in records)
    wall = ends[-1] - ends[0]
    work = sum(record["seconds"] for record in records)
    print(
        f"run: {len(records)} stages in {wall:.0f} s with {JOBS} jobs, {work:.0f} s of work: overhead"
        f" {1000 * (JOBS * wall - work) / len(records):.1f} ms a stage, {1000 * wall / len(records):.1f} ms by the clock"
    )
    during = [mb for at, mb in memory if at < wall]
    part = max(1, len(during) // 10)
    print(
        f"launcher: {statistics.mean(during[part : 2 * part]):.0f} MB in the second tenth of the run,"
        f" {statistics.mean(during[-part:]):.0f} MB in the last"
    )
    status = [timed("status", study) for _ in range(5)]
    print(f"status, {len(records)} results: {statistics.median(status):.2f} s")


if __name__ == "__main__":
    main()
