//! From what is missing to jobs in the queue.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::client::{Slurm, SlurmError};
use super::plan::{Wave, plan};
use super::queue::QueuedTask;
use super::script::Launcher;
use super::settings::PULL;
use super::submission::{Cut, Submission};
use crate::graph::{Graph, Key, NodeId};
use crate::store::{Store, StoreError};

/// Items of an array where nobody says how many there may be: Slurm's own default.
const MAX_ARRAY: usize = 1000;

/// What became of a submission.
#[derive(Debug)]
pub struct Submitted {
    /// Its files; none where everything is on its way already.
    pub submission: Option<Submission>,
    /// Wave and id of every job that was submitted.
    pub jobs: Vec<(String, String)>,
    /// Items that earlier submissions are still going to make.
    pub live: usize,
    /// Why the rest was not submitted.
    pub error: Option<SlurmError>,
}

/// Writes the files of what is missing and, with a Slurm, submits them. What live tasks of earlier
/// submissions (`earlier`) are going to make is left to them.
///
/// # Errors
/// When files cannot be written.
pub fn submit(
    (runs, launcher): (&Path, &Launcher<'_>),
    (graph, store): (&Graph, &Store),
    missing: &[NodeId],
    on_gpu: impl Fn(NodeId) -> bool,
    workers: Option<usize>,
    slurm: Option<(&Slurm, &[QueuedTask])>,
) -> Result<Submitted, StoreError> {
    let earlier = Submission::all(runs);
    let live = slurm.map(|(_, queue)| live(&earlier, queue)).unwrap_or_default();
    let rest: Vec<NodeId> =
        missing.iter().copied().filter(|id| !live.contains_key(graph.node(*id).key())).collect();
    let mut submitted = Submitted {
        submission: None,
        jobs: Vec::new(),
        live: missing.len() - rest.len(),
        error: None,
    };
    if rest.is_empty() {
        return Ok(submitted);
    }
    let waves = match workers {
        Some(_) => vec![Wave {
            name: "01-pull".to_owned(),
            stage: PULL,
            on_gpu: rest.iter().any(|id| on_gpu(*id)),
            items: rest,
            after: Vec::new(),
        }],
        None => plan(graph, &rest, on_gpu),
    };
    let most = launcher.settings.max_array_size.map(|size| size as usize);
    let asked = || slurm.and_then(|(slurm, _)| slurm.max_array_size().ok().flatten());
    let array = most.or_else(asked).unwrap_or(MAX_ARRAY);
    let after_jobs = waves.iter().map(|wave| after_jobs(graph, wave, &live)).collect();
    let cut = Cut { array, workers, after_jobs };
    let submission = Submission::write(runs, launcher, (graph, store), &waves, &cut)?;
    if let Some((slurm, _)) = slurm {
        let mut ids: Vec<String> = Vec::new();
        for chunk in &submission.chunks {
            let options = chunk.options(|other| ids[other].clone());
            let script = submission.folder.join(&chunk.wave).join(super::submission::SCRIPT);
            match slurm.submit(&options, &script, chunk.first) {
                Ok(id) => {
                    submission.record(chunk, &id)?;
                    submitted.jobs.push((chunk.wave.clone(), id.clone()));
                    ids.push(id);
                }
                Err(error) => {
                    submitted.error = Some(error);
                    break;
                }
            }
        }
    }
    submitted.submission = Some(submission);
    Ok(submitted)
}

/// Jobs of live tasks by what they are going to make.
fn live(submissions: &[Submission], queue: &[QueuedTask]) -> BTreeMap<Key, String> {
    let mut live = BTreeMap::new();
    for task in queue.iter().filter(|task| task.state.is_live()) {
        let Some(place) = &task.place else { continue };
        for submission in submissions {
            for key in submission.keys(place) {
                live.insert(key, task.job().to_owned());
            }
        }
    }
    live
}

/// Live jobs that make what a wave needs. Ids of jobs that are not live are never waited for: Slurm
/// takes one that it has forgotten for one that went well.
fn after_jobs(graph: &Graph, wave: &Wave, live: &BTreeMap<Key, String>) -> Vec<String> {
    let inputs = wave.items.iter().flat_map(|id| graph.node(*id).inputs.values());
    let jobs: BTreeSet<&String> =
        inputs.filter_map(|input| live.get(graph.node(*input).key())).collect();
    jobs.into_iter().cloned().collect()
}
