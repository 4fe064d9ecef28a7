//! Plain lines: starts and ends as they happen, and what every stage at work says now and then.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::{Duration, Instant};

use ablate_pipeline::{Event, NodeId};
use jiff::ZonedDateTime;

use super::tracker::Tracker;

/// Between two lines of the same stage.
const PAUSE: Duration = Duration::from_secs(5);

/// Writes lines with the time of day.
pub struct Lines<W> {
    out: W,
    said: BTreeMap<NodeId, Instant>,
}

impl<W: Write> Lines<W> {
    pub fn new(out: W) -> Self {
        Self { out, said: BTreeMap::new() }
    }

    /// A line of its own.
    pub fn print(&mut self, words: &str) {
        let time = ZonedDateTime::now();
        // Nobody is left to be told when standard error is gone.
        let _ = writeln!(self.out, "[{}] {words}", time.strftime("%H:%M:%S"));
    }

    /// What a stage at work says, when it is time again.
    pub fn show(&mut self, event: &Event, tracker: &Tracker, now: Instant) {
        match event {
            Event::Started(id, _) => {
                self.said.insert(*id, now);
            }
            Event::Progress(id, _) => {
                let due = self.said.get(id).is_none_or(|said| now.duration_since(*said) >= PAUSE);
                let line = tracker.line(*id, now).filter(|line| due && !line.is_empty());
                if let Some(line) = line {
                    self.said.insert(*id, now);
                    self.print(&format!("{}: {line}", tracker.label(*id)));
                }
            }
            Event::Ended(id, _) => {
                self.said.remove(id);
            }
            Event::Planned { .. } | Event::Corrupt(..) | Event::Waiting(..) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use ablate_pipeline::{Graph, Outcome, Progress};
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_every_five_seconds() {
        let mut graph = Graph::new();
        let id = graph.add("train", 1, "x", json!({}), []).unwrap();
        let mut tracker = Tracker::new(&graph);
        let mut lines = Lines::new(Vec::new());
        let start = Instant::now();
        let mut send = |event: Event, seconds: u64| {
            let now = start + Duration::from_secs(seconds);
            if let Some(words) = tracker.take(&event, now) {
                lines.print(&words);
            }
            lines.show(&event, &tracker, now);
        };
        send(Event::Planned { missing: vec![id], done: vec![] }, 0);
        send(Event::Started(id, 1), 0);
        for second in 0..=12 {
            let message = "loss 3.211, 12034 tokens/s".to_owned();
            send(Event::Progress(id, Progress { done: second, total: 20, message }), second);
        }
        send(Event::Ended(id, Outcome::Done { seconds: Some(13.0) }), 13);
        let text = String::from_utf8(lines.out).unwrap();
        let said: Vec<&str> = text.lines().map(|line| line.split_once("] ").unwrap().1).collect();
        assert_eq!(
            said,
            [
                "1 of 1 stages to make",
                "started train x with 1 thread",
                "train x: 5/20, loss 3.211, 12034 tokens/s, 15 s left",
                "train x: 10/20, loss 3.211, 12034 tokens/s, 10 s left",
                "done train x in 13 s",
            ]
        );
        let stamp = text.lines().next().unwrap().split_once(']').unwrap().0;
        assert_eq!((stamp.len(), stamp.matches(':').count()), (9, 2), "{stamp}");
    }
}
