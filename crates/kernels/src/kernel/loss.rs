//! Mean cross-entropy, with the gradient made in the forward pass while the row is in the cache:
//! the backward pass only scales it by the gradient of the mean.

use std::mem::MaybeUninit;

use rayon::prelude::*;

use crate::buffer::{filled, for_chunks, for_chunks2};
use crate::matrix::{Matrix, Mode, Threads, product};
use crate::simd::{exp, largest, map_sum, reduce2, vectorised};

/// Rows of a chunk.
const ROWS: usize = 16;

/// Elements of a block of logits under [`head`]: 8 MiB.
const BLOCK: usize = 1 << 21;

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
    fn log_sum_exp(row: &[f32]) -> f32 {
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
    fn row_into_gradient(row: &mut [f32], target: usize, weight: f32, loss: &mut MaybeUninit<f32>) {
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

/// What the gradients of [`head`] should be computed for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    pub(crate) hidden: bool,
    pub(crate) head: bool,
}

/// Mean loss of `hidden x head`, and its gradients where wanted.
pub(crate) struct HeadLoss {
    pub(crate) loss: f32,
    pub(crate) d_hidden: Option<Vec<f32>>,
    pub(crate) d_head: Option<Vec<f32>>,
}

/// Mean cross-entropy of `hidden` `[n, d]` times `head` `[d, vocabulary]`, in blocks of rows: all
/// logits together never exist.
pub(crate) fn head(
    hidden: &[f32],
    head: &[f32],
    targets: &[usize],
    [d, vocabulary]: [usize; 2],
    wanted: Wanted,
) -> HeadLoss {
    let n = targets.len();
    let block = (BLOCK / vocabulary).next_multiple_of(64).min(n);
    let mut logits = vec![0.0f32; block * vocabulary];
    let mut losses = Vec::with_capacity(n);
    let mut d_hidden = wanted.hidden.then(|| Vec::with_capacity(hidden.len()));
    let mut d_head = wanted.head.then(|| Vec::<f32>::with_capacity(head.len()));
    let weights = Matrix::rows(head, vocabulary);
    for (index, targets) in targets.chunks(block).enumerate() {
        let rows = targets.len();
        let inputs = Matrix::rows(&hidden[index * block * d..], d);
        let logits = &mut logits[..rows * vocabulary];
        let out = (logits.as_mut_ptr(), vocabulary);
        // SAFETY: `logits` holds the whole product.
        unsafe {
            let size = [rows, d, vocabulary];
            product(size, inputs, weights, 1.0, out, Mode::Fresh, Threads::All);
        }
        if !wanted.hidden && !wanted.head {
            losses.extend(token_losses(logits, targets, vocabulary));
            continue;
        }
        losses.extend(losses_into_gradient(logits, targets, vocabulary, 1.0 / n as f32));
        let slopes = Matrix::rows(logits, vocabulary);
        if let Some(d_hidden) = &mut d_hidden {
            let out = d_hidden.spare_capacity_mut()[..rows * d].as_mut_ptr().cast();
            let size = [rows, vocabulary, d];
            // SAFETY: the product writes `rows * d` elements of the spare capacity.
            unsafe {
                product(
                    size,
                    slopes,
                    weights.transposed(),
                    1.0,
                    (out, d),
                    Mode::Fresh,
                    Threads::All,
                );
                d_hidden.set_len(d_hidden.len() + rows * d);
            }
        }
        if let Some(d_head) = &mut d_head {
            let mode = if index == 0 { Mode::Fresh } else { Mode::Sum };
            let size = [d, rows, vocabulary];
            let out = (d_head.as_mut_ptr(), vocabulary);
            // SAFETY: the capacity holds the product, which the first block writes in full.
            unsafe {
                product(size, inputs.transposed(), slopes, 1.0, out, mode, Threads::All);
                d_head.set_len(head.len());
            }
        }
    }
    HeadLoss { loss: mean(&losses), d_hidden, d_head }
}
