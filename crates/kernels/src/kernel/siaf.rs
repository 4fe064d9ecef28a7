//! A series informed activation with its gate: `y = u (f(a_1 g + b_1) + .. + f(a_n g + b_n))` with
//! `f(z) = z s(z)`, `s` the logistic function. Saved for the backward pass: the inputs.

use std::mem::MaybeUninit;

use crate::buffer::{Shared, filled, filled2, for_chunks, for_chunks2};
use crate::simd::{mul_add, sigmoid, vectorised};

/// Rows of a chunk.
const ROWS: usize = 32;

/// The scales `a` and the biases `b`, `[n, ffn]` each.
#[derive(Clone, Copy)]
pub(crate) struct Series<'a> {
    pub(crate) scale: &'a [f32],
    pub(crate) bias: &'a [f32],
    pub(crate) ffn: usize,
}

impl<'a> Series<'a> {
    /// Scales and biases of one activation after the other.
    fn terms(self) -> impl Iterator<Item = (&'a [f32], &'a [f32])> {
        self.scale.chunks_exact(self.ffn).zip(self.bias.chunks_exact(self.ffn))
    }
}

/// The gated sum `[rows, ffn]` of `gate` and `up` `[rows, ffn]`.
pub(crate) fn forward(gate: &[f32], up: &[f32], series: Series<'_>) -> Vec<f32> {
    let (ffn, chunk) = (series.ffn, ROWS * series.ffn);
    // SAFETY: every row of every chunk is written, and the chunks cover the output.
    unsafe {
        filled(gate.len(), |out| {
            for_chunks(out, chunk, |index, out| {
                let start = index * chunk;
                let inputs = gate[start..].chunks_exact(ffn).zip(up[start..].chunks_exact(ffn));
                for (out, (gate, up)) in out.chunks_exact_mut(ffn).zip(inputs) {
                    out.fill(MaybeUninit::new(0.0));
                    let sum = out.assume_init_mut();
                    series.terms().for_each(|(scale, bias)| add_activated(sum, gate, scale, bias));
                    multiply(sum, up);
                }
            });
        })
    }
}

vectorised! {
    fn add_activated(sum: &mut [f32], gate: &[f32], scale: &[f32], bias: &[f32]) {
        for ((sum, &gate), (&scale, &bias)) in sum.iter_mut().zip(gate).zip(scale.iter().zip(bias)) {
            let z = mul_add::<FMA>(gate, scale, bias);
            *sum = mul_add::<FMA>(z, sigmoid::<FMA>(z), *sum);
        }
    }
}

vectorised! {
    fn multiply(values: &mut [f32], factors: &[f32]) {
        for (value, factor) in values.iter_mut().zip(factors) {
            *value *= factor;
        }
    }
}

/// The gradients of the gate and of `up` `[rows, ffn]`, and of scales and biases `[n, ffn]`.
pub(crate) struct Backward {
    pub(crate) gate: Vec<f32>,
    pub(crate) up: Vec<f32>,
    pub(crate) scale: Vec<f32>,
    pub(crate) bias: Vec<f32>,
}

/// Backward pass from the gradient of the result `[rows, ffn]`.
pub(crate) fn backward(gradient: &[f32], gate: &[f32], up: &[f32], series: Series<'_>) -> Backward {
    let (ffn, size) = (series.ffn, series.scale.len());
    let chunk = ROWS * ffn;
    // Of every chunk, the gradients of all scales and then of all biases.
    let mut partial = vec![0.0f32; gate.len().div_ceil(chunk) * 2 * size];
    let partials = Shared::of(&mut partial);
    // SAFETY: every row of every chunk is written, the chunks cover both outputs, and every chunk
    // has partial sums of its own.
    let [d_gate, d_up] = unsafe {
        filled2([gate.len(); 2], |d_gate, d_up| {
            for_chunks2((d_gate, chunk), (d_up, chunk), |index, d_gate, d_up| {
                let sums = partials.part(index * 2 * size, 2 * size).assume_init_mut();
                let (d_scale, d_bias) = sums.split_at_mut(size);
                for (row, (d_gate, d_up)) in
                    d_gate.chunks_exact_mut(ffn).zip(d_up.chunks_exact_mut(ffn)).enumerate()
                {
                    let start = index * chunk + row * ffn;
                    let [gradient, gate, up] =
                        [gradient, gate, up].map(|values| &values[start..start + ffn]);
                    d_gate.fill(MaybeUninit::new(0.0));
                    d_up.fill(MaybeUninit::new(0.0));
                    let (d_gate, d_up) = (d_gate.assume_init_mut(), d_up.assume_init_mut());
                    let sums = d_scale.chunks_exact_mut(ffn).zip(d_bias.chunks_exact_mut(ffn));
                    for (term, (d_scale, d_bias)) in series.terms().zip(sums) {
                        // `d_up` is the sum of the activations, for the time being.
                        let slopes = [&mut *d_gate, &mut *d_up, d_scale, d_bias];
                        add_slopes(slopes, [gradient, gate, up], term);
                    }
                    multiply(d_up, gradient);
                }
            });
        })
    };
    let mut sums = vec![0.0f32; 2 * size];
    for chunk in partial.chunks_exact(2 * size) {
        sums.iter_mut().zip(chunk).for_each(|(sum, value)| *sum += value);
    }
    let bias = sums.split_off(size);
    Backward { gate: d_gate, up: d_up, scale: sums, bias }
}

vectorised! {
    fn add_slopes(slopes: [&mut [f32]; 4], inputs: [&[f32]; 3], term: (&[f32], &[f32])) {
        let length = inputs[0].len();
        let [d_gate, activated, d_scale, d_bias] = slopes.map(|slope| &mut slope[..length]);
        let [gradient, gate, up] = inputs.map(|input| &input[..length]);
        let (scale, bias) = (&term.0[..length], &term.1[..length]);
        for j in 0..length {
            let z = mul_add::<FMA>(gate[j], scale[j], bias[j]);
            let s = sigmoid::<FMA>(z);
            let slope = gradient[j] * up[j] * (s * mul_add::<FMA>(z, 1.0 - s, 1.0));
            activated[j] = mul_add::<FMA>(z, s, activated[j]);
            d_gate[j] = mul_add::<FMA>(slope, scale[j], d_gate[j]);
            d_scale[j] = mul_add::<FMA>(slope, gate[j], d_scale[j]);
            d_bias[j] += slope;
        }
    }
}
