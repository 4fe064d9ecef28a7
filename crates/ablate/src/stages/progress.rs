//! Scores of a model at the points of its training whose weights were kept (the paper's Figure 10).

use std::fs;
use std::path::Path;

use ablate_eval::{EvalOptions, Score};
use ablate_model::{Decoder, Weights, device};
use ablate_pipeline::{Context, Failure};
use serde::{Deserialize, Serialize};

use super::eval::{BATCH_TOKENS, Model, Recipe};
use super::train::Snapshot;
use super::{backend, bug, input, machine, read_json, recipe, write_json};

pub const STAGE: &str = "progress";
pub const VERSION: u32 = 1;

/// The scores at one point of a round; a file each, so that an interrupted stage goes on.
#[derive(Debug, Serialize, Deserialize)]
pub struct Point {
    /// Steps done in the round.
    pub step: u64,
    /// Tokens seen in the round.
    pub tokens: u64,
    /// One of every benchmark and metric.
    pub scores: Vec<Score>,
}

pub fn make(context: &Context<'_>) -> Result<bool, Failure> {
    let recipe: Recipe = recipe(context)?;
    let snapshots = Snapshot::all(context.input("weights")?)?;
    let Model { config, tokenizer, benchmarks, .. } = Model::load(context)?;
    let options = EvalOptions {
        batch_tokens: BATCH_TOKENS,
        max_new_tokens: recipe.max_new_tokens,
        scoring: recipe.scoring.into(),
    };
    let device = device(backend(context)?);
    let count = snapshots.len();
    for (place, snapshot) in snapshots.iter().enumerate() {
        let file = context.directory.join(format!("step-{:06}.json", snapshot.step));
        if file.exists() {
            continue;
        }
        if context.stopping() {
            return Ok(false);
        }
        let weights = Weights::load(&snapshot.path).map_err(machine)?;
        let model = Decoder::from_weights(&config, &weights, &device).map_err(bug)?;
        let mut progress = |done: usize, total: usize| {
            let (done, total) = (place * total + done, count * total);
            let message = format!("scoring items at point {} of {count}", place + 1);
            context.progress(done as u64, total as u64, message);
        };
        let items = ablate_eval::evaluate(
            &model,
            &config,
            &tokenizer,
            &benchmarks,
            &options,
            &mut progress,
        )
        .map_err(input)?;
        let (step, tokens) = (snapshot.step, snapshot.tokens);
        let scores = ablate_eval::scores(&items, options.scoring);
        write_json(&file, &Point { step, tokens, scores })?;
    }
    Ok(true)
}

/// What was found, in the order of the steps.
///
/// # Errors
/// When it is missing or not what was written.
pub fn read(folder: &Path) -> Result<Vec<Point>, Failure> {
    let mut points = Vec::new();
    for entry in fs::read_dir(folder).map_err(machine)? {
        let path = entry.map_err(machine)?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        if name.is_some_and(|name| name.starts_with("step-")) {
            points.push(read_json::<Point>(&path)?);
        }
    }
    points.sort_by_key(|point| point.step);
    Ok(points)
}
