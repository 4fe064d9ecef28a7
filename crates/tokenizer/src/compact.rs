//! A small vocabulary out of a large one: the paper's compaction.

use crate::coverage::share;
use crate::definition::{Definition, Merge};
use crate::merge_paths::MergePaths;
use crate::{Frequencies, Tokenizer, TokenizerError};

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

/// Keeps the most frequent pieces of `parent`, exactly `vocabulary` entries in all.
///
/// - Added tokens and the 256 byte pieces always stay.
/// - The others are taken by descending count, ties by id. A piece brings the pieces that its
///   merges go through; if they do not all fit any more, the piece is skipped and a smaller one
///   fills the room. Pieces that the parent's merges never reach come last.
/// - The merges between kept pieces stay in the parent's order, so that every kept piece is
///   still produced from its bytes.
/// - New ids: the document separator is 0, the others follow in the parent's order.
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
    let special = definition.pieces.iter().filter(|piece| piece.added).count();
    if vocabulary < special + 256 {
        return Err(TokenizerError::VocabularyTooSmall { asked: vocabulary, special });
    }
    if vocabulary > size {
        return Err(TokenizerError::VocabularyTooLarge { asked: vocabulary, parent: size });
    }
    let kept = choose(definition, frequencies, vocabulary);
    let end = definition.end_of_text;
    let others = (0..size as u32).filter(|&id| kept[id as usize] && id != end);
    let new_to_old: Vec<u32> = std::iter::once(end).chain(others).collect();
    let child = restrict(definition, &new_to_old);
    let json = child.write_into(&parent.json);
    let covered = new_to_old.iter().map(|&old| frequencies.0[old as usize]).sum();
    Ok(Compacted {
        tokenizer: Tokenizer::from_json(json).map_err(TokenizerError::Definition)?,
        new_to_old,
        coverage: share(covered, frequencies.total()),
        parent: size,
    })
}

/// By id: whether the piece stays.
fn choose(definition: &Definition, frequencies: &Frequencies, vocabulary: usize) -> Vec<bool> {
    let paths = MergePaths::of(definition);
    let mut kept: Vec<bool> = definition.pieces.iter().map(|piece| piece.added).collect();
    for id in definition.byte_ids {
        kept[id as usize] = true;
    }
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
            if kept[id as usize] || missing.contains(&id) {
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

/// The definition with only the pieces of `new_to_old`, in that order.
fn restrict(parent: &Definition, new_to_old: &[u32]) -> Definition {
    let old_to_new = invert(new_to_old, parent.pieces.len());
    let new = |old: u32| old_to_new[old as usize];
    let merges = parent.merges.iter().filter_map(|merge| {
        Some(Merge {
            left: new(merge.left)?,
            right: new(merge.right)?,
            product: new(merge.product)?,
        })
    });
    Definition {
        pieces: new_to_old.iter().map(|&old| parent.pieces[old as usize].clone()).collect(),
        merges: merges.collect(),
        end_of_text: 0,
        byte_ids: parent.byte_ids.map(|old| new(old).unwrap_or_default()),
        ignore_merges: parent.ignore_merges,
    }
}

fn invert(new_to_old: &[u32], parent: usize) -> Vec<Option<u32>> {
    let mut old_to_new = vec![None; parent];
    for (&old, new) in new_to_old.iter().zip(0..) {
        old_to_new[old as usize] = Some(new);
    }
    old_to_new
}
