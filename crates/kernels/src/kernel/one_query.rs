//! Attention of a single new query of each sequence, as in generation: nothing is packed, for
//! nothing is used twice, and all heads of a cached row are read together, in the order in which
//! they lie.

use std::mem::MaybeUninit;

use rayon::prelude::*;

use super::attention::{Heads, Shape};
use crate::buffer::Shared;
use crate::simd::{exp, largest, map_sum, mul_add, prefetch, sum_lanes, vectorised};

/// Multiply-adds below which waking other threads costs more than it saves.
const SMALL: usize = 1 << 16;
/// Partial sums: heads are narrow, and adding up the lanes costs as much as filling them.
const LANES: usize = 16;
/// Values that are added up before a sum is put back.
const TOGETHER: usize = 8;
/// How many rows ahead of their use they are asked for: a cache is larger than what cores keep.
const AHEAD: usize = 12;

/// Attends with the one query of each sequence to all of its keys. Writes the output
/// `[batch, heads, width]` and the log-sum-exp `[batch, heads]`.
///
/// # Safety
/// Both outputs must have room for that, and nobody else may touch them.
pub(crate) unsafe fn attend([q, k, v]: [Heads<'_>; 3], shape: Shape, out: Shared, lse: Shared) {
    let Shape { batch, heads, kv_heads, width, .. } = shape;
    let keys = shape.keys();
    let one = |sequence: usize, scores: &mut Vec<f32>| {
        scores.resize(heads * keys, 0.0);
        let rows = |cache: Heads<'_>| cache.at(sequence * cache.rows, 0, width);
        let q = &q.data[q.at(sequence, 0, width)..][..heads * width];
        let sizes = [width, heads / kv_heads, keys];
        // SAFETY: the parts are those of this sequence.
        unsafe {
            let lse = lse.part(sequence * heads, heads);
            let out = out.part(sequence * heads * width, heads * width);
            weigh(q, (&k.data[rows(k)..], k.stride), scores, sizes, shape.scale(), lse);
            mix(scores, (&v.data[rows(v)..], v.stride), sizes, out);
        }
    };
    if batch * heads * width * keys <= SMALL || rayon::current_num_threads() == 1 {
        let mut scores = Vec::new();
        (0..batch).for_each(|sequence| one(sequence, &mut scores));
    } else {
        (0..batch)
            .into_par_iter()
            .for_each_init(Vec::new, |scores, sequence| one(sequence, scores));
    }
}

/// Asks for a row of `width` numbers that will be read soon.
#[inline(always)]
fn fetch(rows: &[f32], at: usize, width: usize) {
    for line in (0..width).step_by(LANES) {
        prefetch(rows.as_ptr().wrapping_add(at + line));
    }
}

vectorised! {
    /// Probabilities `[heads, keys]` of queries `[heads, width]`; `sizes` are the width of a head,
    /// the query heads of a key head, and the keys.
    fn weigh(
        q: &[f32],
        keys: (&[f32], usize),
        scores: &mut [f32],
        sizes: [usize; 3],
        scale: f32,
        lse: &mut [MaybeUninit<f32>],
    ) {
        let [width, group, count] = sizes;
        let (rows, stride) = keys;
        for key in 0..count {
            let row = &rows[key * stride..];
            fetch(rows, (key + AHEAD) * stride, q.len() / group);
            for (head, q) in q.chunks_exact(width).enumerate() {
                let k = &row[head / group * width..][..width];
                let mut sums = [0.0; LANES];
                let (q_blocks, q_rest) = q.as_chunks::<LANES>();
                let (k_blocks, k_rest) = k.as_chunks::<LANES>();
                for (q, k) in q_blocks.iter().zip(k_blocks) {
                    for lane in 0..LANES {
                        sums[lane] = mul_add::<FMA>(q[lane], k[lane], sums[lane]);
                    }
                }
                for (sum, (q, k)) in sums.iter_mut().zip(q_rest.iter().zip(k_rest)) {
                    *sum = mul_add::<FMA>(*q, *k, *sum);
                }
                scores[head * count + key] = sum_lanes(sums) * scale;
            }
        }
        for (scores, lse) in scores.chunks_exact_mut(count).zip(lse) {
            let most = largest(scores);
            let sum = map_sum(scores, |score| exp::<FMA>(score - most));
            lse.write(most + sum.ln());
            let share = 1.0 / sum;
            for score in scores {
                *score *= share;
            }
        }
    }
}

vectorised! {
    /// The sums of the values, each times its probability: `[heads, width]`.
    fn mix(
        probabilities: &[f32],
        values: (&[f32], usize),
        sizes: [usize; 3],
        out: &mut [MaybeUninit<f32>],
    ) {
        let [width, group, count] = sizes;
        let (rows, stride) = values;
        for out in out.iter_mut() {
            out.write(0.0);
        }
        // SAFETY: every element was just written.
        let out = unsafe { out.assume_init_mut() };
        let heads = out.len() / width;
        for first in (0..count).step_by(TOGETHER) {
            let here = first..count.min(first + TOGETHER);
            for key in here.clone() {
                fetch(rows, (key + AHEAD) * stride, width * heads / group);
            }
            for (head, out) in out.chunks_exact_mut(width).enumerate() {
                let probabilities = &probabilities[head * count..][..count];
                let column = head / group * width;
                let (blocks, rest) = out.as_chunks_mut::<LANES>();
                let start = column + blocks.len() * LANES;
                for (block, out) in blocks.iter_mut().enumerate() {
                    let mut sums = *out;
                    for key in here.clone() {
                        let row = &rows[key * stride + column + block * LANES..][..LANES];
                        for (sum, value) in sums.iter_mut().zip(row) {
                            *sum = mul_add::<FMA>(probabilities[key], *value, *sum);
                        }
                    }
                    *out = sums;
                }
                for key in here.clone() {
                    let row = &rows[key * stride + start..][..rest.len()];
                    for (out, value) in rest.iter_mut().zip(row) {
                        *out = mul_add::<FMA>(probabilities[key], *value, *out);
                    }
                }
            }
        }
    }
}
