//! Items of published benchmarks, asked as lm-evaluation-harness and OpenCompass ask them.

use std::collections::BTreeMap;

use ablate_model::Decoder;
use ablate_tokenizer::Tokenizer;
use burn::module::Module;

use crate::evaluate::{blank, check_items, check_model};
use crate::form::Form;
use crate::generation::{Answer, Stop, answers};
use crate::outcome::{ItemResult, Scoring};
use crate::prompt::{Request, pairs};
use crate::rouge::rouge;
use crate::shared::{Likelihood, Wanted, likelihoods};
use crate::{EvalError, Item};

/// The token before a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prefix {
    /// Before every prompt, as documents are separated in training, or as a tokenizer with a
    /// beginning-of-text token has it.
    Always(u32),
    /// Only where there is no context otherwise: lm-evaluation-harness with a tokenizer that adds no
    /// token.
    WhereEmpty(u32),
}

/// How items are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manner {
    /// The token before a prompt.
    pub prefix: Prefix,
    /// Which likelihoods are wanted; `None` is both.
    pub scoring: Option<Scoring>,
    /// Tokens that are run together. Time and memory depend on it, results only by rounding.
    pub batch_tokens: usize,
    /// Longest generated answer in tokens, where an item does not say.
    pub max_new_tokens: usize,
    /// Whether what prompts have in common is computed once. Results depend on it only by rounding.
    pub share: bool,
}

/// Answers items; results are in their order. `progress` is told how many prompts of how many are
/// done.
///
/// Prompts longer than the model's context lose their beginning and are flagged
/// ([`ItemResult::truncated`]).
///
/// # Errors
/// As [`evaluate`](crate::evaluate).
pub fn evaluate_items(
    model: &Decoder,
    tokenizer: &Tokenizer,
    items: &[&Item],
    manner: &Manner,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Vec<ItemResult>, EvalError> {
    let config = model.config().clone();
    check_model(model, &config, "tokenizer", tokenizer.vocabulary())?;
    check_items(items)?;
    let model = model.valid();
    let mut asked = Vec::new();
    for item in items {
        for (option, text) in item.options.iter().enumerate() {
            asked.push((item.context_of(option), text.as_str()));
        }
        if let Some(context) = unconditional(item) {
            asked.extend(item.options.iter().map(|text| (context, text.as_str())));
        }
    }
    let requests = pairs(tokenizer, &asked, manner.prefix, config.context);
    let free: Vec<&Item> = items.iter().copied().filter(|item| !item.is_choice()).collect();
    let total = requests.len() + free.len();
    progress(0, total);
    let wanted = Wanted {
        whole: manner.scoring != Some(Scoring::Continuation),
        share: manner.share,
        batch_tokens: manner.batch_tokens,
    };
    let flat: Vec<&Request> = requests.iter().collect();
    let scored = likelihoods(&model, &flat, wanted, &mut |done| progress(done, total));
    let mut written = generated(&model, tokenizer, &free, manner, &mut |done| {
        progress(requests.len() + done, total);
    })
    .into_iter();

    let mut scored = requests.iter().zip(scored);
    items
        .iter()
        .map(|item| {
            if !item.is_choice() {
                return Ok(free_text(item, written.next().unwrap_or_default()));
            }
            let count = item.options.len();
            let options: Vec<_> = scored.by_ref().take(count).collect();
            let beside = if unconditional(item).is_some() { count } else { 0 };
            let beside: Vec<_> = scored.by_ref().take(beside).collect();
            choice(item, &options, &beside)
        })
        .collect()
}

fn unconditional(item: &Item) -> Option<&str> {
    item.form.as_ref().filter(|_| item.is_choice())?.unconditional.as_deref()
}

/// The result of a choice from what the passes say, with and without the question.
fn choice(
    item: &Item,
    options: &[(&Request, Likelihood)],
    beside: &[(&Request, Likelihood)],
) -> Result<ItemResult, EvalError> {
    let mut result = blank(item);
    for (request, found) in options {
        if !found.loglik.is_finite() || found.prompt_loss.is_some_and(|loss| !loss.is_finite()) {
            let what = format!("item `{}` of benchmark `{}`", item.id, item.benchmark);
            return Err(EvalError::NotFinite { what });
        }
        result.option_logliks.push(found.loglik);
        result.option_greedy.push(found.greedy);
        result.prompt_losses.extend(found.prompt_loss);
        result.option_tokens.push(u32::try_from(request.continuation).unwrap_or(u32::MAX));
        result.truncated |= request.truncated;
    }
    result.unconditional_logliks = beside.iter().map(|(_, found)| found.loglik).collect();
    result.choose();
    Ok(result)
}

impl ItemResult {
    /// The result of a choice whose options' likelihoods are known from elsewhere.
    pub fn of_likelihoods(item: &Item, logliks: &[f64], greedy: &[bool]) -> Self {
        let mut result = blank(item);
        result.option_logliks = logliks.to_vec();
        result.option_greedy = greedy.to_vec();
        result.choose();
        result
    }
}

fn free_text(item: &Item, answer: Answer) -> ItemResult {
    let mut result = blank(item);
    if let Some(reference) = &item.reference {
        let found = rouge(&answer.text, reference, &item.language);
        result.rouge1 = Some(found.rouge1);
        result.rouge2 = Some(found.rouge2);
        result.rougel = Some(found.rougel);
        result.exact_match = Some(f64::from(answer.text.trim() == reference.trim()));
        result.prediction = Some(answer.text);
        result.truncated = answer.truncated;
    }
    result
}

/// Answers in the order of the items; items that stop alike are generated together.
fn generated(
    model: &Decoder,
    tokenizer: &Tokenizer,
    items: &[&Item],
    manner: &Manner,
    done: &mut dyn FnMut(usize),
) -> Vec<Answer> {
    let plain = Form::default();
    let mut groups = BTreeMap::<(&[String], usize), Vec<usize>>::new();
    for (index, item) in items.iter().enumerate() {
        let form = item.form.as_ref().unwrap_or(&plain);
        let most = form.max_tokens.unwrap_or(manner.max_new_tokens);
        groups.entry((form.until.as_slice(), most)).or_default().push(index);
    }
    let mut all = vec![Answer::default(); items.len()];
    let mut finished = 0;
    let prefix = match manner.prefix {
        Prefix::Always(token) => Some(token),
        Prefix::WhereEmpty(_) => None,
    };
    for ((until, most), indices) in groups {
        let contexts: Vec<&str> = indices.iter().map(|i| items[*i].context.as_str()).collect();
        let stop = if until.is_empty() { Stop::Line } else { Stop::Texts(until) };
        let found = answers(
            model,
            tokenizer,
            &contexts,
            (prefix, stop),
            most,
            manner.batch_tokens,
            &mut |n| {
                done(finished + n);
            },
        );
        finished += indices.len();
        for (index, answer) in indices.into_iter().zip(found) {
            all[index] = answer;
        }
    }
    all
}
