//! Finished results, attempts that were interrupted, and failures, on disk.
//!
//! ```text
//! <root>/<stage>/<name>-<key12>/           a finished result, with its record
//! <root>/<stage>/<name>-<key12>.partial/   attempts: kept when they can be resumed (see `attempt`)
//! <root>/<stage>/<name>-<key12>.lease      who is at work on it now
//! <root>/<stage>/<name>-<key12>.failed     why the last attempt failed
//! <root>/<stage>/<name>-<key12>.corrupt/   a result that is not what was made, set aside
//! <root>/logs/<stage>-<name>-<key12>.log   what the workers wrote to standard error
//! <root>/live/<stage>-<name>-<key12>/      what can be followed while it is made; no part of a result
//! <root>/accepted/<key>.json               what stands for a result (see `acceptance`)
//! ```

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::artifact::Artifact;
use crate::attempt;
use crate::graph::{Key, Node};
use crate::lease::Lease;
use crate::lost;
use crate::owner::Owner;
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
    /// The result is there, or what was accepted in its place: that has another key.
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

    /// The key of what stands for a node's own result, where something does.
    pub fn accepted(&self, node: &Node) -> Option<&Key> {
        match self {
            Self::Done(artifact) => Some(&artifact.key).filter(|key| *key != node.key()),
            _ => None,
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

    /// Folder of a finished result: its own, or that of what was accepted in its place. Where there is
    /// neither, the place where it would be.
    pub fn path(&self, node: &Node) -> PathBuf {
        match self.acceptance(node) {
            Ok(Some(other)) => self.accepted_folder(&other),
            _ => self.place(node),
        }
    }

    /// Where a node's own result is or would be.
    pub(crate) fn place(&self, node: &Node) -> PathBuf {
        self.root.join(node.stage).join(entry_name(&node.name, node.key()))
    }

    /// Removes what is left of attempts beside a node's own result: a worker that was killed right after its
    /// result was in place could not. What somebody may be at work on stays, and what cannot be removed
    /// is left to `gc`.
    pub(crate) fn sweep(&self, node: &Node) {
        let place = self.place(node);
        let left = attempt::folder(&place);
        if left.exists() && place.exists() && Lease::holder(&lease_path(&place)).is_none() {
            let _ = fs::remove_dir_all(left);
        }
    }

    /// Folder of the attempt that a worker is at or that was interrupted, where there is one.
    pub fn partial(&self, node: &Node) -> PathBuf {
        attempt::current(&self.place(node))
    }

    /// The lease of a node.
    pub fn lease(&self, node: &Node) -> PathBuf {
        lease_path(&self.place(node))
    }

    /// Log of the workers of a node.
    pub fn log(&self, node: &Node) -> PathBuf {
        log_path(&self.place(node))
    }

    /// Folder of what can be followed while a node is made: never a part of the result.
    pub fn live(&self, node: &Node) -> PathBuf {
        live_path(&self.path(node))
    }

    /// How far a node has come.
    ///
    /// # Errors
    /// When a record is there but cannot be read.
    pub fn state(&self, node: &Node) -> Result<State, StoreError> {
        let path = self.place(node);
        if let Some(artifact) = attempt("read", &path, valid_record(&path))? {
            if artifact.key != *node.key() {
                let (found, wanted) = (artifact.key.clone(), node.key().clone());
                return Err(StoreError::OtherKey { path, found, wanted });
            }
            return Ok(State::Done(Box::new(artifact)));
        }
        if let Some((_, artifact)) = self.stand_in(&path, node.key())? {
            return Ok(State::Done(Box::new(artifact)));
        }
        if let Some(owner) = Lease::holder(&lease_path(&path)) {
            return Ok(State::Running(owner));
        }
        if let Some((lost, _)) = lost::of_lease(&path) {
            return Ok(State::Failed(lost));
        }
        if let Ok(bytes) = fs::read(failed_path(&path))
            && let Ok(failure) = serde_json::from_slice(&bytes)
        {
            return Ok(State::Failed(failure));
        }
        let tried = attempt::folder(&path).exists();
        Ok(if tried { State::Interrupted } else { State::Missing })
    }

    /// Writes down why there is no result in the name of a worker that cannot do so any more; not
    /// where there is one, nor where another is at work.
    pub(crate) fn record_failure(&self, node: &Node, failure: &Failure) {
        if !matches!(self.state(node), Ok(State::Done(_) | State::Running(_)) | Err(_)) {
            attempt::write_failure(&self.place(node), failure);
        }
    }

    /// When the last attempt failed, where it did; of a worker that was lost, when it was last heard of.
    pub fn failed_at(&self, node: &Node) -> Option<jiff::Timestamp> {
        let place = self.place(node);
        let changed = match lost::of_lease(&place) {
            Some((_, last_sign)) => last_sign,
            None => fs::metadata(failed_path(&place)).ok()?.modified().ok()?,
        };
        jiff::Timestamp::try_from(changed).ok()
    }

    /// Compares a finished result with its record, and moves it out of the way when it differs,
    /// so that it is made again. Returns what differed.
    ///
    /// # Errors
    /// When files cannot be read or moved.
    pub fn verify(&self, node: &Node) -> Result<Option<String>, StoreError> {
        let path = self.path(node);
        quarantine(&path)
    }
}

/// Compares a finished result with its record, and moves it out of the way when it differs. Returns
/// what differed.
///
/// # Errors
/// When files cannot be read or moved.
pub(crate) fn quarantine(path: &Path) -> Result<Option<String>, StoreError> {
    let found = difference(path)?;
    if found.is_some()
        && let Some(aside) = set_aside(path)?
        && difference(&aside)?.is_none()
    {
        // Others had set the damaged one aside and made it again in the meantime.
        let _ = fs::rename(&aside, path);
    }
    Ok(found)
}

/// What differs between a folder and its record; nothing where there is no record.
pub(crate) fn difference(path: &Path) -> Result<Option<String>, StoreError> {
    match Artifact::read(path) {
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Ok(Some("its record is damaged".to_owned()))
        }
        record => match attempt("read", path, record)? {
            Some(artifact) => attempt("verify", path, artifact.difference(path)),
            None => Ok(None),
        },
    }
}

