//! A layer of Phi's (Gunasekar et al. 2023, arXiv:2306.11644; Li et al. 2023, arXiv:2309.05463): attention and
//! a plain feed-forward block side by side after one LayerNorm, with biases. Plain operations: such
//! models are scored beside others, not trained.

use ablate_kernels as kernels;
use ablate_kernels::RotaryTable;
use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::tensor::activation::gelu_approximate;

use super::{Biases, Source, Walk};
use crate::generate::LayerCache;
use crate::{ModelConfig, ModelError, Part, Place};

/// `x + attention(norm(x)) + feed_forward(norm(x))`.
#[derive(Module, Debug)]
pub struct PhiLayer {
    norm: Param<Tensor<1>>,
    norm_bias: Param<Tensor<1>>,
    query: Param<Tensor<2>>,
    key: Param<Tensor<2>>,
    value: Param<Tensor<2>>,
    biases: Biases,
    output: Param<Tensor<2>>,
    output_bias: Param<Tensor<1>>,
    up: Param<Tensor<2>>,
    up_bias: Param<Tensor<1>>,
    down: Param<Tensor<2>>,
    down_bias: Param<Tensor<1>>,
    #[module(skip)]
    heads: usize,
    #[module(skip)]
    kv_heads: usize,
    #[module(skip)]
    norm_eps: f64,
}

impl PhiLayer {
    /// The layer with this index.
    pub(super) fn read(index: usize, source: &Source<'_>) -> Result<Self, ModelError> {
        let ModelConfig { shape, norm_eps, .. } = source.config;
        let matrix = |part| source.matrix(Place::Layer(index, part));
        let vector = |part| source.vector(Place::Layer(index, part));
        Ok(Self {
            norm: vector(Part::InputNorm)?,
            norm_bias: vector(Part::InputNormBias)?,
            query: matrix(Part::Query)?,
            key: matrix(Part::Key)?,
            value: matrix(Part::Value)?,
            biases: Biases::read(index, source)?,
            output: matrix(Part::Output)?,
            output_bias: vector(Part::OutputBias)?,
            up: matrix(Part::Up)?,
            up_bias: vector(Part::UpBias)?,
            down: matrix(Part::Down)?,
            down_bias: vector(Part::DownBias)?,
            heads: shape.heads,
            kv_heads: shape.kv_heads,
            norm_eps: *norm_eps,
        })
    }

    pub(super) fn forward(
        &self,
        x: Tensor<3>,
        rotary: &RotaryTable,
        cache: Option<&mut LayerCache>,
    ) -> Tensor<3> {
        let [batch, time, _] = x.dims();
        let normed = layer_norm(x.clone(), &self.norm, &self.norm_bias, self.norm_eps);
        let split = |matrix: &Param<Tensor<2>>, bias: &Param<Tensor<1>>, heads: usize| {
            let projected = affine(normed.clone(), matrix, bias);
            let [_, _, width] = projected.dims();
            projected.reshape([batch, time, heads, width / heads])
        };
        let past = cache.as_ref().map_or(0, |cache| cache.length());
        let q = kernels::rotate(split(&self.query, &self.biases.query, self.heads), rotary, past);
        let k = kernels::rotate(split(&self.key, &self.biases.key, self.kv_heads), rotary, past);
        let v = split(&self.value, &self.biases.value, self.kv_heads);
        let mixed = match cache {
            None => kernels::causal_attention(q, k, v),
            Some(cache) => {
                let (keys, values) = cache.append(k, v);
                kernels::cached_attention(q, keys, values, past)
            }
        };
        let [_, _, heads, head_dim] = mixed.dims();
        let mixed = mixed.reshape([batch, time, heads * head_dim]);
        let inner = gelu_approximate(affine(normed, &self.up, &self.up_bias));
        x + affine(mixed, &self.output, &self.output_bias)
            + affine(inner, &self.down, &self.down_bias)
    }

    pub(super) fn walk(self, index: usize, walk: &mut impl Walk) -> Self {
        let at = |part| Place::Layer(index, part);
        Self {
            norm: walk.vector(at(Part::InputNorm), self.norm),
            norm_bias: walk.vector(at(Part::InputNormBias), self.norm_bias),
            query: walk.matrix(at(Part::Query), self.query),
            key: walk.matrix(at(Part::Key), self.key),
            value: walk.matrix(at(Part::Value), self.value),
            biases: self.biases.walk(index, walk),
            output: walk.matrix(at(Part::Output), self.output),
            output_bias: walk.vector(at(Part::OutputBias), self.output_bias),
            up: walk.matrix(at(Part::Up), self.up),
            up_bias: walk.vector(at(Part::UpBias), self.up_bias),
            down: walk.matrix(at(Part::Down), self.down),
            down_bias: walk.vector(at(Part::DownBias), self.down_bias),
            ..self
        }
    }
}

/// LayerNorm (Ba et al. 2016, arXiv:1607.06450): an RMSNorm of what is left without the mean, and a bias.
pub(super) fn layer_norm(
    x: Tensor<3>,
    scale: &Param<Tensor<1>>,
    bias: &Param<Tensor<1>>,
    eps: f64,
) -> Tensor<3> {
    let centred = x.clone() - x.mean_dim(2);
    kernels::rms_norm(centred, scale.val(), eps) + bias.val().unsqueeze()
}

fn affine(x: Tensor<3>, matrix: &Param<Tensor<2>>, bias: &Param<Tensor<1>>) -> Tensor<3> {
    kernels::linear(x, matrix.val()) + bias.val().unsqueeze()
}
