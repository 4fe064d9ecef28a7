//! The merges of a BPE, and what they make of a word.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::definition::{Definition, Merge};
use crate::pair_ranks::{NO_RANK, PairRanks};

/// Bytes of the longest word that is merged by looking at all its pairs for each merge; a queue
/// takes fewer steps from here on.
const SHORT: usize = 1 << AT_BITS;

/// Bits that say where a symbol is in a short word.
const AT_BITS: u32 = 7;

/// The turn of a pair that does not merge.
const NEVER: i32 = i32::MAX;

/// Ranks from here on leave no room for a place beside them.
const MOST_RANKS: usize = 1 << (31 - AT_BITS);

/// Merges by their pair.
pub(crate) struct MergeTable {
    byte_ids: [u32; 256],
    /// Ranks of pairs of bytes, which are most of what is looked up: left byte times 256 plus
    /// right byte.
    byte_ranks: Vec<u32>,
    ranks: PairRanks,
    merges: Vec<Merge>,
}

/// Room that merging long words needs, kept between words.
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
    /// The merges of a definition. A pair that is listed twice counts with its later rank, as in
    /// the `tokenizers` crate.
    pub(crate) fn new(definition: &Definition) -> Self {
        Self::of(definition.byte_ids, definition.merges.clone())
    }

    fn of(byte_ids: [u32; 256], merges: Vec<Merge>) -> Self {
        let ranks = PairRanks::new(&merges);
        let pairs = byte_ids.iter().flat_map(|&left| byte_ids.map(|right| (left, right)));
        let byte_ranks = pairs.map(|(left, right)| ranks.get(left, right)).collect();
        Self { byte_ids, byte_ranks, ranks, merges }
    }

    fn of_bytes(&self, left: u8, right: u8) -> u32 {
        self.byte_ranks[usize::from(left) << 8 | usize::from(right)]
    }

    /// Merges neighbours until no pair is left, always the pair of the lowest rank, leftmost
    /// among equals, and appends the result to `out`. Gives the merge that was made last. Takes
    /// n log n steps for n bytes.
    pub(crate) fn merge(
        &self,
        word: &[u8],
        scratch: &mut Scratch,
        out: &mut Vec<u32>,
    ) -> Option<Merge> {
        if word.len() <= SHORT && self.merges.len() < MOST_RANKS {
            self.merge_short(word, out)
        } else {
            self.merge_long(word, scratch, out)
        }
    }

    fn merge_short(&self, word: &[u8], out: &mut Vec<u32>) -> Option<Merge> {
        // A symbol stays where its first byte was.
        let mut ids = [0u32; SHORT];
        let (mut left, mut right) = ([0u8; SHORT], [0u8; SHORT]);
        // By the left symbol of a pair: what comes first is the lowest number.
        let mut turns = [NEVER; SHORT];
        let turn = |rank: u32, at: usize| match rank {
            NO_RANK => NEVER,
            rank => (rank as i32) << AT_BITS | at as i32,
        };
        for (at, &byte) in word.iter().enumerate() {
            ids[at] = self.byte_ids[usize::from(byte)];
            left[at] = at.wrapping_sub(1) as u8;
            right[at] = at as u8 + 1;
        }
        for (at, pair) in word.windows(2).enumerate() {
            turns[at] = turn(self.of_bytes(pair[0], pair[1]), at);
        }
        let turns = &mut turns[..word.len().next_multiple_of(8)];
        let mut last = None;
        loop {
            let first = lowest(turns);
            if first == NEVER {
                break;
            }
            let (rank, at) = (first >> AT_BITS, first as usize % SHORT);
            let Merge { product, .. } = self.merges[rank as usize];
            last = Some(rank as usize);
            let merged = usize::from(right[at]);
            let (before, after) = (usize::from(left[at]), usize::from(right[merged]));
            ids[at] = product;
            turns[merged] = NEVER;
            right[at] = after as u8;
            turns[at] = NEVER;
            if after < word.len() {
                left[after] = at as u8;
                turns[at] = turn(self.ranks.get(product, ids[after]), at);
            }
            if before < SHORT {
                turns[before] = turn(self.ranks.get(ids[before], product), before);
            }
        }
        let mut at = 0;
        while at < word.len() {
            out.push(ids[at]);
            at = usize::from(right[at]);
        }
        last.map(|rank| self.merges[rank])
    }

    fn merge_long(&self, word: &[u8], scratch: &mut Scratch, out: &mut Vec<u32>) -> Option<Merge> {
        let Scratch { symbols, queue } = scratch;
        symbols.clear();
        queue.clear();
        symbols.extend(word.iter().enumerate().map(|(at, &byte)| Symbol {
            id: self.byte_ids[usize::from(byte)],
            left: at.wrapping_sub(1),
            right: at + 1,
            gone: false,
        }));
        if let Some(last) = symbols.last_mut() {
            last.right = NONE;
        }
        let known = |rank: u32, at: usize| (rank != NO_RANK).then_some(Reverse((rank, at)));
        let pairs = word.windows(2).enumerate();
        queue.extend(pairs.filter_map(|(at, pair)| known(self.of_bytes(pair[0], pair[1]), at)));
        let mut last = None;
        while let Some(Reverse((rank, at))) = queue.pop() {
            let Symbol { id, left, right, gone } = symbols[at];
            if gone || right == NONE {
                continue;
            }
            let (other, beyond) = (symbols[right].id, symbols[right].right);
            let merge = self.merges[rank as usize];
            // Entries whose pair has changed since are stale.
            if (merge.left, merge.right) != (id, other) {
                continue;
            }
            last = Some(merge);
            symbols[right].gone = true;
            symbols[at].id = merge.product;
            symbols[at].right = beyond;
            if beyond != NONE {
                symbols[beyond].left = at;
                queue.extend(known(self.ranks.get(merge.product, symbols[beyond].id), at));
            }
            if left != NONE {
                queue.extend(known(self.ranks.get(symbols[left].id, merge.product), left));
            }
        }
        out.extend(symbols.iter().filter(|symbol| !symbol.gone).map(|symbol| symbol.id));
        last
    }
}

