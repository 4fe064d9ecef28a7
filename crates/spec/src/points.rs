//! Points at which a model is scored while it trains, against the steps of the training.

use crate::blame::Blame;
use crate::reporter::Reporter;
use crate::{Budget, RoundBudget, Variant};

/// Reports more points than the first round has steps. How many it has of a budget in bytes only the
/// text says.
pub(crate) fn check(variant: &Variant, blame: &Blame<'_>, report: &mut Reporter) {
    let Budget::Tokens(tokens) = variant.train.budget else { return };
    let rounds = &variant.rounds;
    let share = match rounds.budget {
        RoundBudget::Within => 1.0 / (1.0 + rounds.rate * (rounds.count - 1) as f64),
        // Within the operations it is shorter by what scoring costs, which is not known here: a round
        // that gets too short has a point at every step.
        RoundBudget::Extra | RoundBudget::WithinFlops => 1.0,
    };
    let steps = (tokens as f64 * share / variant.train.batch_tokens as f64).round().max(1.0);
    let points = variant.eval.points;
    if points as f64 > steps {
        let what = format!("{points} points do not fit into a first round of {steps} steps");
        let help = Some(format!("take {steps} or fewer, or smaller batches"));
        let paths = ["eval.points", "train.tokens", "train.batch_tokens"];
        blame.error(report, &paths, what, "more points than steps", help);
    }
}
