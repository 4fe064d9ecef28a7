//! What happened when a round's batches were chosen.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::draw::{draw, draw_within, probabilities};
use crate::{TrainError, part_ranges};

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
    /// Equal parts of the order, visited one after the other.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub parts: usize,
    /// Whether the probabilities sum to one within each part, and each part gives its own share.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_part: bool,
}

fn one() -> usize {
    1
}

fn is_one(parts: &usize) -> bool {
    *parts == 1
}

/// How batches are chosen for a round.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DrawRule {
    /// Share of the batches to keep.
    pub rate: f64,
    /// Equal parts of the order: the kept batches are visited part after part, within a part in the
    /// order of the draws.
    pub parts: usize,
    /// Whether every part gives the same share of its batches, drawn with probabilities that sum to
    /// one within it; otherwise one draw is made from all.
    pub by_part: bool,
}

impl DrawRule {
    /// One draw from all batches.
    pub fn of_all(rate: f64) -> Self {
        Self { rate, parts: 1, by_part: false }
    }

    /// Batches that are kept of so many.
    pub fn kept(&self, batches: usize) -> usize {
        match part_ranges(batches, self.parts) {
            Ok(parts) if self.by_part => {
                parts.into_iter().map(|part| kept_batches(self.rate, part.len())).sum()
            }
            _ => kept_batches(self.rate, batches),
        }
    }

    /// The probabilities of all batches, and those that are kept, in the order of their visits.
    fn draw(&self, losses: &[f32], seed: u64) -> Result<(Vec<f64>, Vec<usize>), TrainError> {
        let parts = part_ranges(losses.len(), self.parts)?;
        if self.by_part {
            let mut all = Vec::with_capacity(losses.len());
            for part in &parts {
                all.extend(probabilities(&losses[part.clone()]).map_err(|error| match error {
                    TrainError::BatchLoss { batch, loss } => {
                        TrainError::BatchLoss { batch: batch + part.start, loss }
                    }
                    other => other,
                })?);
            }
            let wanted = |part: std::ops::Range<usize>| {
                let kept = kept_batches(self.rate, part.len());
                (part, kept)
            };
            let ranges: Vec<_> = parts.into_iter().map(wanted).collect();
            let drawn = draw_within(&all, &ranges, seed)?;
            return Ok((all, drawn));
        }
        let all = probabilities(losses)?;
        let mut drawn = draw(&all, kept_batches(self.rate, losses.len()), seed)?;
        let part_of = |batch: &usize| parts.partition_point(|part| part.end <= *batch);
        // Stable: within a part the order of the draws remains.
        drawn.sort_by_key(part_of);
        Ok((all, drawn))
    }
}

