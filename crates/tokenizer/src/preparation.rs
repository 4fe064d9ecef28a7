//! What SentencePiece-style tokenizers do with a text before they merge its characters.

use std::collections::HashMap;

use crate::precompiled::Precompiled;

/// Stands for a space in pieces.
pub(crate) const MARK: char = '\u{2581}';

/// Why a vocabulary without the mark is refused.
pub(crate) fn no_mark() -> String {
    format!("no piece is `{MARK}` alone, so that spaces would be lost")
}

/// From a text to the words that merges do not cross.
///
/// A mark in the text itself is not a space: it is handed on as [`Part::Mark`], to be written as
/// bytes. (SentencePiece would give a space back for it, and the text would be lost.)
#[derive(Clone, Debug)]
pub(crate) struct Preparation {
    /// Whether a space is put before a text that is not empty.
    pub(crate) prefix: bool,
    /// Whether runs of spaces become one, and those at both ends none.
    pub(crate) collapse: bool,
    /// What stands for strings of the text.
    pub(crate) map: Option<Precompiled>,
    /// What stands for a space in pieces.
    pub(crate) space: char,
    /// Pieces that are found in the text before anything else.
    pub(crate) whole: Whole,
    pub(crate) cut: Cut,
}

/// Where the words of a prepared text start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Nowhere: the text is one word.
    Never,
    /// Where spaces follow something else.
    BeforeSpaces,
    /// At every space.
    EverySpace,
}

impl Cut {
    /// Before spaces, if no piece goes on after anything else with a space: then no merge
    /// crosses such a place, and the cut changes nothing but the time it takes.
    pub(crate) fn without_loss<'a>(mut pieces: impl Iterator<Item = &'a str>, space: char) -> Self {
        let crosses = |piece: &str| {
            let mut last = space;
            piece.chars().any(|c| std::mem::replace(&mut last, c) != space && c == space)
        };
        if pieces.any(crosses) { Self::Never } else { Self::BeforeSpaces }
    }
}

/// Pieces that are found as a whole, the longest first, by their first character.
#[derive(Clone, Debug, Default)]
pub(crate) struct Whole(HashMap<char, Vec<(String, u32)>>);

impl Whole {
    pub(crate) fn new<'a>(pieces: impl Iterator<Item = (&'a str, u32)>) -> Self {
        let mut by_first: HashMap<char, Vec<(String, u32)>> = HashMap::new();
        for (piece, id) in pieces {
            if let Some(first) = piece.chars().next() {
                by_first.entry(first).or_default().push((piece.to_owned(), id));
            }
        }
        for pieces in by_first.values_mut() {
            pieces.sort_by_key(|(piece, _)| std::cmp::Reverse(piece.len()));
        }
        Self(by_first)
    }

    /// The longest piece that a text starts with.
    fn at_start(&self, text: &str) -> Option<(usize, u32)> {
        let pieces = self.0.get(&text.chars().next()?)?;
        let found = pieces.iter().find(|(piece, _)| text.starts_with(piece.as_str()))?;
        Some((found.0.len(), found.1))
    }
}

/// A part of a prepared text.
pub(crate) enum Part<'t> {
    /// Characters that may merge.
    Word(&'t str),
    /// A piece that was found as a whole.
    Piece(u32),
    /// A character of the text that is the mark for spaces.
    Mark,
}

impl Preparation {
    /// Calls `part` with the parts of a text, in their order. `room` is scratch.
    pub(crate) fn parts(&self, text: &str, room: &mut String, part: &mut impl FnMut(Part<'_>)) {
        room.clear();
        let mut marks = Vec::new();
        self.normalize(text, room, &mut marks);
        let mut start = 0;
        for mark in marks.into_iter().chain([room.len()]) {
            self.pieces(&room[start..mark], part);
            if mark < room.len() {
                part(Part::Mark);
            }
            start = mark + MARK.len_utf8();
        }
    }

    /// Appends the normal form of a text, and the places of marks that are no spaces.
    fn normalize(&self, text: &str, out: &mut String, marks: &mut Vec<usize>) {
        let mut rest = text;
        if self.collapse {
            while let Some((length, " ")) = self.next(rest) {
                rest = &rest[length..];
            }
        }
        if rest.is_empty() {
            return;
        }
        if self.prefix {
            out.push(self.space);
        }
        let mut after_space = self.collapse;
        while let Some((length, mut form)) = self.next(rest) {
            if after_space {
                form = form.trim_start_matches(' ');
            }
            for c in form.chars() {
                if c == MARK && self.space == MARK {
                    marks.push(out.len());
                }
                out.push(if c == ' ' { self.space } else { c });
            }
            if !form.is_empty() {
                after_space = self.collapse && form.ends_with(' ');
            }
            rest = &rest[length..];
        }
        if self.collapse {
            while out.ends_with(self.space) && marks.last() != Some(&(out.len() - MARK.len_utf8()))
            {
                out.pop();
            }
        }
    }

    /// What stands for the start of a text, and the bytes that it stands for.
    fn next<'t>(&'t self, text: &'t str) -> Option<(usize, &'t str)> {
        if let Some((length, _)) = self.whole.at_start(text) {
            return Some((length, &text[..length]));
        }
        if let Some(found) = self.map.as_ref().and_then(|map| map.longest(text)) {
            return Some(found);
        }
        let length = text.chars().next()?.len_utf8();
        Some((length, &text[..length]))
    }

    /// Finds whole pieces, and cuts what is between them.
    fn pieces(&self, text: &str, part: &mut impl FnMut(Part<'_>)) {
        let (mut start, mut at) = (0, 0);
        if !self.whole.0.is_empty() {
            while let Some(c) = text[at..].chars().next() {
                let Some((length, id)) = self.whole.at_start(&text[at..]) else {
                    at += c.len_utf8();
                    continue;
                };
                self.words(&text[start..at], part);
                part(Part::Piece(id));
                at += length;
                start = at;
            }
        }
        self.words(&text[start..], part);
    }

    fn words(&self, text: &str, part: &mut impl FnMut(Part<'_>)) {
        let mut start = 0;
        if self.cut != Cut::Never {
            let mut last_space = true;
            for (at, c) in text.char_indices() {
                let space = c == self.space;
                if space && at > start && (!last_space || self.cut == Cut::EverySpace) {
                    part(Part::Word(&text[start..at]));
                    start = at;
                }
                last_space = space;
            }
        }
        if start < text.len() {
            part(Part::Word(&text[start..]));
        }
    }
}

#[cfg(test)]
mod tests;
