//! p values adjusted for the number of comparisons made in one table.

use crate::error::{StatsError, check_values};

/// How the p values of one table are adjusted for their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Adjustment {
    /// [`holm`]: the chance of any false positive in the table.
    #[default]
    Holm,
    /// [`benjamini_hochberg`]: the expected share of false positives among the findings.
    BenjaminiHochberg,
    /// Each on its own.
    None,
}

impl Adjustment {
    /// The adjusted p values, in the order of the input.
    ///
    /// # Errors
    /// A value outside [0, 1]. No values give no values.
    pub fn adjust(self, ps: &[f64]) -> Result<Vec<f64>, StatsError> {
        match self {
            Self::Holm => holm(ps),
            Self::BenjaminiHochberg => benjamini_hochberg(ps),
            Self::None => ascending("a table without adjustment", ps).map(|_| ps.to_vec()),
        }
    }
}

/// Holm's step-down adjustment (1979): comparing the result with alpha bounds the chance of
/// any false positive in the table by alpha. The order of the input is kept.
///
/// # Errors
/// A value outside [0, 1]. No values give no values.
pub fn holm(ps: &[f64]) -> Result<Vec<f64>, StatsError> {
    let order = ascending("Holm's adjustment", ps)?;
    let mut adjusted = vec![0.0; ps.len()];
    let mut floor = 0.0_f64;
    for (rank, index) in order.iter().enumerate() {
        floor = floor.max(ps[*index] * (ps.len() - rank) as f64).min(1.0);
        adjusted[*index] = floor;
    }
    Ok(adjusted)
}

/// Benjamini and Hochberg's step-up adjustment (1995): comparing the result with alpha
/// bounds the expected share of false positives among the findings. Input order is kept.
///
/// # Errors
/// A value outside [0, 1]. No values give no values.
pub fn benjamini_hochberg(ps: &[f64]) -> Result<Vec<f64>, StatsError> {
    let order = ascending("Benjamini and Hochberg's adjustment", ps)?;
    let mut adjusted = vec![0.0; ps.len()];
    let mut ceiling = 1.0_f64;
    for (rank, index) in order.iter().enumerate().rev() {
        ceiling = ceiling.min(ps[*index] * ps.len() as f64 / (rank + 1) as f64);
        adjusted[*index] = ceiling;
    }
    Ok(adjusted)
}

/// Positions of the p values in ascending order, after checking them.
fn ascending(what: &'static str, ps: &[f64]) -> Result<Vec<usize>, StatsError> {
    check_values(what, ps, 0)?;
    if let Some(value) = ps.iter().find(|p| !(0.0..=1.0).contains(*p)) {
        return Err(StatsError::Parameter {
            what,
            name: "p",
            value: *value,
            range: "between 0 and 1",
        });
    }
    let mut order: Vec<usize> = (0..ps.len()).collect();
    order.sort_by(|left, right| ps[*left].total_cmp(&ps[*right]));
    Ok(order)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_and_bad_input() {
        assert_eq!(holm(&[]).unwrap(), Vec::<f64>::new());
        assert_eq!(benjamini_hochberg(&[]).unwrap(), Vec::<f64>::new());
        for bad in [-0.1, 1.1, f64::NAN] {
            assert!(holm(&[0.5, bad]).is_err());
            assert!(benjamini_hochberg(&[bad]).is_err());
        }
    }

    #[test]
    fn an_adjustment_is_its_function() {
        let ps = [0.01, 0.04, 0.03];
        assert_eq!(Adjustment::default().adjust(&ps).unwrap(), holm(&ps).unwrap());
        let found = Adjustment::BenjaminiHochberg.adjust(&ps).unwrap();
        assert_eq!(found, benjamini_hochberg(&ps).unwrap());
        assert_eq!(Adjustment::None.adjust(&ps).unwrap(), ps);
        assert!(Adjustment::None.adjust(&[2.0]).is_err());
    }

    proptest::proptest! {
        #[test]
        fn adjusted_values_order_and_bound(ps in proptest::collection::vec(0.0f64..=1.0, 1..30)) {
            let (strict, loose) = (holm(&ps).unwrap(), benjamini_hochberg(&ps).unwrap());
            for (index, p) in ps.iter().enumerate() {
                proptest::prop_assert!(*p <= loose[index] + 1e-15);
                proptest::prop_assert!(loose[index] <= strict[index] + 1e-15);
                proptest::prop_assert!(strict[index] <= 1.0);
                for other in 0..ps.len() {
                    if ps[other] < *p {
                        proptest::prop_assert!(strict[other] <= strict[index]);
                        proptest::prop_assert!(loose[other] <= loose[index]);
                    }
                }
            }
        }
    }
}
