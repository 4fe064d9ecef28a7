//! An attention block on the residual stream: `y = x + attention(n Q, n K, n V) O` with
//! `n = rms_norm(x)`, queries and keys turned to their positions.

use std::mem::MaybeUninit;

use crate::buffer::{Shared, filled};
use crate::kernel::attention::{self, Heads, Place, Shape};
use crate::kernel::projection::{self, Angles};
use crate::kernel::residual;

/// The weights: `norm` `[d]`, queries, keys and values `[d, its width]`, `output` `[q, d]`.
#[derive(Clone, Copy)]
pub(crate) struct Weights<'a> {
    pub(crate) inputs: projection::Weights<'a>,
    pub(crate) output: &'a [f32],
}

/// The result `[rows, d]`, and what the backward pass needs of it besides `x`.
pub(crate) struct Forward {
    pub(crate) out: Vec<f32>,
    /// Inverse root mean squares `[rows]`.
    pub(crate) inverse: Vec<f32>,
    /// Queries, keys and values, as [`projection::forward`] lays them out.
    pub(crate) heads: Vec<f32>,
    /// The mixed values `[rows, q]`.
    pub(crate) mixed: Vec<f32>,
    /// Log-sum-exp of every query `[batch, heads, time]`.
    pub(crate) lse: Vec<f32>,
}

/// Widths of queries, and of keys or values.
fn widths(shape: &Shape) -> [usize; 2] {
    [shape.heads * shape.width, shape.kv_heads * shape.width]
}

/// Queries, keys and values side by side in one tensor.
fn split<'a>(data: &'a [f32], shape: &Shape) -> [Heads<'a>; 3] {
    let [q, k] = widths(shape);
    let stride = projection::stride([q, k, k]);
    [0, q, q + k].map(|offset| Heads { data, rows: shape.time, stride, offset })
}

/// Forward pass of `x` `[batch * time, d]`.
pub(crate) fn forward(
    x: &[f32],
    weights: Weights<'_>,
    angles: Angles<'_>,
    shape: Shape,
) -> Forward {
    let [heads, inverse] = projection::forward(x, weights.inputs, angles);
    let [q, k, v] = split(&heads, &shape);
    let [mixed, lse] = attention::forward(q, k, v, shape);
    let rows = shape.batch * shape.time;
    let size = [rows, widths(&shape)[0], x.len() / rows];
    let out = residual::forward(x, &mixed, weights.output, size);
    Forward { out, inverse, heads, mixed, lse }
}

/// What a forward pass had and left.
#[derive(Clone, Copy)]
pub(crate) struct Saved<'a> {
    pub(crate) x: &'a [f32],
    pub(crate) inverse: &'a [f32],
    pub(crate) heads: &'a [f32],
    pub(crate) mixed: &'a [f32],
    pub(crate) lse: &'a [f32],
}

/// The gradients of `x` `[rows, d]` and of the weights.
pub(crate) struct Backward {
    pub(crate) inputs: projection::Backward,
    pub(crate) output: Vec<f32>,
}

/// Backward pass from the gradient of the result `[rows, d]`.
pub(crate) fn backward(
    gradient: &[f32],
    saved: Saved<'_>,
    weights: Weights<'_>,
    angles: Angles<'_>,
    shape: Shape,
) -> Backward {
    let rows = shape.batch * shape.time;
    let [q_width, k_width] = widths(&shape);
    let size = [rows, q_width, saved.x.len() / rows];
    let back = residual::backward(gradient, saved.mixed, weights.output, size);
    let d_mixed = Heads { data: &back.x, rows: shape.time, stride: back.stride, offset: 0 };
    let [q, k, v] = split(saved.heads, &shape);
    // SAFETY: the gradients of all heads, and the zeros between rows, cover all of it.
    let mut d_heads = unsafe {
        filled(saved.heads.len(), |out| {
            for row in out.chunks_exact_mut(q.stride) {
                row[q_width + 2 * k_width..].fill(MaybeUninit::new(0.0));
            }
            let data = Shared::new(out);
            let places =
                [q, k, v].map(|Heads { stride, offset, .. }| Place { data, stride, offset });
            let saved = attention::Saved { q, k, v, lse: saved.lse };
            attention::backward(d_mixed, saved, shape, places);
        })
    };
    let inputs = projection::backward(
        &mut d_heads,
        gradient,
        (saved.x, saved.inverse),
        weights.inputs,
        angles,
    );
    Backward { inputs, output: back.weight }
}
