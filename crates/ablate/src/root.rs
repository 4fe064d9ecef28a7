//! Where everything that a run makes lies.

use std::path::{Path, PathBuf};

use ablate_benchmark::Library;
use ablate_pipeline::Store;

/// The folder given by `--root`.
#[derive(Clone, Debug)]
pub struct Root(PathBuf);

impl Root {
    pub fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Results of all stages of all studies.
    pub fn store(&self) -> Store {
        Store::new(self.0.join("data").join("store"))
    }

    /// What a study has handed over to a cluster.
    pub fn runs(&self, study: &str) -> PathBuf {
        self.0.join("data").join("runs").join(study)
    }

    /// The trainings of a study by variant and seed, to be followed while they go on.
    pub fn live(&self, study: &str) -> PathBuf {
        self.0.join("data").join("live").join(study)
    }

    /// What runs have asked for.
    pub fn references(&self) -> PathBuf {
        self.0.join("data").join("references")
    }

    /// The user's definitions of benchmarks, and what was imported of benchmarks.
    pub fn benchmarks(&self) -> Library {
        let data = self.0.join("data");
        Library::new(data.join("benchmarks"), data.join("imported"))
    }

    /// Folder of a study's report.
    pub fn report(&self, study: &str) -> PathBuf {
        self.0.join("reports").join(study)
    }

    /// Page of the whole paper.
    pub fn paper(&self) -> PathBuf {
        self.report("paper")
    }

    /// Threads at which trainings get most done on this machine.
    pub fn threads(&self) -> PathBuf {
        self.0.join("data").join("store").join("threads.json")
    }

    /// Measured speeds of decoding.
    pub fn decoding(&self) -> PathBuf {
        self.0.join("data").join("store").join("decoding.json")
    }

    /// Measured speeds of this machine.
    pub fn timings(&self) -> PathBuf {
        self.0.join("data").join("store").join("timings.json")
    }
}
