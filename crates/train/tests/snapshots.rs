//! Weights that are shown in the course of a training.

mod small;

use std::collections::BTreeMap;
use std::path::Path;

use ablate_corpus::{Shard, ShardWriter, order};
use ablate_model::{Backend, Scheme, Weights, random_weights, training_devices};
use ablate_train::{
    Checkpoints, Observer, Outcome, Span, StepRecord, TrainConfig, TrainData, TrainError,
    ValidationRecord, train,
};

/// Keeps what it is shown; stops, or has no room, on demand.
#[derive(Default)]
struct Kept {
    snapshots: BTreeMap<u64, Weights>,
    /// In the order of the calls, over all tries.
    shown: Vec<u64>,
    begun: Vec<Option<u64>>,
    done: u64,
    stop_after: Option<u64>,
    full_at: Option<u64>,
}

impl Observer for Kept {
    fn begin(&mut self, resumed: Option<u64>) {
        self.begun.push(resumed);
        self.done = resumed.unwrap_or(0);
    }

    fn step(&mut self, record: &StepRecord) {
        self.done = record.step;
    }

    fn validation(&mut self, _: &ValidationRecord) {}

    fn snapshot(&mut self, step: u64, weights: &Weights) -> Result<(), TrainError> {
        assert_eq!(step, self.done, "after the step's own record");
        if self.full_at == Some(step) {
            let source = std::io::Error::from(std::io::ErrorKind::StorageFull);
            return Err(TrainError::Checkpoint { path: "full".into(), source });
        }
        self.shown.push(step);
        let before = self.snapshots.insert(step, weights.clone());
        assert!(before.is_none_or(|before| before == *weights), "another one at step {step}");
        Ok(())
    }

    fn stop(&mut self) -> bool {
        self.stop_after.is_some_and(|step| self.done >= step)
    }
}

fn config(snapshots: &[u64]) -> TrainConfig {
    TrainConfig { snapshots: snapshots.to_vec(), checkpoint_every: 4, ..small::config() }
}

/// A run with its checkpoints in `folder`.
fn run(folder: &Path, config: &TrainConfig, kept: &mut Kept) -> Result<Outcome, TrainError> {
    let path = folder.join("text");
    let mut writer = ShardWriter::create(&path, 24).unwrap();
    let text: Vec<u32> = (0..200).map(|i| (i * i + i / 5) % 24).collect();
    writer.push(&text, 0).unwrap();
    writer.finish().unwrap();
    let shard = Shard::open(&path).unwrap();
    let data = TrainData {
        shard: &shard,
        order: &order(33, 48, 3),
        token_bytes: &[1; 24],
        validation: Vec::new(),
    };
    let checkpoints = Checkpoints::new(folder.join("checkpoints"), "snapshots");
    let init = random_weights(&small::model(), Scheme::Constant, 0.1, 1);
    train(
        config,
        &small::model(),
        init,
        &data,
        &checkpoints,
        &training_devices(Backend::Flex, 1),
        kept,
    )
}

const POINTS: [u64; 4] = [3, 4, 7, 11];

fn undisturbed() -> (Outcome, BTreeMap<u64, Weights>) {
    let folder = tempfile::tempdir().unwrap();
    let mut kept = Kept::default();
    let outcome = run(folder.path(), &config(&POINTS), &mut kept).unwrap();
    assert_eq!(kept.shown, POINTS);
    (outcome, kept.snapshots)
}

/// What is shown is what a run would come to that ends there, and looking changes nothing.
#[test]
fn snapshots_are_the_training_cut_short() {
    let (outcome, snapshots) = undisturbed();
    let folder = tempfile::tempdir().unwrap();
    let mut kept = Kept::default();
    let plain = run(folder.path(), &config(&[]), &mut kept).unwrap();
    assert_eq!(plain, outcome);
    assert!(kept.shown.is_empty());
    for (step, weights) in &snapshots {
        let folder = tempfile::tempdir().unwrap();
        let span = Some(Span { before: 0, total: 12 });
        let short = TrainConfig { steps: *step, span, ..config(&[]) };
        let short = run(folder.path(), &short, &mut Kept::default()).unwrap();
        assert!(short.weights == *weights, "step {step}");
    }
}

/// Wherever a run stops, all snapshots are shown once it is over, and they are the same.
#[test]
fn interrupted_runs_show_the_same() {
    let (outcome, snapshots) = undisturbed();
    for stop in 1..12 {
        let folder = tempfile::tempdir().unwrap();
        let mut kept = Kept { stop_after: Some(stop), ..Kept::default() };
        let stopped = run(folder.path(), &config(&POINTS), &mut kept);
        assert!(matches!(stopped, Err(TrainError::Stopped { step }) if step == stop));
        // Those up to here are on disk, whatever happens now.
        assert!(kept.shown.iter().copied().eq(POINTS.into_iter().filter(|step| *step <= stop)));
        kept.stop_after = None;
        let resumed = run(folder.path(), &config(&POINTS), &mut kept).unwrap();
        assert!(resumed == outcome && kept.snapshots == snapshots, "stopped at {stop}");
        assert_eq!(kept.begun, [None, Some(stop)]);
    }
    // Which points are looked at is no part of what a checkpoint belongs to.
    let folder = tempfile::tempdir().unwrap();
    let mut kept = Kept { stop_after: Some(5), ..Kept::default() };
    run(folder.path(), &config(&[]), &mut kept).unwrap_err();
    kept.stop_after = None;
    assert_eq!(run(folder.path(), &config(&[9]), &mut kept).unwrap(), outcome);
    assert_eq!((kept.shown, kept.begun), (vec![9], vec![None, Some(5)]));
}

/// A snapshot for which there is no room ends the run before there is a checkpoint of its step: the
/// next try makes it.
#[test]
fn a_run_does_not_go_on_without_its_snapshots() {
    let (outcome, snapshots) = undisturbed();
    let folder = tempfile::tempdir().unwrap();
    // A checkpoint is due at step 4 as well.
    let mut kept = Kept { full_at: Some(4), ..Kept::default() };
    let error = run(folder.path(), &config(&POINTS), &mut kept).unwrap_err();
    assert!(matches!(error, TrainError::Checkpoint { .. }), "{error}");
    assert_eq!(kept.shown, [3]);
    kept.full_at = None;
    assert_eq!(run(folder.path(), &config(&POINTS), &mut kept).unwrap(), outcome);
    assert_eq!(kept.begun, [None, None]);
    assert_eq!(kept.snapshots, snapshots);
}
