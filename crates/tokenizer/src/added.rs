//! Added tokens of a `tokenizer.json` that are text: found before anything is cut or merged.
//!
//! As in the `tokenizers` crate: those that are not normalised are looked for in the text as it is,
//! the others in what is left, after its normalisation. Of several the leftmost counts, of these the
//! longest. A special token hides others where it stands, and is text itself.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::Value;

/// Tokens by their first character, the longest first. Special ones have no id.
#[derive(Default)]
struct Set(HashMap<char, Vec<(String, Option<u32>)>>);

/// From a text to its normal form.
pub(crate) type Normalize = fn(&str) -> Cow<'_, str>;

/// The added tokens of a file.
pub(crate) struct Added {
    /// Looked for in the text as it is.
    raw: Set,
    /// Looked for in the normal form of what is left.
    normal: Set,
}

impl Added {
    /// The added tokens of a file, or none where they ask for what only the crate does.
    pub(crate) fn of_json(json: &Value) -> Option<Self> {
        let mut added = Self { raw: Set::default(), normal: Set::default() };
        for token in json["added_tokens"].as_array().into_iter().flatten() {
            let flag = |key: &str| token[key].as_bool().unwrap_or(false);
            let special = flag("special");
            if !special && (flag("single_word") || flag("lstrip") || flag("rstrip")) {
                return None;
            }
            let id = u32::try_from(token["id"].as_u64()?).ok()?;
            let content = token["content"].as_str()?;
            let set = if flag("normalized") { &mut added.normal } else { &mut added.raw };
            let first = content.chars().next()?;
            let same = set.0.entry(first).or_default();
            same.push((content.to_owned(), (!special).then_some(id)));
            same.sort_by_key(|(content, _)| std::cmp::Reverse(content.len()));
        }
        Some(added)
    }

    /// Calls `part` with tokens and with what is between them, in their order. `normalize` gives
    /// the normal form of a part, where there is another than itself.
    pub(crate) fn parts(
        &self,
        text: &str,
        normalize: Option<Normalize>,
        part: &mut dyn FnMut(Part<'_>),
    ) {
        self.raw.parts(text, &mut |found| match (found, normalize) {
            (Part::Text(text), Some(normalize)) => self.normal.parts(&normalize(text), part),
            (Part::Text(text), None) => self.normal.parts(text, part),
            (token, _) => part(token),
        });
    }
}

/// A part of a text.
pub(crate) enum Part<'t> {
    Token(u32),
    Text(&'t str),
}

impl Set {
    fn parts(&self, text: &str, part: &mut dyn FnMut(Part<'_>)) {
        let (mut start, mut at) = (0, 0);
        if self.0.values().flatten().any(|(_, id)| id.is_some()) {
            while let Some(c) = text[at..].chars().next() {
                let tokens = self.0.get(&c).map_or(&[][..], Vec::as_slice);
                match tokens.iter().find(|(token, _)| text[at..].starts_with(token.as_str())) {
                    None => at += c.len_utf8(),
                    Some((token, None)) => at += token.len(),
                    Some((token, Some(id))) => {
                        if at > start {
                            part(Part::Text(&text[start..at]));
                        }
                        part(Part::Token(*id));
                        at += token.len();
                        start = at;
                    }
                }
            }
        }
        if start < text.len() {
            part(Part::Text(&text[start..]));
        }
    }
}
