//! What is known of single layers, as lines over them.

use std::collections::BTreeMap;

use crate::rows::{SkipRow, StudyData};

/// Values by layer, over all seeds of a variant.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LayerLine {
    /// Layers that are left out; 0 is none.
    pub(crate) count: u64,
    /// In the order of the layers.
    pub(crate) points: Vec<LayerPoint>,
}

/// The value of one layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct LayerPoint {
    pub(crate) layer: u64,
    /// Over seeds.
    pub(crate) mean: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

/// Average scores in percent by the first layer that is left out, a line for every number of layers:
/// of every seed the mean over its benchmarks (and languages), of these the mean and the range.
pub(crate) fn skip_lines(data: &StudyData, variant: &str) -> Vec<LayerLine> {
    lines(data, |row| row.variant == variant)
}

/// The same of one benchmark in one language.
pub(crate) fn skip_lines_of(
    data: &StudyData,
    variant: &str,
    (benchmark, language): (&str, &str),
) -> Vec<LayerLine> {
    lines(data, |row| {
        row.variant == variant && row.benchmark == benchmark && row.language == language
    })
}

fn lines(data: &StudyData, wanted: impl Fn(&SkipRow) -> bool) -> Vec<LayerLine> {
    let mut scores: BTreeMap<(u64, u64, u64), Vec<f64>> = BTreeMap::new();
    for row in data.skips.iter().filter(|row| wanted(row) && row.value.is_finite()) {
        scores.entry((row.count, row.first, row.seed)).or_default().push(100.0 * row.value);
    }
    let mut lines: BTreeMap<u64, BTreeMap<u64, Vec<f64>>> = BTreeMap::new();
    for ((count, first, _), values) in scores {
        lines.entry(count).or_default().entry(first).or_default().push(mean(&values));
    }
    lines.into_iter().map(|(count, layers)| LayerLine { count, points: points(layers) }).collect()
}

/// Average scores in percent without single layers, by layer, of every model (variant and seed).
pub(crate) fn single_skips(
    data: &StudyData,
    wanted: impl Fn(&SkipRow) -> bool,
) -> BTreeMap<(&str, u64), BTreeMap<u64, f64>> {
    let mut scores: BTreeMap<(&str, u64), BTreeMap<u64, Vec<f64>>> = BTreeMap::new();
    let single = |row: &&SkipRow| row.count == 1 && row.value.is_finite();
    for row in data.skips.iter().filter(single).filter(|row| wanted(row)) {
        let model = scores.entry((row.variant.as_str(), row.seed)).or_default();
        model.entry(row.first).or_default().push(100.0 * row.value);
    }
    let means = |layers: BTreeMap<u64, Vec<f64>>| {
        layers.into_iter().map(|(layer, values)| (layer, mean(&values))).collect()
    };
    scores.into_iter().map(|(model, layers)| (model, means(layers))).collect()
}

/// How much more the layers at one end matter than those of the middle: the mean score without one of
/// the middle minus that without one of the end. The middle is what the first and the last quarter
/// (rounded up) and the layers in question leave. `None` where one of the layers in question has no score,
/// or nothing is left of the middle.
pub(crate) fn end_against_middle(
    scores: &BTreeMap<u64, f64>,
    depth: u64,
    first: bool,
    count: u64,
) -> Option<f64> {
    let quarter = depth.div_ceil(4);
    let at_end = |layer: u64| if first { layer < count } else { layer + count >= depth };
    let in_middle = |layer: u64| layer >= quarter && layer + quarter < depth && !at_end(layer);
    let of = |wanted: &dyn Fn(u64) -> bool| -> Vec<f64> {
        scores.iter().filter(|(layer, _)| wanted(**layer)).map(|(_, value)| *value).collect()
    };
    let (middle, end) = (of(&in_middle), of(&at_end));
    (!middle.is_empty() && end.len() as u64 == count).then(|| mean(&middle) - mean(&end))
}

/// Block Influence by layer, where it was measured.
pub(crate) fn influence_lines(data: &StudyData, variant: &str) -> Option<LayerLine> {
    let mut layers: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
    let rows = data.influence.iter().filter(|row| row.variant == variant);
    for row in rows.filter(|row| row.influence.is_finite()) {
        layers.entry(row.layer).or_default().push(row.influence);
    }
    (!layers.is_empty()).then(|| LayerLine { count: 0, points: points(layers) })
}

