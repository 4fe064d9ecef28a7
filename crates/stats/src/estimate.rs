//! Point estimates with their intervals.

use crate::error::{StatsError, check_fraction, check_same_length, check_values};
use crate::tails::{normal_two_sided, student_two_sided_quantile};

/// A mean with its uncertainty, in the unit of the values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The mean (or proportion, or difference of means).
    pub mean: f64,
    /// Lower end of the interval; `None` when one value (or no spread) gives none.
    pub low: Option<f64>,
    /// Upper end of the interval.
    pub high: Option<f64>,
    /// Number of independent units behind the interval (seeds, or items).
    pub n: usize,
    /// Standard error of the mean; `None` with a single value.
    pub standard_error: Option<f64>,
}

/// An estimate of a difference and the two-sided p value of "there is none".
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tested {
    /// The difference.
    pub estimate: Estimate,
    /// Two-sided p value.
    pub p: f64,
}

pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Sample variance with n - 1, or zero when the spread is only rounding.
pub(crate) fn variance(values: &[f64]) -> f64 {
    let centre = mean(values);
    let squares: f64 = values.iter().map(|value| (value - centre).powi(2)).sum();
    let largest = values.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
    let found = squares / (values.len() as f64 - 1.0);
    if found <= (1e-13 * largest).powi(2) { 0.0 } else { found }
}

/// Standard error of the mean: sample standard deviation (n - 1) over sqrt(n), as
/// lm-evaluation-harness computes it (`mean_stderr`).
///
/// # Errors
/// Fewer than two values, or one that is not finite.
pub fn standard_error(values: &[f64]) -> Result<f64, StatsError> {
    check_values("a standard error", values, 2)?;
    Ok((variance(values) / values.len() as f64).sqrt())
}

/// Mean of `values` (one per seed, say) with Student's t interval at `level` (0.95).
///
/// One value gives a mean without interval and without standard error.
///
/// # Errors
/// No values, a value that is not finite, or a level outside (0, 1).
pub fn mean_interval(values: &[f64], level: f64) -> Result<Estimate, StatsError> {
    const WHAT: &str = "a mean with interval";
    check_fraction(WHAT, "level", level)?;
    check_values(WHAT, values, 1)?;
    let n = values.len();
    let centre = mean(values);
    if n == 1 {
        return Ok(Estimate { mean: centre, low: None, high: None, n, standard_error: None });
    }
    let error = (variance(values) / n as f64).sqrt();
    let reach = student_two_sided_quantile(level, n as f64 - 1.0) * error;
    Ok(Estimate {
        mean: centre,
        low: Some(centre - reach),
        high: Some(centre + reach),
        n,
        standard_error: Some(error),
    })
}

/// Wilson's score interval of the proportion `successes / n` at `level` (Wilson 1927).
///
/// Unlike the normal interval it stays inside [0, 1] and is sensible at 0 and n successes.
/// `standard_error` is the usual sqrt(p (1 - p) / n).
///
/// # Errors
/// `n` = 0, more successes than trials, or a level outside (0, 1).
pub fn wilson(successes: u64, n: u64, level: f64) -> Result<Estimate, StatsError> {
    const WHAT: &str = "Wilson's interval";
    check_fraction(WHAT, "level", level)?;
    if n == 0 {
        return Err(StatsError::TooFew { what: WHAT, needed: 1, got: 0 });
    }
    if successes > n {
        return Err(StatsError::Parameter {
            what: WHAT,
            name: "successes",
            value: successes as f64,
            range: "at most the number of trials",
        });
    }
    let trials = n as f64;
    let share = successes as f64 / trials;
    let z = normal_two_sided(level);
    let squared = z * z / trials;
    let centre = (share + squared / 2.0) / (1.0 + squared);
    let reach =
        z * (share * (1.0 - share) / trials + squared / (4.0 * trials)).sqrt() / (1.0 + squared);
    Ok(Estimate {
        mean: share,
        low: Some(if successes == 0 { 0.0 } else { (centre - reach).max(0.0) }),
        high: Some(if successes == n { 1.0 } else { (centre + reach).min(1.0) }),
        n: usize::try_from(n).unwrap_or(usize::MAX),
        standard_error: Some((share * (1.0 - share) / trials).sqrt()),
    })
}

