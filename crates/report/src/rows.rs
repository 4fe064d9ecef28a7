//! The rows a report is made of: plain records, one struct per saved table.

mod external;
mod masks;
mod progress;
mod results;
mod rounds;
mod tokenizers;

use std::collections::BTreeMap;

pub use external::{ExternalRow, ExternalShape};
pub use masks::MaskShare;
pub use progress::ProgressRow;
pub use results::{ResultRecord, RunRecord};
pub use tokenizers::TokenizerRow;

use serde::{Deserialize, Deserializer, Serialize};

use crate::claims::ClaimRow;

pub use rounds::{BatchLossRow, LedgerRow, VisitRow};

/// Everything a report is made from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StudyData {
    /// What the study is.
    pub study: StudyInfo,
    /// One row per variant, in the order of the study; the first one is the baseline.
    pub variants: Vec<VariantRow>,
    /// Models of others that were scored beside them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub externals: Vec<ExternalRow>,
    /// One row per variant, seed, benchmark, language and metric.
    pub scores: Vec<ScoreRow>,
    /// One row per variant, seed and benchmark item.
    pub items: Vec<ItemRow>,
    /// One row per logged training or validation point.
    pub curves: Vec<CurveRow>,
    /// Share of the corpus that the largest `vocabulary` pieces of a tokenizer cover.
    pub coverage: Vec<CoverageRow>,
    /// The tokenizers, and those that they were compacted from.
    pub tokenizers: Vec<TokenizerRow>,
    /// What each training round kept.
    pub rounds: Vec<LedgerRow>,
    /// How often batches were visited.
    pub visits: Vec<VisitRow>,
    /// Losses of the training's batches under the final weights.
    pub batch_losses: Vec<BatchLossRow>,
    /// Scores at points of the training.
    #[serde(default)]
    pub progress: Vec<ProgressRow>,
    /// Scores with consecutive layers left out.
    pub skips: Vec<SkipRow>,
    /// How much each layer changes the residual stream.
    pub influence: Vec<InfluenceRow>,
    /// How widely the trained weights spread.
    pub spreads: Vec<SpreadRow>,
    /// What is claimed of them.
    pub claims: Vec<ClaimRow>,
    /// Where the numbers come from.
    pub provenance: Provenance,
    /// The study file as written.
    pub spec_text: String,
}

/// What the study is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StudyInfo {
    /// Short name, with that of the profile; also the folder of the report.
    pub name: String,
    /// One line for people.
    pub title: String,
    /// The elements of the paper that the study mirrors, such as `figure-1`.
    #[serde(deserialize_with = "one_or_several")]
    pub mirrors: Vec<String>,
    /// `single`, `list`, `grid`, `zip`, `one-at-a-time`, `ladder` or `random`.
    pub design: String,
    /// The seeds every variant was meant to run with.
    pub seeds: Vec<u64>,
    /// Dotted paths of the settings that vary.
    pub factors: Vec<String>,
    /// What every variant has of each of them.
    #[serde(default)]
    pub axes: Vec<AxisInfo>,
}

/// A setting that varies.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AxisInfo {
    /// The end of its path that tells it from the others, such as `batch_tokens`.
    pub name: String,
    /// The value of every variant as written, in the order of the variants.
    pub texts: Vec<String>,
    /// The numbers that these mean, where they are numbers.
    pub numbers: Vec<Option<f64>>,
}

/// Reports of earlier versions name one element, or none.
fn one_or_several<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Mirrors {
        Several(Vec<String>),
        One(Option<String>),
    }
    Ok(match Mirrors::deserialize(from)? {
        Mirrors::Several(elements) => elements,
        Mirrors::One(element) => element.into_iter().collect(),
    })
}

impl StudyInfo {
    /// Whether every variant builds on the one before it.
    pub fn is_ladder(&self) -> bool {
        self.design == "ladder"
    }
}

/// Parameter counts of a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Params {
    /// All parameters.
    pub total: u64,
    /// The token embedding.
    pub embedding: u64,
    /// The output head; 0 when it is tied to the embedding.
    pub head: u64,
    /// Everything but embedding and head.
    pub non_embedding: u64,
}

