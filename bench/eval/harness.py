"""Scores beside lm-evaluation-harness: the same model on the same items, likelihoods, scores and time.

    python3 -m venv venv && venv/bin/pip install lm_eval==0.4.13 torch transformers accelerate
    ablate data import piqa ARCHIVE      (and arc_easy, boolq, mmlu)
    venv/bin/python bench/eval/harness.py MODEL [--root DIR] [--limit N] [--rounds R] [--dtype float64] [TASK ...]

MODEL is a folder of Hugging Face; `bench/eval/models.py FOLDER` makes one of SmolLM2-135M,
FOLDER/smollm2-safetensors. The harness's own tasks are used on the documents that were imported, as in
`prompts.py`; WinoGrande is asked about made-up sentences. Ours is `ablate eval MODEL --benchmarks TASK
--output DIR`, and what is compared is read from the files that it writes: log-likelihoods of every option
(to 1e-3), whether they are what the model would say, `acc` and `acc_norm` of every task and group. The
two take turns, ours in a process of its own; the times are those of scoring (tokens and passes) without
loading. Ends with 1 if anything differs. The harness in float32 may itself be off by more than 1e-3 where
an option is long; with `--dtype float64` it says whose rounding it is.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_DATASETS_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")

import datasets
import torch
from lm_eval import evaluator, utils
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager
from prompts import TASKS, configuration, import_winogrande, records, upstream

# Log-likelihoods may be so far apart.
NEAR = 1e-3
SHOTS = {"mmlu": 5, "ceval": 5, "cmmlu": 5}


class Timed(HFLM):
    """The harness's model, with a watch."""

    seconds = 0.0

    def loglikelihood(self, requests, disable_tqdm=True):
        start = time.perf_counter()
        found = super().loglikelihood(requests, disable_tqdm=disable_tqdm)
        self.seconds += time.perf_counter() - start
        return found


def chosen(arguments, root, name):
    """What both are asked: items in our order, and the harness's documents by task."""
    command = [arguments.ablate, "--root", str(root), "data", "show", name, "-n", str(arguments.limit)]
    command += ["--scoring", "continuation", "--json"] + subjects(arguments, name)
    out = subprocess.run(command, check=True, capture_output=True, text=True, encoding="utf-8").stdout
    items, tasks = [], {}
    # Questions contain other ends of lines than that of JSON lines.
    for line in filter(None, out.split("\n")):
        item = json.loads(line)
        subject = item["item"]["form"].get("subject", "")
        documents = tasks.setdefault(item["task"], {}).setdefault("test", [])
        items.append((item["task"], len(documents)))
        documents.append(upstream(name, item["document"], subject))
    if name in SHOTS:
        for record in records(root, name):
            splits = tasks.get(TASKS[name](record["subject"]))
            if splits and record["split"] == "dev":
                splits.setdefault("dev", []).append(upstream(name, record["document"], record["subject"]))
    return items, tasks


def subjects(arguments, name):
    named = arguments.subject if name in SHOTS else []
    return [word for subject in named for word in ("--subject", subject)]


def ours(arguments, root, name, output):
    """What `ablate eval` says and writes."""
    command = [arguments.ablate, "--root", str(root), "eval", arguments.model, "--benchmarks", name]
    command += ["--scoring", "continuation", "--output", str(output), "--json"]
    command += (["--limit", str(arguments.limit)] if arguments.limit else []) + subjects(arguments, name)
    environment = os.environ | {"RAYON_NUM_THREADS": str(arguments.threads)}
    run = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", env=environment)
    if run.returncode:
        sys.exit(f"{' '.join(command)}: {run.stderr}")
    said = json.loads(run.stdout)
    results = json.loads(pathlib.Path(said["files"][0]).read_text(encoding="utf-8"))
    samples = {}
    for path in map(pathlib.Path, said["files"][1:]):
        if path.suffix == ".jsonl":
            task = path.name.removeprefix("samples_").rsplit("_", 1)[0]
            lines = path.read_text(encoding="utf-8").split("\n")
            samples[task] = [json.loads(line) for line in filter(None, lines)]
    return said["benchmarks"][0]["seconds"], results, samples


def theirs(model, manager, tasks, shots):
    """What the harness finds."""
    with tempfile.TemporaryDirectory() as folder:
        configs = []
        for task, splits in tasks.items():
            place = pathlib.Path(folder, task)
            place.mkdir()
            configs.append(configuration(manager, task, splits, shots, place) | {"task": task})
        model.seconds = 0.0
        found = evaluator.simple_evaluate(model=model, tasks=configs, task_manager=manager,
                                          bootstrap_iters=0, log_samples=True)
    return model.seconds, found["results"], found["samples"]


