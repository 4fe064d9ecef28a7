//! The decoder against Hugging Face's `LlamaForCausalLM`, plain and with PanGu-π's additions
//! (fixtures/make_llama.py).

use std::path::{Path, PathBuf};

use ablate_cost::{Pi, Shape};
use ablate_model::{
    Backend, Decoder, GenerateOptions, Gradient, ModelConfig, Weights, device, generate,
    generate_batch, matrix_to_host, training_device, vector_to_host,
};
use burn::tensor::{Device, Int, Tensor, TensorData};
use serde_json::Value;

struct Fixture {
    config: ModelConfig,
    weights: Weights,
    gradients: Weights,
    numbers: Weights,
    json: Value,
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn fixture(name: &str) -> Fixture {
    let text = std::fs::read_to_string(file(&format!("{name}.json"))).unwrap();
    let json: Value = serde_json::from_str(&text).unwrap();
    let size = |key: &str| json["config"][key].as_u64().unwrap() as usize;
    let shape = Shape {
        vocabulary: size("vocab_size"),
        depth: size("num_hidden_layers"),
        width: size("hidden_size"),
        heads: size("num_attention_heads"),
        kv_heads: size("num_key_value_heads"),
        ffn: size("intermediate_size"),
        tied: json["config"]["tie_word_embeddings"].as_bool().unwrap(),
        pi: match json.get("pi") {
            Some(pi) => serde_json::from_value(pi.clone()).unwrap(),
            None => Pi::NONE,
        },
        attention: Default::default(),
        block: Default::default(),
    };
    let config = ModelConfig {
        shape,
        context: size("max_position_embeddings"),
        rope_theta: json["config"]["rope_theta"].as_f64().unwrap(),
        norm_eps: json["config"]["rms_norm_eps"].as_f64().unwrap(),
        rope_scaling: Default::default(),
    };
    let load = |suffix: &str| Weights::load(&file(&format!("{name}{suffix}.safetensors"))).unwrap();
    let (weights, gradients, numbers) = (load(""), load("-gradients"), load("-logits"));
    Fixture { config, weights, gradients, numbers, json }
}

fn all() -> [Fixture; 3] {
    [fixture("untied"), fixture("tied"), fixture("pi")]
}

impl Fixture {
    fn decoder(&self, device: &Device) -> Decoder {
        Decoder::from_weights(&self.config, &self.weights, device).unwrap()
    }

    fn ids(&self, key: &str, device: &Device) -> Tensor<2, Int> {
        let rows = lists(&self.json[key]);
        let shape = [rows.len(), rows[0].len()];
        let flat: Vec<i64> = rows.concat().into_iter().map(i64::from).collect();
        Tensor::from_data(TensorData::new(flat, shape), device)
    }

    fn expected(&self, name: &str) -> &[f32] {
        &self.numbers.get(name).unwrap().values
    }

