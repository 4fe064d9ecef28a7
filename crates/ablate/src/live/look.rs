//! How far every variant of a study is, as the store and the feeds of its trainings say: what
//! `status --watch` and `serve` show.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ablate_pipeline::{Holding, Key, NodeId, State, Store, Submission, Watcher};
use serde::Serialize;

use super::curve::{Curve, thinned};
use crate::commands::cluster::{self, Seen};
use crate::exit::CommandError;
use crate::graph::{AbsentVariant, RoundNodes, StudyGraph};
use crate::root::Root;
use crate::stages::masks;
use crate::stages::train::{self, METRICS};

/// Between two questions to a cluster's queue, which others share.
const QUEUE: Duration = Duration::from_secs(30);
/// Points of all curves that are shown together, and at least of each.
const POINTS: (usize, usize) = (6000, 60);
/// Points of a curve at most: more than the pixels of a page show.
const MOST: usize = 400;

/// How far a study is.
#[derive(Debug, Serialize)]
pub struct Look {
    pub study: String,
    /// Stages that are done, and all.
    pub done: usize,
    pub stages: usize,
    pub state: StudyState,
    /// A row for every variant and seed.
    pub runs: Vec<Run>,
    /// Why nothing is known of a cluster that the study was handed over to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slurm_error: Option<String>,
}

/// What becomes of a study.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StudyState {
    /// Somebody is at work.
    Running,
    /// Nobody is at work, and something is missing.
    Waiting,
    /// What can be made is made, and some of it failed.
    Failed,
    /// All is there.
    Done,
}

/// A variant with one seed.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Run {
    pub variant: String,
    pub seed: u64,
    pub state: RunState,
    /// What is made, or waited for; empty where all is there.
    pub stage: String,
    /// Last step of the training that is shown, and its steps in all.
    pub step: Option<u64>,
    pub steps: Option<u64>,
    /// Nats per token.
    pub loss: Option<f64>,
    pub tokens_per_second: Option<f64>,
    /// Until the end of this stage.
    pub seconds_left: Option<f64>,
    /// Where it is made.
    pub host: Option<String>,
    /// Why it failed.
    pub failure: Option<String>,
}

impl Run {
    /// A variant that cannot be made for now.
    fn absent(absent: &AbsentVariant, seed: u64) -> Self {
        Self {
            variant: absent.name.clone(),
            seed,
            state: RunState::Failed,
            stage: "missing source".to_owned(),
            failure: Some(absent.reason()),
            ..Self::default()
        }
    }
}

/// How far a variant is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RunState {
    /// In the order in which a short table keeps them.
    Running,
    Failed,
    Interrupted,
    #[default]
    Waiting,
    Done,
}

impl RunState {
    /// One word for tables.
    pub fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
            Self::Waiting => "waiting",
            Self::Done => "done",
        }
    }
}

/// The curve of a variant with one seed, or of a parent, all rounds after each other.
#[derive(Debug, Serialize)]
pub struct Series {
    pub name: String,
    /// None for a parent.
    pub seed: Option<u64>,
    /// Step and nats per token.
    pub train: Vec<(u64, f64)>,
    /// Step and bits per byte, by language.
    pub validation: BTreeMap<String, Vec<(u64, f64)>>,
}

/// A stage's state, as far as it is shown.
#[derive(Clone, Debug)]
struct Seat {
    state: RunState,
    host: Option<String>,
    failure: Option<String>,
}

/// What a cluster says of stages by key, or why it says nothing.
type Queue = Result<BTreeMap<Key, Seen>, String>;

/// Looks at a study again and again.
pub struct Follower {
    name: String,
    built: StudyGraph,
    store: Store,
    /// What each variant with each seed needs, inputs first.
    chains: Vec<(usize, usize, Vec<NodeId>)>,
    parents: BTreeMap<NodeId, String>,
    curves: BTreeMap<NodeId, Curve>,
    /// What was there stays there.
    done: BTreeSet<NodeId>,
    /// Whose owners are heard of, by this process's clock.
    leases: Watcher,
    queue: Arc<Mutex<Queue>>,
}

