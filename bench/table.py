"""Ratios, and the tables of RESULTS.md. Pure: measurements in, text out."""

from statistics import median

# How two values of a unit compare: which is better, ours over the peer's or the other way round.
# A ratio above 1 means that we are better, except for memory, where it is our share of theirs.
THROUGHPUT = dict(best=max, ratio=lambda ours, peer: ours / peer)
TIME = dict(best=min, ratio=lambda ours, peer: peer / ours)
MEMORY = dict(best=min, ratio=lambda ours, peer: ours / peer)
UNITS = {
    "tokens/s": THROUGHPUT,
    "MB/s": THROUGHPUT,
    "GFLOP/s": THROUGHPUT,
    "s": TIME,
    "MB": MEMORY,
}


def row(work, unit, bar, ours, peers):
    """A line of a table. `ours` and the values of `peers` hold a number for every round; an empty
    list is a program that gave none. The ratio of a round is to the same round of the peer that is
    best by its median."""
    compare = UNITS[unit]
    peers_medians = {name: median(values) for name, values in peers.items() if values}
    line = dict(
        work=work,
        unit=unit,
        bar=bar,
        ours=median(ours) if ours else None,
        peers=peers_medians,
        best=None,
        ratio=None,
        met=None,
    )
    if ours and peers_medians:
        line["best"] = compare["best"](peers_medians, key=peers_medians.get)
        ratios = [compare["ratio"](o, p) for o, p in zip(ours, peers[line["best"]], strict=True)]
        line["ratio"] = dict(median=median(ratios), min=min(ratios), max=max(ratios))
        if bar is not None:
            found = line["ratio"]["median"]
            reached = found <= bar if unit == "MB" else found >= bar
            # Of a peer that gave no number nobody knows whether it was the best.
            line["met"] = None if reached and len(peers_medians) < len(peers) else reached
    return line


def markdown(columns, rows):
    """A table with a column for every peer that is named."""
    head = ["work", "unit", "ablate", *columns, "ratio to the best (min to max)", "bar", "met"]
    lines = [head, ["---", "---", *["--:"] * (len(columns) + 2), "--:", "---"]]
    for line in rows:
        cells = [line["work"], line["unit"], number(line["ours"])]
        for column in columns:
            text = number(line["peers"].get(column))
            cells.append(f"**{text}**" if column == line["best"] else text)
        cells += [spread(line["ratio"]), bar(line), met(line)]
        lines.append(cells)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def number(value):
    """Three or more significant digits, or a dash where nothing was measured."""
    if value is None:
        return "–"
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def spread(ratio):
    if ratio is None:
        return "–"
    return f"{ratio['median']:.2f} ({ratio['min']:.2f} to {ratio['max']:.2f})"


def bar(line):
    if line["bar"] is None:
        return ""
    return f"{'≤' if line['unit'] == 'MB' else '≥'} {line['bar']:g}"


def met(line):
    if line["bar"] is None:
        return ""
    return {True: "yes", False: "**no**", None: "not measured"}[line["met"]]


def page(results):
    """All of RESULTS.md from the contents of results.json."""
    parts = [
        "# Results\n\nWritten by `bench/run.py`, which `bench/README.md` explains; every run"
        " is in [results.json](results.json). Medians over rounds; the best peer is bold, and the"
        " ratio is to it, round by round. Above 1 is faster than the peer, below 1 slower; for"
        " memory it is our share of the peer's. A dash is something that was not measured, and why"
        " stands below the table."
    ]
    facts = [f"| {name} | {value} |" for name, value in results["facts"].items() if value]
    parts.append("\n".join(["| machine | |", "|---|---|", *facts]))
    for kind in results["kinds"].values():
        parts.append(f"## {kind['title']}\n\n{kind['about']}")
        parts.append(markdown(kind["columns"], kind["rows"]))
        if kind["notes"]:
            parts.append("\n".join(f"- {note}" for note in kind["notes"]))
        parts.append(f"Rounds: {kind['rounds']}; threads: {kind['threads']}; {kind['when']}.")
    return "\n\n".join(parts) + "\n"
