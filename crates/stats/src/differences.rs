//! Two tables of one shape, seeds x items each, subtracted.

use crate::error::{StatsError, check_same_length, check_table};
use crate::estimate::mean;

/// The differences of two tables, row k of both from the same seed and column i from the same item.
pub(crate) struct Differences {
    pub(crate) rows: Vec<Vec<f64>>,
    /// Means over the items.
    pub(crate) by_seed: Vec<f64>,
    pub(crate) seeds: usize,
    pub(crate) items: usize,
}

impl Differences {
    /// `a` minus `b`.
    ///
    /// # Errors
    /// Unequal numbers of seeds or items, ragged or empty tables, one seed with one item, values
    /// that are not finite.
    pub(crate) fn of(a: &[Vec<f64>], b: &[Vec<f64>]) -> Result<Self, StatsError> {
        const WHAT: &str = "a paired comparison";
        check_same_length(WHAT, "seeds", a.len(), b.len())?;
        let (seeds, items) = check_table(WHAT, a)?;
        let (_, items_of_b) = check_table(WHAT, b)?;
        check_same_length(WHAT, "items", items, items_of_b)?;
        if seeds * items < 2 {
            return Err(StatsError::TooFew { what: WHAT, needed: 2, got: 1 });
        }
        let rows: Vec<Vec<f64>> = a
            .iter()
            .zip(b)
            .map(|(left, right)| left.iter().zip(right).map(|(a, b)| a - b).collect())
            .collect();
        let by_seed = rows.iter().map(|row| mean(row)).collect();
        Ok(Self { rows, by_seed, seeds, items })
    }
}
