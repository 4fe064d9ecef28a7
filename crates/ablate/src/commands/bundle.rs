//! `ablate bundle`, and `ablate verify` of one: a study in one file that proves itself.

use std::fs;
use std::path::{Path, PathBuf};

use super::report::{Found, print_findings};
use super::{print, say};
use crate::bundle::{self, Lock};
use crate::cli::BundleArgs;
use crate::exit::{CommandError, CommandResult, Exit};
use crate::root::Root;

pub fn run(root: &Root, args: &BundleArgs) -> CommandResult {
    let found = Found::of(root, &args.study)?;
    let Some((loaded, built)) = &found.study else {
        return Err(CommandError::usage(format!(
            "`{}` is a report: a bundle is made of a study file, which says what its results are of",
            args.study.study.display()
        )));
    };
    let checked = found.check(root)?;
    if !checked.findings.is_empty() {
        print_findings(&checked)?;
        say(
            "nothing was packed: the report is not what its rows say; `ablate report STUDY` mends it",
        );
        return Ok(Exit::Stale);
    }
    let name = loaded.study.report_name();
    let lock = serde_json::to_vec_pretty(&Lock::of(built)).map_err(CommandError::bug)?;
    let mut files = vec![
        ("study.toml".to_owned(), loaded.text.clone().into_bytes()),
        ("lock.json".to_owned(), lock),
    ];
    for entry in ablate_report::entries(&found.folder).map_err(CommandError::usage)? {
        let path = found.folder.join(&entry);
        let bytes = fs::read(&path).map_err(|error| {
            CommandError::machine(format!("cannot read `{}`: {error}", path.display()))
        })?;
        files.push((format!("report/{entry}"), bytes));
    }
    let bytes = bundle::pack(&name, files).map_err(CommandError::machine)?;
    let output = match &args.output {
        Some(path) => path.clone(),
        None => PathBuf::from(format!("{name}{}", bundle::ENDING)),
    };
    ablate_pipeline::write_atomic(&output, &bytes).map_err(|error| {
        CommandError::machine(format!("cannot write `{}`: {error}", output.display()))
    })?;
    print(&format!(
        "{}: {:.1} MB, blake3 {}\n",
        output.display(),
        bytes.len() as f64 / 1e6,
        blake3::hash(&bytes).to_hex()
    ))?;
    Ok(Exit::Ok)
}

/// Whether the tables of a bundle are what its rows say, and its keys what its recipes say.
pub fn verify(path: &Path) -> CommandResult {
    let refuse = |error: bundle::BundleError| {
        CommandError::usage(format!("the bundle `{}`: {error}", path.display()))
    };
    let contents = bundle::open(path).map_err(refuse)?;
    let folder = tempfile::Builder::new().prefix("ablate-bundle-").tempdir().map_err(|error| {
        CommandError::machine(format!("cannot make a folder to unpack into: {error}"))
    })?;
    let report = contents.unpack_report(folder.path()).map_err(CommandError::machine)?;
    let mut wrong = contents.differences();
    let lock = contents.lock().map_err(refuse)?;
    wrong.extend(lock.differences());
    let checked = ablate_report::check(&report, None).map_err(CommandError::usage)?;
    let keys = ablate_report::sources(&report).map_err(CommandError::usage)?;
    wrong.extend(lock.unknown(&keys));
    for line in &wrong {
        print(&format!("{line}\n"))?;
    }
    print_findings(&checked)?;
    print(&format!(
        "{}: {} files, {} keys: {} wrong\n",
        contents.name(),
        contents.len(),
        lock.len(),
        wrong.len()
    ))?;
    let whole = wrong.is_empty() && checked.findings.is_empty();
    Ok(if whole { Exit::Ok } else { Exit::Stale })
}