impl Ledger {
    /// Chooses batches for a round from the losses of all of them, in the order of their visits.
    /// `scored_tokens` are those of one batch where the losses took a forward pass, and 0 where they
    /// were there already. `previous` is what the round before kept, where it chose too.
    ///
    /// # Errors
    /// No losses, a loss that is not finite, a rate that is not in `0..=1`, fewer batches than parts,
    /// or more batches to keep than have a probability above 0.
    pub fn new(
        round: u32,
        rule: DrawRule,
        losses: Vec<f32>,
        scored_tokens: u64,
        seed: u64,
        previous: Option<&Self>,
    ) -> Result<Self, TrainError> {
        let DrawRule { rate, parts, by_part } = rule;
        let config = |key, value: String, need| Err(TrainError::Config { key, value, need });
        if !(0.0..=1.0).contains(&rate) {
            return config("rate", rate.to_string(), "between 0 and 1");
        }
        if losses.is_empty() {
            return config("batches", "0".into(), "at least 1");
        }
        let (probabilities, drawn) = rule.draw(&losses, seed)?;
        let kept: Vec<u32> = drawn.iter().map(|batch| *batch as u32).collect();
        let mean = |losses: &mut dyn Iterator<Item = f32>| {
            let (sum, count) =
                losses.fold((0.0, 0u64), |(sum, n), loss| (sum + f64::from(loss), n + 1));
            sum / count as f64
        };
        let mean_loss = mean(&mut losses.iter().copied());
        // Parts that each sum to one are taken for one distribution.
        let shares: Cow<'_, [f64]> = match (by_part, parts as f64) {
            (true, parts) => probabilities.iter().map(|p| p / parts).collect(),
            (false, _) => (&probabilities).into(),
        };
        let (effective_batches, perplexity) =
            (1.0 / shares.iter().map(|p| p * p).sum::<f64>(), entropy(&shares).exp());
        Ok(Self {
            round,
            rate,
            batches: losses.len(),
            tokens: scored_tokens * losses.len() as u64,
            mean_loss,
            // Nothing kept, nothing shifted.
            mean_loss_kept: if drawn.is_empty() {
                mean_loss
            } else {
                mean(&mut drawn.iter().map(|batch| losses[*batch]))
            },
            effective_batches,
            perplexity,
            overlap: previous.map(|previous| {
                let before: std::collections::BTreeSet<u32> =
                    previous.kept.iter().copied().collect();
                kept.iter().filter(|batch| before.contains(batch)).count()
            }),
            kept,
            losses,
            probabilities,
            parts,
            by_part,
        })
    }

    /// The loss that every batch had when it was visited last, after a round over the kept batches
    /// with these training losses, one for each in the order of their visits.
    ///
    /// # Errors
    /// [`TrainError::Draw`] when there are more or fewer losses than kept batches.
    pub fn losses_after(&self, training: &[f64]) -> Result<Vec<f32>, TrainError> {
        if training.len() != self.kept.len() {
            let (wanted, possible) = (self.kept.len(), training.len());
            return Err(TrainError::Draw { wanted, possible });
        }
        let mut losses = self.losses.clone();
        for (batch, loss) in self.kept.iter().zip(training) {
            losses[*batch as usize] = *loss as f32;
        }
        Ok(losses)
    }

    /// Largest over smallest probability; infinite where a batch has none.
    pub fn ratio(&self) -> f64 {
        let of =
            |pick: fn(f64, f64) -> f64, start| self.probabilities.iter().copied().fold(start, pick);
        of(f64::max, 0.0) / of(f64::min, f64::INFINITY)
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
        let ledger = Ledger::new(2, DrawRule::of_all(0.5), vec![3.0; 8], 100, 1, None).unwrap();
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
        let first = Ledger::new(2, DrawRule::of_all(0.1), losses.clone(), 1, 5, None).unwrap();
        assert_eq!(first.kept, [7]);
        assert!((first.effective_batches - 1.0).abs() < 1e-9);
        assert_eq!((first.mean_loss, first.mean_loss_kept), (4.0, 31.0));
        let second = Ledger::new(3, DrawRule::of_all(0.2), losses, 1, 6, Some(&first)).unwrap();
        assert_eq!(second.overlap, Some(1));
        let json = serde_json::to_string(&second).unwrap();
        assert_eq!(serde_json::from_str::<Ledger>(&json).unwrap(), second);
    }

    #[test]
    fn rates_are_checked_and_rounded() {
        assert_eq!(kept_batches(0.25, 10), 3);
        assert_eq!(kept_batches(0.0, 10), 0);
        assert_eq!(kept_batches(1.0, 10), 10);
        let all = Ledger::new(2, DrawRule::of_all(1.0), vec![1.0, 2.0, 3.0], 1, 5, None).unwrap();
        assert_eq!(all.mean_loss, all.mean_loss_kept);
        assert!(Ledger::new(2, DrawRule::of_all(1.1), vec![1.0], 1, 5, None).is_err());
        assert!(Ledger::new(2, DrawRule::of_all(0.5), vec![], 1, 5, None).is_err());
        assert!(Ledger::new(2, DrawRule::of_all(0.5), vec![f32::INFINITY], 1, 5, None).is_err());
    }

    #[test]
    fn parts_give_their_own_shares_or_what_is_hard() {
        // The second half is far harder.
        let losses: Vec<f32> = (0..12).map(|i| if i < 6 { 1.0 } else { 9.0 }).collect();
        let draw = |by_part| {
            let rule = DrawRule { rate: 0.5, parts: 2, by_part };
            assert_eq!(rule.kept(12), 6);
            Ledger::new(2, rule, losses.clone(), 1, 3, None).unwrap()
        };
        let (own, all) = (draw(true), draw(false));
        let first = |ledger: &Ledger| ledger.kept.iter().take_while(|batch| **batch < 6).count();
        assert_eq!((first(&own), first(&all)), (3, 0));
        assert!(own.kept[3..].iter().all(|batch| *batch >= 6), "part after part: {own:?}");
        // Within a part all are alike, so the shares by part say nothing.
        assert!((own.effective_batches - 12.0).abs() < 1e-9);
        assert!((own.perplexity - 12.0).abs() < 1e-9);
        assert!((own.ratio() - 1.0).abs() < 1e-12);
        assert!((all.ratio() / 8f64.exp() - 1.0).abs() < 1e-9);
        assert!(
            Ledger::new(2, DrawRule { rate: 0.5, parts: 13, by_part: true }, losses, 1, 3, None)
                .is_err()
        );
    }

    #[test]
    fn uneven_parts_keep_the_nearest_shares() {
        let rule = DrawRule { rate: 0.5, parts: 3, by_part: true };
        // 3, 3 and 4 batches: 2, 2 and 2.
        assert_eq!(rule.kept(10), 6);
        assert_eq!(DrawRule { by_part: false, ..rule }.kept(10), 5);
        let ledger = Ledger::new(2, rule, vec![1.0; 10], 1, 3, None).unwrap();
        assert_eq!(ledger.kept.len(), 6);
    }

    /// Batches are visited part after part although one draw was made of all.
    #[test]
    fn parts_order_what_one_draw_takes() {
        let losses = vec![1.0; 20];
        let all = Ledger::new(2, DrawRule::of_all(0.5), losses.clone(), 1, 4, None).unwrap();
        let rule = DrawRule { rate: 0.5, parts: 4, by_part: false };
        let parts = Ledger::new(2, rule, losses, 1, 4, None).unwrap();
        let by_part = |kept: &[u32]| kept.iter().map(|batch| batch / 5).collect::<Vec<_>>();
        assert!(by_part(&parts.kept).is_sorted() && !by_part(&all.kept).is_sorted());
        for part in 0..4 {
            let of = |kept: &[u32]| -> Vec<u32> {
                kept.iter().copied().filter(|batch| batch / 5 == part).collect()
            };
            assert_eq!(of(&parts.kept), of(&all.kept));
        }
    }

    #[test]
    fn running_losses_are_the_last_ones_seen() {
        let ledger = Ledger::new(2, DrawRule::of_all(0.5), vec![3.0; 4], 0, 1, None).unwrap();
        assert_eq!(ledger.tokens, 0);
        let losses = ledger.losses_after(&[1.0, 2.0]).unwrap();
        for (batch, loss) in losses.iter().enumerate() {
            let expect = match ledger.kept.iter().position(|kept| *kept as usize == batch) {
                Some(visit) => visit as f32 + 1.0,
                None => 3.0,
            };
            assert_eq!(*loss, expect);
        }
        assert!(ledger.losses_after(&[1.0]).is_err());
    }

    /// Ledgers of plain draws are written as they always were.
    #[test]
    fn plain_draws_name_no_parts() {
        let ledger = Ledger::new(2, DrawRule::of_all(0.5), vec![3.0; 4], 7, 1, None).unwrap();
        let json = serde_json::to_value(&ledger).unwrap();
        assert!(json.get("parts").is_none() && json.get("by_part").is_none());
        assert_eq!(serde_json::from_value::<Ledger>(json).unwrap(), ledger);
    }
}
