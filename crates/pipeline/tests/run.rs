//! Whole runs with real worker processes: this test binary starts itself as the worker.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ablate_pipeline::{
    Artifact, Cause, Context, Event, Failure, FailureKind, Graph, Identity, Launch, NodeId,
    Outcome, RunOptions, State, Store, Summary, Testimony, WorkerCommand, run, serve,
};
use serde_json::json;

const WORKER: &str = "ABLATE_PIPELINE_TEST_WORKER";

/// Not a check of its own: the body of the worker processes that the other tests start.
#[test]
fn worker_entry() {
    if std::env::var_os(WORKER).is_some() {
        let stop = Arc::new(AtomicBool::new(false));
        serve(&stop, &work);
    }
}

fn work(context: &Context<'_>) -> Result<bool, Failure> {
    let recipe = &context.task.recipe;
    let out = context.directory.join("out.txt");
    let mut text = recipe["text"].as_str().unwrap_or("").to_owned();
    for folder in context.task.inputs.values() {
        text += &fs::read_to_string(folder.join("out.txt")).unwrap();
    }
    if recipe["allocate"] == true {
        // Half of what can be addressed: no system has it.
        std::hint::black_box(Vec::<u8>::with_capacity(isize::MAX as usize));
    }
    if recipe["panic"] == true {
        panic!("planned");
    }
    if recipe["diverge"] == true {
        return Err(Failure::new(FailureKind::Outcome, "loss is NaN at step 3"));
    }
    if recipe["die"] == true && !context.directory.join("tried").exists() {
        fs::write(context.directory.join("tried"), "").unwrap();
        std::process::abort();
    }
    for step in 0..recipe["pause_ms"].as_u64().unwrap_or(0) / 10 {
        std::thread::sleep(Duration::from_millis(10));
        context.progress(step, 0, "waiting");
        if context.stopping() {
            return Ok(false);
        }
    }
    fs::write(out, text).unwrap();
    Ok(true)
}

fn command() -> WorkerCommand {
    WorkerCommand(Box::new(|_: Launch<'_>| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "worker_entry", "--nocapture"]).env(WORKER, "1");
        command
    }))
}

fn options() -> RunOptions {
    RunOptions {
        jobs: 2,
        cores: 2,
        memory: u64::MAX,
        keep_going: true,
        retry_failed: false,
        stop: Arc::new(AtomicUsize::new(0)),
    }
}

fn go(graph: &Graph, targets: &[NodeId], root: &Path, options: &RunOptions) -> Summary {
    run(graph, targets, &Store::new(root), &command(), options, &mut |_| {}).unwrap()
}

fn add(graph: &mut Graph, recipe: serde_json::Value, inputs: &[NodeId]) -> NodeId {
    const ROLES: [&str; 3] = ["first", "second", "third"];
    let inputs: Vec<_> = ROLES.into_iter().zip(inputs.iter().copied()).collect();
    graph.add("text", 1, "node", recipe, inputs).unwrap()
}

fn text(graph: &Graph, id: NodeId, root: &Path) -> String {
    fs::read_to_string(Store::new(root).path(graph.node(id)).join("out.txt")).unwrap()
}

#[test]
fn makes_what_is_missing_once() {
    let root = tempfile::tempdir().unwrap();
    let mut graph = Graph::new();
    let a = add(&mut graph, json!({"text": "a"}), &[]);
    let b = add(&mut graph, json!({"text": "b"}), &[a]);
    let c = add(&mut graph, json!({"text": "c"}), &[a, b]);
    let first = go(&graph, &[c], root.path(), &options());
    assert!(first.is_done(c));
    assert_eq!(text(&graph, c, root.path()), "caba");
    let second = go(&graph, &[c], root.path(), &options());
    // The inputs of a finished node are not even looked at.
    assert_eq!(second.outcomes, BTreeMap::from([(c, Outcome::Done { seconds: None })]));
}

