"""Compares `ablate` with its Python peers and writes bench/RESULTS.md and bench/results.json.

    bench/setup.sh                                # once: the peers, in bench/.venv
    cargo build --release --workspace --examples --bins
    python3 bench/run.py                          # everything: some 90 minutes on two cores
    python3 bench/run.py --only train,decode      # kinds: train memory peak decode tokenizer sweep
    python3 bench/run.py --only train --precision f32 --eager --rounds 1 --steps 4 \\
        --out bench/scratch/quick                 # a first look in some three minutes

The programs that are compared run in turn, A B A B, in `--rounds` rounds. What is not there, or
fails, is said in the table; no number is made up for it. Kinds that are not run keep their last
results. Needs Python 3.11 and nothing else; the peers run in their own environment.
"""

import argparse
import json
import pathlib
import sys
from statistics import median

import measure
import shapes
import table
import text
from measure import HERE, ROOT, Side, alternate, say

SCRATCH = HERE / "scratch"
# Of a step's shape: how many steps are timed in a run, so that a run takes some ten seconds.
STEPS = {"1m": 60, "7m": 12, "33m": 8}
# Above this share of other work, results are worth nothing: libgomp's threads spin while they wait
# for each other, and PyTorch is hurt far more than we are.
QUIET = 0.1


