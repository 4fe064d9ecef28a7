//! Products of matrices at the machine's rate.
//!
//! Both operands are copied into the order in which tiles read them (after Goto and van de Geijn
//! 2008, "Anatomy of high-performance matrix multiplication"). What a training repeats with one
//! operand - the same weights for every block of rows - packs that operand once: [`Right`].
//! Results do not depend on the number of threads: every element is the sum over the inner dimension
//! in one fixed order.

mod bf16;
#[cfg(target_arch = "x86_64")]
mod by_hand;
mod dispatch;
mod lanes;
mod operand;
mod pack;
mod threads;
mod tile;
mod unit;

use std::cell::RefCell;

use rayon::prelude::*;

pub(crate) use operand::{Left, Right};
pub(crate) use pack::{Strided, apart};
pub use threads::Abreast;
pub(crate) use threads::Threads;
pub(crate) use tile::{Mode, Target};
pub use unit::Precision;
pub(crate) use unit::Unit;

/// Multiply-adds below which a product stays on one thread.
const SMALL: usize = 128 * 128 * 128;
/// Steps of the inner dimension between two visits of the result: a panel of the right operand
/// (`DEPTH x 32` numbers) then stays in a core's own cache.
const DEPTH: usize = 512;
/// Columns of the right operand that are packed at a time.
const COLUMNS: usize = 1024;
/// The same where all rows of the left operand are packed at once: each of them is used once then, and
/// so few stay in a core's own cache until they are.
const FEW_COLUMNS: usize = 64;

thread_local! {
    /// Packed blocks of the products at hand: kept, because most products are small.
    static OPERANDS: RefCell<(Left, Vec<Right>)> = RefCell::default();
}

/// A product of a left operand that several have: the right one `[k, n]`, and where it goes.
#[derive(Clone, Copy)]
pub(crate) struct Factor {
    pub(crate) right: Strided,
    pub(crate) n: usize,
    pub(crate) out: Target,
}

impl Factor {
    /// Some of the columns.
    fn columns(self, from: usize, n: usize) -> Self {
        Self { right: self.right.at(0, from), n, out: self.out.at(0, from) }
    }
}

/// `out (+)= scale * left x right` with `left` `[m, k]`, `right` `[k, n]` and `out` `[m, n]`.
///
/// # Safety
/// As [`products`].
pub(crate) unsafe fn product(
    [m, k, n]: [usize; 3],
    left: Strided,
    right: Strided,
    scale: f32,
    out: Target,
    mode: Mode,
    threads: Threads,
) {
    // SAFETY: the caller's promise.
    unsafe { products([m, k], left, &[Factor { right, n, out }], scale, mode, threads) };
}

/// `out (+)= scale * left x right` for every factor, with `left` `[m, k]`, which is read once.
///
/// # Safety
/// All elements named by the shapes and strides must lie in live memory, `left` and `right`
/// initialised and, for [`Mode::Sum`], `out` too; no other thread may touch `out` meanwhile.
pub(crate) unsafe fn products(
    [m, k]: [usize; 2],
    left: Strided,
    factors: &[Factor],
    scale: f32,
    mode: Mode,
    threads: Threads,
) {
    let all: usize = factors.iter().map(|factor| factor.n).sum();
    let work = m.saturating_mul(all).saturating_mul(k);
    let tasks = if work >= SMALL { threads.pieces() } else { 1 };
    let unit = Unit::current();
    if tasks == 1 {
        // SAFETY: the caller's promise.
        unsafe { serial(unit, [m, k], left, factors, scale, mode) };
        return;
    }
    // The longer side of the results is shared out; how does not matter to any element.
    let widest = factors.iter().map(|factor| factor.n).max().unwrap_or(0);
    let by_rows = m >= widest;
    let (length, panel) =
        if by_rows { (m, unit.panel_rows()) } else { (widest, unit.panel_columns()) };
    let share = length.div_ceil(tasks).next_multiple_of(panel);
    (0..length.div_ceil(share)).into_par_iter().for_each(|task| {
        let from = task * share;
        let part = |factor: &Factor| match by_rows {
            true => Some(Factor { out: factor.out.at(from, 0), ..*factor }),
            false if from < factor.n => Some(factor.columns(from, share.min(factor.n - from))),
            false => None,
        };
        let factors: Vec<Factor> = factors.iter().filter_map(part).collect();
        // SAFETY: the caller's promise; the parts of the results do not overlap.
        unsafe {
            if by_rows {
                let rows = share.min(m - from);
                serial(unit, [rows, k], left.at(from, 0), &factors, scale, mode);
            } else {
                serial(unit, [m, k], left, &factors, scale, mode);
            }
        }
    });
}

unsafe fn serial(
    unit: Unit,
    [m, k]: [usize; 2],
    left: Strided,
    factors: &[Factor],
    scale: f32,
    mode: Mode,
) {
    OPERANDS.with_borrow_mut(|(packed_left, rights)| {
        rights.retain(|right| right.unit() == unit);
        while rights.len() < factors.len() {
            rights.push(Right::empty(unit));
        }
        let block = unit.block_rows();
        for depth in (0..k).step_by(DEPTH) {
            let steps = DEPTH.min(k - depth);
            let mode = if depth == 0 { mode } else { Mode::Sum };
            if m <= block {
                let mut packed = false;
                for (factor, column) in pieces(factors, FEW_COLUMNS) {
                    let factor = factor.columns(column, FEW_COLUMNS.min(factor.n - column));
                    let (right, size) = (&mut rights[0], [steps, factor.n]);
                    // SAFETY: the caller's promise.
                    unsafe {
                        right.take(m, factor.right.at(depth, 0), size, Threads::One);
                        if !packed {
                            packed_left.take(right, left.at(0, depth), [m, steps]);
                        }
                        right.multiply(packed_left, scale, factor.out, mode);
                    }
                    packed = true;
                }
                continue;
            }
            let widest = factors.iter().map(|factor| factor.n).max().unwrap_or(0);
            for column in (0..widest).step_by(COLUMNS) {
                let here = factors.iter().filter(|factor| column < factor.n);
                let here =
                    here.map(|factor| factor.columns(column, COLUMNS.min(factor.n - column)));
                let rights = &mut rights[..here.clone().count()];
                // SAFETY: the caller's promise.
                unsafe {
                    for (factor, right) in here.clone().zip(&mut *rights) {
                        let size = [steps, factor.n];
                        right.take(m, factor.right.at(depth, 0), size, Threads::One);
                    }
                    for row in (0..m).step_by(block) {
                        let size = [block.min(m - row), steps];
                        packed_left.take(&rights[0], left.at(row, depth), size);
                        for (factor, right) in here.clone().zip(&*rights) {
                            right.multiply(packed_left, scale, factor.out.at(row, 0), mode);
                        }
                    }
                }
            }
        }
    });
}

/// The factors, each with the first of so many of its columns at a time.
fn pieces(factors: &[Factor], columns: usize) -> impl Iterator<Item = (&Factor, usize)> {
    factors.iter().flat_map(move |factor| (0..factor.n).step_by(columns).map(move |c| (factor, c)))
}

#[cfg(test)]
mod tests;
