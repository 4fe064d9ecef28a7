"""Compares prompts with lm-evaluation-harness: its requests against those of `ablate data show`.

    python3 -m venv venv && venv/bin/pip install lm_eval==0.4.13
    ablate data import piqa ARCHIVE      (and arc_easy, arc_challenge, boolq, mmlu, ceval, cmmlu)
    venv/bin/python bench/eval/prompts.py --ablate target/release/ablate [--root DIR]
        [--tokenizer tokenizer.json] [TASK ...]

The harness's own task files are used; only their data sets are replaced by the documents that were
imported, in the columns that its data sets have. With `--tokenizer`, token ids of context and
continuation are compared as well, split as the harness splits them. WinoGrande is asked about made-up
sentences, since its files need not be there. Ends with 1 if anything differs.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import datasets
from lm_eval.api.task import ConfigurableTask
from lm_eval.tasks import TaskManager
from lm_eval.tasks._yaml_loader import load_yaml


def upstream(name, document, subject):
    """A document in the columns of the harness's data set."""
    if name in ("arc_easy", "arc_challenge"):
        question = document["question"]
        choices = question["choices"]
        return {
            "id": document["id"],
            "question": question["stem"],
            "choices": {
                "text": [choice["text"] for choice in choices],
                "label": [choice["label"] for choice in choices],
            },
            "answerKey": document["answerKey"],
        }
    if name == "boolq":
        label = {"false": 0, "true": 1}[str(document["label"]).lower()]
        return document | {"label": label}
    if name == "mmlu":
        return {
            "question": document["question"],
            "subject": subject,
            "choices": [document[letter] for letter in "ABCD"],
            "answer": "ABCD".index(document["answer"]),
        }
    return document


TASKS = {
    "piqa": lambda subject: "piqa",
    "arc_easy": lambda subject: "arc_easy",
    "arc_challenge": lambda subject: "arc_challenge",
    "boolq": lambda subject: "boolq",
    "winogrande": lambda subject: "winogrande",
    "mmlu": lambda subject: f"mmlu_{subject}",
    "ceval": lambda subject: f"ceval-valid_{subject}",
    "cmmlu": lambda subject: f"cmmlu_{subject}",
}
SENTENCES = [
    ("The trophy did not fit into the case because _ was too large. ", "the trophy", "the case"),
    ("Ann lent Eve her coat, as _ was cold.", "Ann", "Eve"),
    ("_ was late, so nobody waited for Bob.", "The train", "Bob"),
    ("The _, said the guard, is closed  today", "gate", "door"),
] + [
    (sentence.format(a=a, b=b), a, b)
    for a, b in [("Maria", "Emily"), ("Dennis", "Kevin"), ("Rachel", "Laura")]
    for sentence in [
        "{a} was a much better cook than {b}, so _ was asked to make dinner.",
        "{a} asked {b} for advice because _ had been there before.",
        "{a} gave {b} a warm blanket, since _ was shivering.",
        "{a} could not hear what {b} said because _ was talking too quietly.",
        "{a} paid for {b} because _ had forgotten the money at home.",
        "{a} forgave {b} after _ had said sorry many times.",
    ]
]


def records(root, name):
    path = root / "data" / "imported" / name / "records.jsonl"
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def shown(arguments, root, name, shots):
    command = [arguments.ablate, "--root", str(root), "data", "show", name, "-n", "0", "--json"]
    command += ["--scoring", "continuation"] + ([] if shots is None else ["--shots", str(shots)])
    out = subprocess.run(command, check=True, capture_output=True, text=True, encoding="utf-8").stdout
    found = {}
    # Questions contain other ends of lines than that of JSON lines.
    for line in filter(None, out.split("\n")):
        item = json.loads(line)
        found.setdefault(item["task"], []).append(item)
    return found


