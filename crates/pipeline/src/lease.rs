//! The right to work on a node.
//!
//! A lease is a file that can be created by one process only (`O_EXCL`, which holds on NFS too). Its
//! first line says who that is; the second is a number that the owner raises every few seconds
//! through the file that it created. Whoever waits for the lease looks at that number: one that
//! does not change for [`SILENCE`] *by the waiter's own clock* belongs to an owner that is taken for
//! dead. Times of two machines are never compared, and nothing depends on `flock`.
//!
//! A stale lease is taken over by renaming it away, which succeeds for one process, and creating a
//! new one. An owner that was only slow finds another's token in its place: it is *fenced*, may
//! publish nothing and ends itself. Should it be too slow even for that, publishing is a rename that
//! succeeds once, out of a folder that was taken from it together with the lease.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};

use crate::owner::{Claim, Owner, token};

/// How often the owner shows that it is alive.
const HEARTBEAT: Duration = Duration::from_secs(2);
/// An owner on another machine that gives no sign of life for so long is taken for dead.
pub const SILENCE: Duration = Duration::from_secs(60);
/// An owner that was killed before it could write down who it is does not come back.
const UNWRITTEN: Duration = Duration::from_secs(5);

/// Why a lease was not given.
#[derive(Debug, thiserror::Error)]
pub enum LeaseError {
    /// Somebody else is at work.
    #[error("{0} is at work on it")]
    Held(Box<Owner>),
    /// A later start of the same task of a cluster is at work: this one is no longer wanted.
    #[error("{0}, a later start of the same task, is at work on it")]
    Superseded(Box<Owner>),
    /// The disk said no.
    #[error("cannot write the lease `{}`: {source}", path.display())]
    Io {
        /// The lease.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
}

/// A lease as it was seen at one moment. Equal signs at different times are no sign of life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sign {
    pub(crate) owner: Owner,
    beat: u64,
}

/// What is known of the owner that a lease was taken over from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Before {
    /// There was none, or it is certainly gone.
    Nobody,
    /// It may still be alive somewhere, and may even write.
    Somebody,
}

/// With what right a lease is asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Terms {
    /// What this process is a start of.
    pub(crate) claim: Option<Claim>,
    /// An owner that was watched for long enough without a sign of life.
    pub(crate) silent: Option<Sign>,
}

/// A lease that this process holds until it is dropped.
#[derive(Debug)]
pub struct Lease {
    path: PathBuf,
    token: String,
    before: Before,
    /// The owner that was gone or silent, and when it last gave a sign of life by the store's clock.
    replaced: Option<(Owner, SystemTime)>,
    released: Arc<AtomicBool>,
    lost: Arc<AtomicBool>,
}

impl Lease {
    /// Takes a lease, also over from an owner that is gone.
    ///
    /// # Errors
    /// When somebody else holds it, or when it cannot be written.
    pub fn take(path: &Path) -> Result<Self, LeaseError> {
        Self::take_on(path, &Terms::default())
    }

    /// Takes a lease when its owner has given it back, is gone, or was silent for [`SILENCE`].
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn wait(path: &Path) -> Result<Self, LeaseError> {
        let mut watcher = Watcher::new();
        let mut terms = Terms::default();
        loop {
            match Self::take_on(path, &terms) {
                Err(LeaseError::Held(_)) => {}
                taken => return taken,
            }
            terms.silent = match watcher.look(path, Instant::now()) {
                Holding::Silent(sign) => Some(sign),
                _ => None,
            };
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    pub(crate) fn take_on(path: &Path, terms: &Terms) -> Result<Self, LeaseError> {
        let failed = |source| LeaseError::Io { path: path.to_owned(), source };
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(failed)?;
        }
        let owner = Owner { claim: terms.claim.clone(), ..Owner::current() };
        let (mut before, mut replaced) = (Before::Nobody, None);
        let (file, offset) = loop {
            match create(path, &owner) {
                Ok(created) => break created,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    let Some(sign) = look(path).map_err(failed)? else { continue };
                    let silent = terms.silent.as_ref() == Some(&sign);
                    if !sign.owner.gone() {
                        terms.allow(&sign)?;
                        before = Before::Somebody;
                    }
                    // One that was only replaced by a later start may be well.
                    if (before == Before::Nobody || silent) && sign.owner.pid != 0 {
                        replaced = last_sign(path).map(|at| (sign.owner.clone(), at));
                    }
                    set_aside(path, &sign.owner.token).map_err(failed)?;
                }
                Err(error) => return Err(failed(error)),
            }
        };
        let lease = Self {
            path: path.to_owned(),
            token: owner.token,
            before,
            replaced,
            released: Arc::default(),
            lost: Arc::default(),
        };
        lease.keep_alive(file, offset);
        Ok(lease)
    }

