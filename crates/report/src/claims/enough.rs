//! What it would take to tell what the rows do not.

use ablate_stats::{Target, pairs_for_correlation, pairs_for_no_correlation};
use serde::Serialize;

use super::evidence::Question;
use super::{Expectation, POWER};

/// What would tell an effect at 80% power; `None` where no number below a million would.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Enough {
    /// The effect.
    pub effect: f64,
    /// Seeds, with the items that there are.
    pub seeds: Option<usize>,
    /// Items, with the seeds that there are.
    pub items: Option<usize>,
    /// Variants of a rank correlation.
    pub variants: Option<usize>,
}

/// What would tell an effect, one way or the other; `None` where the question is another.
pub(super) fn enough(
    question: &Question,
    expectation: &Expectation,
    effect: f64,
    alpha: f64,
) -> Option<Enough> {
    let within = expectation.within();
    match question {
        Question::Difference(contrast) => {
            let (target, alpha) = match within {
                None => (Target::Difference(effect), alpha),
                Some(within) if effect.abs() < within => {
                    (Target::Equivalence { within, truth: effect }, alpha)
                }
                // One-sided, beyond the bound.
                Some(within) => (Target::Difference(effect.abs() - within), 2.0 * alpha),
            };
            let found = contrast.enough(target, alpha, POWER).ok()?;
            Some(Enough { effect, seeds: found.seeds, items: found.items, variants: None })
        }
        Question::Correlation(_) => {
            let variants = match within {
                None => pairs_for_correlation(effect, alpha, POWER).ok()?,
                Some(within) if effect.abs() < within => {
                    pairs_for_no_correlation(effect, within, alpha, POWER).ok()?
                }
                Some(_) => return None,
            };
            Some(Enough { effect, seeds: None, items: None, variants })
        }
    }
}
