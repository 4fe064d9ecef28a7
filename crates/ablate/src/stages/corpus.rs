//! Training text and held-out text of a study, from its sources.

use std::collections::BTreeMap;
use std::path::Path;

use ablate_corpus::{
    CorpusError, Document, DocumentSplit, FileSource, HeldOut, HoldOut, Mix, MixSource,
    SourceShare, read_files,
};
use ablate_pipeline::{Context, Failure, Node};
use ablate_storyworld::{Language, World};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::documents::{self, DocumentWriter};
use super::{bug, input, outside, recipe, write_json};

pub const STAGE: &str = "corpus";
pub const VERSION: u32 = 1;

/// Counts of a made corpus.
pub const SUMMARY: &str = "corpus.json";

#[derive(Debug, Serialize, Deserialize)]
pub struct Recipe {
    pub seed: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    pub validation_bytes: u64,
    pub sources: Vec<Source>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Source {
    pub weight: f64,
    pub from: Origin,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    Storyworld {
        seed: u64,
    },
    /// Files by their content; where they lie is a matter of execution.
    Files {
        language: String,
        text_field: String,
        split: Split,
        content: Vec<String>,
    },
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Split {
    File,
    Paragraph,
    Line,
}

/// What a corpus came to.
#[derive(Debug, Serialize, Deserialize)]
pub struct Summary {
    pub documents: u64,
    pub bytes: u64,
    pub languages: BTreeMap<String, u64>,
    pub validation_bytes: BTreeMap<String, u64>,
    pub sources: Vec<SourceSummary>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct SourceSummary {
    pub name: String,
    pub weight: f64,
    pub documents: u64,
    pub bytes: u64,
    pub exhausted: bool,
}

/// Key of the list of file lists in a node's execution.
pub const PATHS: &str = "paths";

type Documents<'a> = Box<dyn Iterator<Item = Result<Document, CorpusError>> + Send + 'a>;

/// Reads the user's files to their end, so that what is wrong with them is known before anything
/// is made.
///
/// # Errors
/// The file and the place, or a language with too little text.
pub fn check(node: &Node) -> Result<(), Failure> {
    let recipe: Recipe = serde_json::from_value(node.recipe.clone()).map_err(bug)?;
    let files = file_sources(&recipe, &node.execution)?;
    choose(&recipe, &files).map(|_| ())
}

pub fn make(context: &Context<'_>) -> Result<bool, Failure> {
    let recipe: Recipe = recipe(context)?;
    let files = file_sources(&recipe, &context.task.execution)?;
    let worlds: Vec<Option<World>> = recipe
        .sources
        .iter()
        .map(|source| match source.from {
            Origin::Storyworld { seed } => Some(World::new(seed)),
            Origin::Files { .. } => None,
        })
        .collect();

    context.progress(0, 0, "choosing held-out text");
    let hold_out = hold_out(context.directory, &recipe, &files, &worlds)?;

    let mut sources = Vec::new();
    for (position, source) in recipe.sources.iter().enumerate() {
        let documents: Documents<'_> = match (&worlds[position], &files[position]) {
            (Some(world), _) => Box::new(world.documents(0).map(|d| Ok(from_world(d)))),
            (None, Some(files)) => {
                let hold_out = hold_out.clone();
                let read = read_files(files, Path::new("")).map_err(input)?;
                Box::new(read.filter(move |document| match document {
                    Ok(document) => !hold_out.as_ref().is_some_and(|h| h.is_validation(document)),
                    Err(_) => true,
                }))
            }
            (None, None) => return Err(bug("a source has neither files nor a world")),
        };
        let name = match &source.from {
            Origin::Storyworld { seed } => format!("storyworld {seed}"),
            Origin::Files { language, .. } => format!("files {position} ({language})"),
        };
        sources.push(MixSource { name, weight: source.weight, documents });
    }
    let whole = write_training(context, &recipe, sources)?;
    if whole {
        for (source, files) in recipe.sources.iter().zip(&files) {
            if let (Origin::Files { content, .. }, Some(files)) = (&source.from, files) {
                outside::unchanged(files.paths.iter().zip(content))?;
            }
        }
    }
    Ok(whole)
}

fn write_training(
    context: &Context<'_>,
    recipe: &Recipe,
    sources: Vec<MixSource<'_>>,
) -> Result<bool, Failure> {
    let mut mix = Mix::new(sources, recipe.bytes).map_err(input)?;
    let mut out = DocumentWriter::create(&context.directory.join(documents::TRAINING))?;
    let mut languages: BTreeMap<String, u64> = BTreeMap::new();
    let mut count = 0_u64;
    while let Some(next) = mix.next() {
        let (_, document) = next.map_err(input)?;
        *languages.entry(document.language.clone()).or_default() += document.text.len() as u64;
        out.push(document)?;
        count += 1;
        if count.is_multiple_of(2000) {
            context.progress(mix.bytes(), recipe.bytes.unwrap_or(0), "writing text");
            if context.stopping() {
                return Ok(false);
            }
        }
    }
    out.finish()?;
    if count == 0 {
        return Err(input("the corpus is empty: its sources give no training text"));
    }
    let validation_bytes = languages
        .keys()
        .filter_map(|language| {
            let path = context.directory.join(documents::validation(language));
            let bytes = documents::read(&path).ok()?.flatten().map(|d| d.text.len() as u64).sum();
            Some((language.clone(), bytes))
        })
        .collect();
    let summary = Summary {
        documents: count,
        bytes: mix.bytes(),
        languages,
        validation_bytes,
        sources: mix.shares().iter().map(source_summary).collect(),
    };
    write_json(&context.directory.join(SUMMARY), &summary)?;
    Ok(true)
}

fn source_summary(share: &SourceShare) -> SourceSummary {
    SourceSummary {
        name: share.name.clone(),
        weight: share.weight,
        documents: share.documents,
        bytes: share.bytes,
        exhausted: share.exhausted,
    }
}

fn file_sources(
    recipe: &Recipe,
    execution: &Map<String, Value>,
) -> Result<Vec<Option<FileSource>>, Failure> {
    let paths: Vec<Vec<String>> = match execution.get(PATHS) {
        Some(paths) => serde_json::from_value(paths.clone()).map_err(bug)?,
        None => vec![Vec::new(); recipe.sources.len()],
    };
    let of = |(source, paths): (&Source, &Vec<String>)| match &source.from {
        Origin::Storyworld { .. } => None,
        Origin::Files { language, text_field, split, .. } => Some(FileSource {
            paths: paths.clone(),
            language: language.clone(),
            text_field: text_field.clone(),
            split: match split {
                Split::File => DocumentSplit::File,
                Split::Paragraph => DocumentSplit::Paragraph,
                Split::Line => DocumentSplit::Line,
            },
        }),
    };
    Ok(recipe.sources.iter().zip(&paths).map(of).collect())
}

/// The held-out documents of the user's files; `None` where there are no files.
fn choose(recipe: &Recipe, files: &[Option<FileSource>]) -> Result<Option<HeldOut>, Failure> {
    let mut all: Vec<Documents<'_>> = Vec::new();
    for source in files.iter().flatten() {
        all.push(Box::new(read_files(source, Path::new("")).map_err(input)?));
    }
    if all.is_empty() {
        return Ok(None);
    }
    let documents = all.into_iter().flatten();
    HoldOut::choose::<CorpusError>(documents, recipe.seed, recipe.validation_bytes)
        .map(Some)
        .map_err(input)
}

/// Writes the held-out text and returns what tells held-out documents of files from others.
/// Held-out text of storyworlds is a stream of its own.
fn hold_out(
    directory: &Path,
    recipe: &Recipe,
    files: &[Option<FileSource>],
    worlds: &[Option<World>],
) -> Result<Option<HoldOut>, Failure> {
    let mut held: BTreeMap<String, Vec<Document>> = BTreeMap::new();
    for world in worlds.iter().flatten() {
        for language in ["en", "zh"] {
            let mut bytes = 0;
            let documents = world.documents(1).map(from_world).filter(|d| d.language == language);
            for document in documents {
                if bytes >= recipe.validation_bytes {
                    break;
                }
                bytes += document.text.len() as u64;
                held.entry(language.to_owned()).or_default().push(document);
            }
        }
    }
    let mut chosen = None;
    if let Some(result) = choose(recipe, files)? {
        for (language, documents) in result.documents {
            held.entry(language).or_default().extend(documents);
        }
        chosen = Some(result.hold_out);
    }
    for (language, documents) in held {
        let mut out = DocumentWriter::create(&directory.join(documents::validation(&language)))?;
        for document in documents {
            out.push(document)?;
        }
        out.finish()?;
    }
    Ok(chosen)
}

fn from_world(document: ablate_storyworld::Document) -> Document {
    let language = match document.language {
        Language::En => "en",
        Language::Zh => "zh",
    };
    Document { text: document.text, language: language.to_owned() }
}
