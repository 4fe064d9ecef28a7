//! The `[model]` table.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Sizes and constants of the decoder.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ModelTable {
    /// Layers; required unless solved for.
    #[schemars(range(min = 1, max = 16384))]
    pub(crate) depth: Option<u64>,
    /// Hidden channels; required unless solved for.
    #[schemars(range(min = 1, max = 1048576))]
    pub(crate) width: Option<u64>,
    /// Query heads. Either this or `head_dim`.
    #[schemars(range(min = 1, max = 1048576))]
    pub(crate) heads: Option<u64>,
    /// Channels of a head; there are width / head_dim heads. Either this or `heads`.
    #[schemars(range(min = 1, max = 1048576))]
    pub(crate) head_dim: Option<u64>,
    /// Key and value heads; as many as query heads when nothing is written.
    #[schemars(range(min = 1, max = 1048576))]
    pub(crate) kv_heads: Option<u64>,
    /// Feed-forward channels.
    pub(crate) ffn: FfnTable,
    /// What PanGu-π adds to a layer.
    pub(crate) pi: PiTable,
    /// Whether the output head shares the embedding matrix.
    pub(crate) tied: bool,
    /// Tokens that the model sees at once.
    #[schemars(range(min = 1, max = 1048576))]
    pub(crate) context: u64,
    /// Base of the rotary angles.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub(crate) rope_theta: f64,
    /// Epsilon of the RMS norms.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub(crate) norm_eps: f64,
}

impl Default for ModelTable {
    fn default() -> Self {
        Self {
            depth: None,
            width: None,
            heads: None,
            head_dim: None,
            kv_heads: None,
            ffn: FfnTable::default(),
            pi: PiTable::default(),
            tied: false,
            context: 128,
            rope_theta: 10_000.0,
            norm_eps: 1e-5,
        }
    }
}

/// Feed-forward channels: a size, or a rate over the width rounded up to a multiple.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct FfnTable {
    /// Channels. Either this or `rate` and `multiple`.
    #[schemars(range(min = 1, max = 67108864))]
    pub(crate) size: Option<u64>,
    /// Channels over width, before rounding up.
    #[schemars(range(max = 64), extend("exclusiveMinimum" = 0))]
    pub(crate) rate: f64,
    /// The channels are rounded up to a multiple of this.
    #[schemars(range(min = 1, max = 1048576))]
    pub(crate) multiple: u64,
}

impl Default for FfnTable {
    fn default() -> Self {
        Self { size: None, rate: 8.0 / 3.0, multiple: 256 }
    }
}

/// What PanGu-π adds to a layer.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PiTable {
    /// Activations that the gate of a feed-forward block sums, each with scales and biases.
    #[schemars(range(min = 1, max = 64))]
    pub(crate) activations: u64,
    /// Width over the channels of a bottleneck beside attention; there is none without it.
    #[schemars(range(min = 1, max = 1048576))]
    pub(crate) shortcut: Option<u64>,
}

impl Default for PiTable {
    fn default() -> Self {
        Self { activations: 1, shortcut: None }
    }
}
