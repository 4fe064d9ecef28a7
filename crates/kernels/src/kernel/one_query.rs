//! Attention of a single new query, as in generation: nothing is packed, for nothing is used twice.

use std::mem::MaybeUninit;

use super::attention::{Heads, Shape};
use crate::simd::{exp, largest, map_sum, mul_add, reduce2, vectorised};

/// Attends with `q` `[width]` to all keys of a head: keys, values, their first row and the head.
/// Writes the output `[width]` and the log-sum-exp; `scores` has room for a score of each key.
pub(crate) fn attend(
    q: &[f32],
    (k, v, first, kv_head): (Heads<'_>, Heads<'_>, usize, usize),
    scores: &mut [f32],
    out: &mut [MaybeUninit<f32>],
    lse: &mut MaybeUninit<f32>,
    shape: Shape,
) {
    let keys = shape.keys();
    let [k_at, v_at] = [k, v].map(|heads| heads.at(first, kv_head, shape.width));
    let (k_rows, v_rows) = ((&k.data[k_at..], k.stride), (&v.data[v_at..], v.stride));
    weigh(q, k_rows, &mut scores[..keys], shape.scale(), lse);
    mix(&scores[..keys], v_rows, out);
}

vectorised! {
    /// Probabilities of the keys.
    fn weigh(
        q: &[f32],
        keys: (&[f32], usize),
        scores: &mut [f32],
        scale: f32,
        lse: &mut MaybeUninit<f32>,
    ) {
        let (rows, stride) = keys;
        for (key, score) in scores.iter_mut().enumerate() {
            *score = reduce2(q, &rows[key * stride..][..q.len()], mul_add::<FMA>) * scale;
        }
        let most = largest(scores);
        let sum = map_sum(scores, |score| exp::<FMA>(score - most));
        lse.write(most + sum.ln());
        let share = 1.0 / sum;
        for score in scores {
            *score *= share;
        }
    }
}

vectorised! {
    /// The sum of the values, each times its probability.
    fn mix(probabilities: &[f32], values: (&[f32], usize), out: &mut [MaybeUninit<f32>]) {
        let (rows, stride) = values;
        for out in out.iter_mut() {
            out.write(0.0);
        }
        // SAFETY: every element was just written.
        let out = unsafe { out.assume_init_mut() };
        for (key, &probability) in probabilities.iter().enumerate() {
            for (out, value) in out.iter_mut().zip(&rows[key * stride..]) {
                *out = mul_add::<FMA>(probability, *value, *out);
            }
        }
    }
}
