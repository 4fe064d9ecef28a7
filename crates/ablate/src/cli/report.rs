//! Reports: writing, checking, asking, and packing.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::StudyArgs;

/// Arguments of `report`: a study, or what to do with its report. A study file named `check` or `why` is
/// given as `./check`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct ReportArgs {
    #[command(subcommand)]
    pub command: Option<ReportCommand>,

    #[command(flatten)]
    pub study: Option<StudyArgs>,
}

/// What to do with a report that is there.
#[derive(Debug, Subcommand)]
pub enum ReportCommand {
    /// Compute every cell again from the stored rows; exit code 3 where a table says something else
    ///
    /// STUDY is a study file, or the name or folder of a report (whose rows are then not compared with the
    /// store). Caught are edited tables, rows that are older than the store's results, seeds without rows,
    /// and models that were asked different items or scored by different versions of the evaluation.
    Check(StudyArgs),
    /// Show what a cell was computed from, down to the corpus
    Why(CellArgs),
}

/// Arguments of `report why`.
#[derive(Debug, Args)]
pub struct CellArgs {
    #[command(flatten)]
    pub study: StudyArgs,

    /// The cell, as in 'main[Baseline,Average (%)]'; row and column may be numbers from 1
    #[arg(value_name = "TABLE[ROW,COLUMN]")]
    pub cell: String,
}

/// Arguments of `bundle`.
#[derive(Debug, Args)]
pub struct BundleArgs {
    #[command(flatten)]
    pub study: StudyArgs,

    /// Where to write it [default: NAME.bundle.tar.zst in the current folder]
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
}
