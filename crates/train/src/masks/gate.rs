//! One gate: the hard concrete distribution (Louizos et al. 2018, arXiv:1712.01312), as Sheared LLaMA
//! (Xia et al. 2023, arXiv:2310.06694) uses it.
//!
//! A uniform `u` becomes `s = sigmoid((log u - log(1 - u) + log_alpha) / BETA)`, is stretched to
//! `s (ZETA - GAMMA) + GAMMA` and clipped to 0..1: exactly 0 or 1 most of the time, with a slope in
//! between.

const BETA: f64 = 2.0 / 3.0;
const GAMMA: f64 = -0.1;
const ZETA: f64 = 1.1;
/// Steepness of the masks that are kept in the end.
const SETTLED: f64 = 0.8;

/// Least and largest `log_alpha`: log 0.01 and log 100. Gates start at the upper end.
pub(crate) const RANGE: [f64; 2] = [-4.605_170_185_988_091, 4.605_170_185_988_092];

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// The mask that `u` (inside 0..1) gives, and its derivative by `log_alpha`.
pub(crate) fn sample(log_alpha: f64, u: f64) -> (f64, f64) {
    let s = sigmoid((u.ln() - (-u).ln_1p() + log_alpha) / BETA);
    let stretched = s * (ZETA - GAMMA) + GAMMA;
    if stretched <= 0.0 {
        (0.0, 0.0)
    } else if stretched >= 1.0 {
        (1.0, 0.0)
    } else {
        (stretched, (ZETA - GAMMA) * s * (1.0 - s) / BETA)
    }
}

/// The probability of a mask that is not 0, and its derivative by `log_alpha`.
pub(crate) fn open(log_alpha: f64) -> (f64, f64) {
    let shut = sigmoid(BETA * (-GAMMA / ZETA).ln() - log_alpha);
    (1.0 - shut, shut * (1.0 - shut))
}

/// The mask of a gate that is kept: neither drawn nor clipped.
pub(crate) fn settled(log_alpha: f64) -> f64 {
    sigmoid(SETTLED * log_alpha / BETA)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_is_a_hundredth_to_a_hundred() {
        assert!(
            (RANGE[0] - 0.01_f64.ln()).abs() < 1e-12 && (RANGE[1] - 100_f64.ln()).abs() < 1e-12
        );
    }

    #[test]
    fn slopes_are_those_of_the_values() {
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-6, "{a} not {b}");
        let h = 1e-6;
        for log_alpha in [-4.0, -1.3, 0.0, 0.7, 2.5, 4.6] {
            let difference = (open(log_alpha + h).0 - open(log_alpha - h).0) / (2.0 * h);
            near(open(log_alpha).1, difference);
            for u in [1e-9, 0.02, 0.3, 0.5, 0.81, 0.999] {
                let difference = sample(log_alpha + h, u).0 - sample(log_alpha - h, u).0;
                near(sample(log_alpha, u).1, difference / (2.0 * h));
            }
        }
    }

    /// Masks are open as often as the closed form says: over 100,000 evenly spaced `u`.
    #[test]
    fn open_as_often_as_expected() {
        for log_alpha in [-3.0, -0.4, 0.0, 1.0, 4.0] {
            let count = 100_000;
            let draws =
                (0..count).map(|k| sample(log_alpha, (f64::from(k) + 0.5) / f64::from(count)).0);
            let share = draws.filter(|z| *z > 0.0).count() as f64 / f64::from(count);
            assert!((share - open(log_alpha).0).abs() < 2e-5, "{log_alpha}: {share}");
        }
    }

    #[test]
    fn shut_and_open_at_the_ends() {
        assert_eq!(sample(RANGE[0], 0.5), (0.0, 0.0));
        assert_eq!(sample(RANGE[1], 0.5), (1.0, 0.0));
        // sigmoid(0.8 log(100) * 3/2)
        assert!((settled(RANGE[1]) - 0.996_035_3).abs() < 1e-6, "{}", settled(RANGE[1]));
        assert!(settled(-1.0) < settled(-0.9));
    }
}
