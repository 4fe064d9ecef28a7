//! Other tests of the same differences, which decide nothing: what they would have said.

use ablate_stats::{hierarchical_bootstrap, mcnemar_exact, paired_bootstrap, sign_flip};
use serde::Serialize;

use super::table::p_cell;
use super::{Comparison, Side};
use crate::analysis::{Aligned, LEVEL, Measure, aligned};
use crate::number::grouped;
use crate::table::{Cell, Column, Table};

/// Draws of a bootstrap, and what they start from.
const RESAMPLES: usize = 10_000;
const SEED: u64 = 7;

/// Other tests of a difference.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OtherTests {
    /// p of the exact sign-flip test over seeds; at least 2^(1 - seeds).
    pub sign_flip: Option<f64>,
    /// Exact p of McNemar's test for every common seed, where all items are right or wrong and independent.
    pub mcnemar: Vec<f64>,
    /// The paired bootstrap over items; over seeds and items where there are several of both.
    pub bootstrap: Option<Bootstrap>,
}

/// A percentile bootstrap of a difference.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Bootstrap {
    /// Ends of its 95% interval.
    pub interval: (f64, f64),
    /// Two-sided p value.
    pub p: f64,
}

/// The tests of `b - a`; `None` where nothing is paired.
pub(super) fn tests(a: Side<'_>, b: Side<'_>, measure: Measure) -> Option<OtherTests> {
    let Aligned { grids, items, .. } = aligned(&[a, b], measure)?.ok()?;
    let [x, y] = &grids[..] else { return None };
    let rows: Vec<Vec<f64>> =
        x.iter().zip(y).map(|(x, y)| x.iter().zip(y).map(|(x, y)| y - x).collect()).collect();
    let units = rows.first()?.len();
    let means: Vec<f64> = rows.iter().map(|row| row.iter().sum::<f64>() / units as f64).collect();
    let right = |value: &f64| *value == 0.0 || *value == 100.0;
    let counted = units == items && items > 1 && x.iter().chain(y).flatten().all(right);
    let only = |row: &[f64], sign: f64| row.iter().filter(|d| **d * sign > 0.0).count() as u64;
    let found = match (rows.len(), units) {
        (_, 1) => None,
        (1, _) => paired_bootstrap(&rows[0], LEVEL, RESAMPLES, SEED).ok(),
        _ => hierarchical_bootstrap(&rows, LEVEL, RESAMPLES, SEED).ok(),
    };
    Some(OtherTests {
        sign_flip: (means.len() > 1).then(|| sign_flip(&means).ok()).flatten(),
        mcnemar: if counted {
            rows.iter().map(|row| mcnemar_exact(only(row, 1.0), only(row, -1.0))).collect()
        } else {
            Vec::new()
        },
        bootstrap: found.and_then(|found| {
            Some(Bootstrap { interval: found.estimate.low.zip(found.estimate.high)?, p: found.p })
        }),
    })
}

impl Comparison {
    /// The other tests, where they were made.
    pub(super) fn other_table(&self) -> Option<Table> {
        let columns = vec![
            Column::text("Variant"),
            Column::text("Measure"),
            Column::number("p"),
            Column::number("Sign flips"),
            Column::text("McNemar, seed by seed"),
            Column::number("Bootstrap"),
            Column::number("p of it"),
        ];
        let mut table = Table::new("tests", self.caption("Other tests"), columns);
        for pair in &self.pairs {
            let mut first = true;
            for score in &pair.scores {
                let Some(tests) = &score.other_tests else { continue };
                let mcnemar: Vec<String> =
                    tests.mcnemar.iter().map(|p| p_cell(Some(*p)).text).collect();
                let cells = vec![
                    Cell::text(if first { pair.title() } else { String::new() }),
                    Cell::text(format!("{} ({})", score.measure, score.unit)),
                    p_cell(score.p),
                    p_cell(tests.sign_flip),
                    Cell::text(mcnemar.join(", ")),
                    match tests.bootstrap {
                        Some(found) => Cell::difference(score.difference, score.digits())
                            .between(Some(found.interval), score.digits()),
                        None => Cell::missing(),
                    },
                    p_cell(tests.bootstrap.map(|found| found.p)),
                ];
                if first {
                    table.push_below_rule(cells)
                } else {
                    table.push(cells)
                }
                first = false;
            }
        }
        table.note(format!(
            "None of these decides. Sign flips: exact, over seeds; with three of them p is 0.25 at least. Bootstrap: {} resamples of items, and of seeds where there are several, of which few make it too narrow.",
            grouped(RESAMPLES as u64)
        ));
        (!table.rows.is_empty()).then_some(table)
    }
}
