"""Runs programs in turn and measures them from outside; says what machine this is."""

import ctypes
import datetime
import json
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent


class Side:
    """One of the programs that are compared: a command that prints JSON, and its runs so far."""

    def __init__(self, name, command, environment=None, stdin=None):
        self.name = name
        self.command = [str(part) for part in command]
        self.environment = environment or {}
        self.stdin = stdin
        self.runs = []
        self.failed = None

    def values(self, of):
        """What `of` makes of every run, or nothing if the program failed or did not say."""
        if self.failed:
            return []
        try:
            return [of(run) for run in self.runs]
        except (KeyError, IndexError, TypeError) as error:
            self.failed = f"its JSON lacks {error}"
            return []


def alternate(sides, rounds):
    """A B A B ...: every program once in every round. One that fails is not tried again."""
    for number in range(1, rounds + 1):
        for side in sides:
            if side.failed:
                continue
            busy = busy_share(0.5)
            say(f"  round {number} of {rounds}: {side.name}")
            try:
                side.runs.append(run(side) | {"busy_before": busy})
            except Failed as failure:
                side.failed = str(failure)
                say(f"    {side.failed}")


class Failed(Exception):
    """Why a program gave no numbers."""


def run(side):
    """Output, wall time and peak memory of one run of a program, its children included."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as error:
        stdin = subprocess.PIPE if side.stdin else subprocess.DEVNULL
        start = time.perf_counter()
        try:
            process = subprocess.Popen(
                side.command,
                cwd=ROOT,
                env=os.environ | side.environment,
                stdin=stdin,
                stdout=out,
                stderr=error,
            )
        except OSError as problem:
            raise Failed(f"cannot run `{short(side.command[0])}`: {problem.strerror}") from None
        try:
            if side.stdin:
                process.stdin.write(side.stdin.encode())
                process.stdin.close()
            # The kernel's own account: the same ruler for every program.
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            raise
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        error.seek(0)
        text, complaint = out.read().decode(), error.read().decode(errors="replace")
    if process.returncode:
        last = (complaint.strip().splitlines() or ["nothing on standard error"])[-1]
        raise Failed(f"exit code {process.returncode}: {last[:200].replace(f'{ROOT}/', '')}")
    unit = 1 if platform.system() == "Darwin" else 1024
    return dict(output=parse(text), wall_seconds=wall, peak_memory_bytes=usage.ru_maxrss * unit)


def parse(text):
    """The JSON object that the output is, or that its last line is."""
    for candidate in (text, (text.strip().splitlines() or [""])[-1]):
        try:
            found = json.loads(candidate)
        except ValueError:
            continue
        if isinstance(found, dict):
            return found
    raise Failed("printed no JSON")


def malloc_environment():
    """glibc's allocator set as `ablate` sets its own: freed memory is kept, huge pages are asked for
    (which glibc can since 2.35). Empty elsewhere."""
    try:
        accepted = ctypes.CDLL(None).mallopt(-3, 1 << 30)  # M_MMAP_THRESHOLD
    except AttributeError:
        return {}
    threshold, trim, pad = (1 << 30 if accepted else 32 << 20), 2**31 - 1, 64 << 20
    return {
        "MALLOC_MMAP_THRESHOLD_": str(threshold),
        "MALLOC_TRIM_THRESHOLD_": str(trim),
        "MALLOC_TOP_PAD_": str(pad),
        "GLIBC_TUNABLES": f"glibc.malloc.mmap_threshold={threshold}"
        f":glibc.malloc.trim_threshold={trim}:glibc.malloc.top_pad={pad}:glibc.malloc.hugetlb=1",
    }


def thread_environment(threads):
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")
    return {name: str(threads) for name in names}


def busy_share(seconds):
    """How busy the processors are while this program sleeps, 0 to 1; None if nobody knows."""

    def ticks():
        with open("/proc/stat") as file:
            numbers = [int(n) for n in file.readline().split()[1:9]]
        return sum(numbers), numbers[3] + numbers[4]  # idle and waiting for the disk

    try:
        before = ticks()
        time.sleep(seconds)
        after = ticks()
    except OSError:
        return None
    total, idle = after[0] - before[0], after[1] - before[1]
    return 1 - idle / total if total else 0.0


def facts(python):
    """The machine and the versions, as rows of a table."""
    cpu, flags = platform.processor() or platform.machine(), ""
    try:
        info = dict(
            (part.strip() for part in line.split(":", 1))
            for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
            if ":" in line
        )
        cpu = f"{info['model name']} (family {info['cpu family']}, model {info['model']})"
        wanted = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")
        flags = ", ".join(flag for flag in wanted if flag in info["flags"].split())
    except (OSError, KeyError):
        pass
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    versions = (
        "import sys, torch, transformers, tokenizers; print('Python', sys.version.split()[0] + ',',"
        "*(f'{m.__name__} {m.__version__},' for m in (torch, transformers, tokenizers)))"
    )
    return {
        "CPU": cpu,
        "instructions": flags,
        "cores": str(
            len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        ),
        "memory": f"{memory / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}, {' '.join(platform.libc_ver())}",
        "peers": text_of([python, "-c", versions]).rstrip(","),
        "commit": commit(),
        "date": datetime.date.today().isoformat(),
    }


def commit():
    name = text_of(["git", "rev-parse", "--short", "HEAD"]) or "unknown"
    changed = text_of(["git", "status", "--porcelain", "--", "crates", "Cargo.toml", "Cargo.lock"])
    return name + (", with changes that are not committed" if changed else "")


def text_of(command):
    """What a program prints, or nothing if it fails."""
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def short(path):
    """A path as seen from the project."""
    path = pathlib.Path(path)
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else path.name


def say(text):
    print(text, file=sys.stderr, flush=True)
