//! The worker's side: one task, one lease, one result.

use std::io::{BufRead, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::artifact::Artifact;
use crate::lease::{Lease, LeaseError};
use crate::protocol::{Failure, FailureKind, Message, Progress, Task};
use crate::store::Entry;

/// After the launcher is gone, a worker that has not stopped by itself is ended.
const ORPHAN_GRACE: Duration = Duration::from_secs(20);

/// How a worker ended; the launcher reads the same from its messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkerExit {
    /// The result is in the store.
    Done,
    /// There is no result.
    Failed,
    /// Asked to stop; can be resumed.
    Stopped,
    /// Another process is at work on the node.
    Busy,
}

/// What a stage gets to work with.
pub struct Context<'a> {
    /// The task.
    pub task: &'a Task,
    /// Where to write; becomes the result when the stage returns `Ok`.
    pub directory: &'a Path,
    stop: &'a AtomicBool,
}

impl Context<'_> {
    /// Folder of an input.
    ///
    /// # Errors
    /// When the task has no such input, which is a mistake of ours.
    pub fn input(&self, role: &str) -> Result<&Path, Failure> {
        self.task.inputs.get(role).map(PathBuf::as_path).ok_or_else(|| {
            Failure::new(
                FailureKind::Bug,
                format!("{} `{}` has no input `{role}`", self.task.stage, self.task.name),
            )
        })
    }

    /// Whether the stage was asked to stop: it should keep what can be resumed and return.
    pub fn stopping(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    /// Says how far the stage has come.
    pub fn progress(&self, done: u64, total: u64, message: impl Into<String>) {
        send(&Message::Progress(Progress { done, total, message: message.into() }));
    }
}

/// Reads a task from standard input, makes it with `work`, and publishes the result.
///
/// `work` returns `Ok(true)` when the result is complete and `Ok(false)` when it stopped
/// because it was asked to. `stop` is set by the caller's signal handlers, and here when the
/// launcher is gone.
pub fn serve(
    stop: &Arc<AtomicBool>,
    work: &dyn Fn(&Context<'_>) -> Result<bool, Failure>,
) -> WorkerExit {
    let task = match read_task() {
        Ok(task) => task,
        Err(message) => return fail(None, Failure::new(FailureKind::Bug, message)),
    };
    watch_launcher(Arc::clone(stop));
    let entry = Entry { path: task.output.clone() };
    let lease = match Lease::take(&entry.lease()) {
        Ok(lease) => lease,
        Err(LeaseError::Held(owner)) => {
            send(&Message::Busy { owner: format!("{}:{}", owner.host, owner.pid) });
            return WorkerExit::Busy;
        }
        Err(error) => return fail(None, Failure::new(FailureKind::Machine, error.to_string())),
    };
    if matches!(Artifact::read(&task.output), Ok(Some(artifact)) if artifact.key == task.key) {
        // Somebody else finished it between the launcher's look and our lease.
        send(&Message::Done { seconds: 0.0 });
        return WorkerExit::Done;
    }
    let exit = make(&task, &entry, stop, work);
    drop(lease);
    exit
}

fn make(
    task: &Task,
    entry: &Entry,
    stop: &AtomicBool,
    work: &dyn Fn(&Context<'_>) -> Result<bool, Failure>,
) -> WorkerExit {
    let directory = match entry.open_partial(task.resumable) {
        Ok(directory) => directory,
        Err(error) => {
            return fail(Some(entry), Failure::new(FailureKind::Machine, error.to_string()));
        }
    };
    let clock = Instant::now();
    let context = Context { task, directory: &directory, stop };
    match work(&context) {
        Ok(true) => {}
        Ok(false) => {
            send(&Message::Stopped);
            return WorkerExit::Stopped;
        }
        Err(failure) => return fail(Some(entry), failure),
    }
    let seconds = clock.elapsed().as_secs_f64();
    let artifact = Artifact {
        key: task.key.clone(),
        stage: task.stage.clone(),
        name: task.name.clone(),
        version: task.version,
        recipe: task.recipe.clone(),
        inputs: task.input_keys.clone(),
        files: Vec::new(),
        finished: jiff::Timestamp::now().to_string(),
        seconds,
        execution: task.execution.clone().into(),
    };
    match entry.publish(artifact) {
        Ok(_) => {
            send(&Message::Done { seconds });
            WorkerExit::Done
        }
        Err(error) => fail(Some(entry), Failure::new(FailureKind::Machine, error.to_string())),
    }
}

fn fail(entry: Option<&Entry>, failure: Failure) -> WorkerExit {
    if let Some(entry) = entry {
        // The launcher hears of it in any case; the record is for `status`.
        let _ = entry.record_failure(&failure);
    }
    send(&Message::Failed(failure));
    WorkerExit::Failed
}

fn read_task() -> Result<Task, String> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).map_err(|error| error.to_string())?;
    serde_json::from_str(&line).map_err(|error| format!("the task is not valid: {error}"))
}

/// One line on standard output. A launcher that is gone is noticed elsewhere.
fn send(message: &Message) {
    if let Ok(mut line) = serde_json::to_vec(message) {
        line.push(b'\n');
        let mut out = std::io::stdout().lock();
        let _ = out.write_all(&line).and_then(|()| out.flush());
    }
}

#[expect(clippy::exit, reason = "a worker that nobody waits for must not run on")]
fn watch_launcher(stop: Arc<AtomicBool>) {
    std::thread::spawn(move || {
        let mut rest = Vec::new();
        let _ = std::io::stdin().lock().read_to_end(&mut rest);
        stop.store(true, Ordering::SeqCst);
        std::thread::sleep(ORPHAN_GRACE);
        std::process::exit(75);
    });
}
