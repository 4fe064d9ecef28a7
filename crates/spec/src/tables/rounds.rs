//! `[rounds]` as it is written.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::size::Share;
use crate::{Normalisation, RoundBudget, RoundLosses, RoundOptimiser, RoundSchedule};

/// Passes over the training data.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RoundsTable {
    /// Rounds in all; 1 is plain training.
    #[schemars(range(min = 1, max = 1000))]
    pub(crate) count: u64,
    /// Share of the batches that each later round visits; 0 is plain training.
    #[schemars(range(min = 0, max = 1))]
    pub(crate) rate: Share,
    /// What the later rounds do to the training budget.
    pub(crate) budget: RoundBudget,
    /// Learning rate of later rounds over what `schedule` says.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub(crate) learning_rate_ratio: f64,
    /// Equal parts of the first round's batches, visited one after the other in later rounds.
    #[schemars(range(min = 1, max = 100000))]
    pub(crate) parts: u64,
    /// Over which batches the probabilities sum to one.
    pub(crate) normalisation: Normalisation,
    /// Which losses the probabilities come from.
    pub(crate) losses: RoundLosses,
    /// What becomes of the optimiser's moments between two rounds.
    pub(crate) optimiser: RoundOptimiser,
    /// How the learning rate goes on after the first round.
    pub(crate) schedule: RoundSchedule,
}

impl Default for RoundsTable {
    fn default() -> Self {
        Self {
            count: 1,
            rate: Share(0.5),
            budget: RoundBudget::Extra,
            learning_rate_ratio: 1.0,
            parts: 1,
            normalisation: Normalisation::Set,
            losses: RoundLosses::Recomputed,
            optimiser: RoundOptimiser::Fresh,
            schedule: RoundSchedule::Restart,
        }
    }
}
