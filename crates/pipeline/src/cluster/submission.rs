//! The files of a study that is on its way through a cluster.
//!
//! ```text
//! <runs>/<study>/<tag>/submission.json         which waves there are, and what they make
//! <runs>/<study>/<tag>/submit.sh               submits them all by hand
//! <runs>/<study>/<tag>/03-train/submit.sbatch  the script of a wave
//! <runs>/<study>/<tag>/03-train/items.jsonl    its items: one task a line, never changed
//! <runs>/<study>/<tag>/03-train/jobs           a line for each array: first item, items, job
//! <runs>/<study>/<tag>/03-train/logs/          what its tasks print: JOB_INDEX.log
//! ```

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::plan::{Dependency, Wave};
use super::script::{Launcher, submit_all};
use crate::durable::write_atomic;
use crate::graph::{Graph, Key};
use crate::owner::token;
use crate::protocol::Task;
use crate::store::{Store, StoreError, attempt};

pub(crate) const SCRIPT: &str = "submit.sbatch";
pub(crate) const ITEMS: &str = "items.jsonl";
/// Folder of a wave with what its tasks print, `JOB_INDEX.log`.
pub const LOGS: &str = "logs";
const JOBS: &str = "jobs";
const RECORD: &str = "submission.json";

/// A submission as it is on disk.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Submission {
    /// When it was written, and a few letters of its own.
    pub tag: String,
    /// Its waves in the order in which they are submitted.
    pub waves: Vec<WaveFiles>,
    /// Its arrays in the order in which they are submitted.
    pub chunks: Vec<Chunk>,
    /// Where it is.
    #[serde(skip)]
    pub folder: PathBuf,
}

/// What a wave makes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WaveFiles {
    /// Its folder.
    pub name: String,
    /// Keys of what it makes, by index.
    pub keys: Vec<Key>,
    /// Workers that take whatever is next, instead of one task for each item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workers: Option<usize>,
}

/// One array of a wave: as many of its items as an array may have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Chunk {
    /// Its wave.
    pub wave: String,
    /// Index of the first item.
    pub first: usize,
    /// Items.
    pub count: usize,
    /// What follows `--array=`; nothing for a job that is no array.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub array: Option<String>,
    /// `aftercorr` by position among the chunks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after_each: Vec<usize>,
    /// `afterany` by position among the chunks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after_all: Vec<usize>,
    /// `afterany` by job: live tasks of an earlier submission.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after_jobs: Vec<String>,
    /// What `squeue` shows, so that a job is known again by more than its id, which Slurm may use
    /// twice.
    pub comment: String,
}

/// Where a task was submitted from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The submission.
    pub tag: String,
    /// The wave.
    pub wave: String,
    /// Its index in the wave.
    pub index: usize,
}

impl Place {
    pub(crate) fn of_comment(comment: &str, index: usize) -> Option<Self> {
        let mut parts = comment.strip_prefix("ablate:")?.split(':');
        let (tag, wave, first) = (parts.next()?, parts.next()?, parts.next()?);
        let index = first.parse::<usize>().ok()? + index;
        Some(Self { tag: tag.to_owned(), wave: wave.to_owned(), index })
    }
}

impl Chunk {
    /// Options of `sbatch`; `job` names the job of another chunk.
    pub(crate) fn options(&self, job: impl Fn(usize) -> String) -> Vec<String> {
        let mut options = vec![format!("--comment={}", self.comment)];
        options.extend(self.array.as_ref().map(|array| format!("--array={array}")));
        let mut dependencies: Vec<String> =
            self.after_each.iter().map(|other| format!("aftercorr:{}", job(*other))).collect();
        let all = self.after_all.iter().map(|other| job(*other));
        let all: Vec<String> = all.chain(self.after_jobs.iter().cloned()).collect();
        if !all.is_empty() {
            dependencies.push(format!("afterany:{}", all.join(":")));
        }
        if !dependencies.is_empty() {
            options.push(format!("--dependency={}", dependencies.join(",")));
        }
        options
    }
}

