//! Copies of operands in the order in which a product reads them.

use std::ops::Range;

use super::lanes::Lanes;

/// A matrix to read: where it starts and how far apart its rows and its columns are, in elements.
#[derive(Clone, Copy)]
pub(crate) struct Strided {
    pub(crate) start: *const f32,
    pub(crate) row: usize,
    pub(crate) column: usize,
}

// SAFETY: it is only read, and the owner of the memory outlives the products.
unsafe impl Send for Strided {}
// SAFETY: as above.
unsafe impl Sync for Strided {}

impl Strided {
    /// A row-major matrix with `columns` columns.
    pub(crate) fn rows(data: &[f32], columns: usize) -> Self {
        Self { start: data.as_ptr(), row: columns, column: 1 }
    }

    /// The same matrix, rows and columns exchanged.
    pub(crate) fn transposed(self) -> Self {
        Self { row: self.column, column: self.row, ..self }
    }

    /// The same from another row and column on.
    pub(crate) fn at(self, row: usize, column: usize) -> Self {
        Self { start: self.start.wrapping_add(row * self.row + column * self.column), ..self }
    }
}

/// Numbers of a way of the nearest cache, 4 kB, by a fraction of which rows should not be apart.
const WAY: usize = 1024;

/// Whether rows so far apart drive each other out of the nearest cache (64 places of a line each, by
/// the lowest bits of the address, and eight lines to a place): few places for many rows.
pub(super) fn crowded(apart: usize) -> bool {
    apart.is_multiple_of(WAY / 8)
}

/// How far apart rows of so many numbers are best laid: whole lines, and not crowded.
pub(crate) fn apart(columns: usize) -> usize {
    let lines = columns.next_multiple_of(16);
    if crowded(lines) { lines + 16 } else { lines }
}

/// Numbers between the panels of a left operand: a line, or panels of many columns would drive each other
/// out of the nearest cache while they are written side by side.
const BETWEEN: usize = 16;

/// Where the panel begins whose first row this is, of `k` columns in panels of so many rows.
#[inline(always)]
pub(super) fn left_panel(row: usize, k: usize, rows: usize) -> usize {
    row * k + row / rows * BETWEEN
}

/// Columns of a left operand that lies by columns, which are copied for all panels before the next ones:
/// a line of memory holds numbers of several panels, and columns that are a power of two apart drive
/// each other out of the nearest cache when more of them are read between.
const TOGETHER: usize = 8;
/// Rows of a right operand that are copied into all panels before the next ones, while those are fetched:
/// rows that are a power of two apart drive each other out of the nearest cache when more are read between.
const ROWS: usize = 8;

/// See `dispatch::pack_left`.
#[inline(always)]
pub(super) unsafe fn left<L: Lanes>(left: Strided, [m, k]: [usize; 2], out: *mut f32) {
    if left.row == 1 {
        for column in (0..k).step_by(TOGETHER) {
            let columns = column..(column + TOGETHER).min(k);
            // SAFETY: the caller's promise.
            unsafe { left_columns::<L>(left, [m, k], columns, out) };
        }
        return;
    }
    let mut row = 0;
    while row < m {
        let rows = (m - row).min(L::ROWS);
        let (from, to) = (left.at(row, 0), out.wrapping_add(left_panel(row, k, L::ROWS)));
        // SAFETY: the caller's promise.
        unsafe {
            if left.column == 1 {
                let mut column = 0;
                while column < k {
                    let columns = (k - column).min(L::WIDTH);
                    let from = (from.start.add(column), left.row);
                    L::transpose(from, [rows, columns], (to.add(column * rows), rows));
                    column += columns;
                }
            } else {
                for column in 0..k {
                    for row in 0..rows {
                        *to.add(column * rows + row) = *from.at(row, column).start;
                    }
                }
            }
        }
        row += rows;
    }
}

