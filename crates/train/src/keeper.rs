//! Checkpoints that are written on a thread of their own, while the work goes on.

use std::thread::{self, JoinHandle};

use ablate_corpus::Shard;
use ablate_model::ModelConfig;

use crate::checkpoint::Recipe;
use crate::{Checkpoints, Initial, State, TrainConfig, TrainError};

/// Writes one checkpoint after the other.
pub(crate) struct Keeper<'a> {
    checkpoints: &'a Checkpoints,
    recipe: Recipe,
    /// The step whose checkpoint is on disk or on its way there.
    saved: Option<u64>,
    /// What is being written.
    writing: Option<JoinHandle<Result<(), TrainError>>>,
}

impl<'a> Keeper<'a> {
    /// Takes a folder up: with the newest whole state of this run, if there is any.
    ///
    /// # Errors
    /// Checkpoints of another run, or none that is whole.
    pub(crate) fn open(
        checkpoints: &'a Checkpoints,
        recipe: Recipe,
    ) -> Result<(Self, Option<State>), TrainError> {
        let resumed = checkpoints.latest(&recipe)?;
        let saved = resumed.as_ref().map(|state| state.step);
        Ok((Self { checkpoints, recipe, saved, writing: None }, resumed))
    }

    /// Hands a step's state over to be written, once the one before is. `flush` makes durable what was
    /// recorded up to it.
    ///
    /// # Errors
    /// Why the one before could not be written.
    pub(crate) fn save(
        &mut self,
        step: u64,
        state: impl FnOnce() -> State,
        flush: impl FnOnce(),
    ) -> Result<(), TrainError> {
        if self.saved == Some(step) {
            return Ok(());
        }
        self.finish()?;
        flush();
        let (checkpoints, recipe, state) = (self.checkpoints.clone(), self.recipe.clone(), state());
        self.writing = Some(thread::spawn(move || checkpoints.save(state, &recipe)));
        self.saved = Some(step);
        Ok(())
    }

    /// Waits until what was handed over is durable.
    pub(crate) fn finish(&mut self) -> Result<(), TrainError> {
        match self.writing.take().map(JoinHandle::join) {
            None => Ok(()),
            Some(Ok(written)) => written,
            Some(Err(panic)) => std::panic::resume_unwind(panic),
        }
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

/// What a run's checkpoints belong to.
pub(crate) fn recipe(
    config: &TrainConfig,
    model: &ModelConfig,
    init: &Initial,
    (shard, windows): (&Shard, &[u32]),
    fingerprint: String,
) -> Recipe {
    let mut order = blake3::Hasher::new();
    for window in windows.iter().take(config.visits() as usize) {
        order.update(&window.to_le_bytes());
    }
    let shard = shard.info();
    Recipe {
        fingerprint,
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
