//! Masks that are learned on a parent: which of its units a child keeps.

mod log;

use ablate_corpus::{Shard, Windows, order};
use ablate_cost::Shape;
use ablate_inherit::{Grouping, InheritanceMap, WidthCriterion};
use ablate_model::{ModelConfig, Units, fold, training_device};
use ablate_pipeline::{Context, Failure};
use ablate_train::masks::{LayerTarget, MaskConfig, MaskTarget, Sparsity, learn};
use ablate_train::{Checkpoints, Precision, TrainConfig, TrainError};
use serde::{Deserialize, Serialize};

use super::inherit::{Layers, Parent};
use super::{backend, bug, input, machine, read_json, recipe, shards, train, write_json};

use self::log::Log;
pub use self::log::{followed, named};

pub const STAGE: &str = "masks";
pub const VERSION: u32 = 1;

/// What was learned.
pub const MASKS: &str = "masks.json";
/// What the model that was masked had been taken from.
const TRUNK: &str = "trunk.json";

/// Warm-up and last learning rate of the weights, as in Sheared LLaMA.
const WARMUP: f64 = 0.1;
const FINAL_RATIO: f64 = 0.1;

#[derive(Debug, Serialize, Deserialize)]
pub struct Recipe {
    pub child: ModelConfig,
    /// Layers kept at the bottom and at the top.
    pub first: usize,
    pub last: usize,
    /// How the layers between are chosen.
    #[serde(default, skip_serializing_if = "Layers::is_even")]
    pub layers: Layers,
    /// Tokens that masks are learned on.
    pub tokens: u64,
    /// Whether the weights stand still.
    pub frozen: bool,
    pub learning_rate: f64,
    pub mask_learning_rate: f64,
    pub sparsity_warmup: f64,
    pub batch_sequences: usize,
    pub micro_sequences: usize,
    pub weight_decay: f64,
    pub beta1: f64,
    pub beta2: f64,
    pub epsilon: f64,
    pub clip: f64,
    #[serde(default, skip_serializing_if = "Precision::is_f32")]
    pub precision: Precision,
    /// Seed of the draws and of the order of the data.
    pub seed: u64,
}

/// What masks came to.
#[derive(Debug, Serialize, Deserialize)]
pub struct Summary {
    /// 0 for what goes.
    pub masks: Units,
    /// Expected shares of what is shut, in the end.
    pub sparsity: Sparsity,
    /// What they were to come to.
    pub target: Sparsity,
    /// Tokens that they were learned on.
    pub tokens: u64,
    /// Of the last batch, under its masks, in nats per token.
    pub loss: f64,
}

impl Recipe {
    /// The model that is masked: as wide as the parent, and as deep as the child, unless it is learned
    /// which layers are kept; in all else the child.
    pub fn trunk(&self, parent: &ModelConfig) -> ModelConfig {
        let (from, to) = (&parent.shape, &self.child.shape);
        let depth = if self.layers == Layers::Learned { from.depth } else { to.depth };
        let shape = Shape { depth, vocabulary: to.vocabulary, tied: to.tied, ..*from };
        ModelConfig { shape, ..self.child.clone() }
    }

    /// Steps of the learning, at least one.
    pub fn steps(&self) -> u64 {
        let batch = (self.batch_sequences * self.child.context) as f64;
        (self.tokens as f64 / batch).round().max(1.0) as u64
    }

    fn target(&self, parent: &Shape) -> MaskTarget {
        let child = &self.child.shape;
        let group = |shape: &Shape| shape.heads / shape.kv_heads.max(1);
        MaskTarget {
            layers: (self.layers == Layers::Learned).then_some(LayerTarget {
                keep: child.depth,
                first: self.first,
                last: self.last,
            }),
            width: child.width,
            kv_heads: child.kv_heads,
            pooled: group(child) / group(parent).max(1),
            ffn: child.ffn,
            shortcut: child.pi.shortcut,
        }
    }

