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
mod lanes;
mod operand;
mod pack;
mod tile;
mod unit;

use std::cell::RefCell;

use rayon::prelude::*;

pub(crate) use operand::{Left, Right};
pub(crate) use pack::{Strided, apart};
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

/// Which threads a product may use.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Threads {
    /// The calling thread: for products inside a parallel loop.
    One,
    /// All of the pool, for products worth it.
    All,
}

thread_local! {
    /// Packed blocks of the product at hand: kept, because most products are small.
    static OPERANDS: RefCell<(Left, Option<Right>)> = RefCell::default();
}

/// `out (+)= scale * left x right` with `left` `[m, k]`, `right` `[k, n]` and `out` `[m, n]`.
///
/// # Safety
/// All elements named by the shapes and strides must lie in live memory, `left` and `right`
/// initialised and, for [`Mode::Sum`], `out` too; no other thread may touch `out` meanwhile.
pub(crate) unsafe fn product(
    [m, k, n]: [usize; 3],
    left: Strided,
    right: Strided,
    scale: f32,
    out: Target,
    mode: Mode,
    threads: Threads,
) {
    let work = m.saturating_mul(n).saturating_mul(k);
    let tasks = match threads {
        Threads::All if work >= SMALL => rayon::current_num_threads(),
        _ => 1,
    };
    let unit = Unit::current();
    if tasks == 1 {
        // SAFETY: the caller's promise.
        unsafe { serial(unit, [m, k, n], left, right, scale, out, mode) };
        return;
    }
    // The longer side of the result is shared out; how does not matter to any element.
    let (length, panel) = if m >= n { (m, unit.panel_rows()) } else { (n, unit.panel_columns()) };
    let share = length.div_ceil(tasks).next_multiple_of(panel);
    (0..length.div_ceil(share)).into_par_iter().for_each(|task| {
        let from = task * share;
        let count = share.min(length - from);
        // SAFETY: the caller's promise; the parts of the result do not overlap.
        unsafe {
            if m >= n {
                let (left, out) = (left.at(from, 0), out.at(from, 0));
                serial(unit, [count, k, n], left, right, scale, out, mode);
            } else {
                let (right, out) = (right.at(0, from), out.at(0, from));
                serial(unit, [m, k, count], left, right, scale, out, mode);
            }
        }
    });
}

unsafe fn serial(
    unit: Unit,
    [m, k, n]: [usize; 3],
    left: Strided,
    right: Strided,
    scale: f32,
    out: Target,
    mode: Mode,
) {
    OPERANDS.with_borrow_mut(|(packed_left, packed_right)| {
        let packed_right = match packed_right {
            Some(packed) if packed.unit() == unit => packed,
            other => other.insert(Right::empty(unit)),
        };
        let block = unit.block_rows();
        for depth in (0..k).step_by(DEPTH) {
            let steps = DEPTH.min(k - depth);
            let mode = if depth == 0 { mode } else { Mode::Sum };
            let at_once = if m <= block { FEW_COLUMNS } else { COLUMNS };
            for column in (0..n).step_by(at_once) {
                let columns = at_once.min(n - column);
                // SAFETY: the caller's promise.
                unsafe {
                    packed_right.take(m, right.at(depth, column), [steps, columns], Threads::One);
                    for row in (0..m).step_by(block) {
                        if m > block || column == 0 {
                            let size = [block.min(m - row), steps];
                            packed_left.take(packed_right, left.at(row, depth), size);
                        }
                        packed_right.multiply(packed_left, scale, out.at(row, column), mode);
                    }
                }
            }
        }
    });
}

#[cfg(test)]
mod tests;
