"""Kills launchers and workers at random moments; in the end everything must be as if nothing happened.

    chaos.py ROOT            (ABLATE_CHAOS_KILLS=200 ABLATE_CHAOS_SEED=1)

Two launchers make one study on one store, the second under another host's name where this machine
allows that. Every now and then one of them, or one of their workers, gets SIGKILL; launchers that are
gone are started again. Whenever both say that all is made, results and tables are compared with those
of an undisturbed run, every checksum is verified, and it starts again on an empty store until there
were enough kills.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import same

ABLATE = Path(os.environ.get("ABLATE", "target/release/ablate")).resolve()
STUDY = ".ci/cluster.toml"
KILLS = int(os.environ.get("ABLATE_CHAOS_KILLS", "12"))
SEED = int(os.environ.get("ABLATE_CHAOS_SEED", "1"))
# A launcher that is never killed may take so long at most, in seconds.
PATIENCE = 300


def other_host():
    """A prefix that gives a command another host's name, or nothing."""
    prefix = ["unshare", "--uts", "sh", "-c", 'hostname chaos-b && exec "$@"', "sh"]
    tried = subprocess.run([*prefix, "true"], capture_output=True, check=False)
    return prefix if tried.returncode == 0 else []


class Launcher:
    def __init__(self, name, root, prefix):
        self.name, self.root, self.prefix = name, root, prefix
        self.log = open(root.parent / f"{root.name}-{name}.log", "ab")
        self.starts = 0
        self.done = False
        self.child = None

    def start(self):
        self.starts += 1
        command = [*self.prefix, ABLATE, "run", STUDY, "--root", self.root, "--no-progress"]
        command += ["--jobs", "2", "--threads", "2"]
        self.child = subprocess.Popen(command, stdout=self.log, stderr=self.log)

    def poll(self):
        """Starts again what was killed; looks whether all is made."""
        if self.done:
            return
        code = self.child.poll()
        if code is None:
            return
        if code == 0:
            self.done = True
        elif code in (1, -signal.SIGKILL):
            # A worker was killed, which is a failure of that run; or the launcher was.
            self.start()
        else:
            sys.exit(f"launcher {self.name} ended with {code}; see {self.log.name}")

    def workers(self):
        pid = self.child.pid
        try:
            text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        except OSError:
            return []
        return [int(pid) for pid in text.split()]


def kill_one(chance, launchers):
    """Kills a launcher or a worker; says which, or nothing when there was none."""
    running = [launcher for launcher in launchers if not launcher.done]
    if not running:
        return None
    launcher = chance.choice(running)
    workers = launcher.workers()
    if workers and chance.random() < 0.6:
        pid, what = chance.choice(workers), "worker"
    else:
        pid, what = launcher.child.pid, "launcher"
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return None
    return what


def main():
    folder = Path(sys.argv[1]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    quiet = folder / "undisturbed"
    start = time.monotonic()
    subprocess.run([ABLATE, "run", STUDY, "--root", quiet, "--quiet"], check=True, stdout=subprocess.DEVNULL)
    took = time.monotonic() - start
    print(f"undisturbed: {took:.1f} s; seed {SEED}, {KILLS} kills", flush=True)

    chance = random.Random(SEED)
    prefix = other_host()
    kills = {"launcher": 0, "worker": 0}
    rounds = starts = 0
    while sum(kills.values()) < KILLS or rounds == 0:
        root = folder / f"round-{rounds}"
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir()
        launchers = [Launcher("a", root, []), Launcher("b", root, prefix)]
        for launcher in launchers:
            launcher.start()
        # Kills come fast enough to hit most stages, and stop when there were enough of them or this
        # round has had its share, so that it comes to an end.
        share = min(25, KILLS - sum(kills.values()))
        until = time.monotonic() + PATIENCE + 20 * took
        next_kill = time.monotonic() + chance.uniform(0.05, 0.8)
        while not all(launcher.done for launcher in launchers):
            now = time.monotonic()
            if now > until:
                sys.exit(f"{root} does not come to an end; logs: {root}-a.log, {root}-b.log")
            if share > 0 and now >= next_kill:
                what = kill_one(chance, launchers)
                if what:
                    kills[what] += 1
                    share -= 1
                next_kill = now + chance.uniform(0.05, 0.8)
            for launcher in launchers:
                launcher.poll()
            time.sleep(0.01)
        starts += sum(launcher.starts for launcher in launchers)
        for launcher in launchers:
            launcher.log.close()
        check(root, quiet)
        if rounds > 0:
            shutil.rmtree(root)
        rounds += 1
        print(f"after {sum(kills.values())} kills: the same bytes", flush=True)
    print(
        f"{kills['launcher']} launchers and {kills['worker']} workers killed in {rounds} rounds with {starts}"
        f" starts{'' if prefix else ' (one host: no other name allowed)'}: every time the same bytes"
    )


def check(root, quiet):
    found = same.differences(quiet, root, "cluster")
    if found:
        sys.exit("\n".join(found[:20]))
    said = subprocess.run([ABLATE, "verify", "--root", root], capture_output=True, text=True, check=False)
    if said.returncode != 0:
        sys.exit(f"{root}: {said.stdout}{said.stderr}")
    left = [path for path in (root / "data/store").rglob("*") if ".corrupt" in path.name]
    if left:
        sys.exit(f"nothing was damaged, yet there is {left[0]}")


if __name__ == "__main__":
    main()
