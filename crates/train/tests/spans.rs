//! Runs that go on where others ended, and runs that explode.

mod small;

use std::path::Path;

use ablate_corpus::{Shard, ShardWriter, order};
use ablate_model::{Backend, Scheme, random_weights, training_devices};
use ablate_train::{
    Checkpoints, Initial, Moments, Observer, Outcome, Span, StepRecord, TrainConfig, TrainData,
    TrainError, ValidationRecord, train,
};

/// Losses and learning rates of the steps; stops on demand.
#[derive(Default)]
struct Seen {
    steps: Vec<(u64, f64, f64)>,
    stop_after: Option<u64>,
}

impl Observer for Seen {
    fn begin(&mut self, resumed: Option<u64>) {
        self.steps.retain(|step| resumed.is_some_and(|resumed| step.0 <= resumed));
    }

    fn step(&mut self, record: &StepRecord) {
        self.steps.push((record.step, record.loss, record.learning_rate));
    }

    fn validation(&mut self, _: &ValidationRecord) {}

    fn stop(&mut self) -> bool {
        let done = self.steps.last().map_or(0, |step| step.0);
        self.stop_after.is_some_and(|step| done >= step)
    }
}

fn config(steps: u64) -> TrainConfig {
    TrainConfig { steps, checkpoint_every: 4, ..small::config() }
}

/// A run over the windows from `from` on, with its checkpoints in `folder`.
fn run(
    folder: &Path,
    config: &TrainConfig,
    init: impl Into<Initial>,
    from: usize,
    seen: &mut Seen,
) -> Result<Outcome, TrainError> {
    let path = folder.join("text");
    let mut writer = ShardWriter::create(&path, 24).unwrap();
    let text: Vec<u32> = (0..200).map(|i| (i * i + i / 5) % 24).collect();
    writer.push(&text, 0).unwrap();
    writer.finish().unwrap();
    let shard = Shard::open(&path).unwrap();
    let visits = order(33, 48, 3);
    let data = TrainData {
        shard: &shard,
        order: &visits[from..],
        token_bytes: &[1; 24],
        validation: Vec::new(),
    };
    let checkpoints = Checkpoints::new(folder.join("checkpoints"), "spans");
    train(
        config,
        &small::model(),
        init,
        &data,
        &checkpoints,
        &training_devices(Backend::Flex, 1),
        seen,
    )
}

/// One schedule cut into two runs, the moments carried over through a file, is one run.
#[test]
fn two_runs_with_kept_moments_are_one() {
    let folders = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let init = || random_weights(&small::model(), Scheme::Constant, 0.1, 1);
    let mut whole = Seen::default();
    let reference = run(folders[0].path(), &config(12), init(), 0, &mut whole).unwrap();

    let part = |steps, before| TrainConfig {
        span: Some(Span { before, total: 12 }),
        keep_moments: true,
        ..config(steps)
    };
    let (mut first, mut second) = (Seen::default(), Seen::default());
    let half = run(folders[1].path(), &part(5, 0), init(), 0, &mut first).unwrap();
    let moments = half.moments.unwrap();
    assert_eq!(moments.updates, 5);
    let path = folders[1].path().join("moments.safetensors");
    moments.save(&path).unwrap();
    let initial = || Initial {
        weights: half.weights.clone(),
        moments: Some(Moments::load(&path, 5).unwrap()),
    };
    // Stopped in between, too: what the moments have seen is not lost.
    second.stop_after = Some(3);
    let stopped = run(folders[2].path(), &part(7, 5), initial(), 20, &mut second).unwrap_err();
    assert!(matches!(stopped, TrainError::Stopped { step: 3 }), "{stopped}");
    second.stop_after = None;
    let end = run(folders[2].path(), &part(7, 5), initial(), 20, &mut second).unwrap();
    assert_eq!(end.weights, reference.weights);
    assert_eq!(end.moments.unwrap().updates, 12);
    assert!(reference.moments.is_none());
    let joined: Vec<(f64, f64)> =
        first.steps.iter().chain(&second.steps).map(|step| (step.1, step.2)).collect();
    let whole: Vec<(f64, f64)> = whole.steps.iter().map(|step| (step.1, step.2)).collect();
    assert_eq!(joined, whole);

    // With fresh moments it is another run.
    let folder = tempfile::tempdir().unwrap();
    let other = run(folder.path(), &part(7, 5), half.weights, 20, &mut Seen::default()).unwrap();
    assert_ne!(other.weights, reference.weights);
}

/// Absurd losses end the run at the step at which they began, also when it was stopped on the way.
#[test]
fn an_exploding_loss_ends_the_run() {
    let exploding = TrainConfig { learning_rate: 3.0, patience: 3, warmup: 0.1, ..config(12) };
    let init = || random_weights(&small::model(), Scheme::Constant, 0.1, 1);
    let folder = tempfile::tempdir().unwrap();
    let mut seen = Seen::default();
    let error = run(folder.path(), &exploding, init(), 0, &mut seen).unwrap_err();
    let TrainError::Exploded { step, loss, limit, patience: 3 } = error else { panic!("{error}") };
    // ln 24 = 3.178; a model of small weights begins near it.
    assert!((limit - seen.steps[0].1.max(24f64.ln()) - 1.0).abs() < 1e-12);
    let absurd: Vec<u64> =
        seen.steps.iter().filter(|s| s.0 > 2 && s.1 > limit).map(|s| s.0).collect();
    assert_eq!(absurd[absurd.len() - 3..], [step, step + 1, step + 2]);
    assert_eq!(seen.steps.last().unwrap().1, loss);
    assert!(is_the_first(&seen, limit), "{:?}", seen.steps);

    let folder = tempfile::tempdir().unwrap();
    let mut again = Seen { stop_after: Some(step), ..Seen::default() };
    let stopped = run(folder.path(), &exploding, init(), 0, &mut again).unwrap_err();
    assert!(matches!(stopped, TrainError::Stopped { .. }), "{stopped}");
    again.stop_after = None;
    let error = run(folder.path(), &exploding, init(), 0, &mut again).unwrap_err();
    assert_eq!(error.diverged_at(), Some(step));
    assert!(error.to_string().contains(&format!("diverged at step {step}")), "{error}");
    assert_eq!(again.steps, seen.steps);

    // Tried again, it is the same divergence.
    let error = run(folder.path(), &exploding, init(), 0, &mut again).unwrap_err();
    assert_eq!(error.diverged_at(), Some(step));

    // Not asked for, it goes on to its end.
    let folder = tempfile::tempdir().unwrap();
    let patient = TrainConfig { patience: 0, ..exploding };
    assert_eq!(run(folder.path(), &patient, init(), 0, &mut seen).unwrap().steps, 12);
}

/// No earlier three steps in a row were absurd.
fn is_the_first(seen: &Seen, limit: f64) -> bool {
    let warm: Vec<bool> = seen.steps.iter().skip(2).map(|step| step.1 > limit).collect();
    warm[..warm.len() - 1].windows(3).all(|three| three.contains(&false))
}
