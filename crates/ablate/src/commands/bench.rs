//! `ablate bench`: how fast a study's variants train on this machine.
//!
//! Each variant is trained for a few steps on made-up tokens by the same loop as in a study, in a
//! process of its own: the memory that it needs is its own too. Nothing enters the store; speeds
//! with one thread on each core are kept for `plan`.

mod decode;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use ablate_corpus::{Shard, ShardWriter, Windows, order};
use ablate_model::{Backend, random_weights, training_devices, use_threads};
use ablate_pipeline::Node;
use ablate_report::{duration, si, si_unit};
use ablate_train::{Checkpoints, Observer, Precision, StepRecord, TrainData, ValidationRecord};
use serde::{Deserialize, Serialize};

use super::run::wanted;
use super::table::{table, text};
use super::{print, say};
use crate::cli::BenchArgs;
use crate::estimate::{Measured, Timings, Workload, machine_key};
use crate::exit::{CommandError, CommandResult, Exit};
use crate::graph::{self, StudyGraph, VariantNodes};
use crate::machine::{Machine, peak_memory};
use crate::root::Root;
use crate::stages::train::{Length, Recipe, Start, recomputes};
use crate::study;

/// The first steps touch fresh memory; they are not counted.
const WARMUP: u64 = 2;

/// What was measured.
#[derive(Debug, Serialize)]
struct Report {
    variants: Vec<Row>,
    /// Seconds from the first start to the last end, processes included.
    wall_seconds: f64,
    jobs: usize,
}

/// Speed of one variant.
#[derive(Debug, Serialize, Deserialize)]
struct Row {
    name: String,
    parameters: u64,
    tokens_per_step: u64,
    threads: usize,
    precision: Precision,
    /// Of every step after the first ones.
    step_seconds: Vec<f64>,
    /// Of the median step.
    tokens_per_second: f64,
    /// Operations of forward and backward pass, by the formula of `plan`.
    flops_per_second: f64,
    /// The most that the process held.
    peak_memory_bytes: u64,
}

pub fn run(root: &Root, args: &BenchArgs) -> CommandResult {
    args.backend.check(args.devices.unwrap_or(1)).map_err(CommandError::machine)?;
    let loaded = study::load(&args.study)?;
    let built = graph::build(&loaded.study, &root.benchmarks())?;
    let machine = Machine::current();
    let chosen: Vec<&VariantNodes> =
        built.variants.iter().filter(|variant| wanted(&variant.name, &args.variant)).collect();
    let threads = args.threads.unwrap_or(machine.cores).max(1);
    if args.decode && !chosen.is_empty() {
        return decode::run(root, args, (&built, &chosen), threads);
    }
    let start = Instant::now();
    let (variants, jobs) = match chosen[..] {
        [] => {
            let absent = built.absent_of(|name| wanted(name, &args.variant));
            if let Some(absent) = absent.first() {
                return Err(CommandError::usage(absent.reason()));
            }
            let names: Vec<&str> = built.variants.iter().map(|v| v.name.as_str()).collect();
            let message = format!("no variant matches `--variant`; there are {}", names.join(", "));
            return Err(CommandError { exit: Exit::NoMatch, message });
        }
        [variant] => (vec![measure(&built, variant, args, threads)?], 1),
        _ => {
            let jobs = args.jobs.unwrap_or((machine.cores / threads).max(1)).max(1);
            (side_by_side(args, &names_by_work(&built, &chosen)?, threads, jobs)?, jobs)
        }
    };
    let report = Report { variants, wall_seconds: start.elapsed().as_secs_f64(), jobs };
    // A plan is of trainings with one thread each on all cores, which slow each other.
    let as_planned = threads == 1 && jobs == machine.cores && !args.part;
    if as_planned && args.backend == Backend::Flex {
        keep(root, &machine, &built, &report)?;
    }
    if args.json {
        let json = serde_json::to_string(&report).map_err(CommandError::bug)?;
        print(&(json + "\n"))?;
    } else {
        print(&render(&report))?;
    }
    Ok(Exit::Ok)
}

/// The first training of a variant.
fn training<'a>(built: &'a StudyGraph, variant: &VariantNodes) -> Result<&'a Node, CommandError> {
    let first = variant.seeds.first().and_then(|seed| seed.rounds.first());
    let node = first.ok_or_else(|| CommandError::bug("a variant without a round"))?.train;
    Ok(built.graph.node(node))
}