class Bench:
    """What the kinds of work have in common: programs, threads, environments."""

    def __init__(self, options):
        self.options = options
        self.ablate = options.ablate
        self.examples = self.ablate.parent / "examples"
        self.python = options.venv / "bin" / "python"
        self.threads = ["--threads", options.threads]
        self.malloc = measure.malloc_environment()
        self.environment = self.malloc | measure.thread_environment(options.threads)
        self.environment["TORCHINDUCTOR_CACHE_DIR"] = str(SCRATCH / "inductor")
        self.variants = {s["name"]: s for s in shapes.read(HERE / "shapes.toml")}
        self.help = measure.text_of([self.ablate, "bench", "--help"]).split()

    def steps(self, variant):
        return self.options.steps or STEPS[variant]

    def ours(self, name, arguments, environment=None, program=None):
        environment = self.environment if environment is None else environment
        side = Side(name, [program or self.ablate, *arguments], environment)
        # Without an `ablate`, running it says so.
        lacking = [a for a in arguments if str(a).startswith("--") and a not in self.help]
        if self.help and lacking:
            side.failed = f"`ablate bench` has no `{lacking[0]}` yet"
        return side

    def example(self, name, program, arguments):
        return Side(name, [self.examples / program, *arguments], self.environment)

    def peer(self, name, script, arguments, environment=None, stdin=None):
        environment = self.environment if environment is None else environment
        command = [self.python, HERE / "peers" / script, *arguments]
        return Side(name, command, environment, stdin)

    def our_step(self, name, variant, *more, steps=None, program=None):
        """Training steps of a variant of shapes.toml, ours: each thread has a part of the batch."""
        where = ["bench", HERE / "shapes.toml", "--variant", variant]
        count = ["--steps", steps or self.steps(variant)]
        size, threads = self.variants[variant], self.options.threads
        portion = max(size["batch"] // threads, 1) * size["context"]
        divided = ["--devices", threads, "--set", f"train.micro_tokens={portion}"]
        arguments = [*where, *self.threads, *divided, *count, "--json", *more]
        return self.ours(name, arguments, program=program)

    def peer_step(self, name, variant, *more, steps=None, environment=None):
        """The same of PyTorch."""
        sizes = [
            part
            for key, n in self.variants[variant].items()
            if key != "name"
            for part in (f"--{key}", n)
        ]
        count = ["--steps", steps or self.steps(variant)]
        return self.peer(name, "train.py", [*sizes, *self.threads, *count, *more], environment)

    def run(self, sides):
        alternate(sides, self.options.rounds)


def step_rate(run):
    """Tokens/s at the median step, by the same arithmetic for both sides."""
    found = run["output"]
    found = found["variants"][0] if "variants" in found else found
    return found["tokens_per_step"] / median(found["step_seconds"])


def each(sides, of):
    return {side.name: side.values(of) for side in sides}


def same_model(sides, expected):
    """A side whose model, batch or precision is another one is no comparison."""
    for side in sides:
        for run in side.runs:
            found = run["output"]
            found = found.get("variants", [found])[0]
            for key, value in expected.items():
                if found.get(key) != value and not side.failed:
                    side.failed = f"another model: {key} is {found.get(key)}, not {value}"


def expected(variant, precision="f32"):
    return dict(
        parameters=shapes.parameters(variant),
        tokens_per_step=variant["batch"] * variant["context"],
        precision=precision,
    )


# The kinds of work. Each gives title, explanation, columns, rows, and the sides that ran.


def train(bench):
    rows, ran = [], []
    plan = [
        # variant, precision, bar of flex, bar of tch (None: not asked for)
        ("1m", "f32", 1.5, None),
        ("7m", "f32", 1.25, 1.15),
        ("33m", "f32", 1.1, None),
        ("7m", "bf16", 1.0, 1.1),
        ("33m", "bf16", 1.0, 1.1),
    ]
    for variant, precision, flex_bar, tch_bar in plan:
        if precision not in bench.options.precision or variant not in bench.options.variants:
            continue
        say(f"train: {variant} {precision}")
        ours = ["--set", "train.precision=bf16"] if precision == "bf16" else []
        theirs = ["--bf16"] if precision == "bf16" else []
        flex = bench.our_step("flex", variant, *ours)
        with_tch = bench.ablate.with_name("ablate-tch")
        tch = bench.our_step("tch", variant, *ours, "--backend", "tch", program=with_tch)
        if not with_tch.exists():
            tch.failed = f"there is no {with_tch.name} beside {bench.ablate.name}: just setup-tch"
        eager = bench.peer_step("eager", variant, *theirs)
        compiled = bench.peer_step("compiled", variant, *theirs, "--compile")
        if bench.options.eager:
            compiled.failed = "left out by --eager"
        sides = [flex, *([tch] if tch_bar else []), eager, compiled]
        bench.run(sides)
        size = bench.variants[variant]
        same_model(sides, expected(size, precision))
        peers = each((eager, compiled), step_rate)
        millions = shapes.parameters(size) / 1e6
        for side, bar in ((flex, flex_bar), (tch, tch_bar)):
            if bar:
                work = f"{millions:.1f} M, {precision}, {side.name}"
                rows.append(table.row(work, "tokens/s", bar, side.values(step_rate), peers))
        for side in sides:
            side.name = f"{variant} {precision} {side.name}"
        ran += sides
    about = (
        "A step is batch, forward, backward, clipping and AdamW; tokens/s are those of the median"
        " step of a run. Ours divides a batch among the threads (`--devices`). Compilation is in the"
        " warm-up, which is not counted. bf16 is matrix products in bf16 with f32 master weights,"
        " against autocast."
    )
    compile_times = [
        run["output"]["warmup_seconds"][0] for s in ran if "compiled" in s.name for run in s.runs
    ]
    notes = []
    if compile_times:
        notes.append(
            f"torch.compile took up to {max(compile_times):.0f} s before the first step was done"
            " (less where its cache in `bench/scratch` already knew the model)."
        )
    return "Training step", about, ["eager", "compiled"], rows, ran, notes


def memory(bench):
    say("memory: 7m")
    flex = bench.our_step("flex", "7m", steps=3)
    default = {key: v for key, v in bench.environment.items() if key not in bench.malloc}
    peers = [
        bench.peer_step("eager", "7m", steps=3),
        bench.peer_step("eager, default malloc", "7m", steps=3, environment=default),
        bench.peer_step("compiled", "7m", "--compile", steps=3),
    ]
    bench.run([flex, *peers])
    same_model([flex, *peers], expected(bench.variants["7m"]))
    whole = lambda run: run["peak_memory_bytes"] / 1e6
    # Of the peers, without what the interpreter and its libraries take before there is a model.
    above = lambda run: (
        (run["output"]["peak_memory_bytes"] - run["output"]["memory_before_bytes"]) / 1e6
    )
    ours = flex.values(whole)
    rows = [
        table.row("6.8 M step, f32, flex", "MB", 0.5, ours, each(peers, whole)),
        table.row(
            "the same, Python's libraries not counted",
            "MB",
            None,
            ours,
            each(peers, above),
        ),
    ]
    about = (
        "Peak resident memory of the whole process, as the kernel counts it. The peer also runs"
        " with malloc's defaults, which keep less; the smallest of the three counts. The second row"
        " takes off what the peer had before the model was made, from the peer's only."
    )
    return "Memory", about, [s.name for s in peers], rows, [flex, *peers], []


def peak(bench):
    say("peak: 33m")
    size = bench.variants["33m"]
    sides = [
        step := bench.our_step("flex", "33m"),
        eager := bench.peer_step("eager", "33m"),
        registers := bench.example("multiply-adds", "peak", [bench.options.threads]),
        torch := bench.peer("torch.mm", "peak.py", bench.threads),
    ]
    bench.run(sides)
    same_model([step, eager], expected(size))
    rate = lambda run: step_rate(run) * shapes.flops_per_token(size) / 1e9
    product = lambda run: run["output"]["f32_flops_per_second"] / 1e9
    for side in (registers, torch):
        if side.runs and side.runs[0]["output"].get("threads") != bench.options.threads:
            side.failed = "measured with another number of threads"
    peaks = each((registers, torch), product)
    rows = [
        table.row("33.7 M step, f32, flex", "GFLOP/s", 0.7, step.values(rate), peaks),
        table.row("the same, PyTorch eager", "GFLOP/s", None, eager.values(rate), peaks),
    ]
    about = (
        "How much of the machine's f32 matrix-product rate a training step comes to. The rate is"
        " the larger of what the cores do with multiply-adds on registers alone, which no product"
        " can pass, and of PyTorch's on large square matrices. Operations of a step are counted as"
        " `ablate plan` counts them. In the second row the column `ablate` holds PyTorch's step."
    )
    return "Share of the machine", about, [registers.name, torch.name], rows, sides, []


def decode(bench):
    say("decode")
    size = bench.variants["7m"]
    shape = ",".join(str(size[key]) for key in ("width", "depth", "heads", "ffn", "vocabulary"))
    arguments = ["--batch", 20, "--prompt", 2, "--new", 510, *bench.threads, "--shape", shape]
    ours = bench.example("ablate", "decode", arguments)
    peers = [
        bench.peer("generate", "decode.py", arguments),
        bench.peer("static cache, compiled", "decode.py", [*arguments, "--compile"]),
    ]
    bench.run([ours, *peers])
    rate = lambda run: run["output"]["tokens_per_second"]
    peer_rates = each(peers, rate)
    row = table.row(
        "6.8 M, batch 20, 2 + 510 tokens", "tokens/s", 2.0, ours.values(rate), peer_rates
    )
    about = "Greedy decoding with a key-value cache, f32, against `transformers`' LlamaForCausalLM."
    return "Decoding", about, [s.name for s in peers], [row], [ours, *peers], []


def tokenizer(bench):
    say("tokenizer")
    options = bench.options
    if options.text:
        files = text.own([pathlib.Path(path) for path in options.text], options.text_bytes)
        names = ", ".join(pathlib.Path(path).name for path in options.text)
        source = f"{names}, repeated where they are shorter"
    else:
        files = text.storyworld(bench.ablate)
        source = "storyworld, English and Chinese"
    size = sum(file.stat().st_size for file in files)
    # The peer's tokenizer, so that both encode with the same one.
    made = SCRATCH / "tokenizer.json"
    arguments = [*files, "--vocabulary", options.vocabulary, *bench.threads]
    training = [
        bench.example("ablate, training", "throughput", ["train", *arguments]),
        bench.peer("tokenizers, training", "bpe.py", ["train", *arguments, "--save", made]),
    ]
    arguments = [*files, "--load", made, *bench.threads]
    encoding = [
        bench.example("ablate, encoding", "throughput", ["encode", *arguments]),
        bench.peer("tokenizers, encode_batch", "bpe.py", ["encode", *arguments]),
        bench.peer("tokenizers, encode_batch_fast", "bpe.py", ["encode", *arguments, "--fast"]),
    ]
    if files:
        bench.run(training)
        bench.run(encoding)
    else:
        for side in training + encoding:
            side.failed = "no text: `ablate run bench/text.toml` left none"
    columns = ["tokenizers", "without offsets"]
    rate = lambda run: size / 1e6 / run["output"]["seconds"]
    rows = []
    for work, bar, (ours, *peers) in (
        ("BPE training", 1.0, training),
        ("encoding", 1.5, encoding),
    ):
        rates = {column: peer.values(rate) for column, peer in zip(columns, peers, strict=False)}
        rows.append(table.row(work, "MB/s", bar, ours.values(rate), rates))
    notes = []
    counts = {s.name: s.runs[0]["output"].get("tokens") for s in encoding if s.runs}
    if len(set(counts.values()) - {None}) > 1:
        notes.append(f"the tokens differ: {counts}")
    about = (
        f"Byte-level BPE with {options.vocabulary:,} pieces, the same pattern and limits on"
        f" both sides; {size / 1e6:.0f} MB of {source}. The peer's time is that of the calls alone,"
        " without taking the ids out; `tokenizers` encodes with `encode_batch`, the next column"
        " with `encode_batch_fast`."
    )
    return "Tokenizer", about, columns, rows, training + encoding, notes


def sweep(bench):
    say("sweep")
    variants = shapes.read(HERE / "sweep.toml")
    steps = ["--steps", bench.options.sweep_steps]
    ours = bench.ours(
        "ablate",
        ["bench", HERE / "sweep.toml", "--threads", 1, *steps, "--json"],
        bench.malloc,
    )
    listed = json.dumps(variants)
    loop = bench.peer("a loop", "sweep.py", ["--jobs", 1, *bench.threads, *steps], stdin=listed)
    pairs = bench.peer(
        "two at a time", "sweep.py", ["--jobs", 2, "--threads", 1, *steps], bench.malloc, listed
    )
    bench.run([ours, loop, pairs])
    models = sorted(map(shapes.parameters, variants))
    parameters = lambda run: run["output"]["parameters"]
    trained = lambda run: [v["parameters"] for v in run["output"]["variants"]]
    for side, of in ((ours, trained), (loop, parameters), (pairs, parameters)):
        if any(sorted(found) != models for found in side.values(of)):
            side.failed = "other models than those of sweep.toml"
    wall = lambda run: run["wall_seconds"]
    steps_only = lambda run: (
        run["wall_seconds"] - run["output"]["start_seconds"] / run["output"]["jobs"]
    )
    rows = [
        table.row(
            "12 variants",
            "s",
            1.3,
            ours.values(wall),
            each((loop, pairs), wall),
        ),
        table.row(
            "the same, Python's starts not counted",
            "s",
            None,
            ours.values(wall),
            each((loop, pairs), steps_only),
        ),
    ]
    low, high = (f(shapes.parameters(v) for v in variants) / 1e6 for f in (min, max))
    about = (
        f"Wall time of {len(variants)} variants of {low:.1f} to {high:.1f} M parameters,"
        f" {bench.options.sweep_steps} steps each (`ablate`: and two before them), from start to"
        " end of the whole command. `ablate` trains them side by side, a thread each. The peer is a"
        " Python process for every variant, one after the other with all threads, or two at a time"
        " with one thread each, eager (to compile a variant takes longer than its training here)."
        " The second row takes off the peer's imports and the making of its models."
    )
    return "Sweep", about, [loop.name, pairs.name], rows, [ours, loop, pairs], []


KINDS = dict(train=train, memory=memory, peak=peak, decode=decode, tokenizer=tokenizer, sweep=sweep)


def main():
    options = arguments()
    bench = Bench(options)
    if not bench.python.exists():
        sys.exit("there are no peers: run bench/setup.sh first")
    busy = measure.busy_share(2)
    if busy is not None and busy > QUIET and not options.busy:
        sys.exit(f"other programs take {busy:.0%} of this machine: wait, or say --busy")
    options.out.mkdir(parents=True, exist_ok=True)
    file, page = options.out / "results.json", options.out / "RESULTS.md"
    results = json.loads(file.read_text()) if file.exists() else dict(kinds={})
    results["facts"] = facts = measure.facts(str(bench.python))
    for name in options.only:
        title, about, columns, rows, sides, notes = KINDS[name](bench)
        notes += [f"{side.name}: {side.failed}" for side in sides if side.failed]
        shares = [run["busy_before"] or 0 for side in sides for run in side.runs]
        if shares and max(shares) > QUIET:
            share = f"{max(shares):.0%}"
            notes.append(
                f"**not to be relied on**: other programs took up to {share} of the machine"
            )
            for row in rows:
                row["met"] = None
        results["kinds"][name] = dict(
            title=title,
            about=about,
            columns=columns,
            rows=rows,
            notes=notes,
            rounds=options.rounds,
            threads=options.threads,
            when=f"{facts['date']}, commit {facts['commit']}, {facts['CPU']}",
            runs={side.name: side.runs for side in sides},
        )
        # After every kind: an interrupted run keeps what it has.
        results["kinds"] = {k: results["kinds"][k] for k in KINDS if k in results["kinds"]}
        file.write_text(json.dumps(results, indent=1) + "\n")
        page.write_text(table.page(results))
    say(f"{measure.short(page)} is written")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("ablate", nargs="?", default=ROOT / "target/release/ablate")
    parser.add_argument("--venv", default=HERE / ".venv")
    parser.add_argument("--only", default=",".join(KINDS), help="kinds, separated by commas")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, help="timed steps of a run, whatever the shape")
    parser.add_argument("--precision", default="f32,bf16", help="of train, separated by commas")
    parser.add_argument("--variants", default=",".join(STEPS), help="of train, of shapes.toml")
    parser.add_argument("--eager", action="store_true", help="train without compiled peers")
    parser.add_argument("--sweep-steps", type=int, default=60)
    parser.add_argument(
        "--vocabulary", type=int, default=4096, help="of the tokenizer's comparison"
    )
    parser.add_argument("--text", nargs="+", help="for it: txt or txt.gz, a document a line")
    parser.add_argument("--text-bytes", type=int, default=100_000_000)
    parser.add_argument("--out", type=pathlib.Path, default=HERE, help="folder of the results")
    parser.add_argument("--busy", action="store_true", help="go on although other programs run")
    options = parser.parse_args()
    options.only = options.only.split(",")
    options.precision = options.precision.split(",")
    options.variants = options.variants.split(",")
    if unknown := set(options.variants) - set(STEPS):
        parser.error(f"no such variant: {', '.join(unknown)}; there are {', '.join(STEPS)}")
    if unknown := set(options.only) - set(KINDS):
        parser.error(f"no such kind: {', '.join(unknown)}; there are {', '.join(KINDS)}")
    options.ablate = pathlib.Path(options.ablate).absolute()
    options.out = options.out.absolute()
    options.venv = pathlib.Path(options.venv).absolute()
    return options


if __name__ == "__main__":
    main()
