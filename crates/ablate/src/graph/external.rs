//! Models of others that are scored beside the variants. A study can do without those that are not
//! there: they are reported as absent.

use std::path::Path;

use ablate_benchmark::Library;
use ablate_spec as spec;

use super::build::{add, benchmark_node, corpus_node};
use super::inputs::{Seen, TokenizerFiles};
use super::{ExternalNodes, GivenExternal, StudyGraph, foreign};
use crate::exit::CommandError;
use crate::foreign as files;
use crate::stages::{eval, shards};

/// Adds the stages of every model that is there.
///
/// # Errors
/// A model that is there and cannot be used, or benchmarks that do not exist.
pub fn nodes(
    built: &mut StudyGraph,
    tokenizers: &mut TokenizerFiles,
    study: &spec::Study,
    library: &Library,
    seen: &mut Seen,
) -> Result<(), CommandError> {
    let Some(externals) = &study.externals else { return Ok(()) };
    let mut common = None;
    for external in &externals.models {
        let found = match absent(external) {
            Some(reason) => Err(reason),
            None => {
                let shared = match common {
                    Some(shared) => shared,
                    None => {
                        let graph = &mut built.graph;
                        let text = externals.corpus.as_ref();
                        let corpus = text.map(|text| corpus_node(graph, text)).transpose()?;
                        let items = benchmark_node(graph, &externals.eval, text, library, seen)?;
                        *common.insert((corpus, items))
                    }
                };
                Ok(scored(built, tokenizers, external, &externals.eval, shared)?)
            }
        };
        built.externals.push(ExternalNodes { name: external.name.clone(), found });
    }
    Ok(())
}

/// What is missing of a model, and what to do.
pub fn absent(external: &spec::External) -> Option<String> {
    let missing = |path: &str| !Path::new(path).exists();
    if missing(&external.path) {
        return Some(format!(
            "there is no model `{}`; put it there or mend the path, then run the study again",
            external.path
        ));
    }
    let tokenizer = external.tokenizer.as_ref().filter(|path| missing(path))?;
    Some(format!(
        "there is no tokenizer `{tokenizer}`; put it there or mend the path, then run the study again"
    ))
}

/// The stages of a model that is there.
fn scored(
    built: &mut StudyGraph,
    tokenizers: &mut TokenizerFiles,
    external: &spec::External,
    asked: &spec::Eval,
    (corpus, benchmarks): (Option<ablate_pipeline::NodeId>, ablate_pipeline::NodeId),
) -> Result<GivenExternal, CommandError> {
    let named = |error: CommandError| CommandError {
        message: format!(
            "external model `{}`: {}",
            external.name,
            error.message.replace("with `--tokenizer FILE`", "with `tokenizer = \"FILE\"`")
        ),
        ..error
    };
    let graph = &mut built.graph;
    let path = &external.path;
    let files_of = (path.as_str(), external.tokenizer.as_deref());
    let given = foreign::model(graph, tokenizers, &external.name, files_of).map_err(named)?;
    let begin = files::begin(Path::new(path), Path::new(&given.pieces)).map_err(named)?;
    let mut inputs = vec![
        ("weights", given.weights),
        ("tokenizer", given.tokenizer),
        ("benchmarks", benchmarks),
    ];
    let mut text = None;
    if let Some(corpus) = corpus {
        let recipe = shards::Recipe { held_out: true };
        let of = [("corpus", corpus), ("tokenizer", given.tokenizer)];
        let name = format!("held-out-{}", external.name);
        let id = add(graph, shards::STAGE, shards::VERSION, &name, &recipe, of)?;
        inputs.push(("shards", id));
        text = Some(id);
    }
    let recipe =
        eval::Recipe { scoring: asked.scoring.into(), max_new_tokens: asked.max_new_tokens, begin };
    let eval = add(graph, eval::STAGE, eval::VERSION, &external.name, &recipe, inputs)?;
    graph.want(eval, &external.name);
    Ok(GivenExternal { model: given.model, tokenizer: given.tokenizer, shards: text, eval })
}
