//! The tokenizers of a study and those that they were compacted from: what they cover, and how many
//! bytes a token stands for.

use std::path::Path;

use ablate_pipeline::NodeId;
use ablate_report::{CoverageRow, StudyData, TokenizerRow};
use ablate_tokenizer::{coverage, needed, steps};

use super::Results;
use crate::exit::CommandError;
use crate::graph::StudyGraph;
use crate::stages::{compact, read_json, shards, tokenizer};

/// Coverage that the paper's rule asks for, a fraction of 1.
const ENOUGH: f64 = 0.9;

/// A tokenizer and its tokens.
struct Used {
    tokenizer: NodeId,
    shards: NodeId,
    variants: Vec<String>,
    /// The tokenizer that it was compacted from, and that one's tokens.
    larger: Option<(NodeId, NodeId)>,
}

/// One row for every tokenizer that is finished on a corpus, in the order of the study; and the
/// coverage of those that were compacted, or of all where none was.
pub fn rows(results: &Results<'_>, data: &mut StudyData) -> Result<(), CommandError> {
    let used = used(results.built);
    let compacted = used.iter().any(|used| used.larger.is_some());
    for of in &used {
        let Some(row) = row(results, &used, of)? else { continue };
        let source = used.iter().any(|other| other.larger.is_some_and(|l| l.1 == of.shards));
        if (source || !compacted)
            && let Some(folder) = results.folder(of.shards)?
        {
            let counts = shards::frequencies(&folder).map_err(failed)?;
            let points = coverage(&counts, &steps(counts.0.len()));
            data.coverage.extend(points.iter().map(|point| CoverageRow {
                tokenizer: row.name.clone(),
                vocabulary: point.vocabulary as u64,
                coverage: point.coverage,
            }));
        }
        data.tokenizers.push(row);
    }
    Ok(())
}

/// Tokenizers with their tokens, each once, those that were compacted before what came of them.
fn used(built: &StudyGraph) -> Vec<Used> {
    let mut all: Vec<Used> = Vec::new();
    for variant in &built.variants {
        let larger = variant.compact.and_then(|compact| {
            let inputs = &built.graph.node(compact).inputs;
            Some((*inputs.get("tokenizer")?, *inputs.get("shards")?))
        });
        let place = |all: &mut Vec<Used>, tokenizer, shards, larger| {
            let known = all.iter().position(|used| used.shards == shards);
            known.unwrap_or_else(|| {
                all.push(Used { tokenizer, shards, variants: Vec::new(), larger });
                all.len() - 1
            })
        };
        if let Some((tokenizer, shards)) = larger {
            place(&mut all, tokenizer, shards, None);
        }
        let own = place(&mut all, variant.tokenizer, variant.shards, larger);
        all[own].variants.push(variant.name.clone());
    }
    all
}

/// The name of the tokenizer with these tokens; those of one name are told apart by their keys.
fn name(results: &Results<'_>, used: &[Used], of: NodeId) -> String {
    let graph = &results.built.graph;
    let names = |used: &Used| graph.node(used.tokenizer).name.clone();
    let own = used.iter().find(|other| other.shards == of).map(names).unwrap_or_default();
    let same = used.iter().filter(|other| names(other) == own).count();
    if same < 2 { own } else { format!("{own} ({:.6})", graph.node(of).key().as_str()) }
}

fn row(
    results: &Results<'_>,
    used: &[Used],
    of: &Used,
) -> Result<Option<TokenizerRow>, CommandError> {
    let (Some(folder), Some(tokens)) = (results.folder(of.tokenizer)?, results.folder(of.shards)?)
    else {
        return Ok(None);
    };
    let counts = shards::frequencies(&tokens).map_err(failed)?;
    let summary: shards::Summary = read(&tokens.join(shards::SUMMARY))?;
    let changes = folder.join(tokenizer::CHANGES);
    let kept = match of.larger {
        Some(_) => Some(read::<compact::Coverage>(&folder.join(compact::COVERAGE))?.kept),
        None => None,
    };
    Ok(Some(TokenizerRow {
        name: name(results, used, of.shards),
        variants: of.variants.clone(),
        vocabulary: counts.0.len() as u64,
        larger: of.larger.map(|(_, tokens)| name(results, used, tokens)),
        coverage: kept,
        needed: needed(&counts, ENOUGH).map(|pieces| pieces as u64),
        tokens: summary.training.tokens,
        bytes_per_token: summary.bytes_per_token(),
        changes: if changes.exists() { Some(read(&changes)?) } else { None },
    }))
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, CommandError> {
    read_json(path).map_err(failed)
}

fn failed(failure: ablate_pipeline::Failure) -> CommandError {
    CommandError::machine(failure.message)
}
