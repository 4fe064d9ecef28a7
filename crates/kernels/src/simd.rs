//! Instruction sets chosen at run time, and the arithmetic the kernels share.
//!
//! A function written with [`vectorised!`] is compiled three times from one body: for AVX-512, for
//! AVX2 with FMA, and for the target's baseline. The bodies are plain loops over slices that the
//! compiler turns into vector instructions; sums keep [`LANES`] partial sums by hand, because the
//! compiler may not reorder floating-point additions.

/// Partial sums kept by every reduction: two vectors of AVX-512, four of AVX2.
pub(crate) const LANES: usize = 32;

/// The instruction sets a kernel is compiled for.
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Baseline,
    Avx2,
    Avx512,
}

/// The set to use: the best this machine has.
#[inline]
pub(crate) fn level() -> Level {
    #[cfg(test)]
    if let Some(level) = HELD.get() {
        return level;
    }
    best()
}

#[cfg(test)]
thread_local! {
    static HELD: std::cell::Cell<Option<Level>> = const { std::cell::Cell::new(None) };
}

/// Runs `work` on threads of its own that are held to this level, so that tests see all variants
/// on one machine.
#[cfg(test)]
pub(crate) fn held<T: Send>(level: Level, work: impl FnOnce() -> T + Send) -> T {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2);
    let pool = pool.start_handler(move |_| HELD.set(Some(level))).build().unwrap();
    pool.install(work)
}

/// The best set this machine has. Detection is cached by the standard library.
#[inline]
pub(crate) fn best() -> Level {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("fma")
        {
            return Level::Avx512;
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            return Level::Avx2;
        }
    }
    Level::Baseline
}

/// Compiles one body for every [`Level`] and calls the variant this machine can run.
///
/// The body may name the constant `FMA`: whether fused multiply-add is an instruction.
macro_rules! vectorised {
    ($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? $body:block) => {
        $(#[$meta])*
        $vis fn $name($($arg: $ty),*) $(-> $ret)? {
            #[inline(always)]
            #[allow(clippy::extra_unused_type_parameters, clippy::too_many_arguments)]
            fn body<const FMA: bool>($($arg: $ty),*) $(-> $ret)? $body

            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
                fn avx512($($arg: $ty),*) $(-> $ret)? {
                    body::<true>($($arg),*)
                }
                #[target_feature(enable = "avx2,fma")]
                fn avx2($($arg: $ty),*) $(-> $ret)? {
                    body::<true>($($arg),*)
                }
                match $crate::simd::level() {
                    // SAFETY: `level` has checked that this machine has these instructions.
                    $crate::simd::Level::Avx512 => return unsafe { avx512($($arg),*) },
                    // SAFETY: as above.
                    $crate::simd::Level::Avx2 => return unsafe { avx2($($arg),*) },
                    $crate::simd::Level::Baseline => {}
                }
            }
            body::<false>($($arg),*)
        }
    };
}
pub(crate) use vectorised;

/// `a * b + c`, rounded once where the machine can.
#[inline(always)]
pub(crate) fn mul_add<const FMA: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}

/// Asks for memory that will be read soon; any address will do.
#[inline(always)]
pub(crate) fn prefetch(_address: *const f32) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: part of every x86-64, and it never faults.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(_address.cast());
    }
}

/// `e^x` to within 2 units in the last place, without branches or table look-ups.
///
/// `x` is written as `n ln 2 + r` with `|r| <= ln 2 / 2`; `e^r` is its Taylor polynomial of degree
/// seven and `2^n` is put together from bits. Below -87.3, where the result would leave the normal
/// range, it is zero; above 88 it is held at `e^88`. Not-a-number stays not-a-number.
#[inline(always)]
pub(crate) fn exp<const FMA: bool>(x: f32) -> f32 {
    // Adding 1.5 * 2^23 rounds to the nearest integer and leaves it in the low bits.
    const ROUND: f32 = 12_582_912.0;
    // ln 2 in two parts, the first exact in few bits.
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    let held = if x > 88.0 { 88.0 } else { x };
    let shifted = mul_add::<FMA>(held, std::f32::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    let r = mul_add::<FMA>(n, -LN2_HIGH, held);
    let r = mul_add::<FMA>(n, -LN2_LOW, r);
    let mut e = 1.0 / 5040.0;
    e = mul_add::<FMA>(e, r, 1.0 / 720.0);
    e = mul_add::<FMA>(e, r, 1.0 / 120.0);
    e = mul_add::<FMA>(e, r, 1.0 / 24.0);
    e = mul_add::<FMA>(e, r, 1.0 / 6.0);
    e = mul_add::<FMA>(e, r, 0.5);
    e = mul_add::<FMA>(e, r, 1.0);
    e = mul_add::<FMA>(e, r, 1.0);
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(1.0f32.to_bits()));
    if x < -87.3 { 0.0 } else { e * power }
}

/// The logistic function `1 / (1 + e^-x)`.
#[inline(always)]
pub(crate) fn sigmoid<const FMA: bool>(x: f32) -> f32 {
    1.0 / (1.0 + exp::<FMA>(-x))
}

