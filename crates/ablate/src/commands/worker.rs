//! `ablate worker`: one task from standard input, made in this process.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use ablate_model::use_threads;
use ablate_pipeline::{WorkerExit, serve};

use crate::cli::WorkerArgs;
use crate::exit::{CommandError, CommandResult, Exit};
use crate::stages;

pub fn run(args: &WorkerArgs) -> CommandResult {
    rayon::ThreadPoolBuilder::new()
        .num_threads(args.threads.max(1))
        .build_global()
        .map_err(CommandError::machine)?;
    use_threads(args.threads.max(1));
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT] {
        signal_hook::flag::register(signal, Arc::clone(&stop)).map_err(CommandError::machine)?;
    }
    Ok(match serve(&stop, &stages::work) {
        WorkerExit::Done => Exit::Ok,
        WorkerExit::Failed => Exit::FailedVariants,
        WorkerExit::Stopped | WorkerExit::Busy => Exit::Busy,
    })
}
