//! Products of matrices at the machine's rate.
//!
//! Both operands are copied into the order in which tiles read them (after Goto and van de Geijn
//! 2008, "Anatomy of high-performance matrix multiplication"). What a training repeats with one
//! operand - the same weights for every block of rows - packs that operand once: [`Right`]. Results do not depend
//! on the number of threads: every element is the sum over the inner dimension in one fixed order.

mod lanes;
mod pack;
mod tile;

use std::cell::RefCell;

use rayon::prelude::*;

pub(crate) use pack::Strided;
pub(crate) use tile::{Mode, Target, panel_rows};

use tile::Source;

use crate::simd::{Level, level};

/// Multiply-adds below which a product stays on one thread.
const SMALL: usize = 128 * 128 * 128;
/// Steps of the inner dimension between two visits of the result: a panel of the right operand
/// (`DEPTH x 32` numbers) then stays in a core's own cache.
const DEPTH: usize = 512;
/// Rows and columns of the operands' blocks that are packed at a time.
const BLOCK: [usize; 2] = [168, 1024];

/// Which threads a product may use.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Threads {
    /// The calling thread: for products inside a parallel loop.
    One,
    /// All of the pool, for products worth it.
    All,
}

/// A right operand `[k, n]`, packed: to be multiplied from the left again and again.
pub(crate) struct Right {
    data: Vec<f32>,
    /// Set where the operand is read as it lies.
    rows: Option<Strided>,
    level: Level,
    k: usize,
    n: usize,
}

impl Default for Right {
    /// Memory for an operand to be packed.
    fn default() -> Self {
        Self { data: Vec::new(), rows: None, level: level(), k: 0, n: 0 }
    }
}

impl Right {
    /// Packs a matrix.
    ///
    /// # Safety
    /// Its elements must be readable.
    pub(crate) unsafe fn pack(matrix: Strided, [k, n]: [usize; 2], threads: Threads) -> Self {
        let mut packed = Self::default();
        // SAFETY: the caller's promise.
        unsafe { packed.repack(matrix, [k, n], threads) };
        packed
    }

    /// An operand for so many rows on the left.
    ///
    /// # Safety
    /// As [`Right::pack`], for as long as the result is used.
    pub(crate) unsafe fn for_rows(
        rows: usize,
        matrix: Strided,
        size: [usize; 2],
        threads: Threads,
    ) -> Self {
        // SAFETY: the caller's promise.
        unsafe { Self::for_few(rows, matrix, size) }
            .unwrap_or_else(|| unsafe { Self::pack(matrix, size, threads) })
    }

    /// An operand that is read as it lies, because packing it would cost as much as the product:
    /// for few rows on the left, where the columns fill whole vectors.
    ///
    /// # Safety
    /// As [`Right::for_rows`].
    unsafe fn for_few(rows: usize, matrix: Strided, [k, n]: [usize; 2]) -> Option<Self> {
        let level = level();
        let [_, vector] = tile::panel_widths(level);
        let few = rows <= 2 * panel_rows(level);
        (few && matrix.column == 1 && n.is_multiple_of(vector)).then(|| Self {
            rows: Some(matrix),
            k,
            n,
            ..Self::default()
        })
    }

    /// Packs another matrix into the same memory.
    ///
    /// # Safety
    /// As [`Right::pack`].
    pub(crate) unsafe fn repack(&mut self, matrix: Strided, [k, n]: [usize; 2], threads: Threads) {
        let [wide, narrow] = tile::panel_widths(self.level);
        let whole = n / wide;
        let rest = n % wide;
        let rest_width = if rest > narrow { wide } else { narrow };
        (self.rows, self.k, self.n) = (None, k, n);
        self.data.clear();
        let length = k * (whole * wide + if rest > 0 { rest_width } else { 0 });
        self.data.reserve(length);
        let out = Target { start: self.data.as_mut_ptr(), stride: k * wide };
        let level = self.level;
        let panel = |index: usize| {
            let columns = (n - index * wide).min(wide);
            let width = if columns > narrow { wide } else { narrow };
            // SAFETY: the panels cover the reserved memory, each its own part.
            unsafe {
                let from = matrix.at(0, index * wide);
                tile::pack_panel(level, from, [k, columns], width, out.at(index, 0).start);
            }
        };
        let panels = n.div_ceil(wide);
        if threads == Threads::One || k * n < SMALL / 64 {
            (0..panels).for_each(panel);
        } else {
            (0..panels).into_par_iter().for_each(panel);
        }
        // SAFETY: the panels were written in full, padding included.
        unsafe { self.data.set_len(length) };
    }

    /// `out (+)= scale * left x self`, of the first `m` rows of `left`; on the calling thread.
    ///
    /// # Safety
    /// `out` must have room for `[m, n]` (initialised for [`Mode::Sum`]) and no other thread may
    /// touch that meanwhile.
    pub(crate) unsafe fn multiply(&self, left: &Left, scale: f32, out: Target, mode: Mode) {
        // SAFETY: the caller's promise.
        unsafe { self.multiply_part(left, [left.k, self.n], scale, out, mode) };
    }

