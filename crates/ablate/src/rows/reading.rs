//! What the paper leaves open about further rounds, as a variant has it, in words.

use ablate_spec::{Normalisation, RoundBudget, RoundLosses, RoundOptimiser, RoundSchedule, Rounds};

/// `losses recomputed with the frozen model, p over the whole set, ...`; empty for a single round.
pub fn reading(rounds: &Rounds) -> String {
    if rounds.count < 2 {
        return String::new();
    }
    let losses = match rounds.losses {
        RoundLosses::Recomputed => "losses recomputed with the frozen model of the round before",
        RoundLosses::Running => "losses of the training, as each batch was visited last",
    };
    let draw = match (rounds.normalisation, rounds.parts) {
        (Normalisation::Part, parts) => format!("p over each of {parts} parts, visited in turn"),
        (Normalisation::Set, 1) => "p over the whole set".to_owned(),
        (Normalisation::Set, parts) => {
            format!("p over the whole set, {parts} parts visited in turn")
        }
    };
    let optimiser = match rounds.optimiser {
        RoundOptimiser::Fresh => "fresh optimiser",
        RoundOptimiser::Kept => "optimiser carried over",
    };
    let ratio = rounds.learning_rate_ratio;
    let of = |what: &str| match ratio {
        1.0 => what.to_owned(),
        ratio => format!("{what} at {ratio} of the learning rate"),
    };
    let schedule = match rounds.schedule {
        RoundSchedule::Restart => of("each round with its own warm-up and cosine, later ones"),
        RoundSchedule::Continue => of("one schedule over all rounds, later ones"),
        RoundSchedule::Constant => {
            format!("later rounds at a constant {ratio} of the learning rate")
        }
    };
    let schedule = match rounds.schedule {
        RoundSchedule::Restart | RoundSchedule::Continue if ratio == 1.0 => {
            schedule.trim_end_matches(", later ones").to_owned()
        }
        _ => schedule,
    };
    let budget = match rounds.budget {
        RoundBudget::Extra => "later rounds on top of the budget",
        RoundBudget::Within => "all rounds within the tokens of one",
        RoundBudget::WithinFlops => "all rounds within the operations of one, scoring included",
    };
    [losses, &draw, optimiser, &schedule, budget].join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Rounds = Rounds {
        count: 2,
        rate: 0.5,
        budget: RoundBudget::Extra,
        learning_rate_ratio: 1.0,
        parts: 1,
        normalisation: Normalisation::Set,
        losses: RoundLosses::Recomputed,
        optimiser: RoundOptimiser::Fresh,
        schedule: RoundSchedule::Restart,
    };

    #[test]
    fn every_choice_is_named() {
        assert_eq!(
            reading(&PLAIN),
            "losses recomputed with the frozen model of the round before, p over the whole set, \
             fresh optimiser, each round with its own warm-up and cosine, later rounds on top of the \
             budget"
        );
        let other = Rounds {
            budget: RoundBudget::WithinFlops,
            learning_rate_ratio: 0.2,
            parts: 8,
            normalisation: Normalisation::Part,
            losses: RoundLosses::Running,
            optimiser: RoundOptimiser::Kept,
            schedule: RoundSchedule::Continue,
            ..PLAIN
        };
        assert_eq!(
            reading(&other),
            "losses of the training, as each batch was visited last, p over each of 8 parts, visited \
             in turn, optimiser carried over, one schedule over all rounds, later ones at 0.2 of the \
             learning rate, all rounds within the operations of one, scoring included"
        );
        let constant =
            Rounds { schedule: RoundSchedule::Constant, learning_rate_ratio: 0.1, ..PLAIN };
        assert!(reading(&constant).contains("later rounds at a constant 0.1 of the learning rate"));
        assert_eq!(reading(&Rounds { count: 1, ..PLAIN }), "");
    }
}
