//! The `[init.inherit]` table.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::size::{Count, Share};
use crate::{Grouping, LayerCriterion, MaskedWeights};

/// Inheritance from a parent.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct InheritTable {
    /// Name of a table of `parents`; required.
    pub(crate) parent: Option<String>,
    /// Layers kept at the bottom.
    #[schemars(range(max = 16384))]
    pub(crate) first: u64,
    /// Layers kept at the top.
    #[schemars(range(max = 16384))]
    pub(crate) last: u64,
    /// How the layers between are chosen.
    pub(crate) layers: LayerCriterion,
    /// How channels, heads and feed-forward channels are chosen.
    pub(crate) width: WidthTable,
    /// Tokens of training text that `taylor` measures the loss on.
    #[schemars(range(min = 1))]
    pub(crate) calibration: Count,
    /// What becomes of key and value heads where more query heads share one than in the parent.
    pub(crate) grouping: Grouping,
}

impl Default for InheritTable {
    fn default() -> Self {
        Self {
            parent: None,
            first: 2,
            last: 1,
            layers: LayerCriterion::Even,
            width: WidthTable::L2,
            calibration: Count(64_000),
            grouping: Grouping::Kept,
        }
    }
}

/// How coupled groups of weights are ranked.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum WidthTable {
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
    Learned(LearnedTable),
}

/// Masks that are learned.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LearnedTable {
    /// Tokens that they are learned on.
    #[schemars(range(min = 1))]
    pub(crate) tokens: Count,
    /// Whether the parent's weights learn as well.
    pub(crate) weights: MaskedWeights,
    /// Peak learning rate of the weights.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub(crate) learning_rate: f64,
    /// Learning rate of the masks; the Lagrangian's multipliers go at a tenth of it.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub(crate) mask_learning_rate: f64,
    /// Share of the steps in which the target rises from the parent's sizes to the child's.
    #[schemars(range(min = 0, max = 1))]
    pub(crate) sparsity_warmup: Share,
}

impl Default for LearnedTable {
    fn default() -> Self {
        Self {
            tokens: Count(400_000),
            weights: MaskedWeights::Joint,
            learning_rate: 1e-4,
            mask_learning_rate: 0.1,
            sparsity_warmup: Share(0.2),
        }
    }
}
