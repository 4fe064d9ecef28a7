//! Studies on a cluster: how `run` hands one over, and what Slurm says of it.

mod queue;

pub use queue::{Seen, live_jobs, look};

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ablate_model::Backend;
use ablate_pipeline::{
    Launcher, NodeId, QueuedTask, Settings, Slurm, State, Store, Submission, shell_word, submit,
    survey,
};
use serde::Deserialize;

use super::{report, say};
use crate::cli::{ClusterArgs, LauncherKind, RunArgs};
use crate::exit::{CommandError, CommandResult, Exit};
use crate::graph::StudyGraph;
use crate::root::Root;
use crate::stages::{BACKEND, WITH_TENSORS, train};
use crate::study::LoadedStudy;

/// Key of how many threads a stage keeps busy, in a node's execution.
const THREADS: &str = "threads";
/// Pauses between looks at the queue while somebody waits.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(15));

/// An execution file.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Execution {
    cluster: Settings,
}

/// What the cluster is asked for: the execution file, and the command line over it.
fn settings(args: &ClusterArgs) -> Result<Settings, CommandError> {
    let mut settings = match &args.execution {
        None => Settings::default(),
        Some(path) => {
            let failed = |error: &dyn std::fmt::Display| {
                CommandError::usage(format!("the execution file `{}`: {error}", path.display()))
            };
            let text = fs::read_to_string(path).map_err(|error| failed(&error))?;
            toml::from_str::<Execution>(&text).map_err(|error| failed(&error))?.cluster
        }
    };
    let over = |to: &mut Option<String>, from: &Option<String>| {
        if from.is_some() {
            to.clone_from(from);
        }
    };
    over(&mut settings.partition, &args.partition);
    over(&mut settings.time, &args.time);
    over(&mut settings.mem, &args.mem);
    settings.gpus_per_task = args.gpus_per_task.or(settings.gpus_per_task);
    settings.cpus = args.cpus.or(settings.cpus);
    settings.array_limit = args.array_limit.or(settings.array_limit);
    let stages = crate::stages::STAGES.map(|(stage, _)| stage);
    settings.check(&stages).map_err(CommandError::usage)?;
    Ok(settings)
}

/// The GPUs that a training uses, and is given where nobody said how many: what `--devices` asks for, or
/// all of its task.
fn share_gpus(settings: &mut Settings, asked: Option<usize>) -> Result<usize, CommandError> {
    let own = settings.stage.get(train::STAGE).and_then(|own| own.gpus_per_task);
    let given = own.or(settings.gpus_per_task);
    match (asked, given) {
        (None, given) => Ok(given.unwrap_or(1).max(1) as usize),
        (Some(asked), Some(given)) if asked > given as usize => Err(CommandError::usage(format!(
            "`--devices {asked}` is more than the {given} GPUs of a task; see `--gpus-per-task`"
        ))),
        (Some(asked), None) if settings.gres.is_none() => {
            let gpus = u32::try_from(asked).map_err(CommandError::usage)?;
            settings.stage.entry(train::STAGE.to_owned()).or_default().gpus_per_task = Some(gpus);
            Ok(asked)
        }
        (Some(asked), _) => Ok(asked),
    }
}

