//! The command line: what may be typed. What it means is decided in `commands`.

use std::path::PathBuf;

use ablate_model::Backend;
use clap::{Args, Parser, Subcommand, ValueEnum};

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
    /// Write a study's report from what is in the store
    Report(StudyArgs),
    /// Compare two variants, or two studies, seed by seed and item by item
    Compare(CompareArgs),
    /// Time the training of a study's variants on this machine
    Bench(BenchArgs),
    /// Bring published benchmarks in from their upstream files, and look at their prompts
    Data(DataArgs),
    /// Score a model, of any maker, on items
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
    /// Read every result and compare it with its checksums
    Verify(VerifyArgs),
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

    /// Try trainings again that diverged
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

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `bench`.
#[derive(Debug, Args)]
pub struct BenchArgs {
    #[command(flatten)]
    pub study: StudyArgs,

    /// What computes: `flex`, or what else the program was built with
    #[arg(long, env = "ABLATE_BACKEND", default_value_t = Backend::Flex, value_name = "NAME")]
    pub backend: Backend,

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

/// Which model.
#[derive(Debug, Args)]
pub struct ModelArgs {
    /// A folder of Hugging Face (LLaMA, Mistral, Qwen2), a `.gguf` file or a `.bin` of llama2.c
    #[arg(value_name = "MODEL")]
    pub model: PathBuf,

    /// The tokenizer's file, where it does not lie beside the model or in it
    #[arg(long, value_name = "FILE")]
    pub tokenizer: Option<PathBuf>,

    /// What computes: `flex`, or what else the program was built with
    #[arg(long, env = "ABLATE_BACKEND", default_value_t = Backend::Flex, value_name = "NAME")]
    pub backend: Backend,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// What makes an option the chosen one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scoring {
    /// The mean loss of the whole prompt.
    Ppl,
    /// The likelihood of the option after the context.
    Continuation,
}

/// Arguments of `eval`.
#[derive(Debug, Args)]
pub struct EvalArgs {
    #[command(flatten)]
    pub model: ModelArgs,

    /// Items, as for `eval.files` of a study (can be repeated)
    #[arg(long, value_name = "FILE", required = true)]
    pub items: Vec<PathBuf>,

    /// The metric that counts
    #[arg(long, value_name = "NAME", default_value = "continuation")]
    pub scoring: Scoring,

    /// Longest free-text answer, in tokens
    #[arg(long, value_name = "N", default_value_t = 32)]
    pub max_new_tokens: usize,
}

/// Arguments of `generate`.
#[derive(Debug, Args)]
pub struct GenerateArgs {
    #[command(flatten)]
    pub model: ModelArgs,

    /// The text to go on with [default: standard input]
    #[arg(long, value_name = "TEXT")]
    pub prompt: Option<String>,

    /// At most so many tokens
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub max_new_tokens: usize,
}

/// Arguments of `export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    #[command(flatten)]
    pub study: StudyArgs,

    /// Folder to write
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,

    /// Which variant, or parent [default: the only variant]
    #[arg(long, value_name = "NAME")]
    pub variant: Option<String>,

    /// Which of its seeds [default: the study's first]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,

    /// Replace what is in the folder
    #[arg(long)]
    pub force: bool,
}

/// Arguments of `paper`.
#[derive(Debug, Args)]
pub struct PaperArgs {
    /// Print the list as JSON, and write no page
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `data`.
#[derive(Debug, Args)]
pub struct DataArgs {
    /// What to do
    #[command(subcommand)]
    pub command: DataCommand,
}

/// The verbs of `data`.
#[derive(Debug, Subcommand)]
pub enum DataCommand {
    /// Check the upstream files of a benchmark and keep their items
    Import(ImportArgs),
    /// List the benchmarks that can be imported, and those that are
    List(ListArgs),
    /// Print items of an imported benchmark as a model sees them
    Show(ShowArgs),
}

/// Arguments of `data import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// Name of the benchmark, or a definition of your own (`*.toml`)
    #[arg(value_name = "NAME")]
    pub name: String,

    /// Its files as their makers publish them: a folder, or an archive (.tar, .tar.gz, .tar.xz, .zip)
    #[arg(value_name = "PATH")]
    pub path: PathBuf,

    /// Where to keep the items [default: data/imported]
    #[arg(long, value_name = "DIR")]
    pub to: Option<PathBuf>,
}

/// Arguments of `data list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Which prompt of a benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PromptScoring {
    /// The perplexity of the whole prompt with each option.
    Ppl,
    /// The likelihood of each option after the context.
    Continuation,
}