impl Follower {
    /// Follows the study that has its report under this name.
    pub fn new(root: &Root, name: &str, built: StudyGraph) -> Self {
        let mut chains = Vec::new();
        for (index, variant) in built.variants.iter().enumerate() {
            for (number, seed) in variant.seeds.iter().enumerate() {
                chains.push((index, number, chain(&built, seed.ends().collect())));
            }
        }
        let parents = built
            .parents
            .iter()
            .flat_map(|(name, rounds)| rounds.iter().map(|round| (round.train, name.clone())))
            .collect();
        Self {
            name: name.to_owned(),
            built,
            store: root.store(),
            chains,
            parents,
            curves: BTreeMap::new(),
            done: BTreeSet::new(),
            leases: Watcher::new(),
            queue: watch_queue(root.clone(), name.to_owned()),
        }
    }

    /// Looks now.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn look(&mut self) -> Result<Look, CommandError> {
        let queue = self.queue.lock().map_or_else(|_| Ok(BTreeMap::new()), |queue| queue.clone());
        let (queue, slurm_error) = match queue {
            Ok(queue) => (queue, None),
            Err(why) => (BTreeMap::new(), Some(why)),
        };
        let ids: Vec<NodeId> = self.built.graph.iter().map(|(id, _)| id).collect();
        let mut seats = Vec::with_capacity(ids.len());
        for id in &ids {
            seats.push(self.seat(*id)?);
        }
        for id in &ids {
            let node = self.built.graph.node(*id);
            let unread = seats[id.index()].state != RunState::Waiting;
            if matches!(node.stage, train::STAGE | masks::STAGE) && unread {
                let (live, store) = (self.store.live(node), &self.store);
                let own = || -> PathBuf { store.path(node).join(METRICS) };
                let feed = Some(live.join(METRICS)).filter(|path| path.exists());
                self.curves.entry(*id).or_default().follow(&feed.unwrap_or_else(own));
            }
        }
        let mut runs: Vec<Run> =
            self.chains.iter().map(|chain| self.run(chain, &seats, &queue)).collect();
        for absent in &self.built.absent {
            let at = (absent.place * absent.seeds.len()).min(runs.len());
            runs.splice(at..at, absent.seeds.iter().map(|seed| Run::absent(absent, *seed)));
        }
        let running = seats.iter().any(|seat| seat.state == RunState::Running);
        let all = |states: &[RunState]| runs.iter().all(|run| states.contains(&run.state));
        let state = if all(&[RunState::Done]) {
            StudyState::Done
        } else if running {
            StudyState::Running
        } else if all(&[RunState::Done, RunState::Failed]) {
            StudyState::Failed
        } else {
            StudyState::Waiting
        };
        let done = seats.iter().filter(|seat| seat.state == RunState::Done).count();
        Ok(Look { study: self.name.clone(), done, stages: seats.len(), state, runs, slurm_error })
    }

    /// The curves as of the last look.
    pub fn series(&self) -> Vec<Series> {
        let seeds = self.built.variants.iter().flat_map(|variant| {
            variant.seeds.iter().map(|seed| (&variant.name, Some(seed.seed), &seed.rounds))
        });
        let parents = self.built.parents.iter().map(|(name, rounds)| (name, None, rounds));
        let all: Vec<_> = parents.chain(seeds).collect();
        let most = (POINTS.0 / all.len().max(1)).clamp(POINTS.1, MOST);
        all.into_iter()
            .map(|(name, seed, rounds)| self.joined(name, seed, rounds, most))
            .filter(|series| !series.train.is_empty())
            .collect()
    }

    /// Rounds after each other, each behind the steps of those before.
    fn joined(&self, name: &str, seed: Option<u64>, rounds: &[RoundNodes], most: usize) -> Series {
        let (mut train, mut before) = (Vec::new(), 0);
        let mut validation: BTreeMap<String, Vec<(u64, f64)>> = BTreeMap::new();
        for round in rounds {
            let Some(curve) = self.curves.get(&round.train) else { break };
            let moved = |(step, value): &(u64, f64)| (step + before, *value);
            train.extend(curve.train.iter().map(moved));
            for (language, points) in &curve.validation {
                let to = validation.entry(language.clone()).or_default();
                // The first of a later round is the last of the one before.
                to.extend(points.iter().filter(|(step, _)| before == 0 || *step > 0).map(moved));
            }
            before += curve.last().map_or(0, |(step, _)| step);
        }
        Series { name: name.to_owned(), seed, train: thinned(&train, most), validation }
    }

    fn seat(&mut self, id: NodeId) -> Result<Seat, CommandError> {
        let seat = |state| Seat { state, host: None, failure: None };
        if self.done.contains(&id) {
            return Ok(seat(RunState::Done));
        }
        let state = self.store.state(self.built.graph.node(id)).map_err(CommandError::machine)?;
        Ok(match state {
            State::Done(_) => {
                self.done.insert(id);
                seat(RunState::Done)
            }
            State::Running(owner) => {
                let lease = self.store.lease(self.built.graph.node(id));
                match self.leases.look(&lease, Instant::now()) {
                    // Taken for dead: whoever waits for the lease takes the work over.
                    Holding::Silent(_) => {
                        let host = Some(format!("{}, which is silent", owner.host));
                        Seat { host, ..seat(RunState::Interrupted) }
                    }
                    _ => Seat { host: Some(owner.host), ..seat(RunState::Running) },
                }
            }
            State::Failed(why) => Seat { failure: Some(why.message), ..seat(RunState::Failed) },
            State::Interrupted => seat(RunState::Interrupted),
            State::Missing => seat(RunState::Waiting),
        })
    }

    fn run(
        &self,
        (variant, number, chain): &(usize, usize, Vec<NodeId>),
        seats: &[Seat],
        queue: &BTreeMap<Key, Seen>,
    ) -> Run {
        let variant = &self.built.variants[*variant];
        let seed = &variant.seeds[*number];
        let mut run = Run { variant: variant.name.clone(), seed: seed.seed, ..Run::default() };
        let at = |state: RunState| chain.iter().rfind(|id| seats[id.index()].state == state);
        // An end that is there needs nothing more, whatever became of what it was made from.
        let over = seed.ends().all(|end| seats[end.index()].state == RunState::Done);
        let first = chain.iter().find(|id| seats[id.index()].state != RunState::Done);
        let shown = match first {
            Some(first) if !over => {
                let found = at(RunState::Failed).or_else(|| at(RunState::Running));
                let id = *found.unwrap_or(first);
                let Seat { state, host, failure } = seats[id.index()].clone();
                (run.state, run.host, run.failure) = (state, host, failure);
                run.stage = self.stage(id, &seed.rounds);
                if let (None, Some(seen)) = (&run.host, queue.get(self.built.graph.node(id).key()))
                {
                    run.host = Some(seen.words());
                }
                Some(id).filter(|id| self.curves.contains_key(id))
            }
            _ => {
                run.state = RunState::Done;
                None
            }
        };
        // Where no training is at work: the last one of its own.
        let own = || seed.rounds.iter().rev().find_map(|round| self.curves.get(&round.train));
        if let Some(curve) = shown.and_then(|id| self.curves.get(&id)).or_else(own) {
            (run.step, run.loss) = curve.last().unzip();
            run.steps = curve.steps.or(run.step.filter(|_| run.state == RunState::Done));
            if shown.is_some() && run.state == RunState::Running {
                (run.tokens_per_second, run.seconds_left) = (curve.speed, curve.seconds_left());
            }
        }
        run
    }

    /// What a stage is called in a row: which round, and which parent's.
    fn stage(&self, id: NodeId, rounds: &[RoundNodes]) -> String {
        let stage = self.built.graph.node(id).stage;
        if let Some(parent) = self.parents.get(&id) {
            return format!("{stage} (parent {parent})");
        }
        let round = rounds.iter().position(|round| round.train == id || round.select == Some(id));
        match round {
            Some(round) if rounds.len() > 1 => {
                format!("{stage} ({} of {})", round + 1, rounds.len())
            }
            _ => stage.to_owned(),
        }
    }
}

/// Everything that some stages need and they themselves, inputs first.
fn chain(built: &StudyGraph, ends: Vec<NodeId>) -> Vec<NodeId> {
    let (mut open, mut seen) = (ends, BTreeSet::new());
    while let Some(id) = open.pop() {
        if seen.insert(id) {
            open.extend(built.graph.node(id).inputs.values().copied());
        }
    }
    // Inputs are added to a graph before what reads them.
    seen.into_iter().collect()
}

/// Asks a cluster's queue now and then, beside everything else: it may take long to answer.
fn watch_queue(root: Root, name: String) -> Arc<Mutex<Queue>> {
    let queue = Arc::new(Mutex::new(Ok(BTreeMap::new())));
    let shared = Arc::downgrade(&queue);
    std::thread::spawn(move || {
        while let Some(queue) = shared.upgrade() {
            if !Submission::all(&root.runs(&name)).is_empty() {
                let seen = cluster::look(&root, &name);
                if let Ok(mut queue) = queue.lock() {
                    *queue = seen;
                }
            }
            drop(queue);
            std::thread::sleep(QUEUE);
        }
    });
    queue
}

#[cfg(test)]
mod tests;
