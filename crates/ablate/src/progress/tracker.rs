//! How far a run has come and how long it will still take. Knows the time only from its caller.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use ablate_pipeline::{Event, Graph, Node, NodeId, Outcome, Progress};
use ablate_report::duration;

use super::is_old;

/// Seconds for which the estimates count as much as what was seen.
const TRUST: f64 = 10.0;
/// A stage that does not say how far it is counts as at most this far.
const NEARLY: f64 = 0.95;

/// The state of a run.
pub struct Tracker {
    /// Label and estimated seconds of every stage.
    stages: BTreeMap<NodeId, (String, f64)>,
    waiting: BTreeSet<NodeId>,
    running: BTreeMap<NodeId, Running>,
    /// Stages that another process is at work on; they are asked for twice a second.
    busy: BTreeSet<NodeId>,
    /// Most threads that were at work at the same time.
    threads: usize,
    began: Option<Instant>,
    /// Estimated seconds of what was finished in this run.
    made: f64,
    /// Stages that are in the store.
    pub done: usize,
    /// Stages that the run looked at.
    pub total: usize,
    /// Stages that failed in this run.
    pub failed: usize,
}

/// A stage at work.
pub struct Running {
    threads: usize,
    since: Instant,
    /// Where it was when it was first heard of: resumed trainings do not start at 0.
    first: Option<(f64, Instant)>,
    /// What it said last.
    pub last: Progress,
}

impl Running {
    /// How far it is, as a fraction of 1.
    fn fraction(&self, estimate: f64, now: Instant) -> f64 {
        if self.last.total > 0 {
            return (self.last.done as f64 / self.last.total as f64).min(1.0);
        }
        let elapsed = now.duration_since(self.since).as_secs_f64();
        if estimate > 0.0 { (elapsed / estimate).min(NEARLY) } else { NEARLY }
    }

    fn start(&self) -> f64 {
        self.first.map_or(0.0, |(fraction, _)| fraction)
    }
}

impl Tracker {
    /// Nothing has happened yet.
    pub fn new(graph: &Graph) -> Self {
        let stages =
            graph.iter().map(|(id, node)| (id, (label(node), node.estimate.seconds))).collect();
        Self {
            stages,
            waiting: BTreeSet::new(),
            running: BTreeMap::new(),
            busy: BTreeSet::new(),
            threads: 1,
            began: None,
            made: 0.0,
            done: 0,
            total: 0,
            failed: 0,
        }
    }

    /// Takes in an event; returns what to say about it, if it is one to be told.
    pub fn take(&mut self, event: &Event, now: Instant) -> Option<String> {
        match event {
            Event::Planned { missing, done } => {
                self.began = Some(now);
                self.waiting = missing.iter().copied().collect();
                self.done = done.len();
                self.total += missing.len() + done.len();
                Some(format!("{} of {} stages to make", missing.len(), self.total))
            }
            Event::Corrupt(id, difference) => {
                let label = self.label(*id);
                Some(format!("{label} is made again, for its result is damaged: {difference}"))
            }
            Event::Started(id, threads) => {
                self.waiting.remove(id);
                let (first, last) = (None, Progress::default());
                self.running.insert(*id, Running { threads: *threads, since: now, first, last });
                let all = self.running.values().map(|running| running.threads).sum();
                self.threads = self.threads.max(all);
                let s = if *threads == 1 { "" } else { "s" };
                (!self.is_busy(*id))
                    .then(|| format!("started {} with {threads} thread{s}", self.label(*id)))
            }
            Event::Progress(id, progress) => {
                let running = self.running.get_mut(id)?;
                running.last = progress.clone();
                if running.first.is_none() && progress.total > 0 {
                    running.first = Some((progress.done as f64 / progress.total as f64, now));
                }
                None
            }
            Event::Waiting(id, owner) => {
                self.running.remove(id);
                self.waiting.insert(*id);
                let new = self.busy.insert(*id);
                new.then(|| format!("{} waits for {owner}", self.label(*id)))
            }
            Event::Ended(id, outcome) => self.ended(*id, outcome, now),
        }
    }

    fn ended(&mut self, id: NodeId, outcome: &Outcome, now: Instant) -> Option<String> {
        let label = self.label(id).to_owned();
        let words = match outcome {
            Outcome::Done { seconds } => {
                let start = self.running.get(&id).map_or(0.0, Running::start);
                self.made += self.seconds(id) * (1.0 - start);
                self.done += 1;
                let time = seconds.map_or_else(String::new, |s| format!(" in {}", duration(s)));
                format!("done {label}{time}")
            }
            Outcome::Failed(failure) if is_old(self, id, failure.kind) => {
                self.total += 1;
                self.failed += 1;
                let why = &failure.message;
                format!("failed before: {label}: {why} (--retry-failed tries it again)")
            }
            Outcome::Failed(failure) => {
                self.failed += 1;
                format!("failed: {label}: {}", failure.message)
            }
            Outcome::Blocked(by) => {
                format!("skipped {label}, for it needs {}", self.label(*by))
            }
            Outcome::Stopped => format!("stopped {label}"),
        };
        let was_running = self.running.remove(&id).is_some();
        self.waiting.remove(&id);
        self.busy.remove(&id);
        if *outcome == Outcome::Stopped && !was_running {
            // The whole rest of the study, which needs no line each.
            return None;
        }
        Some(match self.study_left(now) {
            Some(left) if matches!(outcome, Outcome::Done { .. }) => {
                format!("{words}; {} of {} stages, {left}", self.done, self.total)
            }
            _ => words,
        })
    }

