//! `ablate work`: one task, made in this process. Every launcher starts this: the local one hands the
//! task over on standard input, a cluster names an item of a wave.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ablate_model::use_threads;
use ablate_pipeline::{
    Claim, ItemExit, LOGS, Message, Slurm, SlurmError, Task, WorkerExit, drain, make_item,
    read_item, read_items, record_end, serve, unexpected_end, watch_launcher,
};
use jiff::ZonedDateTime;

use super::{print, say};
use crate::cli::WorkArgs;
use crate::environment;
use crate::exit::{CommandError, CommandResult, Exit};
use crate::stages;

/// Between two lines of progress in a log.
const PAUSE: Duration = Duration::from_secs(5);
/// Starts of a task that can keep nothing when it is told to make room.
const FUTILE_STARTS: u64 = 2;

pub fn run(args: &WorkArgs) -> CommandResult {
    let signals = Signals::listen()?;
    if args.watched {
        watch_launcher(Arc::clone(&signals.stop));
    }
    let Some(manifest) = &args.manifest else {
        use_cores(args.threads)?;
        return Ok(match serve(&signals.stop, &stages::work) {
            WorkerExit::Done => Exit::Ok,
            WorkerExit::Failed => Exit::FailedVariants,
            WorkerExit::Stopped | WorkerExit::Busy | WorkerExit::Lost => Exit::Busy,
        });
    };
    let start = Start::current(manifest, args);
    if args.drain {
        return drain_all(manifest, args, &start, &signals);
    }
    let Some(index) = args.item else {
        return Err(CommandError::usage(format!(
            "which item of `{}`? `--item N` names one, `--drain` takes them all",
            manifest.display()
        )));
    };
    use_cores(args.threads)?;
    let task = read_item(manifest, index).map_err(|error| unreadable(manifest, &error))?;
    one(&task, &start, &signals)
}

fn unreadable(manifest: &Path, error: &std::io::Error) -> CommandError {
    CommandError::usage(format!("`{}`: {error}", manifest.display()))
}

fn use_cores(threads: usize) -> Result<(), CommandError> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads.max(1))
        .build_global()
        .map_err(CommandError::machine)?;
    use_threads(threads.max(1));
    Ok(())
}

/// What the process was told.
struct Signals {
    /// Keep what can be resumed and end.
    stop: Arc<AtomicBool>,
    /// A cluster says that time is nearly up (USR1): whatever is kept should be gone on from.
    time_is_up: Arc<AtomicBool>,
}

impl Signals {
    fn listen() -> Result<Self, CommandError> {
        use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR1};
        let signals = Self { stop: Arc::default(), time_is_up: Arc::default() };
        let register = |signal, flag: &Arc<AtomicBool>| {
            signal_hook::flag::register(signal, Arc::clone(flag)).map_err(CommandError::machine)
        };
        // In this order: whoever sees the stop sees its reason as well.
        register(SIGUSR1, &signals.time_is_up)?;
        for signal in [SIGUSR1, SIGTERM, SIGINT] {
            register(signal, &signals.stop)?;
        }
        Ok(signals)
    }
}

/// Which start of which task of a cluster this is.
struct Start {
    /// `JOB_INDEX`; none where no cluster has started it.
    task: Option<String>,
    /// How often it was started before.
    attempt: u64,
    claim: Option<Claim>,
    requeues: u64,
    limit: Duration,
}

