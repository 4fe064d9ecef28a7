//! Products of bf16 factors with f32 sums.
//!
//! Operands are packed as tiles of 16 lines (rows of the left, columns of the right operand) by 32
//! steps of the inner dimension, two steps to a word: 1 KiB, in the order in which AMX loads it.
//! Steps and lines that are missing are zero. AVX-512 BF16 reads the same tiles.

#[cfg(target_arch = "x86_64")]
mod product;
#[cfg(target_arch = "x86_64")]
mod tiles;
#[cfg(target_arch = "x86_64")]
mod vectors;

#[cfg(not(target_arch = "x86_64"))]
#[path = "bf16/absent.rs"]
mod product;

pub(super) use product::{best, multiply, pack_left, pack_right};

/// Lines of a tile, and pairs of steps.
const SIDE: usize = 16;
/// Steps of a tile.
const STEPS: usize = 2 * SIDE;
/// Words of a tile.
const TILE: usize = SIDE * SIDE;

/// Words of a packed operand of so many lines and steps.
pub(super) fn words([lines, steps]: [usize; 2]) -> usize {
    lines.div_ceil(SIDE) * steps.div_ceil(STEPS) * TILE
}

/// The nearest number that bf16 has, of two equally near ones the even one.
fn nearest(x: f32) -> f32 {
    let bits = x.to_bits();
    if x.is_nan() {
        return f32::from_bits((bits | 0x0040_0000) & 0xffff_0000);
    }
    let even = (bits >> 16) & 1;
    f32::from_bits(bits.wrapping_add(0x7fff + even) & 0xffff_0000)
}

/// Rounds numbers in place.
///
/// # Safety
/// They must be initialised and writable.
pub(super) unsafe fn round(start: *mut f32, length: usize) {
    // SAFETY: the caller's promise.
    for number in unsafe { std::slice::from_raw_parts_mut(start, length) } {
        *number = nearest(*number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_is_to_the_nearest_and_then_to_even() {
        let at = f32::from_bits;
        // Halfway between two neighbours, and just beside it.
        assert_eq!(nearest(at(0x3f80_8000)), at(0x3f80_0000));
        assert_eq!(nearest(at(0x3f81_8000)), at(0x3f82_0000));
        assert_eq!(nearest(at(0x3f80_8001)), at(0x3f81_0000));
        assert_eq!(nearest(at(0x3f80_7fff)), at(0x3f80_0000));
        assert_eq!(nearest(-at(0x3f81_8000)), -at(0x3f82_0000));
        assert_eq!(nearest(0.0).to_bits(), 0);
        assert_eq!(nearest(f32::MAX), f32::INFINITY);
        assert_eq!(nearest(f32::NEG_INFINITY), f32::NEG_INFINITY);
        assert!(nearest(f32::NAN).is_nan() && nearest(at(0x7f80_0001)).is_nan());
    }
}
