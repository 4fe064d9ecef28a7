//! The parameters of a decoder's blocks, as the operations take them.

use burn::tensor::Tensor;

/// The parameters of an attention block; `d` is the width of the residual stream.
#[derive(Clone, Debug)]
pub struct AttentionWeights {
    /// Scale of the norm before the block: `[d]`.
    pub norm: Tensor<1>,
    /// `[d, heads * head_dim]`.
    pub query: Tensor<2>,
    /// `[d, kv_heads * head_dim]`.
    pub key: Tensor<2>,
    /// `[d, kv_heads * head_dim]`.
    pub value: Tensor<2>,
    /// `[heads * head_dim, d]`.
    pub output: Tensor<2>,
    /// Query heads.
    pub heads: usize,
    /// Key and value heads, of which the query heads are a multiple.
    pub kv_heads: usize,
    /// Added to the mean square under the root of the norm.
    pub norm_eps: f64,
}

/// The parameters of a feed-forward block; `d` is the width of the residual stream.
#[derive(Clone, Debug)]
pub struct FeedForwardWeights {
    /// Scale of the norm before the block: `[d]`.
    pub norm: Tensor<1>,
    /// `[d, ffn]`.
    pub gate: Tensor<2>,
    /// `[d, ffn]`.
    pub up: Tensor<2>,
    /// `[ffn, d]`.
    pub down: Tensor<2>,
    /// Added to the mean square under the root of the norm.
    pub norm_eps: f64,
}
