//! The tables of a study file that make up its base, as they are written.
//!
//! These types are the only place where keys, ranges and defaults are stated: the schema is
//! derived from them, the checks follow the schema, and the reader fills gaps from their
//! `Default`. A key without a default is an `Option` even where a study needs it, because
//! deltas and extended files write a part of a table only.

mod inherit;
mod model;
mod rate;
mod rounds;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use inherit::{InheritTable, WidthTable};
#[cfg(test)]
pub(crate) use model::FfnTable;
pub(crate) use model::ModelTable;
pub(crate) use rate::{LearningRate, RateRule};
pub(crate) use rounds::RoundsTable;

use crate::size::{Bytes, Count, Share};
use crate::{DocumentSplit, Precision, Scheme, Scoring};

/// Training and validation text.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct CorpusTable {
    /// Bytes of training text in all; without it, everything that the sources hold.
    #[schemars(range(min = 1))]
    pub(crate) bytes: Option<Bytes>,
    /// Bytes of held-out text per language.
    #[schemars(range(min = 1))]
    pub(crate) validation_bytes: Bytes,
    /// Seed of the split and of the mixture.
    pub(crate) seed: u64,
    /// Where the text comes from; the built-in generator when nothing is written.
    #[schemars(length(min = 1))]
    pub(crate) sources: Vec<SourceTable>,
}

impl Default for CorpusTable {
    fn default() -> Self {
        let storyworld =
            SourceTable { weight: 1.0, from: OriginTable::Storyworld(StoryworldTable::default()) };
        Self { bytes: None, validation_bytes: Bytes(100_000), seed: 1, sources: vec![storyworld] }
    }
}

/// One source of text.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SourceTable {
    /// Share of the bytes, relative to the other sources' weights.
    #[serde(default = "one")]
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub(crate) weight: f64,
    /// Origin of the text.
    pub(crate) from: OriginTable,
}

fn one() -> f64 {
    1.0
}

/// Origin of a source's text.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum OriginTable {
    /// The built-in bilingual generator.
    Storyworld(StoryworldTable),
    /// Text files of the user's.
    Files(FilesTable),
}

/// The built-in bilingual generator.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct StoryworldTable {
    /// Seed of the world.
    pub(crate) seed: u64,
}

impl Default for StoryworldTable {
    fn default() -> Self {
        Self { seed: 1 }
    }
}

/// Text files: txt, jsonl and parquet by extension, compressed or not.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FilesTable {
    /// Globs, relative to the folder of the study file that writes them.
    #[schemars(length(min = 1))]
    pub(crate) paths: Vec<String>,
    /// Language of the text, e.g. "en".
    #[schemars(length(min = 1))]
    pub(crate) language: String,
    /// Field (jsonl) or column (parquet) that holds the text.
    #[serde(default = "text")]
    #[schemars(length(min = 1))]
    pub(crate) text_field: String,
    /// What a document is in a plain text file.
    #[serde(default = "paragraph")]
    pub(crate) split: DocumentSplit,
}

fn text() -> String {
    "text".into()
}

fn paragraph() -> DocumentSplit {
    DocumentSplit::Paragraph
}

/// The tokenizer.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct TokenizerTable {
    /// Entries, special and byte pieces included: at least 257.
    #[schemars(range(max = 16777216))]
    pub(crate) vocabulary: Option<Count>,
    /// How it is made.
    pub(crate) build: BuildTable,
}

/// How a tokenizer is made.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum BuildTable {
    /// Byte-level BPE trained on a sample of the corpus.
    Train(TrainBpeTable),
    /// A larger tokenizer reduced to its most frequent pieces.
    Compact(CompactTable),
    /// A tokenizer of the user's.
    File(TokenizerFileTable),
}

impl Default for BuildTable {
    fn default() -> Self {
        Self::Train(TrainBpeTable::default())
    }
}

/// Training of a byte-level BPE.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct TrainBpeTable {
    /// Bytes of sample text.
    #[schemars(range(min = 1))]
    pub(crate) bytes: Bytes,
}

impl Default for TrainBpeTable {
    fn default() -> Self {
        Self { bytes: Bytes(4_000_000) }
    }
}

/// Reduction of a larger tokenizer, trained or of the user's.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct CompactTable {
    /// Vocabulary of a larger tokenizer that is trained; required, or `file`.
    #[schemars(range(max = 16777216))]
    pub(crate) from: Option<Count>,
    /// Bytes of sample text that the larger tokenizer is trained on.
    #[schemars(range(min = 1))]
    pub(crate) bytes: Bytes,
    /// Path of the larger tokenizer, relative to the folder of the study file; required, or `from`.
    #[schemars(length(min = 1))]
    pub(crate) file: Option<String>,
}

impl Default for CompactTable {
    fn default() -> Self {
        Self { from: None, bytes: TrainBpeTable::default().bytes, file: None }
    }
}

/// A tokenizer that exists already.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct TokenizerFileTable {
    /// Path of a tokenizer.json, a SentencePiece .model or a tokenizer.bin of llama2.c, relative to
    /// the folder of the study file; required.
    #[schemars(length(min = 1))]
    pub(crate) path: Option<String>,
}

