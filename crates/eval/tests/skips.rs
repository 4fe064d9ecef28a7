//! Scores without layers against models that never had them, and Block Influence against its
//! definition.

use ablate_cost::Shape;
use ablate_eval::{
    Benchmark, EvalError, EvalOptions, Item, LayerSkips, Scoring, Skip, evaluate, layer_skips,
    scores,
};
use ablate_model::{
    Backend, Decoder, ModelConfig, Part, Place, Scheme, Weights, device, random_weights,
};
use ablate_tokenizer::Tokenizer;
use burn::tensor::{Int, Tensor, TensorData};

const DEPTH: usize = 4;

fn tokenizer() -> Tokenizer {
    let text = "The cat is on the mat. Is the cat here? Answer: yes. Is it there? Answer: no.\n";
    Tokenizer::train([text; 10].into_iter(), 280).unwrap()
}

fn config(depth: usize) -> ModelConfig {
    let shape = Shape {
        vocabulary: 280,
        depth,
        width: 16,
        heads: 2,
        kv_heads: 1,
        ffn: 24,
        tied: true,
        pi: Default::default(),
        attention: Default::default(),
        block: Default::default(),
    };
    ModelConfig {
        shape,
        context: 48,
        rope_theta: 1e4,
        norm_eps: 1e-5,
        rope_scaling: Default::default(),
    }
}

fn weights() -> Weights {
    random_weights(&config(DEPTH), Scheme::Constant, 0.3, 5)
}

fn model(config: &ModelConfig, weights: &Weights) -> Decoder {
    Decoder::from_weights(config, weights, &device(Backend::Flex)).unwrap()
}

fn benchmarks() -> Vec<Benchmark> {
    let item = |id: usize| Item {
        id: format!("item-{id}"),
        benchmark: ["exam", "quiz"][id % 2].into(),
        language: "en".into(),
        context: "The cat is on the mat. ".repeat(1 + id * 5 % 3) + "Is it there? Answer:",
        options: [" yes", " no, it is not", " here"].map(str::to_owned).to_vec(),
        key: Some(id % 3),
        ..Item::default()
    };
    let mut items: Vec<Item> = (0..14).map(item).collect();
    // A question without options is no part of it.
    items.push(Item {
        options: Vec::new(),
        key: None,
        reference: Some("yes".into()),
        benchmark: "free".into(),
        ..item(20)
    });
    Benchmark::group(items)
}

fn options() -> EvalOptions {
    EvalOptions { batch_tokens: 200, max_new_tokens: 4, scoring: Scoring::Continuation }
}

fn run(weights: &Weights, counts: &[usize]) -> Result<LayerSkips, EvalError> {
    let config = config(DEPTH);
    let model = model(&config, weights);
    let mut seen = Vec::new();
    let result = layer_skips(
        &model,
        &config,
        &tokenizer(),
        &benchmarks(),
        counts,
        &options(),
        &mut |done, total| seen.push((done, total)),
    );
    if result.is_ok() {
        assert_eq!((seen[0], seen[seen.len() - 1]), ((0, 42), (42, 42)));
    }
    result
}

/// The weights of a model that never had these layers.
fn without(weights: &Weights, skip: Skip) -> (ModelConfig, Weights) {
    let config = config(DEPTH - skip.count);
    let whole = |layer: usize| if layer < skip.first { layer } else { layer + skip.count };
    let rest = ablate_model::places(&config).map(|place| {
        let source = match place {
            Place::Layer(layer, part) => Place::Layer(whole(layer), part),
            other => other,
        };
        (place.name(), weights.get(&source.name()).unwrap().clone())
    });
    let rest = rest.collect();
    (config, rest)
}

#[test]
fn scores_are_those_of_models_that_never_had_the_layers() {
    let weights = weights();
    let found = run(&weights, &[1, 3]).unwrap();
    let skips: Vec<(usize, usize)> =
        found.scores.iter().map(|scores| (scores.skip.count, scores.skip.first)).collect();
    assert_eq!(skips, [(0, 0), (1, 0), (1, 1), (1, 2), (1, 3), (3, 0), (3, 1)]);
    for entry in &found.scores {
        let (config, rest) = without(&weights, entry.skip);
        let model = model(&config, &rest);
        let results =
            evaluate(&model, &config, &tokenizer(), &benchmarks(), &options(), &mut |_, _| {})
                .unwrap();
        let mut expected = scores(&results, Scoring::Continuation);
        expected.retain(|score| score.metric != "rouge1");
        assert_eq!(entry.scores, expected, "{:?}", entry.skip);
    }
    let means: Vec<f64> = found
        .scores
        .iter()
        .map(|entry| {
            let primary = entry.scores.iter().filter(|score| score.primary);
            primary.map(|score| score.value).sum::<f64>() / 2.0
        })
        .collect();
    assert_eq!(found.losses(), [1, 2, 3, 4].map(|without| means[0] - means[without]));
    // They do differ from each other.
    assert!(found.scores[1..].iter().any(|entry| entry.scores != found.scores[0].scores));
}

#[test]
fn influence_is_one_minus_the_mean_cosine_around_a_layer() {
    let mut weights = weights();
    // A layer that adds nothing to the stream changes nothing.
    for part in [Part::Output, Part::Down] {
        weights.get_mut(&Place::Layer(2, part).name()).unwrap().values.fill(0.0);
    }
    let found = run(&weights, &[1]).unwrap();
    let whole = found.scores[0].scores.clone();
    assert_eq!(found.scores[3].scores, whole, "leaving out a layer that does nothing");

    let (config, tokenizer) = (config(DEPTH), tokenizer());
    let model = model(&config, &weights);
    let (mut sums, mut tokens) = ([0.0; DEPTH], 0);
    for item in benchmarks().iter().flat_map(|benchmark| &benchmark.items) {
        for option in &item.options {
            let mut ids = vec![tokenizer.end_of_text()];
            ids.extend(tokenizer.encode(&format!("{}{option}", item.context)));
            let excess = ids.len().saturating_sub(config.context + 1);
            let ids: Vec<i64> =
                ids[excess..ids.len() - 1].iter().map(|id| i64::from(*id)).collect();
            let time = ids.len();
            let ids = TensorData::new(ids, [1, time]);
            let streams = model.streams(Tensor::<2, Int>::from_data(ids, &model.device()));
            let streams: Vec<Vec<f64>> = streams
                .into_iter()
                .map(|s| s.into_data().iter::<f32>().map(f64::from).collect())
                .collect();
            for layer in 0..DEPTH {
                let rows = streams[layer].chunks(16).zip(streams[layer + 1].chunks(16));
                for (a, b) in rows {
                    let dot =
                        |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(a, b)| a * b).sum() };
                    sums[layer] += 1.0 - dot(a, b) / (dot(a, a) * dot(b, b)).sqrt();
                }
            }
            tokens += time;
        }
    }
    for (layer, sum) in sums.iter().enumerate() {
        let expected = sum / tokens as f64;
        let got = found.influence[layer];
        assert!((got - expected).abs() < 1e-5, "layer {layer}: {got}, not {expected}");
    }
    assert!(found.influence[2].abs() < 1e-6 && found.influence[0] > 0.01);
}

#[test]
fn what_cannot_be_left_out_is_an_error() {
    for counts in [vec![0], vec![5], vec![1, 9]] {
        let error = run(&weights(), &counts).unwrap_err().to_string();
        assert!(error.contains("of 4 layers cannot be taken"), "{error}");
    }
    assert_eq!(run(&weights(), &[4]).unwrap().scores.len(), 2);
}
