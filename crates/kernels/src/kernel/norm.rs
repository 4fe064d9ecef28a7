//! RMSNorm: `y = x r w` with `r = 1 / sqrt(mean(x^2) + eps)` for each row. Saved for the backward
//! pass: `r`.

use std::mem::MaybeUninit;

use crate::buffer::{filled, filled2, for_chunks, for_chunks2};
use crate::simd::{mul_add, reduce2, vectorised};

/// Rows of a chunk; the weight's gradient is summed chunk by chunk.
const ROWS: usize = 64;

/// `x` `[rows, d]` to the normalised `[rows, d]` and the inverse root mean squares `[rows]`.
pub(crate) fn forward(x: &[f32], weight: &[f32], eps: f64) -> [Vec<f32>; 2] {
    let d = weight.len();
    let rows = x.len() / d;
    // SAFETY: `forward_rows` writes every element of the chunks, which cover both outputs.
    unsafe {
        filled2([x.len(), rows], |out, inverse| {
            for_chunks2((out, ROWS * d), (inverse, ROWS), |chunk, out, inverse| {
                let from = chunk * ROWS * d;
                forward_rows(out, inverse, &x[from..from + out.len()], weight, eps as f32);
            });
        })
    }
}

vectorised! {
    pub(crate) fn forward_rows(
        out: &mut [MaybeUninit<f32>],
        inverse: &mut [MaybeUninit<f32>],
        x: &[f32],
        weight: &[f32],
        eps: f32,
    ) {
        let d = weight.len();
        for ((out, x), inverse) in out.chunks_exact_mut(d).zip(x.chunks_exact(d)).zip(inverse) {
            let squares = reduce2(x, x, mul_add::<FMA>);
            let scale = 1.0 / (squares / d as f32 + eps).sqrt();
            inverse.write(scale);
            for ((out, x), weight) in out.iter_mut().zip(x).zip(weight) {
                out.write(x * scale * weight);
            }
        }
    }
}

/// The gradients of `x` `[rows, d]` and of the weight `[d]`, from the output's gradient:
/// `dx = r (g w - x r^2 mean(g w x))`, `dw = sum over rows of g x r`.
pub(crate) fn backward(
    gradient: &[f32],
    x: &[f32],
    weight: &[f32],
    inverse: &[f32],
) -> [Vec<f32>; 2] {
    let d = weight.len();
    let chunks = inverse.len().div_ceil(ROWS);
    let mut partial = vec![0.0f32; chunks * d];
    // SAFETY: `backward_rows` writes every element of the chunks, which cover the output.
    let dx = unsafe {
        filled(x.len(), |out| {
            for_chunks2((out, ROWS * d), (&mut partial, d), |chunk, out, partial| {
                let rows = chunk * ROWS..inverse.len().min((chunk + 1) * ROWS);
                let cells = rows.start * d..rows.end * d;
                let (gradient, x) = (&gradient[cells.clone()], &x[cells]);
                backward_rows(out, partial, gradient, x, weight, &inverse[rows]);
            });
        })
    };
    [dx, sum_rows(&partial, d)]
}

vectorised! {
    fn backward_rows(
        out: &mut [MaybeUninit<f32>],
        partial: &mut [f32],
        gradient: &[f32],
        x: &[f32],
        weight: &[f32],
        inverse: &[f32],
    ) {
        let d = weight.len();
        let mut weighted = vec![0.0f32; d];
        for (row, &scale) in inverse.iter().enumerate() {
            // Equal lengths in plain sight, or the loops below keep their bounds checks.
            let (gradient, x) = (&gradient[row * d..][..d], &x[row * d..][..d]);
            let (out, partial) = (&mut out[row * d..][..d], &mut partial[..d]);
            for i in 0..d {
                weighted[i] = gradient[i] * weight[i];
            }
            let dot = reduce2(&weighted, x, mul_add::<FMA>);
            let pull = dot * scale * scale * scale / d as f32;
            for i in 0..d {
                out[i].write(mul_add::<FMA>(weighted[i], scale, -(x[i] * pull)));
                partial[i] = mul_add::<FMA>(gradient[i] * scale, x[i], partial[i]);
            }
        }
    }
}

vectorised! {
    /// The same for a block on the residual stream: of `[residual, gradient, x]`, `residual` is the
    /// gradient that passes by the block, added to that of `x`; the normed rows are written again.
    pub(crate) fn residual_backward_rows(
        out: &mut [MaybeUninit<f32>],
        partial: &mut [f32],
        inputs: [&[f32]; 3],
        weight: &[f32],
        inverse: &[f32],
        normed: &mut [MaybeUninit<f32>],
    ) {
        let d = weight.len();
        let mut weighted = vec![0.0f32; d];
        for (row, &scale) in inverse.iter().enumerate() {
            // Equal lengths in plain sight, or the loops below keep their bounds checks.
            let [residual, gradient, x] = inputs.map(|input| &input[row * d..][..d]);
            let (out, normed) = (&mut out[row * d..][..d], &mut normed[row * d..][..d]);
            let partial = &mut partial[..d];
            for i in 0..d {
                weighted[i] = gradient[i] * weight[i];
            }
            let dot = reduce2(&weighted, x, mul_add::<FMA>);
            let pull = dot * scale * scale * scale / d as f32;
            for i in 0..d {
                let dx = mul_add::<FMA>(weighted[i], scale, -(x[i] * pull));
                out[i].write(residual[i] + dx);
                partial[i] = mul_add::<FMA>(gradient[i] * scale, x[i], partial[i]);
                normed[i].write(x[i] * scale * weight[i]);
            }
        }
    }
}

/// The sum of the rows of `[rows, d]`, first to last.
pub(crate) fn sum_rows(rows: &[f32], d: usize) -> Vec<f32> {
    let mut total = vec![0.0f32; d];
    for_chunks(&mut total, d, |_, total| {
        for row in rows.chunks_exact(d) {
            for (total, value) in total.iter_mut().zip(row) {
                *total += value;
            }
        }
    });
    total
}