    /// Who holds a lease; `None` when nobody does or the owner is known to be gone. Whether an owner
    /// on another machine is alive takes a [`Watcher`] to tell.
    pub fn holder(path: &Path) -> Option<Owner> {
        match look(path) {
            Ok(sign) => sign.map(|sign| sign.owner).filter(|owner| !owner.gone()),
            // What cannot be read may be anybody's.
            Err(_) => Some(Owner::unknown()),
        }
    }

    /// A name that no other lease has ever had.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// The owner that was lost before this one, and when it last gave a sign of life.
    pub(crate) fn replaced(&self) -> Option<&(Owner, SystemTime)> {
        self.replaced.as_ref()
    }

    pub(crate) fn before(&self) -> Before {
        self.before
    }

    /// Whether another process is known to have taken the lease over.
    pub(crate) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::SeqCst)
    }

    /// Looks whether the lease is still this process's own.
    ///
    /// # Errors
    /// When the disk does not say.
    pub(crate) fn is_held(&self) -> io::Result<bool> {
        holds(&self.path, &self.token)
    }

    /// Raises the number in the lease until it is released or lost.
    fn keep_alive(&self, file: File, offset: u64) {
        let (path, token) = (self.path.clone(), self.token.clone());
        let (released, lost) = (Arc::clone(&self.released), Arc::clone(&self.lost));
        std::thread::spawn(move || {
            let pause = Duration::from_millis(100);
            let mut waited = Duration::ZERO;
            let mut beat = 0;
            while !released.load(Ordering::SeqCst) {
                std::thread::sleep(pause);
                waited += pause;
                if waited < HEARTBEAT {
                    continue;
                }
                waited = Duration::ZERO;
                beat += 1;
                // Into the file that was created, wherever it is by now: never into another's.
                let _ = file.write_all_at(number(beat).as_bytes(), offset);
                let _ = file.sync_data();
                // A disk that does not answer is no proof of anything.
                if let Ok(false) = holds(&path, &token)
                    && !released.load(Ordering::SeqCst)
                {
                    lost.store(true, Ordering::SeqCst);
                    return;
                }
            }
        });
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.released.store(true, Ordering::SeqCst);
        let _ = set_aside(&self.path, &self.token);
    }
}

impl Terms {
    /// Whether the holder may be replaced although it is not known to be gone.
    fn allow(&self, sign: &Sign) -> Result<(), LeaseError> {
        if self.silent.as_ref() == Some(sign) {
            return Ok(());
        }
        if let (Some(ours), Some(theirs)) = (&self.claim, &sign.owner.claim)
            && ours.task == theirs.task
        {
            if ours.attempt > theirs.attempt {
                return Ok(());
            }
            return Err(LeaseError::Superseded(Box::new(sign.owner.clone())));
        }
        Err(LeaseError::Held(Box::new(sign.owner.clone())))
    }
}

/// Watches leases of others over time.
#[derive(Debug, Default)]
pub struct Watcher {
    seen: BTreeMap<PathBuf, (Sign, Instant)>,
}

/// What a watcher knows of a lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holding {
    /// Nobody holds it, or nobody who is still there.
    Free,
    /// Somebody does, who was last heard of so long ago.
    Held(Owner, Duration),
    /// The owner has been silent for so long that it may be replaced.
    Silent(Sign),
}

