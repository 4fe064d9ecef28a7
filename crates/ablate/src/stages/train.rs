//! One training run, or one round of it.

use std::fs::{self, File};
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ablate_corpus::{Shard, ShardInfo, TokenBytes, Windows, order};
use ablate_model::{
    ModelConfig, Scheme, Spread, Weights, random_weights, spreads, training_device,
};
use ablate_pipeline::{Context, Failure, FailureKind};
use ablate_train::{
    Checkpoints, Observer, Precision, StepRecord, TrainConfig, TrainData, TrainError,
    ValidationRecord, truncate_metrics,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    backend, bug, input, machine, read_json, recipe, select, shards, tokenizer, write_json,
};

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
}

/// A line of the metrics file: a step's training loss, or a validation.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Metric {
    pub step: u64,
    pub tokens: u64,
    pub bytes: u64,
    /// `train` or `validation`.
    pub split: String,
    /// Nats per token.
    pub loss: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bits_per_byte: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learning_rate: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gradient_norm: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_per_second: Option<f64>,
}

impl From<&StepRecord> for Metric {
    fn from(record: &StepRecord) -> Self {
        Self {
            step: record.step,
            tokens: record.tokens,
            bytes: record.bytes,
            split: "train".to_owned(),
            loss: record.loss,
            learning_rate: Some(record.learning_rate),
            gradient_norm: Some(record.gradient_norm),
            tokens_per_second: Some(record.tokens_per_second),
            ..Self::default()
        }
    }
}

impl From<&ValidationRecord> for Metric {
    fn from(record: &ValidationRecord) -> Self {
        Self {
            step: record.step,
            tokens: record.tokens,
            bytes: record.bytes,
            split: "validation".to_owned(),
            loss: record.loss,
            language: Some(record.language.clone()),
            bits_per_byte: Some(record.bits_per_byte),
            ..Self::default()
        }
    }
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
    let mut config = recipe.config(steps, (steps / 8).clamp(20, 500));
    config.recompute = recomputes(&context.task.execution);
    let data = TrainData {
        shard: &shard,
        order: &order,
        token_bytes: &bytes.0,
        validation: validation.iter().map(|(name, shard)| (name.clone(), shard)).collect(),
    };
    let checkpoints = Checkpoints::new(&folder, context.task.key.as_str());
    let mut log = Log::new(context);
    let device = training_device(backend(context)?);
    let mut train = |init| {
        ablate_train::train(&config, &recipe.model, init, &data, &checkpoints, &device, &mut log)
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
    };
    write_json(&context.directory.join(SUMMARY), &summary)?;
    clear(&folder).map(|()| true)
}

/// Whether a training computes activations again, by its execution.
pub fn recomputes(execution: &Map<String, Value>) -> bool {
    execution.get(RECOMPUTE).and_then(Value::as_bool).unwrap_or(false)
}

/// Removes a folder that may be gone already.
fn clear(folder: &Path) -> Result<(), Failure> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(machine(error)),
        _ => Ok(()),
    }
}

/// What kind of failure an error of a training is.
pub fn failure(error: &TrainError) -> Failure {
    let kind = match error {
        TrainError::Diverged { .. } => FailureKind::Outcome,
        TrainError::Checkpoint { .. } => FailureKind::Machine,
        _ => FailureKind::Input,
    };
    Failure::new(kind, error.to_string())
}

/// Writes the metrics and passes progress on.
struct Log<'a> {
    context: &'a Context<'a>,
    path: PathBuf,
    out: Option<BufWriter<File>>,
    error: Option<std::io::Error>,
    said: Instant,
    /// Smoothed tokens per second.
    rate: f64,
}

impl<'a> Log<'a> {
    fn new(context: &'a Context<'a>) -> Self {
        let path = context.directory.join(METRICS);
        Self { context, path, out: None, error: None, said: Instant::now(), rate: 0.0 }
    }

    fn write(&mut self, metric: &Metric) {
        let Some(out) = &mut self.out else { return };
        let line = serde_json::to_string(metric).map_err(std::io::Error::other);
        if let Err(error) = line.and_then(|line| writeln!(out, "{line}")) {
            self.error.get_or_insert(error);
        }
    }

    fn check(&mut self) -> Result<(), Failure> {
        self.flush();
        match self.error.take() {
            Some(error) => Err(machine(format!("cannot write `{}`: {error}", self.path.display()))),
            None => Ok(()),
        }
    }
}

impl Observer for Log<'_> {
    fn begin(&mut self, resumed: Option<u64>) {
        let opened = truncate_metrics(&self.path, resumed)
            .and_then(|()| File::options().create(true).append(true).open(&self.path));
        match opened {
            Ok(file) => self.out = Some(BufWriter::new(file)),
            Err(error) => self.error = Some(error),
        }
    }

    fn step(&mut self, record: &StepRecord) {
        self.write(&record.into());
        let rate = record.tokens_per_second;
        self.rate = if self.rate == 0.0 { rate } else { 0.9 * self.rate + 0.1 * rate };
        let last = record.step == record.steps;
        if last || self.said.elapsed() > Duration::from_millis(200) {
            self.said = Instant::now();
            let message = format!("loss {:.3}, {:.0} tokens/s", record.loss, self.rate);
            self.context.progress(record.step, record.steps, message);
        }
    }

    fn validation(&mut self, record: &ValidationRecord) {
        self.write(&record.into());
    }

    fn flush(&mut self) {
        if let Some(out) = &mut self.out
            && let Err(error) = out.flush().and_then(|()| out.get_ref().sync_data())
        {
            self.error.get_or_insert(error);
        }
    }

    fn stop(&mut self) -> bool {
        // Metrics that cannot be written are a reason to stop as well: the disk is full.
        self.context.stopping() || self.error.is_some()
    }
}

/// How widely the trained weights spread; nothing where that was not written.
///
/// # Errors
/// When it is not what was written.
pub fn read_spreads(folder: &Path) -> Result<Vec<Spread>, Failure> {
    let path = folder.join(SPREADS);
    if path.exists() { read_json(&path) } else { Ok(Vec::new()) }
}

/// Reads a metrics file.
///
/// # Errors
/// When it is missing or a line is not what was written.
pub fn read_metrics(path: &Path) -> Result<Vec<Metric>, Failure> {
    let text = fs::read_to_string(path)
        .map_err(|error| machine(format!("cannot read `{}`: {error}", path.display())))?;
    text.lines().map(|line| serde_json::from_str(line).map_err(bug)).collect()
}
