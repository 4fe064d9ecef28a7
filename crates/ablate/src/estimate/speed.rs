//! How fast a shape trains here: as measured, as measured with another shape, or as guessed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ablate_cost::{Kept, flops_per_token, training_memory};
use ablate_train::Precision;
use serde::Serialize;

use super::timings::{Measured, Timings, Workload, machine_key};
use super::{Timing, probe, rates};
use crate::commands::say;
use crate::machine::Machine;

/// Operations of one sequence that are still worth running for a timing.
const LARGEST_SEQUENCE: f64 = 15e9;
/// Weights that are still worth drawing for a timing.
const LARGEST_MODEL: u64 = 20_000_000;

/// Where a speed comes from, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// This shape was timed on this machine.
    Measured,
    /// From the operations per second of other shapes on this machine.
    Extrapolated,
    /// From a constant.
    Guessed,
}

/// How fast a shape trains with one thread.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Speed {
    /// Seconds per token of forward and backward pass.
    pub pass: f64,
    /// Seconds per update.
    pub update: f64,
    /// Where the two come from.
    pub source: Source,
}

impl Speed {
    /// Seconds per token of a forward pass.
    pub fn forward(&self) -> f64 {
        self.pass * rates::FORWARD
    }
}

/// Speeds of this machine.
pub struct Speeds {
    path: PathBuf,
    machine: String,
    cores: usize,
    /// Bytes of memory that a timing may need.
    memory: u64,
    timing: Timing,
    known: BTreeMap<String, Measured>,
    new: BTreeMap<String, Measured>,
}

impl Speeds {
    /// Reads what was measured before.
    pub fn new(path: &Path, machine: &Machine, timing: Timing) -> Self {
        let key = machine_key(machine);
        let known = Timings::<Measured>::read(path).of(&key);
        Self {
            path: path.to_owned(),
            machine: key,
            cores: machine.cores,
            memory: machine.memory / 2,
            timing,
            known,
            new: BTreeMap::new(),
        }
    }

    /// The speed of a workload.
    pub fn of(&mut self, workload: Workload<'_>) -> Speed {
        if let Some(known) = self.measured(workload) {
            return Speed {
                pass: known.seconds_per_token,
                update: known.seconds_per_update,
                source: Source::Measured,
            };
        }
        let (rate, source) = self.rate(workload.precision);
        let model = workload.model;
        Speed {
            pass: flops_per_token(&model.shape, model.context).training / rate,
            update: 0.0,
            source,
        }
    }

    /// Keeps what was measured for the next time.
    pub fn save(&self) {
        if !self.new.is_empty() {
            Timings::add(&self.path, &self.machine, &self.new);
        }
    }

    fn measured(&mut self, workload: Workload<'_>) -> Option<Measured> {
        let key = workload.key();
        if let Some(known) = self.known.get(&key) {
            return Some(*known);
        }
        if self.timing == Timing::Cached {
            return None;
        }
        let workers = self.workers(workload)?;
        if self.new.is_empty() {
            say("timing shapes on this machine, about a second each; kept for the next time");
        }
        let measured = probe::measure(workload, workers)?;
        self.known.insert(key.clone(), measured);
        self.new.insert(key, measured);
        Some(measured)
    }

    /// How many trainings of this workload at once can be timed: one a core, or as many as there is
    /// memory for. `None` for one that is too large to be timed at all.
    fn workers(&self, Workload { model, sequences, .. }: Workload<'_>) -> Option<usize> {
        let sequence = flops_per_token(&model.shape, model.context).training * model.context as f64;
        let one = training_memory(&model.shape, sequences, model.context, Kept::Activations).total;
        let workers =
            usize::try_from(self.memory / one.max(1)).map_or(self.cores, |fit| fit.min(self.cores));
        let small = sequence <= LARGEST_SEQUENCE && model.shape.parameters().total <= LARGEST_MODEL;
        (small && workers > 0).then_some(workers)
    }

    /// Operations per second of one core: of the reference shape, else the median of the shapes
    /// that were timed, else a guess.
    fn rate(&mut self, precision: Precision) -> (f64, Source) {
        let (model, sequences) = probe::reference();
        let reference = Workload { model: &model, sequences, precision };
        if let Some(measured) = self.measured(reference) {
            return (measured.flops_per_second, Source::Extrapolated);
        }
        let mut rates: Vec<f64> = self.known.values().map(|m| m.flops_per_second).collect();
        rates.sort_by(f64::total_cmp);
        match rates.get(rates.len() / 2) {
            Some(rate) => (*rate, Source::Extrapolated),
            None => (rates::GUESSED_FLOPS, Source::Guessed),
        }
    }
}

#[cfg(test)]
mod tests {
    use ablate_cost::Shape;
    use ablate_model::ModelConfig;

    use super::*;

    fn of(model: &ModelConfig) -> Workload<'_> {
        Workload { model, sequences: 4, precision: Precision::F32 }
    }

    fn machine() -> Machine {
        Machine { cpu: "a cpu".to_owned(), cores: 2, memory: 8_000_000_000 }
    }

    fn model(width: usize) -> ModelConfig {
        let shape = Shape {
            vocabulary: 48_000,
            depth: 20,
            width,
            heads: 4,
            kv_heads: 4,
            ffn: 3 * width,
            tied: false,
            pi: Default::default(),
            attention: Default::default(),
            block: Default::default(),
        };
        ModelConfig {
            shape,
            context: 512,
            rope_theta: 10_000.0,
            norm_eps: 1e-5,
            rope_scaling: Default::default(),
        }
    }

    #[test]
    fn known_shapes_then_their_median_then_a_guess() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("timings.json");
        let speeds = || Speeds::new(&path, &machine(), Timing::Cached);
        let (wide, narrow) = (model(512), model(64));
        let flops = flops_per_token(&wide.shape, wide.context).training;

        let guess = speeds().of(of(&wide));
        assert_eq!(guess.source, Source::Guessed);
        assert!((guess.pass * rates::GUESSED_FLOPS / flops - 1.0).abs() < 1e-12);

        let measured =
            Measured { seconds_per_token: 2e-5, seconds_per_update: 0.25, flops_per_second: 7e9 };
        let key = of(&narrow).key();
        Timings::add(&path, &machine_key(&machine()), &BTreeMap::from([(key, measured)]));
        let known = speeds().of(of(&narrow));
        assert_eq!(known, Speed { pass: 2e-5, update: 0.25, source: Source::Measured });
        let extrapolated = speeds().of(of(&wide));
        assert_eq!(extrapolated.source, Source::Extrapolated);
        assert!((extrapolated.pass * 7e9 / flops - 1.0).abs() < 1e-12);
        // Another precision has speeds of its own.
        let bf16 = Workload { precision: Precision::Bf16, ..of(&narrow) };
        assert_ne!(speeds().of(bf16).source, Source::Measured);
    }

    #[test]
    fn models_of_paper_size_are_never_built() {
        let (reference, sequences) = probe::reference();
        let reference = Workload { sequences, ..of(&reference) };
        let of_memory = |memory| {
            Speeds::new(Path::new("none"), &Machine { memory, ..machine() }, Timing::Measure)
        };
        assert_eq!(of_memory(8_000_000_000).workers(of(&model(1792))), None);
        assert_eq!(of_memory(8_000_000_000).workers(reference), Some(2));
        let model = reference.model;
        let one = training_memory(&model.shape, sequences, model.context, Kept::Activations).total;
        assert_eq!(of_memory(2 * one).workers(reference), Some(1));
        assert_eq!(of_memory(2 * one - 2).workers(reference), None);
    }
}
