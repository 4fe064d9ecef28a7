//! The store and what is made in it: `accept`, `gc`, `verify` and `work`.

use std::path::PathBuf;

use clap::Args;

/// Arguments of `accept`.
#[derive(Debug, Args)]
pub struct AcceptArgs {
    /// The stored result: its key (or the first digits), or its folder
    #[arg(value_name = "OLD", required_unless_present_any = ["revoke", "list"])]
    pub old: Option<String>,

    /// The result that it may stand for: its key (or the first digits), or the folder it would have
    #[arg(value_name = "NEW", required_unless_present_any = ["revoke", "list"])]
    pub new: Option<String>,

    /// Why both are the same
    #[arg(long, value_name = "TEXT", required_unless_present_any = ["revoke", "list"])]
    pub because: Option<String>,

    /// The study that needs NEW [default: any in the current folder and the root, or that was run]
    #[arg(long, value_name = "STUDY")]
    pub study: Option<PathBuf>,

    /// Profile of that study
    #[arg(long, value_name = "NAME", requires = "study")]
    pub profile: Option<String>,

    /// Set a value of that study, as in `--set train.learning_rate=3e-4` (can be repeated)
    #[arg(long = "set", value_name = "KEY=VALUE", requires = "study")]
    pub set: Vec<String>,

    /// Take back what was accepted for this key or folder, and what follows from it
    #[arg(long, value_name = "NEW", conflicts_with_all = ["old", "because", "study", "list"])]
    pub revoke: Option<String>,

    /// Show what was accepted
    #[arg(long, conflicts_with_all = ["old", "because", "study"])]
    pub list: bool,

    /// Print JSON
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
    /// Results of these studies only; or one bundle (`.tar.zst`), whose tables are computed again
    #[arg(value_name = "STUDY|BUNDLE")]
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
