//! Causal attention in blocks of query rows, without a stored score matrix (after Dao et al. 2022,
//! arXiv:2205.14135). Saved for the backward pass: the inputs and each query's
//! log-sum-exp; probabilities are computed again.
//!
//! One task is one key head of one sequence together with all query heads that read it, so that
//! every output element belongs to one task and every sum has one order.

use rayon::prelude::*;

use crate::buffer::{Shared, filled2};
use crate::gemm::{Left, Mode, Right, Strided, Target, Threads, Unit, apart};
use crate::kernel::one_query;
use crate::simd::{LANES, exp, largest, map_sum, mul_add, reduce2, vectorised};

/// Query rows of a block at most: a block of scores (`BLOCK x keys`) should stay in the core's own
/// cache.
const BLOCK: usize = 64;

/// Shapes of one call. Queries are `[batch, time, heads, width]`, keys and values are
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

/// Where queries, keys or values lie: `rows` rows of `stride` numbers for each sequence, one for
/// each position, in which head 0 begins at `offset`.
#[derive(Clone, Copy)]
pub(crate) struct Heads<'a> {
    pub(crate) data: &'a [f32],
    pub(crate) rows: usize,
    pub(crate) stride: usize,
    pub(crate) offset: usize,
}

/// Where gradients of queries, keys or values go, laid out likewise.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) data: Shared,
    pub(crate) stride: usize,
    pub(crate) offset: usize,
}

impl<'a> Heads<'a> {
    /// A tensor of its own, `[batch, rows, heads, width]`.
    pub(crate) fn alone(data: &'a [f32], [rows, heads, width]: [usize; 3]) -> Self {
        Self { data, rows, stride: heads * width, offset: 0 }
    }

    /// The rows of a head from one row on.
    fn view(&self, row: usize, head: usize, width: usize) -> Strided {
        Strided::rows(&self.data[self.at(row, head, width)..], self.stride)
    }

    /// Where a head's part of a row begins.
    pub(crate) fn at(&self, row: usize, head: usize, width: usize) -> usize {
        row * self.stride + self.offset + head * width
    }
}

impl Place {
    /// A tensor of its own.
    pub(crate) fn alone(data: Shared, heads: usize, width: usize) -> Self {
        Self { data, stride: heads * width, offset: 0 }
    }

    fn target(&self, row: usize, head: usize, width: usize) -> Target {
        let at = row * self.stride + self.offset + head * width;
        Target { start: self.data.at(at), stride: self.stride }
    }
}

impl Shape {
    pub(crate) fn keys(&self) -> usize {
        self.past + self.time
    }

    /// How far apart rows of scores are: at least the keys, up to whole blocks of lanes.
    fn stride(&self) -> usize {
        apart(self.keys().next_multiple_of(LANES))
    }

    pub(crate) fn scale(&self) -> f32 {
        1.0 / (self.width as f32).sqrt()
    }

    /// The query heads that read a key head.
    pub(crate) fn group(&self, kv_head: usize) -> std::ops::Range<usize> {
        let size = self.heads / self.kv_heads;
        kv_head * size..(kv_head + 1) * size
    }

    /// Where the log-sum-exp of a query is: they are `[batch, heads, time]`.
    fn lse(&self, sequence: usize, head: usize, first: usize) -> usize {
        (sequence * self.heads + head) * self.time + first
    }

    /// Blocks of query rows: first row and number of rows.
    fn blocks(&self, unit: Unit) -> impl DoubleEndedIterator<Item = (usize, usize)> {
        let time = self.time;
        let block = BLOCK / unit.panel_rows() * unit.panel_rows();
        (0..time.div_ceil(block)).map(move |index| {
            let first = index * block;
            (first, block.min(time - first))
        })
    }

    /// Calls `work` with each sequence and key head, in parallel, and with scratch.
    fn for_tasks<S>(
        &self,
        scratch: impl Fn() -> S + Send + Sync,
        work: impl Fn(usize, usize, &mut S) + Send + Sync,
    ) {
        let task = |scratch: &mut S, task: usize| {
            work(task / self.kv_heads, task % self.kv_heads, scratch);
        };
        let tasks = self.batch * self.kv_heads;
        let small = tasks * self.time * self.keys() * self.heads <= 1 << 14;
        if small || rayon::current_num_threads() == 1 {
            let mut scratch = scratch();
            (0..tasks).for_each(|index| task(&mut scratch, index));
        } else {
            (0..tasks).into_par_iter().for_each_init(scratch, task);
        }
    }
}

