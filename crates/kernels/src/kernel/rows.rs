//! The partition of rows over threads that the fused blocks share.
//!
//! A chunk of rows goes through a whole block on one thread, while it is in that core's own cache.
//! Which rows form a chunk depends on their number and on what computes products, never on threads.

use std::ops::Range;

use rayon::prelude::*;

use crate::gemm::Unit;

/// Panels of a chunk: enough that packed weights, which every chunk reads anew, are used often.
const PANELS: usize = 9;
/// Chunks that a call is cut into at least, as long as each is worth it.
const CHUNKS: usize = 8;

/// Rows of a chunk.
pub(crate) fn chunk(rows: usize) -> usize {
    let unit = Unit::current().panel_rows();
    if rows <= 2 * unit {
        // As in generation: two threads share what one could do.
        return rows.div_ceil(2).max(1);
    }
    (rows / CHUNKS).next_multiple_of(unit).clamp(2 * unit, PANELS * unit)
}

/// Calls `work` with each chunk of `range`, cut into pieces of `chunk` rows, in parallel; `scratch`
/// makes what a thread keeps from chunk to chunk.
pub(crate) fn for_chunks_of<S>(
    range: Range<usize>,
    chunk: usize,
    scratch: impl Fn() -> S + Send + Sync,
    work: impl Fn(Range<usize>, &mut S) + Send + Sync,
) {
    let chunks = range.len().div_ceil(chunk);
    let rows = |index: usize| {
        let from = range.start + index * chunk;
        from..range.end.min(from + chunk)
    };
    if chunks == 1 || rayon::current_num_threads() == 1 {
        let mut scratch = scratch();
        (0..chunks).for_each(|index| work(rows(index), &mut scratch));
    } else {
        // One by one: splitting further down would make scratch again and again.
        let indices = (0..chunks).into_par_iter().with_min_len(1);
        indices.for_each_init(scratch, |scratch, index| work(rows(index), scratch));
    }
}

/// The rows of a range, `width` numbers each.
pub(crate) fn cells(rows: &Range<usize>, width: usize) -> Range<usize> {
    rows.start * width..rows.end * width
}
