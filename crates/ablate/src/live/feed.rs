//! What a training writes for whoever follows it.

use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ablate_pipeline::Owner;
use ablate_tensorboard::{EventFile, event_files};
use serde::{Deserialize, Serialize};

use crate::stages::masks;
use crate::stages::train::{METRICS, Metric, Shares, TRAIN};

/// What was written is handed to the system as often as this, so that others see it.
const PAUSE: Duration = Duration::from_millis(250);

/// Whoever has the lease of a training is the only one that replaces its metrics: what a kill leaves of that
/// is overwritten by the next.
const LEASED: &str = "";

/// A line of a feed's metrics: a line of the training's own, and when it was written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Seconds since 1970 by the clock of whoever trains.
    pub time: f64,
    /// Steps of the training in all.
    pub steps: u64,
    #[serde(flatten)]
    pub metric: Metric,
}

/// The files of a training's feed.
#[derive(Debug)]
pub struct Feed {
    metrics: BufWriter<File>,
    events: EventFile,
    steps: u64,
    flushed: Instant,
}

impl Feed {
    /// Opens the feed of a training that goes on after a checkpoint, or begins. What was written of later
    /// steps goes: lines are cut off, and TensorBoard is told which steps are void. `own` is what is part
    /// of the result, cut back already; where the feed does not hold the same steps (it was
    /// removed, or lost with a machine's power) it is written anew from them.
    ///
    /// # Errors
    /// When the disk says no.
    pub fn open(
        folder: &Path,
        own: Vec<Metric>,
        resumed: Option<u64>,
        steps: u64,
    ) -> io::Result<Self> {
        let mut lines: Vec<Line> = self::lines(&folder.join(METRICS))?;
        lines.retain(|line| resumed.is_some_and(|step| line.metric.step <= step));
        let events = event_files(folder)?;
        let whole = lines.iter().map(|line| &line.metric).eq(&own)
            && (lines.is_empty() || !events.is_empty());
        if whole && !own.is_empty() {
            return Self::start((folder, LEASED), &lines, resumed.map(|step| step + 1), steps);
        }
        Self::anew((folder, LEASED), own, now(), steps)
    }

    /// Writes the feed of a training that has none.
    ///
    /// # Errors
    /// When the disk says no.
    pub fn write(folder: &Path, own: Vec<Metric>, time: f64) -> io::Result<()> {
        let steps = own.iter().map(|metric| metric.step).max().unwrap_or(0);
        // Several launchers may do this at the same time.
        let mark = format!("-{}", Owner::current().token);
        Self::anew((folder, &mark), own, time, steps)?.flush()
    }

    fn anew(
        (folder, mark): (&Path, &str),
        own: Vec<Metric>,
        time: f64,
        steps: u64,
    ) -> io::Result<Self> {
        let old = event_files(folder)?;
        let line = |metric| Line { time, steps, metric };
        let lines: Vec<Line> = own.into_iter().map(line).collect();
        // After the old ones by its name, which are void with its first event.
        let mut feed = Self::start((folder, mark), &lines, (!old.is_empty()).then_some(0), steps)?;
        for path in old {
            gone(fs::remove_file(path))?;
        }
        for line in &lines {
            event(&mut feed.events, line)?;
        }
        Ok(feed)
    }

    /// Replaces the metrics, so that another that still believes to be at work writes into nothing, and
    /// begins a new event file, which may say from which step on all before is void. `mark` is a part of
    /// a name that no other writer has at this time.
    fn start(
        (folder, mark): (&Path, &str),
        lines: &[Line],
        void: Option<u64>,
        steps: u64,
    ) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let owner = Owner::current();
        let temporary = folder.join(format!(".{METRICS}{mark}.tmp"));
        let mut metrics = BufWriter::new(File::create(&temporary)?);
        for line in lines {
            write_line(&mut metrics, line)?;
        }
        metrics.flush()?;
        fs::rename(&temporary, folder.join(METRICS))?;
        let time = now();
        let suffix = format!("{}.{}", owner.host, owner.pid);
        let mut events = EventFile::create(folder, time, &suffix)?;
        if let Some(step) = void {
            events.restart(time, step)?;
        }
        events.flush()?;
        Ok(Self { metrics, events, steps, flushed: Instant::now() })
    }

    /// Adds a record. Others see it a quarter of a second later at most, or with the next one.
    ///
    /// # Errors
    /// When the disk says no.
    pub fn add(&mut self, metric: &Metric) -> io::Result<()> {
        let line = Line { time: now(), steps: self.steps, metric: metric.clone() };
        write_line(&mut self.metrics, &line)?;
        event(&mut self.events, &line)?;
        if self.flushed.elapsed() >= PAUSE {
            self.flush()?;
        }
        Ok(())
    }

    /// Returns once everything is on disk.
    ///
    /// # Errors
    /// When the disk says no.
    pub fn sync(&mut self) -> io::Result<()> {
        self.flush()?;
        self.metrics.get_ref().sync_data()?;
        self.events.sync()
    }

    fn flush(&mut self) -> io::Result<()> {
        self.flushed = Instant::now();
        self.metrics.flush()?;
        self.events.flush()
    }
}

fn write_line(out: &mut impl Write, line: &Line) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}

/// A line as scalars: `train/loss` and its companions, `validation/<language>/loss` and bits per byte.
fn event(out: &mut EventFile, line: &Line) -> io::Result<()> {
    let Line { time, metric, .. } = line;
    let prefix = match &metric.language {
        Some(language) if metric.split != TRAIN => format!("{}/{language}", metric.split),
        _ => metric.split.clone(),
    };
    let mut values: Vec<(String, f64)> = [
        ("loss", Some(metric.loss)),
        ("bits_per_byte", metric.bits_per_byte),
        ("learning_rate", metric.learning_rate),
        ("gradient_norm", metric.gradient_norm),
        ("tokens_per_second", metric.tokens_per_second),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((format!("{prefix}/{name}"), value?)))
    .collect();
    if let Some(Shares { penalty, target, sparsity }) = &metric.masks {
        values
            .extend([("masks/penalty".to_owned(), *penalty), ("masks/target".to_owned(), *target)]);
        let shut = masks::named(sparsity).into_iter();
        values.extend(shut.filter_map(|(of, v)| Some((format!("masks/shut/{of}"), v?))));
    }
    let values: Vec<(&str, f64)> = values.iter().map(|(tag, v)| (tag.as_str(), *v)).collect();
    out.scalars(*time, metric.step, &values)
}

/// The lines of a file up to the first that is not whole; none where there is no such file.
///
/// # Errors
/// When the disk says no.
pub fn lines<T: for<'a> Deserialize<'a>>(path: &Path) -> io::Result<Vec<T>> {
    let bytes = match fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        bytes => bytes?,
    };
    let lines = bytes.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n"));
    Ok(lines.map_while(|line| serde_json::from_slice(line).ok()).collect())
}

fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Seconds since 1970.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64())
}

#[cfg(test)]
mod tests;
