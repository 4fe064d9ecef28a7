//! What a planned comparison will be able to see.

use crate::error::{StatsError, check_fraction, check_values};
use crate::tails::{normal_cdf, normal_two_sided, student_two_sided_quantile};

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
    if sd < 0.0 {
        return Err(StatsError::Parameter {
            what: WHAT,
            name: "sd",
            value: sd,
            range: "zero or more",
        });
    }
    if n < 2 {
        return Err(StatsError::TooFew { what: WHAT, needed: 2, got: n });
    }
    detectable(sd / (n as f64).sqrt(), n as f64 - 1.0, alpha, power)
}

/// Smallest true mean that a two-sided t test with this standard error and so many degrees of
/// freedom finds with probability `power`.
///
/// # Errors
/// `alpha` or `power` outside (0, 1), or a power that does not exceed alpha.
pub(crate) fn detectable(
    error: f64,
    freedom: f64,
    alpha: f64,
    power: f64,
) -> Result<f64, StatsError> {
    const WHAT: &str = "a minimum detectable effect";
    check_fraction(WHAT, "alpha", alpha)?;
    check_fraction(WHAT, "power", power)?;
    if power <= alpha {
        return Err(StatsError::Parameter {
            what: WHAT,
            name: "power",
            value: power,
            range: "above alpha",
        });
    }
    let critical = student_two_sided_quantile(1.0 - alpha, freedom);
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    while two_sided_power(high, critical, freedom) < power && high < 1e12 {
        low = high;
        high *= 2.0;
    }
    // Far below what is shown; a power is an integral of 2,000 values.
    while high - low > 1e-12 * high {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        if two_sided_power(middle, critical, freedom) < power {
            low = middle;
        } else {
            high = middle;
        }
    }
    Ok(0.5 * (low + high) * error)
}

/// Pairs of values at which a rank correlation of `rho` is told from none at two-sided `alpha`
/// with probability `power`, by Fisher's z with the standard error of [`spearman`](crate::spearman)'s
/// interval (Bonett and Wright 2000). `None` where no number below a million is enough.
///
/// # Errors
/// `rho` outside [-1, 1], `alpha` or `power` outside (0, 1).
pub fn pairs_for_correlation(
    rho: f64,
    alpha: f64,
    power: f64,
) -> Result<Option<usize>, StatsError> {
    const WHAT: &str = "a number of pairs";
    check_correlation(WHAT, rho)?;
    check_fraction(WHAT, "alpha", alpha)?;
    check_fraction(WHAT, "power", power)?;
    let critical = normal_two_sided(1.0 - alpha);
    Ok(fewest_pairs(rho, |z, error| normal_cdf(z.abs() / error - critical) >= power))
}

/// Pairs of values at which a rank correlation of `rho` is told to lie within -`within` and
/// `within` by two one-sided tests at `alpha` with probability `power`, as in
/// [`pairs_for_correlation`].
///
/// # Errors
/// `rho` or `within` outside [-1, 1], `alpha` or `power` outside (0, 1).
pub fn pairs_for_no_correlation(
    rho: f64,
    within: f64,
    alpha: f64,
    power: f64,
) -> Result<Option<usize>, StatsError> {
    const WHAT: &str = "a number of pairs";
    check_correlation(WHAT, rho)?;
    check_correlation(WHAT, within)?;
    check_fraction(WHAT, "alpha", alpha)?;
    check_fraction(WHAT, "power", power)?;
    let (critical, bound) = (normal_two_sided(1.0 - 2.0 * alpha), within.atanh());
    Ok(fewest_pairs(rho, |z, error| {
        let inside = normal_cdf((bound - z) / error - critical)
            - normal_cdf((-bound - z) / error + critical);
        inside >= power
    }))
}

