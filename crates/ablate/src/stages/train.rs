//! One training run, or one round of it.

mod log;
mod snapshots;

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use ablate_corpus::{Shard, ShardInfo, TokenBytes, Windows, order};
use ablate_model::{
    ModelConfig, Scheme, Spread, Weights, random_weights, spreads, training_devices,
};
use ablate_pipeline::{Context, Failure, FailureKind};
use ablate_train::rounds::{DrawRule, Ledger};
use ablate_train::{
    Checkpoints, Initial, Moments, Precision, Span, TrainConfig, TrainData, TrainError, point_steps,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    backend, bug, devices, input, machine, read_json, recipe, select, shards, tokenizer, write_json,
};

use self::log::Log;
pub use self::log::{Metric, Shares, TRAIN, read_metrics, training_losses};
pub use self::snapshots::Snapshot;

pub const STAGE: &str = "train";
pub const VERSION: u32 = 1;

/// The trained weights, under Hugging Face's names.
pub const WEIGHTS: &str = "model.safetensors";
/// The model's configuration.
pub const CONFIG: &str = "model.json";
/// One object per step and per validation.
pub const METRICS: &str = "metrics.jsonl";
/// How widely its weights spread in the end; results made before there was such a file lack it.
const SPREADS: &str = "spreads.json";
/// What the run came to.
pub const SUMMARY: &str = "train.json";
/// AdamW's moments in the end, where a later round takes them up.
const MOMENTS: &str = "optimiser.safetensors";

/// Key of whether activations are computed again, in a node's execution.
pub const RECOMPUTE: &str = "recompute";

/// Validations read all held-out windows: only the last tokens of a shard, which fill no window,
/// make the end of a curve differ from the final score.
const VALIDATION_WINDOWS: usize = usize::MAX;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Recipe {
    pub model: ModelConfig,
    pub start: Start,
    pub length: Length,
    pub batch_sequences: usize,
    pub micro_sequences: usize,
    pub learning_rate: f64,
    pub final_ratio: f64,
    pub warmup: f64,
    pub weight_decay: f64,
    pub beta1: f64,
    pub beta2: f64,
    pub epsilon: f64,
    pub clip: f64,
    /// Evenly spaced validations.
    pub validations: usize,
    /// Of the factors of matrix products.
    #[serde(default, skip_serializing_if = "Precision::is_f32")]
    pub precision: Precision,
    /// Seed of the first weights and of the order of the data.
    pub seed: u64,
    /// Steps with an absurd loss that are a divergence.
    #[serde(default = "patience", skip_serializing_if = "is_patience")]
    pub patience: u64,
    /// Whether the result holds AdamW's moments.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keep_moments: bool,
    /// Whether the input `weights` has moments to go on with.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub given_moments: bool,
    /// The rounds whose steps share one schedule; none where the run has its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<SharedSchedule>,
    /// Evenly spaced points of the first round at which the weights are kept.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub points: u64,
}

fn patience() -> u64 {
    50
}

fn is_patience(steps: &u64) -> bool {
    *steps == patience()
}

fn is_zero(points: &u64) -> bool {
    *points == 0
}

/// A schedule over several rounds.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct SharedSchedule {
    /// This round, from 1.
    pub round: u32,
    /// Rounds in all.
    pub count: u32,
    /// What a later round visits of the first one's batches.
    pub draw: Draw,
}

/// How batches are drawn for later rounds.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Draw {
    pub rate: f64,
    /// Equal parts of the first round.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub parts: usize,
    /// Whether each part gives its own share.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_part: bool,
}

fn one() -> usize {
    1
}

fn is_one(parts: &usize) -> bool {
    *parts == 1
}

impl Draw {
    pub fn rule(&self) -> DrawRule {
        DrawRule { rate: self.rate, parts: self.parts, by_part: self.by_part }
    }
}

impl SharedSchedule {
    /// This round's place in a schedule whose first round has so many steps.
    pub fn span(&self, first: u64) -> Span {
        let kept = self.draw.rule().kept(usize::try_from(first).unwrap_or(usize::MAX)) as u64;
        let steps = |rounds: u32| match rounds {
            0 => 0,
            rounds => first + u64::from(rounds - 1) * kept,
        };
        Span { before: steps(self.round.saturating_sub(1)), total: steps(self.count) }
    }
}

