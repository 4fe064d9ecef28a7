//! Bars on a terminal: one for every stage at work, and one for the study below them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ablate_pipeline::{Event, NodeId};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::tracker::Tracker;

/// Bars, and lines that scroll away above them.
pub struct Bars {
    all: MultiProgress,
    study: ProgressBar,
    stages: BTreeMap<NodeId, ProgressBar>,
    colour: bool,
}

impl Bars {
    pub fn new(colour: bool) -> Self {
        Self::on(ProgressDrawTarget::stderr(), colour)
    }

    fn on(target: ProgressDrawTarget, colour: bool) -> Self {
        let all = MultiProgress::with_draw_target(target);
        let study = all.add(ProgressBar::new(1));
        study.set_style(style("{prefix} {bar:24} {elapsed}  {wide_msg}", "green", colour));
        study.set_prefix("study");
        Self { all, study, stages: BTreeMap::new(), colour }
    }

    /// A line above the bars.
    pub fn print(&self, words: &str) {
        // The terminal is gone: nobody is left to be told.
        let _ = self.all.println(words);
    }

    /// Moves the bars.
    pub fn show(&mut self, event: &Event, tracker: &Tracker, now: Instant) {
        match event {
            Event::Planned { .. } => self.study.enable_steady_tick(Duration::from_secs(1)),
            Event::Started(id, _) => {
                // One that another process is at work on would only flicker.
                if !tracker.is_busy(*id) {
                    self.add(*id, tracker.label(*id));
                }
            }
            Event::Progress(id, progress) => {
                let colour = self.colour;
                let bar = self.add(*id, tracker.label(*id));
                if progress.total > 0 && bar.length() != Some(progress.total) {
                    bar.disable_steady_tick();
                    bar.set_style(style("{prefix} {bar:24} {wide_msg}", "cyan", colour));
                    bar.set_length(progress.total);
                }
                bar.set_position(progress.done);
                bar.set_message(tracker.line(*id, now).unwrap_or_default());
            }
            Event::Ended(id, _) | Event::Waiting(id, _) => {
                if let Some(bar) = self.stages.remove(id) {
                    bar.finish_and_clear();
                    self.all.remove(&bar);
                }
            }
            Event::Corrupt(..) => {}
        }
        self.study.set_length(tracker.total as u64);
        self.study.set_position(tracker.done as u64);
        let mut message = format!("{} of {} stages", tracker.done, tracker.total);
        if tracker.failed > 0 {
            message += &format!(", {} failed", tracker.failed);
        }
        if let Some(left) = tracker.study_left(now) {
            message += &format!(", {left}");
        }
        self.study.set_message(message);
    }

    /// The bar of a stage, made when it is not there.
    fn add(&mut self, id: NodeId, label: &str) -> &ProgressBar {
        self.stages.entry(id).or_insert_with(|| {
            let bar = self.all.insert_before(&self.study, ProgressBar::no_length());
            bar.set_style(style("{prefix} {spinner} {wide_msg}", "cyan", self.colour));
            bar.set_prefix(label.to_owned());
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        })
    }

    /// Takes all bars away.
    pub fn clear(&self) {
        for bar in self.stages.values().chain([&self.study]) {
            bar.finish_and_clear();
        }
        let _ = self.all.clear();
    }
}

fn style(template: &str, colour: &str, coloured: bool) -> ProgressStyle {
    let template = if coloured {
        template.replace("{bar:24}", &format!("{{bar:24.{colour}}}"))
    } else {
        template.to_owned()
    };
    // Templates are constants, and tested.
    ProgressStyle::with_template(&template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━╸─")
        .tick_chars("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ ")
}

#[cfg(test)]
mod tests {
    use ablate_pipeline::{Graph, Outcome, Progress};
    use serde_json::json;

    use super::*;

    #[test]
    fn templates_are_valid() {
        for template in [
            "{prefix} {bar:24.green} {elapsed}  {wide_msg}",
            "{prefix} {spinner} {wide_msg}",
            "{prefix} {bar:24} {wide_msg}",
        ] {
            ProgressStyle::with_template(template).unwrap();
        }
    }

    #[test]
    fn bars_come_and_go_with_their_stages() {
        let mut graph = Graph::new();
        let id = graph.add("train", 1, "x", json!({}), []).unwrap();
        let mut tracker = Tracker::new(&graph);
        let mut bars = Bars::on(ProgressDrawTarget::hidden(), true);
        let now = Instant::now();
        let mut send = |bars: &mut Bars, event: Event| {
            tracker.take(&event, now);
            bars.show(&event, &tracker, now);
        };
        send(&mut bars, Event::Planned { missing: vec![id], done: vec![] });
        send(&mut bars, Event::Started(id, 1));
        assert_eq!(bars.stages[&id].prefix(), "train x");
        let message = "loss 2.000".to_owned();
        send(&mut bars, Event::Progress(id, Progress { done: 3, total: 9, message }));
        assert_eq!((bars.stages[&id].position(), bars.stages[&id].length()), (3, Some(9)));
        assert_eq!(bars.stages[&id].message(), "3/9, loss 2.000");
        send(&mut bars, Event::Ended(id, Outcome::Done { seconds: None }));
        assert!(bars.stages.is_empty());
        assert_eq!((bars.study.position(), bars.study.length()), (1, Some(1)));
        assert_eq!(bars.study.message(), "1 of 1 stages");
        bars.clear();
    }
}
