//! The loop.

use std::thread::{self, JoinHandle};
use std::time::Instant;

use ablate_model::{ModelConfig, Weights};
use burn::tensor::Device;

use crate::checkpoint::Recipe;
use crate::step::Live;
use crate::validation::validate;
use crate::{
    Checkpoints, Initial, Moments, Observer, Schedule, State, StepRecord, TrainConfig, TrainData,
    TrainError,
};

/// What a finished run leaves.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The trained weights.
    pub weights: Weights,
    /// Loss of the last batch before its update, in nats per token.
    pub final_loss: f64,
    /// Updates done.
    pub steps: u64,
    /// Target tokens seen.
    pub tokens: u64,
    /// Bytes of text that those tokens stand for.
    pub bytes: u64,
    /// AdamW's moments, where the settings keep them.
    pub moments: Option<Moments>,
}

/// Trains a model from its initial weights, or goes on from the newest checkpoint of the same run.
///
/// `devices` must have autodiff (see [`ablate_model::training_devices`]). The first holds the model and
/// its optimiser; the others hold copies, and the portions of a batch (`micro_sequences`) are divided
/// among all of them. That changes no result where devices compute alike: gradients are added in the
/// portions' order. Validates before the first step, every `validate_every` steps and after the last;
/// writes a checkpoint every `checkpoint_every` steps and after the last, on a thread of its own.
///
/// A run that is killed at any moment and started again ends with the same weights as an
/// undisturbed one, bit for bit where the backend is deterministic. What it recorded after the
/// checkpoint it records again: see [`Observer`].
///
/// # Errors
/// [`TrainError::Stopped`] when the observer asked for it; [`TrainError::Diverged`] when loss or
/// gradients are not finite (the weights before that update are kept in a checkpoint);
/// [`TrainError::Exploded`] when the loss stays absurd for longer than the settings allow;
/// otherwise settings, data, weights or checkpoints that do not fit together, and files that cannot
/// be written.
pub fn train(
    config: &TrainConfig,
    model: &ModelConfig,
    init: impl Into<Initial>,
    data: &TrainData,
    checkpoints: &Checkpoints,
    devices: &[Device],
    observer: &mut dyn Observer,
) -> Result<Outcome, TrainError> {
    let init = init.into();
    data.check(config, model)?;
    init.weights.check(model)?;
    if let Some(moments) = &init.moments {
        moments.first.check(model)?;
        moments.second.check(model)?;
    }
    let before = init.updates();
    let recipe = recipe(config, model, &init, data, checkpoints);
    let schedule = Schedule::of(config);

    let resumed = checkpoints.latest(&recipe)?;
    observer.begin(resumed.as_ref().map(|state| state.step));
    let saved = resumed.as_ref().map(|state| state.step);
    let mut keeper = Keeper { checkpoints, recipe, saved, writing: None };
    let fresh = resumed.is_none();
    let state = resumed.unwrap_or_else(|| State::new(init));
    let mut live = Live::new(state, before, config, model, devices)?;

    if fresh {
        report(&live, config, data, observer)?;
    }
    while live.step < config.steps {
        if observer.stop() {
            keeper.save(&live, observer)?;
            keeper.finish()?;
            return Err(TrainError::Stopped { step: live.step });
        }
        let start = Instant::now();
        let before = live.tokens;
        let pass =
            live.pass(config, data).map_err(|error| keeper.salvage(&live, observer, error))?;
        let (loss, gradient_norm) = (pass.loss, pass.norm);
        let learning_rate = schedule.rate(live.step + 1);
        live = live.update(pass, learning_rate, config.clip);
        let warm = live.step > schedule.warmup();
        let vocabulary = model.shape.vocabulary;
        let diverged = live.watch.see(loss, warm, config.patience, vocabulary);
        observer.step(&StepRecord {
            step: live.step,
            steps: config.steps,
            tokens: live.tokens,
            bytes: live.bytes,
            loss,
            learning_rate,
            gradient_norm,
            tokens_per_second: (live.tokens - before) as f64 / start.elapsed().as_secs_f64(),
        });

        if diverged {
            let (patience, limit) = (config.patience, live.watch.limit(vocabulary));
            let step = live.step + 1 - live.watch.absurd();
            let error = TrainError::Exploded { step, loss, limit, patience };
            return Err(keeper.salvage(&live, observer, error));
        }

        let due =
            |every: u64| live.step == config.steps || every > 0 && live.step.is_multiple_of(every);
        if due(config.validate_every) {
            report(&live, config, data, observer)
                .map_err(|error| keeper.salvage(&live, observer, error))?;
        }
        if config.snapshots.binary_search(&live.step).is_ok() {
            observer.snapshot(live.step, &live.model.to_weights())?;
        }
        if due(config.checkpoint_every) {
            keeper.save(&live, observer)?;
        }
    }
    keeper.finish()?;
    Ok(Outcome {
        weights: live.model.to_weights(),
        final_loss: live.loss.unwrap_or(f64::NAN),
        steps: live.step,
        tokens: live.tokens,
        bytes: live.bytes,
        moments: config.keep_moments.then(|| live.moments()),
    })
}

