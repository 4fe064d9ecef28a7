//! The order in which training windows are visited.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Keeps this use of a seed apart from every other use of the same number.
const PURPOSE: &[u8; 24] = b"ablate order of windows ";

/// Visits `visits` of `count` windows: one seeded permutation of all windows after the other,
/// the last one cut short. So every window is seen `n` or `n + 1` times, and a longer run
/// starts with the order of a shorter one.
///
/// The generator is ChaCha8 keyed by the seed, with the epoch as its stream; the permutation is
/// a Fisher-Yates shuffle with rejection sampling. Both are written out here, so that the order
/// never depends on another crate's version. Without windows the order is empty.
///
/// # Panics
/// When `count` is more than `u32` can index.
pub fn order(count: u64, visits: u64, seed: u64) -> Vec<u32> {
    assert!(count <= 1 << 32, "{count} windows are more than u32 can index");
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..].copy_from_slice(PURPOSE);
    let mut visited = Vec::new();
    let mut epoch = 0;
    while count > 0 && (visited.len() as u64) < visits {
        let mut rng = ChaCha8Rng::from_seed(key);
        rng.set_stream(epoch);
        epoch += 1;
        let mut windows: Vec<u32> = (0..count).map(|window| window as u32).collect();
        for last in (1..windows.len()).rev() {
            let other = below(&mut rng, last as u64 + 1) as usize;
            windows.swap(last, other);
        }
        let left = visits - visited.len() as u64;
        visited.extend(windows.into_iter().take(left.min(count) as usize));
    }
    visited
}

/// A uniform number below `bound` (above 0): draws above the largest multiple are thrown away.
fn below(rng: &mut ChaCha8Rng, bound: u64) -> u64 {
    let excess = (u64::MAX % bound + 1) % bound;
    loop {
        let draw = rng.next_u64();
        if draw <= u64::MAX - excess {
            return draw % bound;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn orders_never_change() {
        // Stored runs rely on these numbers, which a few lines of Python computed: a change
        // here breaks every resumed study.
        let cases = include_str!("../tests/fixtures/order.json");
        let cases: Vec<serde_json::Value> = serde_json::from_str(cases).unwrap();
        assert_eq!(cases.len(), 4);
        for case in cases {
            let number = |key: &str| case[key].as_u64().unwrap();
            let found = order(number("count"), number("visits"), number("seed"));
            assert_eq!(serde_json::json!(found), case["order"], "{case}");
        }
    }

    #[test]
    fn nothing_to_visit() {
        assert!(order(0, 5, 1).is_empty());
        assert!(order(5, 0, 1).is_empty());
    }

    #[test]
    fn every_place_is_equally_likely() {
        // 3 windows, 6000 seeds: every permutation is expected 1000 times. Chi-square with 5
        // degrees of freedom stays below 20.5 in 999 of 1000 experiments.
        let mut counts = std::collections::BTreeMap::new();
        for seed in 0..6000 {
            *counts.entry(order(3, 3, seed)).or_insert(0.0) += 1.0;
        }
        assert_eq!(counts.len(), 6);
        let chi: f64 = counts.values().map(|n: &f64| (n - 1000.0).powi(2) / 1000.0).sum();
        assert!(chi < 20.5, "{chi}");
    }

    proptest! {
        #[test]
        fn epochs_are_permutations(count in 1u64..50, visits in 0u64..200, seed: u64) {
            let visited = order(count, visits, seed);
            prop_assert_eq!(visited.len() as u64, visits);
            for epoch in visited.chunks_exact(count as usize) {
                let mut sorted = epoch.to_vec();
                sorted.sort_unstable();
                prop_assert!(sorted.into_iter().eq(0..count as u32));
            }
            let longer = order(count, visits + 7, seed);
            prop_assert_eq!(&longer[..visits as usize], &visited[..]);
        }
    }
}
