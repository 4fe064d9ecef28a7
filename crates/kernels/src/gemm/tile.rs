//! Products of packed operands, tile by tile.
//!
//! A tile is `ROWS x 2 WIDTH` numbers of the result, held in registers while the inner dimension
//! runs: for each step of it, one vector pair of the right operand and one number per row of the
//! left. Both operands are packed so that every step reads on where the last one stopped.

use std::mem::MaybeUninit;

use super::lanes::Lanes;
use super::pack::{self, Strided};

/// Where a product goes: the first element, and the distance between rows.
#[derive(Clone, Copy)]
pub(crate) struct Target {
    pub(crate) start: *mut f32,
    pub(crate) stride: usize,
}

// SAFETY: every user writes only elements that no other thread reads or writes.
unsafe impl Send for Target {}
// SAFETY: as above.
unsafe impl Sync for Target {}

impl Target {
    /// Rows of `stride` numbers from the start of a slice.
    pub(crate) fn rows(out: &mut [MaybeUninit<f32>], stride: usize) -> Self {
        Self { start: out.as_mut_ptr().cast(), stride }
    }

    /// The same from another row and column on.
    pub(crate) fn at(self, row: usize, column: usize) -> Self {
        Self { start: self.start.wrapping_add(row * self.stride + column), ..self }
    }
}

/// What becomes of the destination's old content.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mode {
    /// It is overwritten (and may be uninitialised).
    Fresh,
    /// The product is added to it.
    Sum,
}

/// A left operand.
#[derive(Clone, Copy)]
pub(super) enum Rows {
    /// Packed in panels.
    Packed(*const f32),
    /// As it lies. Where [`lies`](super::dispatch::lies) alone.
    Lying(Strided),
}

/// A right operand.
#[derive(Clone, Copy)]
pub(super) enum Source {
    /// Packed in panels, with so many rows and columns in all.
    Packed(*const f32, [usize; 2]),
    /// As it lies: row-major, rows so far apart. For whole vectors of columns only.
    Rows(*const f32, usize),
}

/// Steps of the inner dimension between two visits of a tile: what two panels hold of them fits
/// a core's nearest cache (32 kB), and sums of many terms lose less to rounding.
const DEPTH: usize = 128;

/// How far ahead rows of an operand are fetched that is read as it lies.
const AHEAD: usize = 16;

/// See `dispatch::multiply`.
#[inline(always)]
pub(super) unsafe fn panels<L: Lanes>(
    [m, k, n]: [usize; 3],
    left: Rows,
    right: Source,
    scale: f32,
    out: Target,
    mode: Mode,
) {
    let wide = 2 * L::WIDTH;
    let tiles = m.div_ceil(L::ROWS);
    let mut column = 0;
    while column < n {
        let columns = (n - column).min(wide);
        // All steps of a panel before the next one: the tiles are still near when they are visited
        // again.
        let mut from = 0;
        loop {
            let steps = (k - from).min(DEPTH);
            let mode = if from == 0 { mode } else { Mode::Sum };
            let place = |column: usize, from: usize| match right {
                Source::Packed(start, [depth, packed]) => {
                    let width = pack::panel_width(packed.saturating_sub(column), L::WIDTH);
                    (start.wrapping_add(column * depth + from * width), width)
                }
                Source::Rows(start, stride) => (start.wrapping_add(column + from * stride), stride),
            };
            let at = place(column, from);
            let after = from + steps;
            let (next, apart) =
                if after < k { place(column, after) } else { place(column + wide, 0) };
            // What follows is fetched by all tiles of the panel, each a part: a single one would wait
            // for memory.
            let (mut next, ahead, part) = match right {
                _ if L::BY_HAND => (next, apart, steps.div_ceil(tiles) * apart),
                Source::Packed(..) => (next, at.1.div_ceil(tiles), steps * at.1.div_ceil(tiles)),
                Source::Rows(..) => (at.0.wrapping_add(AHEAD * apart), apart, 0),
            };
            let lines = steps.div_ceil(tiles);
            let mut row = 0;
            while row < m {
                let right = (at, (next, ahead, lines));
                next = next.wrapping_add(part);
                let rows = (m - row).min(L::ROWS);
                let left = match left {
                    Rows::Packed(start) => {
                        let panel = pack::left_panel(row, k, L::ROWS);
                        (start.wrapping_add(panel + from * rows), 1, rows)
                    }
                    Rows::Lying(left) => (left.at(row, from).start, left.row, left.column),
                };
                let out = out.at(row, column);
                // SAFETY: the caller's promise; panels are laid out by `pack`.
                unsafe {
                    if columns > L::WIDTH {
                        of_rows::<L, 2>(rows, steps, left, right, scale, out, columns, mode);
                    } else {
                        of_rows::<L, 1>(rows, steps, left, right, scale, out, columns, mode);
                    }
                }
                row += rows;
            }
            from += steps;
            if from >= k {
                break;
            }
        }
        column += columns;
    }
}

/// Rows of the left operand, the distance of these and that of their numbers.
type Tall = (*const f32, usize, usize);
/// A panel of the right operand with the distance of its rows, and rows to be fetched meanwhile, so far
/// apart and so many.
type Panel = ((*const f32, usize), (*const f32, usize, usize));

