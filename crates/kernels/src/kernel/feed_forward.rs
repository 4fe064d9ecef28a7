//! A feed-forward block on the residual stream: `y = x + (silu(n G) * (n U)) D` with
//! `n = rms_norm(x)`.
//!
//! Each chunk of rows goes through all of it at once. Saved for the backward pass: `x`, each row's
//! inverse root mean square, `n G` and `n U`; the rest is computed again.

use crate::buffer::{Shared, filled, filled2, room};
use crate::gemm::{Factor, Left, Mode, Right, Strided, Target, Threads, product, products};
use crate::kernel::rows::{cells, chunk, for_chunks_of};
use crate::kernel::{norm, swiglu};

/// Numbers of the intermediate gradients that are kept at a time: a few megabytes.
const HELD: usize = 1 << 19;

/// The weights: `norm` `[d]`, `gate` and `up` `[d, ffn]`, `down` `[ffn, d]`.
#[derive(Clone, Copy)]
pub(crate) struct Weights<'a> {
    pub(crate) norm: &'a [f32],
    pub(crate) gate: &'a [f32],
    pub(crate) up: &'a [f32],
    pub(crate) down: &'a [f32],
    pub(crate) eps: f64,
}

impl Weights<'_> {
    fn sizes(&self) -> [usize; 2] {
        [self.norm.len(), self.down.len() / self.norm.len()]
    }
}

/// The result `[rows, d]`, and what the backward pass needs of it.
pub(crate) struct Forward {
    pub(crate) out: Vec<f32>,
    pub(crate) saved: Option<Saved>,
}

/// Inverse root mean squares `[rows]`, and `n G` and `n U` `[rows, ffn]`.
pub(crate) struct Saved {
    pub(crate) inverse: Vec<f32>,
    pub(crate) gate: Vec<f32>,
    pub(crate) up: Vec<f32>,
}

/// What a thread needs for a chunk.
#[derive(Default)]
struct Scratch {
    left: Left,
    normed: Vec<f32>,
    inverse: Vec<f32>,
    gate: Vec<f32>,
    up: Vec<f32>,
    hidden: Vec<f32>,
}

/// Forward pass of `x` `[rows, d]`; `keep` says whether a backward pass may follow.
pub(crate) fn forward(x: &[f32], weights: Weights<'_>, keep: bool) -> Forward {
    let [d, ffn] = weights.sizes();
    let rows = x.len() / d;
    // SAFETY: the matrices have these shapes.
    let [gate, up, down] = unsafe {
        [(weights.gate, [d, ffn]), (weights.up, [d, ffn]), (weights.down, [ffn, d])].map(
            |(weight, size)| {
                Right::for_rows(rows, Strided::rows(weight, size[1]), size, Threads::All)
            },
        )
    };
    let run = |out: Shared, saved: Option<[Shared; 3]>| {
        for_chunks_of(0..rows, chunk(rows), Scratch::default, |part, scratch| {
            let count = part.len();
            let x = &x[cells(&part, d)];
            let left = &mut scratch.left;
            // SAFETY: every chunk writes the rows that are its own, and scratch holds `count` rows.
            unsafe {
                let [normed, hidden] = [(&mut scratch.normed, d), (&mut scratch.hidden, ffn)]
                    .map(|(buffer, width)| room(buffer, count * width));
                let [inverse, of_gate, of_up] = match saved {
                    Some([inverse, gate, up]) => [
                        inverse.part(part.start, count),
                        gate.part(part.start * ffn, count * ffn),
                        up.part(part.start * ffn, count * ffn),
                    ],
                    None => [
                        room(&mut scratch.inverse, count),
                        room(&mut scratch.gate, count * ffn),
                        room(&mut scratch.up, count * ffn),
                    ],
                };
                norm::forward_rows(normed, inverse, x, weights.norm, weights.eps as f32);
                let normed =
                    left.take(&gate, Strided::rows(normed.assume_init_ref(), d), [count, d]);
                gate.multiply(normed, 1.0, Target::rows(of_gate, ffn), Mode::Fresh);
                up.multiply(normed, 1.0, Target::rows(of_up, ffn), Mode::Fresh);
                swiglu::forward_chunk(hidden, of_gate.assume_init_ref(), of_up.assume_init_ref());
                let hidden =
                    left.take(&down, Strided::rows(hidden.assume_init_ref(), ffn), [count, ffn]);
                let out = out.part(part.start * d, count * d);
                out.write_copy_of_slice(x);
                down.multiply(hidden, 1.0, Target::rows(out, d), Mode::Sum);
            }
        });
    };
    // SAFETY: the chunks cover all rows of all outputs.
    unsafe {
        if !keep {
            let out = filled(x.len(), |out| run(Shared::new(out), None));
            return Forward { out, saved: None };
        }
        let mut kept = [Vec::new(), Vec::new()];
        let [out, inverse] = filled2([x.len(), rows], |out, inverse| {
            kept = filled2([rows * ffn; 2], |gate, up| {
                let saved = [Shared::new(inverse), Shared::new(gate), Shared::new(up)];
                run(Shared::new(out), Some(saved));
            });
        });
        let [gate, up] = kept;
        Forward { out, saved: Some(Saved { inverse, gate, up }) }
    }
}

/// The gradients of `x` `[rows, d]` and of the weights, in the order of [`Weights`].
pub(crate) struct Backward {
    pub(crate) x: Vec<f32>,
    pub(crate) norm: Vec<f32>,
    pub(crate) gate: Vec<f32>,
    pub(crate) up: Vec<f32>,
    pub(crate) down: Vec<f32>,
}

