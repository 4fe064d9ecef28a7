//! Tail areas and quantiles of the normal and Student's t distributions.

use statrs::function::{beta, erf};

/// Beyond this many degrees of freedom t and normal agree to more digits than are shown,
/// while the continued fraction behind the t tail starts to lose some.
const NORMAL_FROM: f64 = 1e7;

/// P(Z <= x) for a standard normal Z.
pub(crate) fn normal_cdf(x: f64) -> f64 {
    0.5 * erf::erfc(-x / std::f64::consts::SQRT_2)
}

/// The x with P(|Z| <= x) = `level`, 0 < level < 1.
pub(crate) fn normal_two_sided(level: f64) -> f64 {
    std::f64::consts::SQRT_2 * erf::erf_inv(level)
}

/// P(|T| >= |t|) for Student's t with `freedom` > 0 degrees of freedom (any real number).
///
/// Equals the regularised incomplete beta function I_x(freedom/2, 1/2) at
/// x = freedom / (freedom + t^2) (Abramowitz and Stegun 26.7.1).
pub(crate) fn student_two_sided(t: f64, freedom: f64) -> f64 {
    if t == 0.0 {
        return 1.0;
    }
    if t.is_infinite() {
        return 0.0;
    }
    if freedom > NORMAL_FROM {
        return erf::erfc(t.abs() / std::f64::consts::SQRT_2);
    }
    let x = freedom / (freedom + t * t);
    beta::checked_beta_reg(0.5 * freedom, 0.5, x).unwrap_or(0.0).clamp(0.0, 1.0)
}

/// The t with P(|T| <= t) = `level`, 0 < level < 1.
///
/// Found by bisection on [`student_two_sided`]: slower than a series, but monotone, which
/// keeps intervals and p values consistent with each other to the last digit.
pub(crate) fn student_two_sided_quantile(level: f64, freedom: f64) -> f64 {
    let tail = 1.0 - level;
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    while student_two_sided(high, freedom) > tail && high < 1e300 {
        low = high;
        high *= 2.0;
    }
    // 200 halvings exhaust the 53 bits of the bracket's mantissa, whatever its scale.
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        if student_two_sided(middle, freedom) > tail {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}
