//! Who finds the machines, and what a cluster is asked for.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

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
