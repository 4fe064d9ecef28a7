//! A layer of LLaMA's: attention, then a gated feed-forward block, a norm before each.

use ablate_kernels as kernels;
use ablate_kernels::{FeedForwardWeights, RotaryTable};
use burn::module::{Module, Param};
use burn::tensor::Tensor;

use super::{Biases, Source, Walk};
use crate::generate::LayerCache;
use crate::pi::{self, Activation, Shortcut};
use crate::{ModelConfig, ModelError, Part, Place};

/// One layer: attention and a feed-forward block, each added to the residual stream.
#[derive(Module, Debug)]
pub struct LlamaLayer {
    pub(super) input_norm: Param<Tensor<1>>,
    pub(super) query: Param<Tensor<2>>,
    pub(super) key: Param<Tensor<2>>,
    pub(super) value: Param<Tensor<2>>,
    pub(super) biases: Option<Biases>,
    pub(super) output: Param<Tensor<2>>,
    pub(super) shortcut: Option<Shortcut>,
    pub(super) post_norm: Param<Tensor<1>>,
    pub(super) gate: Param<Tensor<2>>,
    pub(super) up: Param<Tensor<2>>,
    /// Empty where the gate has a single plain activation.
    pub(super) series: Vec<Activation>,
    pub(super) down: Param<Tensor<2>>,
    #[module(skip)]
    pub(super) heads: usize,
    #[module(skip)]
    pub(super) kv_heads: usize,
    #[module(skip)]
    pub(super) norm_eps: f64,
}

impl LlamaLayer {
    /// The layer with this index.
    pub(super) fn read(index: usize, source: &Source<'_>) -> Result<Self, ModelError> {
        let ModelConfig { shape, norm_eps, .. } = source.config;
        let at = |part| Place::Layer(index, part);
        let matrix = |part| source.matrix(at(part));
        let vector = |part| source.vector(at(part));
        let shortcut = || {
            Ok::<_, ModelError>(Shortcut {
                down: matrix(Part::ShortcutDown)?,
                up: matrix(Part::ShortcutUp)?,
            })
        };
        let activation = |n: usize| {
            Ok::<_, ModelError>(Activation {
                scale: vector(Part::SeriesScale(n))?,
                bias: vector(Part::SeriesBias(n))?,
            })
        };
        Ok(Self {
            input_norm: vector(Part::InputNorm)?,
            query: matrix(Part::Query)?,
            key: matrix(Part::Key)?,
            value: matrix(Part::Value)?,
            biases: shape.attention.bias.then(|| Biases::read(index, source)).transpose()?,
            output: matrix(Part::Output)?,
            shortcut: (shape.pi.shortcut > 0).then(shortcut).transpose()?,
            post_norm: vector(Part::PostNorm)?,
            gate: matrix(Part::Gate)?,
            up: matrix(Part::Up)?,
            series: (0..shape.pi.series()).map(activation).collect::<Result<_, _>>()?,
            down: matrix(Part::Down)?,
            heads: shape.heads,
            kv_heads: shape.kv_heads,
            norm_eps: *norm_eps,
        })
    }

    /// The residual stream after this layer, from the one before it: `[batch, time, width]`.
    pub(super) fn forward(
        &self,
        x: Tensor<3>,
        rotary: &RotaryTable,
        cache: Option<&mut LayerCache>,
    ) -> Tensor<3> {
        let beside = self.shortcut.as_ref().map(|shortcut| {
            let normed = kernels::rms_norm(x.clone(), self.input_norm.val(), self.norm_eps);
            shortcut.forward(normed)
        });
        let x = match cache {
            None => self.attend(x, self.attention(), rotary),
            Some(cache) => self.attend_to_cache(x, rotary, cache),
        };
        let x = match beside {
            Some(beside) => x + beside,
            None => x,
        };
        if self.series.is_empty() {
            return kernels::feed_forward(x, self.feed_forward());
        }
        let normed = kernels::rms_norm(x.clone(), self.post_norm.val(), self.norm_eps);
        let gate = kernels::linear(normed.clone(), self.gate.val());
        let gated = pi::series(&self.series, gate, kernels::linear(normed, self.up.val()));
        x + kernels::linear(gated, self.down.val())
    }

    pub(super) fn feed_forward(&self) -> FeedForwardWeights {
        FeedForwardWeights {
            norm: self.post_norm.val(),
            gate: self.gate.val(),
            up: self.up.val(),
            down: self.down.val(),
            norm_eps: self.norm_eps,
        }
    }

    pub(super) fn walk(self, index: usize, walk: &mut impl Walk) -> Self {
        let at = |part| Place::Layer(index, part);
        Self {
            input_norm: walk.vector(at(Part::InputNorm), self.input_norm),
            query: walk.matrix(at(Part::Query), self.query),
            key: walk.matrix(at(Part::Key), self.key),
            value: walk.matrix(at(Part::Value), self.value),
            biases: self.biases.map(|biases| biases.walk(index, walk)),
            output: walk.matrix(at(Part::Output), self.output),
            shortcut: self.shortcut.map(|shortcut| Shortcut {
                down: walk.matrix(at(Part::ShortcutDown), shortcut.down),
                up: walk.matrix(at(Part::ShortcutUp), shortcut.up),
            }),
            post_norm: walk.vector(at(Part::PostNorm), self.post_norm),
            gate: walk.matrix(at(Part::Gate), self.gate),
            up: walk.matrix(at(Part::Up), self.up),
            series: (0..)
                .zip(self.series)
                .map(|(n, activation)| Activation {
                    scale: walk.vector(at(Part::SeriesScale(n)), activation.scale),
                    bias: walk.vector(at(Part::SeriesBias(n)), activation.bias),
                })
                .collect(),
            down: walk.matrix(at(Part::Down), self.down),
            ..self
        }
    }
}