/// A key head's packed operands, and a block of scores.
struct Scratch {
    left: Left,
    rights: [Right; 4],
    scores: [Vec<f32>; 2],
}

impl Scratch {
    fn new(shape: &Shape, unit: Unit, blocks: usize) -> Self {
        let scores = BLOCK.min(shape.time) * shape.stride();
        let block = |index| vec![0.0; if index < blocks { scores } else { 0 }];
        Self {
            left: Left::default(),
            rights: [(); 4].map(|()| Right::empty(unit)),
            scores: [block(0), block(1)],
        }
    }
}

/// The output `[batch, time, heads, width]` and the log-sum-exp `[batch, heads, time]`.
pub(crate) fn forward(q: Heads<'_>, k: Heads<'_>, v: Heads<'_>, shape: Shape) -> [Vec<f32>; 2] {
    let Shape { batch, time, past, heads, width, .. } = shape;
    let lengths = [batch * time * heads * width, batch * heads * time];
    let stride = shape.stride();
    // SAFETY: the tasks cover all heads of all sequences and each writes all rows of its heads.
    unsafe {
        filled2(lengths, |out, lse| {
            let (out, lse) = (Shared::new(out), Shared::new(lse));
            if time == 1 && past > 0 {
                one_query::attend([q, k, v], shape, out, lse);
                return;
            }
            let out = Place::alone(out, heads, width);
            let unit = Unit::current();
            let scratch = || Scratch::new(&shape, unit, 1);
            shape.for_tasks(scratch, |sequence, kv_head, scratch| {
                let (row, key) = (sequence * time, sequence * k.rows);
                let Scratch { left, rights: [keys, values, ..], scores: [scores, _] } = scratch;
                let size = [width, shape.keys()];
                keys.repack(k.view(key, kv_head, width).transposed(), size, Threads::One);
                let v = v.view(key, kv_head, width);
                values.take(BLOCK, v, [size[1], width], Threads::One);
                for head in shape.group(kv_head) {
                    for (first, count) in shape.blocks(unit) {
                        let seen = past + first + count;
                        let q = left.take(keys, q.view(row + first, head, width), [count, width]);
                        let target = Target { start: scores.as_mut_ptr(), stride };
                        keys.multiply_part(q, [width, seen], shape.scale(), target, Mode::Fresh);
                        let lse = lse.part(shape.lse(sequence, head, first), count);
                        softmax_block(scores, stride, past + first + 1, seen, lse);
                        let scores =
                            left.take(values, Strided::rows(scores, stride), [count, seen]);
                        let target = out.target(row + first, head, width);
                        values.multiply_part(scores, [seen, width], 1.0, target, Mode::Fresh);
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
#[derive(Clone, Copy)]
pub(crate) struct Saved<'a> {
    pub(crate) q: Heads<'a>,
    pub(crate) k: Heads<'a>,
    pub(crate) v: Heads<'a>,
    pub(crate) lse: &'a [f32],
}

/// Writes the gradients of `q`, `k` and `v`. With probabilities `P`, `dV = P^T dO`,
/// `dP = dO V^T`, `dS = P (dP - D)` with `D` each query's sum of `P dP`, `dQ = dS K scale`,
/// `dK = dS^T Q scale`.
///
/// # Safety
/// The places must have room for the gradients of all heads, and nobody else may touch it.
pub(crate) unsafe fn backward(
    gradient: Heads<'_>,
    saved: Saved<'_>,
    shape: Shape,
    places: [Place; 3],
) {
    let unit = Unit::current();
    let scratch = || Scratch::new(&shape, unit, 2);
    shape.for_tasks(scratch, |sequence, kv_head, scratch| {
        let width = shape.width;
        let key = sequence * saved.k.rows;
        let (k, v) = (saved.k.view(key, kv_head, width), saved.v.view(key, kv_head, width));
        let size = [width, shape.keys()];
        let [keys_t, values_t, keys, _] = &mut scratch.rights;
        // SAFETY: a task has the rows of its heads to itself; from the last block on, all rows of
        // its key head are initialised.
        unsafe {
            keys_t.repack(k.transposed(), size, Threads::One);
            values_t.repack(v.transposed(), size, Threads::One);
            keys.take(BLOCK, k, [size[1], width], Threads::One);
            let task = Task { gradient, saved, shape, sequence, kv_head, places };
            let mut mode = Mode::Fresh;
            for head in shape.group(kv_head) {
                // The last block sees all keys, so it comes first and need not add.
                for block in shape.blocks(unit).rev() {
                    task.block(head, block, scratch, mode);
                    mode = Mode::Sum;
                }
            }
        }
    });
}

/// One key head of one sequence in the backward pass.
struct Task<'a> {
    gradient: Heads<'a>,
    saved: Saved<'a>,
    shape: Shape,
    sequence: usize,
    kv_head: usize,
    places: [Place; 3],
}

impl Task<'_> {
    /// One block of query rows of one head.
    ///
    /// # Safety
    /// The places must have room for their tensors, with this task's heads to itself; under
    /// [`Mode::Sum`] the rows of the key head must be initialised.
    unsafe fn block(
        &self,
        head: usize,
        (first, count): (usize, usize),
        scratch: &mut Scratch,
        mode: Mode,
    ) {
        let Shape { time, past, width, .. } = self.shape;
        let (scale, stride) = (self.shape.scale(), self.shape.stride());
        let seen = past + first + count;
        let row = self.sequence * time + first;
        let key = self.sequence * self.shape.keys();
        let q = self.saved.q.view(row, head, width);
        let gradient = self.gradient.view(row, head, width);
        let lse = &self.saved.lse[self.shape.lse(self.sequence, head, first)..][..count];
        let visible = past + first + 1;
        let Scratch { left, rights: [keys_t, values_t, keys, block], scores } = scratch;
        let [probabilities, slopes] = scores;
        let [dq, dk, dv] = self.places;
        // SAFETY: scratch holds `count` rows of `stride` each; the rest is the caller's promise.
        unsafe {
            let part = [width, seen];
            let target = Target { start: probabilities.as_mut_ptr(), stride };
            let rows = left.take(keys_t, q, [count, width]);
            keys_t.multiply_part(rows, part, scale, target, Mode::Fresh);
            let target = Target { start: slopes.as_mut_ptr(), stride };
            let rows = left.take(values_t, gradient, [count, width]);
            values_t.multiply_part(rows, part, 1.0, target, Mode::Fresh);
            slopes_block(probabilities, slopes, (stride, visible, seen), lse);

            let p = Strided::rows(probabilities, stride).transposed();
            block.take(seen, gradient, [count, width], Threads::One);
            let target = dv.target(key, self.kv_head, width);
            block.multiply(left.take(block, p, [seen, count]), 1.0, target, mode);
            let s = Strided::rows(slopes, stride);
            block.take(seen, q, [count, width], Threads::One);
            let target = dk.target(key, self.kv_head, width);
            block.multiply(left.take(block, s.transposed(), [seen, count]), scale, target, mode);
            let target = dq.target(row, head, width);
            let s = left.take(keys, s, [count, seen]);
            keys.multiply_part(s, [seen, width], scale, target, Mode::Fresh);
        }
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
    ) {
        let (stride, visible, keys) = size;
        let blocks = scores.chunks_exact_mut(stride).zip(slopes.chunks_exact_mut(stride));
        for (i, ((scores, slopes), &lse)) in blocks.zip(lse).enumerate() {
            let visible = visible + i;
            let whole = visible.next_multiple_of(LANES);
            scores[visible..whole].fill(f32::NEG_INFINITY);
            // What lies beyond the visible part is left over from another block: it must be finite.
            slopes[visible..whole].fill(0.0);
            let (visible_scores, visible_slopes) = (&mut scores[..whole], &mut slopes[..whole]);
            map_sum(visible_scores, |score| exp::<FMA>(score - lse));
            let dot = reduce2(visible_scores, visible_slopes, mul_add::<FMA>);
            for (score, slope) in visible_scores.iter().zip(visible_slopes) {
                *slope = *score * (*slope - dot);
            }
            if whole < keys {
                scores[whole..keys].fill(0.0);
                slopes[whole..keys].fill(0.0);
            }
        }
    }
}
