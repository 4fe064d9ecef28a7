"""Makes calls on files fail at random moments; in the end everything must be as if nothing happened.

    faults.py ROOT            (ABLATE_FAULTS=60 ABLATE_FAULTS_SEED=1)

A study is run again and again on one store, each time with `faults.c` in front of the C library: the disk
is full from some call on, a call fails with an input/output error, something is moved, made or removed and
the answer is of a second call (as on NFS), calls are interrupted, or they move fewer bytes than they were
asked to. The last two must not be noticed at all. After the others the run says what the system said, nothing has panicked, and every result that is marked done has its
checksums. When a run ends well, results and tables are compared with those of an undisturbed run, and it
starts again on an empty store until there were enough faults.
"""

import os
import random
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import same

ABLATE = Path(os.environ.get("ABLATE", "target/release/ablate")).resolve()
STUDY = ".ci/cluster.toml"
FAULTS = int(os.environ.get("ABLATE_FAULTS", "16"))
SEED = int(os.environ.get("ABLATE_FAULTS_SEED", "1"))
# What the system says of each kind; the others must not be noticed.
SAYS = {
    "full": ["No space left on device"],
    "eio": ["Input/output error"],
    "again": ["No such file or directory", "File exists"],
}


class Faults:
    def __init__(self, folder):
        self.shim = folder / "faults.so"
        self.counter = folder / "counter"
        source = Path(__file__).with_suffix(".c")
        subprocess.run(
            ["cc", "-O1", "-Wall", "-Werror", "-shared", "-fPIC", "-o", self.shim, source, "-ldl"], check=True
        )

    def run(self, root, kind, at):
        """Ends with the exit code, what was said and how many calls were counted."""
        self.counter.write_bytes(bytes(8))
        faults = {
            "LD_PRELOAD": self.shim,
            "FAULT_UNDER": root,
            "FAULT_KIND": kind,
            "FAULT_AT": at,
            "FAULT_COUNTER": self.counter,
        }
        command = [ABLATE, "run", STUDY, "--root", root, "--no-progress", "--jobs", "2", "--threads", "2"]
        done = subprocess.run(
            command,
            env=os.environ | {name: str(value) for name, value in faults.items()},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
            timeout=300,
        )
        return done.returncode, done.stdout, struct.unpack("<Q", self.counter.read_bytes())[0]


def logs(root):
    """What workers have said; a panic would be there."""
    return "".join(path.read_text(errors="replace") for path in root.rglob("*.log"))


def verify(root):
    if not (root / "data/store").is_dir():
        return
    said = subprocess.run([ABLATE, "verify", "--root", root], capture_output=True, text=True, check=False)
    if said.returncode != 0:
        sys.exit(f"{root}: {said.stdout}{said.stderr}")
    left = [path for path in (root / "data/store").rglob("*") if ".corrupt" in path.name]
    if left:
        sys.exit(f"{root}: nothing was damaged, yet there is {left[0]}")


def main():
    folder = Path(sys.argv[1]).resolve()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    faults = Faults(folder)
    quiet = folder / "undisturbed"
    # A kind that does nothing counts the calls.
    code, said, calls = faults.run(quiet, "eio", 0)
    if code != 0 or calls < 1000:
        sys.exit(f"the undisturbed run ended with {code} after {calls} calls:\n{said}")
    code, said, moves = faults.run(folder / "counted", "again", 0)
    if code != 0 or moves < 100:
        sys.exit(f"the undisturbed run ended with {code} after {moves} moves:\n{said}")
    shutil.rmtree(folder / "counted")
    print(f"undisturbed: {calls} calls on files, {moves} of them moves; seed {SEED}, {FAULTS} faults", flush=True)

    chance = random.Random(SEED)
    met = dict.fromkeys(("full", "eio", "again", "eintr", "short"), 0)
    rounds = 0
    while sum(met.values()) < FAULTS or rounds == 0:
        root = folder / f"round-{rounds}"
        kind = None
        while True:
            # Unnoticed kinds end a round, so they are rarer.
            kind = chance.choices(list(met), (4, 4, 4, 1, 1))[0]
            # The store fills up from run to run, so early calls are the ones that still happen.
            at = int((moves if kind == "again" else calls) ** chance.uniform(0.3, 1.0))
            code, said, counted = faults.run(root, kind, at)
            words = f"{root}, {kind} at {at} of {counted} calls, exit {code}:\n{said}"
            hit = kind not in SAYS or counted >= at
            met[kind] += hit
            if "panicked" in said + logs(root) or code < 0 or code == 101:
                sys.exit(words + logs(root)[-5000:])
            if kind not in SAYS and code != 0:
                sys.exit(words)
            if code != 0 and not any(expected in said for expected in SAYS[kind]):
                sys.exit(words)
            verify(root)
            if code == 0:
                break
        found = same.differences(quiet, root, "cluster")
        if found:
            sys.exit(words + "\n".join(found[:20]))
        shutil.rmtree(root)
        rounds += 1
        print(f"after {sum(met.values())} faults: the same bytes", flush=True)
    words = ", ".join(f"{count} {kind}" for kind, count in met.items())
    print(f"{words} in {rounds} rounds: every time the same bytes, and no result that was not one")


if __name__ == "__main__":
    main()
