//! Workers that ended without a word: killed, or with their machine. What is left of one is its lease.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::attempt::write_failure;
use crate::cause::Cause;
use crate::lease::dead;
use crate::owner::Owner;
use crate::protocol::{Failure, FailureKind, Task};
use crate::store::{failed_path, lease_path, log_path};

/// Who was lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostWorker {
    /// Name of its machine.
    pub host: String,
    /// Its process id there.
    pub pid: u32,
    /// The task of a cluster that it was a start of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// How often the cluster had started that task before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u64>,
    /// What it wrote.
    pub log: PathBuf,
}

/// What becomes of a result whose worker was lost.
fn failure(owner: Owner, result: &Path) -> Failure {
    let (task, attempt, log) = match owner.claim {
        Some(claim) => (Some(claim.task), Some(claim.attempt), claim.log),
        None => (None, None, None),
    };
    let start = match (&task, attempt) {
        (Some(task), Some(before)) => format!(" (start {} of task {task})", before + 1),
        _ => String::new(),
    };
    let log = log.unwrap_or_else(|| log_path(result));
    let message = format!(
        "the worker, process {} on {}{start}, ended without a word: it or what started it was killed, \
         or its machine went down; its log is `{}`",
        owner.pid,
        owner.host,
        log.display()
    );
    let lost = LostWorker { host: owner.host, pid: owner.pid, task, attempt, log };
    let mut failure = Failure::new(FailureKind::Machine, message);
    failure.cause = Some(Cause::WorkerLost);
    failure.lost = Some(Box::new(lost));
    failure
}

/// Whether something was written down about a result since an owner last gave a sign of life: whoever
/// saw it end knows more. That another was lost before says nothing of this one.
fn is_told(result: &Path, owner: &Owner, last_sign: SystemTime) -> bool {
    let path = failed_path(result);
    let told = fs::metadata(&path).and_then(|about| about.modified());
    let of_another = || -> Option<bool> {
        let record: Failure = serde_json::from_slice(&fs::read(&path).ok()?).ok()?;
        let lost = record.lost?;
        Some((&lost.host, lost.pid) != (&owner.host, owner.pid))
    };
    told.is_ok_and(|told| told >= last_sign) && of_another() != Some(true)
}

/// What a lease says whose owner is known to be gone, and when that last gave a sign of life.
pub(crate) fn of_lease(result: &Path) -> Option<(Failure, SystemTime)> {
    let (owner, last_sign) = dead(&lease_path(result))?;
    (!is_told(result, &owner, last_sign)).then(|| (failure(owner, result), last_sign))
}

/// Writes down that a lease was taken over from an owner that was lost.
pub(crate) fn record(result: &Path, (owner, last_sign): (&Owner, SystemTime)) {
    if !is_told(result, owner, last_sign) {
        write_failure(result, &failure(owner.clone(), result));
    }
}

/// Writes down why a worker ended that said nothing itself, in the name of whoever started it; not
/// where there is a result, nor where another is at work.
pub fn record_end(task: &Task, failure: &Failure) {
    let alive = crate::lease::Lease::holder(&lease_path(&task.output)).is_some();
    if !alive && !task.is_done() {
        write_failure(&task.output, failure);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::attempt::Entry;
    use crate::lease::{Lease, Terms};
    use crate::owner::Claim;
    use crate::sample::{artifact, node};
    use crate::store::{State, Store};

    /// A store in which the worker of a node was lost.
    fn lost(claim: Option<Claim>) -> (tempfile::TempDir, Store, u32) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        let lease = store.lease(&node());
        fs::create_dir_all(lease.parent().unwrap()).unwrap();
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let owner = Owner { pid: child.id(), claim, ..Owner::current() };
        fs::write(&lease, serde_json::to_vec(&owner).unwrap()).unwrap();
        child.wait().unwrap();
        (folder, store, owner.pid)
    }

    fn state(store: &Store) -> Failure {
        match store.state(&node()).unwrap() {
            State::Failed(failure) => failure,
            state => panic!("{state:?}"),
        }
    }

    #[test]
    fn a_lost_worker_is_seen_before_anybody_takes_over() {
        let log = PathBuf::from("wave/logs/12_3.log");
        let claim = Claim { task: "1:12_3".into(), attempt: 1, log: Some(log.clone()) };
        let (_folder, store, pid) = lost(Some(claim));
        let failure = state(&store);
        assert_eq!(failure.cause(), Cause::WorkerLost);
        let host = Owner::current().host;
        let expect = LostWorker { host, pid, task: Some("1:12_3".into()), attempt: Some(1), log };
        assert_eq!(failure.lost.as_deref(), Some(&expect));
        assert!(failure.message.contains("start 2 of task 1:12_3"), "{}", failure.message);
        assert!(store.failed_at(&node()).is_some());
        // Nothing was written.
        assert!(!failed_path(&store.path(&node())).exists());
    }

    #[test]
    fn whoever_takes_over_writes_it_down_and_a_result_ends_it() {
        let (_folder, store, pid) = lost(None);
        let path = store.path(&node());
        let entry = Entry { path: path.clone() };
        let lease = Lease::take_on(&entry.lease(), &Terms::default()).unwrap();
        let (owner, at) = lease.replaced().unwrap();
        record(&path, (owner, *at));
        assert!(matches!(store.state(&node()).unwrap(), State::Running(_)));
        let written: Failure =
            serde_json::from_slice(&fs::read(failed_path(&path)).unwrap()).unwrap();
        let written = written.lost.unwrap();
        assert_eq!((written.pid, written.log), (pid, store.log(&node())));
        // Stopped: it stays on record.
        drop(lease);
        assert_eq!(state(&store).lost.unwrap().pid, pid);
        let lease = Lease::take(&entry.lease()).unwrap();
        assert!(lease.replaced().is_none());
        fs::write(entry.open(&lease, false).unwrap().join("out.txt"), "x").unwrap();
        entry.publish(&lease, artifact(&node())).unwrap();
        drop(lease);
        assert!(matches!(store.state(&node()).unwrap(), State::Done(_)));
        assert!(!failed_path(&path).exists());
    }

    #[test]
    fn what_was_seen_counts_more_than_what_is_left() {
        let (_folder, store, _) = lost(None);
        let path = store.path(&node());
        let seen = Failure {
            cause: Some(Cause::Killed),
            ..Failure::new(FailureKind::Machine, "killed by signal 9")
        };
        write_failure(&path, &seen);
        assert_eq!(state(&store).cause(), Cause::Killed);
        let lease = Lease::take(&store.lease(&node())).unwrap();
        let (owner, at) = lease.replaced().unwrap();
        record(&path, (owner, *at));
        drop(lease);
        assert_eq!(state(&store).cause(), Cause::Killed);
        // A record of before that worker began says nothing of its end.
        let (_folder, store, _) = lost(None);
        write_failure(&store.path(&node()), &seen);
        let file = fs::File::options().write(true).open(failed_path(&store.path(&node()))).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(60)).unwrap();
        assert_eq!(state(&store).cause(), Cause::WorkerLost);
    }
}
