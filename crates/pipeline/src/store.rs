//! Finished results, attempts that were interrupted, and failures, on disk.
//!
//! ```text
//! <root>/<stage>/<name>-<key12>/           a finished result, with its record
//! <root>/<stage>/<name>-<key12>.partial/   an attempt: kept when it can be resumed
//! <root>/<stage>/<name>-<key12>.lease      who is at work on it now
//! <root>/<stage>/<name>-<key12>.failed     why the last attempt failed
//! <root>/logs/<stage>-<name>-<key12>.log   what the workers wrote to standard error
//! ```

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::artifact::{Artifact, inventory};
use crate::durable::{remove_unfinished, sync_directory, sync_tree, write_atomic};
use crate::graph::{Key, Node};
use crate::lease::{Lease, Owner};
use crate::protocol::Failure;

/// Why the store cannot do what it is asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk said no.
    #[error("cannot {action} `{}`: {source}{}", path.display(), hint(source))]
    Io {
        /// What was tried.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// The folder belongs to another result with the same short key.
    #[error(
        "`{}` holds the key {found}, not {wanted}: move that folder away and run again",
        path.display()
    )]
    OtherKey {
        /// The folder.
        path: PathBuf,
        /// The key in its record.
        found: Key,
        /// The key looked for.
        wanted: Key,
    },
}

fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull => "; free some space and run the same command again",
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "; choose a folder that can be written with `--root DIR`"
        }
        _ => "",
    }
}

/// How far a node has come.
#[derive(Clone, Debug)]
pub enum State {
    /// Nothing is there.
    Missing,
    /// An attempt was interrupted and can be resumed or is made again.
    Interrupted,
    /// Somebody is at work.
    Running(Owner),
    /// The last attempt failed.
    Failed(Failure),
    /// The result is there.
    Done(Box<Artifact>),
}

impl State {
    /// One word for tables and JSON.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Interrupted => "interrupted",
            Self::Running(_) => "running",
            Self::Failed(_) => "failed",
            Self::Done(_) => "done",
        }
    }
}

/// The folder of all results.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
}

impl Store {
    /// Names a store; creates nothing.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Creates the folder and checks that it can be written.
    ///
    /// # Errors
    /// When it cannot.
    pub fn prepare(&self) -> Result<(), StoreError> {
        let probe = self.root.join(format!(".probe-{}", std::process::id()));
        attempt("create the store", &self.root, fs::create_dir_all(&self.root))?;
        attempt("write into the store", &self.root, fs::write(&probe, b"ok"))?;
        attempt("write into the store", &self.root, fs::remove_file(&probe))
    }

    /// The store's folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Folder of a finished result.
    pub fn path(&self, node: &Node) -> PathBuf {
        self.root.join(node.stage).join(entry_name(&node.name, node.key()))
    }

    /// Folder of an attempt.
    pub fn partial(&self, node: &Node) -> PathBuf {
        with_suffix(&self.path(node), ".partial")
    }

    /// Log of the workers of a node.
    pub fn log(&self, node: &Node) -> PathBuf {
        let name = format!("{}-{}.log", node.stage, entry_name(&node.name, node.key()));
        self.root.join("logs").join(name)
    }

    /// How far a node has come.
    ///
    /// # Errors
    /// When a record is there but cannot be read.
    pub fn state(&self, node: &Node) -> Result<State, StoreError> {
        let path = self.path(node);
        if let Some(artifact) = attempt("read", &path, valid_record(&path))? {
            if artifact.key != *node.key() {
                let (found, wanted) = (artifact.key.clone(), node.key().clone());
                return Err(StoreError::OtherKey { path, found, wanted });
            }
            return Ok(State::Done(Box::new(artifact)));
        }
        if let Some(owner) = Lease::holder(&lease_path(&path)) {
            return Ok(State::Running(owner));
        }
        if let Ok(bytes) = fs::read(failed_path(&path))
            && let Ok(failure) = serde_json::from_slice(&bytes)
        {
            return Ok(State::Failed(failure));
        }
        Ok(if self.partial(node).exists() { State::Interrupted } else { State::Missing })
    }