/// Hands a study over to a cluster, or writes the files that would.
pub fn launch(
    root: &Root,
    args: &RunArgs,
    loaded: &LoadedStudy,
    built: &mut StudyGraph,
    targets: &[NodeId],
) -> CommandResult {
    let mut settings = settings(&args.cluster)?;
    if args.backend.on_gpu() {
        built.compute_with(args.backend, share_gpus(&mut settings, args.devices)?);
    }
    // Tasks start elsewhere: every path must be whole.
    let whole = fs::canonicalize(root.path()).map_err(CommandError::machine)?;
    let root = &Root::new(whole);
    let store = root.store();
    let runs = root.runs(&loaded.study.report_name());
    let slurm = Slurm::new(Duration::from_secs(settings.timeout_seconds));
    let queue = match args.launcher {
        LauncherKind::Slurm => slurm
            .queue()
            .map_err(|error| CommandError::machine(format!("nothing was submitted: {error}")))?,
        _ => Vec::new(),
    };
    let ids: Vec<(NodeId, &'static str)> =
        built.graph.iter().map(|(id, node)| (id, node.stage)).collect();
    for (id, stage) in ids {
        // Workers that take whatever is next have one table for all.
        let table = if args.cluster.pull.is_some() { "pull" } else { stage };
        let own = settings.stage.get(table).and_then(|own| own.cpus);
        let threads = own.or(settings.cpus).unwrap_or(1);
        built.graph.node_mut(id).execution.insert(THREADS.to_owned(), threads.into());
    }
    let survey =
        survey(&built.graph, targets, &store, args.retry_failed).map_err(CommandError::machine)?;
    let label = |id: NodeId| {
        let node = built.graph.node(id);
        format!("{} {}", node.stage, node.name)
    };
    for (id, difference) in &survey.corrupt {
        say(&format!("{} is made again, for its result is damaged: {difference}", label(*id)));
    }
    for (id, failure) in &survey.failed {
        let why = &failure.message;
        say(&format!("failed before: {}: {why} (--retry-failed tries it again)", label(*id)));
    }
    let blocked: BTreeSet<NodeId> =
        survey.blocked(&built.graph).into_iter().map(|(id, _)| id).collect();
    let missing: Vec<NodeId> =
        survey.missing.iter().copied().filter(|id| !blocked.contains(id)).collect();
    let absent = |name: &str| super::run::wanted(name, &args.only);
    if missing.is_empty() {
        let whole = survey.failed.is_empty() && built.absent_of(absent).is_empty();
        let exit = report::write(root, loaded, built, args.quiet, args.until.is_some())?;
        return Ok(if whole { exit } else { Exit::FailedVariants });
    }
    let folder = std::env::current_dir().map_err(CommandError::machine)?;
    for path in [folder.as_path(), runs.as_path()] {
        if path.to_string_lossy().contains(['"', '\\', '\n']) {
            return Err(CommandError::usage(format!(
                "`{}` cannot stand in a batch script because of its quotes, backslashes or line \
                 breaks: choose another folder (`--root DIR`)",
                path.display()
            )));
        }
    }
    let launcher = Launcher {
        program: std::env::current_exe().map_err(CommandError::machine)?,
        study: loaded.study.report_name(),
        folder,
        settings: &settings,
        last: Some(report_command(root, args)?),
    };
    let on_gpu = |id: NodeId| {
        let node = built.graph.node(id);
        let backend = node.execution.get(BACKEND).and_then(|name| name.as_str());
        let backend = backend.and_then(|name| name.parse().ok()).unwrap_or(Backend::Flex);
        WITH_TENSORS.contains(&node.stage) && backend.on_gpu()
    };
    let with = match args.launcher {
        LauncherKind::Slurm => Some((&slurm, queue.as_slice())),
        _ => None,
    };
    let graph = (&built.graph, &store);
    let submitted = submit((&runs, &launcher), graph, &missing, on_gpu, args.cluster.pull, with)
        .map_err(CommandError::machine)?;
    for (wave, job) in submitted.jobs.iter().filter(|_| !args.quiet) {
        say(&format!("submitted {wave} as job {job}"));
    }
    if submitted.live > 0 {
        say(&format!("{} stages are on their way already", submitted.live));
    }
    if let Some(error) = submitted.error {
        let so_far = submitted.jobs.len();
        return Err(CommandError::machine(format!(
            "{error}\n{so_far} jobs were submitted before and go on; the same command submits the \
             rest"
        )));
    }
    let folder = submitted.submission.map(|submission| submission.folder);
    if args.launcher == LauncherKind::Script {
        let folder = folder.unwrap_or_default();
        say(&format!(
            "{} stages to make; nothing was submitted. Look at `{}` and start it with\n  sh {}",
            missing.len(),
            folder.display(),
            shell_word(&folder.join("submit.sh").display().to_string())
        ));
        return Ok(Exit::Ok);
    }
    if let Some(folder) = folder.filter(|_| !args.quiet) {
        say(&format!("{} stages to make; files and logs: {}", missing.len(), folder.display()));
    }
    if !args.cluster.wait {
        say(
            "`ablate status` shows how far it is, `ablate cancel` ends it; nothing has to stay here",
        );
        return Ok(Exit::Ok);
    }
    if !wait(&runs, &slurm)? {
        say("no longer waiting; the jobs go on, and `ablate cancel` ends them");
        return Ok(Exit::Interrupted);
    }
    conclude(root, args, (loaded, built), targets, &store)
}

/// The command that ends the chain, with whole paths.
fn report_command(root: &Root, args: &RunArgs) -> Result<Vec<String>, CommandError> {
    let study = fs::canonicalize(&args.study.study).map_err(CommandError::usage)?;
    let mut words = vec![
        "report".to_owned(),
        study.display().to_string(),
        "--root".to_owned(),
        root.path().display().to_string(),
    ];
    if let Some(profile) = &args.study.profile {
        words.extend(["--profile".to_owned(), profile.clone()]);
    }
    for set in &args.study.set {
        words.extend(["--set".to_owned(), set.clone()]);
    }
    Ok(words)
}

/// Waits until Slurm has nothing left to do for a study; false when it is told to stop waiting.
fn wait(runs: &Path, slurm: &Slurm) -> Result<bool, CommandError> {
    let stop = Arc::new(AtomicUsize::new(0));
    super::run::stop_on_signals(&stop)?;
    let mut pause = PAUSES.0;
    let (mut silent, mut idle) = (0, 0);
    loop {
        match slurm.queue() {
            Ok(queue) => {
                if silent > 0 {
                    say("Slurm answers again");
                }
                silent = 0;
                let submissions = Submission::all(runs);
                let ours = |task: &&QueuedTask| queue::of(&submissions, task).is_some();
                // What was preempted or lost looks like the end until it is queued again: two looks.
                match queue.iter().filter(ours).any(|task| task.state.is_live()) {
                    true => idle = 0,
                    false if idle == 1 => return Ok(true),
                    false => (idle, pause) = (1, PAUSES.0),
                }
            }
            Err(error) => {
                silent += 1;
                if silent == 1 {
                    say(&format!("{error}"));
                }
            }
        }
        let mut waited = Duration::ZERO;
        while waited < pause {
            if stop.load(Ordering::SeqCst) > 0 {
                return Ok(false);
            }
            waited += Duration::from_millis(100);
            std::thread::sleep(Duration::from_millis(100));
        }
        pause = pause.mul_f64(1.2).min(PAUSES.1);
    }
}

/// Says what the store holds when all jobs have ended.
fn conclude(
    root: &Root,
    args: &RunArgs,
    (loaded, built): (&LoadedStudy, &StudyGraph),
    targets: &[NodeId],
    store: &Store,
) -> CommandResult {
    let survey = survey(&built.graph, targets, store, true).map_err(CommandError::machine)?;
    for id in &survey.missing {
        let node = built.graph.node(*id);
        if let Ok(State::Failed(failure)) = store.state(node) {
            let variants: Vec<&str> = node.wanted_by.iter().map(String::as_str).collect();
            let (stage, name, why) = (node.stage, &node.name, failure.message);
            say(&format!("failed: {stage} {name} ({}): {why}", variants.join(", ")));
        }
    }
    let exit = report::write(root, loaded, built, args.quiet, args.until.is_some())?;
    let absent = built.absent_of(|name| super::run::wanted(name, &args.only));
    if survey.missing.is_empty() {
        return Ok(if absent.is_empty() { exit } else { Exit::FailedVariants });
    }
    say(&format!(
        "{} stages are not made; `ablate status` says why, and the same command tries again",
        survey.missing.len()
    ));
    Ok(Exit::FailedVariants)
}
