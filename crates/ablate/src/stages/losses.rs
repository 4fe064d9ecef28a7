//! The loss of every batch of the training under the final weights: what has been forgotten of what
//! was visited early (the paper's Figure 9).

use std::path::Path;

use ablate_corpus::Shard;
use ablate_pipeline::{Context, Failure};
use serde::{Deserialize, Serialize};

use super::{machine, read_json, recipe, select, shards, train, write_json};

pub const STAGE: &str = "losses";
pub const VERSION: u32 = 1;

/// What was found.
const LOSSES: &str = "losses.json";

#[derive(Debug, Serialize, Deserialize)]
pub struct Recipe {
    /// The first round, whose batches are scored.
    pub first: train::Recipe,
}

/// What was found.
#[derive(Debug, Serialize, Deserialize)]
pub struct Losses {
    /// Tokens of a batch.
    pub batch_tokens: u64,
    /// How often the first round went through the whole text; above 1 its batches overlap.
    pub passes: f64,
    /// Nats per token, in the order of the visits.
    pub losses: Vec<f32>,
}

pub fn make(context: &Context<'_>) -> Result<bool, Failure> {
    let recipe: Recipe = recipe(context)?;
    let data = context.input("shards")?;
    let shard = Shard::open(&data.join(shards::TRAINING)).map_err(machine)?;
    let first = select::FirstRound::of(&recipe.first, &shard);
    let trained = context.input("weights")?;
    let Some(losses) = first.losses(context, trained, &shard)? else { return Ok(false) };
    let windows = ablate_corpus::Windows::of(&shard, first.config.context).count;
    let found = Losses {
        batch_tokens: first.config.batch_tokens(),
        passes: first.order.len() as f64 / windows as f64,
        losses,
    };
    write_json(&context.directory.join(LOSSES), &found)?;
    Ok(true)
}

/// What was found.
///
/// # Errors
/// When it is missing or not what was written.
pub fn read(folder: &Path) -> Result<Losses, Failure> {
    read_json(&folder.join(LOSSES))
}
