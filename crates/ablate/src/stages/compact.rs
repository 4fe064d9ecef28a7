//! A compact tokenizer: the most frequent pieces of a larger one (the paper's section 2.1).

use ablate_pipeline::{Context, Failure};
use ablate_tokenizer::{CoveragePoint, compact, coverage, steps};
use serde::{Deserialize, Serialize};

use super::{input, recipe, shards, tokenizer, write_json};

pub const STAGE: &str = "compact";
pub const VERSION: u32 = 1;

/// Ids of the larger tokenizer, by new id.
pub const ID_MAP: &str = "id_map.json";
/// Coverage of the corpus by vocabulary.
pub const COVERAGE: &str = "coverage.json";

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
    let parent = tokenizer::open(context.input("tokenizer")?)?;
    let frequencies = shards::frequencies(context.input("shards")?)?;
    let compacted = compact(&parent, &frequencies, recipe.vocabulary).map_err(input)?;
    let points = coverage(&frequencies, &steps(parent.vocabulary()));
    let curve = points.iter().map(|p: &CoveragePoint| (p.vocabulary, p.coverage)).collect();
    tokenizer::save(context, &compacted.tokenizer)?;
    write_json(&context.directory.join(ID_MAP), &compacted.new_to_old)?;
    let summary = Coverage { kept: compacted.coverage, curve };
    write_json(&context.directory.join(COVERAGE), &summary)?;
    Ok(true)
}