    /// Compares a finished result with its record, and moves it out of the way when it differs,
    /// so that it is made again. Returns what differed.
    ///
    /// # Errors
    /// When files cannot be read or moved.
    pub fn verify(&self, node: &Node) -> Result<Option<String>, StoreError> {
        let path = self.path(node);
        let difference = match Artifact::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                Some("its record is damaged".to_owned())
            }
            record => match attempt("read", &path, record)? {
                Some(artifact) => attempt("verify", &path, artifact.difference(&path))?,
                None => None,
            },
        };
        if difference.is_some() {
            let mut aside = with_suffix(&path, ".corrupt");
            for number in 1.. {
                if !aside.exists() {
                    break;
                }
                aside = with_suffix(&path, &format!(".corrupt-{number}"));
            }
            attempt("set aside", &path, fs::rename(&path, &aside))?;
        }
        Ok(difference)
    }
}

/// The places of one node, as a worker sees them.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) path: PathBuf,
}

impl Entry {
    pub(crate) fn partial(&self) -> PathBuf {
        with_suffix(&self.path, ".partial")
    }

    pub(crate) fn lease(&self) -> PathBuf {
        lease_path(&self.path)
    }

    /// Makes the folder of an attempt, empty unless the stage can resume.
    pub(crate) fn open_partial(&self, resumable: bool) -> Result<PathBuf, StoreError> {
        let partial = self.partial();
        if !resumable && partial.exists() {
            attempt("clear", &partial, fs::remove_dir_all(&partial))?;
        }
        attempt("create", &partial, fs::create_dir_all(&partial))?;
        attempt("clear", &partial, remove_unfinished(&partial))?;
        let _ = fs::remove_file(failed_path(&self.path));
        Ok(partial)
    }

    /// Turns the attempt into a finished result: record, sync, rename, in this order.
    pub(crate) fn publish(&self, mut artifact: Artifact) -> Result<Artifact, StoreError> {
        let partial = self.partial();
        artifact.files = attempt("read", &partial, inventory(&partial))?;
        attempt("sync", &partial, sync_tree(&partial))?;
        attempt("write the record of", &partial, artifact.write(&partial))?;
        if self.path.exists() {
            // A folder without a valid record: an interrupted copy, not a result.
            attempt("clear", &self.path, fs::remove_dir_all(&self.path))?;
        }
        attempt("publish", &self.path, fs::rename(&partial, &self.path))?;
        if let Some(stage) = self.path.parent() {
            attempt("sync", stage, sync_directory(stage))?;
        }
        Ok(artifact)
    }

    pub(crate) fn record_failure(&self, failure: &Failure) -> Result<(), StoreError> {
        let path = failed_path(&self.path);
        let bytes = serde_json::to_vec_pretty(failure).unwrap_or_default();
        attempt("write", &path, write_atomic(&path, &bytes))
    }
}

/// The record of a folder; a damaged one is as good as none until [`Store::verify`] says so.
fn valid_record(path: &Path) -> io::Result<Option<Artifact>> {
    match Artifact::read(path) {
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(None),
        record => record,
    }
}

fn attempt<T>(action: &'static str, path: &Path, result: io::Result<T>) -> Result<T, StoreError> {
    result.map_err(|source| StoreError::Io { action, path: path.to_owned(), source })
}

fn entry_name(name: &str, key: &Key) -> String {
    let clean: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' })
        .take(60)
        .collect();
    format!("{clean}-{}", key.short())
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(suffix);
    path.with_file_name(name)
}

fn lease_path(path: &Path) -> PathBuf {
    with_suffix(path, ".lease")
}

