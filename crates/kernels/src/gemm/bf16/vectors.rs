//! AVX-512 BF16: conversion of operands into tiles, and products of them.

use std::arch::x86_64::*;

use super::super::lanes::Lanes;
use super::super::pack::Strided;
use super::super::tile::{Mode, Target};
use super::product::BLOCK;
use super::{SIDE, STEPS, TILE};

/// Whether this machine has the instructions.
pub(super) fn available() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512bf16")
}

/// A block of results before it is scaled and added.
#[repr(C, align(64))]
pub(super) struct Sums(pub(super) [f32; BLOCK * BLOCK]);

/// How the words of a tile follow each other.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// A line's 16 pairs of steps, then the next line's.
    Lines,
    /// A pair of steps of all 16 lines, then the next pair.
    Pairs,
}

/// The other order of the tile in `from`.
#[inline(always)]
unsafe fn transpose(from: *const u32, to: *mut u32) {
    // SAFETY: the caller's promise; words are moved as they are.
    unsafe { __m512::transpose((from.cast(), SIDE), [SIDE, SIDE], (to.cast(), SIDE)) };
}

/// Packs `[lines, steps]` as tiles.
///
/// # Safety
/// The matrix must be readable, `out` have room for [`super::words`], and this machine be
/// [`available`].
#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx512bf16")]
pub(super) unsafe fn pack(
    matrix: Strided,
    [lines, steps]: [usize; 2],
    out: *mut u32,
    order: Order,
) {
    let mut out = out;
    let mut other = [0u32; TILE];
    for line in (0..lines).step_by(SIDE) {
        let lines = (lines - line).min(SIDE);
        for step in (0..steps).step_by(STEPS) {
            let steps = (steps - step).min(STEPS);
            let from = matrix.at(line, step);
            // SAFETY: the caller's promise.
            unsafe {
                let native = if matrix.column == 1 { Order::Lines } else { Order::Pairs };
                let to = if native == order { out } else { other.as_mut_ptr() };
                if matrix.column == 1 {
                    by_lines(from, [lines, steps], to);
                } else if matrix.row == 1 {
                    by_pairs(from, [lines, steps], to);
                } else {
                    let mut rows = [0.0f32; SIDE * STEPS];
                    for line in 0..lines {
                        for step in 0..steps {
                            rows[step * SIDE + line] = *from.at(line, step).start;
                        }
                    }
                    let rows = Strided { start: rows.as_ptr(), row: 1, column: SIDE };
                    by_pairs(rows, [lines, steps], to);
                }
                if native != order {
                    transpose(to, out);
                }
            }
            out = out.wrapping_add(TILE);
        }
    }
}

/// The first `count` of 16 lanes.
#[inline(always)]
fn first(count: usize) -> __mmask16 {
    (((1u32 << count.min(16)) - 1) & 0xffff) as __mmask16
}

/// A tile in the order of lines, from steps that lie side by side.
#[inline]
#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx512bf16")]
unsafe fn by_lines(from: Strided, [lines, steps]: [usize; 2], out: *mut u32) {
    let [low, high] = [first(steps), first(steps.saturating_sub(SIDE))];
    for line in 0..SIDE {
        let words = if line < lines {
            let at = from.at(line, 0).start;
            // SAFETY: the caller's promise; masked lanes are not read.
            let [even, odd] = unsafe {
                [_mm512_maskz_loadu_ps(low, at), _mm512_maskz_loadu_ps(high, at.wrapping_add(SIDE))]
            };
            bits(_mm512_cvtne2ps_pbh(odd, even))
        } else {
            _mm512_setzero_si512()
        };
        // SAFETY: the caller's promise.
        unsafe { _mm512_storeu_si512(out.add(line * SIDE).cast(), words) };
    }
}

