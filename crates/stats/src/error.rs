//! What can be wrong with the numbers handed in, and the checks that find it.

/// Largest magnitude accepted: squares and sums of such values stay finite.
const LARGEST: f64 = 1e150;

/// Why an estimate cannot be computed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum StatsError {
    /// Too few values for the estimate asked for.
    #[error("{what} needs at least {needed} values but got {got}; add seeds or items")]
    TooFew {
        /// The estimate.
        what: &'static str,
        /// Smallest number of values that it works with.
        needed: usize,
        /// How many there were.
        got: usize,
    },
    /// A value is NaN, infinite or too large to square.
    #[error(
        "value {value} at position {index} of {what} is not a finite number below 1e150; \
         leave failed runs out before computing statistics"
    )]
    NotFinite {
        /// The estimate.
        what: &'static str,
        /// Position in the slice.
        index: usize,
        /// The offending value.
        value: f64,
    },
    /// Two inputs that belong together have different lengths.
    #[error(
        "{what} needs inputs of one shape but got {left} and {right} {unit}; pair only rows \
         that share their seeds and items"
    )]
    Shape {
        /// The estimate.
        what: &'static str,
        /// What is counted: `seeds`, `items`, `values`.
        unit: &'static str,
        /// Length on the left, or of the first row.
        left: usize,
        /// Length on the right, or of the row that differs.
        right: usize,
    },
    /// All values are equal, so that no correlation exists.
    #[error("{what} is undefined because all {got} values of one input are equal")]
    Constant {
        /// The estimate.
        what: &'static str,
        /// How many equal values.
        got: usize,
    },
    /// A parameter is outside its range.
    #[error("{name} = {value} of {what} must be {range}")]
    Parameter {
        /// The estimate.
        what: &'static str,
        /// The parameter.
        name: &'static str,
        /// The value given.
        value: f64,
        /// The range that is allowed, in words.
        range: &'static str,
    },
}

/// `values` has at least `needed` entries, all finite and small enough to square.
pub(crate) fn check_values(
    what: &'static str,
    values: &[f64],
    needed: usize,
) -> Result<(), StatsError> {
    if values.len() < needed {
        return Err(StatsError::TooFew { what, needed, got: values.len() });
    }
    match values.iter().position(|value| !value.is_finite() || value.abs() > LARGEST) {
        Some(index) => Err(StatsError::NotFinite { what, index, value: values[index] }),
        None => Ok(()),
    }
}

/// Two slices of equal length.
pub(crate) fn check_same_length(
    what: &'static str,
    unit: &'static str,
    left: usize,
    right: usize,
) -> Result<(), StatsError> {
    if left == right { Ok(()) } else { Err(StatsError::Shape { what, unit, left, right }) }
}

/// A parameter strictly between 0 and 1: a level, a probability, a share.
pub(crate) fn check_fraction(
    what: &'static str,
    name: &'static str,
    value: f64,
) -> Result<(), StatsError> {
    if value > 0.0 && value < 1.0 {
        Ok(())
    } else {
        Err(StatsError::Parameter { what, name, value, range: "strictly between 0 and 1" })
    }
}

/// `rows` (seeds x items) is a full rectangle of finite values; returns (seeds, items).
pub(crate) fn check_table(
    what: &'static str,
    rows: &[Vec<f64>],
) -> Result<(usize, usize), StatsError> {
    let Some(first) = rows.first() else {
        return Err(StatsError::TooFew { what, needed: 1, got: 0 });
    };
    for row in rows {
        check_same_length(what, "items", first.len(), row.len())?;
        check_values(what, row, 1)?;
    }
    Ok((rows.len(), first.len()))
}
