//! Bits per byte: how well a model predicts held-out text, whatever its tokenizer.

use std::f64::consts::LN_2;

use ablate_corpus::Shard;
use ablate_model::{Decoder, ModelConfig};
use burn::module::Module;
use serde::{Deserialize, Serialize};

use crate::evaluate::check_model;
use crate::losses::sequence_losses;
use crate::{EvalError, Score};

/// How well a model predicts a shard.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BitsPerByte {
    /// Mean loss in nats per token. Not comparable between tokenizers.
    pub loss: f64,
    /// All nats / ln 2 / bytes of text. Comparable between tokenizers.
    pub bits_per_byte: f64,
    /// 2 to the power of bits per byte.
    pub byte_perplexity: f64,
    /// Standard error of bits per byte: that of a ratio, from the differences between windows;
    /// `None` for a single window.
    pub standard_error: Option<f64>,
    /// Predicted tokens: all of the shard.
    pub tokens: u64,
    /// Bytes of text that they stand for.
    pub bytes: u64,
    /// Windows that the text was cut into.
    pub windows: u64,
}

/// Predicts every token of a shard once, in windows that do not overlap: each predicts up to
/// `context` tokens from those before them in the window. The first window starts with the
/// document separator, as every document but the shard's first does in the shard.
///
/// `token_bytes[id]` is the number of text bytes of a token, 0 for special ones; the separators'
/// losses count (a model must know where documents end) while their bytes are none.
/// `batch_tokens` tokens are run together.
///
/// # Errors
/// A configuration or shard that does not belong to the model, a damaged shard, byte lengths of
/// another tokenizer, tokens that stand for no text, a loss that is not finite.
pub fn bits_per_byte(
    model: &Decoder,
    config: &ModelConfig,
    shard: &Shard,
    token_bytes: &[u32],
    batch_tokens: usize,
) -> Result<BitsPerByte, EvalError> {
    let info = shard.info();
    check_model(model, config, "shard", info.vocabulary)?;
    let vocabulary = info.vocabulary;
    if token_bytes.len() < vocabulary {
        return Err(EvalError::TokenBytes { found: token_bytes.len(), vocabulary });
    }
    let model = model.valid();
    let context = config.context as u64;
    let count = info.tokens.div_ceil(context);
    let per_batch = (batch_tokens as u64 / context).max(1);
    // Nats and bytes of every window.
    let mut windows = Vec::<(f64, u64)>::new();
    let mut first = 0;
    while first < count {
        let last = (first + per_batch).min(count);
        let sequences: Vec<Vec<u32>> =
            (first..last).map(|window| read(shard, window * context, context)).collect();
        if let Some(&token) = sequences.iter().flatten().find(|id| **id as usize >= vocabulary) {
            return Err(EvalError::Token { token, vocabulary });
        }
        let slices: Vec<&[u32]> = sequences.iter().map(Vec::as_slice).collect();
        for (tokens, losses) in sequences.iter().zip(sequence_losses(&model, &slices)) {
            let nats = losses.iter().map(|loss| f64::from(*loss)).sum();
            let bytes = tokens[1..].iter().map(|id| u64::from(token_bytes[*id as usize])).sum();
            windows.push((nats, bytes));
        }
        first = last;
    }
    summary(&windows, info.tokens, info.bytes)
}

/// The tokens from `start` on that a window predicts, up to `context`, after the token before
/// them.
fn read(shard: &Shard, start: u64, context: u64) -> Vec<u32> {
    let end = (start + context).min(shard.info().tokens);
    if start > 0 {
        return shard.window(start - 1, (end - start + 1) as usize);
    }
    // Each document is closed by the separator, whatever its id.
    let close = shard.document_bounds().get(1).map_or(0, |end| end - 1);
    let mut tokens = shard.window(close, 1);
    tokens.extend(shard.window(0, end as usize));
    tokens
}