/// How a submission is cut.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cut {
    /// Items of an array at most.
    pub(crate) array: usize,
    /// Workers that take whatever is next.
    pub(crate) workers: Option<usize>,
    /// Live jobs of earlier submissions that make what some of the waves need.
    pub(crate) after_jobs: Vec<Vec<String>>,
}

impl Submission {
    /// Writes the files of a submission; submits nothing.
    pub(crate) fn write(
        runs: &Path,
        launcher: &Launcher<'_>,
        (graph, store): (&Graph, &Store),
        waves: &[Wave],
        cut: &Cut,
    ) -> Result<Self, StoreError> {
        let time = jiff::Timestamp::now().strftime("%Y%m%d-%H%M%S");
        let tag = format!("{time}-{}", &token()[..4]);
        let folder = runs.join(&tag);
        let mut files = Vec::new();
        for wave in waves {
            let place = folder.join(&wave.name);
            let logs = place.join(LOGS);
            attempt("create", &logs, fs::create_dir_all(&logs))?;
            let mut text = String::new();
            for id in &wave.items {
                let task = Task::in_store(graph, store, *id);
                text += &serde_json::to_string(&task).unwrap_or_default();
                text.push('\n');
            }
            let items = place.join(ITEMS);
            attempt("write", &items, write_atomic(&items, text.as_bytes()))?;
            let script = launcher.wave(graph, wave, &place, cut.workers.is_some());
            write_script(&place.join(SCRIPT), &script)?;
            let keys = wave.items.iter().map(|id| graph.node(*id).key().clone()).collect();
            files.push(WaveFiles { name: wave.name.clone(), keys, workers: cut.workers });
        }
        let mut chunks = chunks(&tag, launcher, waves, cut);
        if let Some(arguments) = &launcher.last {
            let name = format!("{:02}-report", waves.len() + 1);
            let place = folder.join(&name);
            let logs = place.join(LOGS);
            attempt("create", &logs, fs::create_dir_all(&logs))?;
            write_script(&place.join(SCRIPT), &launcher.last(&name, &place, arguments))?;
            chunks.push(Chunk {
                comment: format!("ablate:{tag}:{name}:0"),
                wave: name.clone(),
                first: 0,
                count: 0,
                array: None,
                after_each: Vec::new(),
                after_all: (0..chunks.len()).collect(),
                after_jobs: Vec::new(),
            });
            files.push(WaveFiles { name, keys: Vec::new(), workers: None });
        }
        write_script(&folder.join("submit.sh"), &submit_all(&launcher.study, &chunks))?;
        let submission = Self { tag, waves: files, chunks, folder };
        let record = submission.folder.join(RECORD);
        let bytes = serde_json::to_vec_pretty(&submission).unwrap_or_default();
        attempt("write", &record, write_atomic(&record, &bytes))?;
        Ok(submission)
    }

    /// All submissions of a study, oldest first; those that were not written to the end are left out.
    pub fn all(runs: &Path) -> Vec<Self> {
        let entries = fs::read_dir(runs).into_iter().flatten().flatten();
        let mut folders: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        folders.sort();
        let read = |folder: PathBuf| {
            let bytes = fs::read(folder.join(RECORD)).ok()?;
            let submission: Self = serde_json::from_slice(&bytes).ok()?;
            Some(Self { folder, ..submission })
        };
        folders.into_iter().filter_map(read).collect()
    }

    /// Writes down which job a chunk became.
    pub(crate) fn record(&self, chunk: &Chunk, job: &str) -> Result<(), StoreError> {
        let path = self.folder.join(&chunk.wave).join(JOBS);
        let mut text = fs::read_to_string(&path).unwrap_or_default();
        text += &format!("{} {} {job}\n", chunk.first, chunk.count);
        attempt("write", &path, write_atomic(&path, text.as_bytes()))
    }

    /// The jobs that were written down: wave, index of the first item, id.
    pub fn jobs(&self) -> Vec<(&str, usize, String)> {
        let mut jobs = Vec::new();
        for wave in &self.waves {
            let path = self.folder.join(&wave.name).join(JOBS);
            for line in fs::read_to_string(path).unwrap_or_default().lines() {
                let words: Vec<&str> = line.split_whitespace().collect();
                if let [first, _, id] = words[..]
                    && let Ok(first) = first.parse()
                {
                    jobs.push((wave.name.as_str(), first, id.to_owned()));
                }
            }
        }
        jobs
    }

