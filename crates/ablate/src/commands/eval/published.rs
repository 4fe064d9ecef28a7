//! Published benchmarks, asked and scored as lm-evaluation-harness does.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use ablate_benchmark::harness::{self, Evaluated};
use ablate_benchmark::{Ask, Imported, Library, Question, Way};
use ablate_eval::{Item, ItemResult, Manner, Prefix, Score, Scoring, evaluate_items, scores};
use ablate_report::write_scores;
use jiff::{Timestamp, ZonedDateTime};
use serde_json::{Map, Value, json};

use super::progress::Shown;
use super::{open, print_table, say_truncated};
use crate::cli::EvalArgs;
use crate::commands::data::keep_subjects;
use crate::commands::{print, say};
use crate::exit::{CommandError, CommandResult, Exit};
use crate::foreign::{OpenModel, content};
use crate::machine;
use crate::root::Root;
use crate::rows::{item_rows, score_rows};

/// What comes before the name of a benchmark that is not the storyworld's; said here as in a study.
const IMPORTED: &str = "imported/";

/// A benchmark that is asked.
struct Asked<'a> {
    imported: &'a Imported,
    questions: Vec<Question<'a>>,
    /// Items of every task that could have been asked.
    available: BTreeMap<String, usize>,
}

/// What came of it.
struct Answered {
    results: Vec<ItemResult>,
    seconds: f64,
}

/// When an evaluation was begun, and when it was over.
struct Times {
    started: Timestamp,
    ended: ZonedDateTime,
    seconds: f64,
}

pub fn run(root: &Root, args: &EvalArgs) -> CommandResult {
    // Everything that can be wrong is said before a model is read.
    let mut imports = open_all(&root.benchmarks(), &args.benchmarks)?;
    for imported in &mut imports {
        keep_subjects(imported, &args.subject)?;
    }
    let asked =
        imports.iter().map(|imported| ask(imported, args)).collect::<Result<Vec<_>, _>>()?;
    if let Some(output) = &args.output {
        check_output(output)?;
    }
    let (model, decoder) = open(&args.model)?;
    let prefix = match model.begin {
        Some(begin) => Prefix::Always(begin),
        None if args.separator => Prefix::Always(model.tokenizer.start_of_text()),
        None => Prefix::WhereEmpty(model.empty),
    };
    let (started, clock) = (Timestamp::now(), Instant::now());
    let mut answered = Vec::new();
    for Asked { imported, questions, .. } in &asked {
        let items: Vec<&Item> = questions.iter().map(|question| &question.item).collect();
        // Losses of whole prompts are only computed where they are asked for.
        let whole = questions.iter().any(|question| question.way == Way::Ppl);
        let manner = Manner {
            prefix,
            scoring: Some(if whole { Scoring::Ppl } else { Scoring::Continuation }),
            batch_tokens: args.batch_tokens,
            max_new_tokens: args.max_new_tokens,
            share: true,
        };
        let mut shown = Shown::new(&imported.definition.name);
        let clock = Instant::now();
        let results =
            evaluate_items(&decoder, &model.tokenizer, &items, &manner, &mut |done, total| {
                shown.update(done, total);
            })
            .map_err(CommandError::usage)?;
        shown.finish();
        answered.push(Answered { results, seconds: clock.elapsed().as_secs_f64() });
    }
    let seconds = clock.elapsed().as_secs_f64();
    let times = Times { started, ended: ZonedDateTime::now(), seconds };

    let results: Vec<ItemResult> =
        answered.iter().flat_map(|answered| answered.results.clone()).collect();
    let found = scores(&results, args.scoring.into());
    let files = match &args.output {
        Some(output) => write(output, args, &model, &asked, &answered, &found, &times)?,
        None => Vec::new(),
    };
    if args.model.json {
        let benchmarks: Vec<Value> =
            asked.iter().zip(&answered).map(|(asked, answered)| about(asked, answered)).collect();
        let all = json!({
            "model": args.model.model,
            "benchmarks": benchmarks,
            "scores": found,
            "items": results,
            "files": files,
        });
        print(&format!("{all}\n"))?;
        return Ok(Exit::Ok);
    }
    print_table(&found)?;
    say_truncated(&results, model.config.context);
    if let Some(first) = files.first() {
        say(&format!("{} and {} more files are written", first.display(), files.len() - 1));
    }
    Ok(Exit::Ok)
}

/// All benchmarks, or everything that is wrong with their names.
fn open_all(library: &Library, names: &[String]) -> Result<Vec<Imported>, CommandError> {
    let mut bare: Vec<&str> = Vec::new();
    for name in names {
        let name = name.trim();
        let name = name.strip_prefix(IMPORTED).unwrap_or(name);
        if !bare.contains(&name) {
            bare.push(name);
        }
    }
    let mut found = Vec::<Imported>::new();
    let mut wrong = Vec::new();
    for name in bare {
        match library.open(name) {
            Ok(imported) => found.push(imported),
            Err(error) => wrong.push(error.to_string()),
        }
    }
    if wrong.is_empty() { Ok(found) } else { Err(CommandError::usage(wrong.join("\n"))) }
}

