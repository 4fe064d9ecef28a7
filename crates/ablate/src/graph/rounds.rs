//! The rounds of a training, and the draws between them.

use ablate_cost::flops_per_token;
use ablate_model::Scheme;
use ablate_pipeline::{Graph, NodeId};
use ablate_spec as spec;
use ablate_train::Precision;

use super::RoundNodes;
use super::build::{Text, add};
use super::variants::{model, shape_name};
use crate::exit::CommandError;
use crate::stages::{losses, select, train};

/// The rounds of a training. Later rounds start from the weights of the round before, on batches
/// drawn from those of the first round. `points` divide the first round evenly, and later rounds at the
/// same interval: the weights at each are kept.
///
/// # Errors
/// Only mistakes of ours.
pub fn rounds(
    graph: &mut Graph,
    variant: &spec::Variant,
    text: &Text,
    (seed, points): (u64, u64),
    weights: Option<NodeId>,
) -> Result<Vec<RoundNodes>, CommandError> {
    let name = format!("{}-seed-{seed}", shape_name(variant));
    let first = first(variant, seed)?;
    let mut inputs = vec![("shards", text.shards), ("tokenizer", text.tokenizer)];
    inputs.extend(weights.map(|weights| ("weights", weights)));
    let recompute = variant.train.recompute;
    let kept = train::Recipe { points, ..first.clone() };
    let node = training(graph, &name, &kept, inputs, recompute)?;
    let mut rounds = vec![RoundNodes { select: None, train: node }];
    for round in 2..=variant.rounds.count {
        let previous = rounds[rounds.len() - 1];
        let recipe = select::Recipe {
            round: u32::try_from(round).map_err(CommandError::bug)?,
            draw: draw(&variant.rounds),
            seed,
            first: first.clone(),
            running: variant.rounds.losses == spec::RoundLosses::Running,
        };
        let mut inputs = vec![("weights", previous.train), ("shards", text.shards)];
        inputs.extend(previous.select.map(|select| ("previous", select)));
        let recipe = serde_json::to_value(&recipe).map_err(CommandError::bug)?;
        let name = format!("{name}-round-{round}");
        let select = graph
            .add(select::STAGE, select::VERSION, &name, recipe, inputs)
            .map_err(CommandError::bug)?;
        let later = train::Recipe { points, ..later(variant, round, seed)? };
        let inputs = vec![
            ("shards", text.shards),
            ("tokenizer", text.tokenizer),
            ("weights", previous.train),
            ("order", select),
        ];
        let node = training(graph, &name, &later, inputs, recompute)?;
        rounds.push(RoundNodes { select: Some(select), train: node });
    }
    Ok(rounds)
}

/// The losses of the first round's batches under the weights of the last one.
///
/// # Errors
/// Only mistakes of ours.
pub fn losses(
    graph: &mut Graph,
    variant: &spec::Variant,
    text: &Text,
    seed: u64,
    last: &RoundNodes,
) -> Result<NodeId, CommandError> {
    let name = format!("{}-seed-{seed}", shape_name(variant));
    let recipe = losses::Recipe { first: first(variant, seed)? };
    let inputs = [("weights", last.train), ("shards", text.shards)];
    add(graph, losses::STAGE, losses::VERSION, &name, &recipe, inputs)
}

