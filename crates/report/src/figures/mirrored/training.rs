//! What studies of batches and learning rates have measured, as the paper's figures show it.

use std::collections::BTreeMap;

use super::is_task;
use crate::analysis::{
    Analysis, Benchmark, ProgressPoint, courses, progress as points, progress_benchmarks,
    remembered,
};
use crate::figures::axis::prefix;
use crate::figures::plot::{Axis, Panel, Point, Series};
use crate::figures::shown_ends;
use crate::paper::{Form, Paper, setting};

/// Most points of a line of training losses; neighbours are averaged.
const MOST: usize = 120;

/// Training losses of every variant. What masks were learned on before is no training of the child, so it
/// is not on the axis, which says so; the paper leaves open whether Figure 6 counts it.
pub(super) fn losses(analysis: &Analysis<'_>) -> Vec<Panel> {
    let rows = || analysis.data.curves.iter().filter(|c| c.split == "train" && c.loss.is_finite());
    let (divisor, unit) = prefix(rows().map(|c| c.tokens as f64).fold(0.0, f64::max), true);
    let unit = if unit.is_empty() { String::new() } else { format!(" ({unit})") };
    let masked = analysis.variants().iter().any(|variant| variant.mask_tokens > 0);
    let without = if masked { ", without those of masks" } else { "" };
    let series = analysis.variants().iter().map(|variant| {
        let mut steps: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
        for row in rows().filter(|row| row.variant == variant.name) {
            steps.entry(row.tokens).or_default().push(row.loss);
        }
        let points: Vec<Point> = steps
            .into_iter()
            .map(|(tokens, losses)| {
                let fold = |start: f64, pick: fn(f64, f64) -> f64| {
                    losses.iter().copied().fold(start, pick)
                };
                Point {
                    x: tokens as f64 / divisor,
                    y: losses.iter().sum::<f64>() / losses.len() as f64,
                    low: fold(f64::INFINITY, f64::min),
                    high: fold(f64::NEG_INFINITY, f64::max),
                }
            })
            .collect();
        Series { label: variant.title().to_string(), points: smooth(&points) }
    });
    vec![Panel {
        title: String::new(),
        form: Form::Line,
        x: Axis::new(format!("Training tokens{unit}{without}")),
        y: Axis { cut: true, ..Axis::new("Training loss (nats/token)") },
        series: series.collect(),
    }]
}

/// Means of neighbours, so that few enough points are left.
fn smooth(points: &[Point]) -> Vec<Point> {
    let mean = |part: &[Point]| {
        let of = |pick: fn(&Point) -> f64| part.iter().map(pick).sum::<f64>() / part.len() as f64;
        Point { x: of(|p| p.x), y: of(|p| p.y), low: of(|p| p.low), high: of(|p| p.high) }
    };
    points.chunks(points.len().div_ceil(MOST).max(1)).map(mean).collect()
}