fn failed_path(path: &Path) -> PathBuf {
    with_suffix(path, ".failed")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Graph;
    use serde_json::{Value, json};
    use std::collections::BTreeMap;

    fn node(graph: &mut Graph) -> Node {
        let id = graph.add("text", 1, "my text", json!({"n": 1}), []).unwrap();
        graph.node(id).clone()
    }

    fn artifact(node: &Node) -> Artifact {
        Artifact {
            key: node.key().clone(),
            stage: node.stage.to_owned(),
            name: node.name.clone(),
            version: node.version,
            recipe: node.recipe.clone(),
            inputs: BTreeMap::new(),
            files: Vec::new(),
            finished: "2026-01-01T00:00:00Z".to_owned(),
            seconds: 1.0,
            execution: Value::Null,
        }
    }

    #[test]
    fn a_result_is_done_only_after_publishing() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::new(directory.path());
        let node = node(&mut Graph::new());
        assert!(matches!(store.state(&node).unwrap(), State::Missing));
        let entry = Entry { path: store.path(&node) };
        let partial = entry.open_partial(false).unwrap();
        fs::write(partial.join("out.txt"), "hello").unwrap();
        assert!(matches!(store.state(&node).unwrap(), State::Interrupted));
        entry.publish(artifact(&node)).unwrap();
        let State::Done(done) = store.state(&node).unwrap() else { panic!("not done") };
        assert_eq!(done.files.len(), 1);
        assert_eq!(done.files[0].blake3, blake3::hash(b"hello").to_hex().to_string());
        assert!(!partial.exists());
    }

    #[test]
    fn a_changed_file_is_found_and_set_aside() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::new(directory.path());
        let node = node(&mut Graph::new());
        for expected in [".corrupt", ".corrupt-1"] {
            let entry = Entry { path: store.path(&node) };
            let partial = entry.open_partial(false).unwrap();
            fs::write(partial.join("out.txt"), "hello").unwrap();
            entry.publish(artifact(&node)).unwrap();
            assert_eq!(store.verify(&node).unwrap(), None);
            fs::write(store.path(&node).join("out.txt"), "hullo").unwrap();
            let difference = store.verify(&node).unwrap().unwrap();
            assert!(difference.contains("out.txt"), "{difference}");
            assert!(matches!(store.state(&node).unwrap(), State::Missing));
            assert!(with_suffix(&store.path(&node), expected).exists());
        }
    }

    #[test]
    fn a_stage_that_cannot_resume_starts_clean() {
        let directory = tempfile::tempdir().unwrap();
        let entry = Entry { path: directory.path().join("text").join("x-123") };
        let partial = entry.open_partial(true).unwrap();
        fs::write(partial.join("left"), "over").unwrap();
        assert!(entry.open_partial(true).unwrap().join("left").exists());
        assert!(!entry.open_partial(false).unwrap().join("left").exists());
    }

    #[test]
    fn what_a_kill_cut_short_is_removed_before_an_attempt_goes_on() {
        let directory = tempfile::tempdir().unwrap();
        let entry = Entry { path: directory.path().join("train").join("x-123") };
        let partial = entry.open_partial(true).unwrap();
        fs::create_dir(partial.join("checkpoints")).unwrap();
        for file in [".model.safetensors.tmp-42", "checkpoints/.state.tmp-7", "metrics.jsonl"] {
            fs::write(partial.join(file), "x").unwrap();
        }
        entry.open_partial(true).unwrap();
        assert!(partial.join("metrics.jsonl").exists());
        assert!(!partial.join(".model.safetensors.tmp-42").exists());
        assert!(!partial.join("checkpoints/.state.tmp-7").exists());
    }

    #[test]
    fn a_damaged_record_is_found_and_set_aside() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::new(directory.path());
        let node = node(&mut Graph::new());
        let entry = Entry { path: store.path(&node) };
        entry.open_partial(false).unwrap();
        entry.publish(artifact(&node)).unwrap();
        fs::write(store.path(&node).join(".artifact.json"), "{").unwrap();
        assert!(matches!(store.state(&node).unwrap(), State::Missing));
        assert!(store.verify(&node).unwrap().unwrap().contains("record"));
        assert!(!store.path(&node).exists());
    }

    #[test]
    fn an_unwritable_store_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        fs::write(&file, "").unwrap();
        let error = Store::new(file.join("store")).prepare().unwrap_err().to_string();
        assert!(error.contains("cannot create the store"), "{error}");
    }
}
