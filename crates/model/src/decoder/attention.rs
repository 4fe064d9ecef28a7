//! The attention block of a layer: the fused one where it is LLaMA's, step by step where projections
//! have biases or tokens continue what a cache holds.

use ablate_kernels as kernels;
use ablate_kernels::{AttentionWeights, RotaryTable};
use burn::module::{Module, Param};
use burn::tensor::Tensor;

use super::{LlamaLayer, Source, Walk};
use crate::generate::LayerCache;
use crate::{ModelError, Part, Place};

/// What is added to queries, keys and values before they are turned, as in Qwen2 (Yang et al. 2024,
/// arXiv:2407.10671, section 2.2) and Phi.
#[derive(Module, Debug)]
pub struct Biases {
    /// `[heads * head_dim]`
    pub(super) query: Param<Tensor<1>>,
    /// `[kv_heads * head_dim]`
    pub(super) key: Param<Tensor<1>>,
    /// `[kv_heads * head_dim]`
    pub(super) value: Param<Tensor<1>>,
}

impl Biases {
    /// Those of the layer with this index.
    pub(super) fn read(layer: usize, source: &Source<'_>) -> Result<Self, ModelError> {
        let vector = |part| source.vector(Place::Layer(layer, part));
        Ok(Self {
            query: vector(Part::QueryBias)?,
            key: vector(Part::KeyBias)?,
            value: vector(Part::ValueBias)?,
        })
    }

    pub(super) fn walk(self, layer: usize, walk: &mut impl Walk) -> Self {
        let at = |part| Place::Layer(layer, part);
        Self {
            query: walk.vector(at(Part::QueryBias), self.query),
            key: walk.vector(at(Part::KeyBias), self.key),
            value: walk.vector(at(Part::ValueBias), self.value),
        }
    }
}

impl LlamaLayer {
    /// The attention block of whole sequences, `[batch, time, width]`, with these weights in place of
    /// the layer's own (biases stay the layer's).
    pub(super) fn attend(
        &self,
        x: Tensor<3>,
        weights: AttentionWeights,
        rotary: &RotaryTable,
    ) -> Tensor<3> {
        if self.biases.is_none() {
            return kernels::self_attention(x, weights, rotary);
        }
        let [q, k, v] = self.projections(x.clone(), &weights, rotary, 0);
        merge(x, kernels::causal_attention(q, k, v), weights.output)
    }

    /// The attention block of tokens that continue what the cache holds.
    pub(super) fn attend_to_cache(
        &self,
        x: Tensor<3>,
        rotary: &RotaryTable,
        cache: &mut LayerCache,
    ) -> Tensor<3> {
        let weights = self.attention();
        let past = cache.length();
        let [q, k, v] = self.projections(x.clone(), &weights, rotary, past);
        let (keys, values) = cache.append(k, v);
        merge(x, kernels::cached_attention(q, keys, values, past), weights.output)
    }

    /// Queries and keys, turned at the positions from `past` on, and values:
    /// `[batch, time, heads, head_dim]`.
    fn projections(
        &self,
        x: Tensor<3>,
        weights: &AttentionWeights,
        rotary: &RotaryTable,
        past: usize,
    ) -> [Tensor<4>; 3] {
        let [batch, time, _] = x.dims();
        let normed = kernels::rms_norm(x, weights.norm.clone(), weights.norm_eps);
        let split = |matrix: &Tensor<2>, bias: Option<&Param<Tensor<1>>>, heads: usize| {
            let mut projected = kernels::linear(normed.clone(), matrix.clone());
            if let Some(bias) = bias {
                projected = projected + bias.val().unsqueeze();
            }
            projected.reshape([batch, time, heads, matrix.dims()[1] / heads])
        };
        let biases = self.biases.as_ref();
        let q = split(&weights.query, biases.map(|biases| &biases.query), weights.heads);
        let k = split(&weights.key, biases.map(|biases| &biases.key), weights.kv_heads);
        let v = split(&weights.value, biases.map(|biases| &biases.value), weights.kv_heads);
        [kernels::rotate(q, rotary, past), kernels::rotate(k, rotary, past), v]
    }

    pub(super) fn attention(&self) -> AttentionWeights {
        AttentionWeights {
            norm: self.input_norm.val(),
            query: self.query.val(),
            key: self.key.val(),
            value: self.value.val(),
            output: self.output.val(),
            heads: self.heads,
            kv_heads: self.kv_heads,
            norm_eps: self.norm_eps,
        }
    }
}

/// Adds what the heads have mixed to the residual stream.
fn merge(x: Tensor<3>, mixed: Tensor<4>, output: Tensor<2>) -> Tensor<3> {
    let [batch, time, heads, head_dim] = mixed.dims();
    x + kernels::linear(mixed.reshape([batch, time, heads * head_dim]), output)
}
