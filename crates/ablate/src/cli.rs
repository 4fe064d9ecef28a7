//! The command line: what may be typed. What it means is decided in `commands`.

mod cluster;
mod data;
mod identity;
mod model;
mod report;
mod store;

use std::path::PathBuf;

use ablate_model::Backend;
use clap::{Args, Parser, Subcommand, ValueEnum};

pub use cluster::{ClusterArgs, LauncherKind};
pub use data::{DataArgs, DataCommand, ImportArgs, ListArgs, ShowArgs};
pub use identity::{DiffArgs, WhyArgs};
pub use model::{EvalArgs, ExportArgs, GenerateArgs, ModelArgs, Scoring};
pub use report::{BundleArgs, CellArgs, ReportArgs, ReportCommand};
pub use store::{AcceptArgs, GcArgs, VerifyArgs, WorkArgs};

/// Ablation studies of tiny language models, from one TOML file to the paper's tables
#[derive(Debug, Parser)]
#[command(name = "ablate", version, arg_required_else_help = true)]
pub struct Cli {
    /// Folder that holds `data/store` and `reports`
    #[arg(long, global = true, env = "ABLATE_ROOT", default_value = ".", value_name = "DIR")]
    pub root: PathBuf,

    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Read a study file and report every error in it
    Check(StudyArgs),
    /// Price a study before a step of it runs
    Plan(PlanArgs),
    /// Make what is missing of a study, then write its report
    Run(RunArgs),
    /// Show how far a study has come
    Status(StatusArgs),
    /// Say why stages would run: what differs from the results that there are
    Why(WhyArgs),
    /// Show in what two variants, or two studies, differ, and what follows from it
    Diff(DiffArgs),
    /// Show a study as a page that follows its trainings, on this machine only
    Serve(ServeArgs),
    /// Write a study's report from what is in the store, check it, or ask where a number comes from
    Report(ReportArgs),
    /// Pack a study's report with all it is made from but weights, for others to verify
    Bundle(BundleArgs),
    /// Compare two variants, or two studies, seed by seed and item by item
    Compare(CompareArgs),
    /// Time the training of a study's variants on this machine
    Bench(BenchArgs),
    /// Bring published benchmarks in from their upstream files, and look at their prompts
    Data(DataArgs),
    /// Score a model, of any maker, on published benchmarks or on items of yours
    Eval(EvalArgs),
    /// Let a model, of any maker, go on with a text
    Generate(GenerateArgs),
    /// Write a trained variant as a folder that `transformers` loads
    Export(ExportArgs),
    /// List every table and figure of the paper with its studies, and write a page of them all
    Paper(PaperArgs),
    /// Print the JSON Schema of study files
    Schema,
    /// End what a cluster has not finished of a study; what is stored stays
    Cancel(StudyArgs),
    /// Show what in the store no study on disk refers to, and remove it if told to
    Gc(GcArgs),
    /// Compare every result with its checksums, or a bundle's tables with its rows
    Verify(VerifyArgs),
    /// Say that a stored result may stand for one that was not made, and why
    Accept(AcceptArgs),
    /// Make one task, as launchers do: an item of a wave, or what standard input names
    Work(WorkArgs),
}

/// Which study, and with which changes.
#[derive(Debug, Args)]
pub struct StudyArgs {
    /// The study file
    #[arg(value_name = "STUDY")]
    pub study: PathBuf,

    /// Profile of the study file to lay over it
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,

    /// Set a value, as in `--set train.learning_rate=3e-4` (can be repeated)
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

/// Arguments of `plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    #[command(flatten)]
    pub study: StudyArgs,

    /// Print JSON
    #[arg(long)]
    pub json: bool,

    /// Do not time the shapes on this machine; estimate from their FLOPs
    #[arg(long)]
    pub no_timing: bool,
}

/// Where a run stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Until {
    /// With the text as tokens.
    Tokens,
}