/// Arguments of `data show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// Name of the benchmark
    #[arg(value_name = "NAME")]
    pub name: String,

    /// How many items, spread evenly over all of them; 0 is all
    #[arg(short = 'n', default_value_t = 3, value_name = "N")]
    pub count: usize,

    /// Solved examples before each question [default: the benchmark's own number]
    #[arg(long, value_name = "K")]
    pub shots: Option<usize>,

    /// The prompt for this scoring [default: the benchmark's first]
    #[arg(long, value_name = "NAME")]
    pub scoring: Option<PromptScoring>,

    /// Only items of this subject (can be repeated)
    #[arg(long, value_name = "NAME")]
    pub subject: Vec<String>,

    /// Where imports are kept [default: data/imported]
    #[arg(long, value_name = "DIR")]
    pub from: Option<PathBuf>,

    /// Print one JSON object per item
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `gc`.
#[derive(Debug, Args)]
pub struct GcArgs {
    /// Further folders with study files [default: the current one and the root]
    #[arg(value_name = "DIR")]
    pub studies: Vec<PathBuf>,

    /// Remove it; otherwise it is only shown
    #[arg(long)]
    pub delete: bool,

    /// Remove it although there are studies of which it is not known what they refer to
    #[arg(long, requires = "delete")]
    pub force: bool,
}

/// Arguments of `verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Results of these studies only
    #[arg(value_name = "STUDY")]
    pub studies: Vec<PathBuf>,

    /// Profile of the study files
    #[arg(long, value_name = "NAME", requires = "studies")]
    pub profile: Option<String>,

    /// Set damaged results aside, so that they are made again
    #[arg(long)]
    pub quarantine: bool,
}

/// Arguments of `work`.
#[derive(Debug, Args)]
pub struct WorkArgs {
    /// The items of a wave, one a line; without it the task stands on standard input
    #[arg(value_name = "ITEMS")]
    pub manifest: Option<PathBuf>,

    /// Which of them, from 0
    #[arg(long, value_name = "N", requires = "manifest")]
    pub item: Option<usize>,

    /// Take whatever is next, beside others that do so, until nothing is left
    #[arg(long, requires = "manifest", conflicts_with = "item")]
    pub drain: bool,

    /// Threads that it may keep busy
    #[arg(long, default_value_t = 1)]
    pub threads: usize,

    /// How often Slurm is asked to start it again when its time is up
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub requeues: u64,

    /// Seconds that a command of Slurm may take
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub timeout: u64,

    /// Stop at the end of standard input (passed by `--drain` to its children)
    #[arg(long, hide = true)]
    pub watched: bool,
}

/// Who finds the machines for a study.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LauncherKind {
    /// This one.
    #[default]
    Local,
    /// Slurm: all waves are submitted, and nothing has to stay behind.
    Slurm,
    /// Nobody: the files for Slurm are written, to be looked at and submitted by hand.
    Script,
}

/// What a cluster is asked for. The execution file says more, and is overridden.
#[derive(Debug, Default, Args)]
pub struct ClusterArgs {
    /// Execution file with a `[cluster]` table
    #[arg(long, value_name = "FILE", help_heading = "Clusters")]
    pub execution: Option<PathBuf>,

    /// Partition
    #[arg(long, value_name = "NAME", help_heading = "Clusters")]
    pub partition: Option<String>,

    /// GPUs of a task that computes with a GPU
    #[arg(long, value_name = "N", help_heading = "Clusters")]
    pub gpus_per_task: Option<u32>,

    /// Time limit of a task, as Slurm writes it (`4:00:00`)
    #[arg(long, value_name = "TIME", help_heading = "Clusters")]
    pub time: Option<String>,

    /// Memory of a task, as Slurm writes it (`8G`) [default: by the plan's estimate]
    #[arg(long, value_name = "SIZE", help_heading = "Clusters")]
    pub mem: Option<String>,

    /// Cores and threads of a task [default: 1]
    #[arg(long, value_name = "N", help_heading = "Clusters")]
    pub cpus: Option<u32>,

    /// Tasks of a wave at a time
    #[arg(long, value_name = "K", help_heading = "Clusters")]
    pub array_limit: Option<u32>,

    /// W workers that take whatever is next, instead of a task for each stage
    #[arg(long, value_name = "W", help_heading = "Clusters", value_parser = workers)]
    pub pull: Option<usize>,

    /// Wait until Slurm has nothing left to do, then write the report
    #[arg(long, help_heading = "Clusters")]
    pub wait: bool,
}

fn workers(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("at least one worker".to_owned()),
        Ok(workers) => Ok(workers),
    }
}
