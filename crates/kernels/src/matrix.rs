//! Products of strided matrices.

/// Multiply-adds below which a product stays on one thread.
const SMALL: usize = 128 * 128 * 128;

/// A matrix to read: where it starts and how far apart its rows and its columns are, in elements.
#[derive(Clone, Copy)]
pub(crate) struct Matrix {
    pub(crate) start: *const f32,
    pub(crate) row: usize,
    pub(crate) column: usize,
}

impl Matrix {
    /// A row-major matrix with `columns` columns.
    pub(crate) fn rows(data: &[f32], columns: usize) -> Self {
        Self { start: data.as_ptr(), row: columns, column: 1 }
    }

    /// The same matrix, rows and columns exchanged.
    pub(crate) fn transposed(self) -> Self {
        Self { row: self.column, column: self.row, ..self }
    }
}

/// What becomes of the destination's old content.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// It is overwritten (and may be uninitialised).
    Fresh,
    /// The product is added to it.
    Sum,
}

/// Which threads a product may use. Sums run over the inner dimension in one fixed order either way.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Threads {
    /// The calling thread: for products inside a parallel loop.
    One,
    /// All of the pool, for products worth it.
    All,
}

/// `out (+)= scale * left x right` with `left` `[m, k]`, `right` `[k, n]` and `out` `[m, n]`, whose
/// rows are `stride` elements apart.
///
/// # Safety
/// All elements named by the shapes and strides must lie in live memory, `left` and `right`
/// initialised and, for [`Mode::Sum`], `out` too; no other thread may touch `out` meanwhile.
pub(crate) unsafe fn product(
    [m, k, n]: [usize; 3],
    left: Matrix,
    right: Matrix,
    scale: f32,
    (out, stride): (*mut f32, usize),
    mode: Mode,
    threads: Threads,
) {
    let work = m.saturating_mul(n).saturating_mul(k);
    let parallelism = match threads {
        Threads::All if work >= SMALL => gemm::Parallelism::Rayon(0),
        _ => gemm::Parallelism::None,
    };
    // SAFETY: the caller's promise.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out,
            1,
            stride as isize,
            mode == Mode::Sum,
            left.start,
            left.column as isize,
            left.row as isize,
            right.start,
            right.column as isize,
            right.row as isize,
            1.0f32,
            scale,
            false,
            false,
            false,
            parallelism,
        );
    }
}
