//! Makes what is missing, side by side, and keeps going.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use crate::graph::{Graph, NodeId};
use crate::lease::{Holding, Sign, Watcher, forget};
use crate::process::{Launch, News, Worker, WorkerCommand};
use crate::protocol::{Failure, FailureKind, Message, Progress, Task};
use crate::store::{State, Store, StoreError};
use crate::survey::survey;

/// Pause before asking again whether another process has finished a node.
const BUSY_PAUSE: Duration = Duration::from_millis(500);
/// How often signals and pauses are looked at.
const TICK: Duration = Duration::from_millis(100);

/// How a run behaves.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// Workers side by side.
    pub jobs: usize,
    /// Threads of all workers together.
    pub cores: usize,
    /// Bytes that all workers together may need by their estimates.
    pub memory: u64,
    /// Whether other nodes go on after a failure.
    pub keep_going: bool,
    /// Whether nodes are tried again whose failure was an outcome.
    pub retry_failed: bool,
    /// 0: run; 1: ask workers to stop; 2: end them now.
    pub stop: Arc<AtomicUsize>,
}

/// Something that happened during a run.
#[derive(Clone, Debug)]
pub enum Event {
    /// These nodes will be made; these are there already.
    Planned {
        /// To be made.
        missing: Vec<NodeId>,
        /// Found in the store.
        done: Vec<NodeId>,
    },
    /// A stored result differs from its record and is made again.
    Corrupt(NodeId, String),
    /// A worker was started with so many threads.
    Started(NodeId, usize),
    /// A worker says how far it is.
    Progress(NodeId, Progress),
    /// Another process is at work on the node.
    Waiting(NodeId, String),
    /// The node ended.
    Ended(NodeId, Outcome),
}

/// How a node ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The result is in the store.
    Done {
        /// Seconds of this run's attempt; `None` when it was there already.
        seconds: Option<f64>,
    },
    /// It failed.
    Failed(Failure),
    /// Something that it needs failed.
    Blocked(NodeId),
    /// It was interrupted, or never started because the run was stopped.
    Stopped,
}

/// How all nodes of a run ended.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Outcome of every node that was looked at.
    pub outcomes: BTreeMap<NodeId, Outcome>,
}

impl Summary {
    /// Whether the node's result is in the store.
    pub fn is_done(&self, id: NodeId) -> bool {
        matches!(self.outcomes.get(&id), Some(Outcome::Done { .. }))
    }

    /// The failure at the root of a node's outcome.
    pub fn cause(&self, mut id: NodeId) -> Option<(NodeId, &Failure)> {
        loop {
            match self.outcomes.get(&id)? {
                Outcome::Failed(failure) => return Some((id, failure)),
                Outcome::Blocked(by) => id = *by,
                _ => return None,
            }
        }
    }

    /// Whether any node was stopped.
    pub fn stopped(&self) -> bool {
        self.outcomes.values().any(|outcome| *outcome == Outcome::Stopped)
    }

    /// Whether any node failed.
    pub fn failed(&self) -> bool {
        self.outcomes.values().any(|outcome| matches!(outcome, Outcome::Failed(_)))
    }
}

