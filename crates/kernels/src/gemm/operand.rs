//! Operands of products, packed.

use std::mem::MaybeUninit;

use rayon::prelude::*;

use super::pack::{Strided, crowded};
use super::tile::{Mode, Rows, Source, Target};
use super::unit::Unit;
use super::{SMALL, Threads, bf16, dispatch};

/// Memory for packed numbers: vectors and tiles are read in whole cache lines.
#[derive(Default)]
struct Words(Vec<MaybeUninit<Line>>);

#[repr(align(64))]
#[expect(dead_code, reason = "memory for numbers of another shape")]
struct Line([f32; 16]);

impl Words {
    /// Room for so many numbers, whose old content may be lost.
    fn room(&mut self, length: usize) -> *mut f32 {
        let lines = length.div_ceil(size_of::<Line>() / size_of::<f32>());
        if lines > self.0.len() {
            self.0 = std::iter::repeat_with(MaybeUninit::uninit).take(lines).collect();
        }
        self.0.as_mut_ptr().cast()
    }

    fn start(&self) -> *const f32 {
        self.0.as_ptr().cast()
    }
}

/// Panels that are packed together by a thread: as many pieces of memory are written side by side.
const TOGETHER: usize = 8;

/// A right operand `[k, n]`, packed: to be multiplied from the left again and again.
pub(crate) struct Right {
    /// f32 numbers, or pairs of bf16.
    words: Words,
    /// Set where the operand is read as it lies.
    rows: Option<Strided>,
    unit: Unit,
    k: usize,
    n: usize,
}

impl Right {
    /// Memory for an operand to be packed.
    pub(crate) fn empty(unit: Unit) -> Self {
        Self { words: Words::default(), rows: None, unit, k: 0, n: 0 }
    }

    /// Packs a matrix.
    ///
    /// # Safety
    /// Its elements must be readable.
    pub(crate) unsafe fn pack(matrix: Strided, [k, n]: [usize; 2], threads: Threads) -> Self {
        let mut packed = Self::empty(Unit::current());
        // SAFETY: the caller's promise.
        unsafe { packed.repack(matrix, [k, n], threads) };
        packed
    }

    /// An operand for so many rows on the left.
    ///
    /// # Safety
    /// As [`Right::take`].
    pub(crate) unsafe fn for_rows(
        rows: usize,
        matrix: Strided,
        size: [usize; 2],
        threads: Threads,
    ) -> Self {
        let mut operand = Self::empty(Unit::current());
        // SAFETY: the caller's promise.
        unsafe { operand.take(rows, matrix, size, threads) };
        operand
    }

    /// Takes a matrix in place of the last one, for so many rows on the left: packed or as it lies,
    /// whichever is faster.
    ///
    /// # Safety
    /// As [`Right::pack`], and what is read as it lies must stay what it is for as long as this is used.
    pub(crate) unsafe fn take(
        &mut self,
        rows: usize,
        matrix: Strided,
        [k, n]: [usize; 2],
        threads: Threads,
    ) {
        if Self::lies(self.unit, rows, matrix, n) {
            (self.rows, self.k, self.n) = (Some(matrix), k, n);
        } else {
            // SAFETY: the caller's promise.
            unsafe { self.repack(matrix, [k, n], threads) };
        }
    }

    /// Whether packing costs more than it gains, where the columns fill whole vectors: for so few rows on
    /// the left that it would be as much work as the product, and where rows that are far apart do not
    /// drive each other out of the nearest cache.
    fn lies(unit: Unit, rows: usize, matrix: Strided, n: usize) -> bool {
        let Unit::F32(level) = unit else { return false };
        let [_, vector] = dispatch::panel_widths(level);
        let few = rows <= 2 * unit.panel_rows();
        let near = dispatch::lies(level) && rows <= unit.block_rows() && !crowded(matrix.row);
        (few || near) && matrix.column == 1 && n.is_multiple_of(vector)
    }

    /// What computes products with this operand.
    pub(super) fn unit(&self) -> Unit {
        self.unit
    }

