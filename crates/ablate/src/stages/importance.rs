//! What the loss of a parent would change without each of its weights, to the first order.

use ablate_corpus::{Shard, Windows, order};
use ablate_model::{Decoder, ModelConfig, Weights, training_device};
use ablate_pipeline::{Context, Failure};
use ablate_train::Portions;
use serde::{Deserialize, Serialize};

use super::{backend, bug, input, machine, read_json, recipe, shards, train, write_json};

pub const STAGE: &str = "importance";
pub const VERSION: u32 = 1;

/// `|w dL/dw|` of every weight, under its name.
pub const SALIENCY: &str = "saliency.safetensors";
/// What it was measured on.
const SUMMARY: &str = "importance.json";

#[derive(Debug, Serialize, Deserialize)]
pub struct Recipe {
    /// Tokens of calibration text, in whole windows, at least one.
    pub tokens: u64,
    /// Seed of their choice.
    pub seed: u64,
    #[serde(flatten)]
    pub of: Measured,
}

/// The model that is measured, and how its text is read.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measured {
    /// One that was trained here: as in its training, on that text.
    Trained(Box<train::Recipe>),
    /// One that exists: as its child will, in the parent's own tokens.
    Given(Portions),
}

#[derive(Debug, Serialize, Deserialize)]
struct Summary {
    tokens: u64,
    /// Nats per token.
    loss: f64,
}

impl Recipe {
    /// Windows of calibration text.
    pub fn windows(&self) -> u64 {
        (self.tokens / self.portions().context as u64).max(1)
    }

    /// How the text is read.
    pub fn portions(&self) -> Portions {
        match &self.of {
            Measured::Trained(trained) => Portions {
                context: trained.model.context,
                micro_sequences: trained.micro_sequences,
            },
            Measured::Given(portions) => *portions,
        }
    }
}

pub fn make(context: &Context<'_>) -> Result<bool, Failure> {
    let recipe: Recipe = recipe(context)?;
    let folder = context.input("weights")?;
    let model: ModelConfig = read_json(&folder.join(train::CONFIG))?;
    let weights = Weights::load(&folder.join(train::WEIGHTS)).map_err(machine)?;
    let device = training_device(backend(context)?);
    let decoder = Decoder::from_weights(&model, &weights, &device).map_err(bug)?;
    let data = context.input("shards")?;
    let shard = Shard::open(&data.join(shards::TRAINING)).map_err(machine)?;
    let portions = recipe.portions();
    let windows = Windows::of(&shard, portions.context).count;
    // No window counts twice: of a shorter text, all are taken.
    let order = order(windows, recipe.windows().min(windows), recipe.seed);
    let mut progress = |done: usize, total: usize| {
        context.progress(done as u64, total as u64, "measuring weights");
        !context.stopping()
    };
    let found =
        ablate_train::saliency(&decoder, &shard, &order, portions, &mut progress).map_err(input)?;
    let Some(found) = found else { return Ok(false) };
    found.weights.save(&context.directory.join(SALIENCY)).map_err(machine)?;
    let summary = Summary { tokens: found.tokens, loss: found.loss };
    write_json(&context.directory.join(SUMMARY), &summary)?;
    Ok(true)
}