/// Where the first weights come from.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    Random {
        scheme: Scheme,
        std: f64,
    },
    /// The input `weights`: a parent's slice, or the round before.
    Given,
}

/// How long the run is.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Length {
    /// About so many tokens.
    Tokens(u64),
    /// About so many bytes of text.
    Bytes(u64),
    /// Every window of the input `order`.
    Order,
}

/// What a run came to.
#[derive(Debug, Serialize, Deserialize)]
pub struct Summary {
    pub steps: u64,
    pub tokens: u64,
    pub bytes: u64,
    /// Loss of the last batch, nats per token.
    pub final_loss: f64,
    /// Updates that the kept moments have seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updates: Option<u64>,
}

impl Recipe {
    /// Tokens of one step.
    pub fn batch_tokens(&self) -> u64 {
        (self.batch_sequences * self.model.context) as u64
    }

    /// Steps over the given training shard, at least one.
    pub fn steps(&self, shard: &ShardInfo) -> u64 {
        let tokens = match self.length {
            Length::Tokens(tokens) => tokens as f64,
            Length::Bytes(bytes) => bytes as f64 * shard.tokens as f64 / shard.bytes.max(1) as f64,
            Length::Order => 0.0,
        };
        (tokens / self.batch_tokens() as f64).round().max(1.0) as u64
    }

    /// The loop's settings.
    pub fn config(&self, steps: u64, checkpoint_every: u64) -> TrainConfig {
        TrainConfig {
            steps,
            context: self.model.context,
            batch_sequences: self.batch_sequences,
            micro_sequences: self.micro_sequences,
            learning_rate: self.learning_rate,
            final_ratio: self.final_ratio,
            warmup: self.warmup,
            weight_decay: self.weight_decay,
            beta1: self.beta1,
            beta2: self.beta2,
            epsilon: self.epsilon,
            clip: self.clip,
            precision: self.precision,
            recompute: false,
            span: None,
            patience: self.patience,
            keep_moments: self.keep_moments,
            snapshots: Vec::new(),
            validate_every: match self.validations {
                0 => 0,
                points => steps.div_ceil(points as u64),
            },
            validation_windows: VALIDATION_WINDOWS,
            checkpoint_every,
        }
    }
}

