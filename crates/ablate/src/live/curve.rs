//! The curve of a training, read while it is written.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use serde::Deserialize;

use crate::stages::train::TRAIN;

/// Weight of a new step in the speed.
const NEW: f64 = 0.1;

/// Losses by step, as far as they are known.
#[derive(Debug, Default)]
pub struct Curve {
    /// Training loss of every step, in nats per token.
    pub train: Vec<(u64, f64)>,
    /// Bits per byte of held-out text by language.
    pub validation: BTreeMap<String, Vec<(u64, f64)>>,
    /// Steps in all, where they are known.
    pub steps: Option<u64>,
    /// Tokens of the last step.
    tokens: u64,
    /// When the last step was written, and the tokens until then.
    last: Option<(f64, u64)>,
    /// Smoothed tokens per second.
    pub speed: Option<f64>,
    /// Which file was read.
    file: Option<(u64, u64)>,
    /// How much of it.
    read: u64,
}

/// What is read of a line: a feed's, or one of a training's own metrics.
#[derive(Deserialize)]
struct Line {
    time: Option<f64>,
    steps: Option<u64>,
    step: u64,
    tokens: u64,
    split: String,
    loss: f64,
    language: Option<String>,
    bits_per_byte: Option<f64>,
    tokens_per_second: Option<f64>,
    masks: Option<serde::de::IgnoredAny>,
}

impl Curve {
    /// Reads what was added to a file since the last time; all of it where it is another file now, as
    /// after an interruption. What cannot be read is not there yet.
    pub fn follow(&mut self, path: &Path) {
        let Ok(mut file) = File::open(path) else { return };
        let Ok(metadata) = file.metadata() else { return };
        let which = Some((metadata.dev(), metadata.ino()));
        if which != self.file || metadata.len() < self.read {
            *self = Self { file: which, ..Self::default() };
        }
        let mut bytes = Vec::new();
        let read = file.seek(SeekFrom::Start(self.read)).and_then(|_| file.read_to_end(&mut bytes));
        if read.is_err() {
            return;
        }
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            if !line.ends_with(b"\n") {
                break;
            }
            self.read += line.len() as u64;
            match serde_json::from_slice(line) {
                Ok(line) => self.take(line),
                // Not where a line begins: another file with the number of the old one.
                Err(_) => self.file = None,
            }
        }
    }

    fn take(&mut self, line: Line) {
        let add = |curve: &mut Vec<(u64, f64)>, value| {
            // Steps that were made again count once.
            while curve.last().is_some_and(|(step, _)| *step >= line.step) {
                curve.pop();
            }
            curve.push((line.step, value));
        };
        self.steps = line.steps.or(self.steps);
        match (line.language, line.bits_per_byte) {
            _ if line.split == TRAIN => {
                add(&mut self.train, line.loss);
                self.tokens = line.tokens / line.step.max(1);
                let before =
                    std::mem::replace(&mut self.last, line.time.map(|at| (at, line.tokens)));
                let passed = line.time.zip(before).map(|(now, (then, tokens))| {
                    line.tokens.saturating_sub(tokens) as f64 / (now - then)
                });
                // Masks do not say how fast they are learned.
                let own = line.tokens_per_second.or(passed.filter(|_| line.masks.is_some()));
                if let Some(new) = own.filter(|speed| speed.is_finite() && *speed > 0.0) {
                    self.speed = Some(self.speed.map_or(new, |old| old + NEW * (new - old)));
                }
            }
            (Some(language), Some(bits)) => {
                add(self.validation.entry(language).or_default(), bits);
            }
            _ => {}
        }
    }

    /// The last step, and its loss.
    pub fn last(&self) -> Option<(u64, f64)> {
        self.train.last().copied()
    }

    /// How long the rest takes at the speed of the last steps; validations are not counted.
    pub fn seconds_left(&self) -> Option<f64> {
        let (step, _) = self.last()?;
        let tokens = self.steps?.saturating_sub(step).saturating_mul(self.tokens);
        self.speed.filter(|speed| *speed > 0.0).map(|speed| tokens as f64 / speed)
    }
}

/// At most so many points: means over steps that follow each other, each at the last of its steps.
pub fn thinned(curve: &[(u64, f64)], most: usize) -> Vec<(u64, f64)> {
    let part = curve.len().div_ceil(most.max(1)).max(1);
    let mean = |points: &[(u64, f64)]| {
        let sum: f64 = points.iter().map(|(_, value)| value).sum();
        points.last().map(|(step, _)| (*step, sum / points.len() as f64))
    };
    curve.chunks(part).filter_map(mean).collect()
}

#[cfg(test)]
mod tests {
    use std::fs::{self, OpenOptions};
    use std::io::Write;

    use super::*;

    fn line(step: u64, loss: f64) -> String {
        format!(
            "{{\"time\":1.5,\"steps\":10,\"step\":{step},\"tokens\":{},\"bytes\":1,\"split\":\"train\",\
             \"loss\":{loss},\"tokens_per_second\":50.0}}\n",
            step * 100
        )
    }

    #[test]
    fn a_curve_grows_with_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        let mut curve = Curve::default();
        curve.follow(&path);
        assert_eq!((curve.last(), curve.seconds_left()), (None, None));
        let mut file = OpenOptions::new().create(true).append(true).open(&path).unwrap();
        let validation = "{\"step\":0,\"tokens\":0,\"bytes\":0,\"split\":\"validation\",\"loss\":3.0,\
                          \"language\":\"en\",\"bits_per_byte\":2.5}\n";
        // A line that is half written counts when it is whole.
        let second = line(2, 4.0);
        let (half, rest) = second.split_at(30);
        write!(file, "{validation}{}{half}", line(1, 5.0)).unwrap();
        curve.follow(&path);
        assert_eq!(curve.train, [(1, 5.0)]);
        assert_eq!(curve.validation["en"], [(0, 2.5)]);
        write!(file, "{rest}").unwrap();
        curve.follow(&path);
        curve.follow(&path);
        assert_eq!(curve.train, [(1, 5.0), (2, 4.0)]);
        // Eight steps of a hundred tokens at fifty a second.
        assert_eq!((curve.steps, curve.seconds_left()), (Some(10), Some(16.0)));
    }

    #[test]
    fn a_training_that_went_on_from_a_checkpoint_is_read_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        let mut curve = Curve::default();
        fs::write(&path, (1..=5).map(|step| line(step, 1.0)).collect::<String>()).unwrap();
        curve.follow(&path);
        let new = folder.path().join("new");
        let again: String =
            (1..=6).map(|step| line(step, if step < 4 { 1.0 } else { 2.0 })).collect();
        fs::write(&new, again).unwrap();
        fs::rename(&new, &path).unwrap();
        curve.follow(&path);
        assert_eq!(curve.train, [(1, 1.0), (2, 1.0), (3, 1.0), (4, 2.0), (5, 2.0), (6, 2.0)]);
    }

    #[test]
    fn long_curves_are_thinned_to_means() {
        let curve: Vec<(u64, f64)> = (1..=10).map(|step| (step, step as f64)).collect();
        assert_eq!(thinned(&curve, 10), curve);
        assert_eq!(thinned(&curve, 4), [(3, 2.0), (6, 5.0), (9, 8.0), (10, 10.0)]);
        assert!(thinned(&[], 4).is_empty());
    }
}
