//! What is remembered of the batches of a training, by when they were visited.

use std::collections::BTreeMap;

use ablate_stats::{Correlation, Trend, mean_interval, spearman, trend};

use super::{Estimate, LEVEL};
use crate::rows::StudyData;

/// The losses of a variant's batches under its final weights.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Remembered {
    /// Mean loss of every part over the batches of all seeds, with an interval over these batches.
    pub(crate) parts: Vec<Estimate>,
    /// Batches of a seed.
    pub(crate) batches: usize,
    pub(crate) seeds: usize,
    /// Change of the loss from the first visit to the last.
    pub(crate) trend: Option<Trend>,
    /// Rank correlation of place and loss.
    pub(crate) rank: Option<Correlation>,
}

/// The losses of a variant, where they were measured.
pub(crate) fn remembered(data: &StudyData, variant: &str) -> Option<Remembered> {
    let mut seeds: BTreeMap<u64, Vec<(u64, u64, f64)>> = BTreeMap::new();
    for row in data.batch_losses.iter().filter(|row| row.variant == variant) {
        if row.loss.is_finite() {
            seeds.entry(row.seed).or_default().push((row.batch, row.part, row.loss));
        }
    }
    let batches = seeds.values().map(Vec::len).max()?;
    let mut parts: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
    // Every seed has a level of its own, which is no part of the trend.
    let (mut places, mut losses) = (Vec::new(), Vec::new());
    for rows in seeds.values() {
        let level = rows.iter().map(|row| row.2).sum::<f64>() / rows.len() as f64;
        for (batch, part, loss) in rows {
            parts.entry(*part).or_default().push(*loss);
            places.push((*batch as f64 + 0.5) / rows.len() as f64);
            losses.push(loss - level);
        }
    }
    let estimate = |values: &Vec<f64>| {
        let found = mean_interval(values, LEVEL).ok()?;
        let interval = found.low.zip(found.high);
        Some(Estimate { mean: found.mean, interval, seeds: seeds.len() })
    };
    Some(Remembered {
        parts: parts.values().filter_map(estimate).collect(),
        batches,
        seeds: seeds.len(),
        trend: trend(&places, &losses, LEVEL).ok(),
        rank: spearman(&places, &losses).ok(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::BatchLossRow;

    #[test]
    fn a_fall_over_the_parts_is_a_negative_trend() {
        let row = |seed: u64, batch: u64| BatchLossRow {
            variant: "a".into(),
            seed,
            batch,
            part: batch / 10,
            // Seeds differ in level; batches in a sawtooth around a falling line.
            loss: 2.0 + 0.5 * seed as f64 - 0.001 * batch as f64 + 0.0005 * (batch % 3) as f64,
        };
        let data = StudyData {
            batch_losses: (1..=2).flat_map(|seed| (0..40).map(move |b| row(seed, b))).collect(),
            ..StudyData::default()
        };
        let found = remembered(&data, "a").unwrap();
        assert_eq!((found.parts.len(), found.batches, found.seeds), (4, 40, 2));
        let trend = found.trend.unwrap();
        assert!((trend.slope + 0.04).abs() < 2e-3 && trend.high < 0.0, "{trend:?}");
        assert!(found.rank.unwrap().value < -0.9);
        assert!(found.parts.windows(2).all(|pair| pair[1].mean < pair[0].mean));
        assert_eq!(remembered(&data, "b"), None);
    }
}
