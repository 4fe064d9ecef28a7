//! Rows about a model while it trains.

use serde::{Deserialize, Serialize};

/// The headline score of a benchmark at a point of a training.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ProgressRow {
    /// Variant name.
    pub variant: String,
    /// Seed.
    pub seed: u64,
    /// Training round, from 1.
    pub round: u32,
    /// Tokens seen so far, over all rounds.
    pub tokens: u64,
    /// Tokens seen so far in this round.
    pub round_tokens: u64,
    /// Benchmark name.
    pub benchmark: String,
    /// Language code.
    pub language: String,
    /// `acc_ppl`, `acc` or `rouge1`.
    pub metric: String,
    /// The score, a fraction of 1.
    pub value: f64,
    /// Number of items.
    pub items: u64,
    /// What a model that knows nothing scores.
    pub chance: Option<f64>,
}
