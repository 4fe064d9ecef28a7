//! Yes/no items scored by two models: McNemar's exact test, and an interval of the difference that
//! agrees with it.

use statrs::function::beta::checked_beta_reg;

use crate::error::{StatsError, check_fraction};
use crate::estimate::{Estimate, Tested};
use crate::tails::{normal_cdf, normal_two_sided};

/// Discordant pairs up to which McNemar's test sums the binomial.
const EXACT_PAIRS: u64 = 10_000_000;

/// McNemar's exact two-sided test for yes/no items scored by two models: `only_first` items
/// were right only for the first, `only_second` only for the second.
///
/// p = min(1, 2 P(X <= min)) with X ~ Binomial(only_first + only_second, 1/2); 1 without
/// discordant items. Above ten million discordant items the normal approximation with
/// continuity correction takes over.
pub fn mcnemar_exact(only_first: u64, only_second: u64) -> f64 {
    let n = only_first.saturating_add(only_second);
    let few = only_first.min(only_second);
    if n == 0 || only_first == only_second {
        return 1.0;
    }
    let trials = n as f64;
    if n > EXACT_PAIRS {
        return (2.0 * normal_cdf((few as f64 + 0.5 - trials / 2.0) / (trials.sqrt() / 2.0)))
            .min(1.0);
    }
    // Relative to the largest term, at `few`, the terms below shrink by k / (n - k + 1).
    let log_largest =
        statrs::function::factorial::ln_binomial(n, few) - trials * std::f64::consts::LN_2;
    let (mut term, mut sum) = (1.0, 1.0);
    for k in (1..=few).rev() {
        term *= k as f64 / (trials - k as f64 + 1.0);
        sum += term;
        if term < 1e-18 * sum {
            break;
        }
    }
    (2.0 * (log_largest + f64::ln(sum)).exp()).min(1.0)
}

/// The difference of two shares of right answers to the same `items`, of which `only_first` were right
/// only for the first model and `only_second` only for the second: with the p of [`mcnemar_exact`] and an
/// interval at `level`.
///
/// The interval is the wider of two at each end: Tango's score interval (1998), which covers well but
/// may disagree with an exact p, and the exact interval (Clopper and Pearson 1934) of the share of
/// discordant items that the first had right, times their number. The second excludes zero exactly when
/// p < 1 - level, and so does the wider of both. `standard_error` is that of the paired differences,
/// sample standard deviation over sqrt(items).
///
/// # Errors
/// No items, more discordant items than items, or a level outside (0, 1).
pub fn mcnemar(
    only_first: u64,
    only_second: u64,
    items: u64,
    level: f64,
) -> Result<Tested, StatsError> {
    const WHAT: &str = "McNemar's test";
    check_fraction(WHAT, "level", level)?;
    if items < 2 {
        let got = usize::try_from(items).unwrap_or(usize::MAX);
        return Err(StatsError::TooFew { what: WHAT, needed: 2, got });
    }
    let discordant = only_first.saturating_add(only_second);
    if discordant > items {
        return Err(StatsError::Parameter {
            what: WHAT,
            name: "discordant items",
            value: discordant as f64,
            range: "at most the number of items",
        });
    }
    let (b, c, n) = (only_first as f64, only_second as f64, items as f64);
    let mean = (b - c) / n;
    let spread = ((b + c) / n - mean * mean).max(0.0);
    let (low, high) = score_interval(b, c, n, level);
    let (least, most) = exact_interval(only_first, only_second, n, level);
    let estimate = Estimate {
        mean,
        low: Some(low.min(least)),
        high: Some(high.max(most)),
        n: usize::try_from(items).unwrap_or(usize::MAX),
        standard_error: Some((spread / (n - 1.0)).sqrt()),
    };
    Ok(Tested { estimate, p: mcnemar_exact(only_first, only_second) })
}

/// Clopper and Pearson's interval of the share of the first among the discordant, as a difference.
fn exact_interval(first: u64, second: u64, n: f64, level: f64) -> (f64, f64) {
    let m = (first + second) as f64;
    if m == 0.0 {
        return (0.0, 0.0);
    }
    let tail = (1.0 - level) / 2.0;
    // P(X >= k) of Binomial(m, p) is I_p(k, m - k + 1), which rises with p.
    let bound = |k: f64, tail: f64| {
        bisect(0.0, 1.0, |p| checked_beta_reg(k, m - k + 1.0, p).unwrap_or(0.0) < tail)
    };
    let low = if first == 0 { 0.0 } else { bound(first as f64, tail) };
    let high = if second == 0 { 1.0 } else { bound(first as f64 + 1.0, 1.0 - tail) };
    ((2.0 * low - 1.0) * m / n, (2.0 * high - 1.0) * m / n)
}

