//! Items of published benchmarks against plain computations, and what must not change their scores.

use ablate_cost::Shape;
use ablate_eval::{
    EvalError, Form, Item, ItemResult, Manner, Prefix, Scoring, document_likelihoods,
    document_metrics, evaluate_items,
};
use ablate_model::{
    Backend, Decoder, GenerateOptions, ModelConfig, Scheme, device, generate, random_weights,
};
use ablate_tokenizer::Tokenizer;
use burn::tensor::{Int, Tensor, TensorData};

const TEXT: &str = "The cat is on the mat. Is the cat here? Answer: yes. Is it there? Answer: no. \
                    这只猫在垫子上。猫在这里吗?答案:在。\n";

fn tokenizer() -> Tokenizer {
    Tokenizer::train([TEXT; 10].into_iter(), 290).unwrap()
}

fn model(context: usize, seed: u64) -> Decoder {
    let shape = Shape {
        vocabulary: 290,
        depth: 2,
        width: 16,
        heads: 2,
        kv_heads: 1,
        ffn: 24,
        tied: false,
        pi: Default::default(),
        attention: Default::default(),
        block: Default::default(),
    };
    let config = ModelConfig {
        shape,
        context,
        rope_theta: 1e4,
        rope_scaling: Default::default(),
        norm_eps: 1e-5,
    };
    let weights = random_weights(&config, Scheme::Constant, 0.3, seed);
    Decoder::from_weights(&config, &weights, &device(Backend::Flex)).unwrap()
}

/// For each next token: its loss, and whether it is the most likely one; of one sequence, in f64.
fn plain(model: &Decoder, tokens: &[u32]) -> Vec<(f64, bool)> {
    let ids: Vec<i64> = tokens[..tokens.len() - 1].iter().map(|id| i64::from(*id)).collect();
    let shape = [1, ids.len()];
    let input = Tensor::<2, Int>::from_data(TensorData::new(ids, shape), &model.device());
    let logits: Vec<f32> = model.logits(input).into_data().convert::<f32>().try_into_vec().unwrap();
    let rows = logits.chunks(model.config().shape.vocabulary);
    rows.zip(&tokens[1..])
        .map(|(row, target)| {
            let total: f64 = row.iter().map(|logit| f64::from(*logit).exp()).sum();
            let own = row[*target as usize];
            (total.ln() - f64::from(own), row.iter().all(|logit| *logit <= own))
        })
        .collect()
}

/// Items after one long header, with options of one token and of several; the last has contexts of its
/// own, a single option, and no context.
fn items() -> Vec<Item> {
    let header =
        "Is the cat here? Answer: yes.\n\nThe cat is on the mat. Answer: no.\n\n".repeat(3);
    let item = |id: usize, context: String, options: &[&str], form: Form| Item {
        id: format!("item-{id}"),
        benchmark: "exam".into(),
        language: "en".into(),
        context,
        options: options.iter().map(|option| (*option).to_owned()).collect(),
        key: Some(id % options.len()),
        reference: None,
        form: Some(form),
    };
    let form = |subject: &str| Form {
        subject: Some(subject.into()),
        delimiter: " ".into(),
        ..Form::default()
    };
    let mut items: Vec<Item> = (0..9)
        .map(|id| {
            let own = "The cat is on the mat. ".repeat(1 + id * 5 % 4);
            let options: &[&str] = if id % 2 == 0 {
                &[" a", " b", " c", " d"]
            } else {
                &[" yes", " no, it is not", " 在"]
            };
            item(id, format!("{header}{own}Is it there? Answer:"), options, form("cats"))
        })
        .collect();
    let contexts = vec!["The cat".into(), "The mat".into()];
    items.push(item(
        9,
        String::new(),
        &[" is here.", " is here."],
        Form { contexts, ..form("own") },
    ));
    items.push(item(10, "The cat is on the".into(), &[" mat"], form("word")));
    items.push(item(11, String::new(), &[" The cat", " The mat"], form("none")));
    let unconditional = Some("Answer:".into());
    items.push(item(12, "Is it?".into(), &[" yes", " no"], Form { unconditional, ..form("pmi") }));
    items
}

fn manner(prefix: Prefix) -> Manner {
    Manner { prefix, scoring: None, batch_tokens: 700, max_new_tokens: 6, share: true }
}

fn run(model: &Decoder, items: &[Item], manner: &Manner) -> Vec<ItemResult> {
    let items: Vec<&Item> = items.iter().collect();
    evaluate_items(model, &tokenizer(), &items, manner, &mut |_, _| {}).unwrap()
}

#[track_caller]
fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-4, "{found} is not {expected}");
}

