//! Causal attention in blocks of query rows, without a stored score matrix (after Dao et al. 2022,
//! arXiv:2205.14135). Saved for the backward pass: the inputs, the output and each query's
//! log-sum-exp; probabilities are computed again.
//!
//! One task is one key head of one sequence together with all query heads that read it, so that
//! every output element belongs to one task and every sum has one order.

use rayon::prelude::*;

use crate::buffer::{Shared, filled, filled2};
use crate::matrix::{Matrix, Mode, Threads, product};
use crate::simd::{LANES, exp, largest, map_sum, mul_add, reduce2, vectorised};

/// Query rows of a block: a block of scores (`BLOCK x keys`) should stay in the core's own cache.
const BLOCK: usize = 64;

/// Shapes of one call. `q` is `[batch, time, heads, width]`, `k` and `v` are
/// `[batch, past + time, kv_heads, width]`; query `t` sees keys `0..=past + t`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) batch: usize,
    pub(crate) time: usize,
    pub(crate) past: usize,
    pub(crate) heads: usize,
    pub(crate) kv_heads: usize,
    pub(crate) width: usize,
}

impl Shape {
    fn keys(&self) -> usize {
        self.past + self.time
    }

    /// Length of a row of scores: the keys, up to whole blocks of lanes.
    fn stride(&self) -> usize {
        self.keys().next_multiple_of(LANES)
    }

    fn scale(&self) -> f32 {
        1.0 / (self.width as f32).sqrt()
    }

    /// Where in `q` the row of `time` 0 of a head begins; rows are `heads * width` apart.
    fn query(&self, sequence: usize, head: usize) -> usize {
        (sequence * self.time * self.heads + head) * self.width
    }

    /// Where in `k` the row of key 0 of a head begins; rows are `kv_heads * width` apart.
    fn key(&self, sequence: usize, kv_head: usize) -> usize {
        (sequence * self.keys() * self.kv_heads + kv_head) * self.width
    }

    /// The query heads that read a key head.
    fn group(&self, kv_head: usize) -> std::ops::Range<usize> {
        let size = self.heads / self.kv_heads;
        kv_head * size..(kv_head + 1) * size
    }

    /// Blocks of query rows: first row and number of rows.
    fn blocks(&self) -> impl DoubleEndedIterator<Item = (usize, usize)> {
        let time = self.time;
        (0..time.div_ceil(BLOCK)).map(move |block| {
            let first = block * BLOCK;
            (first, BLOCK.min(time - first))
        })
    }

    /// Calls `work` with each sequence and key head, in parallel, and with scratch for `blocks`
    /// blocks of scores.
    fn for_tasks(&self, blocks: usize, work: impl Fn(usize, usize, &mut [f32]) + Send + Sync) {
        let rows = BLOCK.min(self.time);
        let scratch = || vec![0.0f32; blocks * rows * self.stride()];
        let task = |scratch: &mut Vec<f32>, task: usize| {
            work(task / self.kv_heads, task % self.kv_heads, scratch);
        };
        let tasks = self.batch * self.kv_heads;
        if tasks * self.time * self.keys() * self.heads <= 1 << 14 {
            let mut scratch = scratch();
            (0..tasks).for_each(|index| task(&mut scratch, index));
        } else {
            (0..tasks).into_par_iter().for_each_init(scratch, task);
        }
    }
}

/// A head's rows in one of the tensors, from a given row on.
fn rows(data: &[f32], start: usize, stride: usize, first: usize) -> Matrix {
    Matrix { start: data[start + first * stride..].as_ptr(), row: stride, column: 1 }
}

