//! From variants to nodes. Equal nodes fall together by themselves: the graph finds them by key.

use ablate_benchmark::Library;
use ablate_pipeline::{Graph, NodeId};
use ablate_spec::{Build, Compact, Corpus, Eval, Init, Origin, Study, Variant};
use serde::Serialize;
use serde_json::{Value, json};

use super::inputs::{TokenizerFile, TokenizerFiles};
use super::{StudyGraph, VariantNodes, external, foreign, inputs, rounds, variants};
use crate::exit::CommandError;
use crate::stages::{benchmarks, compact, corpus, shards, tokenizer};

/// Builds the graph of a whole study.
///
/// # Errors
/// Files that are missing, benchmarks that do not exist, a parent whose vocabulary cannot be
/// mapped onto its child's.
pub fn whole(study: &Study, library: &Library) -> Result<StudyGraph, CommandError> {
    let mut built = StudyGraph::default();
    let mut files = TokenizerFiles::default();
    let mut seen = inputs::Seen::new();
    for parent in &study.parents {
        let text = text(&mut built.graph, &mut files, &parent.variant)?;
        // Nobody scores a parent while it trains.
        let of = (parent.seed, 0);
        let rounds = rounds::rounds(&mut built.graph, &parent.variant, &text, of, None)?;
        built.parents.insert(parent.name.clone(), rounds);
    }
    for parent in &study.given {
        let nodes = foreign::nodes(&mut built.graph, &mut files, parent)?;
        built.given.insert(parent.name.clone(), nodes);
    }
    for variant in &study.variants {
        let text = text(&mut built.graph, &mut files, variant)?;
        let (asked, corpus) = (&variant.eval, Some(&variant.corpus));
        let benchmarks = benchmark_node(&mut built.graph, asked, corpus, library, &mut seen)?;
        let inherit = match &variant.init {
            Init::Inherit(init) => {
                Some(variants::inherit(&mut built, study, variant, (&text, benchmarks), init)?)
            }
            Init::Random(_) => None,
        };
        let mut seeds = Vec::new();
        for &seed in &study.seeds {
            let nodes =
                variants::seed(&mut built.graph, variant, &text, benchmarks, (seed, inherit))?;
            for end in nodes.ends() {
                built.graph.want(end, &variant.name);
            }
            seeds.push(nodes);
        }
        built.variants.push(VariantNodes {
            name: variant.name.clone(),
            tokenizer: text.tokenizer,
            compact: text.compact,
            shards: text.shards,
            seeds,
        });
    }
    external::nodes(&mut built, &mut files, study, library, &mut seen)?;
    Ok(built)
}

/// The stages that turn a variant's sources into tokens.
#[derive(Clone, Copy, Debug)]
pub struct Text {
    pub tokenizer: NodeId,
    /// The compaction, and the tokenizer that was compacted.
    pub compact: Option<NodeId>,
    pub larger: Option<NodeId>,
    pub shards: NodeId,
}

fn text(
    graph: &mut Graph,
    files: &mut TokenizerFiles,
    variant: &Variant,
) -> Result<Text, CommandError> {
    let corpus = corpus_node(graph, &variant.corpus)?;
    let size = variant.tokenizer.vocabulary;
    let (tokenizer, compact, larger) = match &variant.tokenizer.build {
        Build::Train(train) => (trained(graph, corpus, size, train.bytes)?, None, None),
        Build::File(file) => {
            let found = files.open(&file.path)?;
            found.check_whole(&file.path, size)?;
            (given(graph, &file.path, found)?, None, None)
        }
        Build::Compact(larger) => {
            let (larger, of) = match larger {
                Compact::Trained { from, bytes } => (trained(graph, corpus, *from, *bytes)?, *from),
                Compact::File { file } => {
                    let found = files.open(file)?;
                    found.check_compaction(file, size)?;
                    (given(graph, file, found)?, found.vocabulary)
                }
            };
            let tokens = shards_node(graph, corpus, larger, of)?;
            let recipe = compact::Recipe { vocabulary: size };
            let name = format!("compact-{size}-of-{of}");
            let inputs = [("tokenizer", larger), ("shards", tokens)];
            let id = add(graph, compact::STAGE, compact::VERSION, &name, &recipe, inputs)?;
            (id, Some(id), Some(larger))
        }
    };
    let shards = shards_node(graph, corpus, tokenizer, size)?;
    Ok(Text { tokenizer, compact, larger, shards })
}

/// The user's tokenizer.
///
/// # Errors
/// Only mistakes of ours, and a current folder that is gone.
pub fn given(
    graph: &mut Graph,
    path: &String,
    found: &TokenizerFile,
) -> Result<NodeId, CommandError> {
    let recipe = tokenizer::Recipe::File { content: found.content.clone() };
    let name = format!("file-{}", found.vocabulary);
    let id = add(graph, tokenizer::STAGE, tokenizer::VERSION, &name, &recipe, [])?;
    let path = inputs::absolute(std::slice::from_ref(path))?.remove(0);
    graph.node_mut(id).execution.insert(tokenizer::PATH.to_owned(), path.into());
    Ok(id)
}

