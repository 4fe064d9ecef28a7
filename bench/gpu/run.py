"""Compares training steps of `ablate` and PyTorch on one GPU and writes bench/gpu/RESULTS.md.

    bench/setup.sh                           # once: the peer, in bench/.venv
    just setup-cuda                          # target/release/ablate-cuda
    just setup-tch --cuda                    # target/release/ablate-tch, if that is to be compared
    python3 bench/gpu/run.py                 # 125m and 1b, three rounds, A B A B
    python3 bench/gpu/run.py 125m --batch 4  # sequences of a step, where the memory is small

Both sides: bf16 products, f32 master weights, the same shapes and batches. Ours is the median of
single steps, each waited for; the peer's is the best of what it offers (compiled, flash attention),
waited for only every ten steps: in doubt for the peer. A program that is missing or fails leaves a
dash and its reason. The GPU must have nothing else to do.
"""

import argparse
import json
import pathlib
import sys
from statistics import median

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import measure
import shapes
import table
from measure import ROOT, Side, alternate, say


def ours(name, program, backend, size, options):
    tokens = (options.batch or size["batch"]) * size["context"]
    settings = ["train.precision=bf16", f"train.batch_tokens={tokens}"]
    settings += [f"train.micro_tokens={tokens}"]
    command = [program, "bench", options.shapes, "--variant", size["name"], "--backend", backend]
    command += ["--steps", options.steps, "--json"]
    for setting in settings:
        command += ["--set", setting]
    side = Side(name, command, {})
    if not program.exists():
        side.failed = f"there is no {measure.short(program)}"
    return side


def peer(size, options):
    command = [options.venv / "bin" / "python", HERE / "peer.py", size["name"]]
    command += ["--shapes", options.shapes, "--device", options.device]
    command += ["--batch", options.batch or size["batch"]]
    if options.device == "cpu":  # a trial without a GPU
        command += ["--steps", 1, "--blocks", 2, "--warmup", 1, "--eager"]
    return Side("PyTorch", command, {})


def step_rate(run):
    found = run["output"]
    if "variants" not in found:
        return found["tokens_per_second"]
    found = found["variants"][0]
    return found["tokens_per_step"] / median(found["step_seconds"])


def main():
    options = arguments()
    variants = {s["name"]: s for s in shapes.read(options.shapes)}
    rows, notes, runs = [], [], {}
    for name in options.variants:
        size = variants[name]
        say(f"{name}: {shapes.parameters(size) / 1e6:.0f} M parameters")
        sides = [
            ours("cuda", options.target / "ablate-cuda", options.ours or "cuda", size, options),
            ours("tch-cuda", options.target / "ablate-tch", "tch-cuda", size, options),
            peer(size, options),
        ]
        alternate(sides, options.rounds)
        theirs = sides[-1]
        for side in sides[:-1]:
            rates = {theirs.name: theirs.values(step_rate)}
            work = f"{name}, bf16, {side.name}"
            rows.append(table.row(work, "tokens/s", None, side.values(step_rate), rates))
        flops = shapes.flops_per_token(size)
        peak = next((r["output"].get("peak_flops_per_second") for r in theirs.runs), None)
        for side in sides:
            if side.failed:
                notes.append(f"{name}, {side.name}: {side.failed}")
            elif side.runs and peak:
                mfu = median(side.values(step_rate)) * flops / peak
                notes.append(f"{name}, {side.name}: MFU {mfu:.1%}")
            runs[f"{name} {side.name}"] = side.runs
    devices = {r["output"]["device"] for rs in runs.values() for r in rs if "device" in r["output"]}
    write(options, rows, notes, runs, ", ".join(sorted(devices)) or "unknown")


def write(options, rows, notes, runs, device):
    facts = measure.facts(str(options.venv / "bin" / "python")) | {"GPU": device}
    parts = [
        "# Results on a GPU\n\nWritten by `bench/gpu/run.py`. Medians over rounds; above 1 is faster"
        " than the peer. MFU: the model's operations (no recomputation counted) over the GPU's dense"
        " bf16 peak.",
        "\n".join(["| machine | |", "|---|---|", *(f"| {k} | {v} |" for k, v in facts.items() if v)]),
        table.markdown(["PyTorch"], rows),
        "\n".join(f"- {note}" for note in notes),
        f"Rounds: {options.rounds}.",
    ]
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "results.json").write_text(json.dumps(dict(facts=facts, runs=runs), indent=1) + "\n")
    (options.out / "RESULTS.md").write_text("\n\n".join(part for part in parts if part) + "\n")
    say(f"{measure.short(options.out / 'RESULTS.md')} is written")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("variants", nargs="*", default=["125m", "1b"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=30, help="timed steps of ours in a run")
    parser.add_argument("--batch", type=int, help="sequences of a step; the study's by default")
    parser.add_argument("--shapes", type=pathlib.Path, default=HERE / "shapes.toml")
    parser.add_argument("--target", type=pathlib.Path, default=ROOT / "target/release")
    parser.add_argument("--venv", type=pathlib.Path, default=HERE.parent / ".venv")
    parser.add_argument("--out", type=pathlib.Path, default=HERE)
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"], help="of the peer")
    parser.add_argument("--ours", help="another backend than cuda: a trial of this script")
    options = parser.parse_args()
    for path in ("shapes", "target", "venv", "out"):
        setattr(options, path, getattr(options, path).absolute())
    return options


if __name__ == "__main__":
    main()
