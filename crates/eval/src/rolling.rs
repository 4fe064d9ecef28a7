//! Likelihoods of whole documents, however long.

use ablate_model::Decoder;
use ablate_tokenizer::Tokenizer;
use burn::module::Module;
use serde::{Deserialize, Serialize};

use crate::EvalError;
use crate::evaluate::check_model;
use crate::prompt::Request;
use crate::score::score;

/// How likely a document is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DocumentLikelihood {
    /// Log-likelihood of all its tokens, in nats.
    pub loglik: f64,
    /// Its tokens, all of which are predicted.
    pub tokens: usize,
    /// Its UTF-8 bytes.
    pub bytes: usize,
    /// Its words: pieces between runs of white space.
    pub words: usize,
    /// Windows that it was cut into.
    pub windows: usize,
}

/// Means over documents, each weighted by its length (lm-evaluation-harness's `loglikelihood_rolling`
/// metrics).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DocumentMetrics {
    /// Nats per word, as a power of e.
    pub word_perplexity: f64,
    /// Nats per byte, as a power of e.
    pub byte_perplexity: f64,
    /// Bits per byte.
    pub bits_per_byte: f64,
}

/// The log-likelihood of each document, in windows as long as the model's context.
///
/// As lm-evaluation-harness: the first window follows `prefix`, each other one the token before it;
/// the last window begins earlier, so that its tokens have a whole context before them. Every token
/// is predicted once.
///
/// # Errors
/// A tokenizer that does not belong to the model, a loss that is not finite.
pub fn document_likelihoods(
    model: &Decoder,
    tokenizer: &Tokenizer,
    documents: &[&str],
    prefix: u32,
    batch_tokens: usize,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Vec<DocumentLikelihood>, EvalError> {
    let config = model.config().clone();
    check_model(model, &config, "tokenizer", tokenizer.vocabulary())?;
    let model = model.valid();
    let tokens = tokenizer.encode_batch(documents);
    let windows: Vec<Vec<Request>> =
        tokens.iter().map(|tokens| windows(tokens, prefix, config.context)).collect();
    let flat: Vec<&Request> = windows.iter().flatten().collect();
    let total = flat.len();
    let scored = score(&model, &flat, batch_tokens, &mut |done| progress(done, total));
    let mut scored = scored.into_iter();
    let texts = documents.iter().zip(&tokens).zip(&windows);
    texts
        .map(|((text, tokens), windows)| {
            let loglik: f64 = scored.by_ref().take(windows.len()).map(|score| score.loglik).sum();
            if !loglik.is_finite() {
                let what = format!("a document of {} bytes", text.len());
                return Err(EvalError::NotFinite { what });
            }
            Ok(DocumentLikelihood {
                loglik,
                tokens: tokens.len(),
                bytes: text.len(),
                words: words(text),
                windows: windows.len(),
            })
        })
        .collect()
}

/// Windows of at most `longest` inputs that predict every token once.
fn windows(tokens: &[u32], prefix: u32, longest: usize) -> Vec<Request> {
    let mut windows = Vec::new();
    let mut predicted = 0;
    while predicted < tokens.len() {
        let count = longest.min(tokens.len() - predicted);
        let end = predicted + count;
        let tokens = if predicted == 0 {
            std::iter::once(prefix).chain(tokens[..end].iter().copied()).collect()
        } else {
            // Later windows have `longest` inputs: what comes before is context.
            tokens[end - longest - 1..end].to_vec()
        };
        windows.push(Request { tokens, continuation: count, truncated: false });
        predicted = end;
    }
    windows
}

/// As Python's `len(re.split(r"\s+", text))`: white space at an end bounds an empty word.
fn words(text: &str) -> usize {
    let space = |c: char| c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c);
    let mut count = 1;
    let mut inside = false;
    for c in text.chars() {
        count += usize::from(space(c) && !inside);
        inside = space(c);
    }
    count
}

/// The metrics of documents; `None` where they have no bytes.
pub fn document_metrics(documents: &[DocumentLikelihood]) -> Option<DocumentMetrics> {
    let nats: f64 = documents.iter().map(|document| -document.loglik).sum();
    let bytes: usize = documents.iter().map(|document| document.bytes).sum();
    let words: usize = documents.iter().map(|document| document.words).sum();
    (bytes > 0 && words > 0).then(|| DocumentMetrics {
        word_perplexity: (nats / words as f64).exp(),
        byte_perplexity: (nats / bytes as f64).exp(),
        bits_per_byte: nats / bytes as f64 / std::f64::consts::LN_2,
    })
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Case {
        tokens: Vec<u32>,
        context: usize,
        /// Context and predicted tokens of each window.
        windows: Vec<(Vec<u32>, Vec<u32>)>,
    }

    #[derive(Deserialize)]
    struct Fixture {
        windows: Vec<Case>,
        words: Vec<(String, usize)>,
    }

    #[test]
    fn windows_are_the_harness_s() {
        let fixture: Fixture =
            serde_json::from_str(include_str!("../tests/fixtures/rolling.json")).unwrap();
        assert!(fixture.windows.len() > 20);
        for case in fixture.windows {
            let found = windows(&case.tokens, 0, case.context);
            let expected: Vec<Request> = case
                .windows
                .into_iter()
                .map(|(context, predicted)| Request {
                    continuation: predicted.len(),
                    tokens: [context, predicted].concat(),
                    truncated: false,
                })
                .collect();
            assert_eq!(found, expected, "{} tokens, {}", case.tokens.len(), case.context);
        }
        for (text, count) in fixture.words {
            assert_eq!(words(&text), count, "{text:?}");
        }
    }

    #[test]
    fn sums_before_dividing() {
        let document = |loglik, bytes, words| DocumentLikelihood {
            loglik,
            tokens: 1,
            bytes,
            words,
            windows: 1,
        };
        let found = document_metrics(&[document(-6.0, 1, 1), document(-2.0, 3, 3)]).unwrap();
        assert!((found.byte_perplexity - 2f64.exp()).abs() < 1e-12);
        assert!((found.bits_per_byte - 2.0 / 2f64.ln()).abs() < 1e-12);
        assert_eq!(found.word_perplexity, found.byte_perplexity);
        assert_eq!(document_metrics(&[]), None);
    }
}
