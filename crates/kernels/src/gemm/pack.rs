//! Copies of operands in the order in which a product reads them.

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

/// See `tile::pack_left`.
#[inline(always)]
pub(super) unsafe fn left<L: Lanes>(left: Strided, [m, k]: [usize; 2], out: *mut f32) {
    let mut row = 0;
    while row < m {
        let rows = (m - row).min(L::ROWS);
        let (from, to) = (left.at(row, 0), out.wrapping_add(row * k));
        // SAFETY: the caller's promise.
        unsafe {
            if left.row == 1 {
                for column in 0..k {
                    let from = from.at(0, column).start;
                    let to = to.add(column * rows);
                    let mut at = 0;
                    while at < rows {
                        let count = (rows - at).min(L::WIDTH);
                        L::load_first(from.add(at), count).store_first(to.add(at), count);
                        at += count;
                    }
                }
            } else if left.column == 1 {
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

/// See `tile::pack_panel`.
#[inline(always)]
pub(super) unsafe fn panel<L: Lanes>(
    right: Strided,
    [k, columns]: [usize; 2],
    width: usize,
    out: *mut f32,
) {
    // SAFETY: the caller's promise.
    unsafe {
        if right.column == 1 {
            for row in 0..k {
                let mut at = 0;
                while at < width {
                    let count = columns.saturating_sub(at).min(L::WIDTH);
                    let from = right.at(row, 0).start.wrapping_add(at);
                    L::load_first(from, count).store(out.add(row * width + at));
                    at += L::WIDTH;
                }
            }
            return;
        }
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
