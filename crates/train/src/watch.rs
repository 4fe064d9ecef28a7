//! Notices a run whose loss is absurd for good.

use serde::{Deserialize, Serialize};

/// How much worse than guessing a loss must be to be absurd, in nats per token.
const MARGIN: f64 = 1.0;

/// What has been seen of a run's losses. Part of its state.
///
/// A loss is absurd when it is more than one nat above both that of guessing, the logarithm of the
/// vocabulary, and that of the run's first batch. After the warm-up, `patience` absurd losses in a
/// row are a divergence: single spikes are not, nor is a bad start that is trained away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Watch {
    /// Loss of the first batch.
    first: Option<f64>,
    /// Absurd losses in a row, the last one included.
    absurd: u64,
}

impl Watch {
    /// Whether nothing was seen yet.
    pub(crate) fn is_new(&self) -> bool {
        self.first.is_none()
    }

    /// Absurd losses in a row, the last one included.
    pub(crate) fn absurd(&self) -> u64 {
        self.absurd
    }

    /// The largest loss that is not absurd.
    pub(crate) fn limit(&self, vocabulary: usize) -> f64 {
        (vocabulary as f64).ln().max(self.first.unwrap_or(0.0)) + MARGIN
    }

    /// Takes in the loss of one more batch, and says whether the run has diverged.
    pub(crate) fn see(&mut self, loss: f64, warm: bool, patience: u64, vocabulary: usize) -> bool {
        self.first.get_or_insert(loss);
        let absurd = warm && loss > self.limit(vocabulary);
        self.absurd = if absurd { self.absurd + 1 } else { 0 };
        patience > 0 && self.absurd >= patience
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Number of losses after which a run has diverged; ln 20 is 2.996.
    fn after(losses: &[f64], warmup: usize, patience: u64) -> Option<usize> {
        let mut watch = Watch::default();
        let seen = losses
            .iter()
            .enumerate()
            .position(|(step, loss)| watch.see(*loss, step >= warmup, patience, 20));
        seen.map(|step| step + 1)
    }

    #[test]
    fn only_lasting_absurdity_is_a_divergence() {
        assert_eq!(after(&[3.0, 9.0, 9.0, 9.0, 9.0], 1, 3), Some(4));
        assert_eq!(after(&[3.0, 9.0, 9.0, 3.9, 9.0, 9.0], 1, 3), None, "spikes");
        assert_eq!(after(&[3.0, 9.0, 9.0, 9.0, 9.0], 3, 2), Some(5), "the warm-up does not count");
        assert_eq!(after(&[3.0, 3.9, 3.9, 3.9, 3.9], 1, 2), None, "bad, not absurd");
        assert_eq!(after(&[12.0, 12.5, 12.9, 12.5, 9.0], 0, 2), None, "a bad start");
        assert_eq!(after(&[12.0, 13.1, 13.1, 9.0], 0, 2), Some(3));
        assert_eq!(after(&[3.0; 5].map(|loss| loss * 9.0), 0, 0), None, "not asked for");
    }
}
