//! Values of several variants brought into one shape, seeds by items, so that they can be added and
//! subtracted.

use std::collections::BTreeMap;

use super::items::{Items, Scores, align};
use super::{Analysis, Measure, sampling};

/// A variant of a study.
pub(crate) type Side<'a> = (&'a Analysis<'a>, usize);

/// Values of several sides, each row of one seed and each column of one item, or of a subject or passage
/// that items share.
#[derive(Clone, Debug)]
pub(crate) struct Aligned {
    /// Seeds that all sides have.
    pub(crate) seeds: Vec<u64>,
    /// One for each side, in their order.
    pub(crate) grids: Vec<Scores>,
    /// Items behind each row; 1 where each seed has one value.
    pub(crate) items: usize,
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
        Ok(Grids::None) => {}
        Ok(Grids::Alone(reason)) => note = Some(reason),
        Ok(Grids::Items { grids, items }) => {
            let same = grids.iter().zip(&values).all(|(grid, values)| {
                (grand_mean(grid) - mean_over(values, &seeds)).abs() <= SAME_SCORE
            });
            if same {
                return Some(Ok(Aligned { seeds, grids, items, note }));
            }
            note = Some(
                "the saved items do not add up to the scores: paired over seeds only".to_string(),
            );
        }
    }
    let column =
        |side: &&BTreeMap<u64, f64>| seeds.iter().map(|seed| vec![side[seed]]).collect::<Scores>();
    let grids = values.iter().map(column).collect();
    Some(Ok(Aligned { seeds, grids, items: 1, note }))
}

/// Seeds by sampling units of every side.
enum Grids {
    /// The measure has no items, or a side has not kept them.
    None,
    /// There are items, but all of one subject: why they are not used.
    Alone(String),
    Items {
        grids: Vec<Scores>,
        /// How many items the units are made of.
        items: usize,
    },
}

/// Seeds by sampling units of every side; `Err` where items exist but cannot be aligned.
fn item_grids(sides: &[Side<'_>], measure: Measure, seeds: &[u64]) -> Result<Grids, String> {
    let Some((own, _)) = sides.first() else { return Ok(Grids::None) };
    let wanted: Vec<usize> = match measure {
        Measure::Average => (0..own.benchmarks.len()).collect(),
        Measure::Benchmark(index) => vec![index],
        Measure::Bits(_) | Measure::MeanBits => return Ok(Grids::None),
    };
    let mut parts: Vec<Items<'_>> = Vec::new();
    for index in wanted {
        let mut outcomes = Vec::new();
        for (analysis, variant) in sides {
            let Some(Measure::Benchmark(theirs)) =
                analysis.same_measure(own, Measure::Benchmark(index))
            else {
                return Ok(Grids::None);
            };
            outcomes.push(analysis.items.of(*variant, theirs));
        }
        match align(&outcomes, seeds) {
            Ok(items) => parts.push(items),
            Err(unpaired) => {
                let Some(reason) = unpaired.reason() else { return Ok(Grids::None) };
                return Err(format!("{}: {reason}", own.benchmarks[index].title()));
            }
        }
    }
    let items = parts.iter().map(|part| part.scores[0][0].len()).sum();
    let found = sampling::units(&parts).and_then(|units| {
        (0..sides.len()).map(|side| sampling::rows(&units, &parts, side)).collect()
    });
    Ok(match found {
        Ok(grids) => Grids::Items { grids, items },
        Err(_) if items > 1 => Grids::Alone(
            "a benchmark has one item or one subject only: paired over seeds only".to_string(),
        ),
        Err(_) => Grids::None,
    })
}

/// Mean of a full table.
fn grand_mean(rows: &[Vec<f64>]) -> f64 {
    let count = rows.iter().map(Vec::len).sum::<usize>().max(1);
    rows.iter().flatten().sum::<f64>() / count as f64
}