/// A variant: its shape, its price and what became of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct VariantRow {
    /// Unique slug.
    pub name: String,
    /// Name for people; falls back to the slug when empty.
    pub label: String,
    /// What differs from the base: dotted path, value there, value here.
    pub delta: Vec<(String, String, String)>,
    /// Parameter counts.
    pub params: Params,
    /// Embedding and head over all parameters, a fraction of 1.
    pub share: f64,
    /// Decoder layers.
    pub depth: u64,
    /// Hidden channels.
    pub width: u64,
    /// Attention heads.
    pub heads: u64,
    /// Key and value heads.
    pub kv_heads: u64,
    /// Channels inside the feed-forward block.
    pub ffn: u64,
    /// Vocabulary of the tokenizer.
    pub vocabulary: u64,
    /// Context in tokens.
    pub context: u64,
    /// Tokens trained on, over all rounds.
    pub train_tokens: u64,
    /// Bytes of text trained on, over all rounds.
    pub train_bytes: u64,
    /// Tokens that masks were learned on before, where the first weights were chosen by such.
    #[serde(default)]
    pub mask_tokens: u64,
    /// What those masks came to, by kind of unit.
    #[serde(default)]
    pub mask_shares: Vec<MaskShare>,
    /// Floating-point operations of training, with the passes that score batches for a draw and the
    /// learning of masks.
    pub train_flops: f64,
    /// Of these, those of the passes that score batches.
    pub scoring_flops: f64,
    /// Tokens of an optimiser step.
    pub batch_tokens: u64,
    /// Peak learning rate of the first round.
    pub learning_rate: f64,
    /// Rounds of training.
    pub rounds: u64,
    /// How further rounds are made, in words; empty where there are none.
    pub reading: String,
    /// How often the first round goes through the whole text, where that was measured.
    pub passes: Option<f64>,
    /// Seconds of all that, measured, mean over seeds.
    pub seconds: f64,
    /// Tokens per second of a sequence while a batch of 20 is decoded, where that was measured.
    #[serde(default)]
    pub decoding: Option<f64>,
    /// Held quantity over its target, minus one.
    pub residual: Option<f64>,
    /// Seeds that did not finish, each with the reason.
    pub failed: Vec<(u64, String)>,
    /// Seeds whose training diverged, each with the step.
    pub diverged: Vec<(u64, u64)>,
    /// Seeds whose scores rest on results that were accepted in the place of others, each with the key
    /// of what such a result stands for.
    #[serde(default)]
    pub accepted: Vec<(u64, String)>,
    /// Share of the corpus covered by the vocabulary, a fraction of 1.
    pub coverage: Option<f64>,
    /// Bytes of text per token, by language.
    pub bytes_per_token: BTreeMap<String, f64>,
}

impl VariantRow {
    /// The label, or the name where there is none.
    pub fn title(&self) -> &str {
        if self.label.trim().is_empty() { &self.name } else { &self.label }
    }

    /// Whether the curve of a seed stands for the variant: it did not diverge, or all seeds did.
    pub(crate) fn is_whole(&self, seed: u64, seeds: &[u64]) -> bool {
        let lost = |seed: &u64| self.diverged.iter().any(|(other, _)| other == seed);
        !lost(&seed) || seeds.iter().all(lost)
    }
}

/// One score of one trained model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ScoreRow {
    /// Variant name.
    pub variant: String,
    /// Seed.
    pub seed: u64,
    /// Benchmark name; `validation` for held-out text.
    pub benchmark: String,
    /// Language code.
    pub language: String,
    /// `acc_ppl`, `acc`, `acc_norm`, `rouge1`, `bits_per_byte`, ...
    pub metric: String,
    /// The score: a fraction of 1 for accuracies and ROUGE, bits for bits per byte.
    pub value: f64,
    /// Standard error over items, in the unit of `value`.
    pub standard_error: f64,
    /// Number of items.
    pub items: u64,
    /// What a model that knows nothing scores.
    pub chance: Option<f64>,
    /// Whether this is the benchmark's headline metric.
    pub primary: bool,
}

/// One item as one trained model answered it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ItemRow {
    /// Variant name.
    pub variant: String,
    /// Seed.
    pub seed: u64,
    /// Benchmark name.
    pub benchmark: String,
    /// Language code.
    pub language: String,
    /// Item id, unique within its benchmark.
    pub item: String,
    /// Hash of what was asked; items are compared only where it agrees.
    pub document_hash: String,
    /// Hash of the texts that the model read, after the examples and instructions of its prompt; empty
    /// in reports of earlier versions.
    pub prompt_hash: String,
    /// The subject or passage that it shares with others, whose scores go together.
    pub subject: Option<String>,
    /// Whether every subject of the benchmark counts the same, however many items it has.
    pub by_subject: bool,
    /// Log-likelihood of each option in nats; empty for generation.
    pub option_logliks: Vec<f64>,
    /// Index of the option chosen.
    pub choice: Option<i64>,
    /// Index of the right option.
    pub key: Option<i64>,
    /// The item's primary score, 0 to 1.
    pub score: f64,
    /// Generated text.
    pub prediction: Option<String>,
    /// Reference text.
    pub reference: Option<String>,
}

