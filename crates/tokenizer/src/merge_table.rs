//! The merges of a BPE, and what they make of a sequence.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};

use crate::definition::Merge;

/// Merges by their pair.
pub(crate) struct MergeTable {
    /// Rank and product of each pair (left id in the high half).
    ranks: HashMap<u64, (u32, u32), BuildHasherDefault<PairHasher>>,
}

/// Room that merging needs, kept between words.
#[derive(Default)]
pub(crate) struct Scratch {
    symbols: Vec<Symbol>,
    queue: BinaryHeap<Reverse<(u32, usize)>>,
}

#[derive(Clone, Copy)]
struct Symbol {
    id: u32,
    /// Index of the neighbours; `NONE` at the ends.
    left: usize,
    right: usize,
    /// Whether it was merged into its left neighbour.
    gone: bool,
}

const NONE: usize = usize::MAX;

impl MergeTable {
    /// A table of merges in the order of their ranks. A pair that is listed twice counts with
    /// its later rank, as in the `tokenizers` crate.
    pub(crate) fn new(merges: &[Merge]) -> Self {
        let entry =
            |(merge, rank): (&Merge, u32)| (key(merge.left, merge.right), (rank, merge.product));
        Self { ranks: merges.iter().zip(0..).map(entry).collect() }
    }

    fn find(&self, left: u32, right: u32) -> Option<(u32, u32)> {
        self.ranks.get(&key(left, right)).copied()
    }

    /// Merges neighbours until no pair is left, always the pair of the lowest rank, leftmost
    /// among equals, and appends the result to `out`. Gives the pair that was merged last.
    /// Takes n log n steps for n ids.
    pub(crate) fn merge(
        &self,
        ids: impl Iterator<Item = u32>,
        scratch: &mut Scratch,
        out: &mut Vec<u32>,
    ) -> Option<(u32, u32)> {
        let Scratch { symbols, queue } = scratch;
        symbols.clear();
        queue.clear();
        symbols.extend(ids.enumerate().map(|(at, id)| Symbol {
            id,
            left: at.wrapping_sub(1),
            right: at + 1,
            gone: false,
        }));
        if let Some(last) = symbols.last_mut() {
            last.right = NONE;
        }
        let pairs = symbols.windows(2).enumerate();
        queue.extend(pairs.filter_map(|(at, pair)| {
            self.find(pair[0].id, pair[1].id).map(|(rank, _)| Reverse((rank, at)))
        }));
        let mut last = None;
        while let Some(Reverse((rank, at))) = queue.pop() {
            let Symbol { id, left, right, gone } = symbols[at];
            if gone || right == NONE {
                continue;
            }
            let (other, beyond) = (symbols[right].id, symbols[right].right);
            // Entries whose pair has changed since are stale.
            let Some((_, product)) = self.find(id, other).filter(|found| found.0 == rank) else {
                continue;
            };
            last = Some((id, other));
            symbols[right].gone = true;
            symbols[at].id = product;
            symbols[at].right = beyond;
            if beyond != NONE {
                symbols[beyond].left = at;
                if let Some((rank, _)) = self.find(product, symbols[beyond].id) {
                    queue.push(Reverse((rank, at)));
                }
            }
            if left != NONE
                && let Some((rank, _)) = self.find(symbols[left].id, product)
            {
                queue.push(Reverse((rank, left)));
            }
        }
        out.extend(symbols.iter().filter(|symbol| !symbol.gone).map(|symbol| symbol.id));
        last
    }
}

fn key(left: u32, right: u32) -> u64 {
    u64::from(left) << 32 | u64::from(right)
}

/// One multiplication: the default hash would take most of the time of encoding, and ids need
/// no protection against chosen collisions.
#[derive(Default)]
struct PairHasher(u64);

impl Hasher for PairHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(self.0 ^ u64::from(byte));
        }
    }

    fn write_u64(&mut self, key: u64) {
        let product = key.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        // The table takes its slot from the low bits, where a product mixes least.
        self.0 = product ^ (product >> 32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition of BPE, one merge at a time.
    fn slow(mut ids: Vec<u32>, merges: &[Merge]) -> Vec<u32> {
        loop {
            let best = ids
                .windows(2)
                .enumerate()
                .filter_map(|(at, pair)| {
                    let rank = merges.iter().rposition(|m| [m.left, m.right] == *pair)?;
                    Some((rank, at))
                })
                .min();
            let Some((rank, at)) = best else { return ids };
            ids[at] = merges[rank].product;
            ids.remove(at + 1);
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition(
            ids in prop::collection::vec(0u32..3, 0..60),
            pairs in prop::collection::vec((any::<u32>(), any::<u32>()), 0..30),
        ) {
            // Merge number i makes id 3 + i out of ids that exist by then.
            let merges: Vec<Merge> = pairs.iter().zip(3..).map(|(&(left, right), product)| {
                Merge { left: left % product, right: right % product, product }
            }).collect();
            let mut found = Vec::new();
            MergeTable::new(&merges).merge(ids.iter().copied(), &mut Scratch::default(), &mut found);
            prop_assert_eq!(found, slow(ids, &merges));
        }
    }
}
