//! Two variants, or two studies variant by variant: sizes, costs and scores side by side, paired wherever seeds and documents agree.

use serde::Serialize;

use crate::ReportError;
use crate::analysis::{Analysis, Difference, Measure, Verdict};
use crate::number::{count, duration, fixed, grouped, si_unit, signed};
use crate::rows::{StudyData, VariantRow};
use crate::table::{Cell, Column, Mark, Table};

/// One side of a comparison: a variant of a study, or all of them.
#[derive(Clone, Copy, Debug)]
pub struct Selection<'a> {
    /// The study's rows.
    pub data: &'a StudyData,
    /// One variant by name; `None` takes every variant.
    pub variant: Option<&'a str>,
}

/// Side `b` against side `a`, for every pair of variants.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// Study of side `a`.
    pub study_a: String,
    /// Study of side `b`.
    pub study_b: String,
    /// The pairs, in the order of side `a`.
    pub pairs: Vec<Pair>,
    /// Variants of either side without a partner of the same name.
    pub unmatched: Vec<String>,
}

/// Two variants.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pair {
    /// Variant of side `a`.
    pub a: String,
    /// Variant of side `b`.
    pub b: String,
    /// Sizes and costs.
    pub quantities: Vec<Quantity>,
    /// Scores, the headline first.
    pub scores: Vec<ScoreDifference>,
}

/// A size or a cost on both sides.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Quantity {
    /// What is counted, such as `parameters`.
    pub name: String,
    /// Unit; empty for plain counts.
    pub unit: String,
    /// Value of `a`.
    pub a: f64,
    /// Value of `b`.
    pub b: f64,
}

/// A score on both sides and `b - a`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScoreDifference {
    /// What is measured, such as `average score`.
    pub measure: String,
    /// `%` or `bits/byte`.
    pub unit: String,
    /// Decimals that the number is worth.
    #[serde(skip)]
    digits: usize,
    /// Mean of `a` over its seeds.
    pub a: f64,
    /// Mean of `b` over its seeds.
    pub b: f64,
    /// Mean of `b - a` over the common seeds.
    pub difference: f64,
    /// Ends of its 95% interval.
    pub interval: Option<(f64, f64)>,
    /// Two-sided p value of no difference.
    pub p: Option<f64>,
    /// `better`, `worse`, `not distinguishable` or `not tested`, said of `b`. With one seed the test is over items and holds only for these two
    /// trained models.
    pub verdict: String,
    /// What the interval ranges over: `seeds and items`, `seeds`, `items`, or nothing.
    pub basis: String,
    /// Common seeds.
    pub seeds: usize,
    /// Paired items; 1 where only the seeds' values were paired, 0 where nothing was.
    pub items: usize,
    /// Why something was not paired.
    pub note: Option<String>,
}

/// Compares side `b` with side `a`: one variant with one, or all variants of the same name.
///
/// # Errors
/// A variant that does not exist, or rows that polars cannot take.
pub fn compare(a: &Selection<'_>, b: &Selection<'_>) -> Result<Comparison, ReportError> {
    let left = crate::analyse(a.data)?;
    let right = crate::analyse(b.data)?;
    let one = |data: &StudyData, name: &str| {
        data.variants.iter().position(|v| v.name == name).ok_or_else(|| ReportError::NoVariant {
            study: data.study.name.clone(),
            variant: name.to_string(),
            known: data.variants.iter().map(|v| v.name.as_str()).collect::<Vec<_>>().join(", "),
        })
    };
    let mut unmatched = Vec::new();
    let pairs: Vec<(usize, usize)> = match (a.variant, b.variant) {
        (Some(x), Some(y)) => vec![(one(a.data, x)?, one(b.data, y)?)],
        (Some(x), None) => vec![(one(a.data, x)?, one(b.data, x)?)],
        (None, Some(y)) => vec![(one(a.data, y)?, one(b.data, y)?)],
        (None, None) => {
            let mut pairs = Vec::new();
            for (i, variant) in a.data.variants.iter().enumerate() {
                match one(b.data, &variant.name) {
                    Ok(j) => pairs.push((i, j)),
                    Err(_) => unmatched.push(format!("{}: {}", a.data.study.name, variant.name)),
                }
            }
            for (j, variant) in b.data.variants.iter().enumerate() {
                if !pairs.iter().any(|(_, k)| *k == j) {
                    unmatched.push(format!("{}: {}", b.data.study.name, variant.name));
                }
            }
            pairs
        }
    };
    Ok(Comparison {
        study_a: a.data.study.name.clone(),
        study_b: b.data.study.name.clone(),
        pairs: pairs.into_iter().map(|(i, j)| pair(&left, i, &right, j)).collect(),
        unmatched,
    })
}

