//! What Slurm says of a study, beside what the store says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use ablate_pipeline::{Key, Place, QueueState, QueuedTask, Slurm, Submission};

use crate::exit::CommandError;
use crate::root::Root;

/// The submission that a task belongs to.
pub fn of<'a>(submissions: &'a [Submission], task: &QueuedTask) -> Option<&'a Submission> {
    let place = task.place.as_ref()?;
    submissions.iter().find(|submission| submission.tag == place.tag)
}

/// What Slurm says of a stage.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Seen {
    /// `JOB_INDEX`.
    pub task: String,
    /// What it is at, in a few words.
    pub state: &'static str,
    /// Why it waits, in Slurm's word.
    pub reason: Option<String>,
    /// Where it runs.
    pub nodes: Option<String>,
    /// What it prints.
    pub log: PathBuf,
}

impl Seen {
    /// Whether it has ended in a way that makes nothing.
    pub fn is_lost(&self) -> bool {
        !matches!(self.state, "pending" | "requeued" | "running" | "ended")
    }

    /// `task 12_3 pending (Priority)`.
    pub fn words(&self) -> String {
        let reason = self.reason.as_ref().filter(|_| self.state != "running");
        let reason = reason.map_or_else(String::new, |reason| format!(" ({reason})"));
        let nodes = self.nodes.as_ref().map_or_else(String::new, |nodes| format!(" on {nodes}"));
        format!("task {} {}{reason}{nodes}", self.task, self.state)
    }
}

/// What Slurm says of the stages of a study, by key; none where none of it was ever submitted.
///
/// # Errors
/// When Slurm does not answer, in words.
pub fn look(root: &Root, study: &str) -> Result<BTreeMap<Key, Seen>, String> {
    let submissions = Submission::all(&root.runs(study));
    let jobs: BTreeSet<String> =
        submissions.iter().flat_map(|s| s.jobs().into_iter().map(|(_, _, id)| id)).collect();
    if jobs.is_empty() {
        return Ok(BTreeMap::new());
    }
    let slurm = Slurm::new(Duration::from_secs(15));
    let queue = slurm.queue().map_err(|error| error.to_string())?;
    let mut found: BTreeMap<Key, ((bool, String), Seen)> = BTreeMap::new();
    let mut known = BTreeSet::new();
    for task in &queue {
        let Some(submission) = of(&submissions, task) else { continue };
        known.insert(task.job().to_owned());
        let Some(place) = &task.place else { continue };
        let some = |text: &str| (!text.is_empty() && text != "None").then(|| text.to_owned());
        let seen = Seen {
            task: task.id.clone(),
            state: task.state.word(),
            reason: some(&task.reason),
            nodes: some(&task.nodes),
            log: submission.log(place, &task.id),
        };
        // The live one, else the latest.
        let rank = (task.state.is_live(), place.tag.clone());
        for key in submission.keys(place) {
            if found.get(&key).is_none_or(|(before, _)| *before <= rank) {
                found.insert(key, (rank.clone(), seen.clone()));
            }
        }
    }
    let mut found: BTreeMap<Key, Seen> =
        found.into_iter().map(|(key, (_, seen))| (key, seen)).collect();
    // Those that the queue has forgotten, where the site keeps accounts.
    let forgotten: BTreeSet<String> = jobs.difference(&known).cloned().collect();
    let accounts: BTreeMap<String, QueueState> = slurm.accounts(&forgotten).into_iter().collect();
    for submission in submissions.iter().rev() {
        for (wave, first, id) in submission.jobs() {
            for (task, state) in accounts.range(format!("{id}_")..format!("{id}`")) {
                let index = task.split_once('_').and_then(|(_, index)| index.parse::<usize>().ok());
                let Some(index) = index.map(|index| index + first) else { continue };
                let (tag, wave) = (submission.tag.clone(), wave.to_owned());
                let place = Place { tag, wave, index };
                for key in submission.keys(&place) {
                    let log = submission.log(&place, task);
                    let (task, state) = (task.clone(), state.word());
                    let seen = Seen { task, state, reason: None, nodes: None, log };
                    found.entry(key).or_insert(seen);
                }
            }
        }
    }
    Ok(found)
}

/// Jobs of a study that have not ended.
///
/// # Errors
/// When Slurm does not answer.
pub fn live_jobs(
    root: &Root,
    study: &str,
    slurm: &Slurm,
) -> Result<(BTreeSet<String>, usize), CommandError> {
    let submissions = Submission::all(&root.runs(study));
    let queue = slurm.queue().map_err(CommandError::machine)?;
    let live: Vec<&QueuedTask> = queue
        .iter()
        .filter(|task| of(&submissions, task).is_some())
        .filter(|task| task.state.is_live() || task.state == QueueState::NeverSatisfied)
        .collect();
    Ok((live.iter().map(|task| task.job().to_owned()).collect(), live.len()))
}