    fn config(&self) -> MaskConfig {
        MaskConfig {
            train: TrainConfig {
                steps: self.steps(),
                context: self.child.context,
                batch_sequences: self.batch_sequences,
                micro_sequences: self.micro_sequences,
                learning_rate: self.learning_rate,
                final_ratio: FINAL_RATIO,
                warmup: WARMUP,
                weight_decay: self.weight_decay,
                beta1: self.beta1,
                beta2: self.beta2,
                epsilon: self.epsilon,
                clip: self.clip,
                precision: self.precision,
                recompute: false,
                span: None,
                patience: 0,
                keep_moments: false,
                snapshots: Vec::new(),
                validate_every: 0,
                validation_windows: 1,
                checkpoint_every: (self.steps() / 8).clamp(20, 500),
            },
            frozen: self.frozen,
            mask_learning_rate: self.mask_learning_rate,
            sparsity_warmup: self.sparsity_warmup,
            seed: self.seed,
        }
    }
}

pub fn make(context: &Context<'_>) -> Result<bool, Failure> {
    let recipe: Recipe = recipe(context)?;
    let folder = context.directory.join("checkpoints");
    if context.directory.join(MASKS).exists() {
        // An attempt that was killed after its end: what remains is to clear up and to publish.
        return train::clear(&folder).map(|()| true);
    }
    let parent = Parent::load(context, &recipe.child)?;
    let layers = match recipe.layers {
        Layers::Learned => (0..parent.config.shape.depth).collect(),
        other => parent.select(context, &recipe.child, [recipe.first, recipe.last], other)?,
    };
    let trunk = recipe.trunk(&parent.config);
    let (weights, map) = ablate_inherit::inherit(
        (&parent.config, &parent.weights),
        &trunk,
        &parent.vocabulary,
        &layers,
        (WidthCriterion::First, None),
        Grouping::Kept,
    )
    .map_err(input)?;
    let shard = context.input("shards")?.join(shards::TRAINING);
    let shard = Shard::open(&shard).map_err(machine)?;
    let config = recipe.config();
    let windows = Windows::of(&shard, config.train.context).count;
    let order = order(windows, config.train.visits(), recipe.seed);
    let device = training_device(backend(context)?);
    let checkpoints = Checkpoints::new(&folder, context.task.key.as_str());
    let mut log = Log::new(context, config.train.steps);
    let mut learn = || {
        learn(
            &config,
            &recipe.target(&parent.config.shape),
            (&trunk, &weights),
            (&shard, &order),
            Some(&checkpoints),
            &device,
            &mut log,
        )
    };
    let mut learned = learn();
    if let Err(error @ TrainError::DamagedCheckpoint { .. }) = &learned {
        context.progress(0, config.train.steps, format!("from the start: {error}"));
        train::clear(&folder)?;
        learned = learn();
    }
    log.check()?;
    let Some(learned) = learned.map_err(|error| train::failure(&error))? else {
        return Ok(false);
    };
    let folded = fold(&trunk, &learned.weights, &learned.masks).map_err(bug)?;
    folded.save(&context.directory.join(train::WEIGHTS)).map_err(machine)?;
    write_json(&context.directory.join(train::CONFIG), &trunk)?;
    write_json(&context.directory.join(TRUNK), &map)?;
    let summary = Summary {
        masks: learned.masks,
        sparsity: learned.sparsity,
        target: learned.target,
        tokens: learned.tokens,
        loss: learned.loss,
    };
    write_json(&context.directory.join(MASKS), &summary)?;
    train::clear(&folder).map(|()| true)
}

/// What was learned, and where the model that was masked came from.
///
/// # Errors
/// When it is missing or not what was written.
pub fn read(folder: &std::path::Path) -> Result<(Summary, InheritanceMap), Failure> {
    Ok((read_json(&folder.join(MASKS))?, read_json(&folder.join(TRUNK))?))
}
