//! How well one side's own score is known.

use ablate_stats::{mean_interval, wilson};
use serde::Serialize;

use super::Side;
use crate::analysis::{Aligned, LEVEL, Measure, aligned};

/// Standard error and 95% interval of a score, in its unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Scored {
    /// Standard error: over seeds, or over the items of a single one, clustered where they share subjects or passages.
    pub standard_error: Option<f64>,
    /// Ends of the interval.
    pub interval: Option<(f64, f64)>,
    /// What both range over: `seeds`, `items`, `subjects`, or nothing.
    pub over: &'static str,
}

/// Of a variant's score: Student's t over its seeds, which holds for other trainings scored on these items. A single seed leaves the items,
/// which say nothing of another training: Wilson's interval where all are right or wrong, else t over them or over what they share.
pub(super) fn scored((analysis, variant): Side<'_>, measure: Measure) -> Scored {
    let Some(by_seed) = analysis.by_seed(variant, measure) else { return Scored::default() };
    let values: Vec<f64> = by_seed.values().copied().collect();
    let of = |values: &[f64], over: &'static str| match mean_interval(values, LEVEL) {
        Ok(found) => Scored {
            standard_error: found.standard_error,
            interval: found.low.zip(found.high),
            over,
        },
        Err(_) => Scored::default(),
    };
    if values.len() > 1 {
        return of(&values, "seeds");
    }
    let Some(Ok(Aligned { grids, items: count @ 2.., .. })) =
        aligned(&[(analysis, variant)], measure)
    else {
        return Scored { over: "nothing", ..Scored::default() };
    };
    let units = &grids[0][0];
    let found = of(units, if units.len() == count { "items" } else { "subjects" });
    if units.len() == count && units.iter().all(|value| *value == 0.0 || *value == 100.0) {
        let right = units.iter().filter(|value| **value == 100.0).count() as u64;
        let ends =
            wilson(right, count as u64, LEVEL).ok().and_then(|found| found.low.zip(found.high));
        return Scored { interval: ends.map(|(low, high)| (100.0 * low, 100.0 * high)), ..found };
    }
    found
}
