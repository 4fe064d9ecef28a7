//! What the caller sees of a run.

use ablate_model::Weights;
use serde::{Deserialize, Serialize};

use crate::TrainError;

/// One update.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepRecord {
    /// Updates done, this one included: 1 for the first.
    pub step: u64,
    /// Updates in all.
    pub steps: u64,
    /// Target tokens seen, this batch included.
    pub tokens: u64,
    /// Bytes of text that those tokens stand for.
    pub bytes: u64,
    /// Mean loss of the batch before the update, in nats per token.
    pub loss: f64,
    /// Learning rate of the update.
    pub learning_rate: f64,
    /// Norm of all gradients together, before clipping.
    pub gradient_norm: f64,
    /// Tokens per second of this step by the wall clock: the only number here that differs
    /// between two runs of the same settings.
    pub tokens_per_second: f64,
}

/// The loss on held-out text of one language.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ValidationRecord {
    /// Updates done: 0 before the first.
    pub step: u64,
    /// Target tokens trained on so far.
    pub tokens: u64,
    /// Bytes of text trained on so far.
    pub bytes: u64,
    /// Language of the held-out text.
    pub language: String,
    /// Mean loss in nats per token.
    pub loss: f64,
    /// All nats over `ln 2` over the bytes of all target tokens.
    pub bits_per_byte: f64,
}

/// Takes records as they come, and may ask for a stop.
///
/// Records and checkpoints fit together as follows. A validation at a step comes after the step's
/// own record, the step's snapshot after both, and all before the checkpoint of that step, which is
/// announced by [`Observer::flush`]. A run that goes on from a checkpoint says so in [`Observer::begin`]: what
/// was recorded after that checkpoint will be recorded again, so the caller drops it
/// ([`truncate_metrics`](crate::truncate_metrics) does that for a file of JSON lines).
pub trait Observer {
    /// The run begins: after the checkpoint of the given step, or anew. Records of later steps
    /// (or, anew, all records) that an earlier try left behind should be dropped now.
    fn begin(&mut self, _resumed: Option<u64>) {}

    /// An update was made.
    fn step(&mut self, record: &StepRecord);

    /// A validation was done.
    fn validation(&mut self, record: &ValidationRecord);

    /// The weights after one of the settings' `snapshots`: they should be on disk before this returns.
    /// A run that goes on from a checkpoint shows those of later steps again, the same ones.
    ///
    /// # Errors
    /// What ends the run, before there is a checkpoint from which it would go on without them.
    fn snapshot(&mut self, _step: u64, _weights: &Weights) -> Result<(), TrainError> {
        Ok(())
    }

    /// A checkpoint is about to be written: every record so far should be on disk before this
    /// returns, or a kill right after the checkpoint would lose it.
    fn flush(&mut self) {}

    /// Asked before every update: whether to write a checkpoint and stop.
    fn stop(&mut self) -> bool {
        false
    }
}
