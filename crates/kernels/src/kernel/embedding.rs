//! Rows of a table, and the gradient scattered back into it.

use crate::buffer::{filled, for_chunks};

/// Rows of a chunk.
const ROWS: usize = 64;

/// Row `ids[i]` of `table` `[vocabulary, d]` for each `i`: `[n, d]`.
pub(crate) fn forward(table: &[f32], ids: &[usize], d: usize) -> Vec<f32> {
    // SAFETY: every row of every chunk is written, and the chunks cover the output.
    unsafe {
        filled(ids.len() * d, |out| {
            for_chunks(out, ROWS * d, |chunk, out| {
                for (out, id) in out.chunks_exact_mut(d).zip(&ids[chunk * ROWS..]) {
                    out.write_copy_of_slice(&table[id * d..(id + 1) * d]);
                }
            });
        })
    }
}

/// The table's gradient `[vocabulary, d]`: each row the sum, in order of `i`, of the rows of
/// `gradient` `[n, d]` whose id it is.
pub(crate) fn backward(gradient: &[f32], ids: &[usize], vocabulary: usize, d: usize) -> Vec<f32> {
    let mut out = vec![0.0f32; vocabulary * d];
    for (id, row) in ids.iter().zip(gradient.chunks_exact(d)) {
        for (out, value) in out[id * d..(id + 1) * d].iter_mut().zip(row) {
            *out += value;
        }
    }
    out
}
