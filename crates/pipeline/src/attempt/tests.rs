use super::*;
use crate::graph::Node;
use crate::lease::Terms;
use crate::owner::Claim;
use crate::sample::{artifact, node};
use crate::store::{State, Store};

/// A store with one node, and leases on it.
struct Bench {
    _directory: tempfile::TempDir,
    store: Store,
    node: Node,
    entry: Entry,
}

impl Bench {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::new(directory.path());
        let node = node();
        let entry = Entry { path: store.path(&node) };
        Self { _directory: directory, store, node, entry }
    }

    fn lease(&self, attempt: u64) -> Lease {
        let claim = Some(Claim { task: "12_3".to_owned(), attempt, log: None });
        Lease::take_on(&self.entry.lease(), &Terms { claim, silent: None }).unwrap()
    }

    fn state(&self) -> State {
        self.store.state(&self.node).unwrap()
    }

    fn publish(&self, lease: &Lease) -> Result<(), PublishError> {
        self.entry.publish(lease, artifact(&self.node))
    }

    fn published(&self) -> String {
        fs::read_to_string(self.store.path(&self.node).join("out.txt")).unwrap()
    }
}

#[test]
fn a_result_is_done_only_after_publishing() {
    let bench = Bench::new();
    assert!(matches!(bench.state(), State::Missing));
    let lease = bench.lease(0);
    let own = bench.entry.open(&lease, false).unwrap();
    fs::write(own.join("out.txt"), "hello").unwrap();
    assert!(matches!(bench.state(), State::Running(_)));
    assert_eq!(bench.store.partial(&bench.node), own);
    bench.publish(&lease).unwrap();
    drop(lease);
    let State::Done(done) = bench.state() else { panic!("not done") };
    assert_eq!(done.files.len(), 1);
    assert_eq!(done.files[0].blake3, blake3::hash(b"hello").to_hex().to_string());
    assert!(!folder(&bench.entry.path).exists());
}

#[test]
fn a_stage_that_cannot_resume_starts_clean() {
    let bench = Bench::new();
    fs::write(bench.entry.open(&bench.lease(0), true).unwrap().join("left"), "over").unwrap();
    assert!(matches!(bench.state(), State::Interrupted));
    assert!(bench.entry.open(&bench.lease(0), true).unwrap().join("left").exists());
    assert!(!bench.entry.open(&bench.lease(0), false).unwrap().join("left").exists());
}

#[test]
fn what_a_kill_cut_short_is_removed_before_an_attempt_goes_on() {
    let bench = Bench::new();
    let own = bench.entry.open(&bench.lease(0), true).unwrap();
    fs::create_dir(own.join("checkpoints")).unwrap();
    for file in [".model.safetensors.tmp-42", "checkpoints/.state.tmp-7", "metrics.jsonl"] {
        fs::write(own.join(file), "x").unwrap();
    }
    let own = bench.entry.open(&bench.lease(0), true).unwrap();
    assert!(own.join("metrics.jsonl").exists());
    assert!(!own.join(".model.safetensors.tmp-42").exists());
    assert!(!own.join("checkpoints/.state.tmp-7").exists());
}

#[test]
fn an_attempt_of_an_older_program_is_gone_on_from() {
    let bench = Bench::new();
    let old = folder(&bench.entry.path);
    fs::create_dir_all(old.join("checkpoints/step-20")).unwrap();
    fs::write(old.join("metrics.jsonl"), "x").unwrap();
    assert_eq!(bench.store.partial(&bench.node), old);
    let own = bench.entry.open(&bench.lease(0), true).unwrap();
    assert!(own.join("metrics.jsonl").exists() && own.join("checkpoints/step-20").exists());
    assert_eq!(fs::read_dir(&old).unwrap().count(), 2, "the attempt and its marker");
}

#[test]
fn two_copies_of_a_task_publish_once_and_never_share_a_file() {
    let bench = Bench::new();
    let first = bench.lease(0);
    let old = bench.entry.open(&first, true).unwrap();
    fs::create_dir(old.join("checkpoints")).unwrap();
    fs::write(old.join("checkpoints/step-20"), "state").unwrap();
    let mut open = fs::File::create(old.join("metrics.jsonl")).unwrap();
    io::Write::write_all(&mut open, b"1\n").unwrap();

    // The cluster starts it again although it is still there.
    let second = bench.lease(1);
    let new = bench.entry.open(&second, true).unwrap();
    assert_eq!(fs::read_to_string(new.join("checkpoints/step-20")).unwrap(), "state");
    io::Write::write_all(&mut open, b"from the first\n").unwrap();
    assert_eq!(fs::read_to_string(new.join("metrics.jsonl")).unwrap(), "1\n");
    assert!(fs::write(old.join("out.txt"), "first").is_err(), "its folder is gone");

    // It may even make its folder again: nobody takes that for an attempt.
    fs::create_dir_all(&old).unwrap();
    fs::write(old.join("out.txt"), "first").unwrap();
    assert_eq!(bench.store.partial(&bench.node), new);
    fs::write(new.join("out.txt"), "second").unwrap();
    assert!(matches!(bench.publish(&first), Err(PublishError::Lost)));
    bench.entry.record_failure(&first, &Failure::new(crate::FailureKind::Bug, "too late"));
    bench.publish(&second).unwrap();
    assert!(matches!(bench.publish(&first), Err(PublishError::Lost)));
    drop((first, second));
    assert!(matches!(bench.state(), State::Done(_)));
    assert_eq!(bench.published(), "second");
}

#[test]
fn a_take_over_that_was_killed_half_way_loses_nothing() {
    let moments: [&dyn Fn(&Path); 3] = [
        // Named, not copied yet; half copied; copied, not cleared up.
        &|_| {},
        &|from| {
            let new = from.with_extension("new");
            fs::create_dir(&new).unwrap();
            fs::write(new.join("half"), "").unwrap();
        },
        &|from| {
            let own = from.with_extension("");
            fs::create_dir(&own).unwrap();
            fs::write(own.join("state"), "x").unwrap();
        },
    ];
    for moment in moments {
        let bench = Bench::new();
        let folder = folder(&bench.entry.path);
        let from = folder.join("t-0123456789abcdef.from");
        fs::create_dir_all(&from).unwrap();
        fs::write(from.join("state"), "x").unwrap();
        fs::write(marker(&from), "").unwrap();
        fs::write(marker(&from.with_extension("")), "").unwrap();
        moment(&from);
        let own = bench.entry.open(&bench.lease(0), true).unwrap();
        assert_eq!(fs::read_to_string(own.join("state")).unwrap(), "x");
        assert!(!own.join("half").exists());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
    }
}

#[test]
fn a_folder_that_is_no_result_is_set_aside_for_one() {
    let bench = Bench::new();
    fs::create_dir_all(&bench.entry.path).unwrap();
    fs::write(bench.entry.path.join("out.txt"), "half a copy").unwrap();
    let lease = bench.lease(0);
    fs::write(bench.entry.open(&lease, false).unwrap().join("out.txt"), "whole").unwrap();
    bench.publish(&lease).unwrap();
    assert_eq!(bench.published(), "whole");
    assert!(with_suffix(&bench.entry.path, ".corrupt").join("out.txt").exists());
}