/// Tango's interval: the differences that a score test with the restricted maximum-likelihood estimate
/// of the discordant shares does not reject (Statistics in Medicine 17, 891-908).
fn score_interval(b: f64, c: f64, n: f64, level: f64) -> (f64, f64) {
    let z = normal_two_sided(level);
    let mean = (b - c) / n;
    let statistic = |difference: f64| {
        let linear = -b - c + (2.0 * n - b + c) * difference;
        let constant = -c * difference * (1.0 - difference);
        let root = (linear * linear - 8.0 * n * constant).max(0.0).sqrt();
        // Of the share that only the second has right.
        let share = ((root - linear) / (4.0 * n)).max(0.0);
        let variance = n * (2.0 * share + difference * (1.0 - difference));
        let distance = b - c - n * difference;
        if distance == 0.0 { 0.0 } else { distance / variance.max(0.0).sqrt() }
    };
    let low = if mean <= -1.0 { -1.0 } else { bisect(-1.0, mean, |d| statistic(d) > z) };
    let high = if mean >= 1.0 { 1.0 } else { bisect(mean, 1.0, |d| statistic(d) > -z) };
    (low, high)
}

/// Where a condition that holds from `low` on stops to hold before `high`.
fn bisect(mut low: f64, mut high: f64, holds: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..100 {
        let middle = 0.5 * (low + high);
        if holds(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mcnemar_by_hand() {
        assert_eq!(mcnemar_exact(0, 0), 1.0);
        assert_eq!(mcnemar_exact(4, 4), 1.0);
        // 2 * (1 + 5) / 2^5
        assert!((mcnemar_exact(1, 4) - 0.375).abs() < 1e-12);
        assert_eq!(mcnemar_exact(1, 4), mcnemar_exact(4, 1));
        // Both sides of the switch to the normal approximation.
        let below = mcnemar_exact(4_996_000, 5_003_999);
        let above = mcnemar_exact(4_996_001, 5_004_001);
        assert!((below - above).abs() < 1e-4 && below > 0.005, "{below} {above}");
        assert!(mcnemar_exact(u64::MAX, 3) < 1e-300);
    }

    #[test]
    fn the_interval_excludes_zero_exactly_when_p_is_small() {
        for discordant in 0..=40_u64 {
            for first in 0..=discordant {
                for items in [discordant.max(2), discordant + 7, 10 * discordant + 20] {
                    let found = mcnemar(first, discordant - first, items, 0.95).unwrap();
                    let (low, high) = found.estimate.low.zip(found.estimate.high).unwrap();
                    let excludes = low > 1e-12 || high < -1e-12;
                    assert_eq!(excludes, found.p < 0.05, "{first} of {discordant}, {items}");
                    assert!(low <= found.estimate.mean && found.estimate.mean <= high);
                    assert!((-1.0..=1.0).contains(&low) && (-1.0..=1.0).contains(&high));
                }
            }
        }
    }

    #[test]
    fn sides_can_be_swapped() {
        let (forth, back) = (mcnemar(7, 19, 200, 0.9).unwrap(), mcnemar(19, 7, 200, 0.9).unwrap());
        assert_eq!((forth.p, forth.estimate.mean), (back.p, -back.estimate.mean));
        assert!((forth.estimate.low.unwrap() + back.estimate.high.unwrap()).abs() < 1e-12);
    }

    /// Without discordant items Tango's statistic is n d / sqrt(n d (1 - d)): the ends are
    /// z^2 / (n + z^2).
    #[test]
    fn items_that_all_agree_have_an_interval_still() {
        let found = mcnemar(0, 0, 100, 0.95).unwrap();
        let z2 = 1.959_963_984_540_054_f64.powi(2);
        assert_eq!((found.p, found.estimate.mean), (1.0, 0.0));
        assert!((found.estimate.high.unwrap() - z2 / (100.0 + z2)).abs() < 1e-9);
        assert!((found.estimate.low.unwrap() + z2 / (100.0 + z2)).abs() < 1e-9);
    }

    #[test]
    fn bad_input_is_an_error() {
        assert!(mcnemar(0, 0, 1, 0.95).is_err());
        assert!(mcnemar(3, 3, 5, 0.95).is_err());
        assert!(mcnemar(1, 1, 5, 1.0).is_err());
    }
}
