//! The loop.

use std::time::Instant;

use ablate_model::{ModelConfig, Weights};
use burn::tensor::Device;

use crate::keeper::{Keeper, recipe};
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
    let text = (data.shard, data.order);
    let recipe = recipe(config, model, &init, text, checkpoints.fingerprint().to_owned());
    let schedule = Schedule::of(config);

    let (mut keeper, resumed) = Keeper::open(checkpoints, recipe)?;
    observer.begin(resumed.as_ref().map(|state| state.step));
    let fresh = resumed.is_none();
    let state = resumed.unwrap_or_else(|| State::new(init));
    let mut live = Live::new(state, before, config, model, devices)?;

    if fresh {
        report(&live, config, data, observer)?;
    }
    while live.step < config.steps {
        if observer.stop() {
            save(&mut keeper, &live, observer)?;
            keeper.finish()?;
            return Err(TrainError::Stopped { step: live.step });
        }
        let start = Instant::now();
        let before = live.tokens;
        let pass = live
            .pass(config, data)
            .map_err(|error| salvage(&mut keeper, &live, observer, error))?;
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
            return Err(salvage(&mut keeper, &live, observer, error));
        }

        let due =
            |every: u64| live.step == config.steps || every > 0 && live.step.is_multiple_of(every);
        if due(config.validate_every) {
            report(&live, config, data, observer)
                .map_err(|error| salvage(&mut keeper, &live, observer, error))?;
        }
        if config.snapshots.binary_search(&live.step).is_ok() {
            observer.snapshot(live.step, &live.model.to_weights())?;
        }
        if due(config.checkpoint_every) {
            save(&mut keeper, &live, observer)?;
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

/// Writes a checkpoint of a training as it is.
fn save(
    keeper: &mut Keeper<'_>,
    live: &Live,
    observer: &mut dyn Observer,
) -> Result<(), TrainError> {
    keeper.save(live.step, || live.state(), || observer.flush())
}

/// After a divergence, keeps the weights that the failed update would have changed. Weights that are
/// no longer finite themselves (after an update of absurd size) are not kept: the checkpoint before
/// stays the newest.
fn salvage(
    keeper: &mut Keeper<'_>,
    live: &Live,
    observer: &mut dyn Observer,
    error: TrainError,
) -> TrainError {
    if error.diverged_at().is_some()
        && live.state().is_finite()
        && let Err(error) = save(keeper, live, observer).and_then(|()| keeper.finish())
    {
        return error;
    }
    error
}
