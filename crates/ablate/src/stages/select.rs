//! The batches of a further round: those that the model of the last round finds hardest are
//! more likely to be drawn (the paper's section 2.7).

use ablate_corpus::{Shard, Windows, order};
use ablate_model::{Decoder, ModelConfig, Weights, device};
use ablate_pipeline::{Context, Failure};
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
    pub rate: f64,
    pub seed: u64,
    /// The first round, whose batches are drawn from.
    pub first: train::Recipe,
}

pub fn make(context: &Context<'_>) -> Result<bool, Failure> {
    let recipe: Recipe = recipe(context)?;
    let folder = context.input("weights")?;
    let model: ModelConfig = read_json(&folder.join(train::CONFIG))?;
    let weights = Weights::load(&folder.join(train::WEIGHTS)).map_err(machine)?;
    let decoder =
        Decoder::from_weights(&model, &weights, &device(backend(context)?)).map_err(bug)?;
    let data = context.input("shards")?;
    let shard = Shard::open(&data.join(shards::TRAINING)).map_err(machine)?;
    let steps = recipe.first.steps(&shard.info());
    let config = recipe.first.config(steps, 0);
    let windows = Windows::of(&shard, config.context).count;
    let order = order(windows, config.visits(), recipe.first.seed);
    let mut stopped = false;
    let losses = batch_losses(&decoder, &shard, &order, &config, &mut |done, total| {
        context.progress(done as u64, total as u64, "scoring batches");
        stopped |= context.stopping();
    })
    .map_err(input)?;
    if stopped {
        return Ok(false);
    }
    let previous: Option<Ledger> = match context.task.inputs.get("previous") {
        Some(folder) => Some(read_json(&folder.join(LEDGER))?),
        None => None,
    };
    let ledger = Ledger::new(
        recipe.round,
        recipe.rate,
        losses,
        config.batch_tokens(),
        recipe.seed,
        previous.as_ref(),
    )
    .map_err(input)?;
    let next = next_order(&order, &ledger.kept, config.batch_sequences).map_err(bug)?;
    write_json(&context.directory.join(LEDGER), &ledger)?;
    write_json(&context.directory.join(ORDER), &next)?;
    Ok(true)
}