    /// Whether another process was found at work on a stage.
    pub fn is_busy(&self, id: NodeId) -> bool {
        self.busy.contains(&id)
    }

    /// Name of a stage for people.
    pub fn label(&self, id: NodeId) -> &str {
        self.stages.get(&id).map_or("a stage", |(label, _)| label)
    }

    /// A stage at work.
    pub fn running(&self, id: NodeId) -> Option<&Running> {
        self.running.get(&id)
    }

    /// What a stage at work says and how long it still takes: `120/400, loss 3.2, 41 s left`.
    pub fn line(&self, id: NodeId, now: Instant) -> Option<String> {
        let running = self.running.get(&id)?;
        let Progress { done, total, message } = &running.last;
        let mut parts = Vec::new();
        if *total > 0 {
            parts.push(format!("{done}/{total}"));
        }
        if !message.is_empty() {
            parts.push(message.clone());
        }
        parts.extend(self.stage_left(id, now).map(|left| format!("{} left", rounded(left))));
        Some(parts.join(", "))
    }

    /// Seconds that a stage at work still takes at the speed that it has shown.
    fn stage_left(&self, id: NodeId, now: Instant) -> Option<f64> {
        let running = self.running.get(&id)?;
        let (start, since) = running.first?;
        let made = running.fraction(0.0, now) - start;
        let elapsed = now.duration_since(since).as_secs_f64();
        (made > 0.0 && running.last.total > 0).then(|| elapsed * (1.0 - start - made) / made)
    }

    /// How long the rest takes, in words; `None` before the plan is known and when all is made.
    pub fn study_left(&self, now: Instant) -> Option<String> {
        let waiting: f64 = self.waiting.iter().map(|id| self.seconds(*id)).sum();
        let (mut left, mut made) = (waiting, self.made);
        for (id, running) in &self.running {
            let seconds = self.seconds(*id);
            let fraction = running.fraction(seconds, now);
            left += seconds * (1.0 - fraction);
            made += seconds * (fraction - running.start()).max(0.0);
        }
        let elapsed = now.duration_since(self.began?).as_secs_f64();
        if self.waiting.is_empty() && self.running.is_empty() {
            return None;
        }
        // Estimated seconds made per second: what was seen, and at first what was planned,
        // which is one for every thread.
        let speed = (self.threads as f64 * TRUST + made) / (TRUST + elapsed);
        Some(format!("about {} left", rounded(left / speed)))
    }

    fn seconds(&self, id: NodeId) -> f64 {
        self.stages.get(&id).map_or(0.0, |(_, seconds)| *seconds)
    }
}

/// Stage and name, and the variant where only one wants it: names alone are not unique.
fn label(node: &Node) -> String {
    let mut wanted = node.wanted_by.iter();
    match (wanted.next(), wanted.next()) {
        (Some(variant), None) => format!("{} {} ({variant})", node.stage, node.name),
        _ => format!("{} {}", node.stage, node.name),
    }
}

