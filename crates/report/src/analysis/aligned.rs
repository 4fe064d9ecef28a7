//! Values of several variants brought into one shape, seeds by items, so that they can be added and
//! subtracted.

use std::collections::BTreeMap;

use super::items::{Scores, Unpaired, align};
use super::{Analysis, Measure};

/// A variant of a study.
pub(crate) type Side<'a> = (&'a Analysis<'a>, usize);

/// Values of several sides, each row of one seed and each column of one item.
#[derive(Clone, Debug)]
pub(crate) struct Aligned {
    /// Seeds that all sides have.
    pub(crate) seeds: Vec<u64>,
    /// One for each side, in their order.
    pub(crate) grids: Vec<Scores>,
    /// Why items were not aligned.
    pub(crate) note: Option<String>,
}

/// What stands in the way.
#[derive(Clone, Debug)]
pub(crate) struct Unaligned {
    /// Seeds that all sides have.
    pub(crate) seeds: Vec<u64>,
    pub(crate) reason: String,
}

/// Largest disagreement, in percentage points, between a benchmark's score and the mean of its item scores.
const SAME_SCORE: f64 = 1e-6;

/// The sides' values by seed; a measure of the first side's study is looked up by name in the others'.
/// `None` when a side has no value.
pub(crate) fn values<'a>(
    sides: &[Side<'a>],
    measure: Measure,
) -> Option<Vec<&'a BTreeMap<u64, f64>>> {
    let own = sides.first()?.0;
    sides
        .iter()
        .map(|(analysis, variant)| analysis.by_seed(*variant, analysis.same_measure(own, measure)?))
        .collect()
}

/// Mean over these seeds.
pub(crate) fn mean_over(values: &BTreeMap<u64, f64>, seeds: &[u64]) -> f64 {
    seeds.iter().map(|seed| values[seed]).sum::<f64>() / seeds.len() as f64
}

/// The sides in one shape: seeds by items where all have the same items, otherwise seeds by one value.
/// `None` when a side has no value.
pub(crate) fn aligned(sides: &[Side<'_>], measure: Measure) -> Option<Result<Aligned, Unaligned>> {
    let values = values(sides, measure)?;
    let common = |seed: &&u64| values.iter().all(|side| side.contains_key(*seed));
    let seeds: Vec<u64> = values.first()?.keys().filter(common).copied().collect();
    if seeds.is_empty() {
        let reason = "no seed in common".into();
        return Some(Err(Unaligned { seeds, reason }));
    }
    let mut note = None;
    match item_grids(sides, measure, &seeds) {
        Err(reason) => return Some(Err(Unaligned { seeds, reason })),
        Ok(Some(grids)) => {
            let same = grids.iter().zip(&values).all(|(grid, values)| {
                (grand_mean(grid) - mean_over(values, &seeds)).abs() <= SAME_SCORE
            });
            if same {
                return Some(Ok(Aligned { seeds, grids, note }));
            }
            note = Some(
                "the saved items do not add up to the scores: paired over seeds only".to_string(),
            );
        }
        Ok(None) => {}
    }
    let column =
        |side: &&BTreeMap<u64, f64>| seeds.iter().map(|seed| vec![side[seed]]).collect::<Scores>();
    let grids = values.iter().map(column).collect();
    Some(Ok(Aligned { seeds, grids, note }))
}

/// Seeds by items of every side; `Ok(None)` where the measure has no items at all, `Err` where items exist but cannot be aligned.
fn item_grids(
    sides: &[Side<'_>],
    measure: Measure,
    seeds: &[u64],
) -> Result<Option<Vec<Scores>>, String> {
    let Some((own, _)) = sides.first() else { return Ok(None) };
    let wanted: Vec<usize> = match measure {
        Measure::Average => (0..own.benchmarks.len()).collect(),
        Measure::Benchmark(index) => vec![index],
        Measure::Bits(_) | Measure::MeanBits => return Ok(None),
    };
    let mut parts: Vec<Vec<Scores>> = Vec::new();
    for index in wanted {
        let mut outcomes = Vec::new();
        for (analysis, variant) in sides {
            let Some(Measure::Benchmark(theirs)) =
                analysis.same_measure(own, Measure::Benchmark(index))
            else {
                return Ok(None);
            };
            outcomes.push(analysis.items.of(*variant, theirs));
        }
        match align(&outcomes, seeds) {
            Ok(grids) => parts.push(grids),
            Err(Unpaired::NoItems | Unpaired::NoSeeds) => return Ok(None),
            Err(Unpaired::NoCommonItems) => {
                return Err(format!(
                    "{}: no item in common, so nothing is paired or tested",
                    own.benchmarks[index].title()
                ));
            }
            Err(Unpaired::Hashes { differing, items }) => {
                return Err(format!(
                    "{}: {differing} of {items} items of the same name ask different things, so nothing is paired or tested",
                    own.benchmarks[index].title()
                ));
            }
        }
    }
    // Every benchmark counts the same in the average however many items it has.
    let total: usize = parts.iter().map(|grids| grids[0][0].len()).sum();
    let row = |side: usize, seed: usize| -> Vec<f64> {
        parts
            .iter()
            .flat_map(|grids| {
                let row = &grids[side][seed];
                let weight = total as f64 / (parts.len() * row.len()) as f64;
                row.iter().map(move |value| value * weight)
            })
            .collect()
    };
    let grid = |side: usize| (0..seeds.len()).map(|seed| row(side, seed)).collect::<Scores>();
    Ok(Some((0..sides.len()).map(grid).collect()))
}

/// Mean of a full table.
fn grand_mean(rows: &[Vec<f64>]) -> f64 {
    let count = rows.iter().map(Vec::len).sum::<usize>().max(1);
    rows.iter().flatten().sum::<f64>() / count as f64
}
