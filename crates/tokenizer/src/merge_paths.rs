//! The merge that makes each piece.

use rayon::prelude::*;

use crate::definition::{Definition, Symbols};
use crate::merge_table::{MergeTable, Scratch};

/// How each piece comes about when its own bytes are encoded.
pub(crate) struct MergePaths {
    /// By id: the two parts of the last merge; none for bytes, added tokens and pieces that
    /// merges do not reach.
    pub(crate) parts: Vec<Option<(u32, u32)>>,
    /// By id: whether encoding the piece's own bytes gives just this piece.
    pub(crate) reachable: Vec<bool>,
}

impl MergePaths {
    /// Encodes every piece's bytes, or characters, with the merges alone.
    ///
    /// The parts of a reachable piece are reachable in the same way: no merge crosses the border
    /// between them before the last one, so each part went through the merges that it goes
    /// through alone. Keeping the parts of every kept piece, down to bytes, therefore keeps the
    /// piece reachable, and merges that were dropped cannot get in the way.
    pub(crate) fn of(definition: &Definition) -> Self {
        let table = MergeTable::new(definition);
        // Byte pieces are spelled by names where merging starts from characters.
        let named = matches!(definition.symbols, Symbols::Chars(_));
        let room = || (Scratch::default(), Vec::new());
        let pieces = definition.pieces.par_iter().enumerate();
        let (reachable, parts) = pieces
            .map_init(room, |(scratch, merged), (id, piece)| {
                merged.clear();
                let last = table.merge_piece(piece, scratch, merged);
                let byte = named && definition.byte_ids.contains(&(id as u32));
                let reachable = byte || (!piece.added && *merged == [id as u32]);
                let parts =
                    last.filter(|_| reachable && !byte).map(|merge| (merge.left, merge.right));
                (reachable, parts)
            })
            .unzip();
        Self { parts, reachable }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Frequencies, Tokenizer, compact};

    #[test]
    fn every_kept_piece_is_produced_by_merges() {
        // Also the pieces that end inside a character, which no text encodes to by itself.
        let text = include_str!("../tests/fixtures/training.txt");
        let parent = Tokenizer::train(text.split("\n\n"), 640).unwrap();
        let paths = MergePaths::of(&parent.definition);
        assert!(paths.reachable[1..].iter().all(|reachable| *reachable));
        let tokens = parent.encode(text);
        let frequencies = Frequencies::count(640, &[&tokens]).unwrap();
        for size in [257, 258, 300, 400, 555, 639] {
            let child = compact(&parent, &frequencies, size).unwrap().tokenizer;
            let paths = MergePaths::of(&child.definition);
            assert!(paths.reachable[1..].iter().all(|reachable| *reachable), "{size}");
            assert_eq!(paths.parts.iter().flatten().count(), size - 257);
        }
    }
}
