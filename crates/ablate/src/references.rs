//! What studies refer to in the store.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use ablate_benchmark::Library;
use ablate_pipeline::{Accepted, write_atomic};
use ablate_report::ReportError;
use ablate_spec::Options;
use serde::{Deserialize, Serialize};

use crate::cli::StudyArgs;
use crate::exit::CommandError;
use crate::graph::{self, StudyGraph};
use crate::root::Root;
use crate::study;

/// What a run has asked for: kept for as long as the study file is there.
#[derive(Debug, Serialize, Deserialize)]
struct Reference {
    /// The study file.
    study: PathBuf,
    profile: Option<String>,
    set: Vec<String>,
    /// Keys of all its stages.
    keys: Vec<String>,
    /// Whether there were variants whose keys were not known.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    partial: bool,
}

/// Writes down what a run is going to need, before it makes any of it.
///
/// # Errors
/// When the disk says no.
pub fn note(
    root: &Root,
    name: &str,
    args: &StudyArgs,
    built: &StudyGraph,
) -> Result<(), CommandError> {
    let folder = root.references();
    let mut reference = Reference {
        study: fs::canonicalize(&args.study).map_err(CommandError::usage)?,
        profile: args.profile.clone(),
        set: args.set.clone(),
        keys: built.graph.iter().map(|(_, node)| node.key().to_string()).collect(),
        partial: !built.absent.is_empty(),
    };
    // The same name may be another study's, or the same study changed by `--set`.
    let of = serde_json::to_vec(&(&reference.study, &reference.profile, &reference.set));
    let own = blake3::hash(&of.map_err(CommandError::bug)?).to_hex();
    let path = folder.join(format!("{name}-{}.json", &own[..12]));
    if reference.partial
        && let Ok(before) = fs::read(&path)
        && let Ok(before) = serde_json::from_slice::<Reference>(&before)
    {
        // What a variant was made of before its source went away is still its own.
        let own: BTreeSet<&String> = reference.keys.iter().collect();
        let more: Vec<_> = before.keys.into_iter().filter(|key| !own.contains(key)).collect();
        reference.keys.extend(more);
        reference.partial = before.partial;
    }
    let bytes = serde_json::to_vec_pretty(&reference).map_err(CommandError::bug)?;
    let written = fs::create_dir_all(&folder).and_then(|()| write_atomic(&path, &bytes));
    written.map_err(|error| {
        CommandError::machine(format!("cannot write `{}`: {error}", path.display()))
    })
}

/// Keys that something refers to.
#[derive(Debug, Default)]
pub struct References {
    /// By their first twelve digits.
    pub keys: BTreeSet<String>,
    /// Study files with the number of their profiles and bases.
    pub studies: usize,
    /// Studies whose results cannot be named, with the reason.
    pub unknown: Vec<(String, String)>,
}

impl References {
    /// Of every study file below some folders, every report, and every run whose study is there.
    pub fn all(root: &Root, folders: &[PathBuf]) -> Self {
        let mut all = Self::default();
        let mut noted = BTreeSet::new();
        for path in files(&root.references(), 1) {
            let read = fs::read(&path).map_err(|error| error.to_string()).and_then(|bytes| {
                serde_json::from_slice::<Reference>(&bytes).map_err(|error| error.to_string())
            });
            let reference = match read {
                Ok(reference) => reference,
                Err(why) => {
                    all.unknown.push((path.display().to_string(), why));
                    continue;
                }
            };
            if reference.study.is_file() {
                all.take(reference.keys);
                if !reference.partial {
                    noted.insert(reference.study);
                }
            }
        }
        for folder in folders_of(&root.path().join("reports")) {
            match ablate_report::sources(&folder) {
                Ok(keys) => all.take(keys.into_iter().map(|(_, _, key)| key)),
                Err(ReportError::NoReport { .. }) => {}
                Err(error) => {
                    all.unknown.push((folder.display().to_string(), error.to_string()));
                }
            }
        }
        let mut seen = BTreeSet::new();
        for path in folders.iter().flat_map(|folder| files(folder, 8)) {
            let whole = fs::canonicalize(&path).unwrap_or(path);
            if is_study(&whole) && seen.insert(whole.clone()) {
                all.study(&whole, noted.contains(&whole), &root.benchmarks());
            }
        }
        all
    }

