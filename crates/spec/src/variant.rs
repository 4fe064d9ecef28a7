//! The sections of a variant: corpus, tokenizer, model, init, train, eval; `rounds` has a file of
//! its own.

use ablate_cost::{Pi, Shape};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Training and validation text.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Corpus {
    /// Seed of the split and of the mixture.
    pub seed: u64,
    /// Bytes of training text in all; `None` takes everything there is.
    pub bytes: Option<u64>,
    /// Bytes of held-out text per language.
    pub validation_bytes: u64,
    /// Where the text comes from; not empty.
    pub sources: Vec<Source>,
}

/// One source of text.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Source {
    /// Share of the bytes, relative to the other sources' weights.
    pub weight: f64,
    /// Origin of the text.
    pub from: Origin,
}

/// Origin of a source's text.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The built-in generator.
    Storyworld(Storyworld),
    /// The user's files.
    Files(Files),
}

/// The built-in bilingual generator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Storyworld {
    /// Seed of the world.
    pub seed: u64,
}

/// Text files: txt, jsonl or parquet by extension, compressed or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Files {
    /// Globs, joined with the folder of the file that wrote them.
    pub paths: Vec<String>,
    /// Language of the text, e.g. `en`.
    pub language: String,
    /// Field (jsonl) or column (parquet) that holds the text.
    pub text_field: String,
    /// What a document is in a plain text file.
    pub split: DocumentSplit,
}

/// What a document is in a plain text file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DocumentSplit {
    /// The whole file.
    File,
    /// Text between blank lines.
    Paragraph,
    /// Each line.
    Line,
}

/// The tokenizer of a variant.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tokenizer {
    /// Entries, special and byte pieces included.
    pub vocabulary: usize,
    /// How it is made.
    pub build: Build,
}

/// How a tokenizer is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Build {
    /// Byte-level BPE trained on a sample of the corpus.
    Train(TrainBpe),
    /// A larger tokenizer reduced to its most frequent pieces.
    Compact(Compact),
    /// A tokenizer of the user's.
    File(TokenizerFile),
}

/// Training of a byte-level BPE.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TrainBpe {
    /// Bytes of sample text.
    pub bytes: u64,
}

/// The larger tokenizer that is reduced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Compact {
    /// One that is trained on the corpus.
    Trained {
        /// Its vocabulary.
        from: usize,
        /// Bytes of sample text that it is trained on.
        bytes: u64,
    },
    /// One that exists already.
    File {
        /// Path of its file, joined with the folder of the file that wrote it.
        file: String,
    },
}

/// A tokenizer that exists already.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TokenizerFile {
    /// Path of its file, joined with the folder of the file that wrote it.
    pub path: String,
}

/// The decoder, in numbers only: heads and feed-forward channels are derived already.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Model {
    /// Layers.
    pub depth: usize,
    /// Hidden channels.
    pub width: usize,
    /// Query heads.
    pub heads: usize,
    /// Key and value heads.
    pub kv_heads: usize,
    /// Feed-forward channels.
    pub ffn: usize,
    /// What PanGu-π adds to a layer.
    pub pi: Pi,
    /// Whether the output head shares the embedding matrix.
    pub tied: bool,
    /// Tokens that the model sees at once.
    pub context: usize,
    /// Base of the rotary angles.
    pub rope_theta: f64,
    /// Epsilon of the RMS norms.
    pub norm_eps: f64,
}

impl Model {
    /// The sizes that decide the parameter count with this vocabulary.
    pub fn shape(&self, vocabulary: usize) -> Shape {
        Shape {
            vocabulary,
            depth: self.depth,
            width: self.width,
            heads: self.heads,
            kv_heads: self.kv_heads,
            ffn: self.ffn,
            tied: self.tied,
            pi: self.pi,
            attention: Default::default(),
            block: Default::default(),
        }
    }
}

/// Where the first weights come from.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Init {
    /// Drawn at random.
    Random(RandomInit),
    /// Sliced out of a parent model.
    Inherit(Inherit),
}

/// Random initialisation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RandomInit {
    /// How the standard deviation varies over the matrices.
    pub scheme: Scheme,
    /// Standard deviation (sigma) of the scheme.
    pub std: f64,
}

/// How the standard deviation varies over the matrices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// The same everywhere.
    Constant,
    /// Projections onto the residual stream scaled by 1/sqrt(2 depth).
    Gpt2,
    /// Projections onto the residual stream scaled by their own layer's index.
    Internlm,
    /// Interpolated over depth (the paper's).
    DepthAdaptive,
}

