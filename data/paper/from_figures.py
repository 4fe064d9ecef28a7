"""Writes figures.json from the curves that were read out of the paper's vector graphics.

    python3 data/paper/from_figures.py CURVES.json

CURVES.json maps `figN/series` or `figN/panel/series` to points (x, y). Every point is kept, but of
the long curves of Figures 6 and 7 only those nearest to sixty evenly spaced places.
"""

import json
import sys
from pathlib import Path

SOURCE = "arXiv 2402.02791v2, Figure {}, {} {} (read out of its vector graphics)"
MEAN = "mean of ARC-E, HellaSwag and C3"
MOST = 60

LAYER = {"title": "First layer left out"}
LAYERS = {"title": "Layer"}
TOKENS = {"title": "Training tokens", "unit": "B"}
LOSS = {"title": "Training loss", "unit": "nats/token"}
SKIPS = {"skip1": "1 layer", "skip2": "2 layers", "skip3": "3 layers"}
MODELS = {
    "PanGu-pi-7B": "PanGu-π-7B",
    "InternLM-7B": "InternLM-7B",
    "LLaMA2-7B": "LLaMA2-7B",
    "LLaMA2-13B": "LLaMA2-13B",
}
# As the paper and the public models have them; InternLM-7B's curves end before its last layer.
DEPTHS = {"PanGu-pi-7B": 29, "LLaMA2-7B": 32, "LLaMA2-13B": 40}
TASKS = ["ARC-E", "HellaSwag", "C3"]
MATRICES = ["q_proj", "k_proj", "v_proj", "o_proj", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"]
SIZES = ["1M", "2M", "4M", "8M", "16M", "32M"]


def thin(points):
    """At most MOST points: those nearest to evenly spaced places, first and last among them."""
    if len(points) <= MOST:
        return points
    first, last = points[0][0], points[-1][0]
    wanted = [first + (last - first) * k / (MOST - 1) for k in range(MOST)]
    kept = {min(range(len(points)), key=lambda i: (abs(points[i][0] - x), i)) for x in wanted}
    return [points[i] for i in sorted(kept | {0, len(points) - 1})][:MOST]


def number(value):
    """Whole numbers without a point."""
    return int(value) if float(value).is_integer() else value


def series(label, points):
    return {"label": label, "points": [[number(x), number(y)] for x, y in points]}


def element(n, pages, title, scale, note, panels, average=None):
    made = {
        "id": f"figure-{n}",
        "place": f"Figure {n}",
        "pages": pages,
        "source": SOURCE.format(n, "pages" if "-" in pages else "page", pages),
        "title": title,
        "scale": scale,
    }
    if average:
        made["average"] = average
    if note:
        made["note"] = note
    made["panels"] = panels
    return made


def panel(title, form, x, y, lines):
    return {"title": title, "form": form, "x": x, "y": y, "series": lines}


def accuracy(title="Average accuracy"):
    return {"title": title, "unit": "%"}


def elements(curves):
    skips = lambda prefix: [series(l, curves[f"{prefix}/{k}"]) for k, l in SKIPS.items()]
    seven = "7 B and 13 B parameters, no training"
    ablation = "1 B parameters, 50 B tokens"
    note = "Points that are absent here are absent in the published figure."
    yield element(
        5, "4-5", "Scores without one, two or three consecutive layers", seven, note,
        [
            panel(name, "line", LAYER, accuracy(), skips(f"fig5/{key}"))
            | ({"depth": DEPTHS[key]} if key in DEPTHS else {})
            for key, name in MODELS.items()
        ],
        average=MEAN,
    )
    yield element(
        6, "4-6", "Training loss by what is inherited", "1 B parameters from a 7 B parent, 50 B tokens",
        "All curves but Learned enter from above the published axis, between 3 B and 4 B tokens.",
        [panel("", "line", TOKENS, LOSS, [
            series(label, thin(curves[f"fig6/{key}"]))
            for key, label in [("Base", "Base"), ("L1", "L1"), ("L2", "L2"), ("Taylor", "Taylor"),
                               ("Learned", "Learned mask")]
        ])],
    )
    yield element(
        7, "6", "Training loss by batch size and learning-rate rule", ablation,
        "Batch sizes in tokens; the learning rate is (batch / 1M)^r times 1e-4.",
        [panel(f"r = {r}", "line", TOKENS, LOSS, [
            series(size, thin(curves[f"fig7/r{r}/{size}"])) for size in SIZES
        ]) for r in ["0.5", "1.0"]],
    )
    yield element(
        8, "6", "Score by batch size and learning-rate rule", ablation,
        "The learning rate is (batch / 1M)^r times 1e-4; a missing point was not run or is not plotted.",
        [panel("", "line", {"title": "Batch size", "unit": "M tokens", "log": True}, accuracy(), [
            series(f"r = {r}", curves[f"fig8/r{r}"]) for r in ["0.0", "0.5", "1.0", "1.5"]
        ])],
        average=MEAN,
    )
    yield element(
        9, "6", "Loss on the parts of the training data, in the order of training",
        "1 B parameters, 1.6 T tokens",
        "Mean loss of the batches of each part under the final weights.",
        [panel("", "bars", {"title": "Part of the training data"},
               {"title": "Loss", "unit": "nats/token"},
               [series("", list(enumerate(curves["fig9"])))])],
    )
    yield element(
        10, "6-7", "HellaSwag during the first and the second round", "1 B parameters, 1.6 T tokens a round",
        "The second round visits half of the batches.",
        [panel("", "line", TOKENS, accuracy("HellaSwag"), [
            series("PanGu-π-1B", curves["fig10/PanGu-pi-1B"]),
            series("PanGu-π-1B Pro, round 1", curves["fig10/Pro"]),
            series("PanGu-π-1B Pro, round 2", curves["fig10/Pro round2"]),
        ])],
    )
    yield element(
        11, "12-13", "Standard deviation of the trained weights by initialisation", ablation, None,
        [panel(scheme, "line", LAYERS, {"title": "Std"}, [
            series(matrix, curves[f"fig11/{scheme}/{matrix}"]) for matrix in MATRICES
        ]) for scheme in ["Constant", "InternLM", "GPT2", "Ours"]],
    )
    yield element(
        12, "14", "Scores of each task without one, two or three consecutive layers", seven, note,
        [panel(f"{task}, {name}", "line", LAYER, accuracy("Accuracy"), skips(f"fig12/{task}/{key}"))
         for task in TASKS for key, name in MODELS.items()],
    )


def main():
    curves = json.loads(Path(sys.argv[1]).read_text())
    lines = ['{"elements": [']
    for n, made in enumerate(elements(curves)):
        panels = made.pop("panels")
        lines.append(("," if n else "") + json.dumps(made, ensure_ascii=False)[:-1] + ', "panels": [')
        for p, one in enumerate(panels):
            rows = one.pop("series")
            lines.append((", " if p else "  ") + json.dumps(one, ensure_ascii=False)[:-1] + ', "series": [')
            for s, row in enumerate(rows):
                lines.append(("    , " if s else "      ") + json.dumps(row, ensure_ascii=False))
            lines.append("    ]}")
        lines.append("]}")
    lines.append("]}")
    Path(__file__).with_name("figures.json").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
