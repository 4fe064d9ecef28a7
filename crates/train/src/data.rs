//! What a run trains and validates on.

use ablate_corpus::{Shard, Windows};
use ablate_model::ModelConfig;

use crate::{TrainConfig, TrainError};

/// Tokens, the order in which they are visited, and held-out tokens.
#[derive(Clone)]
pub struct TrainData<'a> {
    /// Training tokens.
    pub shard: &'a Shard,
    /// Window ids in the order of their visits: batch `k` is
    /// `order[k * batch_sequences..(k + 1) * batch_sequences]`. May be longer than the run.
    pub order: &'a [u32],
    /// Bytes of text that each token id of the shard's vocabulary stands for.
    pub token_bytes: &'a [u32],
    /// Held-out shards by language, in the order in which they are reported.
    pub validation: Vec<(String, &'a Shard)>,
}

impl TrainData<'_> {
    /// Checks that data, settings and model fit together. Reads no tokens.
    ///
    /// # Errors
    /// The first thing that does not fit.
    pub fn check(&self, config: &TrainConfig, model: &ModelConfig) -> Result<(), TrainError> {
        config.check()?;
        let context = config.context;
        if context > model.context {
            return Err(TrainError::Context { context, model: model.context });
        }
        check_vocabulary("training", self.shard, model)?;
        let vocabulary = self.shard.info().vocabulary;
        if self.token_bytes.len() != vocabulary {
            return Err(TrainError::TokenBytes { found: self.token_bytes.len(), vocabulary });
        }
        let need = config.visits();
        if (self.order.len() as u64) < need {
            let (steps, batch) = (config.steps, config.batch_sequences);
            return Err(TrainError::OrderTooShort { found: self.order.len(), need, steps, batch });
        }
        check_order(self.order, self.shard, context)?;
        for (language, shard) in &self.validation {
            check_vocabulary(&format!("held-out `{language}`"), shard, model)?;
            if shard.info().vocabulary != vocabulary {
                let found = self.token_bytes.len();
                return Err(TrainError::TokenBytes { found, vocabulary: shard.info().vocabulary });
            }
            if Windows::of(shard, context).count == 0 {
                let (language, tokens) = (language.clone(), shard.info().tokens);
                return Err(TrainError::ShortValidation { language, tokens, context });
            }
        }
        Ok(())
    }
}

/// Checks that a shard's ids all have a row in the model.
pub(crate) fn check_vocabulary(
    what: &str,
    shard: &Shard,
    model: &ModelConfig,
) -> Result<(), TrainError> {
    let (found, model) = (shard.info().vocabulary, model.shape.vocabulary);
    if found > model {
        return Err(TrainError::Vocabulary { what: what.to_owned(), found, model });
    }
    Ok(())
}

/// Checks that the shard has every window of the order.
pub(crate) fn check_order(order: &[u32], shard: &Shard, context: usize) -> Result<(), TrainError> {
    let count = Windows::of(shard, context).count;
    match order.iter().position(|window| u64::from(*window) >= count) {
        None => Ok(()),
        Some(position) => {
            Err(TrainError::Window { position, window: order[position], count, context })
        }
    }
}
