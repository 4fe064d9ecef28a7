//! `ablate eval`: a model of any maker, scored on items as a study's variants are.

use std::io::IsTerminal;

use ablate_eval::{Benchmark, EvalOptions, evaluate, read_items, scores};
use ablate_model::{Decoder, device};
use serde_json::json;

use super::plan::table::{table, text};
use super::{print, say};
use crate::cli::EvalArgs;
use crate::exit::{CommandError, CommandResult, Exit};
use crate::foreign::open_model;
use crate::stages::eval::BATCH_TOKENS;

pub fn run(args: &EvalArgs) -> CommandResult {
    let of = &args.model;
    of.backend.check().map_err(CommandError::machine)?;
    let mut items = Vec::new();
    for path in &args.items {
        items.extend(read_items(path).map_err(CommandError::usage)?);
    }
    let benchmarks = Benchmark::group(items);
    let model = open_model(&of.model, of.tokenizer.as_deref())?;
    for note in &model.notes {
        say(note);
    }
    let decoder = Decoder::from_weights(&model.config, &model.weights, &device(of.backend))
        .map_err(CommandError::bug)?;
    drop(model.weights);
    let options = EvalOptions {
        batch_tokens: BATCH_TOKENS,
        max_new_tokens: args.max_new_tokens,
        scoring: args.scoring.into(),
    };
    let shown = std::io::stderr().is_terminal();
    let mut tenth = 0;
    let mut progress = |done: usize, total: usize| {
        let now = 10 * done / total.max(1);
        if shown && now > tenth {
            tenth = now;
            say(&format!("{done} of {total} prompts"));
        }
    };
    let results =
        evaluate(&decoder, &model.config, &model.tokenizer, &benchmarks, &options, &mut progress)
            .map_err(CommandError::usage)?;
    let found = scores(&results, options.scoring);
    if of.json {
        let all = json!({ "model": of.model, "scores": found, "items": results });
        print(&format!("{all}\n"))?;
        return Ok(Exit::Ok);
    }
    let mut rows =
        table(&["benchmark", "language", "metric", ">score", ">± (s.e.)", ">items", ">chance"]);
    for score in &found {
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
    print(&text(&rows))?;
    let truncated = results.iter().filter(|result| result.truncated).count();
    if truncated > 0 {
        let context = model.config.context;
        say(&format!(
            "{truncated} items lost the beginning of a prompt of more than {context} tokens"
        ));
    }
    Ok(Exit::Ok)
}
