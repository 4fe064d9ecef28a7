//! Learned masks: which units of a model a smaller one should keep (Sheared LLaMA, Xia et al. 2023,
//! arXiv:2310.06694; the PanGu-π Pro paper's best way of inheriting, its section 3.4).
//!
//! Every unit that may go gets a hard concrete gate (`gate`). While the model goes on training, or
//! stands still, gates go down the gradient of
//!
//! ```text
//! loss(weights x masks) + sum over modules of lambda_1 (s - t) + lambda_2 (s - t)^2
//! ```
//!
//! and the multipliers up it, with `s` a module's expected sparsity and `t` its target, which rises
//! from 0 over the first updates. A module is one kind of unit in one place: the hidden channels, the
//! middle layers, the heads of a layer, its feed-forward channels. Each has multipliers of its own (in
//! Sheared LLaMA all layers share them), so that each comes to its own size; those of one kind are
//! averaged. In the end, exactly as many units as wanted are kept, those with the largest gates, and
//! [`fold`](ablate_model::fold) puts their masks into the weights.
//!
//! One set of masks is drawn for each update. Gates take Adam's steps at a rate of their own, and
//! multipliers at a tenth of it (in Sheared LLaMA, which takes many more steps, at the same), on the host and in f64: there are a few thousand of them.

mod gate;
mod gates;
mod module;
mod observer;

use ablate_corpus::Shard;
use ablate_cost::Shape;
use ablate_model::{Decoder, ModelConfig, ParameterGradients, Units, Weights};
use burn::module::Module as _;
use burn::tensor::Device;

use crate::adamw::{AdamW, clip_scale};
use crate::batch::Sequences;
use crate::data::{check_order, check_vocabulary};
use crate::keeper::{Keeper, recipe};
use crate::{Checkpoints, Initial, Schedule, State, TrainConfig, TrainError};
use gates::Gates;
use module::Adam;

pub use gates::Sparsity;
pub use observer::{MaskObserver, MaskRecord};

/// How masks are learned.
#[derive(Clone, Debug, PartialEq)]
pub struct MaskConfig {
    /// Steps, batches, checkpoints, and the optimiser of the weights: as in a training. Validations
    /// there are none.
    pub train: TrainConfig,
    /// Whether the weights stand still.
    pub frozen: bool,
    /// Rate of the gates' steps; multipliers go at a tenth of it.
    pub mask_learning_rate: f64,
    /// Share of the updates in which the targets rise.
    pub sparsity_warmup: f64,
    /// Seed of the draws.
    pub seed: u64,
}

/// The sizes that are to be come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaskTarget {
    /// Layers, where it is learned which are kept; else all are.
    pub layers: Option<LayerTarget>,
    /// Hidden channels.
    pub width: usize,
    /// Key and value heads, once they are pooled.
    pub kv_heads: usize,
    /// Neighbouring key and value heads that become one, and are kept or dropped together.
    pub pooled: usize,
    /// Feed-forward channels of a layer.
    pub ffn: usize,
    /// Channels of a layer's bottleneck beside attention.
    pub shortcut: usize,
}

/// How many layers are kept, and which in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerTarget {
    /// In all.
    pub keep: usize,
    /// At the bottom.
    pub first: usize,
    /// At the top.
    pub last: usize,
}

impl MaskTarget {
    /// Checks that a model of this shape can come to it.
    fn check(&self, shape: &Shape) -> Result<(), TrainError> {
        let need = |holds: bool, key, value: usize, need| match holds {
            true => Ok(()),
            false => Err(TrainError::Config { key, value: value.to_string(), need }),
        };
        let divides = self.pooled > 0 && shape.kv_heads.is_multiple_of(self.pooled);
        need(divides, "pooled", self.pooled, "a divisor of the model's key and value heads")?;
        let sizes = [
            ("width", self.width, shape.width),
            ("kv_heads", self.kv_heads, shape.kv_heads / self.pooled),
            ("ffn", self.ffn, shape.ffn),
        ];
        for (key, keep, count) in sizes {
            need(
                (1..=count).contains(&keep),
                key,
                keep,
                "at least 1 and at most what the model has",
            )?;
        }
        let least = usize::from(shape.pi.shortcut > 0);
        let fits = (least..=shape.pi.shortcut).contains(&self.shortcut);
        need(
            fits,
            "shortcut",
            self.shortcut,
            "at most what the model has, and 0 only where it has none",
        )?;
        let Some(layers) = self.layers else { return Ok(()) };
        let fits =
            (layers.first.saturating_add(layers.last).max(1)..=shape.depth).contains(&layers.keep);
        need(
            fits,
            "layers",
            layers.keep,
            "at least those at the ends and at most the model's depth",
        )
    }
}

