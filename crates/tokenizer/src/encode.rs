//! Text to token ids.
//!
//! The pre-tokenizer that is trained here (one pattern, then bytes) is encoded directly: the
//! pattern's matches go through the [`MergeTable`], several times as fast as through the
//! `tokenizers` crate, which keeps offsets that nobody here needs. Everything else goes through
//! the crate.

use serde_json::Value;
use tokenizers::utils::SysRegex;

use crate::definition::Definition;
use crate::merge_table::{MergeTable, Scratch};

/// White space characters in a row after which a text is cut for encoding. The regular
/// expressions backtrack over such runs and panic beyond ten million steps; no text with
/// a meaning comes near.
const LONGEST_BLANK: usize = 1_000_000;

/// Text to token ids.
pub(crate) struct Encoder {
    byte_ids: [u32; 256],
    route: Route,
}

enum Route {
    Direct { pattern: SysRegex, merges: MergeTable },
    Crate(Box<tokenizers::Tokenizer>),
}

impl Encoder {
    /// An encoder for a checked definition and the JSON it was read from.
    pub(crate) fn new(definition: &Definition, json: &Value) -> Result<Self, String> {
        // Also for the direct route: what the crate refuses must not be saved.
        let mut whole: tokenizers::Tokenizer =
            serde_json::from_value(json.clone()).map_err(|error| error.to_string())?;
        whole.set_encode_special_tokens(true);
        let text_added = definition.pieces.iter().any(|piece| piece.added && !piece.special);
        let pattern = only_pattern(json).filter(|_| !text_added && !definition.ignore_merges);
        let route = match pattern {
            Some(pattern) => Route::Direct {
                pattern: SysRegex::new(pattern).map_err(|error| error.to_string())?,
                merges: MergeTable::new(&definition.merges),
            },
            None => Route::Crate(Box::new(whole)),
        };
        Ok(Self { byte_ids: definition.byte_ids, route })
    }

    pub(crate) fn encode(&self, text: &str) -> Vec<u32> {
        let mut ids = Vec::with_capacity(text.len() / 3);
        let mut scratch = Scratch::default();
        for block in blocks(text) {
            match &self.route {
                Route::Direct { pattern, merges } => {
                    let mut word = |word: &str| {
                        merges.merge(self.bytes(word), &mut scratch, &mut ids);
                    };
                    let mut end = 0;
                    for (start, stop) in pattern.find_iter(block) {
                        // What the pattern leaves out is a word too.
                        if end < start {
                            word(&block[end..start]);
                        }
                        word(&block[start..stop]);
                        end = stop;
                    }
                    word(&block[end..]);
                }
                Route::Crate(whole) => match whole.encode_fast(block, false) {
                    Ok(encoding) => ids.extend(encoding.get_ids()),
                    // No text may be lost: bytes always encode.
                    Err(_) => ids.extend(self.bytes(block)),
                },
            }
        }
        ids
    }

    fn bytes(&self, text: &str) -> impl Iterator<Item = u32> {
        text.bytes().map(|byte| self.byte_ids[byte as usize])
    }
}

/// The pattern of a pre-tokenizer that is one pattern with isolated matches, then plain bytes.
fn only_pattern(json: &Value) -> Option<&str> {
    let [split, bytes] = json["pre_tokenizer"]["pretokenizers"].as_array()?.as_slice() else {
        return None;
    };
    let plain = bytes["type"] == "ByteLevel" && bytes["use_regex"] == false;
    let isolated = split["type"] == "Split" && split["behavior"] == "Isolated";
    let pattern = split["pattern"]["Regex"].as_str();
    pattern.filter(|_| plain && isolated && split["invert"] == false)
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
mod tests {
    use super::*;

    #[test]
    fn long_blanks_are_cut() {
        for (text, expected) in [
            ("", vec![]),
            ("a b", vec!["a b"]),
            ("a   b   c", vec!["a   b   c"]),
            ("a    b", vec!["a   ", " b"]),
            ("a       \u{3000}", vec!["a   ", "   ", " \u{3000}"]),
        ] {
            assert_eq!(cut_blanks(text, 3).collect::<Vec<_>>(), expected, "{text:?}");
        }
    }
}
