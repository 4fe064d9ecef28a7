//! How fast models decode here, as far as it was measured (`ablate bench --decode`).

use ablate_model::{Backend, ModelConfig};
use ablate_train::Precision;

use super::{Timings, Workload, machine_key};
use crate::machine::Machine;
use crate::root::Root;

/// Sequences that are decoded together. This and the lengths are the paper's (Tables 2, 3 and 12).
pub const BATCH: usize = 20;
/// Tokens of a prompt.
pub const PROMPT: usize = 2;
/// Tokens that are generated after it.
pub const NEW: usize = 510;

/// Tokens per second of a sequence of this shape, on all cores of this machine.
pub fn known(root: &Root, machine: &Machine, model: &ModelConfig) -> Option<f64> {
    let speeds = Timings::<f64>::read(&root.decoding()).of(&machine_key(machine));
    speeds.get(&key(&decoder(model), Backend::Flex, machine.cores)).copied()
}

/// A model as it decodes: its context is that of the generation.
pub fn decoder(trained: &ModelConfig) -> ModelConfig {
    ModelConfig { context: PROMPT + NEW, ..trained.clone() }
}

/// The name of a speed among the timings.
pub fn key(model: &ModelConfig, backend: Backend, threads: usize) -> String {
    let workload = Workload { model, sequences: BATCH, precision: Precision::F32 };
    format!("{}, {}, {threads} threads", workload.key(), backend.name())
}
