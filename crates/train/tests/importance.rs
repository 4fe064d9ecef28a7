//! Scores of coupled groups against PyTorch and transformers (`fixtures/make_importance.py`).

use std::path::{Path, PathBuf};

use ablate_corpus::{Shard, ShardWriter};
use ablate_cost::{Pi, Shape};
use ablate_inherit::{Norm, magnitudes, taylor};
use ablate_model::{Backend, Decoder, ModelConfig, Units, Weights, training_device};
use ablate_train::{Portions, Saliency, saliency};
use serde::Deserialize;

const CONTEXT: usize = 12;

#[derive(Deserialize)]
struct Fixture {
    kv_heads: usize,
    tied: bool,
    text: Vec<u32>,
    loss: f64,
    kept: Kept,
    scores: Criteria,
}

#[derive(Deserialize)]
struct Kept {
    layers: Vec<usize>,
    rows: Vec<u32>,
}

#[derive(Deserialize)]
struct Criteria {
    l1: Scores,
    l2: Scores,
    taylor: Scores,
}

/// With all layers and rows, and with those that are kept.
#[derive(Deserialize)]
struct Scores {
    all: Groups,
    kept: Groups,
}

impl Scores {
    fn of(&self, all: bool) -> &Groups {
        if all { &self.all } else { &self.kept }
    }
}

#[derive(Deserialize)]
struct Groups {
    hidden: Vec<f64>,
    heads: Vec<Vec<f64>>,
    ffn: Vec<Vec<f64>>,
}

impl Groups {
    #[track_caller]
    fn assert_near(&self, what: &str, ours: &Units, within: f64) {
        let theirs = [vec![self.hidden.clone()], self.heads.clone(), self.ffn.clone()].concat();
        let ours = [vec![ours.hidden.clone()], ours.heads.clone(), ours.ffn.clone()].concat();
        assert_eq!(ours.len(), theirs.len(), "{what}");
        for (ours, theirs) in ours.iter().zip(&theirs) {
            assert_eq!(ours.len(), theirs.len(), "{what}");
            for (ours, theirs) in ours.iter().zip(theirs) {
                let error = (ours - theirs).abs() / theirs.abs();
                assert!(error < within, "{what}: {ours} here, {theirs} in PyTorch");
            }
        }
    }
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/importance").join(name)
}

fn model(fixture: &Fixture) -> ModelConfig {
    let shape = Shape {
        vocabulary: 23,
        depth: 3,
        width: 16,
        heads: 4,
        kv_heads: fixture.kv_heads,
        ffn: 20,
        tied: fixture.tied,
        pi: Pi::NONE,
        attention: Default::default(),
        block: Default::default(),
    };
    ModelConfig {
        shape,
        context: CONTEXT,
        rope_theta: 1e4,
        norm_eps: 1e-5,
        rope_scaling: Default::default(),
    }
}

fn portions(micro_sequences: usize) -> Portions {
    Portions { context: CONTEXT, micro_sequences }
}

fn shard(folder: &Path, text: &[u32]) -> Shard {
    let path = folder.join("shard");
    let mut writer = ShardWriter::create(&path, 23).unwrap();
    writer.push(text, 0).unwrap();
    writer.finish().unwrap();
    Shard::open(&path).unwrap()
}

#[test]
fn scores_are_those_of_pytorch() {
    for name in ["mha-untied", "mha-tied", "gqa-untied", "gqa-tied"] {
        let text = std::fs::read_to_string(file(&format!("{name}.json"))).unwrap();
        let fixture: Fixture = serde_json::from_str(&text).unwrap();
        let model = model(&fixture);
        let weights = Weights::load(&file(&format!("{name}.safetensors"))).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let shard = shard(folder.path(), &fixture.text);
        let decoder =
            Decoder::from_weights(&model, &weights, &training_device(Backend::Flex)).unwrap();
        let found = |micro| -> Saliency {
            let order = [3, 0, 4, 1, 2];
            let found = saliency(&decoder, &shard, &order, portions(micro), &mut |_, _| true);
            found.unwrap().unwrap()
        };
        let whole = found(5);
        assert_eq!(whole.tokens, 60);
        assert!((whole.loss / fixture.loss - 1.0).abs() < 1e-5, "{name}: {}", whole.loss);

        let everything: (Vec<usize>, Vec<u32>) = ((0..3).collect(), (0..23).collect());
        let kept = (fixture.kept.layers.clone(), fixture.kept.rows.clone());
        for (layers, rows, is_all) in [(everything.0, everything.1, true), (kept.0, kept.1, false)]
        {
            let by = |norm| magnitudes((&model, &weights), &layers, &rows, norm).unwrap();
            let Criteria { l1, l2, taylor: first_order } = &fixture.scores;
            l1.of(is_all).assert_near(&format!("{name}, L1"), &by(Norm::L1), 1e-4);
            l2.of(is_all).assert_near(&format!("{name}, L2"), &by(Norm::L2), 1e-4);
            for saliency in [&whole, &found(2)] {
                let ours = taylor((&model, &saliency.weights), &layers, &rows).unwrap();
                first_order.of(is_all).assert_near(&format!("{name}, Taylor"), &ours, 1e-4);
            }
        }
    }
}

#[test]
fn what_cannot_be_scored_is_named() {
    let text = std::fs::read_to_string(file("gqa-tied.json")).unwrap();
    let fixture: Fixture = serde_json::from_str(&text).unwrap();
    let model = model(&fixture);
    let weights = Weights::load(&file("gqa-tied.safetensors")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let shard = shard(folder.path(), &fixture.text);
    let decoder = Decoder::from_weights(&model, &weights, &training_device(Backend::Flex)).unwrap();
    let check = |order: &[u32], portions: Portions, expect: &str| {
        let error = saliency(&decoder, &shard, order, portions, &mut |_, _| true).unwrap_err();
        assert!(error.to_string().contains(expect), "{error}");
    };
    check(&[], portions(2), "`calibration` is empty");
    check(&[5], portions(2), "names window 5");
    check(&[0], portions(0), "`micro_sequences` is 0");
    check(&[0], Portions { context: 0, ..portions(2) }, "`context` is 0");
    check(&[0], Portions { context: 13, ..portions(2) }, "the model's is 12");
    // Asked to stop, it stops.
    let mut heard = Vec::new();
    let mut progress = |done, all| {
        heard.push((done, all));
        false
    };
    assert!(saliency(&decoder, &shard, &[0, 1, 2], portions(2), &mut progress).unwrap().is_none());
    assert_eq!(heard, [(2, 3)]);

    let error = taylor((&model, &Weights::new()), &[0], &[0]).unwrap_err().to_string();
    assert!(error.contains("the parent: "), "{error}");
    let error = taylor((&model, &weights), &[3], &[0]).unwrap_err().to_string();
    assert!(error.contains("layer 3 is selected"), "{error}");
    let error = magnitudes((&model, &weights), &[0], &[2, 2], Norm::L1).unwrap_err().to_string();
    assert!(error.contains("the same parent id 2"), "{error}");
}
