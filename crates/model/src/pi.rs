//! What PanGu-π adds to a layer (Wang et al. 2023, arXiv:2312.17276).

use ablate_kernels as kernels;
use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::tensor::activation::gelu;

/// An augmented shortcut beside attention: `gelu(n A) B` with a bottleneck between the two, of the
/// normed residual stream `n` that attention reads. Attention's output, the shortcut's and the
/// stream itself are added (section 3.2 there; one shortcut, as its authors' models have).
#[derive(Module, Debug)]
pub struct Shortcut {
    /// `[width, channels]`
    pub(crate) down: Param<Tensor<2>>,
    /// `[channels, width]`
    pub(crate) up: Param<Tensor<2>>,
}

impl Shortcut {
    /// Of `[batch, time, width]`.
    pub(crate) fn forward(&self, normed: Tensor<3>) -> Tensor<3> {
        self.through(normed, self.up.val())
    }

    /// With this matrix out of the bottleneck.
    pub(crate) fn through(&self, normed: Tensor<3>, up: Tensor<2>) -> Tensor<3> {
        kernels::linear(gelu(kernels::linear(normed, self.down.val())), up)
    }
}

/// One of the activations that a gate sums: `silu(scale x + bias)`, channel by channel.
#[derive(Module, Debug)]
pub struct Activation {
    /// `[ffn]`
    pub(crate) scale: Param<Tensor<1>>,
    /// `[ffn]`
    pub(crate) bias: Param<Tensor<1>>,
}

/// The gated product of a series of activations: see [`kernels::siaf`].
pub(crate) fn series(series: &[Activation], gate: Tensor<3>, up: Tensor<3>) -> Tensor<3> {
    let stack = |of: fn(&Activation) -> &Param<Tensor<1>>| {
        Tensor::stack::<2>(series.iter().map(|term| of(term).val()).collect(), 0)
    };
    kernels::siaf(gate, up, stack(|term| &term.scale), stack(|term| &term.bias))
}
