//! A model that exists, as other stages read models: weights in 32 bits under the names of all weights.

use std::path::Path;

use ablate_model::ModelConfig;
use ablate_pipeline::{Context, Failure};
use serde::{Deserialize, Serialize};

use super::{bug, input, machine, recipe, train, write_json};
use crate::foreign;

pub const STAGE: &str = "foreign";
pub const VERSION: u32 = 1;

/// Key of the model's path in a node's execution.
pub const PATH: &str = "path";

#[derive(Debug, Serialize, Deserialize)]
pub struct Recipe {
    /// The blake3 of its files.
    pub content: String,
    /// What they say.
    pub model: ModelConfig,
}

pub fn make(context: &Context<'_>) -> Result<bool, Failure> {
    let recipe: Recipe = recipe(context)?;
    let path = context.task.execution.get(PATH).and_then(|path| path.as_str());
    let path = Path::new(path.ok_or_else(|| bug("no path of the model"))?);
    let model = foreign::read(path).map_err(input)?.model;
    if model.config != recipe.model || foreign::content(path).map_err(input)? != recipe.content {
        let shown = path.display();
        return Err(input(format!("`{shown}` changed while the study ran; run it again")));
    }
    model.weights.save(&context.directory.join(train::WEIGHTS)).map_err(machine)?;
    write_json(&context.directory.join(train::CONFIG), &model.config)?;
    Ok(true)
}