/// Standard deviation of a matrix by layer, where it was measured.
pub(crate) fn spread_line(data: &StudyData, variant: &str, matrix: &str) -> Option<LayerLine> {
    let mut layers: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
    let rows = data.spreads.iter().filter(|row| row.variant == variant && row.matrix == matrix);
    for row in rows.filter(|row| row.std.is_finite()) {
        layers.entry(row.layer).or_default().push(row.std);
    }
    (!layers.is_empty()).then(|| LayerLine { count: 0, points: points(layers) })
}

fn points(layers: BTreeMap<u64, Vec<f64>>) -> Vec<LayerPoint> {
    let point = |(layer, values): (u64, Vec<f64>)| LayerPoint {
        layer,
        mean: mean(&values),
        low: values.iter().copied().fold(f64::INFINITY, f64::min),
        high: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
    };
    layers.into_iter().map(point).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::InfluenceRow;

    fn skip(seed: u64, (count, first): (u64, u64), benchmark: &str, value: f64) -> SkipRow {
        SkipRow {
            variant: "a".into(),
            seed,
            count,
            first,
            benchmark: benchmark.into(),
            value,
            ..SkipRow::default()
        }
    }

    #[test]
    fn ends_are_compared_with_the_middle() {
        let scores: BTreeMap<u64, f64> =
            (0..8).zip([25.0, 35.0, 50.0, 54.0, 56.0, 52.0, 50.0, 40.0]).collect();
        // Layers 2 to 5 are the middle of eight.
        let middle = (50.0 + 54.0 + 56.0 + 52.0) / 4.0;
        assert_eq!(end_against_middle(&scores, 8, true, 2), Some(middle - 30.0));
        assert_eq!(end_against_middle(&scores, 8, false, 1), Some(middle - 40.0));
        // A layer that is in question is not of the middle.
        assert_eq!(end_against_middle(&scores, 8, true, 3), Some(54.0 - 110.0 / 3.0));
        assert_eq!(end_against_middle(&scores, 8, true, 6), None);
        assert_eq!(end_against_middle(&BTreeMap::new(), 8, true, 1), None);
        // Where one of the first two is not known, nothing is said of them.
        let gap: BTreeMap<u64, f64> = scores.into_iter().filter(|(layer, _)| *layer != 1).collect();
        assert_eq!(end_against_middle(&gap, 8, true, 2), None);
        assert_eq!(end_against_middle(&gap, 8, true, 1), Some(middle - 25.0));
    }

    #[test]
    fn benchmarks_are_averaged_within_a_seed_and_seeds_make_the_range() {
        let mut other = skip(1, (1, 0), "x", 0.9);
        other.variant = "b".into();
        let data = StudyData {
            skips: vec![
                skip(1, (0, 0), "x", 0.5),
                skip(1, (1, 0), "x", 0.2),
                skip(1, (1, 0), "y", 0.4),
                skip(2, (1, 0), "x", 0.4),
                skip(2, (1, 0), "y", 0.6),
                skip(1, (1, 1), "x", 0.4),
                skip(1, (1, 1), "y", f64::NAN),
                other,
            ],
            influence: vec![InfluenceRow {
                variant: "a".into(),
                seed: 1,
                layer: 0,
                influence: 0.25,
            }],
            ..StudyData::default()
        };
        let lines = skip_lines(&data, "a");
        assert_eq!(lines.iter().map(|line| line.count).collect::<Vec<_>>(), [0, 1]);
        let first = lines[1].points[0];
        for (got, expect) in [(first.mean, 40.0), (first.low, 30.0), (first.high, 50.0)] {
            assert!((got - expect).abs() < 1e-9, "{got} {expect}");
        }
        assert_eq!(lines[1].points[1].layer, 1);
        let influence = influence_lines(&data, "a").unwrap();
        assert_eq!(influence.points[0].mean, 0.25);
        assert_eq!(influence_lines(&data, "b"), None);
    }
}
