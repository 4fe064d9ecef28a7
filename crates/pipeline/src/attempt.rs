//! What a worker writes before it is a result.
//!
//! ```text
//! <result>.partial/t-<token>/         the attempt of the lease with this token
//! <result>.partial/t-<token>.owner    says that the attempt is whole enough to go on from
//! <result>.partial/t-<token>.from/    one that is being copied (see below)
//! ```
//!
//! Every lease has a folder of its own, so that two workers that both believe to be at work never
//! write into the same files. Whoever takes over what can be resumed renames it: writes of the one
//! before then fail. Where that one may still be alive the files themselves are copied as well, for
//! it may have some of them open.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::artifact::{Artifact, inventory};
use crate::durable::{remove_unfinished, sync_directory, sync_tree, write_atomic};
use crate::lease::{Before, Lease};
use crate::protocol::Failure;
use crate::store::{
    StoreError, attempt, failed_path, lease_path, set_aside, valid_record, with_suffix,
};

/// Why there is no result although it was made.
#[derive(Debug)]
pub(crate) enum PublishError {
    /// Another process has taken over; what it makes counts.
    Lost,
    /// The disk said no.
    Store(StoreError),
}

impl From<StoreError> for PublishError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// The places of one node, as a worker sees them.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) path: PathBuf,
}

/// Where the attempts at a result lie.
pub(crate) fn folder(result: &Path) -> PathBuf {
    with_suffix(result, ".partial")
}

/// The newest attempt at a result, or where attempts would lie.
pub(crate) fn current(result: &Path) -> PathBuf {
    let folder = folder(result);
    match attempts(&folder) {
        Ok(found) => found.into_iter().next().unwrap_or(folder),
        Err(_) => folder,
    }
}

/// Attempts that can be gone on from: those that are in place before those that were being copied,
/// newest first.
fn attempts(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        let path = entry.path();
        let name = entry.file_name();
        if name.to_string_lossy().starts_with("t-") && marker(&path).exists() && path.is_dir() {
            let copied = path.extension().is_some_and(|end| end == "from");
            let changed = entry.metadata().and_then(|metadata| metadata.modified());
            found.push((!copied, changed.unwrap_or(SystemTime::UNIX_EPOCH), path));
        }
    }
    found.sort();
    Ok(found.into_iter().rev().map(|(_, _, path)| path).collect())
}

fn marker(attempt: &Path) -> PathBuf {
    with_suffix(attempt, ".owner")
}

impl Entry {
    pub(crate) fn lease(&self) -> PathBuf {
        lease_path(&self.path)
    }

    /// Folder of the attempt of a lease.
    pub(crate) fn own(&self, lease: &Lease) -> PathBuf {
        folder(&self.path).join(format!("t-{}", lease.token()))
    }

    /// Makes the folder of an attempt, empty unless the stage can resume.
    pub(crate) fn open(&self, lease: &Lease, resumable: bool) -> Result<PathBuf, StoreError> {
        let (folder, own) = (folder(&self.path), self.own(lease));
        self.adopt_old_layout()?;
        attempt("create", &folder, fs::create_dir_all(&folder))?;
        let found = match resumable {
            true => attempt("read", &folder, attempts(&folder))?.into_iter().next(),
            false => None,
        };
        attempt("write into", &folder, fs::write(marker(&own), b""))?;
        match found {
            Some(found) => attempt("take over", &found, adopt(&found, &own, lease.before()))?,
            None => attempt("create", &own, fs::create_dir_all(&own))?,
        }
        attempt("clear", &folder, remove_others(&folder, &own))?;
        attempt("clear", &own, remove_unfinished(&own))?;
        Ok(own)
    }

    /// Programs before this one wrote into the folder of attempts itself.
    fn adopt_old_layout(&self) -> Result<(), StoreError> {
        let folder = folder(&self.path);
        let Ok(entries) = fs::read_dir(&folder) else { return Ok(()) };
        let old = |entry: fs::DirEntry| !entry.file_name().to_string_lossy().starts_with("t-");
        if !entries.flatten().any(old) {
            return Ok(());
        }
        let aside = with_suffix(&folder, "-old");
        let inside = folder.join("t-old");
        attempt("take over", &folder, fs::rename(&folder, &aside))?;
        attempt("create", &folder, fs::create_dir(&folder))?;
        attempt("write into", &folder, fs::write(marker(&inside), b""))?;
        attempt("take over", &aside, fs::rename(&aside, &inside))
    }

