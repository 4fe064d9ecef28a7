//! One task of an array.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::lease::{Holding, Watcher};
use crate::owner::Claim;
use crate::protocol::{Failure, FailureKind, Message, Task};
use crate::store::{lease_path, quarantine};
use crate::worker::{Say, Work, WorkerExit, perform};

/// Pause between two looks at what somebody else is at work on.
const PAUSE: Duration = Duration::from_secs(1);

/// How an item ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemExit {
    /// The result is in the store.
    Done,
    /// There is no result.
    Failed,
    /// Asked to stop; can be resumed.
    Stopped,
    /// A later start of the same task is at work.
    Lost,
    /// Something that it needs is not there.
    MissingInput,
}

/// Makes an item, whatever has happened before: looks for the result, verifies the inputs, waits for
/// whoever else is at work on it, and takes over from one who is gone.
pub fn make_item(
    task: &Task,
    claim: Option<&Claim>,
    stop: &AtomicBool,
    work: Work<'_>,
    say: Say<'_>,
) -> ItemExit {
    let mut task = task.clone();
    let mut watcher = Watcher::new();
    let mut verified = false;
    let mut told = false;
    loop {
        if task.is_done() {
            say(&Message::Done { seconds: 0.0 });
            return ItemExit::Done;
        }
        if !verified {
            if let Some(reason) = input_problem(&task) {
                say(&Message::Failed(Failure::new(FailureKind::Input, reason)));
                return ItemExit::MissingInput;
            }
            verified = true;
        }
        if stop.load(Ordering::SeqCst) {
            say(&Message::Stopped);
            return ItemExit::Stopped;
        }
        match perform(&task, claim.cloned(), stop, work, &|message| {
            // Waiting is told once.
            if !matches!(message, Message::Busy { superseded: false, .. }) {
                say(message);
            }
        }) {
            WorkerExit::Done => return ItemExit::Done,
            WorkerExit::Failed => return ItemExit::Failed,
            WorkerExit::Stopped => return ItemExit::Stopped,
            WorkerExit::Lost => return ItemExit::Lost,
            WorkerExit::Busy => {}
        }
        task.silent = None;
        let lease = lease_path(&task.output);
        while !task.is_done() && !stop.load(Ordering::SeqCst) {
            match watcher.look(&lease, Instant::now()) {
                Holding::Free => break,
                Holding::Silent(sign) => {
                    task.silent = Some(sign);
                    break;
                }
                Holding::Held(owner, _) => {
                    if !std::mem::replace(&mut told, true) {
                        let owner = format!("{}:{}", owner.host, owner.pid);
                        say(&Message::Busy { owner, superseded: false });
                    }
                    std::thread::sleep(PAUSE);
                }
            }
        }
    }
}

/// Why an item cannot be made with the inputs that are there. Damaged ones are set aside, so that the
/// next run makes them again.
fn input_problem(task: &Task) -> Option<String> {
    let again = "run the study again, which makes it";
    for (role, path) in &task.inputs {
        let path: &Path = path;
        match quarantine(path) {
            Ok(None) => {}
            Ok(Some(difference)) => {
                return Some(format!(
                    "its input `{role}` was damaged and is set aside: {difference} in `{}`; {again}",
                    path.display()
                ));
            }
            Err(error) => return Some(format!("its input `{role}` cannot be read: {error}")),
        }
    }
    let role = task.missing_input()?;
    let path = task.inputs.get(role).map(|path| path.display().to_string()).unwrap_or_default();
    Some(format!(
        "its input `{role}` is not there (`{path}`): what makes it failed, was cancelled or lost; \
         `ablate status` says which; {again}"
    ))
}
