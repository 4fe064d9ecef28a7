//! Seeded draws. Every sampling rule is written out here, so that a stored corpus stays the same
//! when a dependency changes its own algorithms.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A ChaCha8 stream named by (seed, purpose, index).
pub(crate) struct Draw(ChaCha8Rng);

impl Draw {
    pub(crate) fn new(seed: u64, purpose: &str, index: u64) -> Draw {
        let mut key = [0u8; 32];
        let mut state = hash(seed, &[text_hash(purpose), index]);
        for chunk in key.chunks_exact_mut(8) {
            state = mix(state);
            chunk.copy_from_slice(&state.to_le_bytes());
        }
        Draw(ChaCha8Rng::from_seed(key))
    }

    /// Uniform in `0..n` by multiply-shift (bias below 2^-32 for the table sizes used here);
    /// 0 for `n == 0`.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        ((u64::from(self.0.next_u32()) * n as u64) >> 32) as usize
    }

    /// Uniform in `low..=high`.
    pub(crate) fn between(&mut self, low: usize, high: usize) -> usize {
        low + self.below(high - low + 1)
    }

    /// True with `percent` in a hundred.
    pub(crate) fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    /// Fisher-Yates.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            let j = self.below(i + 1);
            items.swap(i, j);
        }
    }

    /// An index in `0..n` other than those in `taken`; falls back to any index when all are taken.
    pub(crate) fn other(&mut self, n: usize, taken: &[usize]) -> usize {
        for _ in 0..64 {
            let candidate = self.below(n);
            if !taken.contains(&candidate) {
                return candidate;
            }
        }
        (0..n).find(|i| !taken.contains(i)).unwrap_or(0)
    }

    /// An index drawn with the given non-negative weights (not all zero).
    pub(crate) fn weighted(&mut self, weights: &[u64]) -> usize {
        let total: u64 = weights.iter().sum();
        let mut rest = ((u128::from(self.0.next_u64()) * u128::from(total)) >> 64) as u64;
        for (i, &w) in weights.iter().enumerate() {
            if rest < w {
                return i;
            }
            rest -= w;
        }
        weights.len() - 1
    }
}

/// The splitmix64 finaliser (Steele, Lea and Flood 2014).
const fn mix(z: u64) -> u64 {
    let z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A portable hash of numbers under a seed: the rule that reserves combinations.
pub(crate) fn hash(seed: u64, parts: &[u64]) -> u64 {
    parts.iter().fold(mix(seed), |state, &part| mix(state ^ mix(part)))
}

/// A portable hash of text (FNV-1a, 64 bit).
pub(crate) fn text_hash(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_pinned() {
        let mut draw = Draw::new(7, "test", 0);
        let first: Vec<usize> = (0..4).map(|_| draw.below(1000)).collect();
        let mut again = Draw::new(7, "test", 0);
        assert_eq!(first, (0..4).map(|_| again.below(1000)).collect::<Vec<_>>());
        let mut other = Draw::new(7, "test", 1);
        assert_ne!(first, (0..4).map(|_| other.below(1000)).collect::<Vec<_>>());
        // FNV-1a of "a" as published with the algorithm.
        assert_eq!(text_hash("a"), 0xaf63_dc4c_8601_ec8c);
        // splitmix64 of state 0: the first output of the reference generator.
        assert_eq!(mix(0), 0xe220_a839_7b1d_cdaf);
    }

    #[test]
    fn uniform_and_weighted_draws_follow_their_law() {
        let mut draw = Draw::new(1, "law", 0);
        let mut counts = [0usize; 3];
        for _ in 0..30_000 {
            counts[draw.weighted(&[1, 2, 3])] += 1;
        }
        for (count, expected) in counts.iter().zip([5_000.0, 10_000.0, 15_000.0]) {
            assert!((*count as f64 - expected).abs() < 4.0 * 87.0, "{counts:?}");
        }
        assert!((0..1000).all(|_| draw.below(5) < 5));
        assert_eq!(draw.other(2, &[0]), 1);
    }
}
