//! A product with a weight matrix, added to the residual stream: `y = r + x W`. Saved for the
//! backward pass: `x`.

use std::mem::MaybeUninit;

use crate::buffer::{Shared, filled};
use crate::gemm::{Left, Mode, Right, Strided, Target, Threads, apart, product};
use crate::kernel::rows::{cells, chunk, for_chunks_of};

/// `residual` `[rows, d_out]` plus `x` `[rows, d_in]` times `weight` `[d_in, d_out]`.
pub(crate) fn forward(
    residual: &[f32],
    x: &[f32],
    weight: &[f32],
    [rows, d_in, d_out]: [usize; 3],
) -> Vec<f32> {
    let view = Strided::rows(weight, d_out);
    multiply([rows, d_in, d_out], x, (view, Some(residual)), d_out)
}

/// The gradient of `x`, with zeros between rows that lie `stride` numbers apart, and that of the weight.
pub(crate) struct Backward {
    pub(crate) x: Vec<f32>,
    pub(crate) stride: usize,
    pub(crate) weight: Vec<f32>,
}

/// Backward pass; the gradient of the residual is `gradient` `[rows, d_out]` itself.
pub(crate) fn backward(
    gradient: &[f32],
    x: &[f32],
    weight: &[f32],
    [rows, d_in, d_out]: [usize; 3],
) -> Backward {
    let view = Strided::rows(weight, d_out).transposed();
    let stride = apart(d_in);
    let dx = multiply([rows, d_out, d_in], gradient, (view, None), stride);
    // SAFETY: the product writes all of `[d_in, d_out]`.
    let weight = unsafe {
        filled(d_in * d_out, |out| {
            let (left, right) =
                (Strided::rows(x, d_in).transposed(), Strided::rows(gradient, d_out));
            let out = Target::rows(out, d_out);
            product([d_in, rows, d_out], left, right, 1.0, out, Mode::Fresh, Threads::All);
        })
    };
    Backward { x: dx, stride, weight }
}

/// `x` `[rows, k]` times a matrix `[k, n]`, onto what is there already; in rows `stride` numbers apart.
fn multiply(
    [rows, k, n]: [usize; 3],
    x: &[f32],
    (matrix, onto): (Strided, Option<&[f32]>),
    stride: usize,
) -> Vec<f32> {
    // SAFETY: the matrix has this shape; the chunks cover all rows, each its own.
    unsafe {
        let packed = Right::for_rows(rows, matrix, [k, n], Threads::All);
        filled(rows * stride, |out| {
            let out = Shared::new(out);
            for_chunks_of(0..rows, chunk(rows), Left::default, |part, left| {
                let count = part.len();
                let left = left.take(&packed, Strided::rows(&x[cells(&part, k)], k), [count, k]);
                let target = out.part(part.start * stride, count * stride);
                for row in target.chunks_exact_mut(stride) {
                    row[n..].fill(MaybeUninit::new(0.0));
                }
                let mode = match onto {
                    Some(onto) => {
                        let onto = onto[cells(&part, n)].chunks_exact(n);
                        for (row, onto) in target.chunks_exact_mut(stride).zip(onto) {
                            row[..n].write_copy_of_slice(onto);
                        }
                        Mode::Sum
                    }
                    None => Mode::Fresh,
                };
                packed.multiply(left, 1.0, Target::rows(target, stride), mode);
            });
        })
    }
}