/// The lowest of numbers, of which there are a multiple of 8.
#[inline]
fn lowest(turns: &[i32]) -> i32 {
    let mut lanes = [NEVER; 8];
    for eight in turns.as_chunks::<8>().0 {
        for (lane, &turn) in lanes.iter_mut().zip(eight) {
            *lane = turn.min(*lane);
        }
    }
    lanes.into_iter().fold(NEVER, i32::min)
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
            word in prop::collection::vec(0u8..3, 0..2 * SHORT),
            pairs in prop::collection::vec((any::<u32>(), any::<u32>()), 0..30),
        ) {
            // Byte b has id b. Merge number i makes id 256 + i out of ids that exist by then,
            // of which 3 are bytes of the word.
            let id = |i: u32, before: u32| match i % (before - 253) {
                made if made >= 3 => made + 253,
                byte => byte,
            };
            let merges: Vec<Merge> = pairs.iter().zip(256..).map(|(&(left, right), product)| {
                Merge { left: id(left, product), right: id(right, product), product }
            }).collect();
            let table = MergeTable::of(std::array::from_fn(|byte| byte as u32), merges.clone());
            let expected = slow(word.iter().map(|&byte| byte.into()).collect(), &merges);
            let mut found = Vec::new();
            let last = table.merge(&word, &mut Scratch::default(), &mut found);
            prop_assert_eq!(&found, &expected);
            // Both ways whatever the length.
            found.clear();
            let same = table.merge_long(&word, &mut Scratch::default(), &mut found);
            prop_assert_eq!((&found, same), (&expected, last));
        }
    }
}