/// `text` is how many bytes of text the whole shard stands for. Where the tokens' own bytes do not
/// add up to it (a space that a tokenizer puts before every text, characters that it normalises),
/// each window has its share of it.
fn summary(windows: &[(f64, u64)], tokens: u64, text: u64) -> Result<BitsPerByte, EvalError> {
    let nats: f64 = windows.iter().map(|window| window.0).sum();
    let written: u64 = windows.iter().map(|window| window.1).sum();
    let bytes = if written == 0 { 0 } else { text };
    if !nats.is_finite() {
        return Err(EvalError::NotFinite { what: "held-out text".to_owned() });
    }
    if bytes == 0 {
        return Err(EvalError::NoText { tokens });
    }
    let per_byte = nats / bytes as f64;
    let bits = per_byte / LN_2;
    let standard_error = (windows.len() > 1).then(|| {
        let scale = bytes as f64 / written as f64;
        let residuals =
            windows.iter().map(|(nats, written)| nats - per_byte * (*written as f64 * scale));
        let squares: f64 = residuals.map(|residual| residual * residual).sum();
        let count = windows.len() as f64;
        (count / (count - 1.0) * squares).sqrt() / bytes as f64 / LN_2
    });
    Ok(BitsPerByte {
        loss: nats / tokens as f64,
        bits_per_byte: bits,
        byte_perplexity: bits.exp2(),
        standard_error,
        tokens,
        bytes,
        windows: windows.len() as u64,
    })
}

impl BitsPerByte {
    /// As scores of a benchmark: `bits_per_byte` (primary) and `byte_perplexity`, whose items
    /// are windows.
    pub fn scores(&self, benchmark: &str, language: &str) -> [Score; 2] {
        let error = self.standard_error.unwrap_or(f64::NAN);
        let score = |metric: &str, value: f64, standard_error: f64, primary: bool| Score {
            benchmark: benchmark.to_owned(),
            language: language.to_owned(),
            metric: metric.to_owned(),
            value,
            standard_error,
            items: usize::try_from(self.windows).unwrap_or(usize::MAX),
            chance: None,
            primary,
        };
        [
            score("bits_per_byte", self.bits_per_byte, error, true),
            // The derivative of 2^x is ln 2 times 2^x.
            score(
                "byte_perplexity",
                self.byte_perplexity,
                error * LN_2 * self.byte_perplexity,
                false,
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_before_dividing() {
        let found = summary(&[(8.0 * LN_2, 4), (2.0 * LN_2, 6)], 5, 10).unwrap();
        assert!((found.bits_per_byte - 1.0).abs() < 1e-15);
        assert!((found.byte_perplexity - 2.0).abs() < 1e-15);
        assert!((found.loss - 2.0 * LN_2).abs() < 1e-15);
        // Residuals are 4 and -4 bits: sqrt(2 / 1 * 32) / 10 bytes.
        assert!((found.standard_error.unwrap() - 0.8).abs() < 1e-15);
        let [bits, perplexity] = found.scores("validation", "en");
        assert_eq!((bits.metric.as_str(), bits.items, bits.primary), ("bits_per_byte", 2, true));
        assert!((perplexity.standard_error - 0.8 * LN_2 * 2.0).abs() < 1e-12);
        // Two spaces that the tokenizer put before documents are no text: 10 bits for 8 bytes.
        let found = summary(&[(8.0 * LN_2, 4), (2.0 * LN_2, 6)], 5, 8).unwrap();
        assert_eq!((found.bytes, found.bits_per_byte), (8, 1.25));
        // 3.2 and 4.8 bytes: residuals are 4 and -4 bits again.
        assert!((found.standard_error.unwrap() - 1.0).abs() < 1e-15);
        assert_eq!(summary(&[(1.0, 4)], 5, 4).unwrap().standard_error, None);
        assert!(matches!(summary(&[(1.0, 0)], 5, 0), Err(EvalError::NoText { tokens: 5 })));
        assert!(matches!(summary(&[(f64::NAN, 1)], 5, 1), Err(EvalError::NotFinite { .. })));
    }
}