/// The output `[batch, time, heads, width]` and the log-sum-exp `[batch, heads, time]`.
pub(crate) fn forward(q: &[f32], k: &[f32], v: &[f32], shape: Shape) -> [Vec<f32>; 2] {
    let Shape { batch, time, past, heads, kv_heads, width } = shape;
    let (q_row, k_row, stride) = (heads * width, kv_heads * width, shape.stride());
    // SAFETY: the tasks cover all heads of all sequences and each writes all rows of its heads.
    unsafe {
        filled2([q.len(), batch * heads * time], |out, lse| {
            let (out, lse) = (Shared::new(out), Shared::new(lse));
            shape.for_tasks(1, |sequence, kv_head, scores| {
                let key = shape.key(sequence, kv_head);
                let (k, v) = (rows(k, key, k_row, 0), rows(v, key, k_row, 0));
                for head in shape.group(kv_head) {
                    let query = shape.query(sequence, head);
                    for (first, count) in shape.blocks() {
                        let keys = past + first + count;
                        let q = rows(q, query, q_row, first);
                        let target = (scores.as_mut_ptr(), stride);
                        let size = [count, width, keys];
                        product(
                            size,
                            q,
                            k.transposed(),
                            shape.scale(),
                            target,
                            Mode::Fresh,
                            Threads::One,
                        );
                        let at = (sequence * heads + head) * time + first;
                        let lse = std::slice::from_raw_parts_mut(lse.at(at).cast(), count);
                        softmax_block(scores, stride, past + first + 1, keys, lse);
                        let target = (out.at(query + first * q_row), q_row);
                        let scores = Matrix::rows(scores, stride);
                        let size = [count, keys, width];
                        product(size, scores, v, 1.0, target, Mode::Fresh, Threads::One);
                    }
                }
            });
        })
    }
}

vectorised! {
    /// Turns rows of scores into probabilities. Row `i` has `visible + i` of `keys` entries; the
    /// others become zero.
    fn softmax_block(
        scores: &mut [f32],
        stride: usize,
        visible: usize,
        keys: usize,
        lse: &mut [std::mem::MaybeUninit<f32>],
    ) {
        for (i, (row, lse)) in scores.chunks_exact_mut(stride).zip(lse).enumerate() {
            let visible = visible + i;
            let whole = visible.next_multiple_of(LANES);
            row[visible..whole].fill(f32::NEG_INFINITY);
            let most = largest(&row[..whole]);
            let sum = map_sum(&mut row[..whole], |score| exp::<FMA>(score - most));
            let share = 1.0 / sum;
            for value in &mut row[..whole] {
                *value *= share;
            }
            if whole < keys {
                row[whole..keys].fill(0.0);
            }
            lse.write(most + sum.ln());
        }
    }
}

/// The inputs of a backward pass, as the forward pass had and left them.
pub(crate) struct Saved<'a> {
    pub(crate) q: &'a [f32],
    pub(crate) k: &'a [f32],
    pub(crate) v: &'a [f32],
    pub(crate) out: &'a [f32],
    pub(crate) lse: &'a [f32],
}

/// The gradients of `q`, `k` and `v`. With probabilities `P`, `dV = P^T dO`, `dS = P (dO V^T - D)`
/// with `D` each query's `dO . O`, `dQ = dS K scale`, `dK = dS^T Q scale`.
pub(crate) fn backward(gradient: &[f32], saved: Saved<'_>, shape: Shape) -> [Vec<f32>; 3] {
    let Saved { q, k, v, out, lse } = saved;
    let mut dq = Vec::new();
    // SAFETY: the tasks cover all heads of all sequences; each writes all rows of its query heads
    // in `dq` and, from the last block on, all rows of its key head in `dk` and `dv`.
    let [dk, dv] = unsafe {
        filled2([k.len(), v.len()], |dk, dv| {
            let (dk, dv) = (Shared::new(dk), Shared::new(dv));
            dq = filled(q.len(), |dq| {
                let dq = Shared::new(dq);
                shape.for_tasks(2, |sequence, kv_head, scratch| {
                    let (probabilities, slopes) = scratch.split_at_mut(scratch.len() / 2);
                    let key = shape.key(sequence, kv_head);
                    let task = Task { gradient, q, k, v, out, lse, shape, sequence, key };
                    let mut mode = Mode::Fresh;
                    for head in shape.group(kv_head) {
                        // The last block sees all keys, so it comes first and need not add.
                        for block in shape.blocks().rev() {
                            let targets = (dq, dk.at(key), dv.at(key));
                            task.block(head, block, (probabilities, slopes), targets, mode);
                            mode = Mode::Sum;
                        }
                    }
                });
            });
        })
    };
    [dq, dk, dv]
}