/// A duration in whole seconds.
fn rounded(seconds: f64) -> String {
    if seconds < 9.5 { format!("{seconds:.0} s") } else { duration(seconds) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ablate_pipeline::{Estimate, Failure, FailureKind};
    use serde_json::json;

    use super::*;

    /// Two trainings of 100 s after a text of 10 s.
    fn graph() -> (Graph, NodeId, [NodeId; 2]) {
        let mut graph = Graph::new();
        let mut add = |stage, name: &str, seconds, inputs: &[(&'static str, NodeId)]| {
            let recipe = json!({"name": name});
            let id = graph.add(stage, 1, name, recipe, inputs.iter().copied()).unwrap();
            graph.node_mut(id).estimate = Estimate { seconds, memory: 0, disk: 0 };
            id
        };
        let text = add("corpus", "text", 10.0, &[]);
        let a = add("train", "a", 100.0, &[("text", text)]);
        let b = add("train", "b", 100.0, &[("text", text)]);
        graph.want(a, "one");
        graph.want(b, "two");
        (graph, text, [a, b])
    }

    fn progress(id: NodeId, done: u64, message: &str) -> Event {
        Event::Progress(id, Progress { done, total: 400, message: message.to_owned() })
    }

    #[test]
    fn time_left_follows_what_was_seen() {
        let (graph, text, [a, b]) = graph();
        let mut tracker = Tracker::new(&graph);
        let start = Instant::now();
        let at = |seconds: f64| start + Duration::from_secs_f64(seconds);
        let plan = Event::Planned { missing: vec![a, b], done: vec![text] };
        let words = tracker.take(&plan, at(0.0)).unwrap();
        assert_eq!(words, "2 of 3 stages to make");
        let words = tracker.take(&Event::Started(a, 1), at(0.0)).unwrap();
        assert_eq!(words, "started train a (one) with 1 thread");
        tracker.take(&progress(a, 0, "loss 6.9"), at(0.0));
        tracker.take(&progress(a, 100, "loss 3.2"), at(50.0));
        // A quarter in 50 s: three more quarters take 150 s.
        assert_eq!(tracker.line(a, at(50.0)).unwrap(), "100/400, loss 3.2, 2 min 30 s left");
        // 25 of 200 estimated seconds took 50 s, with ten seconds' trust in the estimate:
        // 175 / ((10 + 25) / (10 + 50)) = 300.
        assert_eq!(tracker.study_left(at(50.0)).unwrap(), "about 5 min 00 s left");
        let done = Event::Ended(a, Outcome::Done { seconds: Some(200.0) });
        let words = tracker.take(&done, at(200.0)).unwrap();
        assert!(words.starts_with("done train a (one) in 3 min 20 s; 2 of 3 stages, about "));
        tracker.take(&Event::Started(b, 2), at(200.0));
        let done = Event::Ended(b, Outcome::Done { seconds: Some(100.0) });
        let words = tracker.take(&done, at(300.0)).unwrap();
        assert_eq!(words, "done train b (two) in 1 min 40 s");
        assert_eq!(tracker.study_left(at(300.0)), None);
    }

    #[test]
    fn a_resumed_training_does_not_look_fast() {
        let (graph, _, [a, _]) = graph();
        let mut tracker = Tracker::new(&graph);
        let start = Instant::now();
        tracker.take(&Event::Planned { missing: vec![a], done: vec![] }, start);
        tracker.take(&Event::Started(a, 1), start);
        tracker.take(&progress(a, 300, ""), start);
        assert_eq!(tracker.line(a, start).unwrap(), "300/400");
        let later = start + Duration::from_secs(10);
        tracker.take(&progress(a, 350, ""), later);
        assert_eq!(tracker.line(a, later).unwrap(), "350/400, 10 s left");
    }

    #[test]
    fn old_failures_new_ones_and_what_they_cost() {
        let (graph, text, [a, b]) = graph();
        let mut tracker = Tracker::new(&graph);
        let now = Instant::now();
        let failure = Failure::new(FailureKind::Outcome, "diverged");
        let failed = |id| Event::Ended(id, Outcome::Failed(failure.clone()));
        let words = tracker.take(&failed(a), now).unwrap();
        assert_eq!(words, "failed before: train a (one): diverged (--retry-failed tries it again)");
        tracker.take(&Event::Planned { missing: vec![text, b], done: vec![] }, now);
        assert_eq!((tracker.total, tracker.failed), (3, 1));
        tracker.take(&Event::Started(text, 1), now);
        assert_eq!(tracker.take(&failed(text), now).unwrap(), "failed: corpus text: diverged");
        let blocked = Event::Ended(b, Outcome::Blocked(text));
        let words = tracker.take(&blocked, now).unwrap();
        assert_eq!(words, "skipped train b (two), for it needs corpus text");
    }

    #[test]
    fn waiting_is_said_once() {
        let (graph, text, _) = graph();
        let mut tracker = Tracker::new(&graph);
        let now = Instant::now();
        tracker.take(&Event::Planned { missing: vec![text], done: vec![] }, now);
        let mut said = Vec::new();
        for _ in 0..3 {
            said.extend(tracker.take(&Event::Started(text, 1), now));
            let waiting = Event::Waiting(text, "process 7 on there".to_owned());
            said.extend(tracker.take(&waiting, now));
        }
        let expect =
            ["started corpus text with 1 thread", "corpus text waits for process 7 on there"];
        assert_eq!(said, expect);
    }

    #[test]
    fn only_stages_at_work_are_said_to_stop() {
        let (graph, text, [a, _]) = graph();
        let mut tracker = Tracker::new(&graph);
        let now = Instant::now();
        tracker.take(&Event::Planned { missing: vec![text, a], done: vec![] }, now);
        tracker.take(&Event::Started(text, 1), now);
        assert_eq!(tracker.take(&Event::Ended(a, Outcome::Stopped), now), None);
        let words = tracker.take(&Event::Ended(text, Outcome::Stopped), now).unwrap();
        assert_eq!(words, "stopped corpus text");
    }
}
