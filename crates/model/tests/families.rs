//! Models of LLaMA's family as `transformers` and llama.cpp write them (fixtures/make_families.py).

mod files;

use ablate_cost::Block;
use ablate_gguf::Gguf;
use ablate_model::{
    Backend, Decoder, Foreign, GenerateOptions, Part, Place, RopeScaling, Scheme, Units, Weights,
    device, fold, generate, random_weights, read_gguf, read_hugging_face, training_device,
};
use burn::tensor::{Int, Tensor, TensorData};
use serde_json::Value;

use files::fixtures;

const NAMES: [&str; 7] = ["llama", "mistral", "qwen2", "qwen", "llama3", "linear", "phi"];

fn model(name: &str) -> Foreign {
    read_hugging_face(&fixtures().join(name)).unwrap()
}

fn lists(json: &Value) -> Vec<Vec<u32>> {
    serde_json::from_value(json.clone()).unwrap()
}

fn tensor(rows: &[Vec<u32>], device: &burn::tensor::Device) -> Tensor<2, Int> {
    let ids: Vec<i64> = rows.iter().flatten().map(|id| i64::from(*id)).collect();
    Tensor::from_data(TensorData::new(ids, [rows.len(), rows[0].len()]), device)
}

#[test]
fn logits_and_greedy_continuations_equal_transformers() {
    let device = device(Backend::Flex);
    for name in NAMES {
        let text = std::fs::read(fixtures().join(format!("{name}.json"))).unwrap();
        let json: Value = serde_json::from_slice(&text).unwrap();
        let foreign = model(name);
        let decoder = Decoder::from_weights(&foreign.config, &foreign.weights, &device).unwrap();
        assert!(decoder.to_weights() == foreign.weights, "{name}");
        let inputs = lists(&json["inputs"]);
        let found: Vec<f32> =
            decoder.logits(tensor(&inputs, &device)).into_data().try_into_vec().unwrap();
        let expected = Weights::load(&fixtures().join(format!("{name}.logits"))).unwrap();
        let expected = &expected.get("logits").unwrap().values;
        let largest = expected.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
        assert!(largest > 1.0, "{name}: logits that say nothing");
        let wrong = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(found.len() == expected.len() && wrong < 5e-5, "{name}: {wrong}");
        for (prompt, expected) in inputs.iter().zip(lists(&json["greedy"])) {
            let options = GenerateOptions { max_new_tokens: expected.len(), stop: vec![] };
            assert_eq!(generate(&decoder, &prompt[..5], &options), expected, "{name}");
        }
    }
}

#[test]
fn each_family_has_what_it_is_there_for() {
    let llama = model("llama").config;
    assert_eq!((llama.shape.kv_heads, llama.shape.tied, llama.rope_theta), (2, false, 5e4));
    assert!(llama.shape.attention.is_none() && llama.rope_scaling.is_none());
    let mistral = model("mistral");
    assert_eq!(mistral.config.shape.attention.head_dim, Some(12));
    assert_eq!((mistral.config.context, mistral.notes.len()), (24, 1));
    let qwen = model("qwen2").config;
    assert!(qwen.shape.attention.bias && qwen.shape.tied);
    // Its first generation counts gate and up together, and has no more context than its angles.
    let first = model("qwen").config;
    assert!(first.shape.attention.bias && !first.shape.tied);
    assert_eq!((first.shape.ffn, first.context, first.norm_eps), (64, 64, 1e-6));
    assert!(matches!(model("llama3").config.rope_scaling, RopeScaling::Llama3 { .. }));
    assert_eq!(model("linear").config.rope_scaling, RopeScaling::Linear { factor: 4.0 });
    let phi = model("phi").config;
    assert_eq!(phi.rope_scaling, RopeScaling::Partial { channels: 4 });
    assert!(phi.shape.block == Block::Phi && phi.shape.attention.bias && !phi.shape.tied);
    for name in NAMES {
        let Foreign { config, weights, .. } = model(name);
        assert_eq!(weights.values(), config.shape.parameters().total, "{name}");
    }
}

#[test]
fn numbers_of_every_type_equal_those_of_ggufs_own_package() {
    let path = fixtures().join("llama.gguf");
    let read = read_gguf(&path, &Gguf::read(&path).unwrap()).unwrap();
    assert_eq!(read.config, model("llama").config);
    let expected = Weights::load(&fixtures().join("llama.gguf.expected")).unwrap();
    for (name, tensor) in expected.iter() {
        assert!(read.weights.get(name) == Some(tensor), "{name}");
    }
    assert_eq!(read.weights.len(), expected.len());
}

/// Losses of a head with biases are of its logits; parameters and gradients have one order.
#[test]
fn losses_of_phi_are_of_its_logits() {
    let Foreign { config, weights, .. } = model("phi");
    let device = training_device(Backend::Flex);
    let decoder = Decoder::from_weights(&config, &weights, &device).unwrap();
    let (rows, next) = (vec![vec![3, 1, 4, 1, 5]], vec![vec![1, 4, 1, 5, 9]]);
    let (inputs, targets) = (tensor(&rows, &device), tensor(&next, &device));
    let logits: Vec<f32> =
        decoder.logits(inputs.clone()).inner().into_data().try_into_vec().unwrap();
    let loss = |row: &[f32], target: u32| {
        let sum: f64 = row.iter().map(|logit| f64::from(*logit).exp()).sum();
        sum.ln() - f64::from(row[target as usize])
    };
    let losses = logits.chunks(config.shape.vocabulary).zip(&next[0]).map(|(row, t)| loss(row, *t));
    let expected = losses.sum::<f64>() / next[0].len() as f64;
    let found = decoder.loss(inputs, targets);
    let gradients = decoder.gradients(&found);
    assert!((f64::from(found.into_scalar::<f32>()) - expected).abs() < 1e-5);
    let names = decoder.names();
    assert_eq!(gradients.iter().count(), names.len());
    for (gradient, name) in gradients.iter().zip(&names) {
        let shape = &weights.get(name).unwrap().shape;
        let dims = match gradient.unwrap() {
            ablate_model::Gradient::Vector(gradient) => gradient.dims().to_vec(),
            // Projections are the other way round in a module.
            ablate_model::Gradient::Matrix(gradient) => gradient.dims().to_vec(),
        };
        let turned: Vec<usize> = shape.iter().rev().copied().collect();
        assert!(dims == *shape || dims == turned, "{name}: {dims:?} {shape:?}");
    }
}