/// What was learned.
#[derive(Clone, Debug, PartialEq)]
pub struct Learned {
    /// The weights, without masks.
    pub weights: Weights,
    /// The masks: 0 for what goes, and exactly as many others as there should be.
    pub masks: Units,
    /// Expected sparsity in the end.
    pub sparsity: Sparsity,
    /// What it was to come to.
    pub target: Sparsity,
    /// Target tokens seen.
    pub tokens: u64,
    /// Loss of the last batch under its masks.
    pub loss: f64,
}

/// Learns the masks of a model on the batches of `order`, or goes on from the newest checkpoint of the
/// same learning. `observer` hears of every update and says whether to go on: `None` comes back where
/// it does not, once there is a checkpoint. Without `checkpoints` none are written.
///
/// `device` must have autodiff. The same settings give the same result, to the bit where the backend
/// is deterministic, however often it was interrupted.
///
/// # Errors
/// [`TrainError::Diverged`] when loss or gradients are not finite; otherwise settings, sizes, data,
/// weights or checkpoints that do not fit together, and files that cannot be written.
pub fn learn(
    config: &MaskConfig,
    target: &MaskTarget,
    (model, init): (&ModelConfig, &Weights),
    (shard, order): (&Shard, &[u32]),
    checkpoints: Option<&Checkpoints>,
    device: &Device,
    observer: &mut dyn MaskObserver,
) -> Result<Option<Learned>, TrainError> {
    check(config, model, shard, order)?;
    let train = &config.train;
    let mut gates = Gates::new(&model.shape, target)?;
    let adam = Adam {
        rate: config.mask_learning_rate,
        beta: [train.beta1, train.beta2],
        epsilon: train.epsilon,
    };
    let schedule = Schedule::of(train);
    let initial = || Initial::from(init.clone());
    let (mut keeper, resumed) = match checkpoints {
        None => (None, None),
        Some(checkpoints) => {
            let own = checkpoints.fingerprint();
            let MaskConfig { train: _, frozen, mask_learning_rate, sparsity_warmup, seed } = config;
            let rest = (frozen, mask_learning_rate, sparsity_warmup, seed);
            let fingerprint = format!("{own}, masks {rest:?} {target:?}");
            let recipe = recipe(train, model, &initial(), (shard, order), fingerprint);
            let (keeper, resumed) = Keeper::open(checkpoints, recipe)?;
            if let Some(state) = &resumed
                && !gates.restore(&state.gates)
            {
                let (path, reason) =
                    (checkpoints.folder().to_owned(), "its gates are others".into());
                return Err(TrainError::DamagedCheckpoint { path, reason });
            }
            (Some(keeper), resumed)
        }
    };
    observer.begin(resumed.as_ref().map(|state| state.step));
    let state = resumed.unwrap_or_else(|| State::new(initial()));
    let (first, mut tokens, mut last) = (state.step, state.tokens, state.loss.unwrap_or(f64::NAN));
    let mut decoder = Decoder::from_weights(model, &state.weights, device)?;
    let mut optimizer = match config.frozen {
        true => {
            decoder = decoder.no_grad();
            let none = Weights::new();
            AdamW::new(train, &none, &none, device)
        }
        false => AdamW::new(train, &state.first, &state.second, device),
    };
    drop(state);
    for step in first + 1..=train.steps {
        let size = train.batch_sequences;
        let windows = &order[(step - 1) as usize * size..][..size];
        let (masks, slopes) = gates.draw(config.seed, step);
        let pass = train.scope(|| pass(&decoder, &masks, shard, windows, train, step))?;
        let ramp = ramp(step, train.steps, config.sparsity_warmup);
        let penalty = gates.penalty(ramp);
        gates.update((slopes, pass.masks), ramp, adam, step);
        let mut learning_rate = 0.0;
        if !config.frozen {
            learning_rate = schedule.rate(step);
            let norm = pass.weights.squared_norm().sqrt();
            if !norm.is_finite() {
                let (loss, gradient_norm) = (pass.loss, Some(norm));
                return Err(TrainError::Diverged { step, loss, gradient_norm });
            }
            let scale = clip_scale(norm, train.clip);
            decoder = decoder.update(pass.weights, &mut optimizer.step(step, learning_rate, scale));
        }
        (tokens, last) = (tokens + pass.tokens, pass.loss);
        let go_on = observer.update(&MaskRecord {
            step,
            steps: train.steps,
            tokens,
            loss: pass.loss,
            penalty,
            learning_rate,
            sparsity: gates.sparsity(),
            target: ramp,
        });
        let every = train.checkpoint_every;
        let due = every > 0 && step.is_multiple_of(every) && step < train.steps;
        if let Some(keeper) = &mut keeper
            && (due || !go_on)
            // Nothing is gone on from whose records are not whole.
            && observer.flush()
        {
            let state = || {
                // Weights that stand still have no moments, and are those at the start.
                let mut state = State::new(initial());
                if !config.frozen {
                    state.weights = decoder.to_weights();
                    (state.first, state.second) = optimizer.moments();
                }
                let gates = gates.state();
                State { step, tokens, loss: Some(last), gates, ..state }
            };
            keeper.save(step, state, || {})?;
        }
        if !go_on {
            keeper.as_mut().map_or(Ok(()), Keeper::finish)?;
            return Ok(None);
        }
    }
    keeper.as_mut().map_or(Ok(()), Keeper::finish)?;
    Ok(Some(Learned {
        weights: decoder.to_weights(),
        masks: gates.settled(),
        sparsity: gates.sparsity(),
        target: gates.target(),
        tokens,
        loss: last,
    }))
}

