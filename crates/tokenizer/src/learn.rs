//! Learning merges from counted words.
//!
//! The words lie one after another in one array of symbols. Every pair knows where it occurs, so
//! that a merge touches its own occurrences and their neighbours and nothing else. A piece
//! stands at the first and the last place of its bytes, from where both neighbours are one step
//! away without any links.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::pair_places::{Pair, PairPlaces};
use crate::tally::{Sum, Tally};

/// What pieces are learnt.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    /// Merges that are made at most.
    pub(crate) merges: usize,
    /// Occurrences that a pair needs.
    pub(crate) least_count: u64,
    /// Bytes of the longest piece, at least 2.
    pub(crate) longest: usize,
}

/// Between words.
const GAP: u32 = u32::MAX;

/// At the first byte of a piece that was merged into its left neighbour.
const GONE: u32 = u32::MAX - 1;

/// Sides of an occurrence.
const LEFT: usize = 0;
const RIGHT: usize = 1;

/// The pairs that are merged, in their order: always the most frequent, the one of the lowest ids
/// among equals. Bytes have the ids of `byte_ids`, merge number i makes id `first + i`; all ids
/// of bytes are below `first`. Words come with their occurrences, the most frequent first, and
/// have less than 4 GiB together.
///
/// The result is the one of the `tokenizers` crate's `BpeTrainer`.
pub(crate) fn learn(
    words: &[(&[u8], u64)],
    byte_ids: &[u32; 256],
    first: u32,
    limits: Limits,
) -> Vec<Pair> {
    let mut learner = Learner::new(words, byte_ids, first, limits);
    let mut merges = Vec::new();
    while merges.len() < limits.merges
        && let Some((pair, starts)) = learner.most_frequent()
    {
        learner.merge(pair, &starts);
        merges.push(pair);
    }
    merges
}

struct Learner {
    limits: Limits,
    symbols: Vec<u32>,
    weights: Vec<Weight>,
    /// Bytes of every id.
    lengths: Vec<usize>,
    pairs: PairPlaces,
    /// Counts that pairs had when they were put here, the largest on top.
    queue: BinaryHeap<(u64, Reverse<Pair>)>,
    /// Of the merge that is being made.
    occurrences: Vec<Occurrence>,
    tally: Tally,
}

/// Symbols before `end`, and after the end of the weight before, belong to words that occur
/// `count` times each.
#[derive(Clone, Copy)]
struct Weight {
    end: usize,
    count: u64,
}

/// Where a piece was made, and between what.
#[derive(Clone, Copy)]
struct Occurrence {
    at: usize,
    count: u64,
    /// Ids on the left and on the right; [`GAP`] where there is none.
    neighbours: [u32; 2],
}

impl Learner {
    fn new(words: &[(&[u8], u64)], byte_ids: &[u32; 256], first: u32, limits: Limits) -> Self {
        let bytes: usize = words.iter().map(|(word, _)| word.len()).sum();
        let mut symbols = Vec::with_capacity(bytes + words.len() + 1);
        let mut weights: Vec<Weight> = Vec::new();
        symbols.push(GAP);
        for &(word, count) in words {
            symbols.extend(word.iter().map(|&byte| byte_ids[usize::from(byte)]));
            symbols.push(GAP);
            match weights.last_mut() {
                Some(last) if last.count == count => last.end = symbols.len(),
                _ => weights.push(Weight { end: symbols.len(), count }),
            }
        }
        let mut learner = Self {
            limits,
            symbols,
            weights,
            lengths: vec![1; first as usize],
            pairs: PairPlaces::default(),
            queue: BinaryHeap::new(),
            occurrences: Vec::new(),
            tally: Tally::default(),
        };
        learner.find_pairs();
        learner
    }

    /// Finds all pairs of bytes.
    fn find_pairs(&mut self) {
        let ids = self.lengths.len();
        let index = |two: &[u32]| {
            let [left, right] = [two[0], two[1]].map(|id| id as usize);
            (left < ids && right < ids).then_some(left * ids + right)
        };
        let mut sums = vec![(0u64, 0usize); ids * ids];
        let mut count_at = count_at(&self.weights);
        for (at, two) in self.symbols.windows(2).enumerate() {
            if let Some(pair) = index(two) {
                sums[pair].0 += count_at(at);
                sums[pair].1 += 1;
            }
        }
        let wanted = |&(count, places): &(u64, usize)| {
            (count >= self.limits.least_count).then(|| Vec::with_capacity(places))
        };
        let mut starts: Vec<Option<Vec<u32>>> = sums.iter().map(wanted).collect();
        for (at, two) in self.symbols.windows(2).enumerate() {
            if let Some(starts) = index(two).and_then(|pair| starts[pair].as_mut()) {
                starts.push(at as u32);
            }
        }
        for (index, (starts, sum)) in starts.into_iter().zip(sums).enumerate() {
            if let Some(starts) = starts {
                let pair = ((index / ids) as u32, (index % ids) as u32);
                self.pairs.insert(pair, sum.0, starts);
                self.queue.push((sum.0, Reverse(pair)));
            }
        }
    }

