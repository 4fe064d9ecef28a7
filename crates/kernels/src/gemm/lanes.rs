//! Vectors of the instruction sets, as far as products of matrices need them.
//!
//! Every function is `#[inline(always)]` and meant to end up in a function compiled for the
//! instruction set (see `dispatch`); called anywhere else it would be undefined behaviour on a
//! processor without it, hence `unsafe` throughout.

/// A vector of `f32`.
pub(super) trait Lanes: Copy {
    /// Numbers in a vector.
    const WIDTH: usize;
    /// Whether the first numbers of a vector are read and written as fast as all of them.
    const MASKED: bool;
    /// Whether operands that lie well in memory are read as they lie: a tile of few rows reads these in
    /// as few streams and a narrow panel of columns line by line, and a copy costs more than it gains.
    const LYING: bool;
    /// Rows of a tile: with two vectors a row, as many as leave registers for the operands.
    const ROWS: usize;

    /// Whether [`Lanes::whole_tile`] is there.
    const BY_HAND: bool = false;

    unsafe fn splat(value: f32) -> Self;
    unsafe fn load(from: *const f32) -> Self;
    unsafe fn store(self, to: *mut f32);
    /// The first `count` numbers, zeros after them; no others are read.
    unsafe fn load_first(from: *const f32, count: usize) -> Self;
    /// Writes the first `count` numbers and no others.
    unsafe fn store_first(self, to: *mut f32, count: usize);
    /// Asks for memory that will be read soon; any address will do.
    #[inline(always)]
    unsafe fn prefetch(_: *const f32) {}
    /// `self * b`.
    unsafe fn times(self, b: Self) -> Self;
    /// `self * b + c`.
    unsafe fn times_plus(self, b: Self, c: Self) -> Self;
    /// Adds `k` steps to the sums of a tile of `ROWS` rows of two vectors: of a left operand with the
    /// distance of its rows and its columns, and of a right one with the distance of its rows.
    #[inline(always)]
    unsafe fn whole_tile(
        _sums: &mut [Self],
        _k: usize,
        _left: (*const f32, usize, usize),
        _right: (*const f32, usize),
    ) {
        unreachable!("for instruction sets with a loop of their own");
    }
    /// Writes `rows` rows of `columns` numbers, `stride` apart, as columns: number `c` of row `r`
    /// goes to `to[c * rows_apart + r]`. At most `WIDTH` rows and `WIDTH` columns.
    #[inline(always)]
    unsafe fn transpose(
        (from, stride): (*const f32, usize),
        [rows, columns]: [usize; 2],
        (to, apart): (*mut f32, usize),
    ) {
        for row in 0..rows {
            for column in 0..columns {
                // SAFETY: the caller's promise about both sides.
                unsafe { *to.add(column * apart + row) = *from.add(row * stride + column) };
            }
        }
    }
}

/// Four numbers in whatever registers the target has.
#[derive(Clone, Copy)]
pub(super) struct Portable([f32; 4]);