    /// [`Right::multiply`] with the first `k` rows and `n` columns of this operand alone.
    ///
    /// # Safety
    /// As [`Right::multiply`].
    pub(crate) unsafe fn multiply_part(
        &self,
        left: &Left,
        [k, n]: [usize; 2],
        scale: f32,
        out: Target,
        mode: Mode,
    ) {
        assert!(k == left.k && k <= self.k && n <= self.n && left.level == self.level);
        let source = match self.rows {
            Some(matrix) => Source::Rows(matrix.start, matrix.row),
            None => Source::Packed(self.data.as_ptr(), [self.k, self.n]),
        };
        let left_data = left.data.as_ptr();
        // SAFETY: the caller's promise, and the check above.
        unsafe { tile::multiply(self.level, [left.m, k, n], left_data, source, scale, out, mode) };
    }
}

/// A left operand `[m, k]`, packed.
pub(crate) struct Left {
    data: Vec<f32>,
    level: Level,
    m: usize,
    k: usize,
}

impl Default for Left {
    /// Memory for an operand to be packed.
    fn default() -> Self {
        Self { data: Vec::new(), level: level(), m: 0, k: 0 }
    }
}

impl Left {
    /// Packs a matrix into the memory of the last one.
    ///
    /// # Safety
    /// Its elements must be readable.
    pub(crate) unsafe fn pack(&mut self, matrix: Strided, [m, k]: [usize; 2]) -> &Self {
        (self.m, self.k) = (m, k);
        self.data.clear();
        self.data.reserve(m * k);
        // SAFETY: the panels of rows fill the reserved memory.
        unsafe {
            tile::pack_left(self.level, matrix, [m, k], self.data.as_mut_ptr());
            self.data.set_len(m * k);
        }
        self
    }
}

thread_local! {
    /// Packed blocks of the product at hand: kept, because most products are small.
    static OPERANDS: RefCell<Option<(Left, Right)>> = const { RefCell::new(None) };
}

/// `out (+)= scale * left x right` with `left` `[m, k]`, `right` `[k, n]` and `out` `[m, n]`.
///
/// # Safety
/// All elements named by the shapes and strides must lie in live memory, `left` and `right`
/// initialised and, for [`Mode::Sum`], `out` too; no other thread may touch `out` meanwhile.
pub(crate) unsafe fn product(
    [m, k, n]: [usize; 3],
    left: Strided,
    right: Strided,
    scale: f32,
    out: Target,
    mode: Mode,
    threads: Threads,
) {
    let work = m.saturating_mul(n).saturating_mul(k);
    let tasks = match threads {
        Threads::All if work >= SMALL => rayon::current_num_threads(),
        _ => 1,
    };
    if tasks == 1 {
        // SAFETY: the caller's promise.
        unsafe { serial([m, k, n], left, right, scale, out, mode) };
        return;
    }
    // The longer side of the result is shared out; how does not matter to any element.
    let level = level();
    let (length, unit) =
        if m >= n { (m, panel_rows(level)) } else { (n, tile::panel_widths(level)[0]) };
    let share = length.div_ceil(tasks).next_multiple_of(unit);
    (0..length.div_ceil(share)).into_par_iter().for_each(|task| {
        let from = task * share;
        let count = share.min(length - from);
        // SAFETY: the caller's promise; the parts of the result do not overlap.
        unsafe {
            if m >= n {
                let (left, out) = (left.at(from, 0), out.at(from, 0));
                serial([count, k, n], left, right, scale, out, mode);
            } else {
                let (right, out) = (right.at(0, from), out.at(0, from));
                serial([m, k, count], left, right, scale, out, mode);
            }
        }
    });
}

unsafe fn serial(
    [m, k, n]: [usize; 3],
    left: Strided,
    right: Strided,
    scale: f32,
    out: Target,
    mode: Mode,
) {
    OPERANDS.with_borrow_mut(|operands| {
        // Tests change the level in between.
        let kept = operands.take().filter(|(left, _)| left.level == level());
        let (packed_left, packed_right) = operands.insert(kept.unwrap_or_default());
        // SAFETY: the caller's promise.
        let lying = unsafe { Right::for_few(m, right, [k, n]) };
        if let Some(right) = lying {
            // SAFETY: the caller's promise.
            unsafe { right.multiply(packed_left.pack(left, [m, k]), scale, out, mode) };
            return;
        }
        for column in (0..n).step_by(BLOCK[1]) {
            let columns = BLOCK[1].min(n - column);
            for depth in (0..k).step_by(DEPTH) {
                let steps = DEPTH.min(k - depth);
                let mode = if depth == 0 { mode } else { Mode::Sum };
                // SAFETY: the caller's promise.
                unsafe {
                    packed_right.repack(right.at(depth, column), [steps, columns], Threads::One);
                    for row in (0..m).step_by(BLOCK[0]) {
                        let rows = BLOCK[0].min(m - row);
                        let left = packed_left.pack(left.at(row, depth), [rows, steps]);
                        packed_right.multiply(left, scale, out.at(row, column), mode);
                    }
                }
            }
        }
    });
}

#[cfg(test)]
mod tests;