impl Start {
    fn current(manifest: &Path, args: &WorkArgs) -> Self {
        // The raw id of the last task of an array is that of the whole array.
        let task = environment::read("SLURM_ARRAY_JOB_ID")
            .zip(environment::read("SLURM_ARRAY_TASK_ID"))
            .map(|(job, index)| format!("{job}_{index}"))
            .or_else(|| environment::read("SLURM_JOB_ID"));
        // Not set the first time.
        let attempt =
            environment::read("SLURM_RESTART_COUNT").and_then(|n| n.parse().ok()).unwrap_or(0);
        // Slurm may give an id out twice; a submission is there once.
        let submission = manifest.ancestors().nth(2).and_then(Path::file_name).unwrap_or_default();
        let name = |task: &String| format!("{}:{task}", submission.to_string_lossy());
        let wave = manifest.parent().unwrap_or(Path::new(""));
        let log = task.as_ref().map(|task| wave.join(LOGS).join(format!("{task}.log")));
        let log = log.filter(|log| log.exists());
        let claim = task.as_ref().map(|task| Claim { task: name(task), attempt, log });
        let limit = Duration::from_secs(args.timeout.max(1));
        Self { task, attempt, claim, requeues: args.requeues, limit }
    }

    /// At a time limit Slurm starts nothing again by itself.
    fn again(&self, advanced: bool) {
        let Some(task) = &self.task else { return };
        if self.attempt >= self.requeues {
            return say(&format!(
                "started {} times, which is all that `cluster.requeues` allows; the next \
                 `ablate run` goes on from here",
                self.attempt + 1
            ));
        }
        if !advanced && self.attempt >= FUTILE_STARTS {
            return say(
                "it got no further than the last time, so it is not started again: give it more \
                 time (`--time`, `cluster.stage.<stage>.time`)",
            );
        }
        say(&format!("time is nearly up: asking Slurm to start task {task} again"));
        match Slurm::new(self.limit).requeue(task) {
            // The answer may not come: what is started again is ended first, this process and all.
            Ok(()) | Err(SlurmError::Ended { .. }) => {}
            Err(error) => say(&format!("{error}; the next `ablate run` goes on from here")),
        }
    }
}

fn log(text: &str) {
    let time = ZonedDateTime::now();
    // Nobody is left to be told when standard output is gone.
    let _ = print(&format!("[{}] {text}\n", time.strftime("%Y-%m-%d %H:%M:%S")));
}

/// Makes one item of a wave.
fn one(task: &Task, start: &Start, signals: &Signals) -> CommandResult {
    let name = format!("{} {}", task.stage, task.name);
    if start.attempt > 0 {
        log(&format!("{name}: start {}", start.attempt + 1));
    }
    // First and last of the units that were done, and when that was last told.
    let seen: Mutex<(Option<u64>, u64, Option<Instant>)> = Mutex::default();
    let hear = |message: &Message| match message {
        Message::Progress(progress) => {
            let Ok(mut seen) = seen.lock() else { return };
            seen.0.get_or_insert(progress.done);
            seen.1 = progress.done;
            if seen.2.is_none_or(|told| told.elapsed() >= PAUSE) {
                seen.2 = Some(Instant::now());
                let of = match progress.total {
                    0 => String::new(),
                    total => format!("{}/{total} ", progress.done),
                };
                log(&format!("{name}: {of}{}", progress.message));
            }
        }
        Message::Done { seconds } if *seconds == 0.0 => log(&format!("{name} is there")),
        Message::Done { seconds } => {
            log(&format!("done {name} in {}", ablate_report::duration(*seconds)));
        }
        Message::Failed(failure) => log(&format!("failed: {name}: {}", failure.message)),
        Message::Stopped => log(&format!("stopped {name}; what can be resumed is kept")),
        Message::Lost => log(&format!("{name}: another process has taken it over")),
        Message::Busy { owner, superseded: true } => {
            log(&format!("{name}: {owner}, a later start of this task, is at work on it"));
        }
        Message::Busy { owner, .. } => log(&format!("{name} waits for {owner}")),
    };
    let exit = make_item(task, start.claim.as_ref(), &signals.stop, &stages::work, &hear);
    if exit == ItemExit::Stopped && signals.time_is_up.load(Ordering::SeqCst) {
        let advanced = seen.lock().is_ok_and(|seen| seen.0.is_some_and(|first| seen.1 > first));
        start.again(task.resumable && advanced);
    }
    Ok(exit_code(exit))
}

