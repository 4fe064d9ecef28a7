//! Published benchmarks: what may be typed after `data`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Scoring;

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
    pub scoring: Option<Scoring>,

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
