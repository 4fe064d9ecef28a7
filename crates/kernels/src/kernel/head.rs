//! The output head and its loss together, a few rows of logits at a time: all logits of a batch
//! never exist. Where a backward pass may follow, its gradients are made on the way, up to the
//! gradient of the mean loss, by which the backward pass multiplies them.

use crate::buffer::{Shared, filled, room};
use crate::gemm::{Left, Mode, Right, Strided, Target, Threads, Unit, apart, product};
use crate::kernel::loss::{log_sum_exp, mean, row_into_gradient};
use crate::kernel::rows::{cells, for_chunks_of};

/// Logits of a chunk of rows, which should stay in a core's own cache: 1.5 MiB.
const CHUNK: usize = 3 << 17;
/// Logits, as gradients, that are kept until the head's gradient has been made of them: 8 MiB.
const HELD: usize = 1 << 21;

/// What gradients should be computed for.
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

/// Mean cross-entropy of `hidden` `[n, d]` times `head` `[d, vocabulary]`.
pub(crate) fn loss(
    hidden: &[f32],
    head: &[f32],
    targets: &[usize],
    [d, vocabulary]: [usize; 2],
    wanted: Wanted,
) -> HeadLoss {
    let n = targets.len();
    let view = Strided::rows(head, vocabulary);
    // SAFETY: `head` has this shape.
    let (packed, back) = unsafe {
        let back = || Right::pack(view.transposed(), [vocabulary, d], Threads::All);
        (Right::for_rows(n, view, [d, vocabulary], Threads::All), wanted.hidden.then(back))
    };
    let unit = Unit::current().panel_rows();
    let chunk = (CHUNK / vocabulary / unit * unit).clamp(unit, 12 * unit);
    let held = (HELD / vocabulary).next_multiple_of(chunk).max(chunk).min(n);
    let gradients = wanted.hidden || wanted.head;
    let mut logits = Vec::new();
    let stride = apart(vocabulary);
    let of_logits = Shared::new(room(&mut logits, held * stride));
    let mut d_head = wanted.head.then(|| Vec::<f32>::with_capacity(head.len()));
    let mut d_hidden = Vec::new();
    let mut write = |losses: Shared, d_hidden: Option<Shared>| {
        for start in (0..n).step_by(held) {
            let end = n.min(start + held);
            for_chunks_of(start..end, chunk, Left::default, |part, left| {
                let count = part.len();
                // SAFETY: every chunk writes the rows that are its own.
                unsafe {
                    let view = Strided::rows(&hidden[cells(&part, d)], d);
                    let rows = of_logits.part((part.start - start) * stride, count * stride);
                    let target = Target::rows(rows, stride);
                    packed.multiply(left.take(&packed, view, [count, d]), 1.0, target, Mode::Fresh);
                    let losses = losses.part(part.start, count);
                    let each = rows.chunks_exact_mut(stride).zip(losses);
                    for ((row, loss), &target) in each.zip(&targets[part.clone()]) {
                        let row = row[..vocabulary].assume_init_mut();
                        if gradients {
                            row_into_gradient(row, target, 1.0 / n as f32, loss);
                        } else {
                            loss.write(log_sum_exp(row) - row[target]);
                        }
                    }
                    if let (Some(back), Some(d_hidden)) = (&back, d_hidden) {
                        let start = rows.as_ptr().cast();
                        let slopes = Strided { start, row: stride, column: 1 };
                        let slopes = left.take(back, slopes, [count, vocabulary]);
                        let out = d_hidden.part(part.start * d, count * d);
                        back.multiply(slopes, 1.0, Target::rows(out, d), Mode::Fresh);
                    }
                }
            });
            if let Some(d_head) = &mut d_head {
                let mode = if start == 0 { Mode::Fresh } else { Mode::Sum };
                let inputs = Strided::rows(&hidden[start * d..end * d], d).transposed();
                let slopes = Strided { start: of_logits.at(0), row: stride, column: 1 };
                let out = Target { start: d_head.as_mut_ptr(), stride: vocabulary };
                let size = [d, end - start, vocabulary];
                // SAFETY: the chunks have written all rows from `start` to `end`, and the capacity holds the
                // product, which the first rows write in full.
                unsafe {
                    product(size, inputs, slopes, 1.0, out, mode, Threads::All);
                    d_head.set_len(head.len());
                }
            }
        }
    };
    // SAFETY: the chunks cover all rows.
    let losses = unsafe {
        filled(n, |losses| {
            let losses = Shared::new(losses);
            if wanted.hidden {
                d_hidden = filled(n * d, |out| write(losses, Some(Shared::new(out))));
            } else {
                write(losses, None);
            }
        })
    };
    HeadLoss { loss: mean(&losses), d_hidden: wanted.hidden.then_some(d_hidden), d_head }
}
