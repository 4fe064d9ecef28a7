//! Everything that a run carries from one step to the next.

use ablate_model::Weights;

use crate::{Initial, Moments, Watch};

/// The state of a run between two steps: exactly what a checkpoint holds. The place in the data
/// follows from `step`, as the order is fixed beforehand, and nothing in the loop draws random
/// numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// Updates done.
    pub step: u64,
    /// Target tokens seen.
    pub tokens: u64,
    /// Bytes of text that those tokens stand for.
    pub bytes: u64,
    /// Loss of the last batch in nats per token; `None` before the first.
    pub loss: Option<f64>,
    /// What was seen of the losses so far.
    pub watch: Watch,
    /// The model's weights.
    pub weights: Weights,
    /// AdamW's running mean of each gradient.
    pub first: Weights,
    /// AdamW's running mean of each squared gradient.
    pub second: Weights,
    /// What learned masks carry besides; empty in a training.
    pub gates: Vec<f64>,
}

impl State {
    /// The state before the first step.
    pub fn new(initial: Initial) -> Self {
        let Initial { weights, moments } = initial;
        let Moments { first, second, .. } = moments.unwrap_or_else(|| Moments::zeros(&weights));
        let watch = Watch::default();
        let gates = Vec::new();
        Self { step: 0, tokens: 0, bytes: 0, loss: None, watch, weights, first, second, gates }
    }

    /// Whether every number is finite: only such a state can be gone on from.
    pub fn is_finite(&self) -> bool {
        [&self.weights, &self.first, &self.second]
            .iter()
            .flat_map(|weights| weights.iter())
            .all(|(_, tensor)| tensor.values.iter().all(|value| value.is_finite()))
    }
}