fn recipe(built: &StudyGraph, variant: &VariantNodes) -> Result<Recipe, CommandError> {
    let node = training(built, variant)?;
    serde_json::from_value(node.recipe.clone()).map_err(CommandError::bug)
}

/// Names of the variants, those with the most work a step first: the last one to start is short.
fn names_by_work(
    built: &StudyGraph,
    variants: &[&VariantNodes],
) -> Result<Vec<String>, CommandError> {
    let mut names = Vec::new();
    for variant in variants {
        let recipe = recipe(built, variant)?;
        names.push((step_flops(&recipe), variant.name.clone()));
    }
    names.sort_by(|a, b| b.0.total_cmp(&a.0));
    Ok(names.into_iter().map(|(_, name)| name).collect())
}

fn step_flops(recipe: &Recipe) -> f64 {
    let per_token = ablate_cost::flops_per_token(&recipe.model.shape, recipe.model.context);
    per_token.training * recipe.batch_tokens() as f64
}

/// Trains one variant in this process.
fn measure(
    built: &StudyGraph,
    variant: &VariantNodes,
    args: &BenchArgs,
    threads: usize,
) -> Result<Row, CommandError> {
    let mut recipe = recipe(built, variant)?;
    recipe.validations = 0;
    recipe.length = Length::Order;
    let steps = args.steps.max(1) + WARMUP;
    let scratch = Scratch::new()?;
    let shard = scratch.shard(&recipe)?;
    let token_bytes = vec![1; recipe.model.shape.vocabulary];
    let windows = Windows::of(&shard, recipe.model.context).count;
    let visits = order(windows, steps * recipe.batch_sequences as u64, recipe.seed);
    let data = TrainData {
        shard: &shard,
        order: &visits,
        token_bytes: &token_bytes,
        validation: Vec::new(),
    };
    let (scheme, std) = match recipe.start {
        Start::Random { scheme, std } => (scheme, std),
        Start::Given => (ablate_model::Scheme::Constant, 0.02),
    };
    let init = random_weights(&recipe.model, scheme, std, recipe.seed);
    let mut config = recipe.config(steps, 0);
    config.recompute = recomputes(&training(built, variant)?.execution);
    let checkpoints = Checkpoints::new(scratch.0.join("checkpoints"), &variant.name);
    let mut seconds = StepSeconds::default();
    use_threads(threads);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.map_err(CommandError::machine)?
        .install(|| {
            let devices = training_devices(args.backend, args.devices.unwrap_or(1));
            ablate_train::train(
                &config,
                &recipe.model,
                init,
                &data,
                &checkpoints,
                &devices,
                &mut seconds,
            )
        })
        .map_err(CommandError::machine)?;
    let step_seconds = seconds.0.split_off(WARMUP as usize);
    let median = median(&step_seconds);
    Ok(Row {
        name: variant.name.clone(),
        parameters: recipe.model.shape.parameters().total,
        tokens_per_step: recipe.batch_tokens(),
        threads,
        precision: recipe.precision,
        tokens_per_second: recipe.batch_tokens() as f64 / median,
        flops_per_second: step_flops(&recipe) / median,
        step_seconds,
        peak_memory_bytes: peak_memory(),
    })
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// Seconds of each step, its update included.
#[derive(Default)]
struct StepSeconds(Vec<f64>);

impl Observer for StepSeconds {
    fn step(&mut self, record: &StepRecord) {
        let tokens = record.tokens as f64 / record.step as f64;
        self.0.push(tokens / record.tokens_per_second);
    }

    fn validation(&mut self, _: &ValidationRecord) {}
}

/// A folder for made-up tokens, gone when dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self, CommandError> {
        let path =
            crate::environment::scratch().join(format!("ablate-bench-{}", std::process::id()));
        std::fs::create_dir_all(&path).map_err(CommandError::machine)?;
        Ok(Self(path))
    }

    /// Tokens for some batches: neighbours far apart in the vocabulary, as in text.
    fn shard(&self, recipe: &Recipe) -> Result<Shard, CommandError> {
        let path = self.0.join("tokens.shard");
        let vocabulary = recipe.model.shape.vocabulary;
        let tokens: Vec<u32> = (0..4 * recipe.batch_tokens() + 1)
            .map(|at| (at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u32 % vocabulary as u32)
            .collect();
        let written = ShardWriter::create(&path, vocabulary).and_then(|mut writer| {
            writer.push(&tokens, tokens.len() as u64)?;
            writer.finish()
        });
        written.map_err(CommandError::machine)?;
        Shard::open(&path).map_err(CommandError::machine)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Measures every variant in a process of its own, so many at a time.
fn side_by_side(
    args: &BenchArgs,
    names: &[String],
    threads: usize,
    jobs: usize,
) -> Result<Vec<Row>, CommandError> {
    let program = std::env::current_exe().map_err(CommandError::machine)?;
    let start = |name: &String| -> Result<Child, CommandError> {
        let mut command = Command::new(&program);
        command.arg("bench").arg(&args.study.study).args(["--variant", name, "--json", "--part"]);
        command.args(["--threads", &threads.to_string(), "--steps", &args.steps.to_string()]);
        command.args(["--backend", args.backend.name()]);
        command.args(["--devices", &args.devices.unwrap_or(1).to_string()]);
        if let Some(profile) = &args.study.profile {
            command.args(["--profile", profile]);
        }
        for set in &args.study.set {
            command.args(["--set", set]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        command.spawn().map_err(CommandError::machine)
    };
    let next = std::sync::Mutex::new(names.iter());
    let rows = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs)
            .map(|_| {
                scope.spawn(|| -> Result<(), CommandError> {
                    while let Some(name) = next.lock().ok().and_then(|mut names| names.next()) {
                        let output =
                            start(name)?.wait_with_output().map_err(CommandError::machine)?;
                        if !output.status.success() {
                            let message = format!("`{name}` could not be measured");
                            return Err(CommandError::machine(message));
                        }
                        let row = one_row(&output.stdout)?;
                        say(&format!("{}: {:.0} tokens/s", row.name, row.tokens_per_second));
                        if let Ok(mut rows) = rows.lock() {
                            rows.push(row);
                        }
                    }
                    Ok(())
                })
            })
            .collect();
        let ended = workers.into_iter().map(|worker| {
            worker.join().unwrap_or_else(|_| Err(CommandError::bug("a thread panicked")))
        });
        ended.collect::<Result<Vec<()>, _>>()
    })?;
    let mut rows = rows.into_inner().unwrap_or_default();
    let place = |row: &Row| names.iter().position(|name| *name == row.name);
    rows.sort_by_key(place);
    Ok(rows)
}

fn one_row(json: &[u8]) -> Result<Row, CommandError> {
    #[derive(Deserialize)]
    struct Report {
        variants: [Row; 1],
    }
    let Report { variants: [row] } = serde_json::from_slice(json).map_err(CommandError::bug)?;
    Ok(row)
}

/// Keeps speeds for `plan`.
fn keep(
    root: &Root,
    machine: &Machine,
    built: &StudyGraph,
    report: &Report,
) -> Result<(), CommandError> {
    let mut new = BTreeMap::new();
    for row in &report.variants {
        let Some(variant) = built.variants.iter().find(|variant| variant.name == row.name) else {
            continue;
        };
        let recipe = recipe(built, variant)?;
        let seconds_per_token = 1.0 / row.tokens_per_second;
        // The update is in the step already.
        let measured = Measured::new(&recipe.model, seconds_per_token, 0.0);
        let key = Workload::training(&recipe).key();
        new.extend(measured.map(|measured| (key, measured)));
    }
    Timings::add(Path::new(&root.timings()), &machine_key(machine), &new);
    Ok(())
}

fn render(report: &Report) -> String {
    let titles = ["variant", ">params", ">threads", ">ms/step", ">tokens/s", ">GFLOP/s", ">memory"];
    let mut rows = table(&titles);
    for row in &report.variants {
        rows.add_row([
            row.name.clone(),
            si(row.parameters as f64),
            row.threads.to_string(),
            format!("{:.1}", 1e3 * median(&row.step_seconds)),
            format!("{:.0}", row.tokens_per_second),
            format!("{:.1}", row.flops_per_second / 1e9),
            si_unit(row.peak_memory_bytes as f64, "B"),
        ]);
    }
    format!("{}\n{}, {} at a time\n", text(&rows), duration(report.wall_seconds), report.jobs)
}