/// One key head of one sequence in the backward pass.
struct Task<'a> {
    gradient: &'a [f32],
    q: &'a [f32],
    k: &'a [f32],
    v: &'a [f32],
    out: &'a [f32],
    lse: &'a [f32],
    shape: Shape,
    sequence: usize,
    key: usize,
}

impl Task<'_> {
    /// One block of query rows of one head.
    ///
    /// # Safety
    /// `dq`, `dk` and `dv` must have room for their tensors, with this head's rows to itself;
    /// under [`Mode::Sum`] the rows of `dk` and `dv` must be initialised.
    unsafe fn block(
        &self,
        head: usize,
        (first, count): (usize, usize),
        (probabilities, slopes): (&mut [f32], &mut [f32]),
        (dq, dk, dv): (Shared, *mut f32, *mut f32),
        mode: Mode,
    ) {
        let Shape { time, past, heads, kv_heads, width, .. } = self.shape;
        let (q_row, k_row, stride) = (heads * width, kv_heads * width, self.shape.stride());
        let scale = self.shape.scale();
        let keys = past + first + count;
        let query = self.shape.query(self.sequence, head);
        let q = rows(self.q, query, q_row, first);
        let gradient = rows(self.gradient, query, q_row, first);
        let k = rows(self.k, self.key, k_row, 0);
        let v = rows(self.v, self.key, k_row, 0);

        let mut dots = [0.0f32; BLOCK];
        for (i, dot) in dots[..count].iter_mut().enumerate() {
            let row = query + (first + i) * q_row..query + (first + i) * q_row + width;
            *dot = dot_product(&self.gradient[row.clone()], &self.out[row]);
        }
        let at = (self.sequence * heads + head) * time + first;
        let lse = &self.lse[at..at + count];
        let visible = past + first + 1;
        // SAFETY: scratch holds `count` rows of `stride` each; the rest is the caller's promise.
        unsafe {
            let one = Threads::One;
            let size = [count, width, keys];
            let target = (probabilities.as_mut_ptr(), stride);
            product(size, q, k.transposed(), scale, target, Mode::Fresh, one);
            let target = (slopes.as_mut_ptr(), stride);
            product(size, gradient, v.transposed(), 1.0, target, Mode::Fresh, one);
            slopes_block(probabilities, slopes, (stride, visible, keys), lse, &dots[..count]);

            let p = Matrix::rows(probabilities, stride).transposed();
            product([keys, count, width], p, gradient, 1.0, (dv, k_row), mode, one);
            let s = Matrix::rows(slopes, stride);
            product([keys, count, width], s.transposed(), q, scale, (dk, k_row), mode, one);
            let target = (dq.at(query + first * q_row), q_row);
            product([count, keys, width], s, k, scale, target, Mode::Fresh, one);
        }
    }
}

vectorised! {
    fn dot_product(a: &[f32], b: &[f32]) -> f32 {
        reduce2(a, b, mul_add::<FMA>)
    }
}

vectorised! {
    /// Turns rows of scores into probabilities, and rows of the probabilities' gradients into the
    /// scores' gradients.
    fn slopes_block(
        scores: &mut [f32],
        slopes: &mut [f32],
        size: (usize, usize, usize),
        lse: &[f32],
        dots: &[f32],
    ) {
        let (stride, visible, keys) = size;
        let blocks = scores.chunks_exact_mut(stride).zip(slopes.chunks_exact_mut(stride));
        for (i, ((scores, slopes), (&lse, &dot))) in blocks.zip(lse.iter().zip(dots)).enumerate() {
            let visible = visible + i;
            let whole = visible.next_multiple_of(LANES);
            scores[visible..whole].fill(f32::NEG_INFINITY);
            // What lies beyond the visible part is left over from another block: it must be finite.
            slopes[visible..whole].fill(0.0);
            for (score, slope) in scores[..whole].iter_mut().zip(&mut slopes[..whole]) {
                *score = exp::<FMA>(*score - lse);
                *slope = *score * (*slope - dot);
            }
            if whole < keys {
                scores[whole..keys].fill(0.0);
                slopes[whole..keys].fill(0.0);
            }
        }
    }
}
