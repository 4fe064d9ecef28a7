//! From two neighbouring ids to the rank of their merge.

use crate::definition::Merge;

/// Stands where no merge is.
pub(crate) const NO_RANK: u32 = u32::MAX;

/// Ranks by pair: an open-addressing table, at most half full, of 12 bytes a place. Most look-ups
/// are of pairs that do not merge, and end at the first place.
pub(crate) struct PairRanks {
    places: Vec<Place>,
    shift: u32,
}

#[derive(Clone, Copy)]
struct Place {
    left: u32,
    right: u32,
    rank: u32,
}

impl PairRanks {
    /// The ranks of merges in their order; a pair that is listed twice has the later one, as in
    /// the `tokenizers` crate.
    pub(crate) fn new(merges: &[Merge]) -> Self {
        let size = (2 * merges.len()).next_power_of_two().max(2);
        let empty = Place { left: 0, right: 0, rank: NO_RANK };
        let mut table = Self { places: vec![empty; size], shift: 64 - size.ilog2() };
        for (merge, rank) in merges.iter().zip(0..) {
            let at = table.seek(merge.left, merge.right);
            table.places[at] = Place { left: merge.left, right: merge.right, rank };
        }
        table
    }

    /// The rank of a pair, or [`NO_RANK`].
    #[inline]
    pub(crate) fn get(&self, left: u32, right: u32) -> u32 {
        self.places[self.seek(left, right)].rank
    }

    /// The place of a pair, or the empty one where it would be.
    #[inline]
    fn seek(&self, left: u32, right: u32) -> usize {
        let key = u64::from(left) << 32 | u64::from(right);
        let mut at = (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> self.shift) as usize;
        loop {
            let place = &self.places[at];
            if place.rank == NO_RANK || (place.left == left && place.right == right) {
                return at;
            }
            at = (at + 1) & (self.places.len() - 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    proptest! {
        #[test]
        fn agrees_with_a_map(pairs in prop::collection::vec((0u32..40, 0u32..40), 0..300)) {
            let merges: Vec<Merge> =
                pairs.iter().map(|&(left, right)| Merge { left, right, product: 0 }).collect();
            let map: HashMap<(u32, u32), u32> = pairs.into_iter().zip(0..).collect();
            let table = PairRanks::new(&merges);
            for left in 0..41 {
                for right in 0..41 {
                    let expected = map.get(&(left, right)).copied().unwrap_or(NO_RANK);
                    prop_assert_eq!(table.get(left, right), expected);
                }
            }
        }
    }
}
