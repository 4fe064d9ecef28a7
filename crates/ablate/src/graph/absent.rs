//! Inputs that are not there: a plan needs sizes, not text.

use std::collections::BTreeMap;
use std::path::Path;

use ablate_benchmark::Library;
use ablate_corpus::{CorpusError, expand};
use ablate_spec::{
    Build, Compact, Corpus, Eval, GivenParent, Init, Origin, RandomInit, Scheme, Storyworld, Study,
    TrainBpe, Variant,
};

use super::inputs;

/// What a corpus of unknown size is taken for.
const UNKNOWN: u64 = 1_000_000_000;

/// A study whose graph can be built although some of its files are not there, and for each variant
/// that wants one what is missing.
///
/// Text that is missing is stood in for by as much of the generator's, a tokenizer by one of its
/// size, and items by none. Nothing may be run of it.
pub fn stand_in(study: &Study, library: &Library) -> (Study, BTreeMap<String, String>) {
    let mut study = study.clone();
    let mut missing = BTreeMap::new();
    for parent in &mut study.parents {
        replace(&mut parent.variant, library);
    }
    let absent: Vec<_> =
        study.given.extract_if(.., |parent| !Path::new(&parent.path).exists()).collect();
    for variant in &mut study.variants {
        let parent = match &variant.init {
            Init::Inherit(init) => absent.iter().find(|parent| parent.name == init.parent),
            Init::Random(_) => None,
        };
        if let Some(GivenParent { path, .. }) = parent {
            // Its weights cost nothing to make, so a plan without them lacks a step of seconds.
            variant.init = Init::Random(RandomInit { scheme: Scheme::Constant, std: 0.02 });
            let reason = format!("there is no model `{path}`; put it there or mend the path");
            missing.insert(variant.name.clone(), reason);
        }
        if let Some(reason) = replace(variant, library) {
            missing.insert(variant.name.clone(), reason);
        }
    }
    if let Some(externals) = &mut study.externals {
        // A model that is not there has no stages; what it would be scored on may be missing as well.
        let text = externals.corpus.as_mut();
        let reason = replace_text(text, &mut externals.eval, library).into_iter().next();
        if let Some(reason) = reason {
            for external in &externals.models {
                missing.insert(external.name.clone(), reason.clone());
            }
        }
    }
    (study, missing)
}

/// Replaces what is missing; the first reason why something had to be.
fn replace(variant: &mut Variant, library: &Library) -> Option<String> {
    let mut reasons = replace_text(Some(&mut variant.corpus), &mut variant.eval, library);
    let file = match &variant.tokenizer.build {
        Build::File(file) => Some(&file.path),
        Build::Compact(Compact::File { file }) => Some(file),
        _ => None,
    };
    if let Some(path) = file.filter(|path| !Path::new(path).exists()) {
        reasons.push(format!("there is no tokenizer `{path}`; put it there or mend the path"));
        variant.tokenizer.build = Build::Train(TrainBpe { bytes: UNKNOWN });
    }
    reasons.into_iter().next()
}

/// Replaces text and items that are missing; why, text first.
fn replace_text(text: Option<&mut Corpus>, eval: &mut Eval, library: &Library) -> Vec<String> {
    let mut reasons = Vec::new();
    let mut generated = false;
    if let Some(corpus) = text {
        generated = inputs::world(corpus).is_some();
        for source in &mut corpus.sources {
            let Origin::Files(files) = &source.from else { continue };
            let found = expand(&files.paths, Path::new(""));
            if let Err(error @ CorpusError::NoMatch { .. }) = found {
                reasons.push(error.to_string());
                source.from = Origin::Storyworld(Storyworld { seed: 1 });
                corpus.bytes.get_or_insert(UNKNOWN);
            }
        }
        if !generated && !reasons.is_empty() {
            // The generator's benchmarks are not the study's.
            eval.benchmarks.retain(|name| name != "all");
        }
    }
    let (names, missing) = inputs::without_missing(eval, generated, library);
    eval.benchmarks = names;
    reasons.extend(missing);
    eval.files.retain(|path| {
        let there = Path::new(path).exists();
        if !there {
            reasons.push(format!("there are no items `{path}`; put them there or mend the path"));
        }
        there
    });
    reasons
}