/// The sum of the lanes, in one fixed order: halves are added until one is left.
#[inline(always)]
pub(crate) fn sum_lanes<const N: usize>(mut lanes: [f32; N]) -> f32 {
    let mut width = N / 2;
    while width > 0 {
        for lane in 0..width {
            lanes[lane] += lanes[lane + width];
        }
        width /= 2;
    }
    lanes[0]
}

/// The sum over `i` of `term(a[i], b[i])` of two slices of one length.
#[inline(always)]
pub(crate) fn reduce2(a: &[f32], b: &[f32], term: impl Fn(f32, f32, f32) -> f32) -> f32 {
    let mut lanes = [0.0; LANES];
    let (a_blocks, a_rest) = a.as_chunks::<LANES>();
    let (b_blocks, b_rest) = b.as_chunks::<LANES>();
    for (a, b) in a_blocks.iter().zip(b_blocks) {
        for lane in 0..LANES {
            lanes[lane] = term(a[lane], b[lane], lanes[lane]);
        }
    }
    for (lane, (a, b)) in a_rest.iter().zip(b_rest).enumerate() {
        lanes[lane] = term(*a, *b, lanes[lane]);
    }
    sum_lanes(lanes)
}

/// The largest element, not-a-numbers aside; minus infinity for none.
#[inline(always)]
pub(crate) fn largest(row: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let (blocks, rest) = row.as_chunks::<LANES>();
    for block in blocks {
        for lane in 0..LANES {
            lanes[lane] = if block[lane] > lanes[lane] { block[lane] } else { lanes[lane] };
        }
    }
    for (lane, value) in rest.iter().enumerate() {
        lanes[lane] = if *value > lanes[lane] { *value } else { lanes[lane] };
    }
    lanes.iter().fold(f32::NEG_INFINITY, |most, &value| if value > most { value } else { most })
}

/// Replaces each element by `map(element)` and returns the sum of the results. Whatever does not
/// fill a block of [`LANES`] is padded with minus infinity, for which `map` must give zero.
#[inline(always)]
pub(crate) fn map_sum(row: &mut [f32], map: impl Fn(f32) -> f32) -> f32 {
    let mut lanes = [0.0; LANES];
    let (blocks, rest) = row.as_chunks_mut::<LANES>();
    for block in blocks {
        for lane in 0..LANES {
            block[lane] = map(block[lane]);
            lanes[lane] += block[lane];
        }
    }
    if !rest.is_empty() {
        let mut padded = [f32::NEG_INFINITY; LANES];
        padded[..rest.len()].copy_from_slice(rest);
        for lane in 0..LANES {
            padded[lane] = map(padded[lane]);
            lanes[lane] += padded[lane];
        }
        rest.copy_from_slice(&padded[..rest.len()]);
    }
    sum_lanes(lanes)
}

#[cfg(test)]
mod tests {
    use super::*;

    vectorised! {
        fn exp_all(values: &mut [f32]) -> f32 {
            map_sum(values, exp::<FMA>)
        }
    }

    #[test]
    fn exp_agrees_with_f64_everywhere() {
        for fused in [false, true] {
            let mut worst = 0.0f64;
            for step in -87_200..88_000 {
                let x = step as f32 * 1e-3;
                let ours = if fused { exp::<true>(x) } else { exp::<false>(x) } as f64;
                let truth = (x as f64).exp();
                worst = worst.max((ours / truth - 1.0).abs());
            }
            assert!(worst < 2.5e-7, "relative error {worst:e}, fused {fused}");
        }
    }

    #[test]
    fn exp_at_the_edges() {
        for edge in [exp::<false> as fn(f32) -> f32, exp::<true>] {
            assert_eq!(edge(0.0), 1.0);
            assert_eq!(edge(f32::NEG_INFINITY), 0.0);
            assert_eq!(edge(-1e4), 0.0);
            assert!(edge(1e4).is_finite());
            assert!(edge(f32::INFINITY).is_finite());
            assert!(edge(f32::NAN).is_nan());
        }
    }

    #[test]
    fn vectors_agree_with_scalars_at_every_length() {
        for length in 0..100 {
            let mut values: Vec<f32> = (0..length).map(|i| (i as f32 * 0.7).sin() * 9.0).collect();
            let truth: Vec<f64> = values.iter().map(|v| (*v as f64).exp()).collect();
            let sum = exp_all(&mut values) as f64;
            for (value, truth) in values.iter().zip(&truth) {
                assert!((*value as f64 / truth - 1.0).abs() < 3e-7);
            }
            let total: f64 = truth.iter().sum();
            assert!((sum - total).abs() <= 1e-6 * total);
        }
    }

    #[test]
    fn largest_ignores_not_a_number_and_knows_nothing_of_length() {
        assert_eq!(largest(&[]), f32::NEG_INFINITY);
        for length in 1..80 {
            let mut row = vec![-3.0; length];
            row[length - 1] = 2.0;
            assert_eq!(largest(&row), 2.0);
            row[0] = f32::NAN;
            assert_eq!(largest(&row), if length == 1 { f32::NEG_INFINITY } else { 2.0 });
        }
    }
}
