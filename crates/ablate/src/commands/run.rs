//! `ablate run`: make what is missing of a study, then write its report.

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ablate_pipeline::{
    Key, Launch, NodeId, Outcome, RunOptions, State, Store, Summary, WorkerCommand, failed_chains,
    free_space,
};

use super::{cluster, report, say};
use crate::cli::{LauncherKind, RunArgs, Until};
use crate::estimate::{Timing, estimate, prefer_threads};
use crate::exit::{CommandError, CommandResult, Exit};
use crate::graph::{self, ExternalNodes, StudyGraph};
use crate::machine::{self, Machine};
use crate::progress::Display;
use crate::root::Root;
use crate::stages::{benchmarks, corpus};
use crate::{live, references, study};

pub fn run(root: &Root, args: &RunArgs) -> CommandResult {
    if args.launcher == LauncherKind::Local {
        // Elsewhere, the machines of the tasks have to have it.
        args.backend.check(args.devices.unwrap_or(1)).map_err(CommandError::machine)?;
    }
    let loaded = study::load(&args.study)?;
    for warning in loaded.warnings.iter().filter(|_| !args.quiet) {
        say(warning);
    }
    let study = &loaded.study;
    let mut built = graph::build(study, &root.benchmarks())?;
    let machine = Machine::current();
    let only = |name: &str| wanted(name, &args.only);
    let mut targets = match args.until {
        Some(Until::Tokens) => built.tokens(only),
        None => built.targets(only),
    };
    if built.variants.is_empty() && args.until.is_some() {
        let why = "the study trains nothing, so there are no tokens to make; leave out `--until`";
        return Err(CommandError::usage(why));
    }
    let absent = built.absent_of(only);
    if targets.is_empty() {
        if let Some(absent) = absent.first() {
            let (name, why) = (&absent.name, absent.reason());
            return Err(CommandError::usage(format!(
                "there is nothing to run: variant `{name}`: {why}"
            )));
        }
        let asked = built.externals.iter().filter(|external| only(&external.name));
        if let Some(absence) = asked.filter_map(ExternalNodes::absence).next() {
            return Err(CommandError::usage(format!("there is nothing to run: {absence}")));
        }
        let names: Vec<&str> = built.names().collect();
        return Err(CommandError {
            exit: Exit::NoMatch,
            message: format!("no variant matches `--only`; there are {}", names.join(", ")),
        });
    }
    let asked = built.externals.iter().filter(|external| only(&external.name) && !args.quiet);
    for absence in asked.filter_map(ExternalNodes::absence) {
        say(&absence);
    }
    // Failures are told to those as well who want to hear of nothing else.
    for absent in &absent {
        say(&absent.warning());
    }
    let failed = !absent.is_empty();
    let store = root.store();
    if args.retry_failed {
        targets = failed_chains(&built.graph, &targets, &store).map_err(CommandError::machine)?;
        if targets.is_empty() {
            say("nothing of it has failed, so there is nothing to try again; without \
                 `--retry-failed` what is missing is made");
            return Ok(if failed { Exit::FailedVariants } else { Exit::Ok });
        }
    }
    if args.dry_run {
        return dry_run(&built, &store);
    }
    check_inputs(&built, &store)?;
    store.prepare().map_err(CommandError::usage)?;
    references::note(root, &study.report_name(), &args.study, &built)?;
    live::lay_out(root, &study.report_name(), &built);
    estimate(&mut built, study, root, &machine, Timing::Cached);
    built.compute_with(args.backend, args.devices.unwrap_or(1));
    built.made_by(env!("CARGO_PKG_VERSION"), machine::commit().as_deref());
    if !args.quiet {
        warn_of_space(&built, &targets, &store);
    }
    if args.launcher != LauncherKind::Local {
        return cluster::launch(root, args, &loaded, &mut built, &targets);
    }
    if !args.quiet {
        tell_accepted(&built, &store)?;
    }
    let stop = Arc::new(AtomicUsize::new(0));
    stop_on_signals(&stop)?;
    let threads = args.threads.unwrap_or(machine.cores).max(1);
    if args.jobs.is_none() && !args.backend.on_gpu() && args.until.is_none() {
        prefer_threads(&mut built, root, (&machine, threads), Timing::Measure);
    }
    let options = RunOptions {
        // Trainings would share one GPU, memory included.
        jobs: args.jobs.unwrap_or(if args.backend.on_gpu() { 1 } else { threads }).max(1),
        cores: threads,
        // The rest is for the system and the page cache of the token shards.
        memory: machine.memory / 10 * 8,
        keep_going: !args.fail_fast,
        retry_failed: args.retry_failed,
        stop,
    };
    let mut display = Display::new(&built, args.quiet, args.no_progress);
    let summary = ablate_pipeline::run(
        &built.graph,
        &targets,
        &store,
        &worker_command()?,
        &options,
        &mut |event| display.event(&event),
    )
    .map_err(CommandError::machine)?;
    display.finish();
    if summary.stopped() && options.stop.load(Ordering::SeqCst) > 0 {
        say("interrupted; the same command goes on from here");
        return Ok(Exit::Interrupted);
    }
    // A quiet display has shown the failures already.
    for problem in problems(&built, &summary, &store).iter().filter(|_| !args.quiet) {
        say(problem);
    }
    let exit = report::write(root, &loaded, &built, args.quiet, args.until.is_some())?;
    // What failed may yet change what the claims come to.
    Ok(if failed || summary.failed() { Exit::FailedVariants } else { exit })
}