impl Watcher {
    /// Nothing was seen yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Looks at a lease. `now` is the watcher's own clock.
    pub fn look(&mut self, path: &Path, now: Instant) -> Holding {
        let sign = match look(path) {
            Ok(sign) => sign.filter(|sign| !sign.owner.gone()),
            // What cannot be read cannot be taken either.
            Err(_) => return Holding::Held(Owner::unknown(), Duration::ZERO),
        };
        let Some(sign) = sign else {
            self.seen.remove(path);
            return Holding::Free;
        };
        let since = match self.seen.get(path) {
            Some((before, since)) if *before == sign => *since,
            _ => {
                self.seen.insert(path.to_owned(), (sign.clone(), now));
                now
            }
        };
        let silent = now.saturating_duration_since(since);
        let limit = if sign.owner.pid == 0 { UNWRITTEN } else { SILENCE };
        if silent >= limit { Holding::Silent(sign) } else { Holding::Held(sign.owner, silent) }
    }
}

/// Twenty digits, so that a number is overwritten by the next in one write.
fn number(beat: u64) -> String {
    format!("{beat:020}\n")
}

/// Creates the lease; returns the file and where its number stands.
fn create(path: &Path, owner: &Owner) -> io::Result<(File, u64)> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).open(path)?;
    let mut text = serde_json::to_vec(owner)?;
    text.push(b'\n');
    let offset = text.len() as u64;
    text.extend(number(0).as_bytes());
    let written = file.write_all(&text).and_then(|()| file.sync_all());
    if let Err(error) = written {
        let _ = fs::remove_file(path);
        return Err(error);
    }
    Ok((file, offset))
}

/// What stands in a lease now. One that was just created may be empty: its owner is unknown.
fn look(path: &Path) -> io::Result<Option<Sign>> {
    let bytes = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        bytes => bytes?,
    };
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let owner = lines.next().and_then(|line| serde_json::from_slice(line).ok());
    let beat = lines.next().and_then(|line| std::str::from_utf8(line).ok()?.parse().ok());
    Ok(Some(Sign { owner: owner.unwrap_or_else(Owner::unknown), beat: beat.unwrap_or(0) }))
}

/// When the owner of a lease last wrote into it.
fn last_sign(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|about| about.modified()).ok()
}

/// The owner of a lease that is known to be gone, and when it last gave a sign of life.
pub(crate) fn dead(path: &Path) -> Option<(Owner, SystemTime)> {
    let sign = look(path).ok()??;
    sign.owner.gone().then(|| Some((sign.owner, last_sign(path)?)))?
}

/// Takes away the lease of a process that was ended on purpose: nobody is to wonder what became of it.
pub(crate) fn forget(path: &Path, pid: u32) {
    if let Ok(Some(sign)) = look(path)
        && sign.owner.pid == pid
        && sign.owner.gone()
    {
        let _ = set_aside(path, &sign.owner.token);
    }
}

/// What is not there any more is removed already.
fn gone(removed: io::Result<()>) -> io::Result<()> {
    removed.or_else(
        |error| {
            if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
        },
    )
}

/// Whether the lease has this token.
fn holds(path: &Path, token: &str) -> io::Result<bool> {
    Ok(look(path)?.is_some_and(|sign| sign.owner.token == token))
}

/// Removes a lease that has this token. Of several processes that try, one succeeds; one that
/// catches another's lease puts it back, and should there be a third by then, the second is fenced.
fn set_aside(path: &Path, wanted: &str) -> io::Result<()> {
    if look(path)?.is_none_or(|sign| sign.owner.token != wanted) {
        return Ok(());
    }
    let aside = path.with_extension(format!("stale-{}", token()));
    match fs::rename(path, &aside) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    }
    if look(&aside).is_ok_and(|sign| sign.is_some_and(|sign| sign.owner.token != wanted)) {
        let _ = fs::hard_link(&aside, path);
    }
    gone(fs::remove_file(&aside))
}

#[cfg(test)]
mod tests;
