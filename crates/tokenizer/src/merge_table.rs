//! The merges of a BPE, and what they make of a word.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::chars::CharIds;
use crate::definition::{Definition, Merge, NO_PIECE, Piece, Symbols};
use crate::pair_ranks::{NO_RANK, PairRanks};

/// Symbols of the longest word that is merged by looking at all its pairs for each merge; a queue
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
    /// Whether some byte has no piece.
    lacks_bytes: bool,
    /// Indices of the merges of pairs of bytes, which are most of what is looked up: left byte
    /// times 256 plus right byte. Empty where merging starts from characters.
    byte_ranks: Vec<u32>,
    ranks: PairRanks,
    merges: Vec<Merge>,
    /// By merge: its turn. None where each merge has the turn of its index.
    turns: Option<Vec<u32>>,
    chars: Option<CharIds>,
    /// Ids from here on are characters that are no pieces.
    vocabulary: u32,
}

/// Room that merging long words needs, kept between words.
#[derive(Default)]
pub(crate) struct Scratch {
    start: Vec<u32>,
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
        let chars = match &definition.symbols {
            Symbols::Bytes => None,
            Symbols::Chars(chars) => Some(chars.ids.clone()),
        };
        Self {
            turns: definition.turns.clone(),
            chars,
            vocabulary: definition.pieces.len() as u32,
            ..Self::of(definition.byte_ids, definition.merges.clone())
        }
    }

    fn of(byte_ids: [u32; 256], merges: Vec<Merge>) -> Self {
        let ranks = PairRanks::new(&merges);
        let pairs = byte_ids.iter().flat_map(|&left| byte_ids.map(|right| (left, right)));
        let byte_ranks = pairs.map(|(left, right)| ranks.get(left, right)).collect();
        let (turns, chars, vocabulary) = (None, None, u32::MAX);
        let lacks_bytes = byte_ids.contains(&NO_PIECE);
        Self { byte_ids, lacks_bytes, byte_ranks, ranks, merges, turns, chars, vocabulary }
    }

    fn of_bytes(&self, left: u8, right: u8) -> u32 {
        self.byte_ranks[usize::from(left) << 8 | usize::from(right)]
    }

    /// The turn of a merge.
    fn turn<const SHARED: bool>(&self, merge: u32) -> u32 {
        match &self.turns {
            Some(turns) if SHARED => turns[merge as usize],
            _ => merge,
        }
    }

    /// Merges the symbols of a word until no pair is left, always the pair whose turn comes
    /// first, leftmost among equals, and appends the result to `out`. Gives the merge that was
    /// made last. Takes n log n steps for n symbols.
    pub(crate) fn merge(
        &self,
        word: &str,
        scratch: &mut Scratch,
        out: &mut Vec<u32>,
    ) -> Option<Merge> {
        match &self.chars {
            None => self.merge_bytes(word.as_bytes(), scratch, out),
            Some(chars) => self.merge_chars(chars, word, scratch, out),
        }
    }

    /// What becomes of a piece's own bytes, or of its characters.
    pub(crate) fn merge_piece(
        &self,
        piece: &Piece,
        scratch: &mut Scratch,
        out: &mut Vec<u32>,
    ) -> Option<Merge> {
        match &self.chars {
            None => self.merge_bytes(&piece.bytes, scratch, out),
            Some(chars) => self.merge_chars(chars, &piece.written, scratch, out),
        }
    }

    fn merge_bytes(&self, word: &[u8], scratch: &mut Scratch, out: &mut Vec<u32>) -> Option<Merge> {
        let absent = |byte: &u8| self.byte_ids[usize::from(*byte)] == NO_PIECE;
        if self.lacks_bytes && word.iter().any(absent) {
            // As if they were not there, as in the `tokenizers` crate.
            let rest: Vec<u8> = word.iter().copied().filter(|byte| !absent(byte)).collect();
            return if rest.is_empty() { None } else { self.merge_bytes(&rest, scratch, out) };
        }
        let start = word.iter().map(|&byte| self.byte_ids[usize::from(byte)]);
        let pairs = word.windows(2).map(|pair| self.of_bytes(pair[0], pair[1]));
        if word.len() <= SHORT && self.merges.len() < MOST_RANKS {
            self.merge_short::<false>(start, pairs, word.len(), out)
        } else {
            self.merge_long::<false>(start, pairs, word.len(), scratch, out)
        }
    }

    fn merge_chars(
        &self,
        chars: &CharIds,
        word: &str,
        scratch: &mut Scratch,
        out: &mut Vec<u32>,
    ) -> Option<Merge> {
        let mut ids = std::mem::take(&mut scratch.start);
        ids.clear();
        for c in word.chars() {
            match chars.get(c) {
                Some(id) => ids.push(id),
                None => self.bytes_of(c, &mut ids),
            }
        }
        let start = ids.iter().copied();
        let pairs = ids.windows(2).map(|pair| self.ranks.get(pair[0], pair[1]));
        let short = ids.len() <= SHORT && self.merges.len() < MOST_RANKS;
        let last = match (short, self.turns.is_some()) {
            (true, true) => self.merge_short::<true>(start, pairs, ids.len(), out),
            (true, false) => self.merge_short::<false>(start, pairs, ids.len(), out),
            (false, true) => self.merge_long::<true>(start, pairs, ids.len(), scratch, out),
            (false, false) => self.merge_long::<false>(start, pairs, ids.len(), scratch, out),
        };
        scratch.start = ids;
        last
    }

    /// Appends the byte pieces of a character.
    fn bytes_of(&self, c: char, out: &mut Vec<u32>) {
        let mut room = [0; 4];
        out.extend(c.encode_utf8(&mut room).bytes().map(|byte| self.byte_ids[usize::from(byte)]));
    }

    fn emit<const SHARED: bool>(&self, id: u32, out: &mut Vec<u32>) {
        if SHARED
            && id >= self.vocabulary
            && let Some(chars) = &self.chars
        {
            self.bytes_of(chars.loose[(id - self.vocabulary) as usize], out);
        } else {
            out.push(id);
        }
    }

    fn merge_short<const SHARED: bool>(
        &self,
        start: impl Iterator<Item = u32>,
        pairs: impl Iterator<Item = u32>,
        length: usize,
        out: &mut Vec<u32>,
    ) -> Option<Merge> {
        // A symbol stays where its first part was.
        let mut ids = [0u32; SHORT];
        let (mut left, mut right) = ([0u8; SHORT], [0u8; SHORT]);
        // By the left symbol of a pair: what comes first is the lowest number.
        let mut turns = [NEVER; SHORT];
        let turn = |merge: u32, at: usize| match merge {
            NO_RANK => NEVER,
            merge => (self.turn::<SHARED>(merge) as i32) << AT_BITS | at as i32,
        };
        for (at, id) in start.enumerate() {
            ids[at] = id;
            left[at] = at.wrapping_sub(1) as u8;
            right[at] = at as u8 + 1;
        }
        for (at, merge) in pairs.enumerate() {
            turns[at] = turn(merge, at);
        }
        let turns = &mut turns[..length.next_multiple_of(8)];
        let mut last = None;
        loop {
            let first = lowest(turns);
            if first == NEVER {
                break;
            }
            let at = first as usize % SHORT;
            let merged = usize::from(right[at]);
            let merge = match SHARED {
                true => self.ranks.get(ids[at], ids[merged]),
                false => (first >> AT_BITS) as u32,
            } as usize;
            let Merge { product, .. } = self.merges[merge];
            last = Some(merge);
            let (before, after) = (usize::from(left[at]), usize::from(right[merged]));
            ids[at] = product;
            turns[merged] = NEVER;
            right[at] = after as u8;
            turns[at] = NEVER;
            if after < length {
                left[after] = at as u8;
                turns[at] = turn(self.ranks.get(product, ids[after]), at);
            }
            if before < SHORT {
                turns[before] = turn(self.ranks.get(ids[before], product), before);
            }
        }
        let mut at = 0;
        while at < length {
            self.emit::<SHARED>(ids[at], out);
            at = usize::from(right[at]);
        }
        last.map(|merge| self.merges[merge])
    }

    fn merge_long<const SHARED: bool>(
        &self,
        start: impl Iterator<Item = u32>,
        pairs: impl Iterator<Item = u32>,
        length: usize,
        scratch: &mut Scratch,
        out: &mut Vec<u32>,
    ) -> Option<Merge> {
        let Scratch { symbols, queue, .. } = scratch;
        symbols.clear();
        queue.clear();
        symbols.reserve(length);
        symbols.extend(start.enumerate().map(|(at, id)| Symbol {
            id,
            left: at.wrapping_sub(1),
            right: at + 1,
            gone: false,
        }));
        if let Some(last) = symbols.last_mut() {
            last.right = NONE;
        }
        let known = |merge: u32, at: usize| {
            (merge != NO_RANK).then(|| Reverse((self.turn::<SHARED>(merge), at)))
        };
        queue.extend(pairs.enumerate().filter_map(|(at, merge)| known(merge, at)));
        let mut last = None;
        while let Some(Reverse((turn, at))) = queue.pop() {
            let Symbol { id, left, right, gone } = symbols[at];
            if gone || right == NONE {
                continue;
            }
            let (other, beyond) = (symbols[right].id, symbols[right].right);
            // Entries whose pair has changed since are stale.
            let merge = if SHARED {
                let merge = self.ranks.get(id, other);
                if merge == NO_RANK || self.turn::<SHARED>(merge) != turn {
                    continue;
                }
                self.merges[merge as usize]
            } else {
                let merge = self.merges[turn as usize];
                if (merge.left, merge.right) != (id, other) {
                    continue;
                }
                merge
            };
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
        for symbol in symbols.iter().filter(|symbol| !symbol.gone) {
            self.emit::<SHARED>(symbol.id, out);
        }
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
mod tests;
