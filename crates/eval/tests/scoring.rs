//! Evaluation against plain computations, and what must not change it.

use ablate_corpus::{Shard, ShardWriter};
use ablate_cost::Shape;
use ablate_eval::{
    Benchmark, EvalError, EvalOptions, Item, ItemProblem, ItemResult, Scoring, bits_per_byte,
    evaluate, scores,
};
use ablate_model::{
    Backend, Decoder, HostTensor, ModelConfig, Scheme, Weights, device, random_weights,
    training_device,
};
use ablate_tokenizer::Tokenizer;
use burn::tensor::{Int, Tensor, TensorData};

const TEXT: &str = "The cat is on the mat. Is the cat here? Answer: yes. Is it there? Answer: no. \
                    这只猫在垫子上。猫在这里吗?答案:在。\n";

fn tokenizer() -> Tokenizer {
    let texts = [TEXT; 10];
    Tokenizer::train(texts.into_iter(), 290).unwrap()
}

fn config(context: usize) -> ModelConfig {
    let shape = Shape {
        vocabulary: 290,
        depth: 2,
        width: 16,
        heads: 2,
        kv_heads: 2,
        ffn: 24,
        tied: false,
        pi: Default::default(),
        attention: Default::default(),
        block: Default::default(),
    };
    ModelConfig {
        shape,
        context,
        rope_theta: 1e4,
        norm_eps: 1e-5,
        rope_scaling: Default::default(),
    }
}

fn model(config: &ModelConfig, seed: u64) -> Decoder {
    let weights = random_weights(config, Scheme::Constant, 0.3, seed);
    Decoder::from_weights(config, &weights, &device(Backend::Flex)).unwrap()
}

fn choice(id: usize, context: &str, options: &[&str], key: usize) -> Item {
    Item {
        id: format!("item-{id}"),
        benchmark: "exam".into(),
        language: "en".into(),
        context: context.into(),
        options: options.iter().map(|option| (*option).to_owned()).collect(),
        key: Some(key),
        ..Item::default()
    }
}

/// Items of many lengths.
fn items() -> Vec<Item> {
    (0..12)
        .map(|id| {
            let context = "The cat is on the mat. ".repeat(1 + id * 5 % 7) + "Is it there? Answer:";
            choice(id, &context, &[" yes", " no, it is not there", " 在"], id % 3)
        })
        .collect()
}

fn options(batch_tokens: usize) -> EvalOptions {
    EvalOptions { batch_tokens, max_new_tokens: 5, scoring: Scoring::Ppl }
}

fn run(model: &Decoder, items: Vec<Item>, batch_tokens: usize) -> Vec<ItemResult> {
    let benchmarks = Benchmark::group(items);
    let (config, options) = (model.config().clone(), options(batch_tokens));
    evaluate(model, &config, &tokenizer(), &benchmarks, &options, &mut |_, _| {}).unwrap()
}

/// -ln softmax of each next token, from logits of one sequence and sums in f64.
fn plain_losses(model: &Decoder, tokens: &[u32]) -> Vec<f64> {
    let ids: Vec<i64> = tokens[..tokens.len() - 1].iter().map(|id| i64::from(*id)).collect();
    let shape = [1, ids.len()];
    let input = Tensor::<2, Int>::from_data(TensorData::new(ids, shape), &model.device());
    let logits: Vec<f32> = model.logits(input).into_data().convert::<f32>().try_into_vec().unwrap();
    let rows = logits.chunks(model.config().shape.vocabulary);
    rows.zip(&tokens[1..])
        .map(|(row, target)| {
            let total: f64 = row.iter().map(|logit| f64::from(*logit).exp()).sum();
            total.ln() - f64::from(row[*target as usize])
        })
        .collect()
}

#[test]
fn equals_one_prompt_at_a_time() {
    let (model, tokenizer) = (model(&config(200), 1), tokenizer());
    for (item, result) in items().iter().zip(run(&model, items(), 400)) {
        let context = tokenizer.encode(&item.context).len();
        for (index, option) in item.options.iter().enumerate() {
            let mut tokens = vec![tokenizer.end_of_text()];
            tokens.extend(tokenizer.encode(&format!("{}{option}", item.context)));
            let losses = plain_losses(&model, &tokens);
            let loglik = -losses[context..].iter().sum::<f64>();
            assert!((result.option_logliks[index] - loglik).abs() < 1e-4);
            let loss = losses.iter().sum::<f64>() / losses.len() as f64;
            assert!((result.prompt_losses[index] - loss).abs() < 1e-5);
            assert_eq!(result.option_tokens[index] as usize, losses.len() - context);
        }
        assert_eq!(result.option_bytes, [3, 19, 3]);
        assert_eq!(result.option_chars, [3, 19, 1]);
        assert!(!result.truncated);
    }
}

