//! Sums of squares.

use rayon::prelude::*;

use crate::simd::{mul_add, reduce2, vectorised};

/// Elements of a chunk: summed in f32, the chunks in f64.
const CHUNK: usize = 1 << 12;

/// The sum of the squares of `values`, chunk after chunk.
pub(crate) fn sum(values: &[f32]) -> f64 {
    let chunks: Vec<f64> =
        values.par_chunks(CHUNK).map(|chunk| f64::from(chunk_sum(chunk))).collect();
    chunks.into_iter().sum()
}

vectorised! {
    fn chunk_sum(values: &[f32]) -> f32 {
        reduce2(values, values, mul_add::<FMA>)
    }
}
