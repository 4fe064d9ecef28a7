//! Mean cross-entropy, with the gradient made in the forward pass while the row is in the cache:
//! the backward pass only scales it by the gradient of the mean.

use std::mem::MaybeUninit;

use rayon::prelude::*;

use crate::buffer::{filled, for_chunks, for_chunks2};
use crate::simd::{exp, largest, map_sum, reduce2, vectorised};

/// Rows of a chunk.
const ROWS: usize = 16;

/// Negative log-likelihoods `[n]` of `targets` under `logits` `[n, vocabulary]`.
pub(crate) fn token_losses(logits: &[f32], targets: &[usize], vocabulary: usize) -> Vec<f32> {
    // SAFETY: every element of every chunk is written, and the chunks cover the output.
    unsafe {
        filled(targets.len(), |out| {
            out.par_chunks_mut(ROWS).enumerate().for_each(|(chunk, out)| {
                let rows = logits[chunk * ROWS * vocabulary..].chunks_exact(vocabulary);
                for ((out, row), &target) in out.iter_mut().zip(rows).zip(&targets[chunk * ROWS..])
                {
                    out.write(log_sum_exp(row) - row[target]);
                }
            });
        })
    }
}

vectorised! {
    pub(crate) fn log_sum_exp(row: &[f32]) -> f32 {
        let most = largest(row);
        let sum = reduce2(row, row, |value, _, sum| sum + exp::<FMA>(value - most));
        most + sum.ln()
    }
}

/// Overwrites `logits` `[n, vocabulary]` with the gradient of `weight` times the sum of their
/// losses, which are returned `[n]`.
pub(crate) fn losses_into_gradient(
    logits: &mut [f32],
    targets: &[usize],
    vocabulary: usize,
    weight: f32,
) -> Vec<f32> {
    // SAFETY: every element of every chunk is written, and the chunks cover the output.
    unsafe {
        filled(targets.len(), |losses| {
            for_chunks2((logits, ROWS * vocabulary), (losses, ROWS), |chunk, logits, losses| {
                let rows = logits.chunks_exact_mut(vocabulary).zip(losses);
                for ((row, loss), &target) in rows.zip(&targets[chunk * ROWS..]) {
                    row_into_gradient(row, target, weight, loss);
                }
            });
        })
    }
}

vectorised! {
    pub(crate) fn row_into_gradient(row: &mut [f32], target: usize, weight: f32, loss: &mut MaybeUninit<f32>) {
        let most = largest(row);
        let logit = row[target];
        let sum = map_sum(row, |value| exp::<FMA>(value - most));
        loss.write(most + sum.ln() - logit);
        let share = weight / sum;
        for value in row.iter_mut() {
            *value *= share;
        }
        row[target] -= weight;
    }
}

/// The mean, summed in f64 from first to last.
pub(crate) fn mean(losses: &[f32]) -> f32 {
    let sum: f64 = losses.iter().map(|loss| f64::from(*loss)).sum();
    (sum / losses.len() as f64) as f32
}

/// `values * scale`, in place.
pub(crate) fn scale(values: &mut [f32], scale: f32) {
    if scale != 1.0 {
        for_chunks(values, 1 << 14, |_, values| {
            for value in values {
                *value *= scale;
            }
        });
    }
}
