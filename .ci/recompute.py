"""Recomputes the numbers of the reports from their saved rows: python recompute.py ROOT

For every report below ROOT/reports: scores from items, sizes from shapes, then every number of
the tables from the rows, means over seeds and 95% intervals included. The paper's numbers are
compared with data/paper. Each number of these tables must have been recomputed, and agree.
"""

import csv
import json
import re
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from scipy import stats

PAPER = Path(__file__).parent.parent / "data" / "paper" / "pangu-pi-pro.json"


def same(a, b):
    return abs(a - b) <= 1e-9 * max(1.0, abs(a), abs(b))


def mean_interval(values):
    """Mean and Student's 95% interval over seeds."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return mean, None
    spread = np.std(values, ddof=1)
    reach = stats.t.ppf(0.975, len(values) - 1) * spread / np.sqrt(len(values))
    return mean, (mean - reach, mean + reach)


def two_way(d):
    """95% interval of the mean of differences, seeds by items: see crates/stats/src/compare.rs."""
    seeds, items = d.shape
    by_seed, by_item, centre = d.mean(1), d.mean(0), d.mean()
    if items == 1:
        return mean_interval(by_seed)[1]
    if seeds == 1:
        return mean_interval(d[0])[1]
    between_seeds = items * np.var(by_seed, ddof=1)
    between_items = seeds * np.var(by_item, ddof=1)
    rest = ((d - by_seed[:, None] - by_item + centre) ** 2).sum() / ((seeds - 1) * (items - 1))
    total = between_seeds + max(between_items - rest, 0)
    reach = stats.t.ppf(0.975, seeds - 1) * np.std(by_seed, ddof=1) / np.sqrt(seeds)
    if total > 0:
        freedom = total**2 / (between_seeds**2 / (seeds - 1) + (total - between_seeds) ** 2 / (items - 1))
        reach = max(reach, stats.t.ppf(0.975, freedom) * np.sqrt(total / (seeds * items)))
    return centre - reach, centre + reach


def rouge1(prediction, reference):
    words = [Counter(re.findall("[a-z0-9]+", text.lower())) for text in (prediction, reference)]
    overlap = sum((words[0] & words[1]).values())
    return 2 * overlap / sum(map(sum, (w.values() for w in words))) if overlap else 0.0


def heading_of(benchmark):
    name, language = benchmark
    return name if not language or name.endswith(f"-{language}") else f"{name} ({language})"


class Report:
    def __init__(self, folder):
        self.folder = folder
        read = lambda name: pq.read_table(folder / f"{name}.parquet").to_pylist()
        self.variants, self.scores, self.items = read("variants"), read("scores"), read("items")
        self.curves, self.rounds = read("curves"), read("rounds")
        self.tokenizers = read("tokenizers")
        study = json.loads((folder / "study.json").read_text())["study"]
        self.ladder, self.mirrors = study["design"] == "ladder", study["mirrors"]
        self.title = {v["name"]: v["label"] or v["name"] for v in self.variants}
        self.names = [v["name"] for v in self.variants]
        primary = [s for s in self.scores if s["primary"] and s["benchmark"] != "validation"]
        of = lambda s: (s["benchmark"], s["language"])
        self.benchmarks = list(dict.fromkeys(of(s) for s in primary))
        self.primary = {(s["variant"], s["seed"], *of(s)): s for s in primary}
        self.bits = {
            (s["variant"], s["seed"], s["language"]): s["value"]
            for s in self.scores
            if s["metric"] == "bits_per_byte"
        }
        self.languages = list(dict.fromkeys(language for *_, language in self.bits))
        self.seeds = {
            name: sorted({seed for variant, seed, _ in self.bits if variant == name})
            for name in self.names
        }

    # Values by seed.

    def benchmark(self, name, benchmark):
        return [100 * self.primary[name, seed, *benchmark]["value"] for seed in self.seeds[name]]

    def average(self, name):
        return np.mean([self.benchmark(name, b) for b in self.benchmarks], axis=0)

    def held_out(self, name, language):
        return [self.bits[name, seed, language] for seed in self.seeds[name]]

    def mean_bits(self, name):
        return np.mean([self.held_out(name, language) for language in self.languages], axis=0)

    def item_table(self, name, seeds):
        """Seeds by items, in percent, every benchmark with the same weight."""
        parts = []
        for benchmark, language in self.benchmarks:
            rows = {}
            for row in self.items:
                if (row["variant"], row["benchmark"], row["language"]) == (name, benchmark, language):
                    rows.setdefault(row["seed"], {})[row["item"]] = 100 * row["score"]
            parts.append(np.array([[rows[s][i] for i in sorted(rows[s])] for s in seeds]))
        total = sum(part.shape[1] for part in parts)
        return np.hstack([part * total / (len(parts) * part.shape[1]) for part in parts])

    # Checks.

    def check_scores(self):
        """Scores from items; choices from likelihoods."""
        for item in self.items:
            if item["prediction"] is None:
                assert item["score"] == (item["choice"] == item["key"]), item
            elif item["language"] == "en":
                assert same(item["score"], rouge1(item["prediction"], item["reference"])), item
        for (variant, seed, benchmark, language), score in self.primary.items():
            of = (variant, seed, benchmark, language)
            items = [i for i in self.items if (i["variant"], i["seed"], i["benchmark"], i["language"]) == of]
            values = [item["score"] for item in items]
            assert len(values) == score["items"] == len({item["item"] for item in items}), score
            assert same(score["value"], np.mean(values)), score
            assert same(score["standard_error"], stats.sem(values) if len(values) > 1 else 0.0), score
            options = [len(item["option_logliks"]) for item in items]
            assert score["chance"] is None or same(score["chance"], np.mean([1 / n for n in options])), score
            if score["metric"] == "acc":
                for item in items:
                    assert item["choice"] == int(np.argmax(item["option_logliks"])), item
        # Variants and seeds are asked the same.
        hashes = {}
        for item in self.items:
            hashes.setdefault((item["benchmark"], item["item"]), set()).add(item["document_hash"])
        assert all(len(found) == 1 for found in hashes.values())
        print(f"  {len(self.items)} items, {len(self.primary)} scores")

    def check_shapes(self):
        for v in self.variants:
            d, kv = v["width"], v["width"] // v["heads"] * v["kv_heads"]
            layer = 2 * d * d + 2 * d * kv + 3 * d * v["ffn"] + 2 * d
            assert v["params_embedding"] == v["vocabulary"] * d, v
            assert v["params_head"] in (0, v["vocabulary"] * d), v
            assert v["params_non_embedding"] == v["depth"] * layer + d, v
            parts = v["params_embedding"] + v["params_head"] + v["params_non_embedding"]
            assert v["params_total"] == parts, v
            assert same(v["share"], (v["params_embedding"] + v["params_head"]) / parts), v
            steps = [c for c in self.curves if c["variant"] == v["name"] and c["split"] == "train"]
            for seed in self.seeds[v["name"]]:
                mine = [c["tokens"] for c in steps if c["seed"] == seed]
                assert max(mine) == v["train_tokens"], v
            # Three passes over every weight but the embedding, and causal attention.
            products = v["depth"] * (layer - 2 * d) + v["vocabulary"] * d
            forward = 2 * (products + v["depth"] * d * (v["context"] + 1))
            scored = sum(
                r["batches"] * v["train_tokens"] / len({c["step"] for c in steps})
                for r in self.rounds
                if r["variant"] == v["name"]
            ) / len(self.seeds[v["name"]])
            flops = forward * (3 * v["train_tokens"] + scored)
            assert same(v["train_flops"] / flops, 1.0), (v["train_flops"], flops)

    def check_table(self, name, expected):
        """Compares a table with {(row, column): number or (number, low, high)}."""
        with open(self.folder / "tables" / f"{name}.csv", newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        flat = {}
        for (row, column), value in expected.items():
            value, interval = value if isinstance(value, tuple) else (value, None)
            flat[row, column] = value
            if interval is not None:
                flat[row, f"{column} low"], flat[row, f"{column} high"] = interval
        seen, first = 0, next(iter(rows[0]))
        for index, row in enumerate(rows):
            for column, text in row.items():
                try:
                    number = float(text.replace("−", "-"))
                except (ValueError, AttributeError):
                    continue
                key = (row[first], column) if (row[first], column) in flat else (index, column)
                assert key in flat, f"{name}: {row[first]}, {column} = {text}: nothing to compare with"
                value = flat.pop(key)
                assert value is not None and same(number, value), f"{name}: {key}: {text}, not {value}"
                seen += 1
        left = [key for key, value in flat.items() if value is not None]
        assert not left, f"{name}: missing {left}"
        print(f"  {name}: {seen} numbers agree")

    def tables(self):
        headline = self.average if self.benchmarks else self.mean_bits
        main, benchmarks, parameters, cost = {}, {}, {}, {}
        for position, v in enumerate(self.variants):
            name, title = v["name"], self.title[v["name"]]
            below = None if position == 0 else self.names[position - 1 if self.ladder else 0]
            speeds = [
                c["tokens_per_second"]
                for c in self.curves
                if c["variant"] == name and c["tokens_per_second"] is not None
            ]
            sizes = {"Tokens": v["train_tokens"], "Text": v["train_bytes"], "Training (FLOP)": v["train_flops"]}
            residual = None if v["residual"] is None else 100 * v["residual"]
            main |= {(title, column): value for column, value in sizes.items()}
            cost |= {(title, column): value for column, value in sizes.items()}
            cost |= {
                (title, "Time"): v["seconds"],
                (title, "Speed (tokens/s)"): float(np.median(speeds)),
                (title, "Rate (FLOP/s)"): v["train_flops"] / v["seconds"],
            }
            main |= {
                (title, "Parameters"): v["params_total"],
                (title, "Emb. + head (%)"): 100 * v["share"],
                (title, "Hold residual (%)"): residual,
            }
            if self.benchmarks:
                main[title, "Average (%)"] = mean_interval(headline(name))
                benchmarks[title, "Average"] = mean_interval(headline(name))
            elif len(self.languages) > 1:
                main[title, "Text, mean (bits/byte)"] = mean_interval(headline(name))
            for language in self.languages:
                column = f"Text, {language} (bits/byte)"
                main[title, column] = mean_interval(self.held_out(name, language))
            column = "Δ to the rung below" if self.ladder else "Δ to the first"
            column += " (points)" if self.benchmarks else " (bits/byte)"
            if below is not None:
                # A seed that failed in one of the two has no pair.
                common = [s for s in self.seeds[name] if s in self.seeds[below]]
                kept = lambda n: headline(n)[[self.seeds[n].index(s) for s in common]]
                table = self.item_table if self.benchmarks else lambda n, _: kept(n)[:, None]
                difference = table(name, common) - table(below, common)
                mean = float(np.mean(kept(name) - kept(below)))
                assert same(mean, difference.mean())
                interval = two_way(difference) if len(common) > 1 else None
                main[title, column] = (mean, interval)
            for benchmark in self.benchmarks:
                heading = heading_of(benchmark)
                benchmarks[title, heading] = mean_interval(self.benchmark(name, benchmark))
            parameters |= {
                (title, "Depth"): v["depth"],
                (title, "Width"): v["width"],
                (title, "Heads"): v["heads"],
                (title, "KV heads"): v["kv_heads"],
                (title, "FFN"): v["ffn"],
                (title, "Vocabulary"): v["vocabulary"],
                (title, "Context"): v["context"],
                (title, "Embedding"): v["params_embedding"],
                (title, "Head"): v["params_head"],
                (title, "Non-embedding"): v["params_non_embedding"],
                (title, "Total"): v["params_total"],
                (title, "Embedding + head (%)"): 100 * v["share"],
                (title, "Hold residual (%)"): residual,
                (title, "Coverage (%)"): None if v["coverage"] is None else 100 * v["coverage"],
            }
            for language, value in json.loads(v["bytes_per_token"]).items():
                parameters[title, f"Bytes per token, {language}"] = value
        if self.mirrors:
            yield "paper", self.beside(main, column)
        yield "main", main
        yield "parameters", parameters
        yield "cost", cost
        if len(self.tokenizers) > 1:
            yield "tokenizers", self.compaction()
        if self.benchmarks:
            some = {b: next(s for (*_, x, y), s in self.primary.items() if (x, y) == b) for b in self.benchmarks}
            chance = [100 * (some[b]["chance"] or 0) for b in self.benchmarks]
            for benchmark, level in zip(self.benchmarks, chance):
                heading = heading_of(benchmark)
                benchmarks["Chance", heading] = None if some[benchmark]["chance"] is None else level
                benchmarks["Items", heading] = some[benchmark]["items"]
            benchmarks["Chance", "Average"] = float(np.mean(chance))
            benchmarks["Items", "Average"] = sum(s["items"] for s in some.values())
            yield "benchmarks", benchmarks
        if self.rounds:
            ledger = {}
            for i, r in enumerate(self.rounds):
                ledger |= {
                    (i, "Seed"): r["seed"],
                    (i, "Round"): r["round"],
                    (i, "Batches"): r["batches"],
                    (i, "Kept"): r["kept"],
                    (i, "Loss, all"): r["mean_loss_all"],
                    (i, "Loss, kept"): r["mean_loss_kept"],
                    (i, "Kept − all"): r["mean_loss_kept"] - r["mean_loss_all"],
                    (i, "Effective share (%)"): 100 * r["effective_share"],
                    (i, "Entropy share (%)"): 100 * r["perplexity_share"],
                    (i, "Largest / smallest p"): r["probability_ratio"],
                    (i, "Overlap"): r["overlap"],
                    (i, "Overlap, uniform"): r["overlap_expected"],
                }
            yield "rounds", ledger

    def compaction(self):
        by_name = {t["name"]: t for t in self.tokenizers}
        table = {}
        for v in self.variants:
            title = self.title[v["name"]]
            own = next(t for t in self.tokenizers if v["name"] in json.loads(t["variants"]))
            larger = by_name.get(own["larger"])
            assert own["vocabulary"] == v["vocabulary"] and own["coverage"] == v["coverage"]
            bytes_of = lambda t: json.loads(t["bytes_per_token"]) if t else {}
            assert bytes_of(own) == json.loads(v["bytes_per_token"])
            table |= {
                (title, "Vocabulary"): v["vocabulary"],
                (title, "Compacted from"): larger and larger["vocabulary"],
                (title, "Coverage (%)"): None if own["coverage"] is None else 100 * own["coverage"],
                (title, "Tokens"): own["tokens"],
                (title, "Embedding + head (%)"): 100 * v["share"],
            }
            table |= {(title, f"Bytes per token, {l}"): b for l, b in bytes_of(own).items()}
            table |= {(title, f"Before, {l}"): b for l, b in bytes_of(larger).items()}
        return table

    def beside(self, main, difference):
        """The mirrored element of the paper: each variant beside its row, or the rows alone."""
        paper = json.loads(PAPER.read_text(encoding="utf-8"))["elements"]
        mirrored = [e for name in self.mirrors for e in paper if e["id"] == name]
        # The first one whose table is `paper.csv`: figures that are drawn have none.
        element = next(element for element in mirrored if element.get("rows"))
        assert self.benchmarks, "the paper's averages are scores"
        with open(self.folder / "tables" / "paper.csv", newline="", encoding="utf-8") as file:
            written = list(csv.DictReader(file))
        everything = element["rows"] + element.get("context", [])
        assert [row["In the paper"] for row in written[len(element["rows"]) :]] == [
            row["label"] for row in element.get("context", [])
        ]
        if "Here" not in written[0]:
            table = {}
            for row in everything:
                for column in element["columns"]:
                    title = column["title"] + (", derived" if column.get("derived") else "")
                    title += f" ({column['unit']})" if column.get("unit") else ""
                    table[row["label"], title] = row["values"].get(column["key"])
                table[row["label"], "Average (%)"] = row.get("average")
            return table
        # Every variant has a row of its own: in a ladder the one of its rung, else of its rank.
        labels = [row["In the paper"] for row in written[: len(self.names)]]
        rows = [next(r for r in element["rows"] if r["label"] == label) for label in labels]
        assert len(set(labels)) == len(labels) <= len(element["rows"])
        if self.ladder:
            assert rows == element["rows"]
        against = "gain" if self.ladder else "Δ to the first"
        table = {}
        for index, (name, row) in enumerate(zip(self.names, rows)):
            title = self.title[name]
            below = rows[index - 1 if self.ladder else 0]["average"] if index else None
            table |= {
                (title, "Parameters"): main[title, "Parameters"],
                (title, "Average score (%)"): main[title, "Average (%)"],
                (title, f"Here, {against}"): main.get((title, difference)),
                (title, "Paper, average (%)"): row["average"],
                (title, f"Paper, {against}"): None if below is None else row["average"] - below,
            }
        for index, row in enumerate(element.get("context", []), len(rows)):
            table[index, "Paper, average (%)"] = row["average"]
        return table

    def check(self):
        print(self.folder.name)
        assert all(self.seeds.values()), "a variant without scores"
        self.check_scores()
        self.check_shapes()
        for name, expected in self.tables():
            self.check_table(name, expected)


reports = sorted(path.parent for path in Path(sys.argv[1], "reports").glob("*/scores.parquet"))
assert reports, "no report"
for folder in reports:
    Report(folder).check()
