//! The inner loop of a whole tile in AVX2, written by hand.
//!
//! A core that runs another thread as well shares what decodes and issues instructions with it, and there
//! the fewest of them win: 21 a step of the inner dimension, and one or two to go on. What a compiler
//! made of the same loop has 32, and runs at four fifths of the rate there.

use std::arch::asm;
use std::arch::x86_64::__m256;

/// One step: two vectors of the right operand, and a number for each of six rows of the left one from the
/// places that are named.
macro_rules! step {
    ($a:expr, $b:expr, $c:expr, $d:expr, $e:expr, $f:expr) => {
        concat!(
            "vmovups ymm12, [{right}]\n",
            "vmovups ymm13, [{right} + 32]\n",
            "add {right}, {step}\n",
            "vbroadcastss ymm14, dword ptr [",
            $a,
            "]\n",
            "vbroadcastss ymm15, dword ptr [",
            $b,
            "]\n",
            "vfmadd231ps ymm0, ymm14, ymm12\n",
            "vfmadd231ps ymm1, ymm14, ymm13\n",
            "vfmadd231ps ymm2, ymm15, ymm12\n",
            "vfmadd231ps ymm3, ymm15, ymm13\n",
            "vbroadcastss ymm14, dword ptr [",
            $c,
            "]\n",
            "vbroadcastss ymm15, dword ptr [",
            $d,
            "]\n",
            "vfmadd231ps ymm4, ymm14, ymm12\n",
            "vfmadd231ps ymm5, ymm14, ymm13\n",
            "vfmadd231ps ymm6, ymm15, ymm12\n",
            "vfmadd231ps ymm7, ymm15, ymm13\n",
            "vbroadcastss ymm14, dword ptr [",
            $e,
            "]\n",
            "vbroadcastss ymm15, dword ptr [",
            $f,
            "]\n",
            "vfmadd231ps ymm8, ymm14, ymm12\n",
            "vfmadd231ps ymm9, ymm14, ymm13\n",
            "vfmadd231ps ymm10, ymm15, ymm12\n",
            "vfmadd231ps ymm11, ymm15, ymm13\n",
        )
    };
}

/// A step of six rows that are apart, `$at` bytes from where the pointers to the first and the fourth are.
macro_rules! rows_apart {
    ($at:literal) => {
        step!(
            concat!("{left} + ", $at),
            concat!("{left} + {apart} + ", $at),
            concat!("{left} + 2 * {apart} + ", $at),
            concat!("{fourth} + ", $at),
            concat!("{fourth} + {apart} + ", $at),
            concat!("{fourth} + 2 * {apart} + ", $at)
        )
    };
}

/// A step of six rows whose numbers lie side by side, from such a displacement on.
macro_rules! rows_together {
    ($a:literal $b:literal $c:literal $d:literal $e:literal $f:literal) => {
        step!(
            concat!("{left} + ", $a),
            concat!("{left} + ", $b),
            concat!("{left} + ", $c),
            concat!("{left} + ", $d),
            concat!("{left} + ", $e),
            concat!("{left} + ", $f)
        )
    };
}

/// Runs a loop on the sums of a tile, row by row, two vectors each.
macro_rules! run {
    ($sums:ident, [$($text:expr),*], $($operands:tt)*) => {{
        let [s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11] = $sums;
        asm!(
            $($text),*,
            $($operands)*
            inout("ymm0") *s0, inout("ymm1") *s1, inout("ymm2") *s2, inout("ymm3") *s3,
            inout("ymm4") *s4, inout("ymm5") *s5, inout("ymm6") *s6, inout("ymm7") *s7,
            inout("ymm8") *s8, inout("ymm9") *s9, inout("ymm10") *s10, inout("ymm11") *s11,
            out("ymm12") _, out("ymm13") _, out("ymm14") _, out("ymm15") _,
            options(readonly, nostack),
        );
    }};
}

/// Adds `k` steps of a product to the sums of a tile, of six rows of two vectors: `left` is its first
/// number with the distance of its rows and of its columns, `right` its first row with the distance of
/// the next.
///
/// # Safety
/// Both must hold `k` steps, `k` not being zero, and the processor must have AVX2.
#[inline]
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn add(
    sums: &mut [__m256; 12],
    k: usize,
    (left, apart, column): (*const f32, usize, usize),
    (right, step): (*const f32, usize),
) {
    // In bytes.
    let (apart, column, step) = (4 * apart, 4 * column, 4 * step);
    // SAFETY: the caller's promise.
    unsafe {
        if apart == 4 && column == 24 {
            // Packed.
            run!(
                sums,
                [
                    "test {fours}, {fours}",
                    "je 3f",
                    "2:",
                    rows_together!("0" "4" "8" "12" "16" "20"),
                    rows_together!("24" "28" "32" "36" "40" "44"),
                    rows_together!("48" "52" "56" "60" "64" "68"),
                    rows_together!("72" "76" "80" "84" "88" "92"),
                    "add {left}, 96",
                    "dec {fours}",
                    "jne 2b",
                    "3:",
                    "test {rest}, {rest}",
                    "je 5f",
                    "4:",
                    rows_together!("0" "4" "8" "12" "16" "20"),
                    "add {left}, 24",
                    "dec {rest}",
                    "jne 4b",
                    "5:"
                ],
                left = inout(reg) left => _,
                right = inout(reg) right => _,
                step = in(reg) step,
                fours = inout(reg) k / 4 => _,
                rest = inout(reg) k % 4 => _,
            );
        } else if apart == 4 {
            run!(
                sums,
                [
                    "2:",
                    rows_together!("0" "4" "8" "12" "16" "20"),
                    "add {left}, {column}",
                    "dec {k}",
                    "jne 2b"
                ],
                left = inout(reg) left => _,
                column = in(reg) column,
                right = inout(reg) right => _,
                step = in(reg) step,
                k = inout(reg) k => _,
            );
        } else if column == 4 {
            run!(
                sums,
                [
                    "test {fours}, {fours}",
                    "je 3f",
                    "2:",
                    rows_apart!("0"),
                    rows_apart!("4"),
                    rows_apart!("8"),
                    rows_apart!("12"),
                    "add {left}, 16",
                    "add {fourth}, 16",
                    "dec {fours}",
                    "jne 2b",
                    "3:",
                    "test {rest}, {rest}",
                    "je 5f",
                    "4:",
                    rows_apart!("0"),
                    "add {left}, 4",
                    "add {fourth}, 4",
                    "dec {rest}",
                    "jne 4b",
                    "5:"
                ],
                left = inout(reg) left => _,
                fourth = inout(reg) left.wrapping_byte_add(3 * apart) => _,
                apart = in(reg) apart,
                right = inout(reg) right => _,
                step = in(reg) step,
                fours = inout(reg) k / 4 => _,
                rest = inout(reg) k % 4 => _,
            );
        } else {
            unreachable!("rows or columns lie in one piece");
        }
    }
}
