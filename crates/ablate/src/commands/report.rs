//! `ablate report`: a study's report from what is in the store; `check` and `why` of one that is there.

use std::path::Path;

use ablate_pipeline::Lease;

use super::{print, say};
use crate::cli::{ReportArgs, ReportCommand, StudyArgs};
use crate::exit::{CommandError, CommandResult, Exit};
use crate::graph::{self, ExternalNodes, StudyGraph};
use crate::root::Root;
use crate::rows;
use crate::study::{self, LoadedStudy};

mod check;

pub use check::{Found, print_findings};

pub fn run(root: &Root, args: &ReportArgs) -> CommandResult {
    match (&args.command, &args.study) {
        (Some(ReportCommand::Check(args)), _) => check::check(root, args),
        (Some(ReportCommand::Why(args)), _) => check::why(root, args),
        (None, Some(args)) => render(root, args),
        (None, None) => Err(CommandError::usage("which study? `ablate report STUDY`")),
    }
}

fn render(root: &Root, args: &StudyArgs) -> CommandResult {
    let loaded = study::load(args)?;
    let built = graph::build(&loaded.study, &root.benchmarks())?;
    for absent in &built.absent {
        say(&format!("variant `{}` is not made: {}", absent.name, absent.reason()));
    }
    write(root, &loaded, &built, false, true)
}

/// Collects the rows of everything that is finished and renders them. Shows the headline and the
/// claims on standard output, or what is known of the tokenizers where nothing is trained and they
/// alone (`untrained`) are worth a report. The exit code says whether a required claim is
/// contradicted.
pub fn write(
    root: &Root,
    loaded: &LoadedStudy,
    built: &StudyGraph,
    quiet: bool,
    untrained: bool,
) -> CommandResult {
    let folder = root.report(&loaded.study.report_name());
    let _lease = turn(&folder)?;
    let data = rows::collect(root, loaded, built)?;
    if data.scores.is_empty() && (data.tokenizers.is_empty() || !untrained) {
        say("no variant is finished, so there is no report");
        for absence in built.externals.iter().filter_map(ExternalNodes::absence) {
            say(&absence);
        }
        return Ok(Exit::Ok);
    }
    let written = ablate_report::write(&data, &folder).map_err(CommandError::machine)?;
    if !quiet {
        let table = match data.scores.is_empty() {
            true => ablate_report::tokenizers(&data),
            false => ablate_report::headline(&data),
        };
        let table = table.map_err(CommandError::machine)?;
        let claims: String = written.claims.iter().map(|claim| claim.line() + "\n").collect();
        let gap = if claims.is_empty() { "" } else { "\n" };
        print(&format!("{}{gap}{claims}", table.to_text()))?;
        say(&format!("report: {}", folder.join("index.html").display()));
    }
    let failed: Vec<&str> = written
        .claims
        .iter()
        .filter(|claim| claim.fails())
        .map(|claim| claim.id.as_str())
        .collect();
    if failed.is_empty() {
        return Ok(Exit::Ok);
    }
    let table = folder.join("tables").join("claims.md");
    say(&format!("contradicted although required: {}; see {}", failed.join(", "), table.display()));
    Ok(Exit::Contradicted)
}

/// Waits until no other process writes the report in this folder.
pub fn turn(folder: &Path) -> Result<Lease, CommandError> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let lease = folder.with_file_name(format!(".{name}.lease"));
    Lease::wait(&lease).map_err(CommandError::machine)
}
