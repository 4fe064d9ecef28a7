//! `ablate cancel`: ends what a cluster has not finished of a study.

use std::time::Duration;

use ablate_pipeline::Slurm;

use super::{cluster, print};
use crate::cli::StudyArgs;
use crate::exit::{CommandError, CommandResult, Exit};
use crate::root::Root;
use crate::study;

pub fn run(root: &Root, args: &StudyArgs) -> CommandResult {
    let loaded = study::load(args)?;
    let slurm = Slurm::new(Duration::from_secs(30));
    let name = loaded.study.report_name();
    let (jobs, tasks) = cluster::live_jobs(root, &name, &slurm)?;
    if jobs.is_empty() {
        print(&format!("{name}: nothing is in the queue\n"))?;
        return Ok(Exit::Ok);
    }
    slurm.cancel(&jobs).map_err(CommandError::machine)?;
    let ids: Vec<String> = jobs.into_iter().collect();
    print(&format!(
        "{name}: cancelled {tasks} tasks of the jobs {}; trainings write a checkpoint first, and \
         `ablate run` goes on from there\n",
        ids.join(" ")
    ))?;
    Ok(Exit::Ok)
}
