//! Whoever watches masks being learned.

use serde::{Deserialize, Serialize};

use super::Sparsity;

/// One update.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MaskRecord {
    /// Updates done, this one included.
    pub step: u64,
    /// Updates in all.
    pub steps: u64,
    /// Target tokens seen.
    pub tokens: u64,
    /// Mean loss of the batch under its masks, in nats per token.
    pub loss: f64,
    /// What was added to it for sparsities off their targets.
    pub penalty: f64,
    /// Learning rate of the weights; 0 where they stand still.
    pub learning_rate: f64,
    /// Expected sparsity after the update.
    pub sparsity: Sparsity,
    /// What it should be at this update.
    pub target: f64,
}

/// Hears of a learning. A closure over updates is one that keeps nothing.
pub trait MaskObserver {
    /// The learning begins, or goes on after the checkpoint of this update: what was recorded of later
    /// ones comes again.
    fn begin(&mut self, resumed: Option<u64>);

    /// One update; says whether to go on.
    fn update(&mut self, record: &MaskRecord) -> bool;

    /// Makes durable what was recorded, before a checkpoint is written. Where that fails (false) none
    /// is.
    fn flush(&mut self) -> bool;
}

impl<F: FnMut(&MaskRecord) -> bool> MaskObserver for F {
    fn begin(&mut self, _: Option<u64>) {}

    fn update(&mut self, record: &MaskRecord) -> bool {
        self(record)
    }

    fn flush(&mut self) -> bool {
        true
    }
}
