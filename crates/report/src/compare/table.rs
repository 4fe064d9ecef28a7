//! A comparison as tables.

use super::{Comparison, Pair, Quantity, ScoreDifference};
use crate::number::{count, duration, fixed, grouped, si_unit, signed};
use crate::table::{Cell, Column, Mark, Table};

impl Comparison {
    /// The comparison as tables: sizes and costs, then scores.
    pub fn tables(&self) -> Vec<Table> {
        let mut tables = vec![self.quantity_table(), self.score_table()];
        tables.extend(self.other_table());
        tables
    }

    fn scores(&self) -> impl Iterator<Item = &ScoreDifference> {
        self.pairs.iter().flat_map(|pair| &pair.scores)
    }

    /// The comparison for a terminal.
    pub fn to_text(&self) -> String {
        let mut parts: Vec<String> = self.tables().iter().map(Table::to_text).collect();
        if !self.unmatched.is_empty() {
            parts.push(format!("Without a partner: {}\n", self.unmatched.join(", ")));
        }
        for accepted in &self.accepted {
            parts.push(format!("{accepted}\n"));
        }
        parts.join("\n")
    }

    /// The comparison as JSON.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or(serde_json::Value::Null)
    }

    pub(super) fn headings(&self) -> (String, String) {
        match &self.pairs[..] {
            [pair] if pair.a != pair.b => (pair.a.clone(), pair.b.clone()),
            _ if self.study_a != self.study_b => (self.study_a.clone(), self.study_b.clone()),
            _ => ("A".to_string(), "B".to_string()),
        }
    }

    pub(super) fn caption(&self, what: &str) -> String {
        match &self.pairs[..] {
            [pair] => format!("{what}: {} against {}", pair.b, pair.a),
            _ => format!("{what}: study {} against {}", self.study_b, self.study_a),
        }
    }

    fn quantity_table(&self) -> Table {
        let (a, b) = self.headings();
        let columns = vec![
            Column::text("Variant"),
            Column::text("Quantity"),
            Column::number(a),
            Column::number(b),
            Column::number("Difference").unit("%"),
        ];
        let mut table = Table::new("quantities", self.caption("Size and cost"), columns);
        for pair in &self.pairs {
            let mut first = true;
            for quantity in &pair.quantities {
                // In a list of many variants only what differs is worth a line.
                if self.pairs.len() > 1 && quantity.a == quantity.b {
                    continue;
                }
                let write = |value: f64| Cell::written(value, quantity.write(value));
                let change = (quantity.b / quantity.a - 1.0) * 100.0;
                let cells = vec![
                    Cell::text(if first { pair.title() } else { String::new() }),
                    Cell::text(&quantity.name),
                    write(quantity.a),
                    write(quantity.b),
                    Cell::written(change, signed(change, 1)),
                ];
                if first {
                    table.push_below_rule(cells)
                } else {
                    table.push(cells)
                }
                first = false;
            }
        }
        table
    }

    fn score_table(&self) -> Table {
        let (a, b) = self.headings();
        let columns = vec![
            Column::text("Variant"),
            Column::text("Measure"),
            Column::number(a),
            Column::number(b),
            Column::number("Difference"),
            Column::number("p"),
            Column::number("Adjusted"),
            Column::text("Verdict"),
            Column::number("Detectable"),
            Column::text("Paired over"),
        ];
        let adjusts = self.adjustment != "none" && self.tested > 1;
        let mut table = Table::new("scores", self.caption("Scores"), columns);
        for pair in &self.pairs {
            for (i, score) in pair.scores.iter().enumerate() {
                let indistinct = score.verdict == "not distinguishable";
                let over = match (score.seeds, score.items) {
                    (0, _) | (_, 0) => "nothing".to_string(),
                    (1, items) => format!("{} items, 1 seed", grouped(items as u64)),
                    (seeds, 1) => format!("{seeds} seeds"),
                    (seeds, items) => format!("{seeds} seeds × {} items", grouped(items as u64)),
                };
                let cells = vec![
                    Cell::text(if i == 0 { pair.title() } else { String::new() }),
                    Cell::text(format!("{} ({})", score.measure, score.unit)),
                    Cell::number(score.a, score.digits),
                    Cell::number(score.b, score.digits),
                    Cell::difference(score.difference, score.digits)
                        .between(score.interval, score.digits)
                        .mark(indistinct.then_some(Mark::Indistinct)),
                    p_cell(score.p),
                    if adjusts { p_cell(score.p_adjusted) } else { Cell::default() },
                    Cell::text(&score.verdict),
                    match score.detectable {
                        Some(least) => Cell::number(least, score.digits),
                        None => Cell::missing(),
                    },
                    Cell::text(over).note(score.note.clone()),
                ];
                if i == 0 { table.push_below_rule(cells) } else { table.push(cells) }
            }
        }
        if !adjusts {
            table.columns.remove(6);
            table.rows.iter_mut().for_each(|row| drop(row.cells.remove(6)));
        }
        table.note("Difference: second minus first, mean over the common seeds, with its paired 95% interval. Detectable: the smallest true difference that these seeds and items would tell (p < 5%, 80% power).");
        if adjusts {
            let how = match self.adjustment {
                "holm" => "Holm: any wrong verdict at 5%",
                _ => "Benjamini and Hochberg: 5% of the differences found are expected to be none",
            };
            let count = |headline: bool| {
                self.scores().filter(|s| s.headline == headline && s.p.is_some()).count()
            };
            let families = match (count(true), count(false)) {
                (0, rest) => format!("all {rest} differences that were tested"),
                (averages, rest) => format!(
                    "{averages} average{} and, apart from {}, {rest} other differences that were tested",
                    if averages == 1 { "" } else { "s" },
                    if averages == 1 { "it" } else { "them" },
                ),
            };
            table.note(format!(
                "Adjusted: p for {families} ({how}); it gives the verdict, so that an interval without zero may be not distinguishable."
            ));
        }
        if self.scores().any(|score| score.test == Some("mcnemar")) {
            table.note("Items that are right or wrong, with one seed: p is McNemar's, exact.");
        }
        if self.scores().any(|s| s.basis == "items") {
            table.note("One seed: the interval is over items and holds for these two trained models, not for another training run.");
        }
        table
    }
}

/// A p value for people.
pub(super) fn p_cell(p: Option<f64>) -> Cell {
    match p {
        Some(p) if p < 0.001 => Cell::written(p, "< 0.001"),
        Some(p) => Cell::number(p, 3),
        None => Cell::missing(),
    }
}

impl Pair {
    pub(super) fn title(&self) -> String {
        if self.a == self.b { self.a.clone() } else { format!("{} → {}", self.a, self.b) }
    }
}

impl Quantity {
    fn write(&self, value: f64) -> String {
        match self.unit.as_str() {
            "%" => fixed(value, 2),
            "s" => duration(value),
            "FLOP" => si_unit(value, "FLOP"),
            "B" => si_unit(value, "B"),
            _ if self.name.contains("parameters") || self.name.contains("tokens") => count(value),
            _ => grouped(value.max(0.0) as u64),
        }
    }
}
