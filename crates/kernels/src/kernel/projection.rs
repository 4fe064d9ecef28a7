//! What attention reads of the residual stream: queries, keys and values of the normed rows, the
//! first two turned to their positions; side by side, in rows that are [`stride`] numbers apart.
//!
//! Saved for the backward pass: `x` and each row's inverse root mean square.

use std::mem::MaybeUninit;

use crate::buffer::{Shared, filled, filled2, room};
use crate::gemm::{Factor, Left, Mode, Right, Strided, Target, Threads, apart, products};
use crate::kernel::rows::{cells, chunk, for_chunks_of};
use crate::kernel::{norm, rotary};

/// Numbers of the normed rows that are kept at a time.
const HELD: usize = 1 << 19;

/// The weights: `norm` `[d]`; queries, keys and values `[d, its width]`.
#[derive(Clone, Copy)]
pub(crate) struct Weights<'a> {
    pub(crate) norm: &'a [f32],
    pub(crate) matrices: [&'a [f32]; 3],
    pub(crate) eps: f64,
}

/// Cosines and sines `[time, half]` of the positions; rows of `x` go through them in turn.
#[derive(Clone, Copy)]
pub(crate) struct Angles<'a> {
    pub(crate) cos: &'a [f32],
    pub(crate) sin: &'a [f32],
    pub(crate) half: usize,
}

/// How far apart rows of queries, keys and values of these widths lie: products read parts of them as
/// they lie.
pub(crate) fn stride(widths: [usize; 3]) -> usize {
    apart(widths.iter().sum())
}

impl Weights<'_> {
    fn widths(&self) -> [usize; 3] {
        self.matrices.map(|matrix| matrix.len() / self.norm.len())
    }
}

impl Angles<'_> {
    /// Turns the queries and keys of row `row`, or back with a sign of -1.
    fn turn(&self, row: usize, queries_and_keys: &mut [f32], sign: f32) {
        let time = self.cos.len() / self.half;
        let angle = row % time * self.half..(row % time + 1) * self.half;
        rotary::turn(queries_and_keys, &self.cos[angle.clone()], &self.sin[angle], sign);
    }
}

#[derive(Default)]
struct Scratch {
    left: Left,
    normed: Vec<f32>,
}

/// Queries, keys and values of `x` `[rows, d]` with zeros between their rows, and the inverse root mean
/// squares `[rows]`.
pub(crate) fn forward(x: &[f32], weights: Weights<'_>, angles: Angles<'_>) -> [Vec<f32>; 2] {
    let d = weights.norm.len();
    let rows = x.len() / d;
    let widths = weights.widths();
    let stride = stride(widths);
    // SAFETY: the matrices have these shapes.
    let packed = unsafe {
        [0, 1, 2].map(|i| {
            let view = Strided::rows(weights.matrices[i], widths[i]);
            Right::for_rows(rows, view, [d, widths[i]], Threads::All)
        })
    };
    let run = |out: Shared, inverse: Shared| {
        for_chunks_of(0..rows, chunk(rows), Scratch::default, |part, scratch| {
            let count = part.len();
            // SAFETY: every chunk writes the rows that are its own.
            unsafe {
                let normed = room(&mut scratch.normed, count * d);
                let inverse = inverse.part(part.start, count);
                let x = &x[cells(&part, d)];
                norm::forward_rows(normed, inverse, x, weights.norm, weights.eps as f32);
                let view = Strided::rows(normed.assume_init_ref(), d);
                let left = scratch.left.take(&packed[0], view, [count, d]);
                let out = out.part(part.start * stride, count * stride);
                let target = Target::rows(out, stride);
                let mut column = 0;
                for (packed, width) in packed.iter().zip(widths) {
                    packed.multiply(left, 1.0, target.at(0, column), Mode::Fresh);
                    column += width;
                }
                for (row, out) in part.zip(out.chunks_exact_mut(stride)) {
                    out[column..].fill(MaybeUninit::new(0.0));
                    angles.turn(row, out[..widths[0] + widths[1]].assume_init_mut(), 1.0);
                }
            }
        });
    };
    // SAFETY: the chunks cover all rows of both outputs.
    unsafe {
        filled2([rows * stride, rows], |out, inverse| run(Shared::new(out), Shared::new(inverse)))
    }
}