    /// Packs another matrix into the same memory.
    ///
    /// # Safety
    /// As [`Right::pack`].
    pub(crate) unsafe fn repack(&mut self, matrix: Strided, [k, n]: [usize; 2], threads: Threads) {
        (self.rows, self.k, self.n) = (None, k, n);
        let unit = self.unit;
        let length = |columns: usize| match unit {
            Unit::F32(level) | Unit::Rounded(level) => dispatch::right_length(level, [k, columns]),
            Unit::Pairs | Unit::Tiles => bf16::words([columns, k]),
        };
        let tasks = if k * n >= SMALL / 64 { threads.pieces() } else { 1 };
        let wide = unit.panel_columns();
        let together = match unit {
            Unit::F32(_) | Unit::Rounded(_) => {
                wide * n.div_ceil(wide).div_ceil(tasks).clamp(1, TOGETHER)
            }
            Unit::Pairs | Unit::Tiles => wide,
        };
        let out = Target { start: self.words.room(length(n)), stride: length(together) };
        let pack = |index: usize| {
            let columns = (n - index * together).min(together);
            let (from, to) = (matrix.at(0, index * together), out.at(index, 0).start);
            // SAFETY: the panels cover the reserved memory, each its own part.
            unsafe {
                match unit {
                    Unit::F32(level) => dispatch::pack_right(level, from, [k, columns], to),
                    Unit::Rounded(level) => {
                        dispatch::pack_right(level, from, [k, columns], to);
                        bf16::round(to, length(columns));
                    }
                    Unit::Pairs | Unit::Tiles => {
                        bf16::pack_right(from.transposed(), [columns, k], to.cast());
                    }
                }
            }
        };
        let parts = n.div_ceil(together);
        if tasks == 1 {
            (0..parts).for_each(pack);
        } else {
            (0..parts).into_par_iter().for_each(pack);
        }
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
        assert!(k == left.k && k <= self.k && n <= self.n && left.unit == Some(self.unit));
        // The loop over tiles runs at least once.
        assert!(k > 0, "a product without an inner dimension");
        let size = [left.m, k, n];
        // SAFETY: the caller's promise, and the check above.
        unsafe {
            match self.unit {
                Unit::F32(level) | Unit::Rounded(level) => {
                    let source = match self.rows {
                        Some(matrix) => Source::Rows(matrix.start, matrix.row),
                        None => Source::Packed(self.words.start(), [self.k, self.n]),
                    };
                    let left = match left.rows {
                        Some(matrix) => Rows::Lying(matrix),
                        None => Rows::Packed(left.words.start()),
                    };
                    dispatch::multiply(level, size, left, source, scale, out, mode);
                }
                Unit::Pairs | Unit::Tiles => {
                    let right = (self.words.start().cast(), self.k);
                    bf16::multiply(
                        self.unit,
                        size,
                        left.words.start().cast(),
                        right,
                        (out, scale, mode),
                    );
                }
            }
        }
    }
}

/// Columns of the right operand up to which a left one that lies by columns is not worth a copy: few
/// tiles read it.
const SELDOM: usize = 48;

/// A left operand `[m, k]`, packed or as it lies, whichever is faster.
#[derive(Default)]
pub(crate) struct Left {
    words: Words,
    /// Set where the operand is read as it lies.
    rows: Option<Strided>,
    unit: Option<Unit>,
    m: usize,
    k: usize,
}

impl Left {
    /// Takes a matrix in place of the last one, for products with `right`.
    ///
    /// # Safety
    /// Its elements must be readable, and stay what they are for as long as the result is used.
    pub(crate) unsafe fn take(
        &mut self,
        right: &Right,
        matrix: Strided,
        [m, k]: [usize; 2],
    ) -> &Self {
        (self.unit, self.m, self.k) = (Some(right.unit()), m, k);
        let seldom = matrix.row == 1 && right.n <= SELDOM && !crowded(matrix.column);
        self.rows = match right.unit() {
            Unit::F32(level) if dispatch::lies(level) && (matrix.column == 1 || seldom) => {
                Some(matrix)
            }
            _ => None,
        };
        if self.rows.is_some() {
            return self;
        }
        let length = match right.unit() {
            Unit::F32(level) | Unit::Rounded(level) => dispatch::left_length(level, [m, k]),
            Unit::Pairs | Unit::Tiles => bf16::words([m, k]),
        };
        let to = self.words.room(length);
        // SAFETY: the panels of rows, padding included, fill this memory.
        unsafe {
            match right.unit() {
                Unit::F32(level) => dispatch::pack_left(level, matrix, [m, k], to),
                Unit::Rounded(level) => {
                    // Between panels is what nobody has written or will read.
                    to.write_bytes(0, length);
                    dispatch::pack_left(level, matrix, [m, k], to);
                    bf16::round(to, length);
                }
                Unit::Pairs | Unit::Tiles => bf16::pack_left(matrix, [m, k], to.cast()),
            }
        }
        self
    }
}