    /// What stands for something that is referred to is referred to as well. Where it is not known what
    /// was accepted, it is not known what is needed.
    pub fn follow(&mut self, accepted: &[Accepted]) {
        for one in accepted {
            match &one.record {
                Ok(record) if self.keys.contains(record.new.key.short()) => {
                    self.keys.insert(record.old.key.short().to_owned());
                }
                Ok(_) => {}
                Err(why) => self.unknown.push((one.path.display().to_string(), why.clone())),
            }
        }
    }

    fn take(&mut self, keys: impl IntoIterator<Item = String>) {
        self.keys.extend(keys.into_iter().filter_map(|key| key.get(..12).map(str::to_owned)));
    }

    /// A study file with each of its profiles. One that a run has noted needs no more.
    fn study(&mut self, path: &Path, noted: bool, library: &Library) {
        let mut profiles: Vec<Option<String>> =
            ablate_spec::outline(path, &study::read).profiles.into_iter().map(Some).collect();
        profiles.push(None);
        for profile in profiles {
            let name = match &profile {
                Some(profile) => format!("{} --profile {profile}", path.display()),
                None => path.display().to_string(),
            };
            self.studies += 1;
            let options = Options { profile, set: Vec::new() };
            let built = match study::try_load(path, &options) {
                Ok(loaded) => graph::build(&loaded.study, library).map_err(|error| error.message),
                Err(_) => Err("it has errors; `ablate check` shows them".to_owned()),
            };
            match built {
                Ok(built) => {
                    self.take(built.graph.iter().map(|(_, node)| node.key().to_string()));
                    if let Some(absent) = built.absent.first().filter(|_| !noted) {
                        self.unknown
                            .push((name, format!("`{}`: {}", absent.name, absent.reason())));
                    }
                }
                Err(_) if noted => {}
                Err(why) => self.unknown.push((name, why)),
            }
        }
    }
}

/// The graphs of every study file below some folders, with each of its profiles, and of what runs have
/// asked for; studies that cannot be read have none.
pub fn graphs(root: &Root, folders: &[PathBuf], visit: &mut dyn FnMut(StudyGraph)) {
    let library = root.benchmarks();
    let mut seen = BTreeSet::new();
    let mut look = |path: &Path, options: Options| {
        let Ok(whole) = fs::canonicalize(path) else { return };
        if seen.insert((whole.clone(), options.profile.clone(), options.set.clone()))
            && let Ok(loaded) = study::try_load(&whole, &options)
            && let Ok(built) = graph::build(&loaded.study, &library)
        {
            visit(built);
        }
    };
    for path in files(&root.references(), 1) {
        let bytes = fs::read(&path).unwrap_or_default();
        if let Ok(Reference { study, profile, set, .. }) = serde_json::from_slice(&bytes) {
            look(&study, Options { profile, set });
        }
    }
    for path in folders.iter().flat_map(|folder| files(folder, 8)) {
        if is_study(&path) {
            let profiles = ablate_spec::outline(&path, &study::read).profiles;
            for profile in profiles.into_iter().map(Some).chain([None]) {
                look(&path, Options { profile, set: Vec::new() });
            }
        }
    }
}

fn is_study(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "toml")
        && fs::read_to_string(path).is_ok_and(|text| text.contains("[study]"))
}

/// Files below a folder, so deep at most; build outputs, hidden folders and stores left out.
fn files(folder: &Path, depth: usize) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let hidden = name.to_string_lossy().starts_with('.');
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => {
                let left_out =
                    hidden || name == "target" || name == "store" || name == "node_modules";
                if depth > 1 && !left_out {
                    found.extend(files(&entry.path(), depth - 1));
                }
            }
            Ok(_) => found.push(entry.path()),
            Err(_) => {}
        }
    }
    found.sort();
    found
}

fn folders_of(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}
