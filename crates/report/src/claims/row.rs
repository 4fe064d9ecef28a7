//! A claim as the study file writes it.

use serde::{Deserialize, Serialize};

/// A claim as the study file writes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClaimRow {
    /// Unique slug.
    pub id: String,
    /// The claim in words.
    pub statement: String,
    /// What is compared: `average`, a benchmark, `bits_per_byte`.
    pub metric: String,
    /// What is expected, as written.
    pub expect: String,
    /// What that means.
    pub expectation: Expectation,
    /// Where the claim is made, such as `Table 1`; empty for the element that the study mirrors.
    pub source: String,
    /// The paper's rows for the variants of the expectation, in their order; empty when they are to be found.
    pub paper: Vec<String>,
    /// Whether a contradiction fails the run.
    pub require: bool,
}

/// What a claim expects of its metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expectation {
    /// The metric falls from the first of these variants to the last.
    Order(Vec<String>),
    /// Gains, each the metric of one variant minus that of another, fall from the first to the last.
    Gains {
        /// What is subtracted from what, by position in `variants`.
        gains: Vec<(usize, usize)>,
        /// Names of variants.
        variants: Vec<String>,
    },
    /// No two of these variants differ by more than `within`.
    Equal {
        /// Names of variants.
        variants: Vec<String>,
        /// Largest difference that counts as none, in points or bits per byte.
        within: f64,
    },
    /// The metric's ranks go with those of a size, or against them.
    Trend {
        /// `depth`, `width`, `rate`, `heads`, `vocabulary` or `parameters`.
        size: String,
        /// Whether the metric rises with it.
        rises: bool,
    },
    /// The metric's ranks have nothing to do with those of a size.
    Unrelated {
        /// As in `Trend`.
        size: String,
        /// Largest rank correlation that counts as none.
        within: f64,
    },
    /// A layer at one end costs more of the metric when it is left out than one of the middle.
    Layers {
        /// Whether the end is that of the embedding.
        first: bool,
        /// How many layers of it.
        count: u64,
    },
}

impl Expectation {
    /// Largest difference or correlation that counts as none.
    pub fn within(&self) -> Option<f64> {
        match self {
            Self::Order(_) | Self::Gains { .. } | Self::Trend { .. } | Self::Layers { .. } => None,
            Self::Equal { within, .. } | Self::Unrelated { within, .. } => Some(*within),
        }
    }
}