def configuration(manager, task, splits, shots, folder):
    """The harness's configuration of a task, with its documents replaced by those in `folder`."""
    files = {}
    # Splits of one data set have the same columns; C-Eval explains its examples only.
    columns = set.intersection(*(set(document) for documents in splits.values() for document in documents))
    for split, documents in splits.items():
        documents = [{key: document[key] for key in document if key in columns} for document in documents]
        path = pathlib.Path(folder, f"{split}.jsonl")
        lines = (json.dumps(document, ensure_ascii=False) + "\n" for document in documents)
        path.write_text("".join(lines), encoding="utf-8")
        files[split] = str(path)
    config = load_yaml(manager.task_index[task].yaml_path, resolve_func=True)
    config |= {
        "dataset_path": "json",
        "dataset_name": None,
        "dataset_kwargs": {"data_files": files, "cache_dir": str(folder)},
        "num_fewshot": shots,
        "training_split": None,
        "validation_split": None,
        "test_split": "test",
        "fewshot_split": "dev" if "dev" in splits else None,
    }
    # A list of names of groups is not for one task.
    config.pop("tag", None)
    return config


def harness(manager, task, splits, shots):
    """The harness's requests for one task, with its documents replaced."""
    with tempfile.TemporaryDirectory() as folder:
        found = ConfigurableTask(config=configuration(manager, task, splits, shots, folder))
        found.build_all_requests()
        requests = {}
        for instance in found.instances:
            requests.setdefault(instance.doc_id, []).append(list(instance.args))
        return [requests[index] for index in sorted(requests)]


def import_winogrande(ablate, root):
    """Made-up sentences, imported below `root`."""
    folder = root / "winogrande"
    folder.mkdir(parents=True)
    lines = [
        {"qID": str(i), "sentence": s, "option1": a, "option2": b, "answer": str(1 + i % 2)}
        for i, (s, a, b) in enumerate(SENTENCES)
    ]
    (folder / "dev.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    command = [ablate, "--root", str(root), "data", "import", "winogrande", str(folder)]
    subprocess.run(command, check=True, capture_output=True)


def encoded(tokenizer, context, continuation):
    """Context and continuation as the harness splits them, without tokens that it adds."""
    spaces = len(context) - len(context.rstrip())
    if spaces:
        continuation = context[-spaces:] + continuation
        context = context[:-spaces]
    whole = tokenizer.encode(context + continuation, add_special_tokens=False).ids
    length = len(tokenizer.encode(context, add_special_tokens=False).ids)
    return whole[:length], whole[length:]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tasks", nargs="*", default=list(TASKS))
    parser.add_argument("--ablate", default="target/release/ablate")
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path("."))
    parser.add_argument("--tokenizer")
    arguments = parser.parse_args()
    tokenizer = None
    if arguments.tokenizer:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(arguments.tokenizer)
    datasets.disable_progress_bars()
    manager = TaskManager()
    wrong = 0
    print(f"{'benchmark':<14} {'shots':>5} {'tasks':>5} {'items':>6} {'requests':>8} {'equal':>8} {'tokens':>11}")
    for name in arguments.tasks:
        root = arguments.root
        shots = 5 if name in ("mmlu", "ceval", "cmmlu") else 0
        if name == "winogrande":
            root = pathlib.Path(tempfile.mkdtemp())
            import_winogrande(arguments.ablate, root)
        by_task = {}
        scored = {"piqa": "dev", "boolq": "dev", "winogrande": "dev", "ceval": "val"}.get(name, "test")
        for record in records(root, name):
            subject = record.get("subject", "")
            splits = by_task.setdefault(TASKS[name](subject), {})
            if record["split"] == scored:
                split = "test"
            elif shots and record["split"] == "dev":
                split = "dev"
            else:
                continue
            splits.setdefault(split, []).append(upstream(name, record["document"], subject))
        ours = shown(arguments, root, name, None)
        items = requests = equal = tokens = 0
        for task, splits in by_task.items():
            expected = harness(manager, task, splits, shots)
            found = ours.get(task, [])
            if len(expected) != len(found):
                print(f"{task}: {len(found)} items, not {len(expected)}")
                wrong += 1
            for theirs, item in zip(expected, found):
                items += 1
                requests += len(theirs)
                same = theirs == item["requests"]
                equal += len(theirs) if same else 0
                if not same:
                    wrong += 1
                    if wrong < 4:
                        print(f"{task} {item['id']}:\n  {theirs}\n  {item['requests']}")
                if tokenizer:
                    for left, right in zip(theirs, item["requests"]):
                        left, right = encoded(tokenizer, *left), encoded(tokenizer, *right)
                        tokens += len(left[0]) + len(left[1]) if left == right else 0
        print(f"{name:<14} {shots:>5} {len(by_task):>5} {items:>6} {requests:>8} {equal:>8} {tokens:>11}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
