//! Scores of a trained model with consecutive layers left out: how much each of them matters.

use std::path::Path;

use ablate_eval::{EvalOptions, LayerSkips};
use ablate_pipeline::{Context, Failure};
use serde::{Deserialize, Serialize};

use super::eval::{BATCH_TOKENS, Model, Scoring};
use super::{input, read_json, recipe, write_json};

pub const STAGE: &str = "skips";
pub const VERSION: u32 = 1;

/// What was found.
const SKIPS: &str = "skips.json";

#[derive(Debug, Serialize, Deserialize)]
pub struct Recipe {
    pub scoring: Scoring,
    /// How many consecutive layers are left out at a time.
    pub counts: Vec<usize>,
}

pub fn make(context: &Context<'_>) -> Result<bool, Failure> {
    let recipe: Recipe = recipe(context)?;
    let Model { config, model, tokenizer, benchmarks } = Model::load(context)?;
    let options = EvalOptions {
        batch_tokens: BATCH_TOKENS,
        max_new_tokens: 0,
        scoring: recipe.scoring.into(),
    };
    let mut progress = |done: usize, total: usize| {
        context.progress(done as u64, total as u64, "scoring items without layers");
    };
    let found = ablate_eval::layer_skips(
        &model,
        &config,
        &tokenizer,
        &benchmarks,
        &recipe.counts,
        &options,
        &mut progress,
    )
    .map_err(input)?;
    write_json(&context.directory.join(SKIPS), &found)?;
    Ok(!context.stopping())
}

/// What was found without layers.
///
/// # Errors
/// When it is missing or not what was written.
pub fn read(folder: &Path) -> Result<LayerSkips, Failure> {
    read_json(&folder.join(SKIPS))
}
