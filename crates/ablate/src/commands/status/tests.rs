use std::collections::BTreeMap;
use std::fs;

use ablate_pipeline::{Artifact, Failure, FailureKind};
use serde_json::Value;

use super::*;
use crate::estimate::tests::{LADDER, study};

fn finish(store: &Store, node: &Node) {
    let artifact = Artifact {
        key: node.key().clone(),
        stage: node.stage.to_owned(),
        name: node.name.clone(),
        version: node.version,
        recipe: node.recipe.clone(),
        inputs: BTreeMap::new(),
        files: Vec::new(),
        finished: "2026-01-01T00:00:00Z".to_owned(),
        seconds: 12.5,
        execution: Value::Null,
        accepted: BTreeMap::new(),
    };
    let folder = store.path(node);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(".artifact.json"), serde_json::to_vec(&artifact).unwrap()).unwrap();
}

fn interrupt(store: &Store, node: &Node, metrics: &str) {
    let folder = store.partial(node);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(train::METRICS), metrics).unwrap();
}

fn fail(store: &Store, node: &Node) {
    let mut path = store.path(node).into_os_string();
    path.push(".failed");
    fs::create_dir_all(store.root().join(node.stage)).unwrap();
    let failure = Failure::new(FailureKind::Outcome, "the loss became NaN at step 7");
    fs::write(path, serde_json::to_vec(&failure).unwrap()).unwrap();
}

#[test]
fn seeds_show_what_they_wait_for() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    let (_, built) = study(LADDER);
    let (baseline, compact) = (&built.variants[0], &built.variants[1]);
    let node = |id| built.graph.node(id);
    let corpus = node(baseline.shards).inputs["corpus"];
    for id in [baseline.seeds[0].eval, corpus] {
        finish(&store, node(id));
    }
    let lines = "{\"step\":11,\"tokens\":1,\"bytes\":1,\"split\":\"train\",\"loss\":4.5}\n\
                 {\"step\":12,\"tokens\":1,\"bytes\":1,\"split\":\"train\",\"loss\":4.25}\n\
                 {\"step\":12,\"tokens\":1,\"bytes\":1,\"split\":\"validation\",\"loss\":4.75}\n\
                 {\"step\":13,\"tokens\":1,\"by";
    interrupt(&store, node(baseline.seeds[1].rounds[0].train), lines);
    fail(&store, node(compact.seeds[0].rounds[0].train));

    let status = Status::look("small", &built, &store).unwrap();
    let states = |variant: usize| -> Vec<&str> {
        status.variants[variant].by_seed.iter().map(|seed| seed.state).collect()
    };
    assert_eq!(states(0), ["done", "interrupted"]);
    assert_eq!(states(1), ["failed", "missing"]);
    assert_eq!((status.variants[0].done, status.variants[0].seeds), (1, 2));

    let of = |id: NodeId| &status.stages[id.index()];
    let interrupted = of(baseline.seeds[1].rounds[0].train);
    assert_eq!((interrupted.step, interrupted.steps), (Some(12), Some(98)));
    assert_eq!(interrupted.loss, Some(4.25));
    assert_eq!(of(corpus).seconds, Some(12.5));
    let failed = of(compact.seeds[0].rounds[0].train);
    assert_eq!(failed.failure.as_deref(), Some("the loss became NaN at step 7"));
    assert_eq!(failed.cause, Some(Cause::Diverged));
    let at: jiff::Timestamp = failed.failed_at.as_deref().unwrap().parse().unwrap();
    assert!((jiff::Timestamp::now() - at).as_secs().abs() < 3600);

    let json = serde_json::to_value(&status).unwrap();
    assert_eq!(json["study"], "small");
    assert_eq!(json["variants"][0]["name"], "baseline");
    assert_eq!(json["variants"][0]["done"], 1);
    assert_eq!(json["stages"].as_array().unwrap().len(), built.graph.len());

    let text = status.to_text();
    assert!(text.starts_with("small: 2 of "), "{text}");
    assert!(text.contains("step 12 of 98, loss 4.250"), "{text}");
    let told = "the loss became NaN at step 7\n  cause: diverged, ";
    assert!(text.contains(told) && text.contains("\n  log: "), "{text}");
    assert!(text.contains("1 of 2   seed 2 interrupted\n"), "{text}");
    assert!(text.contains("0 of 2   seed 1 failed, seed 2 missing\n"), "{text}");
    assert!(text.contains("0 of 2   seeds 1 2 missing\n"), "{text}");
}

#[test]
fn nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path().join("store"));
    let (_, built) = study(LADDER);
    let status = Status::look("small", &built, &store).unwrap();
    assert!(status.stages.iter().all(|stage| stage.state == "missing"));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn what_slurm_says_stands_beside_what_the_store_says() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    let (_, built) = study(LADDER);
    let (baseline, compact) = (&built.variants[0], &built.variants[1]);
    let node = |id| built.graph.node(id);
    let trains = [
        baseline.seeds[0].rounds[0].train,
        baseline.seeds[1].rounds[0].train,
        compact.seeds[0].rounds[0].train,
        compact.seeds[1].rounds[0].train,
    ];
    finish(&store, node(trains[0]));
    let seen = |state: &'static str, reason: Option<&str>, nodes: Option<&str>| Seen {
        task: "12_3".to_owned(),
        state,
        reason: reason.map(str::to_owned),
        nodes: nodes.map(str::to_owned),
        log: PathBuf::from("12_3.log"),
    };
    let queue = BTreeMap::from([
        // What is done is done, whatever Slurm says.
        (node(trains[0]).key().clone(), seen("failed", Some("NonZeroExitCode"), None)),
        (node(trains[1]).key().clone(), seen("requeued", Some("BeginTime"), None)),
        (node(trains[2]).key().clone(), seen("node lost", None, None)),
        (node(trains[3]).key().clone(), seen("running", None, Some("n2"))),
    ]);
    let mut status = Status::look("small", &built, &store).unwrap();
    status.join(&built, &queue);
    let of = |id: NodeId| &status.stages[id.index()];
    assert_eq!(of(trains[0]).more(), "13 s");
    assert_eq!(of(trains[1]).more(), "task 12_3 requeued (BeginTime)");
    assert_eq!(of(trains[2]).more(), "task 12_3 node lost");
    assert_eq!(of(trains[3]).more(), "task 12_3 running on n2");
    // Only the scores of what was lost wait in vain.
    let blocked = |variant: usize, seed: usize| {
        of(built.variants[variant].seeds[seed].eval).blocked_by.as_deref()
    };
    let lost = format!("train {}", node(trains[2]).name);
    assert_eq!(blocked(1, 0), Some(lost.as_str()));
    assert_eq!((blocked(0, 0), blocked(0, 1), blocked(1, 1)), (None, None, None));
    let json = serde_json::to_value(&status).unwrap();
    assert_eq!(json["stages"][trains[1].index()]["slurm"]["state"], "requeued");
    assert!(json["stages"][trains[0].index()].get("slurm").is_none());
}