fn training(
    graph: &mut Graph,
    name: &str,
    recipe: &train::Recipe,
    inputs: Vec<(&'static str, NodeId)>,
    recompute: bool,
) -> Result<NodeId, CommandError> {
    let recipe = serde_json::to_value(recipe).map_err(CommandError::bug)?;
    let id =
        graph.add(train::STAGE, train::VERSION, name, recipe, inputs).map_err(CommandError::bug)?;
    let node = graph.node_mut(id);
    node.resumable = true;
    if recompute {
        node.execution.insert(train::RECOMPUTE.to_owned(), true.into());
    }
    Ok(id)
}

fn draw(rounds: &spec::Rounds) -> train::Draw {
    // One part is the set.
    let by_part = rounds.normalisation == spec::Normalisation::Part;
    train::Draw { rate: rounds.rate, parts: rounds.parts, by_part }
}

/// The first round.
fn first(variant: &spec::Variant, seed: u64) -> Result<train::Recipe, CommandError> {
    let start = match &variant.init {
        spec::Init::Random(init) => train::Start::Random {
            scheme: match init.scheme {
                spec::Scheme::Constant => Scheme::Constant,
                spec::Scheme::Gpt2 => Scheme::Gpt2,
                spec::Scheme::Internlm => Scheme::Internlm,
                spec::Scheme::DepthAdaptive => Scheme::DepthAdaptive,
            },
            std: init.std,
        },
        spec::Init::Inherit(_) => train::Start::Given,
    };
    recipe(variant, start, first_length(variant), 1, seed)
}

/// A round after the first.
fn later(variant: &spec::Variant, round: usize, seed: u64) -> Result<train::Recipe, CommandError> {
    let rounds = &variant.rounds;
    let mut later = recipe(variant, train::Start::Given, train::Length::Order, round, seed)?;
    later.learning_rate *= rounds.learning_rate_ratio;
    later.given_moments = rounds.optimiser == spec::RoundOptimiser::Kept;
    if rounds.schedule == spec::RoundSchedule::Constant {
        later.warmup = 0.0;
        later.final_ratio = 1.0;
    }
    Ok(later)
}

/// Length of the first round: the whole budget, or what the later rounds leave of it.
pub(super) fn first_length(variant: &spec::Variant) -> train::Length {
    let share = first_share(variant);
    let part = |whole: u64| (whole as f64 * share).round() as u64;
    match variant.train.budget {
        spec::Budget::Tokens(tokens) => train::Length::Tokens(part(tokens)),
        spec::Budget::Bytes(bytes) => train::Length::Bytes(part(bytes)),
    }
}

/// Share of the budget that the first round has.
fn first_share(variant: &spec::Variant) -> f64 {
    let rounds = &variant.rounds;
    let later = (rounds.count - 1) as f64;
    match rounds.budget {
        spec::RoundBudget::Extra => 1.0,
        spec::RoundBudget::Within => 1.0 / (1.0 + rounds.rate * later),
        spec::RoundBudget::WithinFlops => {
            let per_token = flops_per_token(&variant.shape(), variant.model.context);
            // Every later round scores all batches of the first and trains on some.
            let scoring = match rounds.losses {
                spec::RoundLosses::Recomputed => per_token.forward / per_token.training,
                spec::RoundLosses::Running => 0.0,
            };
            1.0 / (1.0 + (rounds.rate + scoring) * later)
        }
    }
}

/// Training of a variant: its settings, with what differs between rounds.
pub(super) fn recipe(
    variant: &spec::Variant,
    start: train::Start,
    length: train::Length,
    round: usize,
    seed: u64,
) -> Result<train::Recipe, CommandError> {
    let settings = &variant.train;
    let rounds = &variant.rounds;
    let sequences = |tokens: u64| (tokens as usize / variant.model.context).max(1);
    // A schedule over one round is that round's own.
    let shared = rounds.schedule == spec::RoundSchedule::Continue && rounds.count > 1;
    let schedule = match shared {
        true => Some(train::SharedSchedule {
            round: u32::try_from(round).map_err(CommandError::bug)?,
            count: u32::try_from(rounds.count).map_err(CommandError::bug)?,
            draw: draw(rounds),
        }),
        false => None,
    };
    Ok(train::Recipe {
        model: model(variant),
        start,
        length,
        batch_sequences: sequences(settings.batch_tokens),
        micro_sequences: sequences(settings.micro_tokens.min(settings.batch_tokens)),
        learning_rate: settings.learning_rate,
        final_ratio: settings.final_ratio,
        warmup: settings.warmup,
        weight_decay: settings.weight_decay,
        beta1: settings.beta1,
        beta2: settings.beta2,
        epsilon: settings.epsilon,
        clip: settings.clip,
        validations: settings.validations,
        precision: match settings.precision {
            spec::Precision::F32 => Precision::F32,
            spec::Precision::Bf16 => Precision::Bf16,
        },
        seed,
        patience: settings.patience,
        // Kept by every round, also by one that is the only one: a study of several numbers of rounds
        // shares them.
        keep_moments: rounds.optimiser == spec::RoundOptimiser::Kept,
        given_moments: false,
        schedule,
        points: 0,
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use ablate_spec::Options;

    use super::*;

    const STUDY: &str = "[corpus]\nbytes = \"1MB\"\n[tokenizer]\nvocabulary = 1000\n[model]\n\
        depth = 2\nwidth = 64\nheads = 4\nffn.multiple = 16\n[train]\ntokens = \"1M\"\n\
        batch_tokens = 1024\nlearning_rate = 1e-3\n";

    fn variant(rounds: &str) -> spec::Variant {
        let text = format!("{STUDY}[rounds]\n{rounds}");
        let read = |_: &Path| Ok(text.clone());
        let loaded = spec::load(Path::new("a.toml"), &read, &Options::default());
        loaded.unwrap_or_else(|failure| panic!("{failure}")).study.variants.remove(0)
    }

    /// Operations of all rounds and scoring passes over those of one round of the whole budget.
    fn spent(variant: &spec::Variant) -> f64 {
        let per_token = flops_per_token(&variant.shape(), variant.model.context);
        let rounds = &variant.rounds;
        let first = first_share(variant);
        let scored = match rounds.losses {
            spec::RoundLosses::Recomputed => first * per_token.forward,
            spec::RoundLosses::Running => 0.0,
        };
        let one = first * per_token.training;
        let all = one + (rounds.count - 1) as f64 * (rounds.rate * one + scored);
        all / per_token.training
    }

    #[test]
    fn rounds_within_the_operations_spend_exactly_those() {
        for rate in [0.0, 0.25, 0.5, 0.75, 1.0] {
            for count in 1..=3 {
                for losses in ["recomputed", "running"] {
                    let words = format!(
                        "rate = {rate}\ncount = {count}\nlosses = \"{losses}\"\n\
                         budget = \"within-flops\"\n"
                    );
                    let variant = variant(&words);
                    assert!((spent(&variant) - 1.0).abs() < 1e-12, "{words}");
                }
            }
        }
        // Without a scoring pass, tokens and operations are the same budget.
        let share = |budget: &str| {
            first_share(&variant(&format!(
                "count = 3\nlosses = \"running\"\nbudget = \"{budget}\"\n"
            )))
        };
        assert_eq!(share("within"), 0.5);
        assert!((share("within-flops") - 0.5).abs() < 1e-12);
    }

    #[test]
    fn no_rate_is_one_round() {
        let variant = variant("count = 3\nrate = 0\nbudget = \"within\"\n");
        assert_eq!((variant.rounds.count, first_share(&variant)), (1, 1.0));
    }

    /// Results made before there were these options keep their keys: nothing new is in a recipe that
    /// does not use it.
    #[test]
    fn plain_recipes_say_nothing_new() {
        let variant = variant("count = 2\n");
        for recipe in [first(&variant, 1).unwrap(), later(&variant, 2, 1).unwrap()] {
            let json = serde_json::to_value(&recipe).unwrap();
            for key in
                ["patience", "keep_moments", "given_moments", "schedule", "precision", "points"]
            {
                assert!(json.get(key).is_none(), "{key}: {json}");
            }
        }
        let draw = serde_json::to_value(draw(&variant.rounds)).unwrap();
        assert_eq!(draw, serde_json::json!({ "rate": 0.5 }));
    }

    #[test]
    fn a_shared_schedule_covers_all_rounds() {
        let variant = variant("count = 3\nschedule = \"continue\"\n");
        let span = |recipe: train::Recipe| recipe.schedule.unwrap().span(100);
        let spans = [
            span(first(&variant, 1).unwrap()),
            span(later(&variant, 2, 1).unwrap()),
            span(later(&variant, 3, 1).unwrap()),
        ];
        assert_eq!(spans.map(|span| (span.before, span.total)), [(0, 200), (100, 200), (150, 200)]);
    }
}
