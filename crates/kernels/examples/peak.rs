//! What this machine's cores can do at most: multiply-adds on registers alone, all cores at once,
//! in f32. What a training reaches is compared with it.
//!
//! ```sh
//! cargo run --release -p ablate-kernels --example peak -- 2
//! ```
//! The argument is the number of threads. Prints a JSON object.
#![allow(clippy::print_stdout)]

use std::hint::black_box;
use std::time::Instant;

const STEPS: usize = 200_000;
/// Numbers that a step multiplies and adds at most: 24 vectors of 16.
const LANES: usize = 24 * 16;

fn main() {
    let threads = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(1);
    let mut best = 0.0f64;
    for _ in 0..20 {
        let start = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| work(black_box(0.999), black_box(1e-3)));
            }
        });
        let operations = (threads * STEPS * LANES * 2) as f64;
        best = best.max(operations / start.elapsed().as_secs_f64());
    }
    println!("{{\"threads\": {threads}, \"f32_flops_per_second\": {best:.4e}}}");
}

#[cfg(target_arch = "x86_64")]
fn work(factor: f32, term: f32) {
    use std::arch::asm;
    use std::arch::x86_64::*;

    // In assembly: a compiler may keep sums in memory, and then memory is what is measured.
    macro_rules! variant {
        ($name:ident, $features:literal, $splat:ident, $passes:expr,
         $factor:tt $term:tt [$($sum:tt)*]) => {
            #[target_feature(enable = $features)]
            fn $name(factor: f32, term: f32) {
                let (factor, term) = ($splat(factor), $splat(term));
                // SAFETY: registers only, all of them named.
                unsafe {
                    asm!(
                        "2:",
                        $(concat!("vfmadd213ps ", $sum, ", ", $factor, ", ", $term),)*
                        "dec {steps}",
                        "jnz 2b",
                        steps = inout(reg) $passes => _,
                        in($factor) factor,
                        in($term) term,
                        $(inout($sum) factor => _,)*
                        options(nomem, nostack),
                    );
                }
            }
        };
    }
    variant!(
        avx512, "avx512f", _mm512_set1_ps, STEPS,
        "zmm30" "zmm31" ["zmm0" "zmm1" "zmm2" "zmm3" "zmm4" "zmm5" "zmm6" "zmm7" "zmm8" "zmm9" "zmm10" "zmm11" "zmm12" "zmm13" "zmm14" "zmm15" "zmm16" "zmm17" "zmm18" "zmm19" "zmm20" "zmm21" "zmm22" "zmm23"]
    );
    variant!(
        avx2, "avx2,fma", _mm256_set1_ps, STEPS * LANES / (12 * 8),
        "ymm14" "ymm15" ["ymm0" "ymm1" "ymm2" "ymm3" "ymm4" "ymm5" "ymm6" "ymm7" "ymm8" "ymm9" "ymm10" "ymm11"]
    );
    if is_x86_feature_detected!("avx512f") {
        // SAFETY: just checked.
        unsafe { avx512(factor, term) }
    } else if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        // SAFETY: just checked.
        unsafe { avx2(factor, term) }
    } else {
        plain(factor, term);
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn work(factor: f32, term: f32) {
    plain(factor, term);
}

/// What the compiler makes of it.
fn plain(factor: f32, term: f32) {
    let mut sums = [factor; LANES];
    for _ in 0..STEPS {
        for lane in &mut sums {
            *lane = *lane * factor + term;
        }
        black_box(&mut sums);
    }
}
