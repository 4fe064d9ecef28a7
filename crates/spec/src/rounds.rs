//! Passes over the training data: what a study can say of them, and what it means.
//!
//! The paper leaves several readings open (normalisation, losses, optimiser and learning rate from
//! one round to the next); each is a key here.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::blame::Blame;
use crate::reporter::Reporter;
use crate::tables::RoundsTable;

/// Passes over the training data.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rounds {
    /// Rounds in all; 1 is plain training, and so is a rate of 0.
    pub count: usize,
    /// Share of the batches that each later round visits.
    pub rate: f64,
    /// What the later rounds do to the budget.
    pub budget: RoundBudget,
    /// Learning rate of later rounds over what `schedule` says.
    pub learning_rate_ratio: f64,
    /// Equal parts that the batches of the first round make, in the order of their visits; a later
    /// round visits what it draws part after part.
    pub parts: usize,
    /// Over which batches the probabilities sum to one.
    pub normalisation: Normalisation,
    /// Which losses the probabilities come from.
    pub losses: RoundLosses,
    /// What becomes of AdamW's moments between two rounds.
    pub optimiser: RoundOptimiser,
    /// How the learning rate goes on after the first round.
    pub schedule: RoundSchedule,
}

/// What later rounds do to the training budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RoundBudget {
    /// Each later round adds `rate` times the budget.
    Extra,
    /// All rounds together spend the budget in tokens.
    Within,
    /// All rounds and the passes that score their batches together spend the operations of one round.
    WithinFlops,
}

/// Over which batches the probabilities of a draw sum to one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Normalisation {
    /// All batches: hard parts give more of theirs.
    #[default]
    Set,
    /// The batches of a part: every part gives the same share of its batches.
    Part,
}

/// Which losses the probabilities of a draw come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RoundLosses {
    /// Of the frozen model at the end of the round before: one forward pass over all batches.
    #[default]
    Recomputed,
    /// Of the training, when each batch was visited last: they cost nothing.
    Running,
}

/// What becomes of AdamW's moments between two rounds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RoundOptimiser {
    /// They start from zero.
    #[default]
    Fresh,
    /// They are carried over, and their bias correction goes on.
    Kept,
}

/// How the learning rate goes on after the first round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RoundSchedule {
    /// Every round has a warm-up and a cosine of its own.
    #[default]
    Restart,
    /// One warm-up and one cosine over all rounds.
    Continue,
    /// Later rounds keep one learning rate.
    Constant,
}

impl Rounds {
    /// From the table as written, defaults filled in.
    pub(crate) fn read(
        table: &RoundsTable,
        blame: &Blame<'_>,
        report: &mut Reporter,
    ) -> Option<Self> {
        if table.normalisation == Normalisation::Part && table.parts < 2 {
            let what = "batches cannot be drawn part by part out of one part".to_string();
            let why = "`normalisation = \"part\"` needs `parts` of 2 or more";
            let help = Some("write for example parts = 8, or normalisation = \"set\"".to_string());
            blame.error(report, &["rounds.normalisation", "rounds.parts"], what, why, help);
            return None;
        }
        let rate = table.rate.0;
        Some(Self {
            count: if rate == 0.0 { 1 } else { table.count as usize },
            rate,
            budget: table.budget,
            learning_rate_ratio: table.learning_rate_ratio,
            parts: table.parts as usize,
            normalisation: table.normalisation,
            losses: table.losses,
            optimiser: table.optimiser,
            schedule: table.schedule,
        })
    }
}
