//! The pairs that may be merged: how often and where each occurs.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Two neighbouring ids.
pub(crate) type Pair = (u32, u32);

/// Occurrences by pair.
#[derive(Default)]
pub(crate) struct PairPlaces(HashMap<Pair, Places, BuildHasherDefault<PairHasher>>);

struct Places {
    count: u64,
    starts: Vec<u32>,
}

impl PairPlaces {
    /// Adds a pair that occurs `count` times in all, at `starts`.
    pub(crate) fn insert(&mut self, pair: Pair, count: u64, starts: Vec<u32>) {
        self.0.insert(pair, Places { count, starts });
    }

    /// Occurrences of a pair; 0 if it is not here.
    pub(crate) fn count(&self, pair: Pair) -> u64 {
        self.0.get(&pair).map_or(0, |places| places.count)
    }

    /// Takes occurrences from a pair; nothing happens if it is not here.
    pub(crate) fn lower(&mut self, pair: Pair, count: u64) {
        if let Some(places) = self.0.get_mut(&pair) {
            places.count = places.count.saturating_sub(count);
        }
    }

    /// Takes a pair away and gives where it was added; nothing if it is not here.
    pub(crate) fn remove(&mut self, pair: Pair) -> Vec<u32> {
        self.0.remove(&pair).map(|places| places.starts).unwrap_or_default()
    }
}

/// One multiplication: ids need no protection against chosen collisions.
#[derive(Default)]
struct PairHasher(u64);

impl Hasher for PairHasher {
    fn finish(&self) -> u64 {
        let product = self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        // The table takes its place from the low bits, where a product mixes least.
        product ^ (product >> 32)
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u32(byte.into());
        }
    }

    fn write_u32(&mut self, id: u32) {
        self.0 = self.0 << 32 | u64::from(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_fall_until_a_pair_goes() {
        let mut pairs = PairPlaces::default();
        pairs.insert((1, 2), 5, vec![3, 9]);
        pairs.lower((1, 2), 3);
        pairs.lower((2, 1), 3);
        assert_eq!((pairs.count((1, 2)), pairs.count((2, 1))), (2, 0));
        assert_eq!(pairs.remove((1, 2)), [3, 9]);
        assert!(pairs.remove((1, 2)).is_empty());
        assert_eq!(pairs.count((1, 2)), 0);
    }
}
