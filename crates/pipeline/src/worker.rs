//! The worker's side: one task, one lease, one result.

use std::collections::BTreeMap;
use std::io::{BufRead, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::artifact::Artifact;
use crate::attempt::{Entry, PublishError};
use crate::graph::Key;
use crate::lease::{Lease, LeaseError, Terms};
use crate::lost;
use crate::owner::{Claim, Owner};
use crate::protocol::{Failure, FailureKind, Message, Progress, Task};
use crate::space;
use crate::store::{StoreError, valid_record};

/// After the launcher is gone, a worker that has not stopped by itself is ended.
const ORPHAN_GRACE: Duration = Duration::from_secs(20);

/// How often a worker looks whether its work was taken over.
const LOOK: Duration = Duration::from_millis(100);

/// Key of the name of the machine that made a result, in the execution of its record.
pub const HOST: &str = "host";

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
    /// Another process has taken the work over.
    Lost,
}

/// What a stage gets to work with.
pub struct Context<'a> {
    /// The task.
    pub task: &'a Task,
    /// Where to write; becomes the result when the stage returns `Ok`.
    pub directory: &'a Path,
    stop: &'a AtomicBool,
    say: Say<'a>,
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
        (self.say)(&Message::Progress(Progress { done, total, message: message.into() }));
    }
}

/// What a stage does: `Ok(true)` when the result is complete, `Ok(false)` when it stopped because it
/// was asked to.
pub type Work<'a> = &'a dyn Fn(&Context<'_>) -> Result<bool, Failure>;

/// Who hears how a worker gets on.
pub type Say<'a> = &'a (dyn Fn(&Message) + Sync);

/// Reads a task from standard input, makes it with `work`, publishes the result, and says on standard
/// output what becomes of it.
///
/// `stop` is set by the caller's signal handlers, and here when the launcher is gone.
pub fn serve(stop: &Arc<AtomicBool>, work: Work<'_>) -> WorkerExit {
    let task = match read_task() {
        Ok(task) => task,
        Err(message) => {
            send(&Message::Failed(Failure::new(FailureKind::Bug, message)));
            return WorkerExit::Failed;
        }
    };
    watch_launcher(Arc::clone(stop));
    perform(&task, None, stop, work, &send)
}

/// Makes a task: takes its lease, works, publishes the result. `claim` says which start of which task
/// of a cluster this process is; `say` hears how it goes.
pub fn perform(
    task: &Task,
    claim: Option<Claim>,
    stop: &AtomicBool,
    work: Work<'_>,
    say: Say<'_>,
) -> WorkerExit {
    let entry = Entry { path: task.output.clone() };
    let terms = Terms { claim, silent: task.silent.clone() };
    let fail = |failure| {
        say(&Message::Failed(failure));
        WorkerExit::Failed
    };
    let busy = |owner: &Owner, superseded| {
        say(&Message::Busy { owner: format!("{}:{}", owner.host, owner.pid), superseded });
        if superseded { WorkerExit::Lost } else { WorkerExit::Busy }
    };
    let lease = match Lease::take_on(&entry.lease(), &terms) {
        Ok(lease) => lease,
        Err(LeaseError::Held(owner)) => return busy(&owner, false),
        Err(LeaseError::Superseded(owner)) => return busy(&owner, true),
        Err(error) => return fail(Failure::new(FailureKind::Machine, error.to_string())),
    };
    if task.is_done() {
        // Somebody else finished it between the launcher's look and our lease.
        let _ = entry.close(&lease);
        say(&Message::Done { seconds: 0.0 });
        return WorkerExit::Done;
    }
    if let Some((owner, last_sign)) = lease.replaced() {
        lost::record(&entry.path, (owner, *last_sign));
    }
    // The end of the channel, by a panic too, is the end of the watch.
    let (at_work, over) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        // Dropped at the end of this closure, however it ends.
        let (at_work, lease) = (at_work, &lease);
        scope.spawn(move || end_when_lost(lease, &over, say));
        let exit = make(task, &entry, lease, (stop, work, say));
        drop(at_work);
        exit
    })
}

/// A worker whose work was taken over has nothing left to do, and must not go on writing.
#[expect(clippy::exit, reason = "the stage may be in the middle of anything")]
fn end_when_lost(lease: &Lease, over: &Receiver<()>, say: Say<'_>) {
    while over.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
        if lease.is_lost() {
            say(&Message::Lost);
            std::process::exit(75);
        }
    }
}

fn make(
    task: &Task,
    entry: &Entry,
    lease: &Lease,
    (stop, work, say): (&AtomicBool, Work<'_>, Say<'_>),
) -> WorkerExit {
    let fail = |failure: Failure| {
        if matches!(lease.is_held(), Ok(false)) {
            // What went wrong may be that everything was taken away.
            say(&Message::Lost);
            return WorkerExit::Lost;
        }
        entry.record_failure(lease, &failure);
        say(&Message::Failed(failure));
        WorkerExit::Failed
    };
    let machine = |error: StoreError| Failure::new(FailureKind::Machine, error.to_string());
    let directory = match entry.open(lease, task.resumable) {
        Ok(directory) => directory,
        Err(error) => return fail(machine(error)),
    };
    if let Some(failure) = space::shortage(task.disk, &directory, space::free_space) {
        return fail(failure);
    }
    let clock = Instant::now();
    let context = Context { task, directory: &directory, stop, say };
    match work(&context) {
        Ok(true) => {}
        Ok(false) => {
            say(&Message::Stopped);
            return WorkerExit::Stopped;
        }
        Err(failure) => return fail(failure),
    }
    let seconds = clock.elapsed().as_secs_f64();
    // Only the worker knows where it is.
    let mut execution = task.execution.clone();
    execution.insert(HOST.to_owned(), Owner::current().host.into());
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
        execution: execution.into(),
        accepted: rests_on(task),
    };
    match entry.publish(lease, artifact) {
        Ok(()) => {
            say(&Message::Done { seconds });
            WorkerExit::Done
        }
        Err(PublishError::Lost) => {
            say(&Message::Lost);
            WorkerExit::Lost
        }
        Err(PublishError::Store(error)) => fail(machine(error)),
    }
}

/// What a task was made of that stood for something else, itself or further back.
fn rests_on(task: &Task) -> BTreeMap<Key, Key> {
    let mut rests_on = BTreeMap::new();
    for (role, folder) in &task.inputs {
        let Ok(Some(input)) = valid_record(folder) else { continue };
        rests_on.extend(input.accepted);
        if let Some(wanted) = task.input_keys.get(role).filter(|wanted| **wanted != input.key) {
            rests_on.insert(wanted.clone(), input.key);
        }
    }
    rests_on
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

/// Watches standard input, which a launcher keeps open for as long as it lives: sets `stop` at its end,
/// and ends this process some time later.
#[expect(clippy::exit, reason = "a worker that nobody waits for must not run on")]
pub fn watch_launcher(stop: Arc<AtomicBool>) {
    std::thread::spawn(move || {
        let mut rest = Vec::new();
        let _ = std::io::stdin().lock().read_to_end(&mut rest);
        stop.store(true, Ordering::SeqCst);
        std::thread::sleep(ORPHAN_GRACE);
        std::process::exit(75);
    });
}
