//! Scores of a trained model: benchmarks, and bits per byte of held-out text.

use std::path::Path;

use ablate_corpus::TokenBytes;
use ablate_eval::{Benchmark, EvalOptions, ItemResult, Score};
use ablate_model::{Decoder, ModelConfig, Weights, device};
use ablate_pipeline::{Context, Failure};
use ablate_tokenizer::Tokenizer;
use serde::{Deserialize, Serialize};

use super::{
    backend, bug, input, machine, read_json, recipe, shards, tokenizer, train, write_json,
};

pub const STAGE: &str = "eval";
/// 2: `acc_norm` is per character.
pub const VERSION: u32 = 2;

/// One object per benchmark and metric.
pub const SCORES: &str = "scores.json";
/// One object per item.
pub const ITEMS: &str = "items.json";

/// Tokens that are scored together. Scores do not depend on it beyond rounding.
pub const BATCH_TOKENS: usize = 4096;

#[derive(Debug, Serialize, Deserialize)]
pub struct Recipe {
    pub scoring: Scoring,
    pub max_new_tokens: usize,
    /// What is put before every text, for a model of others whose maker does so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begin: Option<u32>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scoring {
    Ppl,
    Continuation,
}

impl From<ablate_spec::Scoring> for Scoring {
    fn from(scoring: ablate_spec::Scoring) -> Self {
        match scoring {
            ablate_spec::Scoring::Ppl => Self::Ppl,
            ablate_spec::Scoring::Continuation => Self::Continuation,
        }
    }
}

impl From<Scoring> for ablate_eval::Scoring {
    fn from(scoring: Scoring) -> Self {
        match scoring {
            Scoring::Ppl => Self::Ppl,
            Scoring::Continuation => Self::Continuation,
        }
    }
}

/// A trained model with what it is asked.
pub struct Model {
    pub config: ModelConfig,
    pub model: Decoder,
    pub tokenizer: Tokenizer,
    pub benchmarks: Vec<Benchmark>,
}

impl Model {
    /// From the inputs `weights`, `tokenizer` and `benchmarks`.
    ///
    /// # Errors
    /// What cannot be read, or does not belong together.
    pub fn load(context: &Context<'_>) -> Result<Self, Failure> {
        let folder = context.input("weights")?;
        let config: ModelConfig = read_json(&folder.join(train::CONFIG))?;
        let weights = Weights::load(&folder.join(train::WEIGHTS)).map_err(machine)?;
        let model =
            Decoder::from_weights(&config, &weights, &device(backend(context)?)).map_err(bug)?;
        let tokenizer = tokenizer::open(context.input("tokenizer")?)?;
        let benchmarks = benchmarks(context.input("benchmarks")?)?;
        Ok(Self { config, model, tokenizer, benchmarks })
    }
}

pub fn make(context: &Context<'_>) -> Result<bool, Failure> {
    let recipe: Recipe = recipe(context)?;
    let Model { config, model, mut tokenizer, benchmarks } = Model::load(context)?;
    if let Some(begin) = recipe.begin {
        tokenizer = tokenizer.starting_with(begin);
    }
    let path = context.input("tokenizer")?.join(tokenizer::TOKEN_BYTES);
    let token_bytes = TokenBytes::load(&path).map_err(machine)?;

    let options = EvalOptions {
        batch_tokens: BATCH_TOKENS,
        max_new_tokens: recipe.max_new_tokens,
        scoring: recipe.scoring.into(),
    };
    let mut progress = |done: usize, total: usize| {
        context.progress(done as u64, total as u64, "scoring items");
    };
    let items =
        ablate_eval::evaluate(&model, &config, &tokenizer, &benchmarks, &options, &mut progress)
            .map_err(input)?;
    let mut scores = ablate_eval::scores(&items, options.scoring);
    // A study that trains nothing may have no text.
    let held_out = match context.task.inputs.get("shards") {
        Some(shards) => shards::open_validation(shards)?,
        None => Vec::new(),
    };
    for (language, shard) in held_out {
        context.progress(0, 0, format!("held-out text ({language})"));
        let held_out =
            ablate_eval::bits_per_byte(&model, &config, &shard, &token_bytes.0, BATCH_TOKENS)
                .map_err(input)?;
        scores.extend(held_out.scores("validation", &language));
    }
    write_json(&context.directory.join(ITEMS), &items)?;
    write_json(&context.directory.join(SCORES), &scores)?;
    Ok(!context.stopping())
}

/// All benchmark files of a folder, in the order of their names.
fn benchmarks(folder: &Path) -> Result<Vec<Benchmark>, Failure> {
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .map_err(machine)?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"))
        .collect();
    paths.sort();
    let mut all = Vec::new();
    for path in paths {
        all.extend(ablate_eval::read_items(&path).map_err(input)?);
    }
    Ok(Benchmark::group(all))
}

/// What an evaluation found.
pub fn read(folder: &Path) -> Result<(Vec<Score>, Vec<ItemResult>), Failure> {
    Ok((read_json(&folder.join(SCORES))?, read_json(&folder.join(ITEMS))?))
}
