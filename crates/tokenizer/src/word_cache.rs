//! The ids of short words that were seen a moment ago.

/// Bytes of the longest word that is kept.
const LONGEST: usize = 16;

/// Ids of the most that a kept word has.
const MOST_IDS: usize = 11;

/// Words that are kept at a time, each in the one place that its hash says.
const PLACES: usize = 1 << 13;

/// A small table from words to ids, for one thread: half a megabyte, so that it stays in the
/// cache of a core. Text repeats its short words, and looking one up is several times as fast as
/// merging it; long words are rare or new.
pub(crate) struct WordCache {
    /// Four numbers of bytes, one of lengths (0 where there is no word), then the ids: 64 bytes.
    places: Vec<[u32; 5 + MOST_IDS]>,
}

/// Where a word is kept, or would be.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    at: usize,
    key: [u32; 4],
    length: u32,
}

impl Default for WordCache {
    fn default() -> Self {
        Self { places: vec![[0; 5 + MOST_IDS]; PLACES] }
    }
}

impl WordCache {
    /// Appends the ids of a word to `out`, if it is known. Otherwise gives its place, if it is
    /// short enough to have one.
    #[inline]
    pub(crate) fn find(&self, word: &[u8], out: &mut Vec<u32>) -> Result<(), Option<Place>> {
        let (low, high) = key(word).ok_or(None)?;
        let mixed =
            (low ^ high.rotate_left(32) ^ word.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let at = (mixed >> 32) as usize % PLACES;
        let place = Place {
            at,
            key: [low as u32, (low >> 32) as u32, high as u32, (high >> 32) as u32],
            length: word.len() as u32,
        };
        let [a, b, c, d, lengths, ids @ ..] = &self.places[at];
        if [*a, *b, *c, *d] != place.key || lengths & 0xff != place.length {
            return Err(Some(place));
        }
        // A copy of fixed length is a few instructions, one of variable length a call.
        let unused = MOST_IDS - (lengths >> 8) as usize;
        out.extend_from_slice(ids);
        out.truncate(out.len() - unused);
        Ok(())
    }

    /// Keeps the ids of a word that was not found.
    pub(crate) fn keep(&mut self, place: Place, ids: &[u32]) {
        if ids.len() <= MOST_IDS {
            let entry = &mut self.places[place.at];
            entry[..4].copy_from_slice(&place.key);
            entry[4] = place.length | (ids.len() as u32) << 8;
            entry[5..5 + ids.len()].copy_from_slice(ids);
        }
    }
}

/// All bytes of a word of 1 to 16 as two numbers, which differ between words of one length.
#[inline]
fn key(word: &[u8]) -> Option<(u64, u64)> {
    let wide = |at: usize| word[at..].first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
    let half = |at: usize| word[at..].first_chunk().map(|bytes| u32::from_le_bytes(*bytes).into());
    match word.len() {
        8..=LONGEST => Some((wide(0)?, wide(word.len() - 8)?)),
        4..=7 => Some((half(0)?, half(word.len() - 4)?)),
        1..=3 => {
            let [first, middle, last] =
                [0, word.len() / 2, word.len() - 1].map(|at| u64::from(word[at]));
            Some((first | middle << 8 | last << 16, 0))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    #[test]
    fn long_words_have_no_place() {
        let cache = WordCache::default();
        for (word, place) in [(vec![], false), (vec![7; 16], true), (vec![7; 17], false)] {
            let found = cache.find(&word, &mut Vec::new());
            assert!(found.is_err_and(|found| found.is_some() == place));
        }
    }

    proptest! {
        #[test]
        fn gives_back_what_it_was_given_last(
            words in prop::collection::vec(prop::collection::vec(0u8..3, 1..18), 1..300)
        ) {
            let mut cache = WordCache::default();
            let mut twin = HashMap::new();
            for (word, id) in words.iter().zip(0..) {
                let mut found = vec![9];
                match cache.find(word, &mut found) {
                    Ok(()) => prop_assert_eq!(Some(&found), twin.get(word)),
                    Err(Some(place)) => {
                        let ids = vec![id; word.len()];
                        cache.keep(place, &ids);
                        if ids.len() <= MOST_IDS {
                            twin.insert(word, [vec![9], ids].concat());
                        }
                    }
                    Err(None) => prop_assert!(word.len() > LONGEST),
                }
            }
        }
    }
}
