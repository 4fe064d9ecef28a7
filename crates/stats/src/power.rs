//! What a planned comparison will be able to see.

use crate::error::{StatsError, check_fraction, check_values};
use crate::tails::{normal_cdf, student_two_sided_quantile};

/// Smallest true mean difference that a two-sided paired t test at `alpha` finds with
/// probability `power`, from `n` differences whose standard deviation is `sd`.
///
/// Exact for normal differences: the power is that of the noncentral t distribution, so
/// the answer is also right for two or three seeds, where the usual
/// (z + z) sd / sqrt(n) is far too optimistic.
///
/// # Errors
/// `n` < 2, a negative or non-finite `sd`, or `alpha` or `power` outside (0, 1), or a power
/// that does not exceed alpha (which no difference at all would reach).
pub fn minimum_detectable_effect(
    sd: f64,
    n: usize,
    alpha: f64,
    power: f64,
) -> Result<f64, StatsError> {
    const WHAT: &str = "a minimum detectable effect";
    check_values(WHAT, &[sd], 1)?;
    check_fraction(WHAT, "alpha", alpha)?;
    check_fraction(WHAT, "power", power)?;
    if sd < 0.0 {
        return Err(StatsError::Parameter {
            what: WHAT,
            name: "sd",
            value: sd,
            range: "zero or more",
        });
    }
    if power <= alpha {
        return Err(StatsError::Parameter {
            what: WHAT,
            name: "power",
            value: power,
            range: "above alpha",
        });
    }
    if n < 2 {
        return Err(StatsError::TooFew { what: WHAT, needed: 2, got: n });
    }
    let freedom = n as f64 - 1.0;
    let critical = student_two_sided_quantile(1.0 - alpha, freedom);
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    while two_sided_power(high, critical, freedom) < power && high < 1e12 {
        low = high;
        high *= 2.0;
    }
    for _ in 0..100 {
        let middle = 0.5 * (low + high);
        if two_sided_power(middle, critical, freedom) < power {
            low = middle;
        } else {
            high = middle;
        }
    }
    Ok(0.5 * (low + high) * sd / (n as f64).sqrt())
}

/// P(|T| > critical) where T = (Z + shift) / S and freedom * S^2 is chi-squared.
///
/// Integrates over S with Simpson's rule. S has density proportional to
/// s^(freedom - 1) exp(-freedom s^2 / 2), whose mass lies within a few 1 / sqrt(2 freedom)
/// of one, so that 2,000 intervals leave an error below 1e-9.
fn two_sided_power(shift: f64, critical: f64, freedom: f64) -> f64 {
    const INTERVALS: usize = 2000;
    let spread = 1.0 / (2.0 * freedom).sqrt();
    let (from, to) = ((1.0 - 12.0 * spread).max(0.0), 1.0 + 12.0 * spread);
    let step = (to - from) / INTERVALS as f64;
    let log_constant = std::f64::consts::LN_2 + 0.5 * freedom * (0.5 * freedom).ln()
        - statrs::function::gamma::ln_gamma(0.5 * freedom);
    let integrand = |s: f64| {
        let log_density = if s > 0.0 {
            log_constant + (freedom - 1.0) * s.ln() - 0.5 * freedom * s * s
        } else if freedom == 1.0 {
            log_constant
        } else {
            return 0.0;
        };
        let rejected = normal_cdf(shift - critical * s) + normal_cdf(-shift - critical * s);
        log_density.exp() * rejected
    };
    let sum: f64 = (0..=INTERVALS)
        .map(|index| {
            let weight = match index {
                0 | INTERVALS => 1.0,
                _ if index % 2 == 1 => 4.0,
                _ => 2.0,
            };
            weight * integrand(from + step * index as f64)
        })
        .sum();
    sum * step / 3.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_shift_has_the_power_alpha() {
        for freedom in [1.0, 2.0, 9.0, 500.0] {
            let critical = student_two_sided_quantile(0.95, freedom);
            assert!((two_sided_power(0.0, critical, freedom) - 0.05).abs() < 1e-6, "{freedom}");
        }
    }

    #[test]
    fn many_seeds_approach_the_normal_formula() {
        let found = minimum_detectable_effect(2.0, 100_000, 0.05, 0.8).unwrap();
        let normal = (1.959_963_985 + 0.841_621_234) * 2.0 / 100_000.0_f64.sqrt();
        assert!((found / normal - 1.0).abs() < 1e-4);
    }

    #[test]
    fn bad_input_is_an_error() {
        assert!(minimum_detectable_effect(1.0, 1, 0.05, 0.8).is_err());
        assert!(minimum_detectable_effect(-1.0, 5, 0.05, 0.8).is_err());
        assert!(minimum_detectable_effect(f64::NAN, 5, 0.05, 0.8).is_err());
        assert!(minimum_detectable_effect(1.0, 5, 0.0, 0.8).is_err());
        assert!(minimum_detectable_effect(1.0, 5, 0.05, 1.0).is_err());
        assert!(minimum_detectable_effect(1.0, 5, 0.5, 0.3).is_err());
        assert_eq!(minimum_detectable_effect(0.0, 5, 0.05, 0.8).unwrap(), 0.0);
    }
}
