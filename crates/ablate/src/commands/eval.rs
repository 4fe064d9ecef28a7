//! `ablate eval`: a model of any maker, scored on published benchmarks or on items as a study's
//! variants are.

mod progress;
mod published;

use ablate_eval::{Benchmark, EvalOptions, ItemResult, Score, evaluate, read_items, scores};
use ablate_model::{Decoder, device};
use serde_json::json;

use super::table::{table, text};
use super::{print, say};
use crate::cli::{EvalArgs, ModelArgs};
use crate::exit::{CommandError, CommandResult, Exit};
use crate::foreign::{OpenModel, open_model};
use crate::root::Root;
use progress::Shown;

pub fn run(root: &Root, args: &EvalArgs) -> CommandResult {
    args.model.backend.check(1).map_err(CommandError::machine)?;
    if !args.benchmarks.is_empty() {
        return published::run(root, args);
    }
    let mut items = Vec::new();
    for path in &args.items {
        items.extend(read_items(path).map_err(CommandError::usage)?);
    }
    let benchmarks = Benchmark::group(items);
    let (model, decoder) = open(&args.model)?;
    let options = EvalOptions {
        batch_tokens: args.batch_tokens,
        max_new_tokens: args.max_new_tokens,
        scoring: args.scoring.into(),
    };
    let mut shown = Shown::new("items");
    let results = evaluate(
        &decoder,
        &model.config,
        &model.tokenizer,
        &benchmarks,
        &options,
        &mut |done, total| shown.update(done, total),
    )
    .map_err(CommandError::usage)?;
    shown.finish();
    let found = scores(&results, options.scoring);
    if args.model.json {
        let all = json!({ "model": args.model.model, "scores": found, "items": results });
        print(&format!("{all}\n"))?;
        return Ok(Exit::Ok);
    }
    print_table(&found)?;
    say_truncated(&results, model.config.context);
    Ok(Exit::Ok)
}

/// The model and what computes it; the weights are only in the latter.
fn open(of: &ModelArgs) -> Result<(OpenModel, Decoder), CommandError> {
    let mut model = open_model(&of.model, of.tokenizer.as_deref())?;
    for note in &model.notes {
        say(note);
    }
    let weights = std::mem::take(&mut model.weights);
    let decoder = Decoder::from_weights(&model.config, &weights, &device(of.backend))
        .map_err(CommandError::bug)?;
    Ok((model, decoder))
}

/// Scores for people.
fn print_table(found: &[Score]) -> Result<(), CommandError> {
    let mut rows =
        table(&["benchmark", "language", "metric", ">score", ">± (s.e.)", ">items", ">chance"]);
    for score in found {
        rows.add_row([
            score.benchmark.clone(),
            score.language.clone(),
            format!("{}{}", score.metric, if score.primary { " *" } else { "" }),
            format!("{:.4}", score.value),
            if score.standard_error.is_finite() {
                format!("{:.4}", score.standard_error)
            } else {
                "–".to_owned()
            },
            score.items.to_string(),
            score.chance.map_or_else(|| "–".to_owned(), |chance| format!("{chance:.4}")),
        ]);
    }
    print(&text(&rows))
}

fn say_truncated(results: &[ItemResult], context: usize) {
    let truncated = results.iter().filter(|result| result.truncated).count();
    if truncated > 0 {
        say(&format!(
            "{truncated} items lost the beginning of a prompt of more than {context} tokens"
        ));
    }
}
