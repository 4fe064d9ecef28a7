//! Fifty steps against the same fifty in PyTorch (`fixtures/make_curve.py`).

use std::path::{Path, PathBuf};

use ablate_corpus::{Shard, ShardWriter};
use ablate_model::{Backend, ModelConfig, Weights, training_device};
use ablate_train::{
    Checkpoints, Observer, StepRecord, TrainConfig, TrainData, ValidationRecord, train,
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

#[test]
fn fifty_steps_agree_with_pytorch() {
    let curve: Curve =
        serde_json::from_slice(&std::fs::read(fixture("curve.json")).unwrap()).unwrap();
    let vocabulary = curve.model.shape.vocabulary;
    let folder = tempfile::tempdir().unwrap();
    let text = shard(&folder.path().join("text"), &curve.tokens, vocabulary);
    let held_out = shard(&folder.path().join("held-out"), &curve.held_out_tokens, vocabulary);
    let data = TrainData {
        shard: &text,
        order: &curve.order,
        token_bytes: &curve.token_bytes,
        validation: vec![("en".into(), &held_out)],
    };
    let mut records = Records::default();
    let outcome = train(
        &curve.train,
        &curve.model,
        Weights::load(&fixture("curve-initial.safetensors")).unwrap(),
        &data,
        &Checkpoints::new(folder.path().join("checkpoints"), "curve"),
        &training_device(Backend::Flex),
        &mut records,
    )
    .unwrap();

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
