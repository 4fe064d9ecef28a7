//! What was measured of shapes, on disk: by machine and program version, then by shape.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use ablate_cost::flops_per_token;
use ablate_model::ModelConfig;
use ablate_pipeline::write_atomic;
use ablate_train::Precision;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::machine::Machine;
use crate::stages::train;

/// How fast one shape trains with one thread.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Seconds per token of forward and backward pass.
    pub seconds_per_token: f64,
    /// Seconds per update of the weights.
    pub seconds_per_update: f64,
    /// Operations per second of the two passes, to compare shapes by.
    pub flops_per_second: f64,
}

impl Measured {
    /// From the two times; `None` when they make no sense (a clock that stood still).
    pub fn new(
        model: &ModelConfig,
        seconds_per_token: f64,
        seconds_per_update: f64,
    ) -> Option<Self> {
        let flops = flops_per_token(&model.shape, model.context).training;
        let flops_per_second = flops / seconds_per_token;
        let measured = Self { seconds_per_token, seconds_per_update, flops_per_second };
        measured.is_sane().then_some(measured)
    }
}

impl Sane for Measured {
    fn is_sane(&self) -> bool {
        let positive = |value: f64| value.is_finite() && value > 0.0;
        positive(self.seconds_per_token)
            && positive(self.flops_per_second)
            && self.seconds_per_update.is_finite()
            && self.seconds_per_update >= 0.0
    }
}

/// Whether a value makes sense; one that does not is measured again.
pub trait Sane {
    fn is_sane(&self) -> bool;
}

/// A rate.
impl Sane for f64 {
    fn is_sane(&self) -> bool {
        self.is_finite() && *self > 0.0
    }
}

/// A number of threads.
impl Sane for usize {
    fn is_sane(&self) -> bool {
        *self > 0
    }
}

type Shapes<T> = BTreeMap<String, T>;

/// All that was ever measured into one file.
#[derive(Debug)]
pub struct Timings<T>(BTreeMap<String, Shapes<T>>);

impl<T: Sane + Clone + Serialize + DeserializeOwned> Timings<T> {
    /// Reads a file of timings; one that is missing or damaged is empty, for it can be made again.
    pub fn read(path: &Path) -> Self {
        let read: Option<BTreeMap<String, Shapes<T>>> =
            fs::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let mut machines = read.unwrap_or_default();
        for shapes in machines.values_mut() {
            shapes.retain(|_, measured| measured.is_sane());
        }
        Self(machines)
    }

    /// What was measured on one machine.
    pub fn of(&self, machine: &str) -> Shapes<T> {
        self.0.get(machine).cloned().unwrap_or_default()
    }

    /// Adds what was measured on one machine to what is on disk. The file is replaced as a whole; where that
    /// fails it is measured again next time.
    pub fn add(path: &Path, machine: &str, new: &Shapes<T>) {
        // Read again: another command may have written in the meantime.
        let mut all = Self::read(path);
        all.0.entry(machine.to_owned()).or_default().extend(new.clone());
        if let (Some(folder), Ok(bytes)) = (path.parent(), serde_json::to_vec_pretty(&all.0)) {
            let _ = fs::create_dir_all(folder).and_then(|()| write_atomic(path, &bytes));
        }
    }
}

/// Speeds are those of a processor and of a version of this program.
pub fn machine_key(machine: &Machine) -> String {
    format!("{}, ablate {}", machine.cpu, env!("CARGO_PKG_VERSION"))
}

/// Everything that the speed of a training depends on.
#[derive(Clone, Copy, Debug)]
pub struct Workload<'a> {
    pub model: &'a ModelConfig,
    /// Sequences of a pass.
    pub sequences: usize,
    pub precision: Precision,
}

impl<'a> Workload<'a> {
    /// Of a training run.
    pub fn training(run: &'a train::Recipe) -> Self {
        Self { model: &run.model, sequences: run.micro_sequences, precision: run.precision }
    }

    /// Of scoring with a model that was trained so.
    pub fn scoring(run: &'a train::Recipe) -> Self {
        Self { precision: Precision::F32, ..Self::training(run) }
    }

    /// Its name among the timings.
    pub fn key(&self) -> String {
        let precision = match self.precision {
            Precision::F32 => "",
            Precision::Bf16 => ", bf16",
        };
        shape_key(self.model, self.sequences) + precision
    }
}

fn shape_key(model: &ModelConfig, sequences: usize) -> String {
    let s = &model.shape;
    let pi = match s.pi.is_none() {
        true => String::new(),
        false => format!(", activations {}, shortcut {}", s.pi.activations, s.pi.shortcut),
    };
    format!(
        "vocabulary {}, depth {}, width {}, heads {}/{}, ffn {}, {}, context {}, sequences {}{pi}",
        s.vocabulary,
        s.depth,
        s.width,
        s.heads,
        s.kv_heads,
        s.ffn,
        if s.tied { "tied" } else { "untied" },
        model.context,
        sequences
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(seconds_per_token: f64) -> Measured {
        Measured { seconds_per_token, seconds_per_update: 0.01, flops_per_second: 1e9 }
    }

    #[test]
    fn what_was_added_is_read_again_beside_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data").join("timings.json");
        Timings::add(&path, "a", &Shapes::from([("x".to_owned(), measured(1.0))]));
        Timings::add(&path, "a", &Shapes::from([("y".to_owned(), measured(2.0))]));
        Timings::add(&path, "b", &Shapes::from([("x".to_owned(), measured(3.0))]));
        let read = Timings::<Measured>::read(&path);
        assert_eq!(read.of("a").len(), 2);
        assert_eq!(read.of("a")["y"], measured(2.0));
        assert_eq!(read.of("b")["x"], measured(3.0));
        assert!(read.of("c").is_empty());
    }

    #[test]
    fn damage_is_ignored_and_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("timings.json");
        for damage in ["", "{\"a\": 3}", "{\"a\": {\"x\": {\"seconds_per_token\": 1}}}", "\0\0"] {
            fs::write(&path, damage).unwrap();
            assert!(Timings::<Measured>::read(&path).of("a").is_empty(), "{damage}");
            Timings::add(&path, "a", &Shapes::from([("x".to_owned(), measured(1.0))]));
            assert_eq!(Timings::<Measured>::read(&path).of("a")["x"], measured(1.0), "{damage}");
        }
        let absurd = r#"{"a": {"x": {"seconds_per_token": -1, "seconds_per_update": 0,
                         "flops_per_second": 1}}}"#;
        fs::write(&path, absurd).unwrap();
        assert!(Timings::<Measured>::read(&path).of("a").is_empty());
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_no_error() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let shapes = Shapes::from([("x".to_owned(), measured(1.0))]);
        Timings::add(&file.join("store").join("timings.json"), "a", &shapes);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