fn trained(
    graph: &mut Graph,
    corpus: NodeId,
    vocabulary: usize,
    bytes: u64,
) -> Result<NodeId, CommandError> {
    let recipe = tokenizer::Recipe::Train { vocabulary, bytes };
    let name = format!("bpe-{vocabulary}");
    let inputs = [("corpus", corpus)];
    add(graph, tokenizer::STAGE, tokenizer::VERSION, &name, &recipe, inputs)
}

fn shards_node(
    graph: &mut Graph,
    corpus: NodeId,
    tokenizer: NodeId,
    vocabulary: usize,
) -> Result<NodeId, CommandError> {
    let name = format!("tokens-{vocabulary}");
    let inputs = [("corpus", corpus), ("tokenizer", tokenizer)];
    add(graph, shards::STAGE, shards::VERSION, &name, &shards::Recipe::default(), inputs)
}

/// The text of a variant, or that models of others are scored on.
///
/// # Errors
/// Files that are missing.
pub fn corpus_node(graph: &mut Graph, spec: &Corpus) -> Result<NodeId, CommandError> {
    let mut paths = Vec::new();
    let mut sources = Vec::new();
    for source in &spec.sources {
        let from = match &source.from {
            Origin::Storyworld(world) => {
                if spec.bytes.is_none() {
                    return Err(CommandError::usage(
                        "the storyworld writes any amount of text: say how much in `corpus.bytes`",
                    ));
                }
                paths.push(Vec::new());
                corpus::Origin::Storyworld { seed: world.seed }
            }
            Origin::Files(files) => {
                let content = inputs::files(files)?;
                paths.push(content.paths);
                corpus::Origin::Files {
                    language: files.language.clone(),
                    text_field: files.text_field.clone(),
                    split: match files.split {
                        ablate_spec::DocumentSplit::File => corpus::Split::File,
                        ablate_spec::DocumentSplit::Paragraph => corpus::Split::Paragraph,
                        ablate_spec::DocumentSplit::Line => corpus::Split::Line,
                    },
                    content: content.hashes,
                }
            }
        };
        sources.push(corpus::Source { weight: source.weight, from });
    }
    let recipe = corpus::Recipe {
        seed: spec.seed,
        bytes: spec.bytes,
        validation_bytes: spec.validation_bytes,
        sources,
    };
    let name = match spec.bytes {
        Some(bytes) => format!("text-{bytes}"),
        None => "text".to_owned(),
    };
    let id = add(graph, corpus::STAGE, corpus::VERSION, &name, &recipe, [])?;
    graph.node_mut(id).execution.insert(corpus::PATHS.to_owned(), json!(paths));
    Ok(id)
}

/// The items of a variant, or of models of others.
///
/// # Errors
/// Benchmarks that do not exist, files that are missing or hold no items.
pub fn benchmark_node(
    graph: &mut Graph,
    asked: &Eval,
    corpus: Option<&Corpus>,
    library: &Library,
    seen: &mut inputs::Seen,
) -> Result<NodeId, CommandError> {
    let world = corpus.and_then(inputs::world);
    let inputs::Named { own: names, imported } =
        inputs::benchmark_names(asked, world, library, seen)?;
    for path in &asked.files {
        ablate_eval::read_items(path.as_ref()).map_err(CommandError::usage)?;
    }
    let files = asked.files.iter().map(|path| inputs::hash(path)).collect::<Result<Vec<_>, _>>()?;
    let recipe = benchmarks::Recipe {
        world: world.filter(|_| !names.is_empty()),
        names,
        items: asked.items,
        files,
        imported,
    };
    let name = format!("items-{}", asked.items);
    let id = add(graph, benchmarks::STAGE, benchmarks::VERSION, &name, &recipe, [])?;
    let paths = inputs::absolute(&asked.files)?;
    let execution = &mut graph.node_mut(id).execution;
    execution.insert(benchmarks::PATHS.to_owned(), json!(paths));
    if !recipe.imported.is_empty() {
        let folder = library.imported().to_string_lossy().into_owned();
        let definitions = library.definitions().to_string_lossy().into_owned();
        let folders = inputs::absolute(&[definitions, folder])?;
        execution.insert(benchmarks::LIBRARY.to_owned(), json!(folders));
    }
    Ok(id)
}

/// Adds a node with a typed recipe.
pub fn add(
    graph: &mut Graph,
    stage: &'static str,
    version: u32,
    name: &str,
    recipe: &impl Serialize,
    inputs: impl IntoIterator<Item = (&'static str, NodeId)>,
) -> Result<NodeId, CommandError> {
    let recipe: Value = serde_json::to_value(recipe).map_err(CommandError::bug)?;
    graph.add(stage, version, name, recipe, inputs).map_err(CommandError::bug)
}