fn pair(left: &Analysis<'_>, i: usize, right: &Analysis<'_>, j: usize) -> Pair {
    let (a, b) = (&left.variants()[i], &right.variants()[j]);
    let mut measures = Vec::new();
    if left.headline() == Measure::Average {
        measures.push(Measure::Average);
    }
    measures.extend((0..left.benchmarks.len()).map(Measure::Benchmark));
    measures.extend((0..left.languages.len()).map(Measure::Bits));
    let scores = measures
        .into_iter()
        .filter_map(|measure| {
            // The difference is asked of `a` and turned round, so that `b` better than `a` is positive.
            let found = left.difference_to(i, right, j, measure)?;
            score(left, i, right, j, measure, &found)
        })
        .collect();
    Pair { a: a.name.clone(), b: b.name.clone(), quantities: quantities(a, b), scores }
}

fn score(
    left: &Analysis<'_>,
    i: usize,
    right: &Analysis<'_>,
    j: usize,
    measure: Measure,
    found: &Difference,
) -> Option<ScoreDifference> {
    let theirs = right.same_measure(left, measure)?;
    let (name, unit) = left.name_of(measure);
    let tested = found.verdict_over_items(measure);
    Some(ScoreDifference {
        measure: name,
        unit: unit.to_string(),
        digits: measure.digits(),
        a: left.estimate(i, measure)?.mean,
        b: right.estimate(j, theirs)?.mean,
        difference: -found.mean,
        interval: found.interval.map(|(low, high)| (-high, -low)),
        p: found.p,
        verdict: match tested {
            Verdict::Better => "worse",
            Verdict::Worse => "better",
            Verdict::Indistinct => "not distinguishable",
            Verdict::Untested => "not tested",
        }
        .to_string(),
        basis: found.basis_words().to_string(),
        seeds: found.seeds,
        items: found.items,
        note: found.note.clone(),
    })
}

fn quantities(a: &VariantRow, b: &VariantRow) -> Vec<Quantity> {
    /// Name, unit and where the number is.
    type Source = (&'static str, &'static str, fn(&VariantRow) -> f64);
    let all: [Source; 13] = [
        ("parameters", "", |v| v.params.total as f64),
        ("non-embedding parameters", "", |v| v.params.non_embedding as f64),
        ("embedding + head share", "%", |v| v.share * 100.0),
        ("depth", "", |v| v.depth as f64),
        ("width", "", |v| v.width as f64),
        ("heads", "", |v| v.heads as f64),
        ("feed-forward width", "", |v| v.ffn as f64),
        ("vocabulary", "", |v| v.vocabulary as f64),
        ("context", "tokens", |v| v.context as f64),
        ("training tokens", "", |v| v.train_tokens as f64),
        ("training text", "B", |v| v.train_bytes as f64),
        ("training", "FLOP", |v| v.train_flops),
        ("time", "s", |v| v.seconds),
    ];
    all.iter()
        .map(|(name, unit, of)| Quantity {
            name: (*name).to_string(),
            unit: (*unit).to_string(),
            a: of(a),
            b: of(b),
        })
        .filter(|q| q.a.is_finite() && q.b.is_finite())
        .collect()
}

impl Comparison {
    /// The comparison as tables: sizes and costs, then scores.
    pub fn tables(&self) -> Vec<Table> {
        vec![self.quantity_table(), self.score_table()]
    }

    /// The comparison for a terminal.
    pub fn to_text(&self) -> String {
        let mut parts: Vec<String> = self.tables().iter().map(Table::to_text).collect();
        if !self.unmatched.is_empty() {
            parts.push(format!("Without a partner: {}\n", self.unmatched.join(", ")));
        }
        parts.join("\n")
    }

    /// The comparison as JSON.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or(serde_json::Value::Null)
    }

    fn headings(&self) -> (String, String) {
        match &self.pairs[..] {
            [pair] if pair.a != pair.b => (pair.a.clone(), pair.b.clone()),
            _ if self.study_a != self.study_b => (self.study_a.clone(), self.study_b.clone()),
            _ => ("A".to_string(), "B".to_string()),
        }
    }

    fn caption(&self, what: &str) -> String {
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
            Column::text("Verdict"),
            Column::text("Paired over"),
        ];
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
                    match score.p {
                        Some(p) if p < 0.001 => Cell::written(p, "< 0.001"),
                        Some(p) => Cell::number(p, 3),
                        None => Cell::missing(),
                    },
                    Cell::text(&score.verdict),
                    Cell::text(over).note(score.note.clone()),
                ];
                if i == 0 { table.push_below_rule(cells) } else { table.push(cells) }
            }
        }
        table.note("Difference: second minus first, mean over the common seeds, with its paired 95% interval.");
        if self.pairs.iter().flat_map(|p| &p.scores).any(|s| s.basis == "items") {
            table.note("One seed: the interval is over items and holds for these two trained models, not for another training run.");
        }
        table
    }
}

impl Pair {
    fn title(&self) -> String {
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