    /// Takes the most frequent pair and where it occurs, in ascending order. Places where it
    /// occurs no more may be among them.
    fn most_frequent(&mut self) -> Option<(Pair, Vec<u32>)> {
        loop {
            let (queued, Reverse(pair)) = self.queue.pop()?;
            // Counts only fall, so the first one that is still right is the largest.
            let count = self.pairs.count(pair);
            if count == queued {
                return Some((pair, self.pairs.remove(pair)));
            }
            if count >= self.limits.least_count {
                self.queue.push((count, Reverse(pair)));
            } else {
                self.pairs.remove(pair);
            }
        }
    }

    fn merge(&mut self, pair: Pair, starts: &[u32]) {
        let product = self.lengths.len() as u32;
        self.lengths.push(self.lengths[pair.0 as usize] + self.lengths[pair.1 as usize]);
        self.replace(pair, product, starts);
        self.lower_old_pairs(pair, product);
        // Products in a row are a pair of the right one with its left neighbour only.
        for at in 1..self.occurrences.len() {
            if self.occurrences[at].neighbours[LEFT] == product {
                self.occurrences[at - 1].neighbours[RIGHT] = GAP;
            }
        }
        self.add_new_pairs(product);
    }

    /// Writes the product where the pair still occurs, and notes the neighbours.
    fn replace(&mut self, pair: Pair, product: u32, starts: &[u32]) {
        let [left, right] = [pair.0, pair.1].map(|id| self.lengths[id as usize]);
        let mut count_at = count_at(&self.weights);
        self.occurrences.clear();
        for &at in starts {
            let at = at as usize;
            let (middle, end) = (at + left, at + left + right);
            if self.symbols[at] != pair.0 || self.symbols[middle] != pair.1 {
                continue;
            }
            if right > 1 {
                self.symbols[middle] = GONE;
            }
            self.symbols[at] = product;
            self.symbols[end - 1] = product;
            let neighbours = [self.symbols[at - 1], self.symbols[end]];
            self.occurrences.push(Occurrence { at, count: count_at(at), neighbours });
        }
    }

    /// The parts of the product lose their pairs with its neighbours.
    fn lower_old_pairs(&mut self, pair: Pair, product: u32) {
        for side in [LEFT, RIGHT] {
            self.tally.clear(self.lengths.len());
            for occurrence in &self.occurrences {
                let id = occurrence.neighbours[side];
                // What a product on the left was before, lost its right neighbour already.
                if id != GAP && id != product {
                    self.tally.add(id, occurrence.count);
                }
            }
            for (id, sum) in self.tally.sums() {
                let old = if side == LEFT { (id, pair.0) } else { (pair.1, id) };
                self.pairs.lower(old, sum.count);
            }
        }
    }

    /// Adds the product's pairs with its neighbours, if they are frequent and short enough.
    ///
    /// That the others are forgotten is exact: a piece comes about everywhere in the one merge
    /// that makes it (merges are made everywhere at once, so equal bytes between equal borders
    /// go the same way), and its pairs never become more frequent later.
    fn add_new_pairs(&mut self, product: u32) {
        let Limits { least_count, longest, .. } = self.limits;
        let room = longest.saturating_sub(self.lengths[product as usize]);
        for side in [LEFT, RIGHT] {
            self.tally.clear(self.lengths.len());
            for occurrence in &self.occurrences {
                let id = occurrence.neighbours[side];
                if id != GAP && self.lengths[id as usize] <= room {
                    self.tally.add(id, occurrence.count);
                }
            }
            let new = self.tally.number(|sum| sum.count >= least_count);
            if new.is_empty() {
                continue;
            }
            let room_for = |(_, sum): &(u32, Sum)| Vec::with_capacity(sum.places as usize);
            let mut starts: Vec<Vec<u32>> = new.iter().map(room_for).collect();
            for occurrence in &self.occurrences {
                let id = occurrence.neighbours[side];
                if id != GAP
                    && let Some(number) = self.tally.number_of(id)
                {
                    let before = if side == LEFT { self.lengths[id as usize] } else { 0 };
                    starts[number].push((occurrence.at - before) as u32);
                }
            }
            for ((id, sum), starts) in new.into_iter().zip(starts) {
                let pair = if side == LEFT { (id, product) } else { (product, id) };
                self.pairs.insert(pair, sum.count, starts);
                self.queue.push((sum.count, Reverse(pair)));
            }
        }
    }
}

/// The occurrences of the word at a place. Places must be asked for in ascending order.
fn count_at(weights: &[Weight]) -> impl FnMut(usize) -> u64 {
    let mut weights = weights.iter();
    let mut current = Weight { end: 0, count: 0 };
    move |at| {
        while at >= current.end
            && let Some(next) = weights.next()
        {
            current = *next;
        }
        current.count
    }
}

#[cfg(test)]
mod tests;
