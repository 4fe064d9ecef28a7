//! Agreement with PyTorch, transformers and tokenizers; `fixtures/make_scores.py` made the numbers.

use std::path::{Path, PathBuf};

use ablate_corpus::{Shard, ShardWriter};
use ablate_cost::Shape;
use ablate_eval::{Benchmark, EvalOptions, Item, Scoring, bits_per_byte, evaluate};
use ablate_model::{Backend, Decoder, ModelConfig, Weights, device};
use ablate_tokenizer::Tokenizer;
use serde::Deserialize;

#[derive(Deserialize)]
struct Fixture {
    context: usize,
    max_new_tokens: usize,
    vocabulary: usize,
    items: Vec<Case>,
    text: Text,
}

#[derive(Deserialize)]
struct Case {
    item: Item,
    expected: serde_json::Value,
}

#[derive(Deserialize)]
struct Text {
    documents: Vec<Vec<u32>>,
    bytes: u64,
    bits_per_byte: f64,
    loss: f64,
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn fixture() -> (Fixture, ModelConfig, Decoder, Tokenizer) {
    let fixture: Fixture = serde_json::from_str(include_str!("fixtures/scores.json")).unwrap();
    let shape = Shape {
        vocabulary: fixture.vocabulary,
        depth: 2,
        width: 16,
        heads: 2,
        kv_heads: 1,
        ffn: 24,
        tied: true,
        pi: Default::default(),
        attention: Default::default(),
        block: Default::default(),
    };
    let config = ModelConfig {
        shape,
        context: fixture.context,
        rope_theta: 1e4,
        norm_eps: 1e-5,
        rope_scaling: Default::default(),
    };
    let weights = Weights::load(&file("tiny.safetensors")).unwrap();
    let model = Decoder::from_weights(&config, &weights, &device(Backend::Flex)).unwrap();
    let tokenizer = Tokenizer::load(&file("tokenizer.json")).unwrap();
    (fixture, config, model, tokenizer)
}

#[track_caller]
fn close(found: f64, expected: &serde_json::Value) {
    let expected = expected.as_f64().unwrap();
    assert!((found - expected).abs() < 1e-4, "{found} is not {expected}");
}

#[test]
fn items() {
    let (fixture, config, model, tokenizer) = fixture();
    let benchmarks = Benchmark::group(fixture.items.iter().map(|case| case.item.clone()).collect());
    let options = EvalOptions {
        batch_tokens: 200,
        max_new_tokens: fixture.max_new_tokens,
        scoring: Scoring::Ppl,
    };
    let results =
        evaluate(&model, &config, &tokenizer, &benchmarks, &options, &mut |_, _| {}).unwrap();
    let (mut truncated, mut answered) = (0, 0);
    for result in results {
        let case = fixture.items.iter().find(|case| case.item.id == result.item).unwrap();
        let Some(expected) = case.expected.as_array() else {
            assert_eq!(result.prediction.as_deref(), case.expected["prediction"].as_str());
            assert_eq!(Some(result.truncated), case.expected["truncated"].as_bool());
            answered += 1;
            continue;
        };
        assert_eq!(result.option_logliks.len(), expected.len());
        for (option, expected) in expected.iter().enumerate() {
            close(result.option_logliks[option], &expected["loglik"]);
            close(result.prompt_losses[option], &expected["prompt_loss"]);
            assert_eq!(Some(u64::from(result.option_tokens[option])), expected["tokens"].as_u64());
        }
        let cut = expected.iter().any(|option| option["truncated"].as_bool().unwrap());
        assert_eq!(result.truncated, cut);
        truncated += usize::from(cut);
    }
    assert!(truncated >= 2 && answered == 5);
}

#[test]
fn held_out_text() {
    let (fixture, config, model, tokenizer) = fixture();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("text.shard");
    let mut writer = ShardWriter::create(&path, fixture.vocabulary).unwrap();
    let token_bytes = tokenizer.token_bytes();
    for document in &fixture.text.documents {
        let bytes = document.iter().map(|id| u64::from(token_bytes[*id as usize])).sum();
        writer.push(document, bytes).unwrap();
    }
    writer.finish().unwrap();
    let shard = Shard::open(&path).unwrap();
    // One window at a time, several, all of them.
    for batch_tokens in [1, 3 * fixture.context, 100_000] {
        let found = bits_per_byte(&model, &config, &shard, &token_bytes, batch_tokens).unwrap();
        assert!((found.bits_per_byte - fixture.text.bits_per_byte).abs() < 1e-5);
        assert!((found.loss - fixture.text.loss).abs() < 1e-5);
        assert_eq!((found.bytes, found.tokens), (fixture.text.bytes, shard.info().tokens));
        assert_eq!(found.windows, shard.info().tokens.div_ceil(fixture.context as u64));
        assert!(found.standard_error.unwrap() > 0.0);
    }
}
