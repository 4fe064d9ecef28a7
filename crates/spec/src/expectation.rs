//! What a claim expects of its metric: an order of variants or of gains, equality, a relation to a
//! size, or which layers matter.

use serde::Serialize;

/// What a claim expects of its metric.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expectation {
    /// The metric falls from the first of these variants to the last.
    Order(Vec<String>),
    /// Gains, each the metric of one variant minus that of another, fall from the first to the last.
    Gains {
        /// What is subtracted from what, by position in `variants`.
        gains: Vec<(usize, usize)>,
        /// Variants, in the order in which they were written.
        variants: Vec<String>,
    },
    /// No two of these variants differ by more than `within`.
    Equal {
        /// Variants, in the order in which they were written.
        variants: Vec<String>,
        /// Largest difference that counts as none, in the metric's unit.
        within: f64,
    },
    /// Over all variants the metric's ranks go with those of a size, or against them.
    Trend {
        /// The size.
        quantity: Quantity,
        /// Whether the metric rises with it.
        rises: bool,
    },
    /// Over all variants the metric's ranks have nothing to do with those of a size.
    Unrelated {
        /// The size.
        quantity: Quantity,
        /// Largest rank correlation, of either sign, that counts as none.
        within: f64,
    },
    /// A layer at one end of a model costs more of the metric when it is left out than a layer of
    /// the middle, which is all but the first and the last quarter (rounded up) and these layers.
    Layers {
        /// Which end.
        end: End,
        /// How many layers of it.
        count: usize,
    },
}

impl Expectation {
    /// The variants that are named, largest first in an order.
    pub fn variants(&self) -> &[String] {
        match self {
            Self::Order(variants) | Self::Gains { variants, .. } | Self::Equal { variants, .. } => {
                variants
            }
            Self::Trend { .. } | Self::Unrelated { .. } | Self::Layers { .. } => &[],
        }
    }
}

/// An end of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// The embedding's.
    First,
    /// The head's.
    Last,
}

impl End {
    /// As study files write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Last => "last",
        }
    }
}

/// A size of a variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quantity {
    /// Layers.
    Depth,
    /// Hidden channels.
    Width,
    /// Feed-forward channels over hidden channels.
    Rate,
    /// Query heads.
    Heads,
    /// Entries of the vocabulary.
    Vocabulary,
    /// All parameters.
    Parameters,
}

impl Quantity {
    /// Every size, in the order in which tables show them.
    pub const ALL: [Self; 6] =
        [Self::Depth, Self::Width, Self::Rate, Self::Heads, Self::Vocabulary, Self::Parameters];

    /// As study files write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Depth => "depth",
            Self::Width => "width",
            Self::Rate => "rate",
            Self::Heads => "heads",
            Self::Vocabulary => "vocabulary",
            Self::Parameters => "parameters",
        }
    }
}
