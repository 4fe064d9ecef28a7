"""Checks that the validation loss of every training of a report falls: python learns.py REPORT"""

import sys
from collections import defaultdict
from pathlib import Path

import pyarrow.parquet as pq

curves = defaultdict(dict)
for row in pq.read_table(Path(sys.argv[1]) / "curves.parquet").to_pylist():
    if row["split"] == "validation":
        curves[row["variant"], row["seed"], row["language"]][row["step"]] = row["bits_per_byte"]

assert curves, "no validation curves"
for name, points in sorted(curves.items()):
    first, last = points[min(points)], points[max(points)]
    print(f"{' '.join(map(str, name))}: {first:.3f} -> {last:.3f} bits per byte")
    assert last < 0.8 * first, f"{name} has not learnt"
assert len({language for _, _, language in curves}) == 2, "two languages were asked for"