#[test]
fn batches_and_order_do_not_matter() {
    let model = model(&config(200), 2);
    let expected = run(&model, items(), 1);
    let compare = |found: &ItemResult, expected: &ItemResult| {
        assert_eq!(found.item, expected.item);
        assert_eq!(found.document_hash, expected.document_hash);
        let pairs = found.option_logliks.iter().zip(&expected.option_logliks);
        for (left, right) in pairs.chain(found.prompt_losses.iter().zip(&expected.prompt_losses)) {
            assert!((left - right).abs() < 1e-4, "{left} {right}");
        }
    };
    for batch_tokens in [100, 1000, 1_000_000] {
        let found = run(&model, items(), batch_tokens);
        found.iter().zip(&expected).for_each(|(left, right)| compare(left, right));
    }
    let mut reversed = items();
    reversed.reverse();
    let found = run(&model, reversed, 300);
    found.iter().rev().zip(&expected).for_each(|(left, right)| compare(left, right));
}

#[test]
fn a_model_that_trains_gives_the_same_results() {
    let config = config(200);
    let weights = random_weights(&config, Scheme::Constant, 0.3, 2);
    let trainable =
        Decoder::from_weights(&config, &weights, &training_device(Backend::Flex)).unwrap();
    assert_eq!(run(&trainable, items(), 300), run(&model(&config, 2), items(), 300));
}

#[test]
fn long_contexts_keep_their_end() {
    let (tokenizer, small) = (tokenizer(), model(&config(24), 3));
    let long = "The cat is on the mat. ".repeat(9) + "Answer:";
    let result = &run(&small, vec![choice(0, &long, &[" yes", " no"], 0)], 300)[0];
    assert!(result.truncated);
    let whole = tokenizer.encode(&format!("{long} yes"));
    let losses = plain_losses(&small, &whole[whole.len() - 25..]);
    assert!((result.prompt_losses[0] - losses.iter().sum::<f64>() / 24.0).abs() < 1e-5);
    let option = &losses[24 - result.option_tokens[0] as usize..];
    assert!(option.len() < 5);
    assert!((result.option_logliks[0] + option.iter().sum::<f64>()).abs() < 1e-5);
    // An option that is longer than the context itself.
    let result = &run(&small, vec![choice(0, "", &[&long, " no"], 0)], 300)[0];
    assert!(result.truncated && result.option_logliks[0].is_finite());
}

/// A model without layers that matter: after the first token of the pair it expects the second,
/// else (and always without a pair) nothing in particular.
fn bigram(config: &ModelConfig, pair: Option<(u32, u32)>) -> Decoder {
    let fill = |name: &str, shape: &[usize]| {
        let norm = name.ends_with("norm.weight");
        HostTensor::filled(shape.to_vec(), if norm { 1.0 } else { 0.0 })
    };
    let mut weights: Weights = Weights::names_of(config)
        .into_iter()
        .map(|(name, shape)| {
            let tensor = fill(&name, &shape);
            (name, tensor)
        })
        .collect();
    let width = config.shape.width;
    let mut set = |name: &str, row: u32, value: f32| {
        weights.get_mut(name).unwrap().values[row as usize * width] = value;
    };
    if let Some((before, after)) = pair {
        set("model.embed_tokens.weight", before, 1.0);
        set("lm_head.weight", after, 2.0);
    }
    Decoder::from_weights(config, &weights, &device(Backend::Flex)).unwrap()
}

#[test]
fn planted_knowledge_is_found() {
    let (tokenizer, config) = (tokenizer(), config(64));
    let colon = *tokenizer.encode("Answer:").last().unwrap();
    let first =
        |text: &str| tokenizer.encode(&format!("Answer:{text}"))[tokenizer.encode("Answer:").len()];
    assert_ne!(first("yes"), first("no"));
    let items = || {
        let ask = |id, key| choice(id, "Is it there? Answer:", &["yes", "no"], key);
        vec![ask(0, 1), ask(1, 1), ask(2, 0)]
    };
    for (planted, right) in [("no", 2.0 / 3.0), ("yes", 1.0 / 3.0)] {
        let model = bigram(&config, Some((colon, first(planted))));
        let results = run(&model, items(), 100);
        for result in &results {
            let expected = usize::from(planted == "no");
            assert_eq!(result.choice_acc, Some(expected));
            assert_eq!(result.choice_ppl, Some(expected));
        }
        let found = scores(&results, Scoring::Continuation);
        let acc = found.iter().find(|score| score.primary).unwrap();
        assert_eq!((acc.metric.as_str(), acc.items, acc.chance), ("acc", 3, Some(0.5)));
        assert!((acc.value - right).abs() < 1e-12);
    }
}

#[test]
fn a_longer_option_wins_by_bytes_only() {
    // A model of uniform chance: each token costs ln 290, so that sums favour few tokens and
    // bytes favour many bytes per token.
    let uniform = bigram(&config(64), None);
    let tokenizer = tokenizer();
    let (short, long) = (" x", " there");
    let context = tokenizer.encode("Is it").len();
    let tokens = |text: &str| tokenizer.encode(&format!("Is it{text}")).len() - context;
    assert!(tokens(short) <= tokens(long));
    let per_byte = |text: &str| tokens(text) as f64 / text.trim().len() as f64;
    assert!(per_byte(long) < per_byte(short));
    let result = &run(&uniform, vec![choice(0, "Is it", &[short, long], 0)], 100)[0];
    assert_eq!((result.choice_acc, result.choice_acc_norm), (Some(0), Some(1)));
    for (loglik, option) in result.option_logliks.iter().zip([short, long]) {
        assert!((loglik + 290f64.ln() * tokens(option) as f64).abs() < 1e-4);
    }
}

