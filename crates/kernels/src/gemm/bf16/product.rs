//! Packed operands, and their products block by block.

use super::super::pack::Strided;
use super::super::tile::{Mode, Target};
use super::super::unit::Unit;
use super::{SIDE, STEPS, TILE, tiles, vectors};

/// Rows and columns of a block of results: two tiles each way.
pub(super) const BLOCK: usize = 2 * SIDE;

/// What this machine has for bf16.
pub(crate) fn best() -> Option<Unit> {
    let unit = if tiles::available() { Unit::Tiles } else { Unit::Pairs };
    vectors::available().then_some(unit)
}

/// Packs a left operand `[m, k]` into [`super::words`]: tile by tile along `k`, then along `m`; in
/// a tile row by row.
///
/// # Safety
/// The operand must be readable, `out` writable, and this machine have a unit for bf16.
pub(crate) unsafe fn pack_left(matrix: Strided, size: [usize; 2], out: *mut u32) {
    // SAFETY: the caller's promise.
    unsafe { vectors::pack(matrix, size, out, vectors::Order::Lines) };
}

/// Packs the transpose `[n, k]` of a right operand likewise; in a tile pair by pair.
///
/// # Safety
/// As [`pack_left`].
pub(crate) unsafe fn pack_right(matrix: Strided, size: [usize; 2], out: *mut u32) {
    // SAFETY: the caller's promise.
    unsafe { vectors::pack(matrix, size, out, vectors::Order::Pairs) };
}

/// `out (+)= scale * left x right` of packed operands: of `right`, which was packed with so many
/// steps, the first `k` and `n` columns.
///
/// # Safety
/// The operands must hold these sizes, `out` room for `[m, n]` (initialised for [`Mode::Sum`]),
/// and this machine must have the unit.
pub(crate) unsafe fn multiply(
    unit: Unit,
    [m, k, n]: [usize; 3],
    left: *const u32,
    (right, packed): (*const u32, usize),
    (out, scale, mode): (Target, f32, Mode),
) {
    let count = k.div_ceil(STEPS);
    let [left_apart, right_apart] = [k, packed].map(|steps| steps.div_ceil(STEPS) * TILE);
    // Two tiles where there are two; a lone one stands in for its missing neighbour.
    let two = |start: *const u32, line: usize, lines: usize, apart: usize| {
        let first = start.wrapping_add(line / SIDE * apart);
        [first, if line + SIDE < lines { first.wrapping_add(apart) } else { first }]
    };
    let mut sums = vectors::Sums([0.0; BLOCK * BLOCK]);
    // SAFETY: the caller's promise, throughout.
    unsafe {
        let configured = (unit == Unit::Tiles).then(|| tiles::Configured::new());
        for column in (0..n).step_by(BLOCK) {
            let b = two(right, column, n, right_apart);
            for row in (0..m).step_by(BLOCK) {
                let a = two(left, row, m, left_apart);
                match &configured {
                    Some(configured) => configured.block(count, a, b, &mut sums),
                    None => vectors::block(count, a, b, &mut sums),
                }
                let size = [(m - row).min(BLOCK), (n - column).min(BLOCK)];
                vectors::finish(&sums, size, (out.at(row, column), scale, mode));
            }
        }
    }
}
