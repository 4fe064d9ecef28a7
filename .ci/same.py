"""Whether two roots hold the same results of a study, byte for byte.

    same.py ROOT ROOT REPORT

Compared are all files of all results but records (they hold times) and metrics (they hold speeds; the
curves are among the tables), and all tables of the report and what their cells come from, but for wall
times and hosts.
"""

import csv
import re
import sys
from pathlib import Path

# Columns of the table of costs that hold wall times and speeds.
TIMES = re.compile("second|time|/s|speed|hour", re.IGNORECASE)


def results(root):
    """Bytes by place, of every finished result."""
    found = {}
    for record in sorted((root / "data/store").glob("*/*/.artifact.json")):
        folder = record.parent
        if ".partial" in folder.name or ".corrupt" in folder.name or folder.name.startswith("."):
            continue
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.name not in (".artifact.json", "metrics.jsonl"):
                found[str(path.relative_to(root))] = path.read_bytes()
    return found


def tables(root, report):
    """Text by place, of every table."""
    folder = root / "reports" / report / "tables"
    found = {}
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.name.startswith("cost."):
            continue
        found[path.name] = path.read_bytes()
        if path.name.endswith(".provenance.json"):
            # Which of several hosts made a result is luck.
            found[path.name] = re.sub(rb'"host":"[^"]*"', b"", found[path.name])
    # The cost of a run has its wall time; the rest of that table must be the same as well.
    with (folder / "cost.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    found["cost.csv"] = [
        {name: value for name, value in row.items() if not TIMES.search(name)} for row in rows
    ]
    return found


def differences(one, two, report):
    """What differs, in words."""
    words = []
    for what, of in (("result", results), ("table", lambda root: tables(root, report))):
        left, right = of(one), of(two)
        if not left:
            words.append(f"no {what} in {one}")
        for name in sorted(left.keys() | right.keys()):
            if name not in left or name not in right:
                words.append(f"{what} {name} is only in {one if name in left else two}")
            elif left[name] != right[name]:
                words.append(f"{what} {name} differs")
    return words


def main():
    one, two, report = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    found = differences(one, two, report)
    for words in found[:20]:
        print(words, file=sys.stderr)
    if found:
        sys.exit(f"{one} and {two} differ")
    print(f"{two}: {len(results(two))} files of results and {len(tables(two, report))} tables, the same bytes")


if __name__ == "__main__":
    main()
