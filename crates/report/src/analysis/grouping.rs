//! polars queries over the rows. Groups come back as sorted lists and are averaged one by one, so that neither thread count nor row order
//! can reach a result.

use polars::prelude::*;

use crate::analysis::Benchmark;
use crate::frames::Rows;
use crate::rows::{CurveRow, ScoreRow};

/// Metric name of held-out text.
pub(crate) const BITS_PER_BYTE: &str = "bits_per_byte";
/// Benchmark name of held-out text.
const VALIDATION: &str = "validation";

/// One benchmark metric of one variant, by seed.
#[derive(Debug)]
pub(super) struct ScoreGroup {
    pub(super) variant: String,
    pub(super) benchmark: String,
    pub(super) language: String,
    pub(super) metric: String,
    pub(super) values: Vec<(u64, f64)>,
}

/// Whether a score counts towards the average.
fn counts(row: &ScoreRow) -> bool {
    row.primary && row.benchmark != VALIDATION && row.metric != BITS_PER_BYTE
}

/// The benchmarks that count, in the order in which they first appear.
pub(super) fn benchmarks(scores: &[ScoreRow]) -> Vec<Benchmark> {
    let mut found: Vec<Benchmark> = Vec::new();
    for row in scores.iter().filter(|r| counts(r)) {
        let known = found.iter_mut().find(|b| {
            b.name == row.benchmark && b.language == row.language && b.metric == row.metric
        });
        match known {
            Some(benchmark) => {
                benchmark.items = benchmark.items.max(row.items);
                benchmark.chance = benchmark.chance.or(row.chance.map(|c| c * 100.0));
            }
            None => found.push(Benchmark {
                name: row.benchmark.clone(),
                language: row.language.clone(),
                metric: row.metric.clone(),
                chance: row.chance.map(|c| c * 100.0),
                items: row.items,
            }),
        }
    }
    found
}

/// Languages with held-out bits per byte, in the order in which they first appear.
pub(super) fn languages(scores: &[ScoreRow]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for row in scores.iter().filter(|r| r.metric == BITS_PER_BYTE) {
        if !found.contains(&row.language) {
            found.push(row.language.clone());
        }
    }
    found
}

/// Values by seed of every variant, benchmark, language and metric that a report shows.
pub(super) fn group_scores(scores: &[ScoreRow]) -> PolarsResult<Vec<ScoreGroup>> {
    let shown = col("primary")
        .and(col("benchmark").neq(lit(VALIDATION)))
        .or(col("metric").eq(lit(BITS_PER_BYTE)));
    let keys = ["variant", "benchmark", "language", "metric"];
    let frame = ScoreRow::to_frame(scores)?
        .lazy()
        .filter(shown)
        .sort(
            ["variant", "benchmark", "language", "metric", "seed"],
            SortMultipleOptions::default().with_maintain_order(true),
        )
        .group_by_stable(keys.map(col))
        .agg([col("seed"), col("value")])
        .collect()?;
    let (variants, benchmarks) =
        (frame.column("variant")?.str()?, frame.column("benchmark")?.str()?);
    let (languages, metrics) = (frame.column("language")?.str()?, frame.column("metric")?.str()?);
    let (seeds, values) = (frame.column("seed")?.list()?, frame.column("value")?.list()?);
    let text = |column: &StringChunked, i: usize| column.get(i).unwrap_or_default().to_string();
    let mut groups = Vec::with_capacity(frame.height());
    for i in 0..frame.height() {
        let (Some(seeds), Some(values)) = (seeds.get_as_series(i), values.get_as_series(i)) else {
            continue;
        };
        groups.push(ScoreGroup {
            variant: text(variants, i),
            benchmark: text(benchmarks, i),
            language: text(languages, i),
            metric: text(metrics, i),
            values: seeds
                .u64()?
                .iter()
                .zip(values.f64()?.iter())
                .filter_map(|(seed, value)| seed.zip(value))
                .collect(),
        });
    }
    Ok(groups)
}

/// What a learning curve is drawn against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    /// Training tokens.
    Tokens,
    /// Bytes of training text.
    Bytes,
}

/// Mean over seeds at one point of a curve, with the smallest and largest seed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct LinePoint {
    pub(crate) x: f64,
    pub(crate) mean: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

/// The validation curve of one variant in one language.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Line {
    pub(crate) variant: String,
    pub(crate) language: String,
    pub(crate) points: Vec<LinePoint>,
}

/// Validation bits per byte of every variant and language, averaged over the seeds at each point.
pub(crate) fn curve_lines(curves: &[CurveRow], over: Over) -> PolarsResult<Vec<Line>> {
    let x = match over {
        Over::Tokens => "tokens",
        Over::Bytes => "bytes",
    };
    let keys = ["variant", "language", "round", "step"];
    let frame = CurveRow::to_frame(curves)?
        .lazy()
        .filter(col("split").eq(lit("validation")).and(col("bits_per_byte").is_not_null()))
        .sort(
            ["variant", "language", "round", "step", "seed"],
            SortMultipleOptions::default().with_maintain_order(true),
        )
        .group_by_stable(keys.map(col))
        .agg([col(x).median().alias("x"), col("bits_per_byte")])
        .collect()?;
    let (variants, languages) = (frame.column("variant")?.str()?, frame.column("language")?.str()?);
    let (xs, values) = (frame.column("x")?.f64()?, frame.column("bits_per_byte")?.list()?);
    let mut lines: Vec<Line> = Vec::new();
    for i in 0..frame.height() {
        let Some(values) = values.get_as_series(i) else { continue };
        let values: Vec<f64> = values.f64()?.iter().flatten().filter(|v| v.is_finite()).collect();
        let (Some(variant), Some(language), Some(x)) =
            (variants.get(i), languages.get(i), xs.get(i))
        else {
            continue;
        };
        if values.is_empty() || !x.is_finite() {
            continue;
        }
        let point = LinePoint {
            x,
            mean: values.iter().sum::<f64>() / values.len() as f64,
            low: values.iter().copied().fold(f64::INFINITY, f64::min),
            high: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        };
        match lines.last_mut() {
            Some(line) if line.variant == variant && line.language == language => {
                line.points.push(point);
            }
            _ => lines.push(Line {
                variant: variant.to_string(),
                language: language.to_string(),
                points: vec![point],
            }),
        }
    }
    for line in &mut lines {
        line.points.sort_by(|a, b| a.x.total_cmp(&b.x));
    }
    Ok(lines)
}

/// Median training speed of every variant, tokens per second.
pub(crate) fn speeds(curves: &[CurveRow]) -> PolarsResult<Vec<(String, f64)>> {
    let frame = CurveRow::to_frame(curves)?
        .lazy()
        .filter(col("tokens_per_second").is_not_null())
        .group_by_stable([col("variant")])
        .agg([col("tokens_per_second").median()])
        .collect()?;
    let (variants, medians) =
        (frame.column("variant")?.str()?, frame.column("tokens_per_second")?.f64()?);
    Ok(variants
        .iter()
        .zip(medians.iter())
        .filter_map(|(variant, median)| Some((variant?.to_string(), median?)))
        .collect())
}
