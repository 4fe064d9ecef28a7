//! Scores at points of the training, over seeds and through all rounds.

use std::collections::BTreeMap;

use ablate_stats::mean_interval;

use super::{Benchmark, Estimate, LEVEL};
use crate::rows::{ProgressRow, StudyData};

/// The scores of a variant while it trains.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Course {
    /// Place of the variant in the study.
    pub(crate) variant: usize,
    /// Average scores in the order of the training.
    pub(crate) points: Vec<Point>,
    /// Variants whose trainings are the beginning of this one: fewer rounds of the same.
    pub(crate) beginnings: Vec<usize>,
}

/// The score at one point.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Point {
    /// From 1.
    pub(crate) round: u32,
    /// Over all rounds.
    pub(crate) tokens: u64,
    /// In this round.
    pub(crate) round_tokens: u64,
    /// In percent, by seed.
    pub(crate) by_seed: BTreeMap<u64, f64>,
    /// Over seeds.
    pub(crate) score: Estimate,
}

impl Point {
    /// Mean and the ends of the interval, as far as there are such scores.
    pub(crate) fn shown(&self) -> [f64; 3] {
        let (low, high) = self.score.ends();
        [self.score.mean, low.max(0.0), high.min(100.0)]
    }
}

impl Course {
    /// Rounds after the first, each with the tokens at which it begins.
    pub(crate) fn begins(&self) -> Vec<(u32, u64)> {
        let pairs = self.points.windows(2).filter(|pair| pair[1].round > pair[0].round);
        pairs.map(|pair| (pair[1].round, pair[0].tokens)).collect()
    }
}

/// Every course of average scores. A variant whose course is the beginning of another's has none of
/// its own.
pub(crate) fn courses(data: &StudyData) -> Vec<Course> {
    let points: Vec<Vec<Point>> =
        data.variants.iter().map(|row| progress(data, &row.name, None)).collect();
    // Of equal ones the first stands for all.
    let within = |a: usize, b: usize| {
        let (shorter, longer) = (&points[a], &points[b]);
        a != b && longer.starts_with(shorter) && (longer.len() > shorter.len() || b < a)
    };
    let measured: Vec<usize> = (0..points.len()).filter(|v| !points[*v].is_empty()).collect();
    let alone = measured.iter().filter(|a| !measured.iter().any(|b| within(**a, *b)));
    alone
        .map(|&variant| Course {
            variant,
            points: points[variant].clone(),
            beginnings: measured.iter().copied().filter(|a| within(*a, variant)).collect(),
        })
        .collect()
}

/// Benchmarks that were scored during the training, in the order in which they first appear.
pub(crate) fn progress_benchmarks(data: &StudyData) -> Vec<Benchmark> {
    let mut found: Vec<Benchmark> = Vec::new();
    for row in &data.progress {
        if !found.iter().any(|b| b.name == row.benchmark && b.language == row.language) {
            found.push(Benchmark {
                name: row.benchmark.clone(),
                language: row.language.clone(),
                metric: row.metric.clone(),
                chance: row.chance.map(|chance| 100.0 * chance),
                items: row.items,
            });
        }
    }
    found
}

/// Scores of a variant on one benchmark, or without one the means over all: for every seed that has
/// all of them.
pub(crate) fn progress(data: &StudyData, variant: &str, of: Option<&Benchmark>) -> Vec<Point> {
    let wanted = |row: &&ProgressRow| {
        let same = |b: &Benchmark| b.name == row.benchmark && b.language == row.language;
        row.variant == variant && of.is_none_or(same)
    };
    let mut scores: BTreeMap<(u32, u64, u64), BTreeMap<u64, Vec<f64>>> = BTreeMap::new();
    for row in data.progress.iter().filter(wanted) {
        let place = scores.entry((row.round, row.tokens, row.round_tokens)).or_default();
        place.entry(row.seed).or_default().push(100.0 * row.value);
    }
    let most = scores.values().flat_map(BTreeMap::values).map(Vec::len).max().unwrap_or(0);
    let point =
        |((round, tokens, round_tokens), seeds): ((u32, u64, u64), BTreeMap<u64, Vec<f64>>)| {
            let whole = seeds.into_iter().filter(|(_, values)| {
                values.len() == most && values.iter().all(|value| value.is_finite())
            });
            let by_seed: BTreeMap<u64, f64> = whole
                .map(|(seed, values)| (seed, values.iter().sum::<f64>() / values.len() as f64))
                .collect();
            let values: Vec<f64> = by_seed.values().copied().collect();
            let score = estimate(&values)?;
            Some(Point { round, tokens, round_tokens, by_seed, score })
        };
    scores.into_iter().filter_map(point).collect()
}