fn exit_code(exit: ItemExit) -> Exit {
    match exit {
        ItemExit::Done => Exit::Ok,
        ItemExit::Failed => Exit::FailedVariants,
        ItemExit::Stopped | ItemExit::Lost => Exit::Busy,
        ItemExit::MissingInput => Exit::NoInput,
    }
}

/// Takes whatever is next until nothing is left, each item in a process of its own: one that dies
/// costs itself.
fn drain_all(manifest: &Path, args: &WorkArgs, start: &Start, signals: &Signals) -> CommandResult {
    let tasks = read_items(manifest).map_err(|error| unreadable(manifest, &error))?;
    let program = std::env::current_exe().map_err(CommandError::machine)?;
    let index = environment::read("SLURM_ARRAY_TASK_ID").and_then(|index| index.parse().ok());
    let stop = || signals.stop.load(Ordering::SeqCst);
    let mut made = 0;
    let mut make = |index: usize| {
        let exit = child(&program, manifest, args, index).map(|child| wait(child, &stop));
        let exit = exit.unwrap_or_else(|error| {
            say(&format!("cannot start `{}`: {error}", program.display()));
            Ok(ItemExit::Failed)
        });
        let exit = exit.unwrap_or_else(|status| {
            let place = start.claim.as_ref().and_then(|claim| claim.log.as_deref());
            let (task, failure) = (&tasks[index], unexpected_end(status, place, 0));
            log(&format!("failed: {} {}: {}", task.stage, task.name, failure.message));
            record_end(task, &failure);
            ItemExit::Failed
        });
        made += usize::from(exit == ItemExit::Done);
        exit
    };
    let drained = drain(&tasks, index.unwrap_or(0), &stop, &mut make);
    log(&format!(
        "made {made} items; of {} there are {}, {} failed, {} need what is not there",
        tasks.len(),
        drained.done,
        drained.failed.len(),
        drained.blocked.len()
    ));
    if drained.stopped {
        if signals.time_is_up.load(Ordering::SeqCst) {
            start.again(true);
        }
        return Ok(Exit::Busy);
    }
    let whole = drained.failed.is_empty() && drained.blocked.is_empty();
    Ok(if whole { Exit::Ok } else { Exit::FailedVariants })
}

fn child(
    program: &PathBuf,
    manifest: &Path,
    args: &WorkArgs,
    index: usize,
) -> std::io::Result<Child> {
    let mut command = Command::new(program);
    command.arg("work").arg(manifest).arg("--item").arg(index.to_string()).arg("--watched");
    command.arg("--threads").arg(args.threads.to_string());
    // The pipe is held for as long as this process lives: its end stops the child.
    command.stdin(Stdio::piped()).spawn()
}

/// How a child ended, or the status of one that did not say.
fn wait(
    mut child: Child,
    stop: &dyn Fn() -> bool,
) -> Result<ItemExit, std::io::Result<ExitStatus>> {
    let mut told = false;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => {
                return match status.code() {
                    Some(0) => Ok(ItemExit::Done),
                    Some(1 | 2) => Ok(ItemExit::Failed),
                    Some(66) => Ok(ItemExit::MissingInput),
                    Some(75) if told => Ok(ItemExit::Stopped),
                    Some(75) => Ok(ItemExit::Lost),
                    // What ends everybody at once is no failure of this item.
                    _ if stop() => Ok(ItemExit::Stopped),
                    _ => Err(Ok(status)),
                };
            }
            Ok(None) => {}
            Err(error) => return Err(Err(error)),
        }
        if stop()
            && !std::mem::replace(&mut told, true)
            && let Ok(pid) = i32::try_from(child.id())
        {
            // SAFETY: the child was not waited for yet, so its id is still its own.
            unsafe { libc::kill(pid, libc::SIGTERM) };
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
