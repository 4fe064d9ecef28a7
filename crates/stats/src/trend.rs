//! A straight line through points: does something rise or fall?

use crate::error::{StatsError, check_fraction, check_same_length, check_values};
use crate::tails::{student_two_sided, student_two_sided_quantile};

/// The slope of a least-squares line with its interval and two-sided p.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trend {
    /// Change of `y` for one of `x`.
    pub slope: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
    /// Two-sided p value of "no slope".
    pub p: f64,
    /// Number of points.
    pub n: usize,
}

/// The least-squares slope of `y` over `x` with a Student interval at this level (`n - 2` degrees of
/// freedom), as scipy's `linregress`.
///
/// # Errors
/// Unequal lengths, fewer than three points, equal `x`, non-finite input, a level outside (0, 1).
pub fn trend(x: &[f64], y: &[f64], level: f64) -> Result<Trend, StatsError> {
    const WHAT: &str = "a trend";
    check_fraction(WHAT, "level", level)?;
    check_same_length(WHAT, "values", x.len(), y.len())?;
    check_values(WHAT, x, 3)?;
    check_values(WHAT, y, 3)?;
    let n = x.len();
    let mean = |values: &[f64]| values.iter().sum::<f64>() / n as f64;
    let (middle, level_of_y) = (mean(x), mean(y));
    let sum = |of: &dyn Fn(f64, f64) -> f64| -> f64 {
        x.iter().zip(y).map(|(x, y)| of(x - middle, y - level_of_y)).sum()
    };
    let spread = sum(&|x, _| x * x);
    if spread == 0.0 {
        return Err(StatsError::Constant { what: WHAT, got: n });
    }
    let slope = sum(&|x, y| x * y) / spread;
    let rest = sum(&|x, y| (y - slope * x) * (y - slope * x));
    let freedom = n as f64 - 2.0;
    let error = (rest / freedom / spread).sqrt();
    let reach = student_two_sided_quantile(level, freedom) * error;
    // Points on a line: the slope is certain, and none is certain too.
    let p = match (slope == 0.0, error == 0.0) {
        (true, _) => 1.0,
        (false, true) => 0.0,
        (false, false) => student_two_sided(slope / error, freedom),
    };
    Ok(Trend { slope, low: slope - reach, high: slope + reach, p, n })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(got: f64, expect: f64) {
        assert!((got - expect).abs() < 1e-9 * expect.abs().max(1.0), "{got} {expect}");
    }

    /// `scipy.stats.linregress` (1.16) on the same numbers, its standard error times Student's t.
    #[test]
    fn agrees_with_scipy() {
        let x: Vec<f64> = (0..10).map(|i| (f64::from(i) + 0.5) / 10.0).collect();
        let y = [2.31, 2.28, 2.33, 2.25, 2.27, 2.29, 2.22, 2.24, 2.26, 2.19];
        let found = trend(&x, &y, 0.95).unwrap();
        close(found.slope, -0.10545454545454544);
        close(found.low, -0.17762968718557104);
        close(found.high, -0.033279403723519854);
        close(found.p, 0.009795961583013577);
        assert_eq!(found.n, 10);
    }

    /// The losses of the paper's Figure 9 by part fall, as its text says.
    #[test]
    fn earlier_parts_of_the_paper_are_worse() {
        let parts: Vec<f64> = (0..8).map(f64::from).collect();
        let losses = [2.2673, 2.2588, 2.2637, 2.2471, 2.2513, 2.2428, 2.2316, 2.2355];
        let found = trend(&parts, &losses, 0.95).unwrap();
        assert!(found.high < 0.0 && found.p < 1e-3, "{found:?}");
    }

    #[test]
    fn a_line_is_certain_and_nonsense_is_refused() {
        let exact = trend(&[1.0, 2.0, 3.0], &[2.0, 4.0, 6.0], 0.95).unwrap();
        assert_eq!((exact.slope, exact.low, exact.high, exact.p), (2.0, 2.0, 2.0, 0.0));
        let flat = trend(&[1.0, 2.0, 3.0], &[4.0; 3], 0.95).unwrap();
        assert_eq!((flat.slope, flat.p), (0.0, 1.0));
        assert!(trend(&[1.0, 1.0, 1.0], &[1.0, 2.0, 3.0], 0.95).is_err());
        assert!(trend(&[1.0, 2.0], &[1.0, 2.0], 0.95).is_err());
        assert!(trend(&[1.0, 2.0, 3.0], &[1.0, 2.0], 0.95).is_err());
        assert!(trend(&[1.0, 2.0, f64::NAN], &[1.0, 2.0, 3.0], 0.95).is_err());
    }
}