    /// Turns the attempt into a finished result: record, sync, rename, in this order, and only while
    /// the lease is this process's own. However many processes get here, one result is published.
    pub(crate) fn publish(
        &self,
        lease: &Lease,
        mut artifact: Artifact,
    ) -> Result<(), PublishError> {
        let own = self.own(lease);
        if !attempt("read the lease of", &self.path, lease.is_held())? {
            return Err(PublishError::Lost);
        }
        artifact.files = attempt("read", &own, inventory(&own))?;
        attempt("sync", &own, sync_tree(&own))?;
        attempt("write the record of", &own, artifact.write(&own))?;
        for _ in 0..2 {
            if !attempt("read the lease of", &self.path, lease.is_held())? {
                return Err(PublishError::Lost);
            }
            let Err(error) = fs::rename(&own, &self.path) else { return self.finish(lease) };
            // Somebody was faster, and what it made is the same; or this was done and the answer got
            // lost, as on NFS.
            let there = attempt("read", &self.path, valid_record(&self.path))?;
            if there.is_some_and(|there| there.key == artifact.key) {
                return self.finish(lease);
            }
            // Taken away together with the lease.
            if error.kind() == io::ErrorKind::NotFound {
                return Err(PublishError::Lost);
            }
            if !self.path.exists() {
                return Ok(attempt("publish", &self.path, Err(error))?);
            }
            // A folder without a valid record: an interrupted copy, not a result.
            set_aside(&self.path)?;
        }
        Err(PublishError::Lost)
    }

    /// The result is there: for good.
    fn finish(&self, lease: &Lease) -> Result<(), PublishError> {
        if let Some(stage) = self.path.parent() {
            attempt("sync", stage, sync_directory(stage))?;
        }
        Ok(self.close(lease)?)
    }

    /// Removes all attempts and why they failed, for there is a result.
    pub(crate) fn close(&self, lease: &Lease) -> Result<(), StoreError> {
        let folder = folder(&self.path);
        let own = self.own(lease);
        let _ = fs::remove_file(marker(&own));
        let _ = fs::remove_file(failed_path(&self.path));
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            // One that has lost its lease and does not know it yet may still write: what it leaves
            // is removed by `gc`.
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(()),
            removed => attempt("clear", &folder, removed),
        }
    }

    /// Writes down why there is no result, for `status`; not in the name of another.
    pub(crate) fn record_failure(&self, lease: &Lease, failure: &Failure) {
        if matches!(lease.is_held(), Ok(true)) {
            write_failure(&self.path, failure);
        }
    }
}

/// Writes down why there is no result.
pub(crate) fn write_failure(result: &Path, failure: &Failure) {
    let bytes = serde_json::to_vec_pretty(failure).unwrap_or_default();
    // The launcher hears of it in any case; a full disk may have no room even for this.
    let _ = write_atomic(&failed_path(result), &bytes);
}

/// Makes another's attempt one's own.
fn adopt(found: &Path, own: &Path, before: Before) -> io::Result<()> {
    let copied = found.extension().is_some_and(|end| end == "from");
    if before == Before::Nobody && !copied {
        fs::rename(found, own)?;
        return remove_file(&marker(found));
    }
    // A stable name first, so that nothing appears or goes away while it is copied.
    let from = with_suffix(own, ".from");
    fs::write(marker(&from), b"")?;
    fs::rename(found, &from)?;
    remove_file(&marker(found))?;
    let new = with_suffix(own, ".new");
    copy_tree(&from, &new)?;
    fs::rename(&new, own)?;
    remove_file(&marker(&from))?;
    fs::remove_dir_all(&from)
}

fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        let copied = match entry.file_type()?.is_dir() {
            true => copy_tree(&path, &target),
            false => fs::copy(&path, &target).map(|_| ()),
        };
        match copied {
            // A file that its writer has just renamed: a temporary one.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            copied => copied?,
        }
    }
    Ok(())
}

/// Removes everything but one attempt and its marker.
fn remove_others(folder: &Path, own: &Path) -> io::Result<()> {
    let keep = [own.to_owned(), marker(own)];
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if keep.contains(&path) {
            continue;
        }
        let removed =
            if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        // Somebody who has lost its lease may still write there: that is nobody's business.
        let _ = removed;
    }
    Ok(())
}

fn remove_file(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

#[cfg(test)]
mod tests;
