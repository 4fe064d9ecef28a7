//! What is written of masks while they are learned.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use ablate_pipeline::{Context, Failure};
use ablate_train::masks::{MaskObserver, MaskRecord, Sparsity};

use super::super::journal::Journal;
use super::super::train::{Metric, Shares, TRAIN};
use crate::live::lines;

/// Writes every update and passes progress on.
pub struct Log<'a> {
    context: &'a Context<'a>,
    journal: Journal<'a>,
    said: Instant,
}

impl<'a> Log<'a> {
    /// Of so many updates.
    pub fn new(context: &'a Context<'a>, steps: u64) -> Self {
        Self { context, journal: Journal::new(context, steps), said: Instant::now() }
    }

    /// Whether everything was written.
    ///
    /// # Errors
    /// When something was not.
    pub fn check(&mut self) -> Result<(), Failure> {
        self.journal.check()
    }
}

impl MaskObserver for Log<'_> {
    fn begin(&mut self, resumed: Option<u64>) {
        self.journal.begin(resumed, followed);
    }

    fn update(&mut self, record: &MaskRecord) -> bool {
        self.journal.write(record, &metric(record));
        if record.step == record.steps || self.said.elapsed() > Duration::from_millis(200) {
            self.said = Instant::now();
            self.context.progress(record.step, record.steps, words(record));
        }
        !self.journal.failed() && !self.context.stopping()
    }

    fn flush(&mut self) -> bool {
        self.journal.flush();
        !self.journal.failed()
    }
}

/// The updates in a file, in the words of a feed.
///
/// # Errors
/// When it cannot be read.
pub fn followed(path: &Path) -> io::Result<Vec<Metric>> {
    Ok(lines::<MaskRecord>(path)?.iter().map(metric).collect())
}

/// An update in the words of a feed. How many bytes of text its tokens stand for is not known.
fn metric(record: &MaskRecord) -> Metric {
    Metric {
        step: record.step,
        tokens: record.tokens,
        split: TRAIN.to_owned(),
        loss: record.loss,
        learning_rate: Some(record.learning_rate),
        masks: Some(Shares {
            penalty: record.penalty,
            target: record.target,
            sparsity: record.sparsity,
        }),
        ..Metric::default()
    }
}

/// What an update came to, in a line.
fn words(record: &MaskRecord) -> String {
    let shut = named(&record.sparsity)
        .into_iter()
        .filter_map(|(name, share)| share.map(|share| format!("{name} {:.0}%", 100.0 * share)));
    format!("loss {:.3}, shut: {}", record.loss, shut.collect::<Vec<_>>().join(", "))
}

/// Shares by what they are of.
pub fn named(sparsity: &Sparsity) -> [(&'static str, Option<f64>); 5] {
    let Sparsity { layers, hidden, heads, ffn, shortcut } = *sparsity;
    [
        ("layers", layers),
        ("hidden", hidden),
        ("heads", heads),
        ("ffn", ffn),
        ("bottleneck", shortcut),
    ]
}