/// Makes the targets and everything that they need and that is not in the store.
///
/// # Errors
/// When the store cannot be read; failures of nodes are outcomes, not errors.
pub fn run(
    graph: &Graph,
    targets: &[NodeId],
    store: &Store,
    command: &WorkerCommand,
    options: &RunOptions,
    on_event: &mut dyn FnMut(Event),
) -> Result<Summary, StoreError> {
    let (news, inbox) = mpsc::channel();
    let mut run = Run {
        graph,
        store,
        command,
        options,
        on_event,
        news,
        summary: Summary::default(),
        waiting: BTreeMap::new(),
        running: BTreeMap::new(),
        busy: BTreeSet::new(),
        silent: BTreeMap::new(),
        watcher: Watcher::new(),
        rank: ranks(graph),
        asked_to_stop: 0,
    };
    run.plan(targets)?;
    while !run.finished() {
        run.heed_stop();
        run.start_ready();
        match inbox.recv_timeout(TICK) {
            Ok((id, news)) => run.hear(id, news),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    Ok(run.summary)
}

struct Run<'a> {
    graph: &'a Graph,
    store: &'a Store,
    command: &'a WorkerCommand,
    options: &'a RunOptions,
    on_event: &'a mut dyn FnMut(Event),
    news: Sender<(NodeId, News)>,
    summary: Summary,
    /// Not started, with the earliest time of the next try.
    waiting: BTreeMap<NodeId, Instant>,
    running: BTreeMap<NodeId, Worker>,
    /// Of the waiting ones those that another process was at work on when it was last asked for.
    busy: BTreeSet<NodeId>,
    /// Of those the ones whose owner is taken for dead.
    silent: BTreeMap<NodeId, Sign>,
    watcher: Watcher,
    /// Seconds from a node's start to the end of the longest chain that waits for it.
    rank: Vec<f64>,
    asked_to_stop: usize,
}

impl Run<'_> {
    fn plan(&mut self, targets: &[NodeId]) -> Result<(), StoreError> {
        let survey = survey(self.graph, targets, self.store, self.options.retry_failed)?;
        for (id, difference) in survey.corrupt {
            (self.on_event)(Event::Corrupt(id, difference));
        }
        for id in &survey.done {
            self.summary.outcomes.insert(*id, Outcome::Done { seconds: None });
        }
        for id in &survey.missing {
            self.waiting.insert(*id, Instant::now());
        }
        for (id, failure) in survey.failed {
            self.end(id, Outcome::Failed(failure));
        }
        (self.on_event)(Event::Planned { missing: survey.missing, done: survey.done });
        Ok(())
    }

    fn finished(&self) -> bool {
        self.running.is_empty() && self.waiting.is_empty()
    }

    fn end(&mut self, id: NodeId, outcome: Outcome) {
        self.summary.outcomes.insert(id, outcome.clone());
        (self.on_event)(Event::Ended(id, outcome));
    }

    /// Passes a stop on to the workers, once per level.
    fn heed_stop(&mut self) {
        let level = self.options.stop.load(Ordering::SeqCst);
        if level > self.asked_to_stop {
            self.asked_to_stop = level;
            for worker in self.running.values() {
                if level == 1 { worker.terminate() } else { worker.kill() }
            }
        }
        let give_up = self.asked_to_stop > 0 || (!self.options.keep_going && self.summary.failed());
        if give_up {
            for id in std::mem::take(&mut self.waiting).into_keys() {
                self.end(id, Outcome::Stopped);
            }
        }
    }

    /// Looks after what others are at work on: it may be done, or they may be gone.
    fn look_after_busy(&mut self) {
        let now = Instant::now();
        let due = |id: &&NodeId| self.waiting.get(*id).is_some_and(|when| *when <= now);
        let due: Vec<NodeId> = self.busy.iter().filter(due).copied().collect();
        for id in due {
            let node = self.graph.node(id);
            if matches!(self.store.state(node), Ok(State::Done(_))) {
                self.busy.remove(&id);
                self.waiting.remove(&id);
                self.end(id, Outcome::Done { seconds: None });
                continue;
            }
            match self.watcher.look(&self.store.lease(node), now) {
                Holding::Held(..) => {
                    self.waiting.insert(id, now + BUSY_PAUSE);
                }
                Holding::Free => {
                    self.busy.remove(&id);
                }
                Holding::Silent(sign) => {
                    self.busy.remove(&id);
                    self.silent.insert(id, sign);
                }
            }
        }
    }

    fn start_ready(&mut self) {
        self.look_after_busy();
        self.block_dependants();
        let now = Instant::now();
        let mut ready: Vec<NodeId> = self
            .waiting
            .iter()
            .filter(|(id, when)| **when <= now && self.inputs_done(**id))
            .map(|(id, _)| *id)
            .collect();
        ready.sort_by(|a, b| self.rank[b.0].total_cmp(&self.rank[a.0]).then(a.cmp(b)));
        for position in 0..ready.len() {
            let slots = self.options.jobs.max(1).saturating_sub(self.running.len());
            if slots == 0 {
                break;
            }
            let id = ready[position];
            let used: u64 =
                self.running.keys().map(|id| self.graph.node(*id).estimate.memory).sum();
            if !self.running.is_empty()
                && used + self.graph.node(id).estimate.memory > self.options.memory
            {
                continue;
            }
            let busy: usize = self.running.values().map(|worker| worker.threads).sum();
            let free = self.options.cores.saturating_sub(busy);
            let wanted = self.wanted(id);
            let taken: usize = self.running.keys().map(|id| self.wanted(*id)).sum();
            if taken > 0 && taken + wanted > self.options.cores.max(self.options.jobs) {
                continue;
            }
            let threads = (free / slots.min(ready.len() - position)).max(wanted);
            self.start(id, threads);
        }
    }

    /// Threads that a node should have at least.
    fn wanted(&self, id: NodeId) -> usize {
        self.graph.node(id).threads.clamp(1, self.options.cores.max(1))
    }

    fn inputs_done(&self, id: NodeId) -> bool {
        self.graph.node(id).inputs.values().all(|input| self.summary.is_done(*input))
    }

    /// Ends the nodes that wait for something that failed.
    fn block_dependants(&mut self) {
        let ids: Vec<NodeId> = self.waiting.keys().copied().collect();
        for id in ids {
            let cause = self.graph.node(id).inputs.values().copied().find(|input| {
                matches!(
                    self.summary.outcomes.get(input),
                    Some(Outcome::Failed(_) | Outcome::Blocked(_) | Outcome::Stopped)
                )
            });
            if let Some(input) = cause {
                self.waiting.remove(&id);
                let stopped = self.summary.outcomes.get(&input) == Some(&Outcome::Stopped);
                self.end(id, if stopped { Outcome::Stopped } else { Outcome::Blocked(input) });
            }
        }
    }

    fn start(&mut self, id: NodeId, threads: usize) {
        let node = self.graph.node(id);
        let mut task = Task::in_store(self.graph, self.store, id);
        task.execution.insert("threads".to_owned(), threads.into());
        task.silent = self.silent.remove(&id);
        let command = (self.command.0)(Launch { node, threads });
        self.waiting.remove(&id);
        let log = self.store.log(node);
        match Worker::start(command, &task, &log, (id, threads), self.news.clone()) {
            Ok(worker) => {
                self.running.insert(id, worker);
                (self.on_event)(Event::Started(id, threads));
            }
            Err(error) => {
                let message = format!("cannot start a worker: {error}");
                let failure = Failure::new(FailureKind::Machine, message);
                self.store.record_failure(node, &failure);
                self.end(id, Outcome::Failed(failure));
            }
        }
    }

    fn wait_for(&mut self, id: NodeId, owner: String) {
        (self.on_event)(Event::Waiting(id, owner));
        self.waiting.insert(id, Instant::now() + BUSY_PAUSE);
        self.busy.insert(id);
    }

    fn hear(&mut self, id: NodeId, news: News) {
        let message = match news {
            News::Said(message) => message,
            News::Ended => {
                // Those that said how they ended are no longer in the list.
                if let Some(worker) = self.running.remove(&id) {
                    let node = self.graph.node(id);
                    let (failure, pid) = worker.unexpected_end(node.estimate.memory);
                    // A worker may end by the same Ctrl-C before it was passed on.
                    let stopped = self.options.stop.load(Ordering::SeqCst) > 0;
                    match stopped {
                        true => forget(&self.store.lease(node), pid),
                        false => self.store.record_failure(node, &failure),
                    }
                    self.end(id, if stopped { Outcome::Stopped } else { Outcome::Failed(failure) });
                }
                return;
            }
        };
        let outcome = match message {
            Message::Progress(progress) => {
                (self.on_event)(Event::Progress(id, progress));
                return;
            }
            Message::Done { seconds } => Some(Outcome::Done { seconds: Some(seconds) }),
            Message::Failed(failure) => Some(Outcome::Failed(failure)),
            Message::Stopped => Some(Outcome::Stopped),
            Message::Busy { owner, .. } => {
                self.wait_for(id, owner);
                None
            }
            Message::Lost => {
                self.wait_for(id, "another process, which has taken it over".to_owned());
                None
            }
        };
        if let Some(worker) = self.running.remove(&id) {
            worker.reap();
        }
        if let Some(outcome) = outcome {
            self.end(id, outcome);
        }
    }
}

/// Longest chain of estimated seconds from each node to the end: what is started first.
fn ranks(graph: &Graph) -> Vec<f64> {
    let mut rank: Vec<f64> = graph.iter().map(|(_, node)| node.estimate.seconds).collect();
    let ids: Vec<NodeId> = graph.iter().map(|(id, _)| id).collect();
    for id in ids.into_iter().rev() {
        for input in graph.node(id).inputs.values() {
            let through = graph.node(*input).estimate.seconds + rank[id.0];
            rank[input.0] = rank[input.0].max(through);
        }
    }
    rank
}
