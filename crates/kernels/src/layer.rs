//! The two blocks of a decoder's layer: shapes checked, results wrapped, and what
//! their backward passes keep.

use crate::Keep;
use crate::host::{HostTensor, dims, floats, tensor};
use crate::kernel::{attention, feed_forward, projection, self_attention};

/// An attention block. All tensors are contiguous.
#[derive(Clone, Debug)]
pub(crate) struct Attention<T> {
    /// Norm, queries, keys, values, output.
    pub(crate) weights: [T; 5],
    /// Cosines and sines `[time, half]`.
    pub(crate) angles: [T; 2],
    /// Query heads, key heads.
    pub(crate) heads: [usize; 2],
    pub(crate) eps: f64,
}

/// What the backward pass of [`Attention`] needs.
#[derive(Clone, Debug)]
pub(crate) struct AttentionState<T> {
    block: Attention<T>,
    x: T,
    /// Inverse root mean squares, heads, mixed values, log-sum-exp; `None` to compute them again.
    kept: Option<[Vec<f32>; 4]>,
}

impl<T: HostTensor> Attention<T> {
    fn shape(&self, x: &T) -> attention::Shape {
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

    pub(crate) fn forward(self, x: T) -> (T, AttentionState<T>) {
        let (out, kept) = self.run(&x);
        let kept = Keep::activations().then_some(kept);
        (tensor(out, x.shape()), AttentionState { block: self, x, kept })
    }

    fn run(&self, x: &T) -> (Vec<f32>, [Vec<f32>; 4]) {
        let (weights, angles) = self.parts();
        let result = self_attention::forward(floats(x), weights, angles, self.shape(x));
        (result.out, [result.inverse, result.heads, result.mixed, result.lse])
    }
}

impl<T: HostTensor> AttentionState<T> {
    /// The gradients of `x` and of the weights in their order.
    pub(crate) fn backward(self, gradient: &T) -> [T; 6] {
        let shape = self.block.shape(&self.x);
        let (weights, angles) = self.block.parts();
        let kept = self.kept.unwrap_or_else(|| self.block.run(&self.x).1);
        let [inverse, heads, mixed, lse] = kept.each_ref().map(Vec::as_slice);
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
pub(crate) struct FeedForward<T> {
    /// Norm, gate, up, down.
    pub(crate) weights: [T; 4],
    pub(crate) eps: f64,
}

/// What the backward pass of [`FeedForward`] needs.
#[derive(Clone, Debug)]
pub(crate) struct FeedForwardState<T> {
    block: FeedForward<T>,
    x: T,
    /// Inverse root mean squares, and the two products that are gated; `None` to compute them again.
    kept: Option<[Vec<f32>; 3]>,
}

impl<T: HostTensor> FeedForward<T> {
    fn check(&self, x: &T) {
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
    pub(crate) fn forward(self, x: T, keep: bool) -> (T, Option<FeedForwardState<T>>) {
        self.check(&x);
        let (out, kept) = self.run(&x, keep && Keep::activations());
        let out = tensor(out, x.shape());
        (out, keep.then(|| FeedForwardState { block: self, x, kept }))
    }

    fn run(&self, x: &T, keep: bool) -> (Vec<f32>, Option<[Vec<f32>; 3]>) {
        let result = feed_forward::forward(floats(x), self.parts(), keep);
        (result.out, result.saved.map(|saved| [saved.inverse, saved.gate, saved.up]))
    }
}

impl<T: HostTensor> FeedForwardState<T> {
    /// The gradients of `x` and of the weights in their order.
    pub(crate) fn backward(self, gradient: &T) -> [T; 5] {
        let kept = self.kept.or_else(|| self.block.run(&self.x, true).1);
        let kept = kept.expect("a forward pass that was told to keep");
        let saved = kept.each_ref().map(Vec::as_slice);
        let (x, weights) = (floats(&self.x), self.block.parts());
        let result = feed_forward::backward(floats(gradient), x, saved, weights);
        let [norm, gate, up, down] = &self.block.weights;
        let values = [result.x, result.norm, result.gate, result.up, result.down];
        shaped(values, [&self.x, norm, gate, up, down])
    }
}

/// Tensors around values, in the shapes of others.
pub(crate) fn shaped<T: HostTensor, const N: usize>(
    values: [Vec<f32>; N],
    like: [&T; N],
) -> [T; N] {
    let mut like = like.into_iter();
    values.map(|values| {
        let like = like.next().expect("as many shapes as values");
        tensor(values, like.shape())
    })
}