fn check(
    config: &MaskConfig,
    model: &ModelConfig,
    shard: &Shard,
    order: &[u32],
) -> Result<(), TrainError> {
    let train = &config.train;
    train.check()?;
    let rate = config.mask_learning_rate;
    if !(rate.is_finite() && rate > 0.0) {
        let (value, need) = (rate.to_string(), "a positive number");
        return Err(TrainError::Config { key: "mask_learning_rate", value, need });
    }
    let share = config.sparsity_warmup;
    if !(0.0..=1.0).contains(&share) {
        let (value, need) = (share.to_string(), "between 0 and 1");
        return Err(TrainError::Config { key: "sparsity_warmup", value, need });
    }
    if train.context > model.context {
        return Err(TrainError::Context { context: train.context, model: model.context });
    }
    check_vocabulary("training", shard, model)?;
    let need = train.visits();
    if (order.len() as u64) < need {
        let (steps, batch) = (train.steps, train.batch_sequences);
        return Err(TrainError::OrderTooShort { found: order.len(), need, steps, batch });
    }
    check_order(order, shard, train.context)
}

/// The share of the target that is asked for at an update: it rises in the first `warmup` of them.
fn ramp(step: u64, steps: u64, warmup: f64) -> f64 {
    let rising = warmup * steps as f64;
    if rising < 1.0 { 1.0 } else { (step as f64 / rising).min(1.0) }
}

/// What one batch says.
struct Pass {
    loss: f64,
    tokens: u64,
    weights: ParameterGradients,
    masks: Units,
}

fn pass(
    decoder: &Decoder,
    masks: &Units,
    shard: &Shard,
    batch: &[u32],
    config: &TrainConfig,
    step: u64,
) -> Result<Pass, TrainError> {
    let device = decoder.device();
    let masked = decoder.masked(masks);
    let (mut loss, mut tokens) = (0.0, 0);
    let mut sum: Option<(ParameterGradients, Units)> = None;
    for windows in batch.chunks(config.micro_sequences) {
        let read = Sequences::read(shard, windows, config.context, shard.info().vocabulary)?;
        let share = windows.len() as f64 / batch.len() as f64;
        let part = masked.loss(read.inputs(&device), read.targets(&device)).mul_scalar(share);
        loss += part.clone().into_scalar::<f64>();
        if !loss.is_finite() {
            return Err(TrainError::Diverged { step, loss, gradient_norm: None });
        }
        tokens += read.tokens();
        let (weights, units) = masked.gradients(&part);
        sum = Some(match sum {
            None => (weights, units),
            Some((sum, mut all)) => {
                add(&mut all, &units);
                (sum.add(weights), all)
            }
        });
    }
    let Some((weights, masks)) = sum else {
        let (value, need) = (batch.len().to_string(), "at least 1");
        return Err(TrainError::Config { key: "batch_sequences", value, need });
    };
    Ok(Pass { loss, tokens, weights, masks })
}

fn add(sum: &mut Units, more: &Units) {
    let add = |sum: &mut Vec<f64>, more: &Vec<f64>| {
        sum.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
    };
    add(&mut sum.layers, &more.layers);
    add(&mut sum.hidden, &more.hidden);
    for (sum, more) in [
        (&mut sum.heads, &more.heads),
        (&mut sum.ffn, &more.ffn),
        (&mut sum.shortcut, &more.shortcut),
    ] {
        sum.iter_mut().zip(more).for_each(|(sum, more)| add(sum, more));
    }
}
