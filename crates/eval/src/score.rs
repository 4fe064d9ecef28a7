//! Likelihoods of requests.

use ablate_model::Decoder;

use crate::losses::{batches, sequence_losses};
use crate::prompt::Request;

/// What one forward pass says about a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct RequestScore {
    /// Log-likelihood of the continuation given what precedes it, in nats: a sum over its tokens.
    pub(crate) loglik: f64,
    /// Mean loss of all predicted tokens of the prompt, in nats per token.
    pub(crate) prompt_loss: f64,
}

/// Scores requests, longest first in batches of about `batch_tokens` tokens; results are in the
/// order of the requests. `done` is told how many are finished.
///
/// The model must be without autodiff, and tokens below its vocabulary.
pub(crate) fn score(
    model: &Decoder,
    requests: &[&Request],
    batch_tokens: usize,
    done: &mut dyn FnMut(usize),
) -> Vec<RequestScore> {
    let lengths: Vec<usize> = requests.iter().map(|request| request.tokens.len() - 1).collect();
    let nothing = RequestScore { loglik: f64::NAN, prompt_loss: f64::NAN };
    let mut scores = vec![nothing; requests.len()];
    let mut finished = 0;
    for batch in batches(&lengths, batch_tokens) {
        let sequences: Vec<&[u32]> =
            batch.iter().map(|index| requests[*index].tokens.as_slice()).collect();
        for (index, losses) in batch.iter().zip(sequence_losses(model, &sequences)) {
            scores[*index] = RequestScore::of(&losses, requests[*index].continuation);
        }
        finished += batch.len();
        done(finished);
    }
    scores
}

impl RequestScore {
    pub(crate) fn of(losses: &[f32], continuation: usize) -> Self {
        let sum = |losses: &[f32]| losses.iter().map(|loss| f64::from(*loss)).sum::<f64>();
        let start = losses.len().saturating_sub(continuation);
        Self { loglik: -sum(&losses[start..]), prompt_loss: sum(losses) / losses.len() as f64 }
    }

    pub(crate) fn is_finite(self) -> bool {
        self.loglik.is_finite() && self.prompt_loss.is_finite()
    }
}
