//! `ablate report`: a study's report from what is in the store.

use std::path::Path;
use std::thread;
use std::time::Duration;

use ablate_pipeline::{Lease, LeaseError};

use super::{print, say};
use crate::cli::StudyArgs;
use crate::exit::{CommandError, CommandResult, Exit};
use crate::graph::{self, StudyGraph};
use crate::root::Root;
use crate::rows;
use crate::study::{self, LoadedStudy};

pub fn run(root: &Root, args: &StudyArgs) -> CommandResult {
    let loaded = study::load(args)?;
    let built = graph::build(&loaded.study)?;
    write(root, &loaded, &built, false, true)?;
    Ok(Exit::Ok)
}

/// Collects the rows of everything that is finished and renders them. Shows the headline on
/// standard output, or what is known of the tokenizers where nothing is trained and they alone
/// (`untrained`) are worth a report.
pub fn write(
    root: &Root,
    loaded: &LoadedStudy,
    built: &StudyGraph,
    quiet: bool,
    untrained: bool,
) -> Result<(), CommandError> {
    let folder = root.report(&loaded.study.name);
    let _lease = turn(&folder.with_file_name(format!(".{}.lease", loaded.study.name)))?;
    let data = rows::collect(root, loaded, built)?;
    if data.scores.is_empty() && (data.tokenizers.is_empty() || !untrained) {
        say("no variant is finished, so there is no report");
        return Ok(());
    }
    ablate_report::write(&data, &folder).map_err(CommandError::machine)?;
    if !quiet {
        let table = match data.scores.is_empty() {
            true => ablate_report::tokenizers(&data),
            false => ablate_report::headline(&data),
        };
        print(&table.map_err(CommandError::machine)?.to_text())?;
        say(&format!("report: {}", folder.join("index.html").display()));
    }
    Ok(())
}

/// Waits until no other run of the study writes its report.
fn turn(lease: &Path) -> Result<Lease, CommandError> {
    loop {
        match Lease::take(lease) {
            Err(LeaseError::Held(_)) => thread::sleep(Duration::from_millis(100)),
            taken => return taken.map_err(CommandError::machine),
        }
    }
}
