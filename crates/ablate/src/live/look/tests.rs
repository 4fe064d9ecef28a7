use std::fs;

use ablate_pipeline::Store;
use ablate_spec::Options;

use super::*;
use crate::graph;

const STUDY: &str = "[study]\nname = \"tiny\"\nseeds = [1]\n[corpus]\nbytes = \"1MB\"\n[tokenizer]\n\
    vocabulary = 1000\n[model]\ndepth = 2\nwidth = 64\nheads = 4\nffn.multiple = 16\n[train]\n\
    tokens = \"1M\"\nbatch_tokens = 1024\nlearning_rate = 1e-3\n[[design.list]]\nname = \"plain\"\n\
    [[design.list]]\nname = \"rounds\"\nset.rounds = { count = 2, rate = 0.5 }\n";

/// A study in an empty root, and who follows it.
fn follower() -> (tempfile::TempDir, Follower) {
    let folder = tempfile::tempdir().unwrap();
    let root = Root::new(folder.path().to_owned());
    let read = |_: &std::path::Path| Ok(STUDY.to_owned());
    let loaded = ablate_spec::load("a.toml".as_ref(), &read, &Options::default());
    let study = loaded.unwrap_or_else(|failure| panic!("{failure}")).study;
    let built = graph::build(&study, &root.benchmarks()).unwrap();
    (folder, Follower::new(&root, "tiny", built))
}

/// Puts a lease of another host into the store, as its worker does.
fn lease(store: &Store, follower: &Follower, id: NodeId) {
    let path = store.path(follower.built.graph.node(id));
    let name = format!("{}.lease", path.file_name().unwrap().to_str().unwrap());
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let owner =
        r#"{"host":"node-7","pid":7,"started":9,"boot":"there","token":"0123456789abcdef"}"#;
    fs::write(path.with_file_name(name), format!("{owner}\n{:020}\n", 1)).unwrap();
}

fn feed(follower: &Follower, id: NodeId, steps: u64, to: u64) {
    let live = follower.store.live(follower.built.graph.node(id));
    fs::create_dir_all(&live).unwrap();
    let line = |step| {
        format!(
            "{{\"time\":1.5,\"steps\":{steps},\"step\":{step},\"tokens\":{},\"bytes\":1,\
             \"split\":\"train\",\"loss\":{}.5,\"tokens_per_second\":1000}}\n",
            step * 100,
            9 - step
        )
    };
    fs::write(live.join(METRICS), (1..=to).map(line).collect::<String>()).unwrap();
}

#[test]
fn a_training_of_another_host_is_seen_in_its_lease_and_its_feed() {
    let (_folder, mut follower) = follower();
    let before = follower.look().unwrap();
    assert_eq!((before.state, before.done), (StudyState::Waiting, 0));
    assert!(before.runs.iter().all(|run| run.state == RunState::Waiting && run.stage == "corpus"));

    // The first round of `rounds` is the training of `plain`.
    let first = follower.built.variants[0].seeds[0].rounds[0].train;
    let second = follower.built.variants[1].seeds[0].rounds[1].train;
    assert_eq!(first, follower.built.variants[1].seeds[0].rounds[0].train);
    let store = follower.store.clone();
    lease(&store, &follower, first);
    feed(&follower, first, 6, 4);
    let look = follower.look().unwrap();
    assert_eq!(look.state, StudyState::Running);
    for (run, stage) in look.runs.iter().zip(["train", "train (1 of 2)"]) {
        assert_eq!((run.state, run.stage.as_str()), (RunState::Running, stage));
        assert_eq!((run.step, run.steps, run.loss), (Some(4), Some(6), Some(5.5)));
        assert_eq!(run.tokens_per_second, Some(1000.0));
        // Two steps of a hundred tokens.
        assert_eq!(run.seconds_left, Some(0.2));
        assert_eq!(run.host.as_deref(), Some("node-7"));
    }

    // A later round goes on behind the one before.
    feed(&follower, first, 6, 6);
    lease(&store, &follower, second);
    feed(&follower, second, 3, 2);
    let look = follower.look().unwrap();
    assert_eq!((look.runs[1].stage.as_str(), look.runs[1].step), ("train (2 of 2)", Some(2)));
    let series = follower.series();
    let steps: Vec<Vec<u64>> =
        series.iter().map(|series| series.train.iter().map(|(step, _)| *step).collect()).collect();
    assert_eq!(steps, [(1..=6).collect::<Vec<_>>(), (1..=8).collect()]);
}

#[test]
fn a_study_whose_rest_needs_what_failed_is_over() {
    let (_folder, mut follower) = follower();
    let (id, _) = follower.built.graph.iter().next().unwrap();
    let node = follower.built.graph.node(id);
    let path = follower.store.path(node);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let name = format!("{}.failed", path.file_name().unwrap().to_str().unwrap());
    let failure = r#"{"kind":"input","message":"there is no text"}"#;
    fs::write(path.with_file_name(name), failure).unwrap();
    let look = follower.look().unwrap();
    assert_eq!(look.state, StudyState::Failed);
    let why = |run: &Run| run.failure.clone().unwrap();
    assert!(look.runs.iter().all(|run| why(run) == "there is no text"));
}
