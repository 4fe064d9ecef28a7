//! Training for a further round on the batches that the model finds hardest (PanGu-pi Pro, section
//! on multiple-round training).
//!
//! After a round, every batch of its order gets its mean loss under the model as it is then
//! ([`batch_losses`]); their softmax gives [`probabilities`]; a share of the batches is drawn
//! without replacement ([`draw`]); and their windows, batch after batch in the order of the draws,
//! are the next round's order ([`next_order`]). [`Ledger::new`] does the middle two and keeps what
//! happened.

use ablate_corpus::Shard;
use ablate_model::Decoder;
use burn::module::Module;

use crate::batch::Sequences;
use crate::data::{check_order, check_vocabulary};
use crate::{TrainConfig, TrainError};

pub use crate::draw::{draw, probabilities};
pub use crate::ledger::{DrawRule, Ledger, kept_batches};

/// Mean loss, in nats per token, of every batch of an order under a frozen model. Batch `k` is the
/// windows `order[k * batch_sequences..(k + 1) * batch_sequences]`, read in portions of
/// `micro_sequences` windows of `context` tokens; of the settings only these three matter.
/// `progress` hears of batches done and batches in all.
///
/// # Errors
/// An order that is not made of whole batches or not of this shard's windows, a vocabulary larger
/// than the model's, a context longer than the model's, or a loss that is not finite.
pub fn batch_losses(
    decoder: &Decoder,
    shard: &Shard,
    order: &[u32],
    config: &TrainConfig,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Vec<f32>, TrainError> {
    config.check()?;
    let (context, size) = (config.context, config.batch_sequences);
    if context > decoder.config().context {
        return Err(TrainError::Context { context, model: decoder.config().context });
    }
    if !order.len().is_multiple_of(size) {
        return Err(TrainError::PartialBatch { windows: order.len(), batch: size });
    }
    check_vocabulary("training", shard, decoder.config())?;
    check_order(order, shard, context)?;

    let model = decoder.valid();
    let device = model.device();
    let vocabulary = shard.info().vocabulary;
    let batches = order.chunks_exact(size);
    let count = batches.len();
    let mut losses = Vec::with_capacity(count);
    for (batch, windows) in batches.enumerate() {
        let mut sum = 0.0;
        for windows in windows.chunks(config.micro_sequences) {
            let read = Sequences::read(shard, windows, context, vocabulary)?;
            let loss = model.loss(read.inputs(&device), read.targets(&device));
            sum += loss.into_scalar::<f64>() * windows.len() as f64;
        }
        let loss = (sum / size as f64) as f32;
        if !loss.is_finite() {
            return Err(TrainError::BatchLoss { batch, loss });
        }
        losses.push(loss);
        progress(batch + 1, count);
    }
    Ok(losses)
}

/// The order of a round: the kept batches of the order that was scored, one after the other.
///
/// # Errors
/// [`TrainError::Draw`] when a kept batch is not in the order.
pub fn next_order(
    order: &[u32],
    kept: &[u32],
    batch_sequences: usize,
) -> Result<Vec<u32>, TrainError> {
    let batches: Vec<&[u32]> = order.chunks_exact(batch_sequences.max(1)).collect();
    let mut next = Vec::with_capacity(kept.len().min(batches.len()) * batch_sequences);
    for batch in kept {
        match batches.get(*batch as usize) {
            Some(windows) => next.extend_from_slice(windows),
            None => {
                let (wanted, possible) = (*batch as usize + 1, batches.len());
                return Err(TrainError::Draw { wanted, possible });
            }
        }
    }
    Ok(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_batches_are_joined_as_drawn() {
        let order: Vec<u32> = vec![5, 1, 7, 3, 0, 2, 9, 9];
        assert_eq!(next_order(&order, &[2, 0], 2).unwrap(), [0, 2, 5, 1]);
        assert!(next_order(&order, &[], 2).unwrap().is_empty());
        assert!(next_order(&order, &[4], 2).is_err());
    }
}