/// Arguments of `run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    #[command(flatten)]
    pub study: StudyArgs,

    /// Workers side by side [default: as many as there are cores, or fewer with more threads each
    /// where a shape's trainings get more done so; 1 on a GPU]
    #[arg(long, value_name = "N")]
    pub jobs: Option<usize>,

    /// Threads of all workers together [default: the number of cores]
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,

    /// What computes: `flex`, or what else the program was built with
    #[arg(long, env = "ABLATE_BACKEND", default_value_t = Backend::Flex, value_name = "NAME")]
    pub backend: Backend,

    /// GPUs that each training divides its batches among, portion by portion; on the CPU, parts of its
    /// threads. Changes no result [default: 1; on a cluster the GPUs of a task]
    #[arg(long, value_name = "N", value_parser = devices)]
    pub devices: Option<usize>,

    /// Only variants whose name matches this pattern, `*` and `?` as in a shell (can be repeated)
    #[arg(long, value_name = "GLOB")]
    pub only: Vec<String>,

    /// Stop early: `tokens` makes and compares the tokenizers of the study, and trains nothing
    #[arg(long, value_name = "WHAT")]
    pub until: Option<Until>,

    /// Go on with other variants after a failure (the default)
    #[arg(long, overrides_with = "fail_fast")]
    pub keep_going: bool,

    /// Stop at the first failure
    #[arg(long)]
    pub fail_fast: bool,

    /// Try again what failed, trainings that diverged too, with what waits for it, and make nothing
    /// else; without this, what is missing is made, failures that are no divergences included
    #[arg(long)]
    pub retry_failed: bool,

    /// Say what would be made, and make nothing
    #[arg(long)]
    pub dry_run: bool,

    /// Plain lines instead of progress bars
    #[arg(long)]
    pub no_progress: bool,

    /// Errors only
    #[arg(long, short)]
    pub quiet: bool,

    /// Who finds the machines
    #[arg(long, value_enum, default_value_t, value_name = "NAME", help_heading = "Clusters")]
    pub launcher: LauncherKind,

    #[command(flatten)]
    pub cluster: ClusterArgs,
}

/// Arguments of `status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    #[command(flatten)]
    pub study: StudyArgs,

    /// Print JSON
    #[arg(long)]
    pub json: bool,

    /// Follow every variant until the study is over or Ctrl-C: a table drawn again in its place, or one
    /// after the other where there is no terminal
    #[arg(long, conflicts_with = "json")]
    pub watch: bool,

    /// Seconds between two looks [default: 2, or 30 without a terminal]
    #[arg(long, value_name = "SECONDS", requires = "watch", value_parser = seconds)]
    pub interval: Option<std::time::Duration>,
}

/// Arguments of `serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    #[command(flatten)]
    pub study: StudyArgs,

    /// Port on 127.0.0.1; 0 takes any that is free
    #[arg(long, value_name = "PORT", default_value_t = 8377)]
    pub port: u16,
}

/// Arguments of `compare`.
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// A study (its name or its report's folder), or one of its variants as `STUDY:VARIANT`
    #[arg(value_name = "A")]
    pub a: String,

    /// The same for the other side
    #[arg(value_name = "B")]
    pub b: String,

    /// How p is adjusted for the number of differences in the table
    #[arg(long, value_enum, default_value_t = Adjust::Holm, value_name = "HOW")]
    pub adjust: Adjust,

    /// Show what other tests say of the same differences: sign flips over seeds, McNemar's, a bootstrap
    #[arg(long)]
    pub tests: bool,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// How p values are adjusted for their number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Adjust {
    /// Any wrong verdict in the table at 5% (Holm).
    Holm,
    /// 5% of the differences found are expected to be none (Benjamini and Hochberg).
    Bh,
    /// Each difference on its own.
    None,
}

/// Arguments of `bench`.
#[derive(Debug, Args)]
pub struct BenchArgs {
    #[command(flatten)]
    pub study: StudyArgs,

    /// What computes: `flex`, or what else the program was built with
    #[arg(long, env = "ABLATE_BACKEND", default_value_t = Backend::Flex, value_name = "NAME")]
    pub backend: Backend,

    /// GPUs that each training divides its batches among, portion by portion; on the CPU, parts of its
    /// threads. Changes no result [default: 1]
    #[arg(long, value_name = "N", value_parser = devices)]
    pub devices: Option<usize>,

    /// Only variants whose name matches this pattern, `*` and `?` as in a shell (can be repeated)
    #[arg(long, value_name = "GLOB")]
    pub variant: Vec<String>,

    /// Threads of each training [default: the number of cores]
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,

    /// Trainings side by side [default: as many as the cores have threads for]
    #[arg(long, value_name = "N")]
    pub jobs: Option<usize>,

    /// Steps that are timed, after two that are not
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub steps: u64,

    /// Time decoding instead of training: 20 prompts of two tokens, 510 new ones each, as in the paper
    #[arg(long, conflicts_with_all = ["steps", "jobs"])]
    pub decode: bool,

    /// Print JSON
    #[arg(long)]
    pub json: bool,

    /// Keep nothing: this is one of several (passed by `bench` to itself)
    #[arg(long, hide = true)]
    pub part: bool,
}

/// Arguments of `paper`.
#[derive(Debug, Args)]
pub struct PaperArgs {
    /// Print the list as JSON, and write no page
    #[arg(long)]
    pub json: bool,
}

/// At least one device.
fn devices(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("at least one device".to_owned()),
        Ok(devices) => Ok(devices),
    }
}

/// A pause of at least a tenth of a second and at most a day.
fn seconds(text: &str) -> Result<std::time::Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| format!("`{text}` is no number of seconds"))?;
    if (0.1..=86_400.0).contains(&seconds) {
        Ok(std::time::Duration::from_secs_f64(seconds))
    } else {
        Err("it must be between 0.1 and 86400 seconds".to_owned())
    }
}
