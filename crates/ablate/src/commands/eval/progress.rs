//! How far an evaluation is, on standard error: a bar on a terminal, elsewhere a line now and then.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::commands::say;

/// Time between two lines.
const PAUSE: Duration = Duration::from_secs(10);

/// The progress of one benchmark.
pub struct Shown {
    name: String,
    bar: Option<ProgressBar>,
    started: Instant,
    /// When the last line was written.
    written: Instant,
}

impl Shown {
    pub fn new(name: &str) -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            // The template is a constant.
            let style = ProgressStyle::with_template("{prefix} {bar:24} {pos}/{len} {wide_msg}")
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            ProgressBar::new(0).with_style(style.progress_chars("━╸─")).with_prefix(name.to_owned())
        });
        let started = Instant::now();
        Self { name: name.to_owned(), bar, started, written: started }
    }

    /// `done` prompts of `total` are done.
    pub fn update(&mut self, done: usize, total: usize) {
        let now = Instant::now();
        let left = left(now - self.started, done, total);
        if let Some(bar) = &self.bar {
            bar.set_length(total as u64);
            bar.set_position(done as u64);
            bar.set_message(left.map(|left| format!("{left} left")).unwrap_or_default());
        } else if now - self.written >= PAUSE {
            self.written = now;
            let left = left.map(|left| format!(", {left} left")).unwrap_or_default();
            say(&format!("{}: {done} of {total} prompts{left}", self.name));
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// What is left at the speed so far, for people.
fn left(passed: Duration, done: usize, total: usize) -> Option<String> {
    if done == 0 || done >= total || passed < Duration::from_secs(2) {
        return None;
    }
    let seconds = passed.as_secs_f64() * (total - done) as f64 / done as f64;
    Some(ablate_report::duration(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_takes_as_long_as_what_was_done() {
        assert_eq!(left(Duration::from_secs(30), 50, 100), Some(ablate_report::duration(30.0)));
        assert_eq!(left(Duration::from_secs(1), 50, 100), None);
        assert_eq!(left(Duration::from_secs(30), 0, 100), None);
        assert_eq!(left(Duration::from_secs(30), 100, 100), None);
    }
}
