//! SwiGLU's gate: `y = g s(g) u` with the logistic function `s`. Saved for the backward pass: the
//! inputs.

use std::mem::MaybeUninit;

use crate::buffer::{filled, filled2, for_chunks, for_chunks2};
use crate::simd::{mul_add, sigmoid, vectorised};

/// Elements of a chunk.
const CHUNK: usize = 1 << 13;

/// `silu(gate) * up`, elementwise.
pub(crate) fn forward(gate: &[f32], up: &[f32]) -> Vec<f32> {
    // SAFETY: `forward_chunk` writes every element of the chunks, which cover the output.
    unsafe {
        filled(gate.len(), |out| {
            for_chunks(out, CHUNK, |chunk, out| {
                let cells = chunk * CHUNK..chunk * CHUNK + out.len();
                forward_chunk(out, &gate[cells.clone()], &up[cells]);
            });
        })
    }
}

vectorised! {
    pub(crate) fn forward_chunk(out: &mut [MaybeUninit<f32>], gate: &[f32], up: &[f32]) {
        for ((out, &gate), &up) in out.iter_mut().zip(gate).zip(up) {
            out.write(gate * sigmoid::<FMA>(gate) * up);
        }
    }
}

/// The gradients of `gate` and of `up`: `dg = d u s (1 + g (1 - s))`, `du = d g s`.
pub(crate) fn backward(gradient: &[f32], gate: &[f32], up: &[f32]) -> [Vec<f32>; 2] {
    // SAFETY: `backward_chunk` writes every element of the chunks, which cover both outputs.
    unsafe {
        filled2([gate.len(); 2], |d_gate, d_up| {
            for_chunks2((d_gate, CHUNK), (d_up, CHUNK), |chunk, d_gate, d_up| {
                let cells = chunk * CHUNK..chunk * CHUNK + d_gate.len();
                let (gate, up) = (&gate[cells.clone()], &up[cells.clone()]);
                backward_chunk(d_gate, d_up, &gradient[cells], gate, up);
            });
        })
    }
}

vectorised! {
    fn backward_chunk(
        d_gate: &mut [MaybeUninit<f32>],
        d_up: &mut [MaybeUninit<f32>],
        gradient: &[f32],
        gate: &[f32],
        up: &[f32],
    ) {
        let inputs = gradient.iter().zip(gate).zip(up);
        for ((d_gate, d_up), ((&gradient, &gate), &up)) in d_gate.iter_mut().zip(d_up).zip(inputs) {
            let s = sigmoid::<FMA>(gate);
            let slope = s * mul_add::<FMA>(gate, 1.0 - s, 1.0);
            d_gate.write(gradient * up * slope);
            d_up.write(gradient * gate * s);
        }
    }
}

vectorised! {
    /// Both passes at once: `slope` holds the gradient of the gated product and becomes the product
    /// itself; the gradients of its factors are written.
    pub(crate) fn backward_and_forward(
        slope: &mut [f32],
        d_gate: &mut [MaybeUninit<f32>],
        d_up: &mut [MaybeUninit<f32>],
        gate: &[f32],
        up: &[f32],
    ) {
        let inputs = slope.iter_mut().zip(gate).zip(up);
        for ((d_gate, d_up), ((slope, &gate), &up)) in d_gate.iter_mut().zip(d_up).zip(inputs) {
            let gradient = *slope;
            let s = sigmoid::<FMA>(gate);
            let silu = gate * s;
            d_gate.write(gradient * up * (s * mul_add::<FMA>(gate, 1.0 - s, 1.0)));
            d_up.write(gradient * silu);
            *slope = silu * up;
        }
    }
}