/// The headline score against the batch, a line for every exponent r of the learning-rate rule
/// `rate = (batch / first batch)^r * first rate`, which the variants' settings give. The first batch
/// belongs to all lines.
pub(super) fn batches(analysis: &Analysis<'_>) -> Vec<Panel> {
    let measure = analysis.headline();
    let variants = analysis.variants();
    let of = |v: usize, path: &str| setting(variants, &variants[v], path);
    let batch = |v: usize| of(v, "train.batch_tokens");
    let rate = |v: usize| of(v, "train.learning_rate");
    let sized = (0..variants.len()).filter_map(|v| Some((v, batch(v)?)));
    let Some((first, least)) = sized.min_by(|a, b| a.1.total_cmp(&b.1)) else { return Vec::new() };
    let mut lines: BTreeMap<i64, Vec<Point>> = BTreeMap::new();
    let mut starts = Vec::new();
    for v in 0..variants.len() {
        let (Some(size), Some(estimate)) = (batch(v), analysis.estimate(v, measure)) else {
            continue;
        };
        let [y, low, high] = shown_ends(measure, &estimate);
        let point = Point { x: size, y, low, high };
        if size <= least {
            starts.push(point);
            continue;
        }
        let exponent = match (of(v, "train.learning_rate.power"), rate(v), rate(first)) {
            (Some(power), ..) => power,
            (None, Some(here), Some(there)) if here > 0.0 && there > 0.0 => {
                (here / there).ln() / (size / least).ln()
            }
            _ => 0.0,
        };
        lines.entry((20.0 * exponent).round() as i64).or_default().push(point);
    }
    let (name, unit) = analysis.name_of(measure);
    let series = lines.into_iter().map(|(exponent, mut points)| {
        points.extend(starts.first());
        points.sort_by(|a, b| a.x.total_cmp(&b.x));
        Series { label: format!("r = {}", exponent as f64 / 20.0), points }
    });
    vec![Panel {
        title: String::new(),
        form: Form::Line,
        x: Axis { log: true, ..Axis::new("Batch size (tokens)") },
        y: Axis::new(format!("{name} ({unit})")),
        series: series.collect(),
    }]
}

/// The loss of every part of the training's batches under the final weights, a series for each
/// variant.
pub(super) fn parts(analysis: &Analysis<'_>) -> Vec<Panel> {
    let of = |variant: &crate::rows::VariantRow| {
        let losses = remembered(analysis.data, &variant.name)?;
        let points = losses.parts.iter().enumerate().map(|(part, estimate)| Point {
            x: part as f64,
            y: estimate.mean,
            low: estimate.interval.map_or(estimate.mean, |ends| ends.0),
            high: estimate.interval.map_or(estimate.mean, |ends| ends.1),
        });
        Some(Series { label: variant.title().to_string(), points: points.collect() })
    };
    let series: Vec<Series> = analysis.variants().iter().filter_map(of).collect();
    vec![Panel {
        title: String::new(),
        form: Form::Line,
        x: Axis::new("Part of the training, in the order of its visits"),
        y: Axis::new("Loss under the final weights (nats/token)"),
        series,
    }]
}

/// Scores while the variants train, a series for every round over the tokens of that round: on
/// HellaSwag as in the paper, or, where that was not scored, the average.
pub(super) fn progress(analysis: &Analysis<'_>) -> Vec<Panel> {
    let paper = Paper::embedded().ok();
    let is_hellaswag = |benchmark: &&Benchmark| {
        paper.as_ref().is_some_and(|paper| is_task(paper, &benchmark.name, Some("hellaswag")))
    };
    let benchmarks = progress_benchmarks(analysis.data);
    let wanted = benchmarks.iter().find(is_hellaswag);
    let courses = courses(analysis.data);
    let all = || courses.iter().flat_map(|course| &course.points);
    let (divisor, unit) = prefix(all().map(|p| p.round_tokens as f64).fold(0.0, f64::max), true);
    let unit = if unit.is_empty() { String::new() } else { format!(" ({unit})") };
    let mut series = Vec::new();
    for course in &courses {
        let variant = &analysis.variants()[course.variant];
        let mut rounds: BTreeMap<u32, Vec<Point>> = BTreeMap::new();
        for point in points(analysis.data, &variant.name, wanted) {
            let [y, low, high] = ProgressPoint::shown(&point);
            let x = point.round_tokens as f64 / divisor;
            rounds.entry(point.round).or_default().push(Point { x, y, low, high });
        }
        let several = rounds.len() > 1;
        series.extend(rounds.into_iter().map(|(round, points)| {
            let title = variant.title();
            let label = if several { format!("{title}, round {round}") } else { title.to_string() };
            Series { label, points }
        }));
    }
    let name = wanted.map_or_else(|| "Average score".to_string(), Benchmark::title);
    vec![Panel {
        title: String::new(),
        form: Form::Line,
        x: Axis::new(format!("Training tokens of the round{unit}")),
        y: Axis::new(format!("{name} (%)")),
        series,
    }]
}
