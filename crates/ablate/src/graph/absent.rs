//! Inputs that are not there: which variants want them, and what a plan takes in their place.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use ablate_benchmark::Library;
use ablate_corpus::{CorpusError, expand};
use ablate_spec::{
    Build, Compact, Corpus, Eval, Init, Origin, RandomInit, Scheme, Storyworld, Study, TrainBpe,
    Variant,
};
use ablate_tokenizer::Tokenizer;
use serde::Serialize;

use super::inputs;

/// What a corpus of unknown size is taken for.
const UNKNOWN: u64 = 1_000_000_000;

/// Something from outside that is not there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Absence {
    /// The key of the study file that names it, e.g. `eval.files`.
    pub key: String,
    /// The file, or the pattern that no file has.
    pub path: String,
    /// What is not there and what to do.
    pub message: String,
}

impl Absence {
    fn new(key: impl Into<String>, path: &str, message: impl Into<String>) -> Self {
        Self { key: key.into(), path: path.to_owned(), message: message.into() }
    }

    /// Several of them in one sentence.
    pub fn in_words(all: &[Self]) -> String {
        all.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    }
}

impl fmt::Display for Absence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (`{}`)", self.message, self.key)
    }
}

/// What is not there, by who needs it.
#[derive(Debug, Default)]
pub struct Missing {
    /// By the name of the variant or of the model of others.
    pub by_name: BTreeMap<String, Vec<Absence>>,
    /// Parents that cannot be made or read.
    pub parents: BTreeSet<String>,
}

/// A study whose graph can be built although some of its files are not there, and what is missing.
///
/// Text that is missing is stood in for by as much of the generator's, a tokenizer by one of its
/// size, and items by none. Nothing may be run of it.
pub fn stand_in(study: &Study, library: &Library) -> (Study, Missing) {
    let mut study = study.clone();
    let mut missing = Missing::default();
    let mut of_parents: BTreeMap<String, Vec<Absence>> = BTreeMap::new();
    for parent in &mut study.parents {
        let mut absent = replace(&mut parent.variant, library);
        // Nobody scores a parent.
        absent.retain(|absence| !absence.key.starts_with("eval."));
        for absence in &mut absent {
            absence.key = format!("parents.{}.{}", parent.name, absence.key);
        }
        if !absent.is_empty() {
            of_parents.insert(parent.name.clone(), absent);
        }
    }
    let gone: Vec<(String, Absence)> = study
        .given
        .iter()
        .filter_map(|parent| Some((parent.name.clone(), of_model(&parent.name, &parent.path)?)))
        .collect();
    study.given.retain(|parent| gone.iter().all(|(name, _)| *name != parent.name));
    missing.parents.extend(of_parents.keys().cloned());
    missing.parents.extend(gone.iter().map(|(name, _)| name.clone()));
    for variant in &mut study.variants {
        let mut absent = replace(variant, library);
        if let Init::Inherit(init) = &variant.init {
            absent.extend(of_parents.get(&init.parent).into_iter().flatten().cloned());
            if let Some((_, absence)) = gone.iter().find(|(name, _)| *name == init.parent) {
                absent.push(absence.clone());
                // Its weights cost nothing to make, so a plan without them lacks a step of seconds.
                variant.init = Init::Random(RandomInit { scheme: Scheme::Constant, std: 0.02 });
            }
        }
        if !absent.is_empty() {
            missing.by_name.insert(variant.name.clone(), absent);
        }
    }
    if let Some(externals) = &mut study.externals {
        // A model that is not there has no stages; what it would be scored on may be missing as well.
        let absent = replace_text(externals.corpus.as_mut(), &mut externals.eval, library);
        if !absent.is_empty() {
            for external in &externals.models {
                missing.by_name.insert(external.name.clone(), absent.clone());
            }
        }
    }
    (study, missing)
}

/// What is not there of a parent that exists as files. What is there and no model is an error of
/// whoever reads it.
fn of_model(name: &str, path: &str) -> Option<Absence> {
    let key = format!("parents.{name}.path");
    let place = Path::new(path);
    if !place.exists() {
        let message = format!("there is no model `{path}`; put it there or mend the path");
        return Some(Absence::new(key, path, message));
    }
    let tokenizer = place.is_dir().then(|| Tokenizer::find(place))?;
    if !place.join("config.json").exists() || tokenizer.exists() {
        return None;
    }
    let file = tokenizer.display().to_string();
    let message = format!("there is no tokenizer `{file}` beside the model; put it there");
    Some(Absence::new(key, &file, message))
}

/// Replaces what is missing of a variant; what that was.
fn replace(variant: &mut Variant, library: &Library) -> Vec<Absence> {
    let mut absent = replace_text(Some(&mut variant.corpus), &mut variant.eval, library);
    let file = match &variant.tokenizer.build {
        Build::File(file) => Some(("tokenizer.build.file.path", &file.path)),
        Build::Compact(Compact::File { file }) => Some(("tokenizer.build.compact.file", file)),
        _ => None,
    };
    if let Some((key, path)) = file.filter(|(_, path)| !Path::new(path).exists()) {
        let message = format!("there is no tokenizer `{path}`; put it there or mend the path");
        absent.push(Absence::new(key, path, message));
        variant.tokenizer.build = Build::Train(TrainBpe { bytes: UNKNOWN });
    }
    absent
}

/// Replaces text and items that are missing; what that was, text first.
fn replace_text(text: Option<&mut Corpus>, eval: &mut Eval, library: &Library) -> Vec<Absence> {
    let mut absent = Vec::new();
    let mut generated = false;
    if let Some(corpus) = text {
        generated = inputs::world(corpus).is_some();
        for source in &mut corpus.sources {
            let Origin::Files(files) = &source.from else { continue };
            let found = expand(&files.paths, Path::new(""));
            if let Err(CorpusError::NoMatch { pattern, .. }) = &found {
                let (key, message) =
                    ("corpus.sources", found.as_ref().err().map(ToString::to_string));
                absent.push(Absence::new(key, pattern, message.unwrap_or_default()));
                source.from = Origin::Storyworld(Storyworld { seed: 1 });
                corpus.bytes.get_or_insert(UNKNOWN);
            }
        }
        if !generated && !absent.is_empty() {
            // The generator's benchmarks are not the study's.
            eval.benchmarks.retain(|name| name != "all");
        }
    }
    let (names, missing) = inputs::without_missing(eval, generated, library);
    eval.benchmarks = names;
    absent.extend(missing.into_iter().map(|(name, message)| {
        let place = library.imported().join(name).display().to_string();
        Absence::new("eval.benchmarks", &place, message)
    }));
    eval.files.retain(|path| {
        let there = Path::new(path).exists();
        if !there {
            let message = format!("there are no items `{path}`; put them there or mend the path");
            absent.push(Absence::new("eval.files", path, message));
        }
        there
    });
    absent
}
