//! A compact tokenizer: the most frequent pieces of a larger one (the paper's section 2.1).

use ablate_corpus::Shard;
use ablate_pipeline::{Context, Failure};
use ablate_tokenizer::{CoveragePoint, Frequencies, Tokenizer, compact, coverage};
use serde::{Deserialize, Serialize};

use super::{input, machine, recipe, shards, tokenizer, write_json};

pub const STAGE: &str = "compact";
pub const VERSION: u32 = 1;

/// Ids of the larger tokenizer, by new id.
pub const ID_MAP: &str = "id_map.json";
/// Coverage of the corpus by vocabulary.
pub const COVERAGE: &str = "coverage.json";
/// Occurrences of every id of the larger tokenizer.
const FREQUENCIES: &str = "frequencies.json";

#[derive(Debug, Serialize, Deserialize)]
pub struct Recipe {
    pub vocabulary: usize,
}

/// How much of the training tokens the most frequent pieces cover.
#[derive(Debug, Serialize, Deserialize)]
pub struct Coverage {
    /// Coverage of the pieces that were kept, as a fraction of 1.
    pub kept: f64,
    /// The curve: (vocabulary, coverage as a fraction of 1).
    pub curve: Vec<(usize, f64)>,
}

pub fn make(context: &Context<'_>) -> Result<bool, Failure> {
    let recipe: Recipe = recipe(context)?;
    let parent = Tokenizer::load(&context.input("tokenizer")?.join(tokenizer::TOKENIZER))
        .map_err(machine)?;
    let shard = Shard::open(&context.input("shards")?.join(shards::TRAINING)).map_err(machine)?;
    let frequencies = Frequencies(shard.token_counts().map_err(machine)?);
    let compacted = compact(&parent, &frequencies, recipe.vocabulary).map_err(input)?;
    let points = coverage(&frequencies, &sizes(parent.vocabulary()));
    let curve = points.iter().map(|p: &CoveragePoint| (p.vocabulary, p.coverage)).collect();
    tokenizer::save(context, &compacted.tokenizer)?;
    write_json(&context.directory.join(ID_MAP), &compacted.new_to_old)?;
    write_json(&context.directory.join(FREQUENCIES), &frequencies.0)?;
    let summary = Coverage { kept: compacted.coverage, curve };
    write_json(&context.directory.join(COVERAGE), &summary)?;
    Ok(true)
}

/// 32 sizes up to the whole vocabulary, evenly spaced.
fn sizes(vocabulary: usize) -> Vec<usize> {
    (1..=32).map(|part| vocabulary * part / 32).filter(|size| *size > 0).collect()
}