    fn loss(&self) -> f64 {
        self.json["loss"].as_f64().unwrap()
    }
}

fn lists(json: &Value) -> Vec<Vec<u32>> {
    serde_json::from_value(json.clone()).unwrap()
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

#[track_caller]
fn assert_close(got: &[f32], expected: &[f32], tolerance: f32, what: &str) {
    assert_eq!(got.len(), expected.len(), "{what}");
    for (index, (a, b)) in got.iter().zip(expected).enumerate() {
        assert!((a - b).abs() <= tolerance, "{what}[{index}]: {a}, but expected {b}");
    }
}

#[test]
fn logits_and_losses_equal_transformers() {
    let device = device(Backend::Flex);
    for fixture in all() {
        let model = fixture.decoder(&device);
        let (inputs, targets) = (fixture.ids("inputs", &device), fixture.ids("targets", &device));
        let logits = model.logits(inputs.clone());
        let [batch, time] = inputs.dims();
        assert_eq!(logits.dims(), [batch, time, fixture.config.shape.vocabulary]);
        assert_close(&values(logits), fixture.expected("logits"), 2e-5, "logits");
        let losses = model.token_losses(inputs.clone(), targets.clone());
        assert_eq!(losses.dims(), [batch, time]);
        assert_close(&values(losses), fixture.expected("losses"), 2e-5, "losses");
        let loss = model.loss(inputs, targets);
        assert_close(&values(loss), &[fixture.loss() as f32], 5e-6, "loss");
    }
}

#[test]
fn every_gradient_equals_transformers() {
    let device = training_device(Backend::Flex);
    for fixture in all() {
        let model = fixture.decoder(&device);
        let loss = model.loss(fixture.ids("inputs", &device), fixture.ids("targets", &device));
        assert_close(&values(loss.clone().inner()), &[fixture.loss() as f32], 5e-6, "loss");
        let gradients = model.gradients(&loss);
        assert_eq!(gradients.iter().len(), fixture.gradients.len());
        let mut squares = 0.0;
        for (name, gradient) in model.names().iter().zip(gradients.iter()) {
            let host = match gradient.unwrap() {
                Gradient::Matrix(gradient) => matrix_to_host(name, gradient.clone()),
                Gradient::Vector(gradient) => vector_to_host(gradient.clone()),
            };
            let expected = fixture.gradients.get(name).unwrap();
            assert_eq!(host.shape, expected.shape, "{name}");
            assert_close(&host.values, &expected.values, 1e-5, name);
            squares += expected.values.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>();
        }
        let got = gradients.squared_norm();
        assert!((got / squares - 1.0).abs() < 1e-5, "{got} {squares}");
        let doubled = gradients.clone().add(gradients).scale(0.25);
        assert!((doubled.squared_norm() / squares - 0.25).abs() < 1e-5);
    }
}

#[test]
fn greedy_generation_equals_transformers_alone_and_in_batches() {
    for fixture in all() {
        let model = fixture.decoder(&device(Backend::Flex));
        let prompts = lists(&fixture.json["prompts"]);
        let expected = lists(&fixture.json["greedy"]);
        let options = GenerateOptions { max_new_tokens: expected[0].len(), stop: vec![] };
        for (prompt, expected) in prompts.iter().zip(&expected) {
            assert_eq!(&generate(&model, prompt, &options), expected);
        }
        // Equal lengths share a batch; the order of the prompts is kept.
        let many: Vec<&[u32]> =
            prompts.iter().rev().chain(&prompts).map(|prompt| prompt.as_slice()).collect();
        let expected: Vec<Vec<u32>> = expected.iter().rev().chain(&expected).cloned().collect();
        for threads in [1, 2, 5] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            assert_eq!(pool.install(|| generate_batch(&model, &many, &options)), expected);
        }
    }
}

/// Greedy continuation by running the whole sequence for every token.
fn without_cache(model: &Decoder, prompt: &[u32], count: usize) -> Vec<u32> {
    let mut sequence = prompt.to_vec();
    for _ in 0..count {
        let ids: Vec<i64> = sequence.iter().map(|id| i64::from(*id)).collect();
        let ids = TensorData::new(ids, [1, sequence.len()]);
        let logits = values(model.logits(Tensor::from_data(ids, &model.device())));
        let last = &logits[logits.len() - model.config().shape.vocabulary..];
        let best = (0..last.len()).max_by(|a, b| last[*a].total_cmp(&last[*b])).unwrap();
        sequence.push(best as u32);
    }
    sequence.split_off(prompt.len())
}

#[test]
fn the_cache_changes_nothing_and_generation_stops_where_it_should() {
    for fixture in all() {
        let model = fixture.decoder(&device(Backend::Flex));
        let run = |prompt: &[u32], max_new_tokens, stop: &[u32]| {
            generate(&model, prompt, &GenerateOptions { max_new_tokens, stop: stop.to_vec() })
        };
        let prompt = [3, 1, 4, 1, 5];
        let full = run(&prompt, 9, &[]);
        assert_eq!(full, without_cache(&model, &prompt, 9));

        // A stop token ends the result and is not part of it.
        let stop = full[4];
        let first = full.iter().position(|token| *token == stop).unwrap();
        assert_eq!(run(&prompt, 9, &[stop]), full[..first]);
        assert!(run(&prompt, 0, &[]).is_empty());
        assert!(run(&[], 9, &[]).is_empty());

        // The context is filled to its end: its last token's prediction needs no place in it.
        let context = fixture.config.context;
        assert_eq!(run(&prompt, context, &[]).len(), context);
        assert_eq!(run(&prompt, 10 * context, &[]).len(), context);
        // A prompt that is too long loses its beginning.
        let long: Vec<u32> = (0..3 * context as u32).map(|i| i * 7 % 23).collect();
        assert_eq!(run(&long, 6, &[]), run(&long[long.len() - (context - 5)..], 6, &[]));
        assert_eq!(run(&long, 6, &[]).len(), 6);
    }
}

#[test]
fn the_exported_configuration_is_the_one_of_the_fixture() {
    for fixture in all() {
        let exported = fixture.config.hugging_face();
        for (key, value) in fixture.json["config"].as_object().unwrap() {
            assert_eq!(&exported[key], value, "{key}");
        }
    }
}

#[test]
fn saving_gives_the_bytes_that_python_wrote() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["untied", "tied", "pi"] {
        let fixture = fixture(name);
        let path = folder.path().join("model.safetensors");
        let model = fixture.decoder(&device(Backend::Flex));
        model.to_weights().save(&path).unwrap();
        let original = std::fs::read(file(&format!("{name}.safetensors"))).unwrap();
        assert!(std::fs::read(&path).unwrap() == original, "{name}");
        assert_eq!(Weights::load(&path).unwrap(), fixture.weights);
    }
    // Nothing but the file is left.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}