/// Some columns of [`left`], each of which lies in one piece.
#[inline(always)]
unsafe fn left_columns<L: Lanes>(
    left: Strided,
    [m, k]: [usize; 2],
    columns: Range<usize>,
    out: *mut f32,
) {
    let mut row = 0;
    while row < m {
        let rows = (m - row).min(L::ROWS);
        let panel = out.wrapping_add(left_panel(row, k, L::ROWS));
        let whole = rows.next_multiple_of(L::WIDTH);
        for column in columns.clone() {
            let (from, to) = (left.at(row, column).start, panel.wrapping_add(column * rows));
            // In whole vectors where the numbers after these are written later.
            let over = row + whole <= m && column + 1 < k;
            // SAFETY: the caller's promise.
            unsafe {
                L::prefetch(left.at(row, column + TOGETHER).start);
                for at in (0..rows).step_by(L::WIDTH) {
                    if over {
                        L::load(from.add(at)).store(to.add(at));
                    } else {
                        let count = (rows - at).min(L::WIDTH);
                        L::load_first(from.add(at), count).store_first(to.add(at), count);
                    }
                }
            }
        }
        row += rows;
    }
}

/// Columns of a right operand's panel that holds so many at most.
#[inline(always)]
pub(super) fn panel_width(columns: usize, width: usize) -> usize {
    if columns > width { 2 * width } else { width }
}

/// See `dispatch::pack_right`.
#[inline(always)]
pub(super) unsafe fn right<L: Lanes>(right: Strided, [k, n]: [usize; 2], out: *mut f32) {
    let wide = 2 * L::WIDTH;
    // SAFETY: the caller's promise.
    unsafe {
        if right.column == 1 {
            for from in (0..k).step_by(ROWS) {
                let rows = from..(from + ROWS).min(k);
                for column in (0..n).step_by(wide) {
                    let to = out.wrapping_add(column * k);
                    panel_rows::<L>(right.at(0, column), rows.clone(), n - column, to);
                }
            }
        } else {
            for column in (0..n).step_by(wide) {
                let size = [k, (n - column).min(wide)];
                panel::<L>(right.at(0, column), size, out.wrapping_add(column * k));
            }
        }
    }
}

/// Some rows of a panel of so many columns, where rows lie in one piece.
#[inline(always)]
unsafe fn panel_rows<L: Lanes>(right: Strided, rows: Range<usize>, columns: usize, out: *mut f32) {
    let width = panel_width(columns, L::WIDTH);
    for row in rows {
        let (from, to) = (right.at(row, 0).start, out.wrapping_add(row * width));
        // SAFETY: the caller's promise.
        unsafe {
            L::prefetch(right.at(row + ROWS, 0).start);
            if columns >= 2 * L::WIDTH {
                L::load(from).store(to);
                L::load(from.add(L::WIDTH)).store(to.add(L::WIDTH));
                continue;
            }
            for at in (0..width).step_by(L::WIDTH) {
                let count = (columns - at).min(L::WIDTH);
                L::load_first(from.wrapping_add(at), count).store(to.add(at));
            }
        }
    }
}

/// A panel of rows that do not lie in one piece.
#[inline(always)]
unsafe fn panel<L: Lanes>(right: Strided, [k, columns]: [usize; 2], out: *mut f32) {
    let width = panel_width(columns, L::WIDTH);
    // SAFETY: the caller's promise.
    unsafe {
        if columns < width {
            std::ptr::write_bytes(out, 0, width * k);
        }
        if right.row == 1 {
            let mut at = 0;
            while at < columns {
                let count = (columns - at).min(L::WIDTH);
                let mut row = 0;
                while row < k {
                    let rows = (k - row).min(L::WIDTH);
                    let from = (right.at(row, at).start, right.column);
                    L::transpose(from, [count, rows], (out.add(row * width + at), width));
                    row += rows;
                }
                at += count;
            }
        } else {
            for row in 0..k {
                for column in 0..columns {
                    *out.add(row * width + column) = *right.at(row, column).start;
                }
            }
        }
    }
}
