//! What a run shows while it goes on, all on standard error: bars on a terminal, plain lines
//! elsewhere, failures only when it was asked to be quiet.

mod bars;
mod lines;
mod tracker;

use std::io::{self, IsTerminal};
use std::time::Instant;

use ablate_pipeline::{Event, FailureKind, NodeId, Outcome};

use crate::environment;
use crate::graph::StudyGraph;
use bars::Bars;
use lines::Lines;
use tracker::Tracker;

/// Shows the events of a run.
pub struct Display {
    tracker: Tracker,
    view: View,
}

enum View {
    Bars(Bars),
    Lines(Lines<io::Stderr>),
    /// Failures only.
    Quiet(Lines<io::Stderr>),
}

impl Display {
    /// `plain` asks for lines even on a terminal.
    pub fn new(built: &StudyGraph, quiet: bool, plain: bool) -> Self {
        let view = if quiet {
            View::Quiet(Lines::new(io::stderr()))
        } else if plain || !io::stderr().is_terminal() {
            View::Lines(Lines::new(io::stderr()))
        } else {
            View::Bars(Bars::new(environment::read("NO_COLOR").is_none()))
        };
        Self { tracker: Tracker::new(&built.graph), view }
    }

    /// Takes in an event and shows it.
    pub fn event(&mut self, event: &Event) {
        let now = Instant::now();
        let words = self.tracker.take(event, now);
        match &mut self.view {
            View::Bars(bars) => {
                if let Some(words) = words {
                    bars.print(&words);
                }
                bars.show(event, &self.tracker, now);
            }
            View::Lines(lines) => {
                if let Some(words) = words {
                    lines.print(&words);
                }
                lines.show(event, &self.tracker, now);
            }
            View::Quiet(lines) => {
                if let (Some(words), true) = (words, is_failure(event)) {
                    lines.print(&words);
                }
            }
        }
    }

    /// Takes the bars away.
    pub fn finish(&mut self) {
        if let View::Bars(bars) = &self.view {
            bars.clear();
        }
    }
}

fn is_failure(event: &Event) -> bool {
    matches!(event, Event::Ended(_, Outcome::Failed(_)))
}

/// Whether the failure is one of an earlier run that is not tried again.
fn is_old(tracker: &Tracker, id: NodeId, kind: FailureKind) -> bool {
    kind == FailureKind::Outcome && tracker.running(id).is_none()
}
