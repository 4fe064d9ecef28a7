//! What a study takes from outside: the user's files by their content, and benchmark names.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::File;
use std::path::Path;

use ablate_benchmark::{BenchmarkError, Library};
use ablate_corpus::expand;
use ablate_spec::{Corpus, Eval, Files, Origin};
use ablate_tokenizer::{Tokenizer, smallest};

use crate::exit::CommandError;
use crate::stages::benchmarks;

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

/// The user's tokenizers that were looked at, by path: variants share them.
#[derive(Default)]
pub struct TokenizerFiles(BTreeMap<String, TokenizerFile>);

/// What the graph needs to know of a tokenizer's file.
pub struct TokenizerFile {
    pub vocabulary: usize,
    /// The smallest vocabulary that it can be compacted to.
    smallest: usize,
    /// The blake3 of the file.
    pub content: String,
}

impl TokenizerFiles {
    /// Looks at a file, unless that was done before.
    ///
    /// # Errors
    /// A file that is missing, or no tokenizer that can be used.
    pub fn open(&mut self, path: &str) -> Result<&TokenizerFile, CommandError> {
        match self.0.entry(path.to_owned()) {
            Entry::Occupied(entry) => Ok(entry.into_mut()),
            Entry::Vacant(entry) => {
                let tokenizer = Tokenizer::load(path.as_ref()).map_err(CommandError::usage)?;
                Ok(entry.insert(TokenizerFile {
                    vocabulary: tokenizer.vocabulary(),
                    smallest: smallest(&tokenizer),
                    content: hash(path)?,
                }))
            }
        }
    }
}

impl TokenizerFile {
    /// Looks whether it has as many entries as the study says.
    ///
    /// # Errors
    /// Another number.
    pub fn check_whole(&self, path: &str, vocabulary: usize) -> Result<(), CommandError> {
        let found = self.vocabulary;
        if found == vocabulary {
            return Ok(());
        }
        Err(CommandError::usage(format!(
            "`{path}` has {found} entries, but `tokenizer.vocabulary` is {vocabulary}; write \
             `vocabulary = {found}`"
        )))
    }

    /// Looks whether it can be compacted to a vocabulary; to its own it can.
    ///
    /// # Errors
    /// One that is too small or too large.
    pub fn check_compaction(&self, path: &str, vocabulary: usize) -> Result<(), CommandError> {
        let (least, most) = (self.smallest, self.vocabulary);
        if (least..=most).contains(&vocabulary) {
            return Ok(());
        }
        Err(CommandError::usage(format!(
            "`{path}` has {most} entries, of which {least} are special tokens and bytes that \
             always stay, so it cannot be compacted to {vocabulary}; set `tokenizer.vocabulary` \
             to {least} to {most}"
        )))
    }
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

/// The benchmarks that a variant asks for.
pub struct Named {
    /// Of the storyworld.
    pub own: Vec<String>,
    /// Imported ones.
    pub imported: Vec<benchmarks::Imported>,
}

/// What a name in `eval.benchmarks` begins with if the imported benchmark is meant, whatever the
/// corpus has.
const IMPORTED: &str = "imported/";

/// The benchmarks that a variant asks for: a name is the storyworld's if the corpus has one, else that
/// of an imported benchmark.
///
/// # Errors
/// A name that there is no benchmark for, a benchmark that was not imported, or names of the
/// storyworld without one.
pub fn benchmark_names(
    eval: &Eval,
    world: Option<u64>,
    library: &Library,
    seen: &mut Seen,
) -> Result<Named, CommandError> {
    let known: Vec<&str> = ablate_storyworld::benchmarks().iter().map(|b| b.name).collect();
    let mut named = Named { own: Vec::new(), imported: Vec::new() };
    let all = eval.benchmarks.iter().any(|name| name == "all");
    if all && world.is_some() {
        named.own = known.iter().map(|name| (*name).to_owned()).collect();
    }
    let described = library.names();
    for name in eval.benchmarks.iter().filter(|name| *name != "all") {
        let (bare, meant) = match name.strip_prefix(IMPORTED) {
            Some(bare) => (bare, true),
            None => (name.as_str(), false),
        };
        if !meant && world.is_some() && known.contains(&bare) {
            if !all {
                named.own.push(name.clone());
            }
        } else if described.iter().any(|known| known == bare) {
            if named.own.iter().any(|own| own == bare) {
                return Err(CommandError::usage(format!(
                    "`eval.benchmarks` names the storyworld's `{bare}` and the imported one, whose \
                     scores would fall together; keep one"
                )));
            }
            named.imported.push(imported(bare, eval, library, seen)?);
        } else if known.contains(&bare) {
            return Err(CommandError::usage(format!(
                "`eval.benchmarks` names `{name}`, which is a benchmark of the storyworld, but the \
                 corpus has no storyworld source; leave `eval.benchmarks` empty or add one"
            )));
        } else {
            return Err(CommandError::usage(format!(
                "`eval.benchmarks` names `{name}`, but there is no such benchmark; the corpus has \
                 {}, and `all` is all of them; those that can be imported are {}; your own items go \
                 into `eval.files`",
                known.join(", "),
                described.join(", ")
            )));
        }
    }
    Ok(named)
}

/// The names of the benchmarks that a variant asks for, but for those that are known and were not
/// imported; and these, each with what to do.
pub fn without_missing(
    eval: &Eval,
    world: bool,
    library: &Library,
) -> (Vec<String>, Vec<(String, String)>) {
    let own = |name: &str| ablate_storyworld::benchmarks().iter().any(|known| known.name == name);
    let known = library.names();
    let mut missing = Vec::new();
    let mut names = eval.benchmarks.clone();
    names.retain(|name| {
        let bare = name.strip_prefix(IMPORTED).unwrap_or(name);
        if (world && own(name)) || !known.iter().any(|known| known == bare) {
            return true;
        }
        if library.is_imported(bare) {
            return true;
        }
        let (name, place) = (bare.to_owned(), library.imported().to_owned());
        missing.push((name.clone(), BenchmarkError::NotImported { name, place }.to_string()));
        false
    });
    (names, missing)
}

/// Benchmarks that were looked at already: variants mostly ask the same.
pub type Seen = BTreeMap<(String, ablate_spec::Scoring, usize), benchmarks::Imported>;

/// What is imported of a benchmark, by its content.
fn imported(
    name: &str,
    asked: &Eval,
    library: &Library,
    seen: &mut Seen,
) -> Result<benchmarks::Imported, CommandError> {
    let key = (name.to_owned(), asked.scoring, asked.items);
    if let Some(known) = seen.get(&key) {
        return Ok(known.clone());
    }
    // Asked now, so that what cannot be asked is known before anything is made.
    let found = library.open(name).map_err(CommandError::usage)?;
    let scoring = asked.scoring.into();
    let ask = benchmarks::ask(scoring, asked.items);
    let imported = benchmarks::Imported {
        name: name.to_owned(),
        items: found.ask(&ask).map_err(CommandError::usage)?.len(),
        records: found.about.records,
        definition: found.definition.digest,
        scoring,
    };
    seen.insert(key, imported.clone());
    Ok(imported)
}
