//! Ids of characters, where merging starts from characters and not from bytes.

use std::collections::HashMap;

/// Characters below are looked up in a table: all that text in use is mostly made of.
const TABLE: u32 = 0x1_0000;

const NONE: u32 = u32::MAX;

/// From characters to ids.
#[derive(Clone, Debug, Default)]
pub(crate) struct CharIds {
    table: Vec<u32>,
    others: HashMap<char, u32>,
    /// Characters that are no pieces but parts of some, by their ids beyond the vocabulary:
    /// SentencePiece merges them, and writes them as bytes where they are left over.
    pub(crate) loose: Vec<char>,
}

impl CharIds {
    pub(crate) fn new(ids: impl Iterator<Item = (char, u32)>, loose: Vec<char>) -> Self {
        let mut map = Self { table: vec![NONE; TABLE as usize], others: HashMap::new(), loose };
        for (c, id) in ids {
            match map.table.get_mut(c as usize) {
                Some(entry) => *entry = id,
                None => {
                    map.others.insert(c, id);
                }
            }
        }
        map
    }

    /// The id of a character, or none where only bytes stand for it.
    #[inline]
    pub(crate) fn get(&self, c: char) -> Option<u32> {
        match self.table.get(c as usize) {
            Some(&NONE) => None,
            Some(&id) => Some(id),
            None => self.others.get(&c).copied(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inside_and_outside_the_table() {
        let ids = [('a', 3), ('\u{ffff}', 4), ('𠀀', 5)];
        let map = CharIds::new(ids.into_iter(), vec![]);
        for (c, id) in ids {
            assert_eq!(map.get(c), Some(id));
        }
        assert_eq!(map.get('b'), None);
        assert_eq!(map.get('😀'), None);
        assert_eq!(CharIds::default().get('a'), None);
    }
}
