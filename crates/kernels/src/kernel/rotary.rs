//! Rotary positions, half-split: channels `i` and `i + half` of a head turn together. The backward
//! pass turns the gradient back by the same angles; nothing is saved.

use std::mem::MaybeUninit;

use crate::buffer::{filled, for_chunks};
use crate::simd::{mul_add, vectorised};

/// Positions of a chunk.
const POSITIONS: usize = 32;

/// Rotates `x` `[batch * time, heads, 2 half]` by the angles whose cosines and sines are
/// `[time, half]`; with `back`, by their negatives.
pub(crate) fn rotate(
    x: &[f32],
    cos: &[f32],
    sin: &[f32],
    heads: usize,
    half: usize,
    back: bool,
) -> Vec<f32> {
    let width = heads * 2 * half;
    let time = cos.len() / half;
    let sign = if back { -1.0 } else { 1.0 };
    // SAFETY: `rotate_position` writes every element of the positions, which cover the output.
    unsafe {
        filled(x.len(), |out| {
            for_chunks(out, POSITIONS * width, |chunk, out| {
                for (at, out) in out.chunks_exact_mut(width).enumerate() {
                    let row = chunk * POSITIONS + at;
                    let angle = row % time * half..(row % time + 1) * half;
                    let x = &x[row * width..(row + 1) * width];
                    rotate_position(out, x, &cos[angle.clone()], &sin[angle], sign);
                }
            });
        })
    }
}

vectorised! {
    /// Turns the heads of one position in place.
    pub(crate) fn turn(x: &mut [f32], cos: &[f32], sin: &[f32], sign: f32) {
        let half = cos.len();
        for x in x.chunks_exact_mut(2 * half) {
            let (first, second) = x.split_at_mut(half);
            // Equal lengths in plain sight, or the loop keeps its bounds checks.
            let (first, second, sin) = (&mut first[..half], &mut second[..half], &sin[..half]);
            for i in 0..half {
                let (a, b, sin) = (first[i], second[i], sin[i] * sign);
                first[i] = mul_add::<FMA>(a, cos[i], -(b * sin));
                second[i] = mul_add::<FMA>(b, cos[i], a * sin);
            }
        }
    }
}

vectorised! {
    fn rotate_position(
        out: &mut [MaybeUninit<f32>],
        x: &[f32],
        cos: &[f32],
        sin: &[f32],
        sign: f32,
    ) {
        let half = cos.len();
        for (out, x) in out.chunks_exact_mut(2 * half).zip(x.chunks_exact(2 * half)) {
            let (low, high) = out.split_at_mut(half);
            let (first, second) = x.split_at(half);
            // Equal lengths in plain sight, or the loop keeps its bounds checks.
            let (low, high) = (&mut low[..half], &mut high[..half]);
            let (first, second, sin) = (&first[..half], &second[..half], &sin[..half]);
            for i in 0..half {
                let sin = sin[i] * sign;
                low[i].write(mul_add::<FMA>(first[i], cos[i], -(second[i] * sin)));
                high[i].write(mul_add::<FMA>(second[i], cos[i], first[i] * sin));
            }
        }
    }
}