/// Says when what is missing is expected not to fit on the store's disk. The run starts all the same:
/// estimates are rough, space may be freed meanwhile, and a stage that does not fit fails by itself.
fn warn_of_space(built: &StudyGraph, targets: &[NodeId], store: &Store) {
    let Ok(free) = free_space(store.root()) else { return };
    let mut open = targets.to_vec();
    let mut seen = BTreeSet::new();
    let mut needed = 0_u64;
    while let Some(id) = open.pop() {
        let node = built.graph.node(id);
        if seen.insert(id) && !matches!(store.state(node), Ok(State::Done(_))) {
            needed = needed.saturating_add(node.estimate.disk);
            open.extend(node.inputs.values().copied());
        }
    }
    if needed > free {
        say(&format!(
            "warning: what is missing is expected to take {} on the disk of `{}`, where {} are \
             free; stages that do not fit will fail, and the rest goes on",
            ablate_report::si_unit(needed as f64, "B"),
            store.root().display(),
            ablate_report::si_unit(free as f64, "B")
        ));
    }
}

/// Looks at what comes from outside and is not in the store yet, before anything is made.
fn check_inputs(built: &StudyGraph, store: &Store) -> Result<(), CommandError> {
    for (_, node) in built.graph.iter() {
        let check = match node.stage {
            corpus::STAGE => corpus::check,
            benchmarks::STAGE => benchmarks::check,
            _ => continue,
        };
        if !matches!(store.state(node), Ok(State::Done(_))) {
            check(node).map_err(|failure| CommandError::usage(failure.message))?;
        }
    }
    Ok(())
}

/// Workers are this program again.
fn worker_command() -> Result<WorkerCommand, CommandError> {
    let program = std::env::current_exe().map_err(CommandError::machine)?;
    Ok(WorkerCommand(Box::new(move |launch: Launch<'_>| {
        let mut command = Command::new(&program);
        command.arg("work").arg("--threads").arg(launch.threads.to_string());
        // A panic of a worker is reported with its log.
        command.env("RUST_BACKTRACE", "1");
        command
    })))
}

/// The first signal asks workers to stop and keep what can be resumed, the second ends them.
pub fn stop_on_signals(stop: &Arc<AtomicUsize>) -> Result<(), CommandError> {
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        let stop = Arc::clone(stop);
        // SAFETY: the handler only touches an atomic.
        let registered = unsafe {
            signal_hook::low_level::register(signal, move || {
                stop.fetch_add(1, Ordering::SeqCst);
            })
        };
        registered.map_err(CommandError::machine)?;
    }
    Ok(())
}

/// Says that some of what is there stands for something else.
fn tell_accepted(built: &StudyGraph, store: &Store) -> Result<(), CommandError> {
    let all = store.acceptances().map_err(CommandError::machine)?;
    let keys: BTreeSet<&Key> = built.graph.iter().map(|(_, node)| node.key()).collect();
    let counts = all.iter().filter(|one| one.counts).filter_map(|one| one.record.as_ref().ok());
    match counts.filter(|record| keys.contains(&record.new.key)).count() {
        0 => {}
        count => say(&format!(
            "{count} of the stages are done by results that were accepted in their place; `ablate accept \
             --list` says why"
        )),
    }
    Ok(())
}

fn dry_run(built: &StudyGraph, store: &Store) -> CommandResult {
    let mut text = String::new();
    for (_, node) in built.graph.iter() {
        let state = store.state(node).map_err(CommandError::machine)?;
        let word = if state.accepted(node).is_some() { "accepted" } else { state.word() };
        text += &format!("{word:<12} {:<12} {}\n", node.stage, node.name);
    }
    for absent in &built.absent {
        text +=
            &format!("{:<12} {:<12} {}: {}\n", "failed", "variant", absent.name, absent.reason());
    }
    super::print(&text)?;
    Ok(Exit::Ok)
}

/// One paragraph for every failure at the root of others, with the variants that it cost.
fn problems(built: &StudyGraph, summary: &Summary, store: &Store) -> Vec<String> {
    let failed = summary.outcomes.iter().filter_map(|(id, outcome)| match outcome {
        Outcome::Failed(failure) => Some((built.graph.node(*id), failure)),
        _ => None,
    });
    failed
        .map(|(node, failure)| {
            let variants: Vec<&str> = node.wanted_by.iter().map(String::as_str).collect();
            format!(
                "failed: {} {} ({}): {}\n  log: {}",
                node.stage,
                node.name,
                variants.join(", "),
                failure.message,
                store.log(node).display()
            )
        })
        .collect()
}

/// Whether a name matches any of the patterns, or there are none.
pub fn wanted(name: &str, patterns: &[String]) -> bool {
    patterns.is_empty()
        || patterns.iter().any(|pattern| matches(pattern.as_bytes(), name.as_bytes()))
}

/// `*` stands for any text, `?` for one character.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern.first(), name.first()) {
        (None, None) => true,
        (Some(b'*'), _) => {
            matches(&pattern[1..], name) || (!name.is_empty() && matches(pattern, &name[1..]))
        }
        (Some(b'?'), Some(_)) => matches(&pattern[1..], &name[1..]),
        (Some(a), Some(b)) if a == b => matches(&pattern[1..], &name[1..]),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_a_shell() {
        let check = |pattern: &str, name: &str, expect: bool| {
            assert_eq!(wanted(name, &[pattern.to_owned()]), expect, "{pattern} {name}");
        };
        check("*", "anything", true);
        check("vocabulary-*", "vocabulary-2048", true);
        check("vocabulary-*", "depth-4", false);
        check("depth-?", "depth-4", true);
        check("depth-?", "depth-12", false);
        check("*-4*", "depth-4_width-8", true);
        check("", "x", false);
        assert!(wanted("x", &[]));
    }
}
