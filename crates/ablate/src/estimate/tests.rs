use std::io;
use std::path::{Path, PathBuf};

use ablate_pipeline::Node;
use ablate_spec::Options;

use super::*;
use crate::graph;

/// A ladder of four steps with a parent, two seeds, budgets in tokens.
pub const LADDER: &str = r#"
[study]
name = "small"
seeds = [1, 2]
[corpus]
bytes = "2MB"
validation_bytes = "60kB"
[tokenizer]
vocabulary = 1000
[model]
depth = 4
width = 64
heads = 4
context = 128
ffn.multiple = 16
[train]
tokens = "400k"
batch_tokens = 4096
micro_tokens = 2048
learning_rate = 1e-3
[eval]
items = 20
[parents.teacher]
seed = 1
model = { depth = 6, width = 96, heads = 6 }
[[design.ladder]]
name = "baseline"
[[design.ladder]]
name = "compact"
set.tokenizer = { vocabulary = 500, build.compact = { from = 1000 } }
[[design.ladder]]
name = "inherit"
set.init.inherit = { parent = "teacher" }
[[design.ladder]]
name = "rounds"
set.rounds = { count = 2, rate = 0.5, budget = "extra" }
"#;

/// A study and its graph, from text.
pub fn study(text: &str) -> (Study, StudyGraph) {
    let read = |_: &Path| Ok::<_, io::Error>(text.to_owned());
    let loaded = ablate_spec::load(Path::new("small.toml"), &read, &Options::default());
    let study = loaded.unwrap_or_else(|failure| panic!("{:#?}", failure.diagnostics)).study;
    let built = graph::build(&study, &ablate_benchmark::Library::new("", "")).unwrap();
    (study, built)
}

/// Two cores, 8 GB.
pub fn machine() -> Machine {
    Machine { cpu: "a cpu".to_owned(), cores: 2, memory: 8_000_000_000 }
}

/// Estimates of a study in an empty folder, without a timing.
pub fn estimated(text: &str) -> (Study, StudyGraph, Estimates) {
    let (study, mut built) = study(text);
    let root = Root::new(PathBuf::from("does-not-exist"));
    let estimates = estimate(&mut built, &study, &root, &machine(), Timing::Cached);
    (study, built, estimates)
}

fn stages<'a>(built: &'a StudyGraph, stage: &str) -> Vec<&'a Node> {
    built.graph.iter().map(|(_, node)| node).filter(|node| node.stage == stage).collect()
}

/// Operations of a training token, product by product: 6 per weight of a matrix, and 12 per
/// key seen, channel and layer for the attention, where (128 + 1) / 2 keys are seen on average.
fn flops(depth: f64, width: f64, ffn: f64, vocabulary: f64) -> f64 {
    let weights = depth * (4.0 * width * width + 3.0 * width * ffn) + vocabulary * width;
    6.0 * weights + 12.0 * depth * width * 64.5
}

#[test]
fn tokens_and_operations_in_closed_form() {
    let (study, _, estimates) = estimated(LADDER);
    // 400,000 tokens are nearest to 98 batches of 4096.
    let round = 98 * 4096;
    let [baseline, compact, inherit, rounds] = &estimates.variants[..] else { panic!() };
    assert_eq!(baseline.train_tokens, round);
    assert!(baseline.tokens_exact);
    let ffn = study.variants[0].model.ffn as f64;
    let expect = |vocabulary: f64| flops(4.0, 64.0, ffn, vocabulary) * round as f64;
    let near = |a: f64, b: f64| assert!((a / b - 1.0).abs() < 1e-12, "{a} not {b}");
    near(baseline.train_flops, expect(1000.0));
    near(compact.train_flops, expect(500.0));
    near(inherit.train_flops, expect(500.0));
    // Half of the batches again, after one forward pass over all of them.
    assert_eq!(rounds.train_tokens, round + 49 * 4096);
    near(rounds.train_flops, expect(500.0) * (1.0 + 0.5 + 1.0 / 3.0));
}

#[test]
fn a_budget_in_bytes_is_an_estimate_until_the_text_is_tokenised() {
    let text = LADDER.replace("tokens = \"400k\"", "bytes = \"1MB\"");
    let (_, _, estimates) = estimated(&text);
    let baseline = &estimates.variants[0];
    assert!(!baseline.tokens_exact);
    let tokens = 1e6 / rates::BYTES_PER_TOKEN;
    assert!((baseline.train_tokens as f64 - tokens).abs() <= 2048.0, "{}", baseline.train_tokens);
}

#[test]
fn stages_are_estimated_once_and_all_of_them() {
    let (study, built, estimates) = estimated(LADDER);
    for (_, node) in built.graph.iter() {
        let estimate = node.estimate;
        assert!(estimate.seconds >= rates::PROCESS_SECONDS, "{} {}", node.stage, node.name);
        assert!(estimate.memory >= rates::PROCESS_MEMORY, "{} {}", node.stage, node.name);
        assert!(estimate.disk > 0, "{} {}", node.stage, node.name);
    }
    // One parent; per seed baseline, compact, inherit (whose first round `rounds` shares).
    assert_eq!(stages(&built, "train").len(), 1 + 2 * 4);
    assert_eq!(stages(&built, "tokenizer").len(), 1);
    for (variant, estimate) in study.variants.iter().zip(&estimates.variants) {
        assert_eq!(estimate.parameters, variant.shape().parameters());
        assert_eq!(estimate.source, Source::Guessed);
    }
    let (baseline, rounds) = (&estimates.variants[0], &estimates.variants[3]);
    assert!(baseline.seconds > baseline.train_flops / rates::GUESSED_FLOPS);
    assert!(rounds.seconds > estimates.variants[2].seconds);
    let train = stages(&built, "train")[1];
    let kept = ablate_cost::Kept::Activations;
    let memory = ablate_cost::training_memory(&study.variants[0].shape(), 16, 128, kept).total;
    assert_eq!(train.estimate.memory, memory + rates::PROCESS_MEMORY);
    let eval = stages(&built, "eval")[0];
    assert_eq!(baseline.peak_memory, train.estimate.memory.max(eval.estimate.memory));
}

#[test]
fn timing_keeps_what_it_measures() {
    let folder = tempfile::tempdir().unwrap();
    let root = Root::new(folder.path().to_owned());
    let base = LADDER.split("[parents").next().unwrap();
    let (study, mut built) = study(base);
    let measured = estimate(&mut built, &study, &root, &machine(), Timing::Measure);
    assert_eq!(measured.variants[0].source, Source::Measured);
    let again = estimate(&mut built, &study, &root, &machine(), Timing::Cached);
    assert_eq!(again.variants[0].source, Source::Measured);
    assert_eq!(again.variants[0].seconds, measured.variants[0].seconds);
    let files: Vec<_> = std::fs::read_dir(root.store().root()).unwrap().collect();
    assert_eq!(files.len(), 1);
}