#[test]
fn a_failure_stops_only_what_needs_it() {
    let root = tempfile::tempdir().unwrap();
    let mut graph = Graph::new();
    let good = add(&mut graph, json!({"text": "a"}), &[]);
    let bad = add(&mut graph, json!({"diverge": true}), &[good]);
    let after = add(&mut graph, json!({"text": "b"}), &[bad]);
    let other = add(&mut graph, json!({"text": "c", "pause_ms": 50}), &[good]);
    let summary = go(&graph, &[after, other], root.path(), &options());
    assert!(summary.is_done(other));
    assert_eq!(summary.outcomes[&after], Outcome::Blocked(bad));
    let (id, failure) = summary.cause(after).unwrap();
    assert_eq!((id, failure.message.as_str()), (bad, "loss is NaN at step 3"));
    let state = Store::new(root.path()).state(graph.node(bad)).unwrap();
    assert!(matches!(state, State::Failed(_)), "{state:?}");
    // An outcome is not tried again unless that is asked for.
    let mut started = 0;
    let retry = RunOptions { retry_failed: true, ..options() };
    for (options, expected) in [(options(), 0), (retry, 1)] {
        let store = Store::new(root.path());
        run(&graph, &[after], &store, &command(), &options, &mut |event| {
            started += usize::from(matches!(event, Event::Started(..)));
        })
        .unwrap();
        assert_eq!(started, expected);
    }
}

#[test]
fn a_worker_that_dies_is_a_failure_that_names_its_log_and_is_tried_again() {
    let root = tempfile::tempdir().unwrap();
    let mut graph = Graph::new();
    let id = add(&mut graph, json!({"text": "x", "die": true}), &[]);
    graph.node_mut(id).resumable = true;
    let summary = go(&graph, &[id], root.path(), &options());
    let Outcome::Failed(failure) = &summary.outcomes[&id] else { panic!("{summary:?}") };
    assert!(failure.message.contains("signal"), "{}", failure.message);
    assert!(failure.message.contains(".log"), "{}", failure.message);
    assert_eq!(failure.signal, Some(6));
    // It stays on record until there is a result.
    let store = Store::new(root.path());
    let State::Failed(recorded) = store.state(graph.node(id)).unwrap() else { panic!("no record") };
    assert_eq!(recorded, *failure);
    assert!(store.failed_at(graph.node(id)).is_some());
    assert!(go(&graph, &[id], root.path(), &options()).is_done(id));
    assert!(store.failed_at(graph.node(id)).is_none());
}

#[test]
fn a_failed_allocation_is_out_of_memory() {
    let root = tempfile::tempdir().unwrap();
    let mut graph = Graph::new();
    let id = add(&mut graph, json!({"text": "x", "allocate": true}), &[]);
    graph.node_mut(id).estimate.memory = 3_000_000_000;
    let summary = go(&graph, &[id], root.path(), &options());
    let Outcome::Failed(failure) = &summary.outcomes[&id] else { panic!("{summary:?}") };
    assert_eq!(failure.cause(), Cause::OutOfMemory, "{failure:?}");
    assert_eq!(failure.memory, Some(3_000_000_000));
    assert!(failure.message.contains("3.0 GB of memory"), "{}", failure.message);
}

