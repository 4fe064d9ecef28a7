//! One event file.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::event::Event;
use crate::record::record;

/// How names of event files begin; TensorBoard finds them by it.
const PREFIX: &str = "events.out.tfevents.";

/// An event file that is being written.
#[derive(Debug)]
pub struct EventFile {
    out: BufWriter<File>,
}

impl EventFile {
    /// Creates a file in a folder, under a name that comes after those of all files that are there:
    /// `events.out.tfevents.<seconds>.<suffix>`, where the suffix says who writes it.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn create(folder: &Path, time: f64, suffix: &str) -> io::Result<Self> {
        let newest = event_files(folder)?.iter().filter_map(|path| seconds(path)).max();
        let now = time.max(0.0) as u64;
        let seconds = newest.map_or(now, |newest| now.max(newest + 1));
        let clean = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' };
        let suffix: String = suffix.chars().map(clean).collect();
        let path = folder.join(format!("{PREFIX}{seconds:010}.{suffix}"));
        let file = File::options().write(true).create_new(true).open(path)?;
        let mut new = Self { out: BufWriter::new(file) };
        new.write(&Event::Version { time })?;
        Ok(new)
    }

    /// Says that everything from a step on that stands in earlier files is void.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn restart(&mut self, time: f64, step: u64) -> io::Result<()> {
        self.write(&Event::Restart { time, step })
    }

    /// Adds scalars of a step.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn scalars(&mut self, time: f64, step: u64, values: &[(&str, f64)]) -> io::Result<()> {
        self.write(&Event::Scalars { time, step, values })
    }

    /// Hands everything to the system, where others can read it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// Returns once everything is on the disk.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn sync(&mut self) -> io::Result<()> {
        self.flush()?;
        self.out.get_ref().sync_data()
    }

    fn write(&mut self, event: &Event<'_>) -> io::Result<()> {
        self.out.write_all(&record(&event.to_bytes()))
    }
}

/// The event files of a folder in the order in which TensorBoard reads them; none where there is no such
/// folder.
///
/// # Errors
/// When the folder cannot be read.
pub fn event_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(PREFIX) {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

/// The seconds in a file's name.
fn seconds(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?.strip_prefix(PREFIX)?;
    name.split('.').next()?.parse().ok()
}
