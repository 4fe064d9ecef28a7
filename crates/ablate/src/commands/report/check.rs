//! `ablate report check` and `ablate report why`: whether a report is what its rows say, and where a
//! number of it comes from.

use std::path::{Path, PathBuf};

use ablate_report::{Checked, StudyData};

use super::super::{print, say};
use super::turn;
use crate::cli::{CellArgs, StudyArgs};
use crate::exit::{CommandError, CommandResult, Exit};
use crate::graph::{self, StudyGraph};
use crate::root::Root;
use crate::rows;
use crate::study::{self, LoadedStudy};

/// What a study is given by: its file, or its report alone.
pub struct Found {
    /// Folder of the report.
    pub folder: PathBuf,
    /// The study, where its file was given.
    pub study: Option<(LoadedStudy, StudyGraph)>,
}

impl Found {
    /// Looks for the report of a study file, or for one of this name or folder.
    pub fn of(root: &Root, args: &StudyArgs) -> Result<Self, CommandError> {
        let named = args.study.to_str().map(|name| root.report(name));
        let folder = [Some(args.study.clone()), named]
            .into_iter()
            .flatten()
            .find(|folder| folder.join("study.json").is_file());
        if let Some(folder) = folder.filter(|_| !args.study.is_file()) {
            if args.profile.is_some() || !args.set.is_empty() {
                return Err(CommandError::usage(format!(
                    "`{}` is a report: `--profile` and `--set` need the study file",
                    folder.display()
                )));
            }
            return Ok(Self { folder, study: None });
        }
        let loaded = study::load(args)?;
        let built = graph::build(&loaded.study, &root.benchmarks())?;
        let folder = root.report(&loaded.study.report_name());
        Ok(Self { folder, study: Some((loaded, built)) })
    }

    /// Compares the report with its rows, and these with what the store holds.
    pub fn check(&self, root: &Root) -> Result<Checked, CommandError> {
        let fresh: Option<StudyData> = match &self.study {
            Some((loaded, built)) => Some(rows::collect(root, loaded, built)?),
            None => None,
        };
        // Nothing of the study in the store: only the keys of the study file can be compared.
        ablate_report::check(&self.folder, fresh.as_ref()).map_err(CommandError::usage)
    }
}

pub fn check(root: &Root, args: &StudyArgs) -> CommandResult {
    let found = Found::of(root, args)?;
    let _lease = lease(&found.folder)?;
    let checked = found.check(root)?;
    print_findings(&checked)?;
    if checked.findings.is_empty() {
        return Ok(Exit::Ok);
    }
    say("`ablate report STUDY` writes the tables again from what is in the store");
    Ok(Exit::Stale)
}

/// Shows what was found, and what was compared.
pub fn print_findings(checked: &Checked) -> Result<(), CommandError> {
    for finding in &checked.findings {
        print(&format!("{finding}\n"))?;
    }
    for note in &checked.notes {
        say(&format!("note: {note}"));
    }
    print(&format!(
        "{} tables, {} cells: {}\n",
        checked.tables,
        checked.cells,
        match checked.findings.len() {
            0 => "all are what the rows say".to_owned(),
            1 => "1 thing is wrong".to_owned(),
            n => format!("{n} things are wrong"),
        }
    ))
}

pub fn why(root: &Root, args: &CellArgs) -> CommandResult {
    let found = Found::of(root, &args.study)?;
    let data = ablate_report::read(&found.folder).map_err(CommandError::usage)?;
    print(&ablate_report::why(&data, &args.cell).map_err(CommandError::usage)?)?;
    Ok(Exit::Ok)
}

/// Waits for whoever writes the report, where it lies among those that are written.
fn lease(folder: &Path) -> Result<Option<ablate_pipeline::Lease>, CommandError> {
    // A report on a disk that cannot be written is nobody's to change.
    Ok(if folder.is_dir() { turn(folder).ok() } else { None })
}
