//! Benchmarks in, one result per item out.

use std::collections::BTreeSet;

use ablate_model::{Decoder, ModelConfig};
use ablate_tokenizer::Tokenizer;
use burn::module::Module;

use crate::generation::{Stop, answers};
use crate::outcome::{ItemResult, Scoring};
use crate::prompt::{Request, requests};
use crate::published::{Manner, Prefix, evaluate_items};
use crate::rouge::rouge1;
use crate::score::{RequestScore, score};
use crate::{Benchmark, EvalError, Item};

/// How to evaluate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EvalOptions {
    /// Tokens that are run together. Time and memory depend on it, results only by rounding.
    pub batch_tokens: usize,
    /// Longest free-text answer, in tokens.
    pub max_new_tokens: usize,
    /// The headline metric, which [`scores`](crate::scores) marks as primary. Results hold what
    /// both scorings need, since one forward pass gives both.
    pub scoring: Scoring,
}

/// Answers every item of the benchmarks. Results are in the order of the items; `progress` is
/// told how many prompts (options and free-text questions) of how many are done.
///
/// Prompts longer than the model's context lose their beginning and are flagged.
///
/// # Errors
/// An item that [`Item::check`] refuses or whose id another item of its benchmark has, a
/// tokenizer or configuration that does not belong to the model, a loss that is not finite.
pub fn evaluate(
    model: &Decoder,
    config: &ModelConfig,
    tokenizer: &Tokenizer,
    benchmarks: &[Benchmark],
    options: &EvalOptions,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Vec<ItemResult>, EvalError> {
    check_model(model, config, "tokenizer", tokenizer.vocabulary())?;
    let items: Vec<&Item> = benchmarks.iter().flat_map(|benchmark| &benchmark.items).collect();
    check_items(&items)?;
    let (published, own): (Vec<&Item>, Vec<&Item>) =
        items.iter().copied().partition(|item| item.form.is_some());
    let manner = Manner {
        prefix: Prefix::Always(tokenizer.start_of_text()),
        scoring: None,
        batch_tokens: options.batch_tokens,
        max_new_tokens: options.max_new_tokens,
        share: true,
    };
    // The last finished prompt of the one is the first of the other.
    let mut before = 0;
    let mut results = Vec::new();
    if !published.is_empty() {
        let mut count = |done: usize, total: usize| {
            before = total;
            progress(done, total);
        };
        results = evaluate_items(model, tokenizer, &published, &manner, &mut count)?;
    }
    if own.is_empty() {
        return Ok(results);
    }
    let mut published = results.into_iter();
    let mut progress = |done: usize, total: usize| progress(before + done, before + total);
    let mut own = evaluate_own(model, tokenizer, &own, options, &mut progress)?.into_iter();
    let next = |item: &&Item| if item.form.is_some() { published.next() } else { own.next() };
    Ok(items.iter().filter_map(next).collect())
}

/// Items whose prompts are all there is to know of them.
fn evaluate_own(
    model: &Decoder,
    tokenizer: &Tokenizer,
    items: &[&Item],
    options: &EvalOptions,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Vec<ItemResult>, EvalError> {
    let model = model.valid();
    let context = model.config().context;
    let choices: Vec<&Item> = items.iter().copied().filter(|item| item.is_choice()).collect();
    let questions: Vec<(&str, &[String])> =
        choices.iter().map(|item| (item.context.as_str(), item.options.as_slice())).collect();
    let requests = requests(tokenizer, &questions, context);
    let flat: Vec<_> = requests.iter().flatten().collect();
    let free: Vec<&str> =
        items.iter().filter(|item| !item.is_choice()).map(|item| item.context.as_str()).collect();

    let total = flat.len() + free.len();
    progress(0, total);
    let scored = score(&model, &flat, options.batch_tokens, &mut |done| progress(done, total));
    let answered = answers(
        &model,
        tokenizer,
        &free,
        (Some(tokenizer.start_of_text()), Stop::Line),
        options.max_new_tokens,
        options.batch_tokens,
        &mut |done| progress(flat.len() + done, total),
    );

    let mut chosen = requests.iter();
    let mut scored = scored.into_iter();
    let mut answered = answered.into_iter();
    items
        .iter()
        .map(|item| {
            if item.is_choice() {
                let requests = chosen.next().map_or(&[][..], Vec::as_slice);
                return choice(item, requests, &mut scored);
            }
            let mut result = blank(item);
            if let (Some(answer), Some(reference)) = (answered.next(), &item.reference) {
                result.rouge1 = Some(rouge1(&answer.text, reference, &item.language));
                result.prediction = Some(answer.text);
                result.truncated = answer.truncated;
            }
            Ok(result)
        })
        .collect()
}

/// The result of a choice question, whose options' scores come next.
pub(crate) fn choice(
    item: &Item,
    requests: &[Request],
    scores: &mut impl Iterator<Item = RequestScore>,
) -> Result<ItemResult, EvalError> {
    let mut result = blank(item);
    for request in requests {
        let Some(score) = scores.next().filter(|score| score.is_finite()) else {
            let what = format!("item `{}` of benchmark `{}`", item.id, item.benchmark);
            return Err(EvalError::NotFinite { what });
        };
        result.option_logliks.push(score.loglik);
        result.prompt_losses.push(score.prompt_loss);
        result.option_tokens.push(count(request.continuation));
        result.truncated |= request.truncated;
    }
    result.choose();
    Ok(result)
}

/// Everything of a result that the model has no part in.
pub(crate) fn blank(item: &Item) -> ItemResult {
    let texts = || {
        item.options.iter().map(|option| match &item.form {
            Some(form) => form.bare(option),
            None => option.trim(),
        })
    };
    let form = item.form.as_ref();
    ItemResult {
        subject: form.and_then(|form| form.subject.clone()),
        by_subject: form.is_some_and(|form| form.by_subject),
        keys: form.map(|form| form.keys.clone()).unwrap_or_default(),
        metric: form.and_then(|form| form.metric.clone()),
        benchmark: item.benchmark.clone(),
        language: item.language.clone(),
        item: item.id.clone(),
        document_hash: item.document_hash(),
        prompt_hash: item.prompt_hash(),
        option_bytes: texts().map(|text| count(text.len())).collect(),
        option_chars: texts().map(|text| count(text.chars().count())).collect(),
        key: item.key,
        reference: item.reference.clone(),
        ..ItemResult::default()
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// The configuration is the model's, and `what` has no ids that the model does not know.
pub(crate) fn check_model(
    model: &Decoder,
    config: &ModelConfig,
    what: &'static str,
    found: usize,
) -> Result<(), EvalError> {
    if config != model.config() {
        return Err(EvalError::Config);
    }
    let vocabulary = config.shape.vocabulary;
    if found > vocabulary {
        return Err(EvalError::Vocabulary { what, found, vocabulary });
    }
    Ok(())
}

pub(crate) fn check_items(items: &[&Item]) -> Result<(), EvalError> {
    let mut ids = BTreeSet::new();
    for item in items {
        let (benchmark, id) = (item.benchmark.clone(), item.id.clone());
        if let Err(problem) = item.check() {
            return Err(EvalError::Item { benchmark, item: id, problem });
        }
        if !ids.insert((&item.benchmark, &item.language, &item.id)) {
            return Err(EvalError::DuplicateItem { benchmark, item: id });
        }
    }
    Ok(())
}
