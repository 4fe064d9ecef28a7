//! From a path to a study: layers, profile, arguments, resolution.

use std::path::{Path, PathBuf};

use ablate_suggestion::advice;

use crate::Study;
use crate::diagnostic::{Diagnostic, Failure, SourceText};
use crate::file::Mirrors;
use crate::layers::{Layers, Read};
use crate::merge::overlay;
use crate::reporter::Reporter;
use crate::resolve;
use crate::tree::{At, Node, Table};

/// What is laid over the study file from outside.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The profile to apply.
    pub profile: Option<String>,
    /// `key=value` arguments in TOML syntax, e.g. `train.learning_rate=3e-4`; a bare word is
    /// taken for a string. Later ones win.
    pub set: Vec<String>,
}

/// What can be said of a study file without resolving it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// Names of its profiles, in the order of the files.
    pub profiles: Vec<String>,
    /// Elements of the paper that it mirrors, before any profile.
    pub mirrors: Vec<String>,
}

/// A study that can be used.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// The study.
    pub study: Study,
    /// The texts that it was read from, the study file first.
    pub sources: Vec<SourceText>,
    /// What is probably not meant.
    pub warnings: Vec<Diagnostic>,
}

/// Reads, merges, checks and resolves a study file.
///
/// Layers from bottom to top: the file that is extended, the study file, the profile, the
/// arguments. Paths in files are relative to the folder of the file that writes them, paths in
/// arguments to the current folder.
///
/// # Errors
/// Every error that was found, with its place. Nothing that depends on a reported value is
/// reported again; when a text is missing or is not TOML, only the texts are checked.
pub fn load(entry: &Path, read: Read<'_>, options: &Options) -> Result<Loaded, Failure> {
    let mut report = Reporter::default();
    let mut layers = Layers::default();
    layers.read_files(entry, read, &mut report);
    layers.read_arguments(&options.set, &mut report);
    let mut document = Table::default();
    for file in &layers.files {
        overlay(&mut document, file, &mut Vec::new());
    }
    let profiles = document.remove("profile");
    if !layers.incomplete {
        apply_profile(&mut document, profiles.as_ref(), options, &mut layers, &mut report);
    }
    for argument in &layers.arguments {
        overlay(&mut document, argument, &mut Vec::new());
    }
    let stem = entry.file_stem().unwrap_or_default().to_string_lossy();
    let study = match layers.incomplete {
        true => None,
        false => {
            let profile = options.profile.clone();
            let (folders, files) = (&layers.folders, layers.files.len());
            resolve::study(&document, &stem, profile, folders, files, &mut report)
        }
    };
    let failed = report.has_errors();
    let diagnostics = report.sorted();
    let sources = layers.sources;
    match study {
        Some(study) if !failed => Ok(Loaded { study, sources, warnings: diagnostics }),
        _ => Err(Failure { diagnostics, sources }),
    }
}

/// Reads what a study file and the files that it extends say of profiles and of the paper. What
/// cannot be read says nothing; [`load`] reports it.
pub fn outline(entry: &Path, read: Read<'_>) -> Outline {
    let mut layers = Layers::default();
    layers.read_files(entry, read, &mut Reporter::default());
    let mut document = Table::default();
    for file in &layers.files {
        overlay(&mut document, file, &mut Vec::new());
    }
    let profiles = document.at("profile").and_then(Node::table);
    let mirrors = document.at("study.mirrors").and_then(Node::to_json);
    let mirrors = mirrors.and_then(|value| serde_json::from_value::<Mirrors>(value).ok());
    Outline {
        profiles: profiles
            .map(|table| table.entries.iter().map(|entry| entry.key.clone()).collect())
            .unwrap_or_default(),
        mirrors: mirrors.map(Vec::from).unwrap_or_default(),
    }
}

fn apply_profile(
    document: &mut Table,
    profiles: Option<&Node>,
    options: &Options,
    layers: &mut Layers,
    report: &mut Reporter,
) {
    let Some(name) = &options.profile else { return };
    let profiles = profiles.and_then(Node::table);
    match profiles.and_then(|profiles| profiles.table(name)) {
        Some(profile) => overlay(document, profile, &mut Vec::new()),
        None => {
            let source = layers.add_source("--profile".into(), name.clone(), PathBuf::new());
            let entries = profiles.map(|profiles| profiles.entries.as_slice()).unwrap_or_default();
            let names: Vec<_> = entries.iter().map(|entry| entry.key.as_str()).collect();
            let help = advice(name, "profiles", &names)
                .or_else(|| Some("this study has no profiles".into()));
            let at = At { source, span: 0..name.len() };
            let why = "no [profile] table has this name".to_string();
            report.error(&at, format!("there is no profile `{name}`"), why, help);
        }
    }
}