/// Where the first weights come from.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(extend("default" = InitTable::default()))]
pub(crate) enum InitTable {
    /// Drawn at random.
    Random(RandomTable),
    /// Sliced out of a parent model.
    Inherit(InheritTable),
}

impl Default for InitTable {
    fn default() -> Self {
        Self::Random(RandomTable::default())
    }
}

/// Random initialisation.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RandomTable {
    /// How the standard deviation varies over the matrices.
    pub(crate) scheme: Scheme,
    /// Standard deviation of the scheme.
    #[schemars(range(max = 10), extend("exclusiveMinimum" = 0))]
    pub(crate) std: f64,
}

impl Default for RandomTable {
    fn default() -> Self {
        Self { scheme: Scheme::Constant, std: 0.02 }
    }
}

/// Optimisation: AdamW with warm-up and a cosine.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct TrainTable {
    /// Length of the training in tokens. Either this or `bytes`.
    #[schemars(range(min = 1))]
    pub(crate) tokens: Option<Count>,
    /// Length of the training in bytes of text. Either this or `tokens`.
    #[schemars(range(min = 1))]
    pub(crate) bytes: Option<Bytes>,
    /// Tokens per optimiser step, a multiple of the context; required.
    #[schemars(range(min = 1))]
    pub(crate) batch_tokens: Option<Count>,
    /// Most tokens per forward pass; memory, not results, depends on it.
    #[schemars(range(min = 1))]
    pub(crate) micro_tokens: Count,
    /// Peak learning rate, or a rule for it; required.
    pub(crate) learning_rate: Option<LearningRate>,
    /// Last learning rate over the peak.
    #[schemars(range(min = 0, max = 1))]
    pub(crate) final_ratio: Share,
    /// Share of the steps spent warming up.
    #[schemars(range(min = 0), extend("exclusiveMaximum" = 1))]
    pub(crate) warmup: Share,
    /// Decoupled weight decay, on matrices only.
    #[schemars(range(min = 0))]
    pub(crate) weight_decay: f64,
    /// AdamW's first decay rate.
    #[schemars(range(min = 0), extend("exclusiveMaximum" = 1))]
    pub(crate) beta1: f64,
    /// AdamW's second decay rate.
    #[schemars(range(min = 0), extend("exclusiveMaximum" = 1))]
    pub(crate) beta2: f64,
    /// AdamW's epsilon.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub(crate) epsilon: f64,
    /// Largest global gradient norm.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub(crate) clip: f64,
    /// Evenly spaced points at which the validation loss is measured.
    #[schemars(range(min = 1, max = 100000))]
    pub(crate) validations: u64,
    /// How the factors of matrix products are rounded; weights and sums are f32 in any case.
    pub(crate) precision: Precision,
    /// Compute activations again in the backward pass instead of keeping them.
    pub(crate) recompute: bool,
    /// Steps in a row after the warm-up with an absurd loss that count as a divergence; 0 never.
    #[schemars(range(max = 1000000000))]
    pub(crate) patience: u64,
}

impl Default for TrainTable {
    fn default() -> Self {
        Self {
            tokens: None,
            bytes: None,
            batch_tokens: None,
            micro_tokens: Count(4096),
            learning_rate: None,
            final_ratio: Share(0.1),
            warmup: Share(0.03),
            weight_decay: 0.1,
            beta1: 0.9,
            beta2: 0.95,
            epsilon: 1e-8,
            clip: 1.0,
            validations: 8,
            precision: Precision::F32,
            recompute: false,
            patience: 50,
        }
    }
}

/// Benchmarks.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct EvalTable {
    /// Names of benchmarks; "all" is every one of the corpus.
    pub(crate) benchmarks: Vec<String>,
    /// Items per benchmark.
    #[schemars(range(min = 1, max = 1000000))]
    pub(crate) items: u64,
    /// How choices are scored.
    pub(crate) scoring: Scoring,
    /// Items of the user's own (jsonl), relative to the folder of the study file.
    pub(crate) files: Vec<String>,
    /// Longest generated answer in tokens.
    #[schemars(range(min = 1, max = 65536))]
    pub(crate) max_new_tokens: u64,
    /// Numbers of consecutive layers without which the model is scored as well, from every layer on.
    #[schemars(inner(range(min = 1, max = 16384)))]
    pub(crate) skip_layers: Vec<u64>,
    /// Parts of the training data whose losses under the final weights are shown.
    #[schemars(range(min = 2, max = 1000))]
    pub(crate) parts: Option<u64>,
    /// Evenly spaced points of the first round at which the model is scored while it trains; later
    /// rounds go on at the same interval. 0 for none.
    #[schemars(range(max = 1000))]
    pub(crate) points: u64,
}

impl Default for EvalTable {
    fn default() -> Self {
        Self {
            benchmarks: vec!["all".into()],
            items: 100,
            scoring: Scoring::Ppl,
            files: Vec::new(),
            max_new_tokens: 24,
            skip_layers: Vec::new(),
            parts: None,
            points: 0,
        }
    }
}
