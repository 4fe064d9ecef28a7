//! Why a child cannot inherit.

use ablate_cost::Pi;
use ablate_model::ModelError;

/// A size in which parent and child are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dimension {
    /// Decoder layers.
    Depth,
    /// Hidden channels.
    Width,
    /// Query heads.
    Heads,
    /// Key and value heads.
    KvHeads,
    /// Feed-forward channels.
    Ffn,
    /// Entries of the vocabulary.
    Vocabulary,
    /// Channels of the bottleneck beside attention.
    Shortcut,
}

impl std::fmt::Display for Dimension {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Depth => "depth",
            Self::Width => "width",
            Self::Heads => "heads",
            Self::KvHeads => "kv_heads",
            Self::Ffn => "ffn",
            Self::Vocabulary => "vocabulary",
            Self::Shortcut => "pi.shortcut",
        })
    }
}

/// Why a child cannot inherit from a parent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InheritError {
    /// The parent is not whole.
    #[error("the parent: {0}")]
    Parent(ModelError),
    /// The child cannot be built.
    #[error("the child: {0}")]
    Child(ModelError),
    /// The child exceeds the parent.
    #[error(
        "the child's `{dimension}` is {child}, but the parent's is only {parent}: a child inherits a \
         part of its parent; make it {parent} or less, or train a larger parent"
    )]
    Wider {
        /// In what.
        dimension: Dimension,
        /// The parent's size.
        parent: usize,
        /// The child's size.
        child: usize,
    },
    /// Layers with other additions.
    #[error(
        "the child sums {} activations and has {} bottleneck channels beside attention, the parent {} \
         and {}: give both the same `model.pi`", child.activations, child.shortcut, parent.activations,
        parent.shortcut
    )]
    Additions {
        /// The parent's.
        parent: Pi,
        /// The child's.
        child: Pi,
    },
    /// Biases, which no criterion scores.
    #[error(
        "the parent's queries, keys and values have biases (as Qwen2's and Phi's): such a model is read, run and \
         scored, but nothing inherits from it yet; take a parent without biases"
    )]
    Biases,
    /// Heads of different sizes.
    #[error(
        "a head of the child has {child} channels (width {width} over {heads} heads), a head of the \
         parent {parent}: heads are inherited whole; {advice}"
    )]
    HeadDim {
        /// Channels of a parent's head.
        parent: usize,
        /// Channels of a child's head.
        child: usize,
        /// The child's width.
        width: usize,
        /// The child's query heads.
        heads: usize,
        /// What would fit.
        advice: String,
    },
    /// Query heads share key heads in groups of another size.
    #[error(
        "the child has {child_heads} heads over {child_kv_heads} kv_heads, the parent {parent_heads} \
         over {parent_kv_heads}: groups are inherited whole, so heads / kv_heads must be equal: use {fitting} \
         heads with {child_kv_heads} kv_heads, or, where heads are pooled, a multiple of the parent's"
    )]
    Grouping {
        /// The parent's query heads.
        parent_heads: usize,
        /// The parent's key and value heads.
        parent_kv_heads: usize,
        /// The child's query heads.
        child_heads: usize,
        /// The child's key and value heads.
        child_kv_heads: usize,
        /// Query heads that would fit the child's key and value heads.
        fitting: usize,
    },
    /// More layers are to be kept at the ends than the child has.
    #[error(
        "the first {first} and the last {last} layers of the parent are to be kept, but the child \
         has only {depth} in all: lower `first` or `last`, or make the child deeper"
    )]
    Ends {
        /// Layers kept at the beginning.
        first: usize,
        /// Layers kept at the end.
        last: usize,
        /// The child's depth.
        depth: usize,
    },
    /// A child without layers.
    #[error("the child's depth is 0, but must be at least 1")]
    NoLayers,
    /// The selection of layers has the wrong length.
    #[error("{selected} layers were selected for a child of depth {depth}: select exactly {depth}")]
    LayerCount {
        /// How many were selected.
        selected: usize,
        /// The child's depth.
        depth: usize,
    },
    /// Layers are to be chosen by numbers that are not there.
    #[error("the parent has {depth} layers: each needs a number to be chosen by")]
    LayerScores {
        /// The parent's depth.
        depth: usize,
    },
    /// Channels are to be chosen by scores that are not there.
    #[error(
        "channels and heads are chosen by scores that are given, but there is not a finite one for \
         every hidden channel and for every head and channel of the {depth} layers kept: score this \
         parent with these layers"
    )]
    Scores {
        /// Layers kept.
        depth: usize,
    },
    /// The selected layers are not ascending, or repeat.
    #[error("layer {next} is selected after layer {previous}: list each layer once, ascending")]
    LayerOrder {
        /// A selected layer.
        previous: usize,
        /// The one listed after it.
        next: usize,
    },
    /// A selected layer that the parent does not have.
    #[error("layer {layer} is selected, but the parent's {depth} layers count from 0 to {}", depth - 1)]
    LayerRange {
        /// The layer.
        layer: usize,
        /// The parent's depth.
        depth: usize,
    },
    /// The vocabulary's id map has the wrong length.
    #[error(
        "the id map has {found} entries for a child vocabulary of {vocabulary}: it needs the \
         parent's id of every id of the child"
    )]
    VocabularyLength {
        /// Entries of the map.
        found: usize,
        /// The child's vocabulary.
        vocabulary: usize,
    },
    /// The id map names a parent id that does not exist.
    #[error(
        "the id map gives child id {child} the parent id {parent}, but the parent's vocabulary has \
         {vocabulary} entries: were map and parent made with the same tokenizer?"
    )]
    VocabularyRange {
        /// The child's id.
        child: usize,
        /// The parent's id.
        parent: u32,
        /// The parent's vocabulary.
        vocabulary: usize,
    },
    /// The id map uses a parent id twice.
    #[error(
        "the id map gives the child ids {first} and {second} the same parent id {parent}: each entry \
         of the parent can be inherited once"
    )]
    VocabularyRepeat {
        /// The first child id.
        first: usize,
        /// The second child id.
        second: usize,
        /// The parent's id.
        parent: u32,
    },
}
