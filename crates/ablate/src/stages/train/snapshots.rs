//! The weights of a training at the points at which it is to be scored.

use std::fs;
use std::path::{Path, PathBuf};

use ablate_model::Weights;
use ablate_pipeline::Failure;
use ablate_train::TrainError;

use super::super::{machine, read_json};
use super::{SUMMARY, Summary, WEIGHTS};

/// Folder of the weights before the end; those at the end are the result's own.
const FOLDER: &str = "snapshots";

/// The weights at a point of a training.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Steps done.
    pub step: u64,
    /// Tokens seen.
    pub tokens: u64,
    /// Their file.
    pub path: PathBuf,
}

/// Keeps the weights after a step; they are on disk when this returns.
///
/// # Errors
/// When they cannot be written.
pub fn save(folder: &Path, step: u64, weights: &Weights) -> Result<(), TrainError> {
    let folder = folder.join(FOLDER);
    let path = folder.join(format!("step-{step:06}.safetensors"));
    let written = fs::create_dir_all(&folder)
        .and_then(|()| weights.save(&path).map_err(std::io::Error::other));
    written.map_err(|source| TrainError::Checkpoint { path, source })
}

impl Snapshot {
    /// What a finished training kept, in the order of the steps; its end is the last.
    ///
    /// # Errors
    /// What cannot be read.
    pub fn all(folder: &Path) -> Result<Vec<Self>, Failure> {
        let summary: Summary = read_json(&folder.join(SUMMARY))?;
        let mut all = Vec::new();
        let kept = folder.join(FOLDER);
        // A training with one point keeps none before its end.
        if kept.exists() {
            for entry in fs::read_dir(&kept).map_err(machine)? {
                let path = entry.map_err(machine)?.path();
                let stem = path.file_stem().and_then(|stem| stem.to_str());
                let step = stem.and_then(|stem| stem.strip_prefix("step-")?.parse().ok());
                let Some(step) = step else { continue };
                // All steps have the same number of tokens.
                let tokens = summary.tokens / summary.steps.max(1) * step;
                all.push(Self { step, tokens, path });
            }
        }
        let end = folder.join(WEIGHTS);
        all.push(Self { step: summary.steps, tokens: summary.tokens, path: end });
        all.sort_by_key(|snapshot| snapshot.step);
        Ok(all)
    }
}
