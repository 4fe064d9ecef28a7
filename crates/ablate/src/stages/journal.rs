//! What a stage that learns writes step by step: lines that are part of its result, on disk with every
//! checkpoint, and a feed beside them for whoever follows it.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use ablate_pipeline::{Context, Failure};
use ablate_train::truncate_metrics;
use serde::Serialize;

use super::machine;
use super::train::{METRICS, Metric};
use crate::commands::say;
use crate::live::Feed;

/// The lines of a stage's [`METRICS`], and its feed.
pub struct Journal<'a> {
    context: &'a Context<'a>,
    path: PathBuf,
    out: Option<BufWriter<File>>,
    error: Option<io::Error>,
    /// None where it could not be written, which costs nothing else.
    feed: Option<Feed>,
    steps: u64,
}

impl<'a> Journal<'a> {
    /// Of so many steps.
    pub fn new(context: &'a Context<'a>, steps: u64) -> Self {
        let path = context.directory.join(METRICS);
        Self { context, path, out: None, error: None, feed: None, steps }
    }

    /// Goes on after a checkpoint, or begins: what was written of later steps is cut off. `read` says in
    /// the words of a feed what the lines are that stay.
    pub fn begin(
        &mut self,
        resumed: Option<u64>,
        read: impl FnOnce(&std::path::Path) -> io::Result<Vec<Metric>>,
    ) {
        let opened = truncate_metrics(&self.path, resumed)
            .and_then(|()| File::options().create(true).append(true).open(&self.path));
        match opened {
            Ok(file) => self.out = Some(BufWriter::new(file)),
            Err(error) => self.error = Some(error),
        }
        let (folder, path, steps) = (self.context.task.live(), self.path.clone(), self.steps);
        self.feed(|_| Feed::open(&folder, read(&path)?, resumed, steps).map(Some));
    }

    /// Opens the feed, or does something with it. One that fails is given up: the work goes on.
    fn feed(&mut self, act: impl FnOnce(Option<Feed>) -> io::Result<Option<Feed>>) {
        self.feed = act(self.feed.take()).unwrap_or_else(|error| {
            let folder = self.context.task.live();
            say(&format!(
                "`{}` cannot be written, so this training cannot be followed there: {error}",
                folder.display()
            ));
            None
        });
    }

    /// Writes a line, and what the feed says of it.
    pub fn write(&mut self, line: &impl Serialize, metric: &Metric) {
        self.feed(|feed| feed.map(|mut feed| feed.add(metric).map(|()| feed)).transpose());
        let Some(out) = &mut self.out else { return };
        let line = serde_json::to_string(line).map_err(io::Error::other);
        if let Err(error) = line.and_then(|line| writeln!(out, "{line}")) {
            self.error.get_or_insert(error);
        }
    }

    /// Returns once everything is on disk that can be.
    pub fn flush(&mut self) {
        if let Some(out) = &mut self.out
            && let Err(error) = out.flush().and_then(|()| out.get_ref().sync_data())
        {
            self.error.get_or_insert(error);
        }
        self.feed(|feed| feed.map(|mut feed| feed.sync().map(|()| feed)).transpose());
    }

    /// Whether something could not be written.
    pub fn failed(&self) -> bool {
        self.error.is_some()
    }

    /// Whether everything was written.
    ///
    /// # Errors
    /// When something was not.
    pub fn check(&mut self) -> Result<(), Failure> {
        self.flush();
        match self.error.take() {
            Some(error) => Err(machine(format!("cannot write `{}`: {error}", self.path.display()))),
            None => Ok(()),
        }
    }
}