/// Moves a folder out of the way, to where nobody looks for results. Says where it is now, or nothing
/// where somebody else was faster.
pub(crate) fn set_aside(path: &Path) -> Result<Option<PathBuf>, StoreError> {
    let mut aside = with_suffix(path, ".corrupt");
    for number in 1.. {
        match fs::rename(path, &aside) {
            Ok(()) => return Ok(Some(aside)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(_) if aside.exists() => {}
            Err(error) => return attempt("set aside", path, Err(error)),
        }
        aside = with_suffix(path, &format!(".corrupt-{number}"));
    }
    Ok(None)
}

/// The record of a folder; a damaged one is as good as none until [`Store::verify`] says so.
pub(crate) fn valid_record(path: &Path) -> io::Result<Option<Artifact>> {
    match Artifact::read(path) {
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(None),
        record => record,
    }
}

pub(crate) fn attempt<T>(
    action: &'static str,
    path: &Path,
    result: io::Result<T>,
) -> Result<T, StoreError> {
    result.map_err(|source| StoreError::Io { action, path: path.to_owned(), source })
}

pub(crate) fn entry_name(name: &str, key: &Key) -> String {
    let clean: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' })
        .take(60)
        .collect();
    format!("{clean}-{}", key.short())
}

pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(suffix);
    path.with_file_name(name)
}

pub(crate) fn lease_path(path: &Path) -> PathBuf {
    with_suffix(path, ".lease")
}

/// What the workers of a result write, unless a cluster has it elsewhere.
pub(crate) fn log_path(result: &Path) -> PathBuf {
    let name = result.file_name().unwrap_or_default().to_string_lossy();
    let stage = result.parent().unwrap_or(Path::new(""));
    let of = stage.file_name().unwrap_or_default().to_string_lossy();
    stage.with_file_name("logs").join(format!("{of}-{name}.log"))
}

/// Where a result of the store can be followed while it is made: beside the stages, as logs are.
pub(crate) fn live_path(result: &Path) -> PathBuf {
    let name = result.file_name().unwrap_or_default().to_string_lossy();
    let stage = result.parent().unwrap_or(Path::new(""));
    let of = stage.file_name().unwrap_or_default().to_string_lossy();
    stage.with_file_name("live").join(format!("{of}-{name}"))
}

pub(crate) fn failed_path(path: &Path) -> PathBuf {
    with_suffix(path, ".failed")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attempt::Entry;
    use crate::sample::{artifact, node};

    fn publish(store: &Store, node: &Node) {
        let entry = Entry { path: store.path(node) };
        let lease = Lease::take(&entry.lease()).unwrap();
        fs::write(entry.open(&lease, false).unwrap().join("out.txt"), "hello").unwrap();
        entry.publish(&lease, artifact(node)).unwrap();
    }

    #[test]
    fn a_changed_file_is_found_and_set_aside() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::new(directory.path());
        let node = node();
        for expected in [".corrupt", ".corrupt-1"] {
            publish(&store, &node);
            assert_eq!(store.verify(&node).unwrap(), None);
            fs::write(store.path(&node).join("out.txt"), "hullo").unwrap();
            let difference = store.verify(&node).unwrap().unwrap();
            assert!(difference.contains("out.txt"), "{difference}");
            assert!(matches!(store.state(&node).unwrap(), State::Missing));
            assert!(with_suffix(&store.path(&node), expected).exists());
        }
    }

    #[test]
    fn what_a_kill_leaves_beside_a_result_goes_when_nobody_is_at_work() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::new(directory.path());
        let node = node();
        // An attempt without a result can be gone on with.
        let left = attempt::folder(&store.path(&node));
        fs::create_dir_all(&left).unwrap();
        store.sweep(&node);
        assert!(left.exists());
        publish(&store, &node);
        assert!(!left.exists());
        fs::create_dir_all(&left).unwrap();
        fs::write(left.join("t-0123.owner"), "").unwrap();
        let lease = Lease::take(&lease_path(&store.path(&node))).unwrap();
        store.sweep(&node);
        assert!(left.exists(), "somebody holds the lease");
        drop(lease);
        store.sweep(&node);
        assert!(!left.exists());
        assert!(matches!(store.state(&node).unwrap(), State::Done(_)));
    }

    #[test]
    fn a_damaged_record_is_found_and_set_aside() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::new(directory.path());
        let node = node();
        publish(&store, &node);
        fs::write(store.path(&node).join(".artifact.json"), "{").unwrap();
        assert!(matches!(store.state(&node).unwrap(), State::Missing));
        assert!(store.verify(&node).unwrap().unwrap().contains("record"));
        assert!(!store.path(&node).exists());
    }

    #[test]
    fn what_can_be_followed_lies_beside_the_stages() {
        let (store, node) = (Store::new("a/store"), node());
        let result = store.path(&node);
        let name = result.file_name().unwrap().to_str().unwrap();
        let live = format!("a/store/live/{}-{name}", node.stage);
        assert_eq!(store.live(&node), Path::new(&live));
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