/// Inheritance from a parent.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Inherit {
    /// Name of the parent.
    pub parent: String,
    /// Layers kept at the bottom.
    pub first: usize,
    /// Layers kept at the top.
    pub last: usize,
    /// How the layers between are chosen.
    pub layers: LayerCriterion,
    /// How channels, heads and feed-forward channels are chosen.
    pub width: WidthCriterion,
    /// Tokens of training text that a Taylor expansion measures the loss on.
    pub calibration: u64,
    /// What becomes of key and value heads where more query heads share one than in the parent.
    pub grouping: Grouping,
}

/// What becomes of key and value heads where more query heads share one than in the parent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Grouping {
    /// It is an error.
    #[default]
    Kept,
    /// Neighbours are averaged into one.
    Pooled,
}

/// Which layers between the first and the last ones are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LayerCriterion {
    /// Evenly spaced ones.
    #[default]
    Even,
    /// Those without which the parent scores worst.
    Skips,
    /// Those that change the parent's residual stream most.
    Influence,
    /// Those whose learned masks are largest.
    Learned,
}

/// How coupled groups of weights are ranked.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WidthCriterion {
    /// Sum of absolute values.
    L1,
    /// Sum of squares.
    L2,
    /// The first ones.
    First,
    /// At random.
    Random,
    /// What the loss would change without them, to the first order.
    Taylor,
    /// By masks that are learned.
    Learned(LearnedMasks),
}

/// How masks are learned.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct LearnedMasks {
    /// Tokens that they are learned on.
    pub tokens: u64,
    /// Whether the parent's weights learn as well.
    pub weights: MaskedWeights,
    /// Peak learning rate of the weights.
    pub learning_rate: f64,
    /// Learning rate of the masks; the Lagrangian's multipliers go at a tenth of it.
    pub mask_learning_rate: f64,
    /// Share of the steps in which the target rises from the parent's sizes to the child's.
    pub sparsity_warmup: f64,
}

/// What becomes of a parent's weights while masks are learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MaskedWeights {
    /// They learn as well, and the child starts from what they came to.
    Joint,
    /// They stand still.
    Frozen,
}

/// Optimisation: AdamW with warm-up and a cosine.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Train {
    /// How long a round-one training is.
    pub budget: Budget,
    /// Tokens per optimiser step, a multiple of the context.
    pub batch_tokens: u64,
    /// Tokens per forward pass: at least the context, at most `batch_tokens`.
    pub micro_tokens: u64,
    /// Peak learning rate, whether written as a number or as a rule.
    pub learning_rate: f64,
    /// Last learning rate over the peak.
    pub final_ratio: f64,
    /// Share of the steps spent warming up.
    pub warmup: f64,
    /// Decoupled weight decay, on matrices only.
    pub weight_decay: f64,
    /// AdamW's first decay rate.
    pub beta1: f64,
    /// AdamW's second decay rate.
    pub beta2: f64,
    /// AdamW's epsilon.
    pub epsilon: f64,
    /// Largest global gradient norm.
    pub clip: f64,
    /// Evenly spaced points at which the validation loss is measured.
    pub validations: usize,
    /// How the factors of matrix products are rounded.
    pub precision: Precision,
    /// Whether activations are computed again in the backward pass instead of kept. Memory and time
    /// depend on it, results do not.
    pub recompute: bool,
    /// Steps in a row after the warm-up whose loss may be absurd before the training counts as
    /// diverged; 0 for any number.
    pub patience: u64,
}

/// How the factors of a training's matrix products are rounded; weights, moments and sums are f32
/// in any case, and so are validation, scoring and evaluation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// As they are.
    #[default]
    F32,
    /// To bf16: faster on processors with AMX or AVX-512 BF16.
    Bf16,
}

/// How long a training is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Budget {
    /// Tokens, whatever text they cover.
    Tokens(u64),
    /// Bytes of text, whatever tokens they make.
    Bytes(u64),
}

/// Benchmarks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Eval {
    /// Names; `all` is every benchmark of the corpus.
    pub benchmarks: Vec<String>,
    /// Items per benchmark.
    pub items: usize,
    /// How choices are scored.
    pub scoring: Scoring,
    /// The user's own items (jsonl), joined with the folder of the file that wrote them.
    pub files: Vec<String>,
    /// Longest generated answer in tokens.
    pub max_new_tokens: usize,
    /// Numbers of consecutive layers without which the model is scored as well; ascending.
    pub skip_layers: Vec<usize>,
    /// Equal parts of the training data, in the order of their visits, whose losses under the final
    /// weights are shown; `None` does not measure them.
    pub parts: Option<usize>,
    /// Evenly spaced points of the first round at which the model is scored while it trains; later
    /// rounds go on at the same interval of tokens. 0 for none.
    pub points: usize,
}

/// How choices are scored.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Scoring {
    /// Perplexity of the whole prompt with each option filled in.
    Ppl,
    /// Likelihood of each option given the prompt.
    Continuation,
}