#[test]
fn equals_one_prompt_at_a_time() {
    let (model, tokenizer) = (model(400, 1), tokenizer());
    let end = tokenizer.end_of_text();
    for prefix in [Prefix::Always(end), Prefix::WhereEmpty(end)] {
        for (item, result) in items().iter().zip(run(&model, &items(), &manner(prefix))) {
            for (option, text) in item.options.iter().enumerate() {
                let before = item.context_of(option);
                let context = tokenizer.encode(before).len();
                let always = matches!(prefix, Prefix::Always(_));
                let first = (always || before.is_empty()).then_some(end);
                let mut tokens: Vec<u32> = first.into_iter().collect();
                tokens.extend(tokenizer.encode(&format!("{before}{text}")));
                let found = plain(&model, &tokens);
                let count = tokens.len() - usize::from(first.is_some()) - context;
                let own = &found[found.len() - count..];
                close(result.option_logliks[option], -own.iter().map(|pair| pair.0).sum::<f64>());
                assert_eq!(result.option_greedy[option], own.iter().all(|pair| pair.1));
                let mean = found.iter().map(|pair| pair.0).sum::<f64>() / found.len() as f64;
                close(result.prompt_losses[option], mean);
                assert_eq!(result.option_tokens[option] as usize, own.len());
            }
            assert!(!result.truncated);
        }
    }
}

#[test]
fn what_the_model_would_say_is_greedy() {
    let (model, tokenizer) = (model(400, 1), tokenizer());
    let end = tokenizer.end_of_text();
    let options = GenerateOptions { max_new_tokens: 1, stop: Vec::new() };
    let mut said = 0;
    for context in
        ["The cat", "Is it", "Answer:", "no.", "on the mat. Is", "这只猫", "there", "here? A"]
    {
        let known = tokenizer.encode(context);
        let prompt: Vec<u32> = std::iter::once(end).chain(known.iter().copied()).collect();
        let next = generate(&model, &prompt, &options);
        let text = tokenizer.decode(&next);
        // A piece that is half a character, or that joins what stands before it, is no option.
        if tokenizer.encode(&format!("{context}{text}")) != [known, next].concat() {
            continue;
        }
        let item = Item {
            id: "1".into(),
            benchmark: "exam".into(),
            language: "en".into(),
            context: context.into(),
            options: vec![
                text + "x",
                "z".into(),
                tokenizer.decode(&generate(&model, &prompt, &options)),
            ],
            key: Some(0),
            reference: None,
            form: Some(Form::default()),
        };
        if item.check().is_ok() {
            let found = run(&model, &[item], &manner(Prefix::Always(end))).remove(0);
            assert!(found.option_greedy[2], "{context}");
            said += 1;
        }
    }
    assert!(said > 0);
}

#[test]
fn sharing_batches_and_order_do_not_matter() {
    let model = model(400, 2);
    let base = manner(Prefix::WhereEmpty(0));
    let expected = run(&model, &items(), &Manner { share: false, batch_tokens: 1, ..base });
    let compare = |found: &ItemResult, expected: &ItemResult| {
        assert_eq!(found.item, expected.item);
        assert_eq!(found.option_greedy, expected.option_greedy);
        for (left, right) in found.option_logliks.iter().zip(&expected.option_logliks) {
            close(*left, *right);
        }
        for (left, right) in found.prompt_losses.iter().zip(&expected.prompt_losses) {
            close(*left, *right);
        }
        for (left, right) in found.unconditional_logliks.iter().zip(&expected.unconditional_logliks)
        {
            close(*left, *right);
        }
    };
    for share in [false, true] {
        for batch_tokens in [1, 300, 100_000] {
            let manner = Manner { share, batch_tokens, ..base };
            for (found, expected) in run(&model, &items(), &manner).iter().zip(&expected) {
                compare(found, expected);
            }
        }
    }
    let mut turned = items();
    turned.reverse();
    for (found, expected) in run(&model, &turned, &base).iter().zip(expected.iter().rev()) {
        compare(found, expected);
    }
    // Without the losses of whole prompts the rest is the same.
    let manner = Manner { scoring: Some(Scoring::Continuation), ..base };
    let found = run(&model, &items(), &manner);
    assert!(found.iter().all(|result| result.prompt_losses.is_empty()));
    found.iter().zip(&expected).for_each(|(found, expected)| compare(found, expected));
    // What the question adds is over the option after its own context.
    let last = found.last().unwrap();
    assert_eq!(last.unconditional_logliks.len(), 2);
    let gain = |option: usize| last.option_logliks[option] - last.unconditional_logliks[option];
    assert_eq!(last.choice_mutual, Some(usize::from(gain(1) > gain(0))));
}

