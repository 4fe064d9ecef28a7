//! Cutting text into words, the pieces of text that merges never cross.

use serde_json::Value;
use tokenizers::utils::SysRegex;

use crate::char_class::{Class, Classes};

/// The pattern of [`SPLIT_PATTERN`](crate::SPLIT_PATTERN)'s family; Llama 3 takes numbers up to
/// three digits at once.
const THREE_DIGITS: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// White space characters in a row after which a text is cut for regular expressions. They
/// backtrack over such runs and panic beyond ten million steps; no text with a meaning comes
/// near.
const LONGEST_BLANK: usize = 1_000_000;

/// A pre-tokenizer that cuts text and leaves every character in place.
pub(crate) enum Splitter {
    /// The pattern of Qwen2 and Llama 3, with at most so many digits in a word.
    Clauses { digits: usize },
    /// The pattern of GPT-2.
    Gpt2,
    /// Numeric characters alone, then the pattern of GPT-2 (SmolLM).
    DigitsThenGpt2,
    /// Any other patterns, each for the words of the one before; what one leaves out is a word too.
    Regex(Vec<SysRegex>),
}

impl Splitter {
    /// The splitter of one pattern.
    ///
    /// # Errors
    /// When it is no regular expression.
    pub(crate) fn of_pattern(pattern: &str) -> Result<Self, String> {
        match pattern {
            crate::SPLIT_PATTERN => Ok(Self::Clauses { digits: 1 }),
            THREE_DIGITS => Ok(Self::Clauses { digits: 3 }),
            _ => Ok(Self::Regex(vec![regex(pattern)?])),
        }
    }

    /// The splitter of a `tokenizer.json`, or none if its pre-tokenizer is of another kind.
    ///
    /// # Errors
    /// A pattern that is no regular expression.
    pub(crate) fn of_json(json: &Value) -> Result<Option<Self>, String> {
        let pre = &json["pre_tokenizer"];
        // The key's default is true.
        let gpt2 = |step: &Value| step["type"] == "ByteLevel" && step["use_regex"] != false;
        let plain = |step: &Value| step["type"] == "ByteLevel" && step["use_regex"] == false;
        let steps = match pre["pretokenizers"].as_array() {
            Some(steps) => steps.as_slice(),
            None => std::slice::from_ref(pre),
        };
        Ok(match steps {
            [only] if gpt2(only) => Some(Self::Gpt2),
            [digits, bytes] if digits["type"] == "Digits" => {
                (digits["individual_digits"] == true && gpt2(bytes)).then_some(Self::DigitsThenGpt2)
            }
            [splits @ .., bytes] if !splits.is_empty() && plain(bytes) => {
                let pattern = |split: &Value| {
                    let isolated = split["behavior"] == "Isolated" && split["invert"] == false;
                    let pattern = split["pattern"]["Regex"].as_str();
                    pattern.filter(|_| split["type"] == "Split" && isolated).map(str::to_owned)
                };
                match splits.iter().map(pattern).collect::<Option<Vec<String>>>().as_deref() {
                    None => None,
                    Some([only]) => Some(Self::of_pattern(only)?),
                    Some(all) => {
                        let regexes = all.iter().map(|pattern| regex(pattern));
                        Some(Self::Regex(regexes.collect::<Result<_, _>>()?))
                    }
                }
            }
            _ => None,
        })
    }

    /// Calls `word` with the words of a text, in their order; together they are the text.
    pub(crate) fn words<'t>(&self, text: &'t str, word: &mut impl FnMut(&'t str)) {
        let classes = Classes::get();
        match self {
            Self::Clauses { digits } => {
                each(text, |rest| clause_end(classes, rest, *digits), word);
            }
            Self::Gpt2 => each(text, |rest| gpt2_end(classes, rest), word),
            Self::DigitsThenGpt2 => {
                let mut rest = text;
                while let Some((at, digit)) = rest.char_indices().find(|(_, c)| c.is_numeric()) {
                    let (before, after) = rest.split_at(at);
                    each(before, |rest| gpt2_end(classes, rest), word);
                    let (number, after) = after.split_at(digit.len_utf8());
                    each(number, |rest| gpt2_end(classes, rest), word);
                    rest = after;
                }
                each(rest, |rest| gpt2_end(classes, rest), word);
            }
            Self::Regex(regexes) => {
                for block in blocks(text) {
                    matches(regexes, block, word);
                }
            }
        }
    }
}

fn regex(pattern: &str) -> Result<SysRegex, String> {
    SysRegex::new(pattern).map_err(|error| error.to_string())
}

/// Cuts a text at the matches of the first pattern, and its parts by the others.
fn matches<'t>(regexes: &[SysRegex], text: &'t str, word: &mut dyn FnMut(&'t str)) {
    let Some((first, others)) = regexes.split_first() else { return word(text) };
    let mut end = 0;
    for (start, stop) in first.find_iter(text) {
        for part in [&text[end..start], &text[start..stop]] {
            if !part.is_empty() {
                matches(others, part, word);
            }
        }
        end = stop;
    }
    if end < text.len() {
        matches(others, &text[end..], word);
    }
}

