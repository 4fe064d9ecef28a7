//! Tiles and copies by the instruction set that was found when the program started.

use super::lanes::{Lanes, Portable};
use super::pack::{self, Strided};
use super::tile::{self, Mode, Rows, Source, Target};
use crate::simd::Level;

/// A constant of the `Lanes` of an instruction set.
macro_rules! constant {
    ($level:expr, $name:ident) => {
        match $level {
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => <std::arch::x86_64::__m512 as Lanes>::$name,
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => <std::arch::x86_64::__m256 as Lanes>::$name,
            _ => Portable::$name,
        }
    };
}

/// Columns of the right operand's panels: of all but the last, and of the last if that is narrow.
pub(super) fn panel_widths(level: Level) -> [usize; 2] {
    let width = width(level);
    [2 * width, width]
}

/// Rows of the left operand's panels.
pub(super) fn panel_rows(level: Level) -> usize {
    constant!(level, ROWS)
}

/// Whether operands that lie well in memory are read as they lie.
pub(super) fn lies(level: Level) -> bool {
    constant!(level, LYING)
}

fn width(level: Level) -> usize {
    constant!(level, WIDTH)
}

/// Calls a function of `Lanes` compiled for an instruction set that [`crate::simd::level`] has
/// found on this machine.
macro_rules! for_level {
    ($level:expr, $body:ident ( $($arg:ident: $ty:ty),* )) => {{
        #[cfg(target_arch = "x86_64")]
        {
            #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
            #[allow(clippy::too_many_arguments)]
            unsafe fn avx512($($arg: $ty),*) {
                // SAFETY: the caller's promise.
                unsafe { $body::<std::arch::x86_64::__m512>($($arg),*) }
            }
            #[target_feature(enable = "avx2,fma")]
            #[allow(clippy::too_many_arguments)]
            unsafe fn avx2($($arg: $ty),*) {
                // SAFETY: the caller's promise.
                unsafe { $body::<std::arch::x86_64::__m256>($($arg),*) }
            }
            match $level {
                Level::Avx512 => return avx512($($arg),*),
                Level::Avx2 => return avx2($($arg),*),
                Level::Baseline => {}
            }
        }
        let _ = $level;
        $body::<Portable>($($arg),*)
    }};
}

/// Numbers that a packed left operand `[m, k]` takes.
pub(super) fn left_length(level: Level, [m, k]: [usize; 2]) -> usize {
    let rows = panel_rows(level);
    pack::left_panel(m.next_multiple_of(rows), k, rows)
}

/// Packs `[m, k]` of a left operand into `out` ([`left_length`]): panels of rows, each with its numbers
/// column by column.
///
/// # Safety
/// The operand's elements must be readable and `out` writable, and the level that of this machine.
pub(super) unsafe fn pack_left(level: Level, left: Strided, size: [usize; 2], out: *mut f32) {
    use pack::left as body;
    // SAFETY: the caller's promise.
    unsafe { for_level!(level, body(left: Strided, size: [usize; 2], out: *mut f32)) }
}

/// Numbers that a packed right operand `[k, n]` takes.
pub(super) fn right_length(level: Level, [k, n]: [usize; 2]) -> usize {
    let [wide, narrow] = panel_widths(level);
    let rest = n % wide;
    let last = if rest == 0 { 0 } else { pack::panel_width(rest, narrow) };
    k * (n - rest + last)
}

/// Packs `[k, n]` of a right operand into `out` ([`right_length`]): panels of columns, each row filled up
/// with zeros.
///
/// # Safety
/// As [`pack_left`].
pub(super) unsafe fn pack_right(level: Level, right: Strided, size: [usize; 2], out: *mut f32) {
    use pack::right as body;
    // SAFETY: the caller's promise.
    unsafe { for_level!(level, body(right: Strided, size: [usize; 2], out: *mut f32)) }
}

/// `out (+)= scale * left x right` of `left` `[m, k]` and of the first `k` rows and `n`
/// columns of `right`.
///
/// # Safety
/// The operands must hold these sizes, `out` room for `[m, n]` (initialised for
/// [`Mode::Sum`]), and the level must be that of this machine.
#[allow(clippy::too_many_arguments)]
pub(super) unsafe fn multiply(
    level: Level,
    size: [usize; 3],
    left: Rows,
    right: Source,
    scale: f32,
    out: Target,
    mode: Mode,
) {
    use tile::panels as body;
    // SAFETY: the caller's promise.
    unsafe {
        for_level!(
            level,
            body(
                size: [usize; 3],
                left: Rows,
                right: Source,
                scale: f32,
                out: Target,
                mode: Mode
            )
        )
    }
}
