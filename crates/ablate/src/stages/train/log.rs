//! The metrics of a training: written while it runs, read by later rounds and the report.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use ablate_model::Weights;
use ablate_pipeline::{Context, Failure};
use ablate_train::masks::Sparsity;
use ablate_train::{Observer, StepRecord, TrainError, ValidationRecord};
use serde::{Deserialize, Serialize};

use super::super::journal::Journal;
use super::super::{bug, machine};
use super::{METRICS, snapshots};
use crate::live::lines;

/// The split of a training loss.
pub const TRAIN: &str = "train";

/// A line of the metrics file: a step's training loss, or a validation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    pub step: u64,
    pub tokens: u64,
    pub bytes: u64,
    /// `train` or `validation`.
    pub split: String,
    /// Nats per token.
    pub loss: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bits_per_byte: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learning_rate: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gradient_norm: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_per_second: Option<f64>,
    /// Of an update of learned masks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub masks: Option<Shares>,
}

/// How far learned masks are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Shares {
    /// What was added to the loss for sparsities off their targets.
    pub penalty: f64,
    /// The share of its target that every sparsity should be at.
    pub target: f64,
    /// Expected shares of what is shut.
    pub sparsity: Sparsity,
}

impl From<&StepRecord> for Metric {
    fn from(record: &StepRecord) -> Self {
        Self {
            step: record.step,
            tokens: record.tokens,
            bytes: record.bytes,
            split: TRAIN.to_owned(),
            loss: record.loss,
            learning_rate: Some(record.learning_rate),
            gradient_norm: Some(record.gradient_norm),
            tokens_per_second: Some(record.tokens_per_second),
            ..Self::default()
        }
    }
}

impl From<&ValidationRecord> for Metric {
    fn from(record: &ValidationRecord) -> Self {
        Self {
            step: record.step,
            tokens: record.tokens,
            bytes: record.bytes,
            split: "validation".to_owned(),
            loss: record.loss,
            language: Some(record.language.clone()),
            bits_per_byte: Some(record.bits_per_byte),
            ..Self::default()
        }
    }
}

/// Writes the metrics, keeps snapshots and passes progress on.
pub struct Log<'a> {
    context: &'a Context<'a>,
    journal: Journal<'a>,
    said: Instant,
    /// Smoothed tokens per second.
    rate: f64,
}

impl<'a> Log<'a> {
    /// Of a training of so many steps.
    pub fn new(context: &'a Context<'a>, steps: u64) -> Self {
        let journal = Journal::new(context, steps);
        Self { context, journal, said: Instant::now(), rate: 0.0 }
    }

    fn write(&mut self, metric: &Metric) {
        self.journal.write(metric, metric);
    }

    /// Whether everything was written.
    ///
    /// # Errors
    /// When something was not.
    pub fn check(&mut self) -> Result<(), Failure> {
        self.journal.check()
    }
}

impl Observer for Log<'_> {
    fn begin(&mut self, resumed: Option<u64>) {
        self.journal.begin(resumed, lines);
    }

    fn step(&mut self, record: &StepRecord) {
        self.write(&record.into());
        let rate = record.tokens_per_second;
        self.rate = if self.rate == 0.0 { rate } else { 0.9 * self.rate + 0.1 * rate };
        let last = record.step == record.steps;
        if last || self.said.elapsed() > Duration::from_millis(200) {
            self.said = Instant::now();
            let message = format!("loss {:.3}, {:.0} tokens/s", record.loss, self.rate);
            self.context.progress(record.step, record.steps, message);
        }
    }

    fn validation(&mut self, record: &ValidationRecord) {
        self.write(&record.into());
    }

    fn snapshot(&mut self, step: u64, weights: &Weights) -> Result<(), TrainError> {
        snapshots::save(self.context.directory, step, weights)
    }

    fn flush(&mut self) {
        self.journal.flush();
    }

    fn stop(&mut self) -> bool {
        // Metrics that cannot be written are a reason to stop as well: the disk is full.
        self.context.stopping() || self.journal.failed()
    }
}

/// Reads a metrics file.
///
/// # Errors
/// When it is missing or a line is not what was written.
pub fn read_metrics(path: &Path) -> Result<Vec<Metric>, Failure> {
    let text = fs::read_to_string(path)
        .map_err(|error| machine(format!("cannot read `{}`: {error}", path.display())))?;
    text.lines().map(|line| serde_json::from_str(line).map_err(bug)).collect()
}

/// The training loss of every step of a finished round.
///
/// # Errors
/// When the metrics are missing or not what was written.
pub fn training_losses(folder: &Path) -> Result<Vec<f64>, Failure> {
    let metrics = read_metrics(&folder.join(METRICS))?;
    Ok(metrics.into_iter().filter(|m| m.split == TRAIN).map(|metric| metric.loss).collect())
}