#[test]
fn a_stage_that_does_not_fit_fails_before_it_starts() {
    let root = tempfile::tempdir().unwrap();
    let mut graph = Graph::new();
    let large = add(&mut graph, json!({"text": "large"}), &[]);
    let small = add(&mut graph, json!({"text": "small"}), &[]);
    let after = add(&mut graph, json!({"text": "after"}), &[large]);
    // More than any disk has.
    graph.node_mut(large).estimate.disk = 1 << 62;
    graph.node_mut(small).estimate.disk = 5;
    let summary = go(&graph, &[small, after], root.path(), &options());
    let Outcome::Failed(failure) = &summary.outcomes[&large] else { panic!("{summary:?}") };
    assert_eq!((failure.kind, failure.cause()), (FailureKind::Machine, Cause::DiskFull));
    assert!(failure.message.contains("4611686.0 TB"), "{}", failure.message);
    assert!(summary.is_done(small) && summary.outcomes[&after] == Outcome::Blocked(large));
    let store = Store::new(root.path());
    assert!(matches!(store.state(graph.node(large)).unwrap(), State::Failed(f) if f == *failure));
    // The next run tries again what the machine could not do.
    graph.node_mut(large).estimate.disk = 5;
    assert!(go(&graph, &[small, after], root.path(), &options()).is_done(after));
}

#[test]
fn a_panic_is_a_failure() {
    let root = tempfile::tempdir().unwrap();
    let mut graph = Graph::new();
    let id = add(&mut graph, json!({"panic": true}), &[]);
    let summary = go(&graph, &[id], root.path(), &options());
    let Outcome::Failed(failure) = &summary.outcomes[&id] else { panic!("{summary:?}") };
    assert!(failure.message.contains("panicked"), "{}", failure.message);
}

#[test]
fn a_corrupt_result_is_made_again() {
    let root = tempfile::tempdir().unwrap();
    let mut graph = Graph::new();
    let id = add(&mut graph, json!({"text": "x"}), &[]);
    go(&graph, &[id], root.path(), &options());
    let store = Store::new(root.path());
    fs::write(store.path(graph.node(id)).join("out.txt"), "y").unwrap();
    let mut corrupt = false;
    run(&graph, &[id], &store, &command(), &options(), &mut |event| {
        corrupt |= matches!(event, Event::Corrupt(..));
    })
    .unwrap();
    assert!(corrupt);
    assert_eq!(text(&graph, id, root.path()), "x");
}

#[test]
fn a_stop_ends_workers_and_the_next_run_goes_on() {
    let root = tempfile::tempdir().unwrap();
    let mut graph = Graph::new();
    let id = add(&mut graph, json!({"text": "x", "pause_ms": 30_000}), &[]);
    let quick = add(&mut graph, json!({"text": "y"}), &[]);
    let options = options();
    let clock = Instant::now();
    let stop = Arc::clone(&options.stop);
    let store = Store::new(root.path());
    let summary = run(&graph, &[id, quick], &store, &command(), &options, &mut |event| {
        if matches!(event, Event::Progress(..)) {
            // The test's worker has no signal handler: the second level ends it.
            stop.store(2, Ordering::SeqCst);
        }
    })
    .unwrap();
    assert!(clock.elapsed() < Duration::from_secs(20));
    assert_eq!(summary.outcomes[&id], Outcome::Stopped);
    assert!(summary.stopped());
    assert!(!store.path(graph.node(id)).exists());
}

#[test]
fn two_launchers_make_a_result_once() {
    let root = tempfile::tempdir().unwrap();
    let mut graph = Graph::new();
    let id = add(&mut graph, json!({"text": "x", "pause_ms": 600}), &[]);
    let done: Vec<bool> = std::thread::scope(|scope| {
        let launchers: Vec<_> =
            (0..2).map(|_| scope.spawn(|| go(&graph, &[id], root.path(), &options()))).collect();
        launchers.into_iter().map(|thread| thread.join().unwrap().is_done(id)).collect()
    });
    assert_eq!(done, [true, true]);
    assert_eq!(text(&graph, id, root.path()), "x");
}

