//! A product with a weight matrix. Saved for the backward pass: both factors.

use crate::buffer::filled;
use crate::gemm::{Mode, Strided, Target, Threads, product};

/// `x` `[n, d_in]` times `weight` `[d_in, d_out]`: `[n, d_out]`.
pub(crate) fn forward(x: &[f32], weight: &[f32], [n, d_in, d_out]: [usize; 3]) -> Vec<f32> {
    multiply([n, d_in, d_out], Strided::rows(x, d_in), Strided::rows(weight, d_out))
}

/// The gradient of `x`: `gradient` `[n, d_out]` times the weight's transpose.
pub(crate) fn backward_x(
    gradient: &[f32],
    weight: &[f32],
    [n, d_in, d_out]: [usize; 3],
) -> Vec<f32> {
    let weight = Strided::rows(weight, d_out).transposed();
    multiply([n, d_out, d_in], Strided::rows(gradient, d_out), weight)
}

/// The gradient of the weight: the transpose of `x` times `gradient`.
pub(crate) fn backward_weight(
    gradient: &[f32],
    x: &[f32],
    [n, d_in, d_out]: [usize; 3],
) -> Vec<f32> {
    let x = Strided::rows(x, d_in).transposed();
    multiply([d_in, n, d_out], x, Strided::rows(gradient, d_out))
}

fn multiply([m, k, n]: [usize; 3], left: Strided, right: Strided) -> Vec<f32> {
    if k == 0 {
        return vec![0.0; m * n];
    }
    // SAFETY: the product writes all of `[m, n]`, and the callers' shapes fit their slices.
    unsafe {
        filled(m * n, |out| {
            let out = Target::rows(out, n);
            product([m, k, n], left, right, 1.0, out, Mode::Fresh, Threads::All);
        })
    }
}
