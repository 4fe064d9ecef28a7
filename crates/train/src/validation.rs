//! The loss on held-out text.

use std::f64::consts::LN_2;

use ablate_corpus::{Shard, Windows};
use ablate_model::Decoder;
use burn::module::Module;

use crate::batch::Sequences;
use crate::step::Live;
use crate::{TrainConfig, TrainData, TrainError, ValidationRecord};

/// One record per held-out shard, in their order: the first windows of each, in portions of
/// `micro_sequences`.
///
/// # Errors
/// [`TrainError::Diverged`] where a loss is not finite, tokens that stand for no text, or a
/// damaged shard.
pub(crate) fn validate(
    live: &Live,
    config: &TrainConfig,
    data: &TrainData,
) -> Result<Vec<ValidationRecord>, TrainError> {
    let model: Decoder = live.model.valid();
    let device = model.device();
    let vocabulary = data.token_bytes.len();
    let record = |(language, shard): &(String, &Shard)| {
        let count = Windows::of(shard, config.context).count;
        let windows: Vec<u32> =
            (0..).take((config.validation_windows as u64).min(count) as usize).collect();
        let (mut nats, mut tokens, mut bytes) = (0.0, 0, 0);
        for windows in windows.chunks(config.micro_sequences) {
            let read = Sequences::read(shard, windows, config.context, vocabulary)?;
            let loss = model.loss(read.inputs(&device), read.targets(&device));
            nats += loss.into_scalar::<f64>() * read.tokens() as f64;
            tokens += read.tokens();
            bytes += read.bytes(data.token_bytes);
        }
        let loss = nats / tokens as f64;
        if !loss.is_finite() {
            return Err(TrainError::Diverged { step: live.step, loss, gradient_norm: None });
        }
        if bytes == 0 {
            return Err(TrainError::NoText { language: language.clone() });
        }
        Ok(ValidationRecord {
            step: live.step,
            tokens: live.tokens,
            bytes: live.bytes,
            language: language.clone(),
            loss,
            bits_per_byte: nats / LN_2 / bytes as f64,
        })
    };
    data.validation.iter().map(record).collect()
}
