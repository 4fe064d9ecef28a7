//! What happened when a round's batches were chosen.

use serde::{Deserialize, Serialize};

use crate::TrainError;
use crate::draw::{draw, probabilities};

/// The choice of one round's batches. Kept as JSON beside the round.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ledger {
    /// The round that the kept batches are for: 2 for the first choice.
    pub round: u32,
    /// Share of the batches to keep.
    pub rate: f64,
    /// Batches scored.
    pub batches: usize,
    /// Tokens of the scoring pass: one forward pass over every batch.
    pub tokens: u64,
    /// Mean loss of all batches, in nats per token.
    pub mean_loss: f64,
    /// Mean loss of the kept batches. Above `mean_loss` by as much as the choice was one.
    pub mean_loss_kept: f64,
    /// `1 / sum p_i^2`: the number of equally likely batches that would be as uneven. Equals
    /// `batches` when the losses say nothing, and is the less the more they say.
    pub effective_batches: f64,
    /// `exp` of the entropy of the probabilities; reads like `effective_batches`.
    pub perplexity: f64,
    /// How many of the kept batches the round before had kept too; `None` for the first choice.
    /// Meaningful only when both rounds chose from the same order.
    pub overlap: Option<usize>,
    /// Places of the kept batches in the scored order, in the order of the draws.
    pub kept: Vec<u32>,
    /// Loss of every batch.
    pub losses: Vec<f32>,
    /// Probability of every batch.
    pub probabilities: Vec<f64>,
}

impl Ledger {
    /// Chooses batches for a round from the losses of all of them, each of `batch_tokens` tokens.
    /// `previous` is what the round before kept, where it chose too.
    ///
    /// # Errors
    /// No losses, a loss that is not finite, a rate that is not in `0..=1`, or more batches to keep
    /// than have a probability above 0.
    pub fn new(
        round: u32,
        rate: f64,
        losses: Vec<f32>,
        batch_tokens: u64,
        seed: u64,
        previous: Option<&Self>,
    ) -> Result<Self, TrainError> {
        let config = |key, value: String, need| Err(TrainError::Config { key, value, need });
        if !(0.0..=1.0).contains(&rate) {
            return config("rate", rate.to_string(), "between 0 and 1");
        }
        if losses.is_empty() {
            return config("batches", "0".into(), "at least 1");
        }
        let probabilities = probabilities(&losses)?;
        let drawn = draw(&probabilities, kept_batches(rate, losses.len()), seed)?;
        let kept: Vec<u32> = drawn.iter().map(|batch| *batch as u32).collect();
        let mean = |losses: &mut dyn Iterator<Item = f32>| {
            let (sum, count) =
                losses.fold((0.0, 0u64), |(sum, n), loss| (sum + f64::from(loss), n + 1));
            sum / count as f64
        };
        let mean_loss = mean(&mut losses.iter().copied());
        Ok(Self {
            round,
            rate,
            batches: losses.len(),
            tokens: batch_tokens * losses.len() as u64,
            mean_loss,
            // Nothing kept, nothing shifted.
            mean_loss_kept: if drawn.is_empty() {
                mean_loss
            } else {
                mean(&mut drawn.iter().map(|batch| losses[*batch]))
            },
            effective_batches: 1.0 / probabilities.iter().map(|p| p * p).sum::<f64>(),
            perplexity: entropy(&probabilities).exp(),
            overlap: previous.map(|previous| {
                let before: std::collections::BTreeSet<u32> =
                    previous.kept.iter().copied().collect();
                kept.iter().filter(|batch| before.contains(batch)).count()
            }),
            kept,
            losses,
            probabilities,
        })
    }
}

/// Batches kept at a rate: the nearest whole number.
pub fn kept_batches(rate: f64, batches: usize) -> usize {
    (rate * batches as f64).round() as usize
}

/// In nats.
fn entropy(probabilities: &[f64]) -> f64 {
    probabilities.iter().filter(|p| **p > 0.0).map(|p| -p * p.ln()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_losses_are_uniform() {
        let ledger = Ledger::new(2, 0.5, vec![3.0; 8], 100, 1, None).unwrap();
        assert_eq!(ledger.kept.len(), 4);
        assert_eq!(ledger.tokens, 800);
        assert!((ledger.effective_batches - 8.0).abs() < 1e-9);
        assert!((ledger.perplexity - 8.0).abs() < 1e-9);
        assert_eq!((ledger.mean_loss, ledger.mean_loss_kept), (3.0, 3.0));
        assert_eq!(ledger.overlap, None);
    }

    #[test]
    fn one_hard_batch_is_nearly_all_there_is() {
        let mut losses = vec![1.0; 10];
        losses[7] = 31.0;
        let first = Ledger::new(2, 0.1, losses.clone(), 1, 5, None).unwrap();
        assert_eq!(first.kept, [7]);
        assert!((first.effective_batches - 1.0).abs() < 1e-9);
        assert_eq!((first.mean_loss, first.mean_loss_kept), (4.0, 31.0));
        let second = Ledger::new(3, 0.2, losses, 1, 6, Some(&first)).unwrap();
        assert_eq!(second.overlap, Some(1));
        let json = serde_json::to_string(&second).unwrap();
        assert_eq!(serde_json::from_str::<Ledger>(&json).unwrap(), second);
    }

    #[test]
    fn rates_are_checked_and_rounded() {
        assert_eq!(kept_batches(0.25, 10), 3);
        assert_eq!(kept_batches(0.0, 10), 0);
        assert_eq!(kept_batches(1.0, 10), 10);
        let all = Ledger::new(2, 1.0, vec![1.0, 2.0, 3.0], 1, 5, None).unwrap();
        assert_eq!(all.mean_loss, all.mean_loss_kept);
        assert!(Ledger::new(2, 1.1, vec![1.0], 1, 5, None).is_err());
        assert!(Ledger::new(2, 0.5, vec![], 1, 5, None).is_err());
        assert!(Ledger::new(2, 0.5, vec![f32::INFINITY], 1, 5, None).is_err());
    }
}