/// Asks for rows of a panel, so far apart and so many.
#[inline(always)]
unsafe fn fetch<L: Lanes>(from: *const f32, apart: usize, rows: usize) {
    let width = 2 * L::WIDTH;
    // SAFETY: any address will do.
    unsafe {
        if apart == width {
            // Packed: a line each.
            (0..rows).for_each(|row| L::prefetch(from.wrapping_add(row * width)));
            return;
        }
        for row in 0..rows {
            // Both ends: rows need not begin with a line of memory.
            L::prefetch(from.wrapping_add(row * apart));
            L::prefetch(from.wrapping_add(row * apart + width - 1));
        }
    }
}

/// Picks the tile for the number of rows.
#[inline(always)]
#[allow(clippy::too_many_arguments)]
unsafe fn of_rows<L: Lanes, const VECTORS: usize>(
    rows: usize,
    k: usize,
    left: Tall,
    right: Panel,
    scale: f32,
    out: Target,
    columns: usize,
    mode: Mode,
) {
    macro_rules! pick {
        ($($n:literal)*) => {
            match rows {
                // SAFETY: the caller's promise.
                $($n if $n <= L::ROWS => unsafe {
                    tile::<L, $n, VECTORS>(k, left, right, scale, out, columns, mode);
                },)*
                _ => unreachable!("a panel has at most {} rows", L::ROWS),
            }
        };
    }
    pick!(1 2 3 4 5 6 7 8 9 10 11 12 13 14);
}

#[inline(always)]
unsafe fn tile<L: Lanes, const ROWS: usize, const VECTORS: usize>(
    k: usize,
    (mut left, apart, left_step): Tall,
    ((mut right, step), (mut next, next_step, lines)): Panel,
    scale: f32,
    out: Target,
    columns: usize,
    mode: Mode,
) {
    // SAFETY: the caller's promise.
    unsafe {
        // Distances that are known need no registers.
        let (apart, left_step) = if L::LYING { (apart, left_step) } else { (1, ROWS) };
        let mut sums = [[L::splat(0.0); VECTORS]; ROWS];
        let by_hand = L::BY_HAND && ROWS == L::ROWS && VECTORS == 2;
        if by_hand {
            fetch::<L>(next, next_step, lines);
            // Where the sums go, too, which is far from what was read.
            for row in 0..ROWS {
                L::prefetch(out.at(row, 0).start);
                L::prefetch(out.at(row, 2 * L::WIDTH - 1).start);
            }
            L::whole_tile(sums.as_flattened_mut(), k, (left, apart, left_step), (right, step));
        }
        let steps = if by_hand { 0 } else { k };
        for _ in 0..steps {
            for v in 0..VECTORS {
                L::prefetch(next.wrapping_add(v * L::WIDTH));
            }
            next = next.wrapping_add(next_step);
            let mut b = [L::splat(0.0); VECTORS];
            for (v, b) in b.iter_mut().enumerate() {
                *b = L::load(right.add(v * L::WIDTH));
            }
            for (row, sums) in sums.iter_mut().enumerate() {
                let a = L::splat(*left.add(row * apart));
                for (sum, b) in sums.iter_mut().zip(b) {
                    *sum = a.times_plus(b, *sum);
                }
            }
            left = left.wrapping_add(left_step);
            right = right.add(step);
        }
        // Short loops without branches: the compiler unrolls them, and only then do the sums stay
        // in registers above.
        let scale = L::splat(scale);
        if !L::MASKED && columns < VECTORS * L::WIDTH {
            let mut whole = [[0.0; 2 * WIDEST_UNMASKED]; ROWS];
            for (row, (sums, whole)) in sums.iter().zip(&mut whole).enumerate() {
                for (v, sum) in sums.iter().enumerate() {
                    let count = (columns - v * L::WIDTH).min(L::WIDTH);
                    let scaled = match mode {
                        Mode::Sum => sum.times_plus(
                            scale,
                            L::load_first(out.at(row, v * L::WIDTH).start, count),
                        ),
                        Mode::Fresh => sum.times(scale),
                    };
                    scaled.store(whole.as_mut_ptr().add(v * L::WIDTH));
                }
            }
            write_first(&whole, columns, out);
            return;
        }
        // A number that is known where parts of vectors are not written.
        let columns = if L::MASKED { columns } else { VECTORS * L::WIDTH };
        for v in 0..VECTORS {
            let count = (columns - v * L::WIDTH).min(L::WIDTH);
            let to = out.start.wrapping_add(v * L::WIDTH);
            if mode == Mode::Sum {
                for (row, sums) in sums.iter_mut().enumerate() {
                    let at = to.wrapping_add(row * out.stride);
                    let old = if L::MASKED { L::load_first(at, count) } else { L::load(at) };
                    sums[v] = sums[v].times_plus(scale, old);
                }
            } else {
                for sums in &mut sums {
                    sums[v] = sums[v].times(scale);
                }
            }
            for (row, sums) in sums.iter().enumerate() {
                let at = to.wrapping_add(row * out.stride);
                if L::MASKED { sums[v].store_first(at, count) } else { sums[v].store(at) }
            }
        }
    }
}

/// Numbers in the widest vector whose parts are not written by a mask.
const WIDEST_UNMASKED: usize = 8;

/// Writes the first columns of a tile.
///
/// # Safety
/// The target must have room for them.
#[inline(never)]
unsafe fn write_first(tile: &[[f32; 2 * WIDEST_UNMASKED]], columns: usize, out: Target) {
    for (index, row) in tile.iter().enumerate() {
        let to = out.at(index, 0).start;
        // SAFETY: the caller's promise.
        unsafe { row[..columns].as_ptr().copy_to_nonoverlapping(to, columns) };
    }
}
