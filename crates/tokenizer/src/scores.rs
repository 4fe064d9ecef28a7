//! The merges of a BPE that is written as pieces with scores (SentencePiece, llama2.c).
//!
//! Such a file has no list of merges. Two neighbours merge if what they spell together is a
//! piece; the piece of the highest score comes first, the leftmost among equals. Written as
//! merges, every way to put a piece together from two others is one, and all of them share the
//! piece's turn.

use std::collections::HashMap;

use crate::chars::CharIds;
use crate::definition::Merge;

/// Merges with turns, and the characters that merging starts from.
#[derive(Debug)]
pub(crate) struct Scored {
    /// In the order of their turns.
    pub(crate) merges: Vec<Merge>,
    /// By merge.
    pub(crate) turns: Vec<u32>,
    pub(crate) chars: CharIds,
}

/// The merges of `pieces` (text, score, id), of a vocabulary of so many entries.
///
/// Characters that pieces are made of without being pieces get ids from `vocabulary` on.
pub(crate) fn merges(pieces: &[(&str, f32, u32)], vocabulary: usize) -> Scored {
    let mut ids: HashMap<&str, u32> = pieces.iter().map(|&(text, _, id)| (text, id)).collect();
    let mut loose = Vec::new();
    for (text, ..) in pieces {
        for (at, c) in text.char_indices() {
            ids.entry(&text[at..at + c.len_utf8()]).or_insert_with(|| {
                loose.push(c);
                (vocabulary + loose.len() - 1) as u32
            });
        }
    }
    let mut scores: Vec<f32> = pieces.iter().map(|piece| piece.1).collect();
    // -0 and 0 are one score.
    let order = |a: &f32, b: &f32| (b + 0.0).total_cmp(&(a + 0.0));
    scores.sort_unstable_by(order);
    scores.dedup_by(|a, b| a == b);
    let mut found: Vec<(u32, Merge)> = Vec::new();
    for &(text, score, product) in pieces {
        let turn = scores.binary_search_by(|other| order(other, &score)).unwrap_or_default() as u32;
        for (at, _) in text.char_indices().skip(1) {
            let (left, right) = text.split_at(at);
            if let (Some(&left), Some(&right)) = (ids.get(left), ids.get(right)) {
                found.push((turn, Merge { left, right, product }));
            }
        }
    }
    found.sort_by_key(|(turn, merge)| (*turn, merge.product, merge.left));
    let single = |text: &str| {
        let mut chars = text.chars();
        chars.next().filter(|_| chars.next().is_none())
    };
    let chars = ids.iter().filter_map(|(text, &id)| Some((single(text)?, id)));
    let chars = CharIds::new(chars, loose);
    let (turns, merges) = found.into_iter().unzip();
    Scored { merges, turns, chars }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_make_a_piece() {
        let pieces = [
            ("a", -4.0, 5),
            ("ab", 0.0, 6),
            ("bc", -1.0, 7),
            ("abc", -0.0, 8),
            ("b", -3.0, 9),
            ("xabc", -2.0, 10),
        ];
        let scored = merges(&pieces, 11);
        let merge = |left, right, product| Merge { left, right, product };
        // c is 11 and x is 12: no pieces, but parts of some.
        assert_eq!(scored.chars.loose, ['c', 'x']);
        assert_eq!((scored.chars.get('a'), scored.chars.get('c')), (Some(5), Some(11)));
        assert_eq!(scored.chars.get('y'), None);
        assert_eq!(
            scored.merges,
            [merge(5, 9, 6), merge(5, 7, 8), merge(6, 11, 8), merge(9, 11, 7), merge(12, 8, 10),]
        );
        assert_eq!(scored.turns, [0, 0, 0, 1, 2]);
    }
}
