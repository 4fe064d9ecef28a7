//! What a study takes from outside: the user's files by their content, and benchmark names.

use std::fs::File;
use std::path::Path;

use ablate_corpus::expand;
use ablate_spec::{Corpus, Eval, Files, Origin};
use ablate_tokenizer::Tokenizer;

use crate::exit::CommandError;

/// Files and their blake3, in the order of their names.
pub struct Content {
    pub paths: Vec<String>,
    pub hashes: Vec<String>,
}

/// Finds the files of a source and hashes them.
///
/// # Errors
/// A pattern without files, or a file that cannot be read.
pub fn files(files: &Files) -> Result<Content, CommandError> {
    let paths = expand(&files.paths, Path::new("")).map_err(CommandError::usage)?;
    let paths: Vec<String> = paths.iter().map(|path| path.to_string_lossy().into_owned()).collect();
    let hashes = paths.iter().map(|path| hash(path)).collect::<Result<_, _>>()?;
    Ok(Content { paths: absolute(&paths)?, hashes })
}

/// The blake3 of a file's content.
///
/// # Errors
/// When it cannot be read.
pub fn hash(path: &str) -> Result<String, CommandError> {
    let mut hasher = blake3::Hasher::new();
    File::open(path)
        .and_then(|file| hasher.update_reader(file).map(|_| ()))
        .map_err(|error| CommandError::usage(format!("cannot read `{path}`: {error}")))?;
    Ok(hasher.finalize().to_hex().to_string())
}

/// Looks whether the user's tokenizer has as many entries as the study says.
///
/// # Errors
/// Another number, or a file that is no tokenizer.
pub fn check_tokenizer(path: &str, vocabulary: usize) -> Result<(), CommandError> {
    let found = Tokenizer::load(path.as_ref()).map_err(CommandError::usage)?.vocabulary();
    if found == vocabulary {
        return Ok(());
    }
    Err(CommandError::usage(format!(
        "`{path}` has {found} entries, but `tokenizer.vocabulary` is {vocabulary}; write \
         `vocabulary = {found}`"
    )))
}

/// Workers may run in another folder.
///
/// # Errors
/// When the current folder is gone.
pub fn absolute(paths: &[String]) -> Result<Vec<String>, CommandError> {
    let absolute = |path: &String| {
        std::path::absolute(path)
            .map(|path| path.to_string_lossy().into_owned())
            .map_err(CommandError::machine)
    };
    paths.iter().map(absolute).collect()
}

/// The storyworld whose benchmarks a variant is scored on: that of its first source.
pub fn world(corpus: &Corpus) -> Option<u64> {
    corpus.sources.iter().find_map(|source| match &source.from {
        Origin::Storyworld(world) => Some(world.seed),
        Origin::Files(_) => None,
    })
}

/// The names of the storyworld's benchmarks that a variant asks for.
///
/// # Errors
/// A name that there is no benchmark for, or names without a storyworld.
pub fn benchmark_names(eval: &Eval, world: Option<u64>) -> Result<Vec<String>, CommandError> {
    let known: Vec<&str> = ablate_storyworld::benchmarks().iter().map(|b| b.name).collect();
    if eval.benchmarks.iter().any(|name| name == "all") {
        let all = if world.is_some() { known } else { Vec::new() };
        return Ok(all.into_iter().map(str::to_owned).collect());
    }
    for name in &eval.benchmarks {
        if !known.contains(&name.as_str()) {
            return Err(CommandError::usage(format!(
                "`eval.benchmarks` names `{name}`, but there is no such benchmark; the corpus has \
                 {}, and `all` is all of them; your own items go into `eval.files`",
                known.join(", ")
            )));
        }
        if world.is_none() {
            return Err(CommandError::usage(format!(
                "`eval.benchmarks` names `{name}`, which is a benchmark of the storyworld, but the \
                 corpus has no storyworld source; leave `eval.benchmarks` empty or add one"
            )));
        }
    }
    Ok(eval.benchmarks.clone())
}
