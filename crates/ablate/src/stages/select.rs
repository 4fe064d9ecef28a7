//! The batches of a further round: those that the model of the last round finds hardest are
//! more likely to be drawn (the paper's section 2.7).

use std::path::Path;

use ablate_corpus::{Shard, Windows, order};
use ablate_model::{Decoder, ModelConfig, Weights, device};
use ablate_pipeline::{Context, Failure};
use ablate_train::TrainConfig;
use ablate_train::rounds::{Ledger, batch_losses, next_order};
use serde::{Deserialize, Serialize};

use super::{backend, bug, input, machine, read_json, recipe, shards, train, write_json};

pub const STAGE: &str = "select";
pub const VERSION: u32 = 1;

/// What was drawn, with losses and probabilities.
pub const LEDGER: &str = "ledger.json";
/// The windows of the round, in order.
pub const ORDER: &str = "order.json";

#[derive(Debug, Serialize, Deserialize)]
pub struct Recipe {
    /// The round that is drawn for: 2 for the first draw.
    pub round: u32,
    /// How much is drawn, out of what.
    #[serde(flatten)]
    pub draw: train::Draw,
    pub seed: u64,
    /// The first round, whose batches are drawn from.
    pub first: train::Recipe,
    /// Whether the losses are those of the training, as each batch was visited last, and not those of
    /// the trained model.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub running: bool,
}

pub fn make(context: &Context<'_>) -> Result<bool, Failure> {
    let recipe: Recipe = recipe(context)?;
    let folder = context.input("weights")?;
    let data = context.input("shards")?;
    let shard = Shard::open(&data.join(shards::TRAINING)).map_err(machine)?;
    let first = FirstRound::of(&recipe.first, &shard);
    let previous: Option<Ledger> = match context.task.inputs.get("previous") {
        Some(folder) => Some(read_json(&folder.join(LEDGER))?),
        None => None,
    };
    let (losses, scored_tokens) = if recipe.running {
        let training = train::training_losses(folder)?;
        let losses = match &previous {
            None => training.into_iter().map(|loss| loss as f32).collect(),
            Some(ledger) => ledger.losses_after(&training).map_err(bug)?,
        };
        (losses, 0)
    } else {
        let Some(losses) = first.losses(context, folder, &shard)? else { return Ok(false) };
        (losses, first.config.batch_tokens())
    };
    let rule = recipe.draw.rule();
    let ledger =
        Ledger::new(recipe.round, rule, losses, scored_tokens, recipe.seed, previous.as_ref())
            .map_err(input)?;
    let next = next_order(&first.order, &ledger.kept, first.config.batch_sequences).map_err(bug)?;
    write_json(&context.directory.join(LEDGER), &ledger)?;
    write_json(&context.directory.join(ORDER), &next)?;
    Ok(true)
}

/// What a first round visited.
pub struct FirstRound {
    pub config: TrainConfig,
    /// Windows in the order of their visits.
    pub order: Vec<u32>,
}

impl FirstRound {
    pub fn of(recipe: &train::Recipe, shard: &Shard) -> Self {
        let config = recipe.config(recipe.steps(&shard.info()), 0);
        let windows = Windows::of(shard, config.context).count;
        let order = order(windows, config.visits(), recipe.seed);
        Self { config, order }
    }

    /// The loss of every batch under a trained model; `None` when asked to stop.
    ///
    /// # Errors
    /// What cannot be read, or a loss that is not finite.
    pub fn losses(
        &self,
        context: &Context<'_>,
        trained: &Path,
        shard: &Shard,
    ) -> Result<Option<Vec<f32>>, Failure> {
        let model: ModelConfig = read_json(&trained.join(train::CONFIG))?;
        let weights = Weights::load(&trained.join(train::WEIGHTS)).map_err(machine)?;
        let decoder =
            Decoder::from_weights(&model, &weights, &device(backend(context)?)).map_err(bug)?;
        let mut stopped = false;
        let mut progress = |done: usize, total: usize| {
            context.progress(done as u64, total as u64, "scoring batches");
            stopped |= context.stopping();
        };
        let losses = batch_losses(&decoder, shard, &self.order, &self.config, &mut progress)
            .map_err(input)?;
        Ok((!stopped).then_some(losses))
    }
}
