//! Who is at work on a node.
//!
//! A lease is a file that can be created by one process only. Its owner rewrites it every few
//! seconds; a lease that was not rewritten for long, or whose process is gone from this
//! machine, is stale and may be taken over. A lease protects work, not results: publishing is
//! a rename, so even two owners could never mix their files in one result.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

/// How often the owner shows that it is alive.
const HEARTBEAT: Duration = Duration::from_secs(2);
/// Without a sign of life for this long, a lease of another machine is stale.
const STALE: Duration = Duration::from_secs(60);

/// A process that holds a lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// Name of its machine.
    pub host: String,
    /// Its process id.
    pub pid: u32,
    /// Start time of that process in clock ticks, so that a reused id is not taken for it.
    pub started: u64,
}

impl Owner {
    /// This process.
    pub fn current() -> Self {
        let pid = std::process::id();
        Self { host: host(), pid, started: start_time(pid).unwrap_or(0) }
    }

    /// Whether the process is known to be gone: it ran here and is no more.
    fn gone(&self) -> bool {
        self.host == host() && start_time(self.pid) != Some(self.started)
    }
}

/// Why a lease was not given.
#[derive(Debug, thiserror::Error)]
pub enum LeaseError {
    /// Somebody else is at work.
    #[error("process {} on {} is at work on it", .0.pid, .0.host)]
    Held(Owner),
    /// The disk said no.
    #[error("cannot write the lease `{}`: {source}", path.display())]
    Io {
        /// The lease.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
}

/// A lease that this process holds until it is dropped.
#[derive(Debug)]
pub struct Lease {
    path: PathBuf,
    released: Arc<AtomicBool>,
}

impl Lease {
    /// Takes a lease, also over from an owner that is gone.
    ///
    /// # Errors
    /// When somebody else holds it, or when it cannot be written.
    pub fn take(path: &Path) -> Result<Self, LeaseError> {
        let failed = |source| LeaseError::Io { path: path.to_owned(), source };
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(failed)?;
        }
        loop {
            match create(path) {
                Ok(()) => break,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    if let Some(owner) = Self::holder(path) {
                        return Err(LeaseError::Held(owner));
                    }
                    set_aside_stale(path).map_err(failed)?;
                }
                Err(error) => return Err(failed(error)),
            }
        }
        let released = Arc::new(AtomicBool::new(false));
        heartbeat(path.to_owned(), Arc::clone(&released));
        Ok(Self { path: path.to_owned(), released })
    }

    /// Who holds a lease; `None` when nobody does or the owner is gone.
    pub fn holder(path: &Path) -> Option<Owner> {
        let modified = fs::metadata(path).ok()?.modified().ok()?;
        let age = SystemTime::now().duration_since(modified).unwrap_or_default();
        // An empty file was just created and is not written yet.
        let owner: Owner = match serde_json::from_slice(&fs::read(path).ok()?) {
            Ok(owner) => owner,
            Err(_) if age < HEARTBEAT => Owner { host: "unknown".into(), pid: 0, started: 0 },
            Err(_) => return None,
        };
        (age < STALE && !owner.gone()).then_some(owner)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.released.store(true, Ordering::SeqCst);
        let _ = fs::remove_file(&self.path);
    }
}

fn create(path: &Path) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(&serde_json::to_vec(&Owner::current())?)?;
    file.sync_all()
}

/// Moves a stale lease away. Of several processes that try, one succeeds with the stale file;
/// another that catches a fresh one puts it back.
fn set_aside_stale(path: &Path) -> io::Result<()> {
    let aside = path.with_extension(format!("stale-{}", std::process::id()));
    match fs::rename(path, &aside) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    }
    if Lease::holder(&aside).is_some() {
        let _ = fs::hard_link(&aside, path);
    }
    fs::remove_file(&aside)
}

fn heartbeat(path: PathBuf, released: Arc<AtomicBool>) {
    std::thread::spawn(move || {
        let pause = Duration::from_millis(100);
        let mut waited = Duration::ZERO;
        while !released.load(Ordering::SeqCst) {
            std::thread::sleep(pause);
            waited += pause;
            if waited >= HEARTBEAT {
                waited = Duration::ZERO;
                // The time of the file is the sign of life; a lost lease is not recreated.
                if let Ok(file) = fs::OpenOptions::new().write(true).open(&path) {
                    let _ = file.set_modified(SystemTime::now());
                }
            }
        }
    });
}

fn host() -> String {
    let mut buffer = [0_u8; 256];
    // SAFETY: the buffer outlives the call and its length is passed along.
    let status = unsafe { libc::gethostname(buffer.as_mut_ptr().cast(), buffer.len() - 1) };
    if status != 0 {
        return "unknown".to_owned();
    }
    let end = buffer.iter().position(|&byte| byte == 0).unwrap_or(buffer.len());
    String::from_utf8_lossy(&buffer[..end]).into_owned()
}

/// Start time of a process, or `None` when there is none (or it is a zombie).
fn start_time(pid: u32) -> Option<u64> {
    #[cfg(target_os = "linux")]
    {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name in parentheses may hold spaces: count fields after it.
        let mut fields = stat[stat.rfind(')')? + 1..].split_whitespace();
        if fields.next()? == "Z" {
            return None;
        }
        fields.nth(18)?.parse().ok()
    }
    #[cfg(not(target_os = "linux"))]
    {
        let pid = i32::try_from(pid).ok()?;
        // SAFETY: signal 0 only asks whether the process exists.
        (unsafe { libc::kill(pid, 0) } == 0).then_some(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_owner_at_a_time() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.lease");
        let lease = Lease::take(&path).unwrap();
        let Err(LeaseError::Held(owner)) = Lease::take(&path) else { panic!("given twice") };
        assert_eq!(owner, Owner::current());
        drop(lease);
        assert!(Lease::holder(&path).is_none());
        Lease::take(&path).unwrap();
    }

    #[test]
    fn an_owner_that_is_gone_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.lease");
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let gone = Owner { pid: child.id(), ..Owner::current() };
        child.wait().unwrap();
        fs::write(&path, serde_json::to_vec(&gone).unwrap()).unwrap();
        assert!(Lease::holder(&path).is_none());
        Lease::take(&path).unwrap();
    }

    #[test]
    fn a_silent_owner_elsewhere_becomes_stale() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.lease");
        let away = Owner { host: "elsewhere".into(), pid: 1, started: 1 };
        fs::write(&path, serde_json::to_vec(&away).unwrap()).unwrap();
        assert_eq!(Lease::holder(&path), Some(away));
        let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
        file.set_modified(SystemTime::now() - 2 * STALE).unwrap();
        assert!(Lease::holder(&path).is_none());
    }

    #[test]
    fn many_takers_of_a_stale_lease_get_it_once() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.lease");
        fs::write(&path, "not a lease").unwrap();
        let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
        file.set_modified(SystemTime::now() - 2 * STALE).unwrap();
        let leases: Vec<_> = std::thread::scope(|scope| {
            let takers: Vec<_> = (0..8).map(|_| scope.spawn(|| Lease::take(&path).ok())).collect();
            takers.into_iter().map(|taker| taker.join().unwrap()).collect()
        });
        assert_eq!(leases.iter().flatten().count(), 1);
    }
}