impl Lanes for Portable {
    const WIDTH: usize = 4;
    const MASKED: bool = false;
    const LYING: bool = true;
    // AArch64 has twice the registers of plain x86-64.
    const ROWS: usize = if cfg!(target_arch = "aarch64") { 8 } else { 4 };

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        Self([value; 4])
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller's promise.
        Self(unsafe { from.cast::<[f32; 4]>().read_unaligned() })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller's promise.
        unsafe { to.cast::<[f32; 4]>().write_unaligned(self.0) };
    }

    #[inline(always)]
    unsafe fn load_first(from: *const f32, count: usize) -> Self {
        let mut values = [0.0; 4];
        for (lane, value) in values.iter_mut().enumerate().take(count) {
            // SAFETY: the caller's promise.
            *value = unsafe { *from.add(lane) };
        }
        Self(values)
    }

    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, count: usize) {
        for (lane, value) in self.0.iter().enumerate().take(count) {
            // SAFETY: the caller's promise.
            unsafe { *to.add(lane) = *value };
        }
    }

    #[inline(always)]
    unsafe fn times(self, b: Self) -> Self {
        Self(std::array::from_fn(|lane| self.0[lane] * b.0[lane]))
    }

    #[inline(always)]
    unsafe fn times_plus(self, b: Self, c: Self) -> Self {
        // Only where it is an instruction: elsewhere it is a call.
        const FMA: bool = cfg!(target_arch = "aarch64");
        Self(std::array::from_fn(|lane| {
            crate::simd::mul_add::<FMA>(self.0[lane], b.0[lane], c.0[lane])
        }))
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::Lanes;
    use crate::gemm::by_hand;

    impl Lanes for __m256 {
        const WIDTH: usize = 8;
        const MASKED: bool = false;
        const LYING: bool = true;
        const ROWS: usize = 6;
        const BY_HAND: bool = true;

        #[inline(always)]
        unsafe fn whole_tile(
            sums: &mut [Self],
            k: usize,
            left: (*const f32, usize, usize),
            right: (*const f32, usize),
        ) {
            let sums = sums.try_into().expect("six rows of two vectors");
            unsafe { by_hand::add(sums, k, left, right) };
        }

        #[inline(always)]
        unsafe fn splat(value: f32) -> Self {
            // SAFETY: the caller's promise, here and below.
            unsafe { _mm256_set1_ps(value) }
        }

        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            unsafe { _mm256_loadu_ps(from) }
        }

        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            unsafe { _mm256_storeu_ps(to, self) };
        }

        #[inline(always)]
        unsafe fn load_first(from: *const f32, count: usize) -> Self {
            unsafe { _mm256_maskload_ps(from, first(count)) }
        }

        /// Without the masked store, which takes some processors (AMD's) 40 steps.
        #[inline(always)]
        unsafe fn store_first(self, to: *mut f32, count: usize) {
            unsafe {
                if count >= Self::WIDTH {
                    self.store(to);
                    return;
                }
                let (mut part, mut to) = (_mm256_castps256_ps128(self), to);
                if count & 4 != 0 {
                    _mm_storeu_ps(to, part);
                    (part, to) = (_mm256_extractf128_ps::<1>(self), to.add(4));
                }
                if count & 2 != 0 {
                    _mm_storel_pd(to.cast(), _mm_castps_pd(part));
                    (part, to) = (_mm_movehl_ps(part, part), to.add(2));
                }
                if count & 1 != 0 {
                    _mm_store_ss(to, part);
                }
            }
        }

        #[inline(always)]
        unsafe fn prefetch(from: *const f32) {
            unsafe { _mm_prefetch::<_MM_HINT_T0>(from.cast()) };
        }

        #[inline(always)]
        unsafe fn times(self, b: Self) -> Self {
            unsafe { _mm256_mul_ps(self, b) }
        }

        #[inline(always)]
        unsafe fn times_plus(self, b: Self, c: Self) -> Self {
            unsafe { _mm256_fmadd_ps(self, b, c) }
        }

        /// In registers: neighbours, pairs and halves change places.
        #[inline(always)]
        unsafe fn transpose(
            (from, stride): (*const f32, usize),
            [rows, columns]: [usize; 2],
            (to, apart): (*mut f32, usize),
        ) {
            unsafe {
                let mut v = [_mm256_setzero_ps(); 8];
                for (row, v) in v.iter_mut().enumerate() {
                    if row < rows {
                        *v = Self::load_first(from.add(row * stride), columns);
                    }
                }
                let mut t = [_mm256_setzero_ps(); 8];
                for i in 0..4 {
                    t[2 * i] = _mm256_unpacklo_ps(v[2 * i], v[2 * i + 1]);
                    t[2 * i + 1] = _mm256_unpackhi_ps(v[2 * i], v[2 * i + 1]);
                }
                // Half h of v[4 i + j] is column 4 h + j of rows 4 i to 4 i + 3.
                for i in 0..2 {
                    let [a, b, c, d] = [0, 1, 2, 3].map(|j| t[4 * i + j]);
                    v[4 * i] = _mm256_shuffle_ps::<0x44>(a, c);
                    v[4 * i + 1] = _mm256_shuffle_ps::<0xee>(a, c);
                    v[4 * i + 2] = _mm256_shuffle_ps::<0x44>(b, d);
                    v[4 * i + 3] = _mm256_shuffle_ps::<0xee>(b, d);
                }
                for j in 0..4 {
                    t[j] = _mm256_permute2f128_ps::<0x20>(v[j], v[4 + j]);
                    t[4 + j] = _mm256_permute2f128_ps::<0x31>(v[j], v[4 + j]);
                }
                for (column, t) in t.iter().enumerate() {
                    if column < columns {
                        t.store_first(to.add(column * apart), rows);
                    }
                }
            }
        }
    }

    /// A mask of the first `count` of eight lanes.
    #[inline(always)]
    unsafe fn first(count: usize) -> __m256i {
        unsafe {
            let lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
            _mm256_cmpgt_epi32(_mm256_set1_epi32(count as i32), lanes)
        }
    }

    impl Lanes for __m512 {
        const WIDTH: usize = 16;
        const MASKED: bool = true;
        const LYING: bool = false;
        const ROWS: usize = 14;

        #[inline(always)]
        unsafe fn splat(value: f32) -> Self {
            unsafe { _mm512_set1_ps(value) }
        }

        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            unsafe { _mm512_loadu_ps(from) }
        }

        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            unsafe { _mm512_storeu_ps(to, self) };
        }

        #[inline(always)]
        unsafe fn load_first(from: *const f32, count: usize) -> Self {
            unsafe { _mm512_maskz_loadu_ps(mask(count), from) }
        }

        #[inline(always)]
        unsafe fn store_first(self, to: *mut f32, count: usize) {
            unsafe { _mm512_mask_storeu_ps(to, mask(count), self) };
        }

        #[inline(always)]
        unsafe fn prefetch(from: *const f32) {
            unsafe { _mm_prefetch::<_MM_HINT_T0>(from.cast()) };
        }

        #[inline(always)]
        unsafe fn times(self, b: Self) -> Self {
            unsafe { _mm512_mul_ps(self, b) }
        }

        #[inline(always)]
        unsafe fn times_plus(self, b: Self, c: Self) -> Self {
            unsafe { _mm512_fmadd_ps(self, b, c) }
        }

        /// In registers: pairs, quadruples and halves change places.
        #[inline(always)]
        unsafe fn transpose(
            (from, stride): (*const f32, usize),
            [rows, columns]: [usize; 2],
            (to, apart): (*mut f32, usize),
        ) {
            unsafe {
                let mut v = [_mm512_setzero_ps(); 16];
                for (row, v) in v.iter_mut().enumerate() {
                    if row < rows {
                        *v = Self::load_first(from.add(row * stride), columns);
                    }
                }
                let mut t = [_mm512_setzero_ps(); 16];
                for i in 0..8 {
                    t[2 * i] = _mm512_unpacklo_ps(v[2 * i], v[2 * i + 1]);
                    t[2 * i + 1] = _mm512_unpackhi_ps(v[2 * i], v[2 * i + 1]);
                }
                for i in 0..4 {
                    let [a, b, c, d] = [0, 1, 2, 3].map(|j| _mm512_castps_pd(t[4 * i + j]));
                    v[4 * i] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, c));
                    v[4 * i + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, c));
                    v[4 * i + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(b, d));
                    v[4 * i + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(b, d));
                }
                // Quarter q of v[4 i + j] is column 4 q + j of rows 4 i to 4 i + 3.
                for j in 0..4 {
                    t[j] = _mm512_shuffle_f32x4::<0x88>(v[j], v[4 + j]);
                    t[4 + j] = _mm512_shuffle_f32x4::<0xdd>(v[j], v[4 + j]);
                    t[8 + j] = _mm512_shuffle_f32x4::<0x88>(v[8 + j], v[12 + j]);
                    t[12 + j] = _mm512_shuffle_f32x4::<0xdd>(v[8 + j], v[12 + j]);
                }
                for j in 0..4 {
                    v[j] = _mm512_shuffle_f32x4::<0x88>(t[j], t[8 + j]);
                    v[8 + j] = _mm512_shuffle_f32x4::<0xdd>(t[j], t[8 + j]);
                    v[4 + j] = _mm512_shuffle_f32x4::<0x88>(t[4 + j], t[12 + j]);
                    v[12 + j] = _mm512_shuffle_f32x4::<0xdd>(t[4 + j], t[12 + j]);
                }
                for (column, v) in v.iter().enumerate() {
                    if column < columns {
                        v.store_first(to.add(column * apart), rows);
                    }
                }
            }
        }
    }

    /// A mask of the first `count` of sixteen lanes.
    #[inline(always)]
    fn mask(count: usize) -> __mmask16 {
        ((1u32 << count) - 1) as __mmask16
    }
}
