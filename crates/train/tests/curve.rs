//! Fifty steps against the same fifty in PyTorch (`fixtures/make_curve.py`, `make_bf16_curve.py`).

use std::path::{Path, PathBuf};

use ablate_corpus::{Shard, ShardWriter};
use ablate_model::{Backend, ModelConfig, Weights, training_devices};
use ablate_train::{
    Checkpoints, Observer, Outcome, Precision, StepRecord, TrainConfig, TrainData,
    ValidationRecord, train,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Curve {
    model: ModelConfig,
    train: TrainConfig,
    tokens: Vec<u32>,
    held_out_tokens: Vec<u32>,
    token_bytes: Vec<u32>,
    order: Vec<u32>,
    held_out: HeldOut,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
struct HeldOut {
    before: Validation,
    after: Validation,
}

#[derive(Deserialize)]
struct Validation {
    loss: f64,
    bits_per_byte: f64,
}

#[derive(Deserialize)]
struct Step {
    loss: f64,
    gradient_norm: f64,
    learning_rate: f64,
}

#[derive(Default)]
struct Records {
    steps: Vec<StepRecord>,
    validations: Vec<ValidationRecord>,
}

impl Observer for Records {
    fn step(&mut self, record: &StepRecord) {
        self.steps.push(record.clone());
    }

    fn validation(&mut self, record: &ValidationRecord) {
        self.validations.push(record.clone());
    }
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn shard(path: &Path, tokens: &[u32], vocabulary: usize) -> Shard {
    let mut writer = ShardWriter::create(path, vocabulary).unwrap();
    writer.push(tokens, 0).unwrap();
    writer.finish().unwrap();
    Shard::open(path).unwrap()
}

#[track_caller]
fn near(what: &str, ours: f64, theirs: f64, relative: f64) {
    let error = (ours - theirs).abs() / theirs.abs().max(1e-3);
    assert!(error < relative, "{what}: {ours} here, {theirs} in PyTorch");
}

impl Curve {
    fn load() -> Self {
        serde_json::from_slice(&std::fs::read(fixture("curve.json")).unwrap()).unwrap()
    }

    /// The same steps here.
    fn train(&self) -> (Records, Outcome) {
        let vocabulary = self.model.shape.vocabulary;
        let folder = tempfile::tempdir().unwrap();
        let text = shard(&folder.path().join("text"), &self.tokens, vocabulary);
        let held_out = shard(&folder.path().join("held-out"), &self.held_out_tokens, vocabulary);
        let data = TrainData {
            shard: &text,
            order: &self.order,
            token_bytes: &self.token_bytes,
            validation: vec![("en".into(), &held_out)],
        };
        let mut records = Records::default();
        let outcome = train(
            &self.train,
            &self.model,
            Weights::load(&fixture("curve-initial.safetensors")).unwrap(),
            &data,
            &Checkpoints::new(folder.path().join("checkpoints"), "curve"),
            &training_devices(Backend::Flex, 1),
            &mut records,
        )
        .unwrap();
        (records, outcome)
    }
}

#[test]
fn bf16_stays_as_near_to_f32_as_autocast_does() {
    #[derive(Deserialize)]
    struct Autocast {
        losses: Vec<f64>,
    }
    let autocast: Autocast =
        serde_json::from_slice(&std::fs::read(fixture("curve-bf16.json")).unwrap()).unwrap();
    let mut curve = Curve::load();
    curve.train.precision = Precision::Bf16;
    let (records, outcome) = curve.train();
    let apart = |losses: &mut dyn Iterator<Item = f64>| {
        let each = losses.zip(&curve.steps).map(|(loss, step)| (loss - step.loss).abs());
        let each: Vec<f64> = each.collect();
        assert_eq!(each.len(), 50);
        (each.iter().sum::<f64>() / 50.0, each.into_iter().fold(0.0, f64::max))
    };
    let (mean, most) = apart(&mut records.steps.iter().map(|step| step.loss));
    let (peer_mean, peer_most) = apart(&mut autocast.losses.iter().copied());
    // Autocast rounds results as well as factors.
    assert!(mean <= peer_mean && most <= peer_most, "{mean} {most}, {peer_mean} {peer_most}");
    assert!(mean > 1e-4, "{mean}: nothing was rounded");
    // Validation is in f32: before the first step nothing differs.
    near("held-out loss", records.validations[0].loss, curve.held_out.before.loss, 1e-4);
    let (again, same) = curve.train();
    assert!(again.steps.iter().zip(&records.steps).all(|(a, b)| a.loss == b.loss));
    assert!(same.weights.iter().zip(outcome.weights.iter()).all(|(a, b)| a.1.values == b.1.values));
}

#[test]
fn fifty_steps_agree_with_pytorch() {
    let curve = Curve::load();
    let (records, outcome) = curve.train();

    assert_eq!(records.steps.len(), 50);
    assert_eq!(curve.steps.len(), 50);
    for (ours, theirs) in records.steps.iter().zip(&curve.steps) {
        let step = ours.step;
        assert!((ours.loss - theirs.loss).abs() < 1e-4, "step {step}: {ours:?}");
        near(&format!("norm {step}"), ours.gradient_norm, theirs.gradient_norm, 1e-3);
        near(&format!("rate {step}"), ours.learning_rate, theirs.learning_rate, 1e-12);
    }
    // Some steps were clipped and some were not, or clipping is untested.
    let clipped = records.steps.iter().filter(|r| r.gradient_norm > curve.train.clip).count();
    assert!((10..40).contains(&clipped));

    let [before, after] = &records.validations[..] else { panic!("{:?}", records.validations) };
    assert_eq!((before.step, after.step, after.language.as_str()), (0, 50, "en"));
    for (ours, theirs) in [(before, &curve.held_out.before), (after, &curve.held_out.after)] {
        near("held-out loss", ours.loss, theirs.loss, 1e-4);
        near("bits per byte", ours.bits_per_byte, theirs.bits_per_byte, 1e-4);
    }

    assert_eq!((outcome.steps, outcome.tokens), (50, 50 * 8 * 16));
    let last = records.steps.last().unwrap();
    assert_eq!((outcome.final_loss, outcome.bytes), (last.loss, last.bytes));
    let expect: u64 = curve.order[..400]
        .iter()
        .flat_map(|window| &curve.tokens[*window as usize * 16 + 1..][..16])
        .map(|token| u64::from(curve.token_bytes[*token as usize]))
        .sum();
    assert_eq!(outcome.bytes, expect);

    let theirs = Weights::load(&fixture("curve-final.safetensors")).unwrap();
    assert_eq!(outcome.weights.len(), theirs.len());
    for ((name, ours), (_, theirs)) in outcome.weights.iter().zip(theirs.iter()) {
        let worst = ours.values.iter().zip(&theirs.values).map(|(a, b)| (a - b).abs());
        let worst = worst.fold(0.0, f32::max);
        assert!(worst < 1e-3, "{name} is off by {worst}");
    }
}
