//! Forward passes with layers left out, which share what they have in common.

use ablate_kernels as kernels;
use burn::tensor::{Int, Tensor};

use crate::Decoder;

impl Decoder {
    /// The residual stream before every layer and after the last one, `depth + 1` times
    /// `[batch, time, width]`, from `tokens` of `[batch, time]`.
    ///
    /// # Panics
    /// As [`Decoder::hidden`].
    pub fn streams(&self, tokens: Tensor<2, Int>) -> Vec<Tensor<3>> {
        let mut streams = vec![self.embed(tokens)];
        for layer in self.layers() {
            let stream = streams[streams.len() - 1].clone();
            streams.push(layer.forward(stream, self.rotary(), None));
        }
        streams
    }

    /// What [`Decoder::hidden`] gives where the layers from `layer` on go on from this residual
    /// stream (`[batch, time, width]`): with one of [`Decoder::streams`] before it, the layers in
    /// between are left out.
    ///
    /// # Panics
    /// If `layer` exceeds the depth.
    pub fn hidden_from(&self, mut stream: Tensor<3>, layer: usize) -> Tensor<3> {
        for layer in &self.layers()[layer..] {
            stream = layer.forward(stream, self.rotary(), None);
        }
        self.last_norm(stream)
    }

    /// The loss in nats of every target `[batch, time]` after this final hidden state
    /// (`[batch, time, width]`).
    ///
    /// # Panics
    /// If the shapes differ.
    pub fn losses_after(&self, hidden: Tensor<3>, targets: Tensor<2, Int>) -> Tensor<2> {
        let [batch, time] = targets.dims();
        let hidden = hidden.reshape([batch * time, self.config().shape.width]);
        let logits = self.head_of(hidden);
        kernels::token_losses(logits, targets.reshape([batch * time])).reshape([batch, time])
    }
}
