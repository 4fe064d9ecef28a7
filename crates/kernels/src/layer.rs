//! The two blocks of a decoder's layer on flex tensors: shapes checked, results wrapped, and what
//! their backward passes keep.

use burn::backend::flex::FlexTensor;

use crate::flex::{dims, floats, tensor};
use crate::kernel::{attention, feed_forward, projection, self_attention};

/// An attention block. All tensors are contiguous.
#[derive(Clone, Debug)]
pub(crate) struct Attention {
    /// Norm, queries, keys, values, output.
    pub(crate) weights: [FlexTensor; 5],
    /// Cosines and sines `[time, half]`.
    pub(crate) angles: [FlexTensor; 2],
    /// Query heads, key heads.
    pub(crate) heads: [usize; 2],
    pub(crate) eps: f64,
}

/// What the backward pass of [`Attention`] needs.
#[derive(Clone, Debug)]
pub(crate) struct AttentionState {
    block: Attention,
    x: FlexTensor,
    /// Inverse root mean squares, heads, mixed values, log-sum-exp.
    kept: [FlexTensor; 4],
}

impl Attention {
    fn shape(&self, x: &FlexTensor) -> attention::Shape {
        let [batch, time, d] = dims(x, "x of self_attention");
        let [heads, kv_heads] = self.heads;
        let [norm, query, key, value, output] = &self.weights;
        assert!(
            kv_heads > 0 && heads.is_multiple_of(kv_heads),
            "{heads} query heads cannot share {kv_heads} key heads evenly"
        );
        let [_, q_width] = dims(query, "the queries' weight");
        let width = q_width / heads;
        let [k_width, half] = [kv_heads * width, width / 2];
        assert_eq!(dims(norm, "the norm's weight"), [d], "self_attention: x is [.., {d}]");
        assert_eq!(dims(query, "the queries' weight"), [d, heads * width]);
        assert_eq!(dims(key, "the keys' weight"), [d, k_width]);
        assert_eq!(dims(value, "the values' weight"), [d, k_width]);
        assert_eq!(dims(output, "the output's weight"), [q_width, d]);
        for angles in &self.angles {
            assert_eq!(dims(angles, "the table of self_attention"), [time, half]);
        }
        attention::Shape { batch, time, past: 0, heads, kv_heads, width }
    }

    fn parts(&self) -> (self_attention::Weights<'_>, projection::Angles<'_>) {
        let [norm, query, key, value, output] = self.weights.each_ref().map(floats);
        let inputs = projection::Weights { norm, matrices: [query, key, value], eps: self.eps };
        let [cos, sin] = self.angles.each_ref().map(floats);
        let [_, half] = dims(&self.angles[0], "the table of self_attention");
        (self_attention::Weights { inputs, output }, projection::Angles { cos, sin, half })
    }

    pub(crate) fn forward(self, x: FlexTensor) -> (FlexTensor, AttentionState) {
        let shape = self.shape(&x);
        let (weights, angles) = self.parts();
        let result = self_attention::forward(floats(&x), weights, angles, shape);
        let out = tensor(result.out, x.layout().shape().clone());
        let kept = [result.inverse, result.heads, result.mixed, result.lse].map(flat);
        (out, AttentionState { block: self, x, kept })
    }
}

impl AttentionState {
    /// The gradients of `x` and of the weights in their order.
    pub(crate) fn backward(self, gradient: &FlexTensor) -> [FlexTensor; 6] {
        let shape = self.block.shape(&self.x);
        let (weights, angles) = self.block.parts();
        let [inverse, heads, mixed, lse] = self.kept.each_ref().map(floats);
        let saved = self_attention::Saved { x: floats(&self.x), inverse, heads, mixed, lse };
        let result = self_attention::backward(floats(gradient), saved, weights, angles, shape);
        let [query, key, value] = result.inputs.matrices;
        let values = [result.inputs.x, result.inputs.norm, query, key, value, result.output];
        let [norm, query, key, value, output] = &self.block.weights;
        shaped(values, [&self.x, norm, query, key, value, output])
    }
}

/// A feed-forward block. All tensors are contiguous.
#[derive(Clone, Debug)]
pub(crate) struct FeedForward {
    /// Norm, gate, up, down.
    pub(crate) weights: [FlexTensor; 4],
    pub(crate) eps: f64,
}

/// What the backward pass of [`FeedForward`] needs.
#[derive(Clone, Debug)]
pub(crate) struct FeedForwardState {
    block: FeedForward,
    x: FlexTensor,
    /// Inverse root mean squares, and the two products that are gated.
    kept: [FlexTensor; 3],
}

impl FeedForward {
    fn check(&self, x: &FlexTensor) {
        let [_, _, d] = dims(x, "x of feed_forward");
        let [norm, gate, up, down] = &self.weights;
        let [_, ffn] = dims(gate, "the gate's weight");
        assert_eq!(dims(norm, "the norm's weight"), [d], "feed_forward: x is [.., {d}]");
        assert_eq!(dims(gate, "the gate's weight"), [d, ffn]);
        assert_eq!(dims(up, "the up projection"), [d, ffn]);
        assert_eq!(dims(down, "the down projection"), [ffn, d]);
    }

    fn parts(&self) -> feed_forward::Weights<'_> {
        let [norm, gate, up, down] = self.weights.each_ref().map(floats);
        feed_forward::Weights { norm, gate, up, down, eps: self.eps }
    }

    /// The result, and the state of a backward pass if one may follow.
    pub(crate) fn forward(
        self,
        x: FlexTensor,
        keep: bool,
    ) -> (FlexTensor, Option<FeedForwardState>) {
        self.check(&x);
        let result = feed_forward::forward(floats(&x), self.parts(), keep);
        let out = tensor(result.out, x.layout().shape().clone());
        let state = result.saved.map(|saved| {
            let kept = [saved.inverse, saved.gate, saved.up].map(flat);
            FeedForwardState { block: self, x, kept }
        });
        (out, state)
    }
}

impl FeedForwardState {
    /// The gradients of `x` and of the weights in their order.
    pub(crate) fn backward(self, gradient: &FlexTensor) -> [FlexTensor; 5] {
        let saved = self.kept.each_ref().map(floats);
        let (x, weights) = (floats(&self.x), self.block.parts());
        let result = feed_forward::backward(floats(gradient), x, saved, weights);
        let [norm, gate, up, down] = &self.block.weights;
        let values = [result.x, result.norm, result.gate, result.up, result.down];
        shaped(values, [&self.x, norm, gate, up, down])
    }
}

fn flat(values: Vec<f32>) -> FlexTensor {
    let length = values.len();
    tensor(values, [length])
}

/// Tensors around values, in the shapes of others.
fn shaped<const N: usize>(values: [Vec<f32>; N], like: [&FlexTensor; N]) -> [FlexTensor; N] {
    let mut like = like.into_iter();
    values.map(|values| {
        let like = like.next().expect("as many shapes as values");
        tensor(values, like.layout().shape().clone())
    })
}