/// The gradients of `x` `[rows, d]`, of the norm's weight and of the three matrices.
pub(crate) struct Backward {
    pub(crate) x: Vec<f32>,
    pub(crate) norm: Vec<f32>,
    pub(crate) matrices: [Vec<f32>; 3],
}

/// Backward pass from the gradient of the result, laid out as that is, which is turned back in place. `residual`
/// `[rows, d]`, the gradient that passes by the block, is added to that of `x`.
pub(crate) fn backward(
    gradient: &mut [f32],
    residual: &[f32],
    (x, inverse): (&[f32], &[f32]),
    weights: Weights<'_>,
    angles: Angles<'_>,
) -> Backward {
    let d = weights.norm.len();
    let rows = x.len() / d;
    let widths = weights.widths();
    let stride = stride(widths);
    // SAFETY: the matrices have these shapes.
    let packed = unsafe {
        [0, 1, 2].map(|i| {
            let view = Strided::rows(weights.matrices[i], widths[i]).transposed();
            Right::pack(view, [widths[i], d], Threads::All)
        })
    };
    let chunk = chunk(rows);
    let held = (HELD / d).next_multiple_of(chunk).max(chunk).min(rows);
    let mut partial = vec![0.0f32; rows.div_ceil(chunk) * d];
    let partials = Shared::of(&mut partial);
    let mut normed = Vec::new();
    let of_normed = Shared::new(room(&mut normed, held * d));
    let mut matrices = widths.map(|width| Vec::with_capacity(d * width));
    let mut write = |dx: Shared| {
        for start in (0..rows).step_by(held) {
            let end = rows.min(start + held);
            let of_gradient = Shared::of(gradient);
            for_chunks_of(start..end, chunk, Scratch::default, |part, scratch| {
                let count = part.len();
                let thin = cells(&part, d);
                // SAFETY: every chunk reads and writes the rows that are its own.
                unsafe {
                    let gradient = of_gradient.part(part.start * stride, count * stride);
                    let gradient = gradient.assume_init_mut();
                    for (row, gradient) in part.clone().zip(gradient.chunks_exact_mut(stride)) {
                        angles.turn(row, &mut gradient[..widths[0] + widths[1]], -1.0);
                    }
                    let slope = room(&mut scratch.normed, count * d);
                    let (mut column, mut mode) = (0, Mode::Fresh);
                    for (packed, width) in packed.iter().zip(widths) {
                        let view = Strided::rows(gradient, stride).at(0, column);
                        let left = scratch.left.take(packed, view, [count, width]);
                        packed.multiply(left, 1.0, Target::rows(slope, d), mode);
                        (column, mode) = (column + width, Mode::Sum);
                    }
                    norm::residual_backward_rows(
                        dx.part(thin.start, thin.len()),
                        partials.part(part.start / chunk * d, d).assume_init_mut(),
                        [&residual[thin.clone()], slope.assume_init_ref(), &x[thin.clone()]],
                        weights.norm,
                        &inverse[part.clone()],
                        of_normed.part((part.start - start) * d, count * d),
                    );
                }
            });
            let count = end - start;
            let mode = if start == 0 { Mode::Fresh } else { Mode::Sum };
            // SAFETY: the chunks have written all rows from `start` to `end`.
            let normed = unsafe { of_normed.part(0, count * d).assume_init_ref() };
            let left = Strided::rows(normed, d).transposed();
            let mut column = 0;
            let factors = [0, 1, 2].map(|i| {
                let right = Strided::rows(&gradient[start * stride..], stride).at(0, column);
                column += widths[i];
                let out = Target { start: matrices[i].as_mut_ptr(), stride: widths[i] };
                Factor { right, n: widths[i], out }
            });
            // SAFETY: the capacities hold the products, which the first rows write in full.
            unsafe {
                products([d, count], left, &factors, 1.0, mode, Threads::All);
                for (matrix, width) in matrices.iter_mut().zip(widths) {
                    matrix.set_len(d * width);
                }
            }
        }
    };
    // SAFETY: the chunks cover all rows.
    let dx = unsafe { filled(x.len(), |dx| write(Shared::new(dx))) };
    Backward { x: dx, norm: norm::sum_rows(&partial, d), matrices }
}