/// A model of Qwen2's kind computes gradients as well: each is the slope of the loss.
#[test]
fn biases_have_gradients_and_come_back_as_they_were() {
    let Foreign { config, mut weights, .. } = model("qwen2");
    let device = training_device(Backend::Flex);
    let rows = vec![vec![3, 1, 4, 1, 5, 9, 2, 6], vec![2, 7, 1, 8, 2, 8, 1, 8]];
    let targets = vec![vec![1, 4, 1, 5, 9, 2, 6, 5], vec![7, 1, 8, 2, 8, 1, 8, 2]];
    let loss = |weights: &Weights| {
        let decoder = Decoder::from_weights(&config, weights, &device).unwrap();
        let loss = decoder.loss(tensor(&rows, &device), tensor(&targets, &device));
        (decoder, loss)
    };
    let (decoder, whole) = loss(&weights);
    assert!(decoder.to_weights() == weights);
    let gradients = decoder.gradients(&whole);
    let names = decoder.names();
    for part in [Part::QueryBias, Part::KeyBias, Part::ValueBias] {
        let name = Place::Layer(1, part).name();
        let at = names.iter().position(|known| *known == name).unwrap();
        let gradient = match gradients.iter().nth(at).unwrap().unwrap() {
            ablate_model::Gradient::Vector(gradient) => gradient.clone(),
            ablate_model::Gradient::Matrix(_) => panic!("{name} is a vector"),
        };
        let gradient: Vec<f32> = gradient.into_data().try_into_vec().unwrap();
        let step = 0.02_f32;
        let mut slope = |channel: usize| {
            let mut at = |by: f32| {
                weights.get_mut(&name).unwrap().values[channel] += by;
                let value = loss(&weights).1.into_scalar::<f32>();
                weights.get_mut(&name).unwrap().values[channel] -= by;
                value
            };
            (at(step) - at(-step)) / (2.0 * step)
        };
        for channel in [0, 5, 17] {
            let (found, expected) = (gradient[channel], slope(channel));
            assert!(
                (found - expected).abs() < 2e-3 + 0.02 * expected.abs(),
                "{name}: {found} {expected}"
            );
        }
    }
}

#[test]
fn masks_reach_heads_with_biases_and_heads_of_their_own_size() {
    for name in ["qwen2", "mistral"] {
        let Foreign { config, weights, .. } = model(name);
        let device = device(Backend::Flex);
        let mut masks = Units::filled(&config.shape, 1.0);
        masks.heads[0][1] = 0.25;
        masks.layers[1] = 0.5;
        masks.ffn[1][7] = 0.0;
        let rows = vec![vec![3, 1, 4, 1, 5, 9, 2, 6]];
        let targets = vec![vec![1, 4, 1, 5, 9, 2, 6, 5]];
        let (inputs, targets) = (tensor(&rows, &device), tensor(&targets, &device));
        let decoder = Decoder::from_weights(&config, &weights, &device).unwrap();
        let masked = decoder.masked(&masks).loss(inputs.clone(), targets.clone());
        let folded = fold(&config, &weights, &masks).unwrap();
        let folded = Decoder::from_weights(&config, &folded, &device).unwrap();
        let [masked, folded, plain] =
            [masked, folded.loss(inputs.clone(), targets.clone()), decoder.loss(inputs, targets)]
                .map(|loss| loss.into_scalar::<f32>());
        assert!((masked - folded).abs() < 1e-5, "{name}: {masked} {folded}");
        assert!((masked - plain).abs() > 1e-3, "{name}: masks change nothing");
    }
}

#[test]
fn random_weights_have_no_biases_to_begin_with() {
    let config = model("qwen2").config;
    let weights = random_weights(&config, Scheme::Constant, 0.02, 1);
    weights.check(&config).unwrap();
    let bias = weights.get(&Place::Layer(0, Part::KeyBias).name()).unwrap();
    assert!(bias.values.iter().all(|value| *value == 0.0));
}

#[test]
fn a_model_that_is_written_is_the_model_that_was_read() {
    for name in NAMES {
        let Foreign { config, weights, .. } = model(name);
        let folder = tempfile::tempdir().unwrap();
        weights.save(&folder.path().join("model.safetensors")).unwrap();
        let json = config.hugging_face().to_string();
        std::fs::write(folder.path().join("config.json"), json).unwrap();
        let again = read_hugging_face(folder.path());
        if name == "phi" {
            // Its channels are in our order, which nobody else knows.
            assert!(again.unwrap_err().to_string().contains("type `ablate_phi`"));
            continue;
        }
        let again = again.unwrap();
        assert!(again.config == config && again.weights == weights, "{name}");
    }
}