#[test]
fn free_text_is_generated_and_scored() {
    let (tokenizer, config) = (tokenizer(), config(64));
    let free = |id: &str, context: &str, reference: &str| Item {
        id: id.into(),
        benchmark: "news".into(),
        language: "zh".into(),
        context: context.into(),
        reference: Some(reference.into()),
        ..Item::default()
    };
    // After a colon a cat, after a cat nothing in particular: the first id, which stops.
    let cat = tokenizer.encode("猫");
    let colon = *tokenizer.encode("Answer:").last().unwrap();
    let model = bigram(&config, Some((colon, cat[0])));
    let mut calls = Vec::new();
    let items = vec![free("a", "Answer:", "猫在"), free("b", &"Answer:".repeat(40), "狗")];
    let benchmarks = Benchmark::group(items);
    let results =
        evaluate(&model, &config, &tokenizer, &benchmarks, &options(100), &mut |done, all| {
            calls.push((done, all));
        })
        .unwrap();
    assert_eq!(results[0].prediction.as_deref(), Some(tokenizer.decode(&cat[..1]).as_str()));
    assert_eq!((results[0].truncated, results[1].truncated), (false, true));
    if cat.len() == 1 {
        // One of one character found, one of two expected.
        assert!((results[0].rouge1.unwrap() - 2.0 / 3.0).abs() < 1e-12);
    }
    assert_eq!(results[1].rouge1, Some(0.0));
    assert_eq!((results[0].choice_ppl, results[0].key), (None, None));
    assert_eq!((calls.first(), calls.last()), (Some(&(0, 2)), Some(&(2, 2))));
}

#[test]
fn uniform_models_need_the_entropy_of_their_vocabulary() {
    let (tokenizer, config) = (tokenizer(), config(8));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("text.shard");
    let mut writer = ShardWriter::create(&path, 290).unwrap();
    let mut document = tokenizer.encode(TEXT);
    document.push(tokenizer.end_of_text());
    writer.push(&document, TEXT.len() as u64).unwrap();
    writer.finish().unwrap();
    let shard = Shard::open(&path).unwrap();
    let uniform = bigram(&config, None);
    let bytes = tokenizer.token_bytes();
    let found = bits_per_byte(&uniform, &config, &shard, &bytes, 64).unwrap();
    assert_eq!((found.bytes, found.tokens), (TEXT.len() as u64, document.len() as u64));
    let expected = document.len() as f64 * 290f64.log2() / TEXT.len() as f64;
    assert!((found.bits_per_byte - expected).abs() < 1e-4);
    assert!((found.loss - 290f64.ln()).abs() < 1e-5);

    let error = bits_per_byte(&uniform, &config, &shard, &bytes[..100], 64).unwrap_err();
    assert!(matches!(error, EvalError::TokenBytes { found: 100, vocabulary: 290 }));
    let error = bits_per_byte(&uniform, &config, &shard, &[0; 290], 64).unwrap_err();
    assert!(matches!(error, EvalError::NoText { .. }));
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let (tokenizer, config) = (tokenizer(), config(64));
    let known = model(&config, 1);
    let check = |model: &Decoder, config: &ModelConfig, items: Vec<Item>| {
        let benchmarks = [Benchmark { name: "exam".into(), language: "en".into(), items }];
        evaluate(model, config, &tokenizer, &benchmarks, &options(100), &mut |_, _| {}).unwrap_err()
    };
    let shape = Shape { vocabulary: 280, ..config.shape };
    let small = ModelConfig { shape, ..config.clone() };
    let error = check(&model(&small, 1), &small, items());
    assert!(matches!(error, EvalError::Vocabulary { found: 290, vocabulary: 280, .. }));
    assert!(matches!(check(&known, &small, items()), EvalError::Config));
    let twice = [items(), items()].concat();
    assert!(matches!(check(&known, &config, twice), EvalError::DuplicateItem { .. }));
    let bad = choice(0, "Is it?", &[" yes", " no"], 2);
    let error = check(&known, &config, vec![bad]);
    assert!(matches!(
        error,
        EvalError::Item { problem: ItemProblem::KeyOutside { key: 2, options: 2 }, .. }
    ));
    // A head so large that the logits overflow.
    let mut weights = random_weights(&config, Scheme::Constant, 0.3, 1);
    weights.get_mut("lm_head.weight").unwrap().values.fill(3e38);
    let broken = Decoder::from_weights(&config, &weights, &device(Backend::Flex)).unwrap();
    let error = check(&broken, &config, items());
    assert!(matches!(error, EvalError::NotFinite { .. }), "{error}");
}

#[test]
fn nothing_to_evaluate_is_no_error() {
    assert!(run(&model(&config(64), 1), vec![], 100).is_empty());
}
