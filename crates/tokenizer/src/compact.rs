//! A small vocabulary out of a large one: the paper's compaction.

use crate::coverage::share;
use crate::definition::{Definition, NO_PIECE, Symbols};
use crate::merge_paths::MergePaths;
use crate::preparation::MARK;
use crate::{Frequencies, Tokenizer, TokenizerError, invert};

/// A compacted tokenizer and how its ids relate to its parent's.
#[derive(Debug)]
pub struct Compacted {
    /// The small tokenizer.
    pub tokenizer: Tokenizer,
    /// The parent's id of every new id.
    pub new_to_old: Vec<u32>,
    /// Share of the counted tokens that are kept pieces, as a fraction of 1.
    pub coverage: f64,
    parent: usize,
}

impl Compacted {
    /// The new id of every parent's id; none where the piece was dropped.
    pub fn old_to_new(&self) -> Vec<Option<u32>> {
        invert(&self.new_to_old, self.parent)
    }
}

/// The smallest vocabulary that a tokenizer can be compacted to: the entries that always stay.
pub fn smallest(parent: &Tokenizer) -> usize {
    fixed(&parent.definition).iter().filter(|kept| **kept).count()
}

/// Keeps the most frequent pieces of `parent`, exactly `vocabulary` entries in all.
///
/// - Added tokens (special, control and user-defined ones), the 256 byte pieces and SentencePiece's
///   mark for spaces always stay.
/// - The others are taken by descending count, ties by id. A piece brings the pieces that its
///   merges go through; if they do not all fit any more, the piece is skipped and a smaller one
///   fills the room. Pieces that the parent's merges never reach come last.
/// - The merges between kept pieces stay in the parent's order, or the scores of kept pieces, so
///   that every kept piece is still produced from its bytes.
/// - New ids: in the parent's order, but that the document separator of a byte-level tokenizer is
///   0. (SentencePiece and llama2.c have fixed places for theirs.)
/// - The result is written as what the parent was read from; what a file has besides pieces and
///   merges stays as it is.
///
/// The result covers a little less than the k largest counts do, since a piece may bring rarer
/// ones along.
///
/// # Errors
/// A vocabulary too small for the tokens that always stay or larger than the parent's;
/// frequencies of another tokenizer.
pub fn compact(
    parent: &Tokenizer,
    frequencies: &Frequencies,
    vocabulary: usize,
) -> Result<Compacted, TokenizerError> {
    let definition = &parent.definition;
    let size = definition.pieces.len();
    if frequencies.0.len() != size {
        let frequencies = frequencies.0.len();
        return Err(TokenizerError::FrequenciesDoNotFit { frequencies, vocabulary: size });
    }
    let fixed = fixed(definition);
    let special = fixed.iter().filter(|kept| **kept).count() - 256;
    if vocabulary < special + 256 {
        return Err(TokenizerError::VocabularyTooSmall { asked: vocabulary, special });
    }
    if vocabulary > size {
        return Err(TokenizerError::VocabularyTooLarge { asked: vocabulary, parent: size });
    }
    let kept = choose(definition, fixed, frequencies, vocabulary);
    let ids = (0..size as u32).filter(|&id| kept[id as usize]);
    let new_to_old: Vec<u32> = match definition.symbols {
        Symbols::Chars(_) => ids.collect(),
        Symbols::Bytes => {
            let end = definition.end_of_text;
            std::iter::once(end).chain(ids.filter(|&id| id != end)).collect()
        }
    };
    let child = parent.format.keep(definition, &new_to_old);
    let covered = new_to_old.iter().map(|&old| frequencies.0[old as usize]).sum();
    Ok(Compacted {
        tokenizer: Tokenizer::of(child).map_err(TokenizerError::Definition)?,
        new_to_old,
        coverage: share(covered, frequencies.total()),
        parent: size,
    })
}

/// By id: whether the piece stays whatever its count.
fn fixed(definition: &Definition) -> Vec<bool> {
    let mut kept: Vec<bool> = definition.pieces.iter().map(|piece| piece.added).collect();
    for id in definition.byte_ids.into_iter().filter(|id| *id != NO_PIECE) {
        kept[id as usize] = true;
    }
    // Written as bytes, the mark would no longer be a space.
    if let Symbols::Chars(chars) = &definition.symbols
        && let Some(space) = chars.ids.get(MARK)
        && let Some(kept) = kept.get_mut(space as usize)
    {
        *kept = true;
    }
    kept
}

/// By id: whether the piece stays.
fn choose(
    definition: &Definition,
    mut kept: Vec<bool>,
    frequencies: &Frequencies,
    vocabulary: usize,
) -> Vec<bool> {
    let paths = MergePaths::of(definition);
    let mut room = vocabulary - kept.iter().filter(|kept| **kept).count();
    let mut ids: Vec<u32> = (0..definition.pieces.len() as u32).collect();
    ids.sort_by_key(|&id| {
        let index = id as usize;
        // With `ignore_merges` a whole word is its piece even where merges do not reach it.
        let reachable = paths.reachable[index] || definition.ignore_merges;
        (!reachable, std::cmp::Reverse(frequencies.0[index]), id)
    });
    let (mut missing, mut open) = (Vec::new(), Vec::new());
    for id in ids {
        missing.clear();
        open.push(id);
        while let Some(id) = open.pop() {
            // Characters that are no pieces have ids beyond them, and cost nothing.
            if kept.get(id as usize) != Some(&false) || missing.contains(&id) {
                continue;
            }
            missing.push(id);
            if let Some((left, right)) = paths.parts[id as usize] {
                open.extend([left, right]);
            }
        }
        if missing.len() <= room {
            room -= missing.len();
            for &id in &missing {
                kept[id as usize] = true;
            }
        }
    }
    kept
}