def differences(tasks, results, samples, their_results, their_samples):
    """The largest distance of two log-likelihoods, how many answers differ, and what scores differ."""
    apart, greedy, pairs, wrong = 0.0, 0, 0, []
    for task in tasks:
        expected = sorted(their_samples[task], key=lambda sample: sample["doc_id"])
        if len(expected) != len(samples[task]):
            wrong.append(f"{task}: {len(samples[task])} samples, not {len(expected)}")
        for left, right in zip(samples[task], expected):
            for (a, said), (b, would) in zip(left["filtered_resps"], right["filtered_resps"], strict=True):
                apart = max(apart, abs(float(a) - float(b)))
                greedy += (said == "True") != (str(would) == "True")
                pairs += 1
        for metric in ("acc,none", "acc_norm,none"):
            if metric in their_results[task] or metric == "acc,none":
                a, b = results["results"][task][metric], their_results[task][metric]
                if abs(a - b) > 1e-12:
                    wrong.append(f"{task} {metric}: {a}, not {b}")
    for group, scores in results.get("groups", {}).items():
        sizes = [len(their_samples[task]) for task in tasks]
        values = [their_results[task]["acc,none"] for task in tasks]
        mean = sum(size * value for size, value in zip(sizes, values)) / sum(sizes)
        if abs(scores["acc,none"] - mean) > 1e-12:
            wrong.append(f"{group} acc: {scores['acc,none']}, not {mean}")
    return apart, greedy, pairs, wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="a folder of Hugging Face")
    parser.add_argument("tasks", nargs="*", default=["piqa", "arc_easy", "boolq", "winogrande", "mmlu"])
    parser.add_argument("--ablate", default="target/release/ablate")
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path("."))
    parser.add_argument("--limit", type=int, default=0, help="items of each benchmark, evenly spread; 0 is all")
    parser.add_argument("--subject", action="append", default=[], help="only this subject of MMLU (repeated)")
    parser.add_argument("--rounds", type=int, default=2, help="turns of both")
    parser.add_argument("--batch-size", type=int, default=8, help="the harness's")
    parser.add_argument("--dtype", default="float32", help="the harness's; float64 to judge by")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    arguments = parser.parse_intermixed_args()
    datasets.disable_progress_bars()
    torch.set_num_threads(arguments.threads)
    manager = TaskManager()
    model = Timed(pretrained=arguments.model, device="cpu", dtype=arguments.dtype,
                  batch_size=arguments.batch_size)
    print(f"lm_eval {arguments.dtype}, batch size {arguments.batch_size}, {arguments.threads} threads,"
          f" torch {torch.__version__}\n")
    print("| task | items | options | apart | other answers | acc | ours, s | harness, s | ours, items/s "
          "| harness, items/s | ratio |\n|--|--|--|--|--|--|--|--|--|--|--|")
    failed = []
    for name in arguments.tasks:
        with tempfile.TemporaryDirectory() as scratch:
            scratch, root = pathlib.Path(scratch), arguments.root
            if name == "winogrande":
                root = scratch / "root"
                import_winogrande(arguments.ablate, root)
            items, tasks = chosen(arguments, root, name)
            times = []
            for _ in range(arguments.rounds):
                our_time, results, samples = ours(arguments, root, name, scratch / "out")
                their_time, their_results, their_samples = theirs(model, manager, tasks, SHOTS.get(name, 0))
                times.append((our_time, their_time))
                apart, greedy, pairs, wrong = differences(tasks, results, samples, their_results, their_samples)
                if apart > NEAR:
                    wrong.append(f"{name}: log-likelihoods are {apart} apart")
                failed += wrong
            # The harness's own reader takes the file.
            shown = utils.make_table(results, "groups" if results.get("groups") else "results")
            whole = name if results.get("groups") else next(iter(tasks))
            assert whole in shown, shown
        score = (results.get("groups") or results["results"])[whole]["acc,none"]
        ours_time, harness_time = (statistics.median(column) for column in zip(*times))
        ratio = statistics.median(b / a for a, b in times)
        print(f"| {name} | {len(items)} | {pairs} | {apart:.1e} | {greedy} | {score:.4f} | {ours_time:.2f} "
              f"| {harness_time:.2f} | {len(items) / ours_time:.2f} | {len(items) / harness_time:.2f} "
              f"| {ratio:.2f} |", flush=True)
    for line in failed:
        print(line)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