    /// Keys of what a task of this submission makes: one, or all of a wave whose workers take whatever
    /// is next.
    pub fn keys(&self, place: &Place) -> Vec<Key> {
        let wave = self.waves.iter().find(|wave| wave.name == place.wave);
        match wave {
            Some(wave) if self.tag == place.tag => match wave.workers {
                Some(_) => wave.keys.clone(),
                None => wave.keys.get(place.index).cloned().into_iter().collect(),
            },
            _ => Vec::new(),
        }
    }

    /// The log of a task.
    pub fn log(&self, place: &Place, task: &str) -> PathBuf {
        self.folder.join(&place.wave).join(LOGS).join(format!("{task}.log"))
    }
}

/// Waves as arrays.
fn chunks(tag: &str, launcher: &Launcher<'_>, waves: &[Wave], cut: &Cut) -> Vec<Chunk> {
    let mut chunks: Vec<Chunk> = Vec::new();
    // Positions of the chunks of each wave.
    let mut of: Vec<Vec<usize>> = Vec::new();
    for (position, wave) in waves.iter().enumerate() {
        let comment = |first: usize| format!("ablate:{tag}:{}:{first}", wave.name);
        let after_jobs = cut.after_jobs.get(position).cloned().unwrap_or_default();
        let limit = launcher.settings.of(wave.stage).array_limit;
        let spec = |from: usize, count: usize| {
            let limit = limit.filter(|limit| (*limit as usize) < count);
            let limit = limit.map_or_else(String::new, |limit| format!("%{limit}"));
            Some(format!("{from}-{}{limit}", from + count - 1))
        };
        let mut own: Vec<usize> = Vec::new();
        if let Some(workers) = cut.workers {
            own.push(chunks.len());
            chunks.push(Chunk {
                wave: wave.name.clone(),
                first: 0,
                count: wave.items.len(),
                array: spec(1, workers),
                after_each: Vec::new(),
                after_all: Vec::new(),
                after_jobs,
                comment: comment(0),
            });
            of.push(own);
            continue;
        }
        let size = cut.array.max(1);
        for (number, first) in (0..wave.items.len()).step_by(size).enumerate() {
            let count = size.min(wave.items.len() - first);
            let mut all = BTreeSet::new();
            let mut each = Vec::new();
            for (other, dependency) in &wave.after {
                match dependency {
                    Dependency::Each => each.extend(of[*other].get(number)),
                    Dependency::All => all.extend(of[*other].iter().copied()),
                }
            }
            if limit.is_some() {
                // One after another, or the limit would hold for each of them alone.
                all.extend(own.last());
            }
            own.push(chunks.len());
            chunks.push(Chunk {
                wave: wave.name.clone(),
                first,
                count,
                array: spec(0, count),
                after_each: each,
                after_all: all.into_iter().collect(),
                after_jobs: after_jobs.clone(),
                comment: comment(first),
            });
        }
        of.push(own);
    }
    chunks
}

fn write_script(path: &Path, text: &str) -> Result<(), StoreError> {
    use std::os::unix::fs::PermissionsExt;
    attempt("write", path, write_atomic(path, text.as_bytes()))?;
    attempt("write", path, fs::set_permissions(path, fs::Permissions::from_mode(0o755)))
}

/// All items of a wave.
///
/// # Errors
/// When the file cannot be read or is not what was written.
pub fn read_items(path: &Path) -> io::Result<Vec<Task>> {
    let text = fs::read_to_string(path)?;
    text.lines()
        .map(|line| {
            serde_json::from_str(line)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
        })
        .collect()
}

/// One item of a wave.
///
/// # Errors
/// When the file cannot be read, or has no such item.
pub fn read_item(path: &Path, index: usize) -> io::Result<Task> {
    let text = fs::read_to_string(path)?;
    let line = text.lines().nth(index).ok_or_else(|| {
        let items = text.lines().count();
        io::Error::new(io::ErrorKind::NotFound, format!("has {items} items and no item {index}"))
    })?;
    serde_json::from_str(line).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

#[cfg(test)]
mod tests;
