//! Classical tests of paired differences.

use crate::error::{StatsError, check_values};
use crate::estimate::{Tested, mean_interval};
use crate::resampling::Draws;
use crate::tails::student_two_sided;

/// Up to this many differences all 2^n sign patterns are visited.
const EXACT_SIGNS: usize = 20;
/// Random sign patterns beyond that; p has a resolution of about 5e-5.
const SIGN_DRAWS: u64 = 20_000;

/// Student's t test that the mean of `differences` is zero, with its interval at `level`.
///
/// Without any spread the t statistic does not exist: p is then that of [`sign_flip`]
/// (1 for zeros, 2^(1 - n) otherwise) and a mean other than zero has no interval.
///
/// # Errors
/// Fewer than two differences, one that is not finite, or a level outside (0, 1).
pub fn paired_t(differences: &[f64], level: f64) -> Result<Tested, StatsError> {
    check_values("a paired t test", differences, 2)?;
    let mut estimate = mean_interval(differences, level)?;
    let error = estimate.standard_error.unwrap_or(0.0);
    let p = if error > 0.0 {
        student_two_sided(estimate.mean / error, differences.len() as f64 - 1.0)
    } else if estimate.mean == 0.0 {
        1.0
    } else {
        (estimate.low, estimate.high) = (None, None);
        constant_p(differences.len())
    };
    Ok(Tested { estimate, p })
}

/// p of `n` equal differences other than zero: only the two patterns of n equal signs are
/// as extreme.
pub(crate) fn constant_p(n: usize) -> f64 {
    2.0_f64.powi(1 - i32::try_from(n).unwrap_or(i32::MAX))
}

/// Two-sided sign-flip (paired permutation) test: how often is |sum| as large when every
/// difference is equally likely to have either sign?
///
/// Exact over all 2^n patterns for n <= 20; beyond that 20,000 random patterns with a fixed
/// seed and p = (hits + 1) / (draws + 1). Note that the smallest possible p is 2^(1 - n):
/// with three seeds 0.25, with five 0.0625, so six are needed to reach 0.05.
///
/// # Errors
/// No differences, or one that is not finite.
pub fn sign_flip(differences: &[f64]) -> Result<f64, StatsError> {
    check_values("a sign-flip test", differences, 1)?;
    let n = differences.len();
    let scale: f64 = differences.iter().map(|difference| difference.abs()).sum();
    // Sums that differ only by rounding are ties, and ties count as extreme.
    let observed = differences.iter().sum::<f64>().abs() - 1e-9 * scale;
    let signed = |pattern: &dyn Fn(usize) -> bool| -> f64 {
        differences
            .iter()
            .enumerate()
            .map(|(index, difference)| if pattern(index) { -difference } else { *difference })
            .sum::<f64>()
            .abs()
    };
    if n <= EXACT_SIGNS {
        // The first sign can stay: flipping all of them leaves |sum| alone.
        let patterns = 1u64 << (n - 1);
        let hits = (0..patterns)
            .filter(|pattern| signed(&|index| pattern << 1 >> index & 1 == 1) >= observed)
            .count();
        return Ok(hits as f64 / patterns as f64);
    }
    let mut draws = Draws::new(0x5169_6e46_6c69_7021, 0);
    let mut words = vec![0u64; n.div_ceil(64)];
    let mut hits = 0u64;
    for _ in 0..SIGN_DRAWS {
        words.iter_mut().for_each(|word| *word = draws.bits());
        hits += u64::from(signed(&|index| words[index / 64] >> (index % 64) & 1 == 1) >= observed);
    }
    Ok((hits + 1) as f64 / (SIGN_DRAWS + 1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sign_flip_by_hand() {
        // |sum| = 6 is reached by (+,+,+) and (-,-,-) only.
        assert_eq!(sign_flip(&[1.0, 2.0, 3.0]).unwrap(), 0.25);
        // |sum| = 0 is reached by everything.
        assert_eq!(sign_flip(&[1.0, 2.0, -3.0]).unwrap(), 1.0);
        assert_eq!(sign_flip(&[0.4]).unwrap(), 1.0);
        assert_eq!(sign_flip(&[0.0; 5]).unwrap(), 1.0);
        assert_eq!(sign_flip(&[0.1; 6]).unwrap(), 0.03125);
    }

    #[test]
    fn sign_flip_monte_carlo_is_close_to_the_t_test() {
        let differences: Vec<f64> =
            (0..60).map(|index| f64::from((index * 37) % 60) / 10.0 - 2.4).collect();
        let p = sign_flip(&differences).unwrap();
        let t = paired_t(&differences, 0.95).unwrap().p;
        assert!((p - t).abs() < 0.01, "{p} {t}");
        assert_eq!(p, sign_flip(&differences).unwrap());
    }

    #[test]
    fn no_spread() {
        let tested = paired_t(&[0.5, 0.5, 0.5], 0.95).unwrap();
        assert_eq!((tested.p, tested.estimate.low), (0.25, None));
        let tested = paired_t(&[0.0, 0.0], 0.95).unwrap();
        assert_eq!((tested.p, tested.estimate.low), (1.0, Some(0.0)));
    }

    #[test]
    fn bad_input_is_an_error() {
        assert!(sign_flip(&[]).is_err());
        assert!(sign_flip(&[f64::NAN]).is_err());
        assert!(paired_t(&[1.0], 0.95).is_err());
        assert!(paired_t(&[1.0, f64::INFINITY], 0.95).is_err());
    }
}