fn each<'t>(text: &'t str, end: impl Fn(&str) -> usize, word: &mut impl FnMut(&'t str)) {
    let mut rest = text;
    while !rest.is_empty() {
        let (first, after) = rest.split_at(end(rest));
        word(first);
        rest = after;
    }
}

/// Bytes of the first word of a text that is not empty, by the pattern of Qwen2 and Llama 3.
fn clause_end(classes: Classes, text: &str, digits: usize) -> usize {
    let mut chars = text.chars();
    let Some(first) = chars.next() else { return 0 };
    let class = classes.of(first);
    let rest = chars.as_str();
    let at = text.len() - rest.len();
    match class {
        Class::Letter => at + run(classes, rest, Class::Letter),
        Class::Number => {
            let more = chars.take(digits - 1).take_while(|&c| classes.of(c) == Class::Number);
            at + more.map(char::len_utf8).sum::<usize>()
        }
        Class::Break => space_end(classes, text, true),
        Class::Sign | Class::Blank => {
            if first == '\''
                && let Some(length) = contraction(rest.as_bytes(), true)
            {
                return at + length;
            }
            let next = chars.next().map(|c| classes.of(c));
            if next == Some(Class::Letter) {
                at + run(classes, rest, Class::Letter)
            } else if class == Class::Sign || (first == ' ' && next == Some(Class::Sign)) {
                let end = at + run(classes, rest, Class::Sign);
                end + run(classes, &text[end..], Class::Break)
            } else {
                space_end(classes, text, true)
            }
        }
    }
}

/// Bytes of the first word of a text that is not empty, by the pattern of GPT-2.
fn gpt2_end(classes: Classes, text: &str) -> usize {
    let mut chars = text.chars();
    let Some(first) = chars.next() else { return 0 };
    if first == '\''
        && let Some(length) = contraction(&text.as_bytes()[1..], false)
    {
        return 1 + length;
    }
    let class = match classes.of(first) {
        _ if first == ' ' => chars.next().map_or(Class::Blank, |c| classes.of(c)),
        class => class,
    };
    if class.is_space() {
        return space_end(classes, text, false);
    }
    let at = text.len() - chars.as_str().len();
    at + run(classes, chars.as_str(), class)
}

/// Bytes of the characters of a class that a text starts with.
fn run(classes: Classes, text: &str, class: Class) -> usize {
    let mut chars = text.chars();
    loop {
        let rest = chars.as_str();
        if chars.next().is_none_or(|c| classes.of(c) != class) {
            return text.len() - rest.len();
        }
    }
}

/// Bytes of the word at the start of a text that starts with white space that belongs to no
/// sign or letter: up to the last line break if `breaks` matter, else all but the character that
/// goes with what follows.
fn space_end(classes: Classes, text: &str, breaks: bool) -> usize {
    let (mut last_break, mut last, mut end) = (0, 0, 0);
    for c in text.chars() {
        let class = classes.of(c);
        if !class.is_space() {
            break;
        }
        last = end;
        end += c.len_utf8();
        if class == Class::Break {
            last_break = end;
        }
    }
    if breaks && last_break > 0 {
        last_break
    } else if end == text.len() || last == 0 {
        end
    } else {
        last
    }
}

/// Bytes after the apostrophe of `'s`, `'t`, `'re`, `'ve`, `'m`, `'ll` and `'d`.
fn contraction(after: &[u8], any_case: bool) -> Option<usize> {
    let fold = |byte: &u8| if any_case { byte.to_ascii_lowercase() } else { *byte };
    match (after.first().map(fold)?, after.get(1).map(fold)) {
        (b's' | b't' | b'm' | b'd', _) => Some(1),
        (b'r' | b'v', Some(b'e')) | (b'l', Some(b'l')) => Some(2),
        // The long s, which is an s but for case.
        (0xc5, _) if any_case && after[1] == 0xbf => Some(2),
        _ => None,
    }
}

/// Cuts a text inside endless runs of white space.
pub(crate) fn blocks(text: &str) -> impl Iterator<Item = &str> {
    cut_blanks(text, LONGEST_BLANK)
}

/// Cuts a text inside runs of more than `limit` white space characters.
fn cut_blanks(text: &str, limit: usize) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut blank = 0;
        let cut = rest.len() > limit;
        let cut = cut.then(|| {
            rest.char_indices().find(|(_, c)| {
                blank = if c.is_whitespace() { blank + 1 } else { 0 };
                blank > limit
            })
        });
        let (block, after) = rest.split_at(cut.flatten().map_or(rest.len(), |(at, _)| at));
        rest = after;
        Some(block)
    })
}

#[cfg(test)]
mod tests;