#[test]
fn lengths_are_those_of_the_bare_options() {
    let item = Item {
        id: "1".into(),
        benchmark: "exam".into(),
        language: "zh".into(),
        context: "Is it?".into(),
        options: vec![" 在 \n".into(), " no\n".into()],
        key: Some(0),
        reference: None,
        form: Some(Form { delimiter: " ".into(), after: "\n".into(), ..Form::default() }),
    };
    let found = run(&model(200, 3), &[item], &manner(Prefix::WhereEmpty(0))).remove(0);
    // The space after the first option is its own, as for the harness.
    assert_eq!((found.option_chars, found.option_bytes), (vec![2, 2], vec![4, 2]));
}

#[test]
fn long_prompts_lose_their_beginning_and_say_so() {
    let (model, tokenizer) = (model(24, 4), tokenizer());
    let found = run(&model, &items(), &manner(Prefix::WhereEmpty(0)));
    for (item, result) in items().iter().zip(&found).take(9) {
        assert!(result.truncated);
        for (option, text) in item.options.iter().enumerate() {
            let whole = tokenizer.encode(&format!("{}{text}", item.context));
            let context = tokenizer.encode(&item.context).len();
            let losses = plain(&model, &whole[whole.len() - 25..]);
            let own = &losses[losses.len() - (whole.len() - context)..];
            close(result.option_logliks[option], -own.iter().map(|pair| pair.0).sum::<f64>());
        }
    }
    assert!(!found[10].truncated);
}

#[test]
fn generation_stops_where_it_is_told_to() {
    let model = model(200, 5);
    let item = |until: &[&str], max_tokens| Item {
        id: format!("{until:?}{max_tokens:?}"),
        benchmark: "news".into(),
        language: "en".into(),
        context: "The cat is".into(),
        reference: Some("the cat".into()),
        form: Some(Form {
            until: until.iter().map(|text| (*text).to_owned()).collect(),
            max_tokens,
            ..Form::default()
        }),
        ..Item::default()
    };
    let free = run(&model, &[item(&["\u{0}"], Some(12))], &manner(Prefix::WhereEmpty(0))).remove(0);
    let text = free.prediction.unwrap();
    let stop: String = text.chars().skip(2).take(2).collect();
    let found = run(
        &model,
        &[item(&[&stop], Some(12)), item(&["\u{0}"], None)],
        &manner(Prefix::WhereEmpty(0)),
    );
    let expected = text.split(&stop).next().unwrap().trim();
    assert_eq!(found[0].prediction.as_deref(), Some(expected));
    assert!(text.starts_with(found[1].prediction.as_deref().unwrap()));
    assert!(found[0].rouge1.is_some() && found[0].rouge2.is_some() && found[0].rougel.is_some());
    assert_eq!(found[0].exact_match, Some(0.0));
}

#[test]
fn documents_are_scored_whole() {
    let (model, tokenizer) = (model(16, 6), tokenizer());
    let documents = ["The cat.", &TEXT.repeat(2), ""];
    let mut expected = Vec::new();
    for document in documents {
        let tokens = tokenizer.encode(document);
        let mut sum = 0.0;
        let mut start = 0;
        while start < tokens.len() {
            let end = (start + 16).min(tokens.len());
            let window: Vec<u32> = if start == 0 {
                std::iter::once(7).chain(tokens[..end].iter().copied()).collect()
            } else {
                tokens[end - 17..end].to_vec()
            };
            let losses = plain(&model, &window);
            sum -= losses[losses.len() - (end - start)..].iter().map(|pair| pair.0).sum::<f64>();
            start = end;
        }
        expected.push(sum);
    }
    for batch_tokens in [1, 60, 10_000] {
        let found =
            document_likelihoods(&model, &tokenizer, &documents, 7, batch_tokens, &mut |_, _| {})
                .unwrap();
        for ((found, expected), document) in found.iter().zip(&expected).zip(documents) {
            assert!((found.loglik - expected).abs() < 1e-3);
            assert_eq!(found.bytes, document.len());
        }
        let metrics = document_metrics(&found).unwrap();
        let bytes: usize = documents.iter().map(|document| document.len()).sum();
        let bits = -expected.iter().sum::<f64>() / bytes as f64 / 2f64.ln();
        assert!((metrics.bits_per_byte - bits).abs() < 1e-5);
        assert!((metrics.byte_perplexity - bits.exp2()).abs() < 1e-4);
    }
}

#[test]
fn a_model_of_no_numbers_is_refused() {
    let config = model(100, 7).config().clone();
    let mut weights = random_weights(&config, Scheme::Constant, 0.3, 7);
    weights.get_mut("lm_head.weight").unwrap().values.fill(3e38);
    let broken = Decoder::from_weights(&config, &weights, &device(Backend::Flex)).unwrap();
    let items = items();
    let items: Vec<&Item> = items.iter().collect();
    let manner = manner(Prefix::WhereEmpty(0));
    let error = evaluate_items(&broken, &tokenizer(), &items, &manner, &mut |_, _| {});
    assert!(matches!(error, Err(EvalError::NotFinite { .. })));
}