pub fn make(context: &Context<'_>) -> Result<bool, Failure> {
    let recipe: Recipe = recipe(context)?;
    let folder = context.directory.join("checkpoints");
    if context.directory.join(SUMMARY).exists() {
        // An attempt that was killed after its end: what remains is to clear up and to publish.
        return clear(&folder).map(|()| true);
    }
    let data = context.input("shards")?;
    let shard = Shard::open(&data.join(shards::TRAINING)).map_err(machine)?;
    let validation = shards::open_validation(data)?;
    let bytes = TokenBytes::load(&context.input("tokenizer")?.join(tokenizer::TOKEN_BYTES))
        .map_err(machine)?;
    let windows = Windows::of(&shard, recipe.model.context).count;
    if windows == 0 {
        let (tokens, context) = (shard.info().tokens, recipe.model.context);
        return Err(input(format!(
            "the corpus has {tokens} tokens, less than one sequence of {context}: give it more \
             text or shorten `model.context`"
        )));
    }
    let (steps, order) = match recipe.length {
        Length::Order => {
            let order: Vec<u32> = read_json(&context.input("order")?.join(select::ORDER))?;
            ((order.len() / recipe.batch_sequences) as u64, order)
        }
        _ => {
            let steps = recipe.steps(&shard.info());
            (steps, order(windows, steps * recipe.batch_sequences as u64, recipe.seed))
        }
    };
    let init = match &recipe.start {
        Start::Random { scheme, std } => random_weights(&recipe.model, *scheme, *std, recipe.seed),
        Start::Given => Weights::load(&context.input("weights")?.join(WEIGHTS)).map_err(machine)?,
    };
    let moments = match recipe.given_moments {
        true => Some(given_moments(context.input("weights")?)?),
        false => None,
    };
    let init = Initial { weights: init, moments };
    let mut config = recipe.config(steps, (steps / 8).clamp(20, 500));
    if recipe.schedule.is_some() || recipe.points > 0 {
        let first = match recipe.length {
            Length::Order => {
                read_json::<Ledger>(&context.input("order")?.join(select::LEDGER))?.batches as u64
            }
            _ => steps,
        };
        config.span = recipe.schedule.map(|schedule| schedule.span(first));
        config.snapshots = point_steps(first, recipe.points, steps);
        // The end is the result itself.
        config.snapshots.pop();
    }
    config.recompute = recomputes(&context.task.execution);
    let data = TrainData {
        shard: &shard,
        order: &order,
        token_bytes: &bytes.0,
        validation: validation.iter().map(|(name, shard)| (name.clone(), shard)).collect(),
    };
    let checkpoints = Checkpoints::new(&folder, context.task.key.as_str());
    let mut log = Log::new(context, config.steps);
    let devices = training_devices(backend(context)?, devices(&context.task.execution));
    let mut train = |init: Initial| {
        ablate_train::train(&config, &recipe.model, init, &data, &checkpoints, &devices, &mut log)
    };
    let mut result = train(init.clone());
    if let Err(error @ TrainError::DamagedCheckpoint { .. }) = &result {
        // Nothing whole is left to go on from: all that can be saved is the user's next command.
        context.progress(0, config.steps, format!("from the start: {error}"));
        clear(&folder)?;
        result = train(init);
    }
    log.check()?;
    let outcome = match result {
        Ok(outcome) => outcome,
        Err(TrainError::Stopped { .. }) => return Ok(false),
        Err(error) => return Err(failure(&error)),
    };
    outcome.weights.save(&context.directory.join(WEIGHTS)).map_err(machine)?;
    write_json(&context.directory.join(CONFIG), &recipe.model)?;
    write_json(&context.directory.join(SPREADS), &spreads(&recipe.model, &outcome.weights))?;
    let summary = Summary {
        steps: outcome.steps,
        tokens: outcome.tokens,
        bytes: outcome.bytes,
        final_loss: outcome.final_loss,
        updates: outcome.moments.as_ref().map(|moments| moments.updates),
    };
    if let Some(moments) = &outcome.moments {
        moments.save(&context.directory.join(MOMENTS)).map_err(machine)?;
    }
    write_json(&context.directory.join(SUMMARY), &summary)?;
    clear(&folder).map(|()| true)
}

/// Whether a training computes activations again, by its execution.
pub fn recomputes(execution: &Map<String, Value>) -> bool {
    execution.get(RECOMPUTE).and_then(Value::as_bool).unwrap_or(false)
}

/// The moments that the round before kept.
fn given_moments(folder: &Path) -> Result<Moments, Failure> {
    let summary: Summary = read_json(&folder.join(SUMMARY))?;
    let updates = summary.updates.ok_or_else(|| bug("the round before kept no moments"))?;
    Moments::load(&folder.join(MOMENTS), updates).map_err(machine)
}

/// Removes a folder that may be gone already.
///
/// # Errors
/// When the disk says no.
pub fn clear(folder: &Path) -> Result<(), Failure> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(machine(error)),
        _ => Ok(()),
    }
}

/// What kind of failure an error of a training is.
pub fn failure(error: &TrainError) -> Failure {
    let kind = match error {
        TrainError::Diverged { .. } | TrainError::Exploded { .. } => FailureKind::Outcome,
        TrainError::Checkpoint { .. } => FailureKind::Machine,
        _ => FailureKind::Input,
    };
    Failure::new(kind, error.to_string()).at_step(error.diverged_at())
}

/// How widely the trained weights spread; nothing where that was not written.
///
/// # Errors
/// When it is not what was written.
pub fn read_spreads(folder: &Path) -> Result<Vec<Spread>, Failure> {
    let path = folder.join(SPREADS);
    if path.exists() { read_json(&path) } else { Ok(Vec::new()) }
}