/// Mean over seeds, with a Student interval from two on.
pub(crate) fn estimate(values: &[f64]) -> Option<Estimate> {
    let found = mean_interval(values, LEVEL).ok()?;
    let interval = found.low.zip(found.high);
    Some(Estimate { mean: found.mean, interval, seeds: values.len() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::VariantRow;

    fn row(
        variant: &str,
        seed: u64,
        (round, tokens): (u32, u64),
        benchmark: &str,
        value: f64,
    ) -> ProgressRow {
        ProgressRow {
            variant: variant.into(),
            seed,
            round,
            tokens,
            round_tokens: tokens - 100 * u64::from(round - 1),
            benchmark: benchmark.into(),
            value,
            items: 10,
            chance: Some(0.25),
            ..ProgressRow::default()
        }
    }

    fn data(rows: Vec<ProgressRow>, names: &[&str]) -> StudyData {
        let variant = |name: &&str| VariantRow { name: (*name).into(), ..VariantRow::default() };
        StudyData {
            variants: names.iter().map(variant).collect(),
            progress: rows,
            ..StudyData::default()
        }
    }

    #[test]
    fn benchmarks_are_averaged_within_a_seed() {
        let data = data(
            vec![
                row("a", 1, (1, 100), "x", 0.4),
                row("a", 1, (1, 100), "y", 0.6),
                row("a", 2, (1, 100), "x", 0.5),
                row("a", 2, (1, 100), "y", 0.7),
                // This seed lacks one of them, that one has a score that is none.
                row("a", 3, (1, 100), "x", 0.9),
                row("a", 4, (1, 100), "x", 0.9),
                row("a", 4, (1, 100), "y", f64::NAN),
            ],
            &["a"],
        );
        let points = progress(&data, "a", None);
        assert_eq!(points.len(), 1);
        let score = points[0].score;
        assert!((score.mean - 55.0).abs() < 1e-9 && score.seeds == 2, "{score:?}");
        // Student's t with one degree of freedom: 12.706 standard errors of 5.
        let (low, high) = score.interval.unwrap();
        assert!((high - low - 2.0 * 12.7062 * 5.0).abs() < 1e-2, "{score:?}");
        assert_eq!(points[0].shown()[1..], [0.0, 100.0]);
        let benchmarks = progress_benchmarks(&data);
        assert_eq!((benchmarks.len(), benchmarks[1].chance), (2, Some(25.0)));
        let of_y = progress(&data, "a", Some(&benchmarks[1]));
        assert_eq!(of_y[0].by_seed.keys().collect::<Vec<_>>(), [&1, &2]);
        assert!(progress(&data, "b", None).is_empty());
    }

    #[test]
    fn fewer_rounds_of_the_same_are_a_beginning() {
        let rows = |variant: &str, upto: u32, gain: f64| {
            let ends = [(1, 50), (1, 100), (2, 150), (3, 250)];
            let own = ends.into_iter().filter(move |end| end.0 <= upto);
            own.map(|end| row(variant, 1, end, "x", 0.3 + gain * end.1 as f64)).collect::<Vec<_>>()
        };
        let mut all = rows("one", 1, 1e-3);
        all.extend(rows("three", 3, 1e-3));
        all.extend(rows("twin", 3, 1e-3));
        all.extend(rows("other", 2, 2e-3));
        let found = courses(&data(all, &["one", "three", "twin", "other", "untrained"]));
        let of: Vec<(usize, Vec<usize>)> =
            found.iter().map(|course| (course.variant, course.beginnings.clone())).collect();
        assert_eq!(of, [(1, vec![0, 2]), (3, vec![])]);
        assert_eq!(found[0].begins(), [(2, 100), (3, 150)]);
    }
}
