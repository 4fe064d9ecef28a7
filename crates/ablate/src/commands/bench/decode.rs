//! `ablate bench --decode`: how fast a study's variants generate.
//!
//! As the paper measures it (Tang et al. 2024, Tables 2, 3 and 12): random weights, a batch of 20
//! prompts of two tokens, 510 new tokens each, keys and values kept. What is measured on all cores is
//! kept, and the study's report shows it.

use std::collections::BTreeMap;
use std::time::Instant;

use ablate_model::{
    Backend, Decoder, GenerateOptions, ModelConfig, Scheme, device, generate_batch, random_weights,
    use_threads,
};
use ablate_report::si;
use serde::Serialize;

use super::{median, recipe};
use crate::cli::BenchArgs;
use crate::commands::print;
use crate::commands::table::{table, text};
use crate::estimate::decoding::{BATCH, NEW, PROMPT, decoder, key};
use crate::estimate::{Timings, machine_key};
use crate::exit::{CommandError, CommandResult, Exit};
use crate::graph::{StudyGraph, VariantNodes};
use crate::machine::Machine;
use crate::root::Root;

/// Whole generations that are timed.
const RUNS: usize = 3;

/// Speed of one variant.
#[derive(Debug, Serialize)]
struct Row {
    name: String,
    parameters: u64,
    threads: usize,
    batch: usize,
    prompt_tokens: usize,
    new_tokens: usize,
    /// Of every generation.
    seconds: Vec<f64>,
    /// Of one sequence of the batch, by the median generation.
    tokens_per_second: f64,
}

#[derive(Debug, Serialize)]
struct Report {
    variants: Vec<Row>,
}

/// Times the variants, one after the other.
pub fn run(
    root: &Root,
    args: &BenchArgs,
    (built, variants): (&StudyGraph, &[&VariantNodes]),
    threads: usize,
) -> CommandResult {
    let machine = Machine::current();
    let mut report = Report { variants: Vec::new() };
    let mut known = BTreeMap::new();
    for variant in variants {
        let model = decoder(&recipe(built, variant)?.model);
        let seconds = time(&model, args.backend, threads)?;
        let tokens_per_second = NEW as f64 / median(&seconds);
        known.insert(key(&model, args.backend, threads), tokens_per_second);
        report.variants.push(Row {
            name: variant.name.clone(),
            parameters: model.shape.parameters().total,
            threads,
            batch: BATCH,
            prompt_tokens: PROMPT,
            new_tokens: NEW,
            seconds,
            tokens_per_second,
        });
    }
    Timings::add(&root.decoding(), &machine_key(&machine), &known);
    if args.json {
        let json = serde_json::to_string(&report).map_err(CommandError::bug)?;
        print(&(json + "\n"))?;
    } else {
        print(&render(&report))?;
    }
    Ok(Exit::Ok)
}

fn time(model: &ModelConfig, backend: Backend, threads: usize) -> Result<Vec<f64>, CommandError> {
    let vocabulary = model.shape.vocabulary;
    let weights = random_weights(model, Scheme::Gpt2, 0.02, 1);
    let prompts: Vec<Vec<u32>> = (0..BATCH)
        .map(|row| (0..PROMPT).map(|at| ((row * 31 + at * 7 + 1) % vocabulary) as u32).collect())
        .collect();
    let prompts: Vec<&[u32]> = prompts.iter().map(Vec::as_slice).collect();
    use_threads(threads);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.map_err(CommandError::machine)?.install(|| {
        let decoder = Decoder::from_weights(model, &weights, &device(backend));
        let decoder = decoder.map_err(CommandError::bug)?;
        let generate = |new: usize| {
            let options = GenerateOptions { max_new_tokens: new, stop: Vec::new() };
            let start = Instant::now();
            let tokens: usize =
                generate_batch(&decoder, &prompts, &options).iter().map(Vec::len).sum();
            debug_assert_eq!(tokens, new * BATCH);
            start.elapsed().as_secs_f64()
        };
        // The first tokens touch fresh memory.
        generate(8);
        Ok((0..RUNS).map(|_| generate(NEW)).collect())
    })
}

fn render(report: &Report) -> String {
    let mut rows =
        table(&["variant", ">params", ">threads", ">seconds", ">tokens/s a sequence", ">tokens/s"]);
    for row in &report.variants {
        rows.add_row([
            row.name.clone(),
            si(row.parameters as f64),
            row.threads.to_string(),
            format!("{:.2}", median(&row.seconds)),
            format!("{:.2}", row.tokens_per_second),
            format!("{:.0}", row.tokens_per_second * BATCH as f64),
        ]);
    }
    format!(
        "{}\nbatch {BATCH}, {PROMPT} tokens of prompt, {NEW} new; median of {RUNS}\n",
        text(&rows)
    )
}