fn check_correlation(what: &'static str, rho: f64) -> Result<(), StatsError> {
    if rho.abs() <= 1.0 {
        return Ok(());
    }
    Err(StatsError::Parameter { what, name: "rho", value: rho, range: "between -1 and 1" })
}

/// The fewest pairs, from five on, of which z and its standard error are enough.
fn fewest_pairs(rho: f64, enough: impl Fn(f64, f64) -> bool) -> Option<usize> {
    smallest(5, |n| {
        let pairs = n as f64;
        let nearest = rho.clamp(-1.0 + 1e-9, 1.0 - 1e-9);
        enough(nearest.atanh(), ((1.0 + nearest * nearest / 2.0) / (pairs - 3.0)).sqrt())
    })
}

/// Numbers of seeds, items or pairs that are looked at.
const MOST: usize = 1_000_000;

/// The smallest number from `first` on that is enough, more being better; `None` beyond a million.
pub(crate) fn smallest(first: usize, enough: impl Fn(usize) -> bool) -> Option<usize> {
    let (mut low, mut high) = (first, first);
    while !enough(high) {
        if high >= MOST {
            return None;
        }
        low = high + 1;
        high = (2 * high).min(MOST);
    }
    while low < high {
        let middle = low.midpoint(high);
        if enough(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Some(high)
}

/// P(|T| > critical) where T = (Z + shift) / S and freedom * S^2 is chi-squared.
pub(crate) fn two_sided_power(shift: f64, critical: f64, freedom: f64) -> f64 {
    over_spreads(freedom, |s| normal_cdf(shift - critical * s) + normal_cdf(-shift - critical * s))
}

/// Power of two one-sided t tests: P(low + critical S < Z < high - critical S), freedom * S^2
/// being chi-squared and low and high the bounds minus the truth in standard errors (the integral
/// behind Owen's Q; Phillips 1990).
pub(crate) fn equivalence_power((low, high): (f64, f64), critical: f64, freedom: f64) -> f64 {
    over_spreads(freedom, |s| {
        (normal_cdf(high - critical * s) - normal_cdf(low + critical * s)).max(0.0)
    })
}

/// Mean of a function of S, where freedom * S^2 is chi-squared.
///
/// Integrates over S with Simpson's rule. S has density proportional to
/// s^(freedom - 1) exp(-freedom s^2 / 2), whose mass lies within a few 1 / sqrt(2 freedom)
/// of one, so that 2,000 intervals leave an error below 1e-9 (1e-6 where the function has a kink).
fn over_spreads(freedom: f64, function: impl Fn(f64) -> f64) -> f64 {
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
        log_density.exp() * function(s)
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

    /// n = 3 + (1 + rho^2 / 2) ((z + z) / atanh rho)^2.
    #[test]
    fn pairs_by_the_closed_form() {
        let closed = |rho: f64| {
            let z: f64 = (1.959_963_985 + 0.841_621_234) / rho.atanh();
            (3.0 + (1.0 + rho * rho / 2.0) * z * z).ceil() as usize
        };
        for rho in [0.09, 0.3, -0.528, 0.8] {
            let found = pairs_for_correlation(rho, 0.05, 0.8).unwrap();
            assert_eq!(found, Some(closed(rho)), "{rho}");
        }
        assert_eq!(pairs_for_correlation(0.0, 0.05, 0.8).unwrap(), None);
        // Around zero: 2 Phi(atanh(w) / error - z) - 1 = 0.8, so z + z' = 1.644853627 + 1.281551566.
        let z: f64 = (1.644_853_627 + 1.281_551_566) / 0.3_f64.atanh();
        let found = pairs_for_no_correlation(0.0, 0.3, 0.05, 0.8).unwrap();
        assert_eq!(found, Some((3.0 + z * z).ceil() as usize));
        assert_eq!(pairs_for_no_correlation(0.4, 0.3, 0.05, 0.8).unwrap(), None);
        assert!(pairs_for_correlation(1.5, 0.05, 0.8).is_err());
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