fn ask<'a>(imported: &'a Imported, args: &EvalArgs) -> Result<Asked<'a>, CommandError> {
    let limit = args.limit.map(std::num::NonZeroUsize::get);
    let ask = Ask { scoring: Some(args.scoring.into()), shots: args.shots, limit };
    let questions = imported.ask(&ask).map_err(CommandError::usage)?;
    let available = match limit {
        // Examples are left out: only the numbers are wanted.
        Some(_) => {
            let all = Ask { limit: None, shots: Some(0), ..ask };
            by_task(&imported.ask(&all).map_err(CommandError::usage)?)
        }
        None => by_task(&questions),
    };
    Ok(Asked { imported, questions, available })
}

/// Questions of every task.
fn by_task(questions: &[Question<'_>]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for question in questions {
        *counts.entry(question.task.clone()).or_insert(0) += 1;
    }
    counts
}

/// The folder is there and can be written to.
fn check_output(output: &Path) -> Result<(), CommandError> {
    let probe = output.join(format!(".ablate-{}", std::process::id()));
    fs::create_dir_all(output)
        .and_then(|()| fs::write(&probe, ""))
        .and_then(|()| fs::remove_file(&probe))
        .map_err(|error| {
            CommandError::usage(format!(
                "cannot write results into `{}`: {error}; name another folder with `--output DIR`",
                output.display()
            ))
        })
}

/// What was asked of a benchmark and how long it took, for other programs.
fn about(asked: &Asked<'_>, answered: &Answered) -> Value {
    let questions = &asked.questions;
    let mut ways: Vec<&str> = questions.iter().map(|question| question.way.name()).collect();
    ways.sort_unstable();
    ways.dedup();
    let prompts: usize = questions.iter().map(|question| question.item.options.len().max(1)).sum();
    json!({
        "name": asked.imported.definition.name,
        "scoring": ways,
        "shots": questions.first().map_or(0, |question| question.shots),
        "items": questions.len(),
        "available": asked.available.values().sum::<usize>(),
        "prompts": prompts,
        "seconds": answered.seconds,
    })
}

/// Writes results as the harness does, and rows beside.
fn write(
    output: &Path,
    args: &EvalArgs,
    model: &OpenModel,
    asked: &[Asked<'_>],
    answered: &[Answered],
    found: &[Score],
    times: &Times,
) -> Result<Vec<PathBuf>, CommandError> {
    let evaluated: Vec<Evaluated<'_>> = asked
        .iter()
        .zip(answered)
        .map(|(asked, answered)| Evaluated {
            definition: &asked.imported.definition,
            questions: &asked.questions,
            results: &answered.results,
            available: &asked.available,
        })
        .collect();
    let name = args.model.model.display().to_string();
    let date = times.ended.strftime("%Y-%m-%dT%H:%M:%S%.6f").to_string();
    let commit = machine::commit();
    let run = harness::Run {
        model: &name,
        config: config(args, model)?,
        benchmarks: &evaluated,
        started: times.started.as_microsecond() as f64 / 1e6,
        date: &date,
        seconds: times.seconds,
        commit: commit.as_deref(),
    };
    let written = harness::write(output, &run).map_err(CommandError::machine)?;
    let mut files = vec![written.results];
    files.extend(written.samples);
    let folder = files[0].parent().unwrap_or(output).to_owned();
    let mut items = Vec::new();
    for answered in answered {
        items.extend(item_rows(&name, 0, found, &answered.results));
    }
    let scores = score_rows(&name, 0, found.to_vec());
    let rows = write_scores((&scores, &items), &folder, &date.replace(':', "-"));
    files.extend(rows.map_err(CommandError::machine)?);
    Ok(files)
}

/// What the harness keeps of the model and how it was run.
fn config(args: &EvalArgs, model: &OpenModel) -> Result<Map<String, Value>, CommandError> {
    let of = &args.model;
    let config = json!({
        "model": "ablate",
        "model_args": { "pretrained": of.model, "tokenizer": of.tokenizer },
        "model_num_parameters": model.config.shape.parameters().total,
        "model_dtype": "float32",
        "model_blake3": content(&of.model)?,
        "device": of.backend.name(),
        "batch_tokens": args.batch_tokens,
        "limit": args.limit,
        "num_fewshot": args.shots,
        "subjects": args.subject,
        "separator": args.separator,
        "threads": rayon::current_num_threads(),
    });
    match config {
        Value::Object(config) => Ok(config),
        _ => Ok(Map::new()),
    }
}
