//! Rows about the batches of a training: what rounds draw of them, how often they are visited, and
//! what is remembered of them.

use serde::{Deserialize, Serialize};

/// What one round of training kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LedgerRow {
    /// Variant name.
    pub variant: String,
    /// Seed.
    pub seed: u64,
    /// Round, from 1.
    pub round: u32,
    /// Batches that could be drawn.
    pub batches: u64,
    /// Batches that were kept.
    pub kept: u64,
    /// Mean loss of all batches, nats per token.
    pub mean_loss_all: f64,
    /// Mean loss of the kept batches, nats per token.
    pub mean_loss_kept: f64,
    /// Effective number of batches (inverse sum of squared probabilities) over all batches.
    pub effective_share: f64,
    /// `exp` of the entropy of the probabilities over all batches.
    pub perplexity_share: f64,
    /// Largest over smallest probability.
    pub probability_ratio: f64,
    /// Tokens of the pass that scored the batches; 0 where there was none.
    pub scored_tokens: u64,
    /// Kept batches that the round before had drawn too; none where it drew nothing.
    pub overlap: Option<u64>,
    /// Mean overlap of uniform draws.
    pub overlap_expected: Option<f64>,
    /// Standard deviation of the overlap of uniform draws.
    pub overlap_deviation: Option<f64>,
}

/// How many batches were visited so many times, over all rounds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct VisitRow {
    /// Variant name.
    pub variant: String,
    /// Seed.
    pub seed: u64,
    /// Visits of a batch.
    pub times: u64,
    /// Batches with so many.
    pub batches: u64,
    /// Tokens of all these visits.
    pub tokens: u64,
}

/// The loss of a batch of the first round under the final weights.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BatchLossRow {
    /// Variant name.
    pub variant: String,
    /// Seed.
    pub seed: u64,
    /// Place of the batch in the order of the visits, from 0.
    pub batch: u64,
    /// Part of the training that it belongs to, from 0.
    pub part: u64,
    /// Mean loss in nats per token.
    pub loss: f64,
}