fn report(
    live: &Live,
    config: &TrainConfig,
    data: &TrainData,
    observer: &mut dyn Observer,
) -> Result<(), TrainError> {
    for record in validate(live, config, data)? {
        observer.validation(&record);
    }
    Ok(())
}

/// Writes checkpoints, on a thread of its own: the training goes on meanwhile.
struct Keeper<'a> {
    checkpoints: &'a Checkpoints,
    recipe: Recipe,
    /// The step whose checkpoint is on disk or on its way there.
    saved: Option<u64>,
    /// What is being written.
    writing: Option<JoinHandle<Result<(), TrainError>>>,
}

impl Keeper<'_> {
    /// Hands the state over to be written, once the one before is.
    ///
    /// # Errors
    /// Why the one before could not be written.
    fn save(&mut self, live: &Live, observer: &mut dyn Observer) -> Result<(), TrainError> {
        if self.saved == Some(live.step) {
            return Ok(());
        }
        self.finish()?;
        observer.flush();
        let (checkpoints, recipe) = (self.checkpoints.clone(), self.recipe.clone());
        let state = live.state();
        self.writing = Some(thread::spawn(move || checkpoints.save(state, &recipe)));
        self.saved = Some(live.step);
        Ok(())
    }

    /// Waits until what was handed over is durable.
    fn finish(&mut self) -> Result<(), TrainError> {
        match self.writing.take().map(JoinHandle::join) {
            None => Ok(()),
            Some(Ok(written)) => written,
            Some(Err(panic)) => std::panic::resume_unwind(panic),
        }
    }

    /// After a divergence, keeps the weights that the failed update would have changed. Weights
    /// that are no longer finite themselves (after an update of absurd size) are not kept: the
    /// checkpoint before stays the newest.
    fn salvage(
        &mut self,
        live: &Live,
        observer: &mut dyn Observer,
        error: TrainError,
    ) -> TrainError {
        if error.diverged_at().is_some()
            && live.state().is_finite()
            && let Err(error) = self.save(live, observer).and_then(|()| self.finish())
        {
            return error;
        }
        error
    }
}

impl Drop for Keeper<'_> {
    fn drop(&mut self) {
        // After another error: what is half written would be in the way of the next try.
        if let Some(writing) = self.writing.take() {
            let _ = writing.join();
        }
    }
}

fn recipe(
    config: &TrainConfig,
    model: &ModelConfig,
    init: &Initial,
    data: &TrainData,
    checkpoints: &Checkpoints,
) -> Recipe {
    let mut order = blake3::Hasher::new();
    for window in data.order.iter().take(config.visits() as usize) {
        order.update(&window.to_le_bytes());
    }
    let shard = data.shard.info();
    Recipe {
        fingerprint: checkpoints.fingerprint().to_owned(),
        // These may change between two tries.
        train: TrainConfig {
            checkpoint_every: 0,
            recompute: false,
            patience: 0,
            keep_moments: false,
            snapshots: Vec::new(),
            ..config.clone()
        },
        model: model.clone(),
        shard: [shard.tokens, shard.documents, shard.bytes, shard.vocabulary as u64],
        order: order.finalize().to_hex().to_string(),
        initial: init.checksum(),
    }
}
