//! Rows of a table, and the gradient scattered back into it.

use crate::buffer::{filled, for_chunks};
use crate::simd::vectorised;

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
/// `gradient` `[n, d]` whose id it is. Every row is written once, by the one thread that adds it up.
pub(crate) fn backward(gradient: &[f32], ids: &[usize], vocabulary: usize, d: usize) -> Vec<f32> {
    let places = Places::sorted(ids, vocabulary);
    // SAFETY: every row of every chunk is written, and the chunks cover the output.
    unsafe {
        filled(vocabulary * d, |out| {
            for_chunks(out, ROWS * d, |chunk, out| {
                for (id, out) in (chunk * ROWS..).zip(out.chunks_exact_mut(d)) {
                    let mut rows = places.of(id).iter().map(|place| {
                        let start = *place as usize * d;
                        &gradient[start..start + d]
                    });
                    let Some(first) = rows.next() else {
                        out.fill(std::mem::MaybeUninit::new(0.0));
                        continue;
                    };
                    let sum = out.write_copy_of_slice(first);
                    rows.for_each(|row| add(sum, row));
                }
            });
        })
    }
}

vectorised! {
    fn add(sum: &mut [f32], row: &[f32]) {
        for (sum, value) in sum.iter_mut().zip(row) {
            *sum += value;
        }
    }
}

/// Where each id stands among others, found by counting.
struct Places {
    /// Of each id, where its places begin; and the end of the last.
    starts: Vec<u32>,
    /// By id, then in their order.
    places: Vec<u32>,
}

impl Places {
    fn sorted(ids: &[usize], vocabulary: usize) -> Self {
        let mut starts = vec![0u32; vocabulary + 2];
        for id in ids {
            starts[id + 2] += 1;
        }
        for id in 2..starts.len() {
            starts[id] += starts[id - 1];
        }
        // `starts[id + 1]` runs from the start of an id to that of the next.
        let mut places = vec![0; ids.len()];
        for (place, id) in (0..).zip(ids) {
            let next = &mut starts[id + 1];
            places[*next as usize] = place;
            *next += 1;
        }
        Self { starts, places }
    }

    fn of(&self, id: usize) -> &[u32] {
        &self.places[self.starts[id] as usize..self.starts[id + 1] as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition: row after row into the table.
    fn scattered(gradient: &[f32], ids: &[usize], vocabulary: usize, d: usize) -> Vec<f32> {
        let mut out = vec![0.0f32; vocabulary * d];
        for (id, row) in ids.iter().zip(gradient.chunks_exact(d)) {
            for (out, value) in out[id * d..(id + 1) * d].iter_mut().zip(row) {
                *out += value;
            }
        }
        out
    }

    #[test]
    fn sums_are_those_of_the_definition_to_the_last_bit() {
        for (n, vocabulary, d) in [(0, 3, 2), (1, 1, 5), (7, 3, 1), (300, 5, 33), (513, 700, 40)] {
            let ids: Vec<usize> = (0..n).map(|i| (i * i * 31 + i * 7) % vocabulary).collect();
            let gradient: Vec<f32> =
                (0..n * d).map(|i| ((i * 37 % 1001) as f32 - 500.0) * 1e-3).collect();
            let expected = scattered(&gradient, &ids, vocabulary, d);
            assert_eq!(backward(&gradient, &ids, vocabulary, d), expected, "{n} {vocabulary} {d}");
        }
    }

    #[test]
    fn equal_ids_keep_their_order() {
        let places = Places::sorted(&[2, 0, 2, 3, 0, 2], 5);
        let all: Vec<&[u32]> = (0..5).map(|id| places.of(id)).collect();
        assert_eq!(all, [&[1, 4][..], &[], &[0, 2, 5], &[3], &[]]);
    }
}
