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

/// Sums kept side by side, so that none waits for another: `SUMS` vectors of 16.
const SUMS: usize = 24;
const STEPS: usize = 200_000;

fn main() {
    let threads = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(1);
    let mut best = 0.0f64;
    for _ in 0..20 {
        let start = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| black_box(work(black_box(0.999), black_box(1e-3))));
            }
        });
        let operations = (threads * STEPS * SUMS * 16 * 2) as f64;
        best = best.max(operations / start.elapsed().as_secs_f64());
    }
    println!("{{\"threads\": {threads}, \"f32_flops_per_second\": {best:.4e}}}");
}

#[cfg(target_arch = "x86_64")]
fn work(factor: f32, term: f32) -> f32 {
    use std::arch::x86_64::*;

    macro_rules! variant {
        ($name:ident, $features:literal, $splat:ident, $step:ident, $vectors:expr, $store:ident, $lanes:literal) => {
            #[target_feature(enable = $features)]
            fn $name(factor: f32, term: f32) -> f32 {
                let (factor, term) = ($splat(factor), $splat(term));
                let mut sums = [factor; $vectors];
                for _ in 0..STEPS * SUMS * 16 / ($vectors * $lanes) {
                    for sum in &mut sums {
                        *sum = $step(*sum, factor, term);
                    }
                }
                let mut lanes = [0.0f32; $lanes];
                let mut total = 0.0;
                for sum in sums {
                    // SAFETY: the array has room for a vector.
                    unsafe { $store(lanes.as_mut_ptr(), sum) };
                    total += lanes.iter().sum::<f32>();
                }
                total
            }
        };
    }
    variant!(avx512, "avx512f", _mm512_set1_ps, _mm512_fmadd_ps, 24, _mm512_storeu_ps, 16);
    variant!(avx2, "avx2,fma", _mm256_set1_ps, _mm256_fmadd_ps, 12, _mm256_storeu_ps, 8);
    if is_x86_feature_detected!("avx512f") {
        // SAFETY: just checked.
        return unsafe { avx512(factor, term) };
    }
    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        // SAFETY: just checked.
        return unsafe { avx2(factor, term) };
    }
    plain(factor, term)
}

#[cfg(not(target_arch = "x86_64"))]
fn work(factor: f32, term: f32) -> f32 {
    plain(factor, term)
}

/// What the compiler makes of it.
fn plain(factor: f32, term: f32) -> f32 {
    let mut sums = [[factor; 16]; SUMS];
    for _ in 0..STEPS {
        for lane in sums.as_flattened_mut() {
            *lane = *lane * factor + term;
        }
    }
    sums.iter().flatten().sum()
}
