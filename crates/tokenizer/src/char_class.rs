//! What a character is to the split patterns: letter, number, white space or another sign.

use std::sync::OnceLock;

use tokenizers::utils::SysRegex;

/// The classes that split patterns tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// None of the others: punctuation, symbols, marks, control characters.
    Sign,
    /// `\p{L}`.
    Letter,
    /// `\p{N}`.
    Number,
    /// `\s` without the line breaks.
    Blank,
    /// Carriage return and line feed.
    Break,
}

impl Class {
    /// Whether the character is in `\s`.
    pub(crate) fn is_space(self) -> bool {
        matches!(self, Self::Blank | Self::Break)
    }
}

/// Characters of a page, pages of a plane, and planes of Unicode.
const PAGE: usize = 256;
const PAGES: usize = 256;
const PLANES: usize = 17;

/// The class of every character.
///
/// The classes are asked of the regular expression engine of the `tokenizers` crate rather than
/// written down, because Unicode's tables change from year to year and the engine's are what a
/// `tokenizer.json` means. A plane is asked for when its first character is met; nearly all text
/// stays in the first one.
#[derive(Clone, Copy)]
pub(crate) struct Classes {
    basic: &'static Plane,
}

/// The classes of 65,536 characters: pages, of which equal ones are kept once.
struct Plane {
    page_of: [u8; PAGES],
    pages: Vec<[Class; PAGE]>,
}

static ASKED: [OnceLock<Plane>; PLANES] = [const { OnceLock::new() }; PLANES];

impl Classes {
    pub(crate) fn get() -> Self {
        Self { basic: Plane::get(0) }
    }

    #[inline]
    pub(crate) fn of(self, c: char) -> Class {
        let c = c as usize;
        let plane = if c < PAGES * PAGE { self.basic } else { Plane::get(c / (PAGES * PAGE)) };
        plane.pages[usize::from(plane.page_of[c / PAGE % PAGES])][c % PAGE]
    }
}

impl Plane {
    fn get(number: usize) -> &'static Self {
        ASKED[number].get_or_init(|| Self::ask(number))
    }

    fn ask(number: usize) -> Self {
        let mut all = vec![Class::Sign; PAGES * PAGE];
        let first = (number * PAGES * PAGE) as u32;
        // Without the surrogates, which are no characters.
        let text: String = (first..).take(all.len()).filter_map(char::from_u32).collect();
        for (pattern, class) in
            [(r"\p{L}+", Class::Letter), (r"\p{N}+", Class::Number), (r"\s+", Class::Blank)]
        {
            let Ok(regex) = SysRegex::new(pattern) else {
                unreachable!("{pattern} is a regular expression")
            };
            for (start, end) in regex.find_iter(&text) {
                for c in text[start..end].chars() {
                    all[(c as u32 - first) as usize] = class;
                }
            }
        }
        if number == 0 {
            all['\r' as usize] = Class::Break;
            all['\n' as usize] = Class::Break;
        }
        let mut plane = Self { page_of: [0; PAGES], pages: Vec::new() };
        for (page, of) in all.as_chunks::<PAGE>().0.iter().zip(&mut plane.page_of) {
            let known = plane.pages.iter().position(|other| other == page);
            *of = known.unwrap_or(plane.pages.len()) as u8;
            if known.is_none() {
                plane.pages.push(*page);
            }
        }
        plane
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_patterns_tell_apart() {
        let classes = Classes::get();
        for (class, chars) in [
            (Class::Letter, "aZéß中ア한ªʰ𠀀"),
            (Class::Number, "09½Ⅷ٣②〇𝟗"),
            (Class::Blank, " \t\u{b}\u{c}\u{85}\u{a0}\u{2028}\u{3000}"),
            (Class::Break, "\r\n"),
            (Class::Sign, "!_-。，\u{301}\u{200b}\u{feff}\0😀\u{10ffff}"),
        ] {
            for c in chars.chars() {
                assert_eq!(classes.of(c), class, "{c:?}");
            }
        }
    }
}