/// Backward pass from the gradient of the result `[rows, d]`.
pub(crate) fn backward(
    gradient: &[f32],
    x: &[f32],
    saved: [&[f32]; 3],
    weights: Weights<'_>,
) -> Backward {
    let [inverse, gate, up] = saved;
    let [d, ffn] = weights.sizes();
    let rows = x.len() / d;
    // SAFETY: the matrices have these shapes.
    let [gate_t, up_t, down_t] = unsafe {
        [(weights.gate, [ffn, d]), (weights.up, [ffn, d]), (weights.down, [d, ffn])].map(
            |(weight, size)| {
                let view = Strided::rows(weight, size[0]).transposed();
                Right::pack(view, size, Threads::All)
            },
        )
    };
    let chunk = chunk(rows);
    let held = (HELD / ffn).next_multiple_of(chunk).max(chunk).min(rows);
    let mut partial = vec![0.0f32; rows.div_ceil(chunk) * d];
    let partials = Shared::of(&mut partial);
    let [mut d_gate, mut d_up, mut d_down] = [(); 3].map(|()| Vec::with_capacity(d * ffn));
    // Of the rows at hand: normed x, the gated product, and the gradients of its two factors.
    let mut memory = [(); 4].map(|()| Vec::new());
    let [normed, hidden, slopes_gate, slopes_up] = &mut memory;
    let of_normed = Shared::new(room(normed, held * d));
    let [of_hidden, of_gate, of_up] =
        [hidden, slopes_gate, slopes_up].map(|memory| Shared::new(room(memory, held * ffn)));
    let mut write = |dx: Shared| {
        for start in (0..rows).step_by(held) {
            let end = rows.min(start + held);
            for_chunks_of(start..end, chunk, Scratch::default, |part, scratch| {
                let count = part.len();
                let (wide, thin) = (cells(&part, ffn), cells(&part, d));
                let here = part.start - start;
                let gradient = &gradient[thin.clone()];
                // SAFETY: every chunk writes the rows that are its own.
                unsafe {
                    let [hidden, d_gate, d_up] = [of_hidden, of_gate, of_up]
                        .map(|buffer| buffer.part(here * ffn, count * ffn));
                    let left = scratch.left.take(&down_t, Strided::rows(gradient, d), [count, d]);
                    // The gradient of the gated product, for the time being.
                    down_t.multiply(left, 1.0, Target::rows(hidden, ffn), Mode::Fresh);
                    let slope = hidden.assume_init_mut();
                    let [gate, up] = [gate, up].map(|saved| &saved[wide.clone()]);
                    swiglu::backward_and_forward(slope, d_gate, d_up, gate, up);
                    let normed = room(&mut scratch.normed, count * d);
                    let out = Target::rows(normed, d);
                    let left = scratch.left.take(
                        &gate_t,
                        Strided::rows(d_gate.assume_init_ref(), ffn),
                        [count, ffn],
                    );
                    gate_t.multiply(left, 1.0, out, Mode::Fresh);
                    let left = scratch.left.take(
                        &up_t,
                        Strided::rows(d_up.assume_init_ref(), ffn),
                        [count, ffn],
                    );
                    up_t.multiply(left, 1.0, out, Mode::Sum);
                    let slope = normed.assume_init_ref();
                    let (x, inverse) = (&x[thin.clone()], &inverse[part.clone()]);
                    norm::residual_backward_rows(
                        dx.part(thin.start, thin.len()),
                        partials.part(part.start / chunk * d, d).assume_init_mut(),
                        [gradient, slope, x],
                        weights.norm,
                        inverse,
                        of_normed.part(here * d, count * d),
                    );
                }
            });
            let count = end - start;
            let mode = if start == 0 { Mode::Fresh } else { Mode::Sum };
            let gradient = Strided::rows(&gradient[start * d..], d);
            let view = |memory: Shared, width: usize| {
                // SAFETY: the chunks have written all rows from `start` to `end`.
                Strided::rows(unsafe { memory.part(0, count * width).assume_init_ref() }, width)
            };
            let normed = view(of_normed, d).transposed();
            let hidden = view(of_hidden, ffn).transposed();
            let (slopes_gate, slopes_up) = (view(of_gate, ffn), view(of_up, ffn));
            let target = |out: &mut Vec<f32>, stride| Target { start: out.as_mut_ptr(), stride };
            let of_gate = Factor { right: slopes_gate, n: ffn, out: target(&mut d_gate, ffn) };
            let of_up = Factor { right: slopes_up, n: ffn, out: target(&mut d_up, ffn) };
            let of_down = target(&mut d_down, d);
            // SAFETY: the capacities hold the products, which the first rows write in full.
            unsafe {
                products([d, count], normed, &[of_gate, of_up], 1.0, mode, Threads::All);
                let size = [ffn, count, d];
                product(size, hidden, gradient, 1.0, of_down, mode, Threads::All);
                for out in [&mut d_gate, &mut d_up, &mut d_down] {
                    out.set_len(d * ffn);
                }
            }
        }
    };
    // SAFETY: the chunks cover all rows.
    let dx = unsafe { filled(x.len(), |dx| write(Shared::new(dx))) };
    Backward { x: dx, norm: norm::sum_rows(&partial, d), gate: d_gate, up: d_up, down: d_down }
}