#[test]
fn a_node_gets_the_threads_that_it_wants_and_others_fill_the_gaps() {
    let root = tempfile::tempdir().unwrap();
    let mut graph = Graph::new();
    let node = |graph: &mut Graph, n: usize, (threads, seconds)| {
        let id = add(graph, json!({"text": n.to_string(), "pause_ms": 60}), &[]);
        graph.node_mut(id).threads = threads;
        graph.node_mut(id).estimate.seconds = seconds;
        id
    };
    // The longest first: one of three, which cannot go beside the second; the last one can.
    let wishes = [(3, 3.0), (2, 2.0), (1, 1.0)];
    let ids: Vec<NodeId> = (0..).zip(wishes).map(|(n, wish)| node(&mut graph, n, wish)).collect();
    let options = RunOptions { jobs: 3, cores: 3, ..options() };
    let mut started = Vec::new();
    let mut running = Vec::new();
    let store = Store::new(root.path());
    run(&graph, &ids, &store, &command(), &options, &mut |event| match event {
        Event::Started(id, threads) => {
            running.push(id);
            started.push((id, threads, running.len()));
        }
        Event::Ended(id, _) => running.retain(|other| *other != id),
        _ => {}
    })
    .unwrap();
    assert_eq!(started, [(ids[0], 3, 1), (ids[1], 2, 1), (ids[2], 1, 2)]);
}

#[test]
fn memory_is_not_overcommitted() {
    let root = tempfile::tempdir().unwrap();
    let mut graph = Graph::new();
    let ids: Vec<NodeId> = (0..3)
        .map(|n| add(&mut graph, json!({"text": n.to_string(), "pause_ms": 60}), &[]))
        .collect();
    for id in &ids {
        graph.node_mut(*id).estimate.memory = 60;
    }
    let options = RunOptions { memory: 100, jobs: 3, cores: 3, ..options() };
    let (mut running, mut most) = (0, 0);
    let store = Store::new(root.path());
    run(&graph, &ids, &store, &command(), &options, &mut |event| match event {
        Event::Started(..) => {
            running += 1;
            most = most.max(running);
        }
        Event::Ended(..) => running -= 1,
        _ => {}
    })
    .unwrap();
    assert_eq!(most, 1);
}

#[test]
fn a_result_is_made_of_what_was_accepted_and_says_so() {
    let root = tempfile::tempdir().unwrap();
    let store = Store::new(root.path());
    let mut graph = Graph::new();
    let old = add(&mut graph, json!({"text": "x"}), &[]);
    let new = add(&mut graph, json!({"text": "x", "spelling": 2}), &[]);
    let next = add(&mut graph, json!({"text": "y"}), &[new]);
    let last = add(&mut graph, json!({"text": "z"}), &[next]);
    go(&graph, &[old], root.path(), &options());
    let folder = store.path(graph.node(old));
    let record = Artifact::read(&folder).unwrap().unwrap();
    assert!(record.accepted.is_empty());
    let testimony = Testimony {
        because: "another spelling".to_owned(),
        by: "me".to_owned(),
        at: "2026-01-01T00:00:00Z".to_owned(),
    };
    store.accept(Identity::of(&graph, new), (&folder, &record), &testimony).unwrap();

    let summary = go(&graph, &[last], root.path(), &options());
    assert_eq!(summary.outcomes[&new], Outcome::Done { seconds: None });
    assert_eq!(text(&graph, last, root.path()), "zyx");
    let keys = |id: NodeId| graph.node(id).key().clone();
    for id in [next, last] {
        let record = Artifact::read(&store.path(graph.node(id))).unwrap().unwrap();
        assert_eq!(record.accepted, BTreeMap::from([(keys(new), keys(old))]));
        assert_eq!(record.key, keys(id));
    }

    // Nothing stands for it any more once that is damaged: it is made after all.
    fs::write(folder.join("out.txt"), "changed").unwrap();
    fs::remove_dir_all(store.path(graph.node(next))).unwrap();
    let again = go(&graph, &[next], root.path(), &options());
    assert!(matches!(again.outcomes[&new], Outcome::Done { seconds: Some(_) }), "{again:?}");
    let record = Artifact::read(&store.path(graph.node(next))).unwrap().unwrap();
    assert!(record.accepted.is_empty());
    assert_ne!(store.path(graph.node(new)), folder);
}