/// A tile in the order of pairs, from lines that lie side by side.
#[inline]
#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx512bf16")]
unsafe fn by_pairs(from: Strided, [lines, steps]: [usize; 2], out: *mut u32) {
    // Word i takes number i of the lower half and number i of the upper one.
    let mut turns = [0u16; 2 * SIDE];
    for (i, turn) in turns.iter_mut().enumerate() {
        *turn = (i / 2 + i % 2 * SIDE) as u16;
    }
    // SAFETY: an array of 64 bytes.
    let turns = unsafe { _mm512_loadu_si512(turns.as_ptr().cast()) };
    let lines = first(lines);
    for pair in 0..SIDE {
        let [even, odd] = [2 * pair, 2 * pair + 1].map(|step| {
            let lanes = if step < steps { lines } else { 0 };
            // SAFETY: the caller's promise; masked lanes are not read.
            unsafe { _mm512_maskz_loadu_ps(lanes, from.at(0, step).start) }
        });
        let halves = bits(_mm512_cvtne2ps_pbh(odd, even));
        let words = _mm512_permutexvar_epi16(turns, halves);
        // SAFETY: the caller's promise.
        unsafe { _mm512_storeu_si512(out.add(pair * SIDE).cast(), words) };
    }
}

#[inline(always)]
fn bits(numbers: __m512bh) -> __m512i {
    // SAFETY: both are 64 bytes without invalid values.
    unsafe { std::mem::transmute(numbers) }
}

#[inline(always)]
fn numbers(bits: __m512i) -> __m512bh {
    // SAFETY: as above.
    unsafe { std::mem::transmute(bits) }
}

/// A block of results: see `tiles::Configured::block`.
///
/// # Safety
/// `count` tiles must be readable from each pointer on, and this machine be [`available`].
#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx512bf16")]
pub(super) unsafe fn block(count: usize, a: [*const u32; 2], b: [*const u32; 2], sums: &mut Sums) {
    /// Rows at a time: with two vectors each, as many as leave registers for the operands.
    const ROWS: usize = 8;
    for part in 0..BLOCK / ROWS {
        let a = a[part * ROWS / SIDE].wrapping_add(part * ROWS % SIDE * SIDE);
        let mut block = [[_mm512_setzero_ps(); 2]; ROWS];
        for tile in 0..count {
            for pair in 0..SIDE {
                // SAFETY: the caller's promise.
                unsafe {
                    let at = tile * TILE + pair * SIDE;
                    let b = b.map(|b| numbers(_mm512_loadu_si512(b.add(at).cast())));
                    for (row, sums) in block.iter_mut().enumerate() {
                        let word = *a.add(tile * TILE + row * SIDE + pair);
                        let a = numbers(_mm512_set1_epi32(word.cast_signed()));
                        for (sum, b) in sums.iter_mut().zip(b) {
                            *sum = _mm512_dpbf16_ps(*sum, a, b);
                        }
                    }
                }
            }
        }
        for (row, block) in block.iter().enumerate() {
            for (half, block) in block.iter().enumerate() {
                let at = (part * ROWS + row) * BLOCK + half * SIDE;
                // SAFETY: within the block.
                unsafe { _mm512_storeu_ps(sums.0.as_mut_ptr().add(at), *block) };
            }
        }
    }
}

/// Scales the first rows and columns of a block and writes them, or adds them to what is there.
///
/// # Safety
/// The target must have room for them (initialised for [`Mode::Sum`]), and this machine be
/// [`available`].
#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw")]
pub(super) unsafe fn finish(
    sums: &Sums,
    [rows, columns]: [usize; 2],
    (out, scale, mode): (Target, f32, Mode),
) {
    let lanes = [first(columns), first(columns.saturating_sub(SIDE))];
    let scale = _mm512_set1_ps(scale);
    for row in 0..rows {
        for (half, lanes) in lanes.into_iter().enumerate() {
            let to = out.at(row, half * SIDE).start;
            // SAFETY: the caller's promise; masked lanes are neither read nor written.
            unsafe {
                let sum = _mm512_load_ps(sums.0.as_ptr().add(row * BLOCK + half * SIDE));
                let result = match mode {
                    Mode::Fresh => _mm512_mul_ps(sum, scale),
                    Mode::Sum => _mm512_fmadd_ps(sum, scale, _mm512_maskz_loadu_ps(lanes, to)),
                };
                _mm512_mask_storeu_ps(to, lanes, result);
            }
        }
    }
}