/// Standard error of the mean of `values` when values of one cluster (a subject, a passage)
/// are correlated: sqrt(G / (G - 1) * sum over clusters of (sum of residuals)^2) / n.
///
/// `clusters[i]` labels the cluster of `values[i]`. With one value per cluster this is
/// [`standard_error`]. Liang and Zeger (1986); the factor G / (G - 1) is the one that
/// statsmodels applies to a mean.
///
/// # Errors
/// Unequal lengths, fewer than two clusters, or a value that is not finite.
pub fn clustered_standard_error(values: &[f64], clusters: &[usize]) -> Result<f64, StatsError> {
    const WHAT: &str = "a clustered standard error";
    check_same_length(WHAT, "values", values.len(), clusters.len())?;
    check_values(WHAT, values, 2)?;
    let centre = mean(values);
    let mut sums = std::collections::BTreeMap::<usize, f64>::new();
    for (value, cluster) in values.iter().zip(clusters) {
        *sums.entry(*cluster).or_default() += value - centre;
    }
    let groups = sums.len();
    if groups < 2 {
        return Err(StatsError::TooFew { what: WHAT, needed: 2, got: groups });
    }
    let squares: f64 = sums.values().map(|sum| sum * sum).sum();
    let correction = groups as f64 / (groups as f64 - 1.0);
    Ok((correction * squares).sqrt() / values.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_has_no_interval() {
        let estimate = mean_interval(&[2.5], 0.95).unwrap();
        assert_eq!((estimate.mean, estimate.n), (2.5, 1));
        assert_eq!((estimate.low, estimate.high, estimate.standard_error), (None, None, None));
    }

    #[test]
    fn two_values_by_hand() {
        // t_{0.975, 1} = tan(0.475 pi) = 12.706..., sd of (0, 1) is sqrt(1/2).
        let estimate = mean_interval(&[0.0, 1.0], 0.95).unwrap();
        let reach = (0.475 * std::f64::consts::PI).tan() * 0.5;
        assert!((estimate.low.unwrap() - (0.5 - reach)).abs() < 1e-9);
        assert!((estimate.high.unwrap() - (0.5 + reach)).abs() < 1e-9);
    }

    #[test]
    fn bad_input_is_an_error() {
        assert!(matches!(mean_interval(&[], 0.95), Err(StatsError::TooFew { got: 0, .. })));
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e200] {
            assert!(matches!(
                mean_interval(&[1.0, bad], 0.95),
                Err(StatsError::NotFinite { index: 1, .. })
            ));
        }
        for level in [0.0, 1.0, -1.0, f64::NAN] {
            assert!(matches!(mean_interval(&[1.0], level), Err(StatsError::Parameter { .. })));
        }
        assert!(wilson(0, 0, 0.95).is_err());
        assert!(wilson(3, 2, 0.95).is_err());
        assert!(clustered_standard_error(&[1.0, 2.0], &[0]).is_err());
        assert!(clustered_standard_error(&[1.0, 2.0], &[4, 4]).is_err());
        assert!(standard_error(&[1.0]).is_err());
    }

    #[test]
    fn clusters_of_one_are_the_plain_standard_error() {
        let values = [0.0, 1.0, 1.0, 0.0, 1.0];
        let clustered = clustered_standard_error(&values, &[9, 3, 5, 1, 0]).unwrap();
        assert!((clustered - standard_error(&values).unwrap()).abs() < 1e-15);
    }

    #[test]
    fn copies_of_one_item_carry_no_information() {
        // Every value three times, clustered: the standard error of the five, not of fifteen.
        let values = [0.3, 1.2, 0.9, 0.1, 1.0];
        let copied: Vec<f64> = values.iter().flat_map(|value| [*value; 3]).collect();
        let clusters: Vec<usize> = (0..15).map(|index| index / 3).collect();
        let clustered = clustered_standard_error(&copied, &clusters).unwrap();
        assert!((clustered - standard_error(&values).unwrap()).abs() < 1e-14);
    }
}