/// One point of a training or validation curve.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CurveRow {
    /// Variant name.
    pub variant: String,
    /// Seed.
    pub seed: u64,
    /// Training round, from 1.
    pub round: u32,
    /// Optimiser step.
    pub step: u64,
    /// Tokens seen so far, over all rounds.
    pub tokens: u64,
    /// Bytes of text seen so far, over all rounds.
    pub bytes: u64,
    /// `train` or `validation`.
    pub split: String,
    /// Language of the text; empty for a mixture.
    pub language: String,
    /// Mean loss in nats per token.
    pub loss: f64,
    /// Loss in bits per byte of text.
    pub bits_per_byte: Option<f64>,
    /// Training speed.
    pub tokens_per_second: Option<f64>,
}

/// One point of a coverage curve.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CoverageRow {
    /// Name of the tokenizer whose pieces were counted.
    pub tokenizer: String,
    /// Number of most frequent pieces kept.
    pub vocabulary: u64,
    /// Share of all tokens they account for, a fraction of 1.
    pub coverage: f64,
}

/// The headline score of a benchmark by a model without some of its layers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SkipRow {
    /// Variant name.
    pub variant: String,
    /// Seed.
    pub seed: u64,
    /// Consecutive layers that were left out; 0 for the whole model.
    pub count: u64,
    /// The first of them, from 0.
    pub first: u64,
    /// Benchmark name.
    pub benchmark: String,
    /// Language code.
    pub language: String,
    /// `acc_ppl` or `acc`.
    pub metric: String,
    /// The score, a fraction of 1.
    pub value: f64,
    /// Number of items.
    pub items: u64,
    /// What a model that knows nothing scores.
    pub chance: Option<f64>,
}

/// How much a layer changes the residual stream.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct InfluenceRow {
    /// Variant name.
    pub variant: String,
    /// Seed.
    pub seed: u64,
    /// Layer, from 0.
    pub layer: u64,
    /// One minus the mean cosine between the stream before and after it.
    pub influence: f64,
}

/// Standard deviation of one trained matrix.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SpreadRow {
    /// Variant name.
    pub variant: String,
    /// Seed.
    pub seed: u64,
    /// Layer, from 0.
    pub layer: u64,
    /// `q`, `k`, `v`, `o`, `gate`, `up` or `down`.
    pub matrix: String,
    /// Standard deviation of its entries.
    pub std: f64,
}

/// Where the numbers come from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// Commit of the source, with `+` when the tree had changes.
    pub commit: String,
    /// Version of the program.
    pub version: String,
    /// Numeric backend.
    pub backend: String,
    /// Processor and cores.
    pub machine: String,
    /// When the first stage started.
    pub started: String,
    /// When the last stage finished.
    pub finished: String,
    /// Stage, name and key of every stage used.
    pub keys: Vec<(String, String, String)>,
    /// What was accepted in the place of others among what these stages were made of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accepted: Vec<AcceptedRow>,
    /// What each of these results is and how it was made; reports of earlier versions do not say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub results: Vec<ResultRecord>,
    /// The results behind the rows of every variant and seed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<RunRecord>,
}

/// A stored result that was read in the place of one that was not made, because somebody said that both
/// are the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptedRow {
    /// Kind of work; empty where the study has no such stage any more.
    pub stage: String,
    /// Name for people.
    pub name: String,
    /// Key of the result that was not made.
    pub key: String,
    /// Key of the one that was read.
    pub by_key: String,
    /// The reason that was given.
    pub because: String,
    /// Who said so.
    pub by: String,
    /// When, RFC 3339.
    pub at: String,
}

impl AcceptedRow {
    /// `text mine (0123456789ab by 456789abcdef: reason)`.
    pub(crate) fn words(&self) -> String {
        let short = |key: &str| key.get(..12).unwrap_or(key).to_owned();
        let what = format!("{} {}", self.stage, self.name);
        let (key, by_key) = (short(&self.key), short(&self.by_key));
        format!("{} ({key} by {by_key}: {})", what.trim(), self.because).trim().to_owned()
    }
}
