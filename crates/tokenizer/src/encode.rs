//! Text to token ids.
//!
//! Text is cut into words, by a [`Splitter`] or a [`Preparation`], and the words go through a
//! [`WordCache`] or the [`MergeTable`], many times as fast as through the `tokenizers` crate, which
//! keeps offsets that nobody here needs and allocates for every word. A `tokenizer.json` that asks
//! for anything else (other pre-tokenizers, added tokens that swallow spaces) goes through the crate.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;
use tokenizers::NormalizedString;
use unicode_normalization::{IsNormalized, is_nfc_quick};

use crate::added::{self, Added, Normalize};
use crate::definition::{Definition, NO_PIECE, Symbols};
use crate::format::Format;
use crate::hugging_face;
use crate::merge_table::{MergeTable, Scratch};
use crate::preparation::{MARK, Part, Preparation};
use crate::split::{Splitter, blocks};
use crate::word_cache::WordCache;

/// Text to token ids.
pub(crate) struct Encoder {
    byte_ids: [u32; 256],
    route: Route,
}

enum Route {
    Direct(Box<Direct>),
    Crate(Box<Whole>),
}

struct Direct {
    words: Words,
    merges: MergeTable,
    /// As many as there were threads at a time.
    desks: Mutex<Vec<Desk>>,
}

/// How a text is cut.
enum Words {
    Bytes(Box<Bytes>),
    Chars(Preparation),
}

/// How a byte-level tokenizer cuts a text.
struct Bytes {
    added: Added,
    /// Whether the text takes Unicode's canonical form first.
    canonical: bool,
    splitter: Splitter,
    /// Words that are pieces whatever the merges say.
    whole: HashMap<Vec<u8>, u32>,
}

/// What a thread works with.
#[derive(Default)]
struct Desk {
    cache: WordCache,
    scratch: Scratch,
    text: String,
}

/// The `tokenizers` crate's reading of a file.
struct Whole {
    theirs: tokenizers::Tokenizer,
    /// Whether marks for spaces in the text itself would be taken for spaces.
    marks: bool,
}

impl Encoder {
    /// An encoder for a checked definition and the file that it was read from.
    pub(crate) fn new(definition: &Definition, format: &Format) -> Result<Self, String> {
        let prepared = match &definition.symbols {
            Symbols::Chars(chars) => chars.preparation.clone().map(Words::Chars),
            Symbols::Bytes => None,
        };
        let (words, whole) = match format {
            Format::HuggingFace(json) => {
                // Also for the direct route: what the crate refuses must not be saved.
                let mut theirs: tokenizers::Tokenizer =
                    serde_json::from_value(json.clone()).map_err(|error| error.to_string())?;
                theirs.set_encode_special_tokens(true);
                let marks = matches!(definition.symbols, Symbols::Chars(_));
                let words = match marks {
                    true => prepared,
                    false => byte_words(definition, json)?,
                };
                (words, Some(Whole { theirs, marks }))
            }
            _ => (prepared, None),
        };
        let route = match (words, whole) {
            (Some(words), _) => {
                let merges = MergeTable::new(definition);
                Route::Direct(Box::new(Direct { words, merges, desks: Mutex::default() }))
            }
            (None, Some(whole)) => Route::Crate(Box::new(whole)),
            (None, None) => return Err("nothing says how its text is cut".to_owned()),
        };
        Ok(Self { byte_ids: definition.byte_ids, route })
    }

    pub(crate) fn encode(&self, text: &str) -> Vec<u32> {
        let mut ids = Vec::with_capacity(text.len() / 3);
        match &self.route {
            Route::Direct(direct) => direct.encode(text, &self.byte_ids, &mut ids),
            Route::Crate(whole) => {
                for block in blocks(text) {
                    match whole.encode(block, &self.byte_ids) {
                        Some(found) => ids.extend(found),
                        // No text may be lost: bytes always encode.
                        None => {
                            let bytes = block.bytes().map(|byte| self.byte_ids[usize::from(byte)]);
                            ids.extend(bytes.filter(|id| *id != NO_PIECE));
                        }
                    }
                }
            }
        }
        ids
    }
}

/// The splitter of a byte-level file, unless only the crate can cut its text.
fn byte_words(definition: &Definition, json: &Value) -> Result<Option<Words>, String> {
    let (Some(added), Some(splitter)) = (Added::of_json(json), Splitter::of_json(json)?) else {
        return Ok(None);
    };
    let mut whole = HashMap::new();
    if definition.ignore_merges {
        let numbered = definition.pieces.iter().zip(0u32..);
        // A word that spells an added token would be one, if the model has it too.
        let of_model = |piece: &str| json["model"]["vocab"].get(piece).is_some();
        if numbered.clone().any(|(piece, _)| piece.added && of_model(&piece.written)) {
            return Ok(None);
        }
        let plain = numbered.filter(|(piece, _)| !piece.added);
        whole.extend(plain.map(|(piece, id)| (piece.bytes.clone(), id)));
    }
    let canonical = hugging_face::normal_form(json)?.is_some();
    Ok(Some(Words::Bytes(Box::new(Bytes { added, canonical, splitter, whole }))))
}

impl Direct {
    fn encode(&self, text: &str, byte_ids: &[u32; 256], ids: &mut Vec<u32>) {
        let desks = || self.desks.lock().unwrap_or_else(PoisonError::into_inner);
        let mut desk = desks().pop().unwrap_or_default();
        let Desk { cache, scratch, text: room } = &mut desk;
        let whole = match &self.words {
            Words::Bytes(bytes) if !bytes.whole.is_empty() => Some(&bytes.whole),
            _ => None,
        };
        let mut word = |word: &str, ids: &mut Vec<u32>| {
            if let Err(place) = cache.find(word.as_bytes(), ids) {
                let start = ids.len();
                match whole.and_then(|whole| whole.get(word.as_bytes())) {
                    Some(&id) => ids.push(id),
                    None => {
                        self.merges.merge(word, scratch, ids);
                    }
                }
                if let Some(place) = place {
                    cache.keep(place, &ids[start..]);
                }
            }
        };
        match &self.words {
            Words::Bytes(bytes) => {
                bytes.added.parts(
                    text,
                    bytes.canonical.then_some(canonical as Normalize),
                    &mut |part| match part {
                        added::Part::Token(id) => ids.push(id),
                        added::Part::Text(text) => {
                            bytes.splitter.words(text, &mut |found| word(found, ids));
                        }
                    },
                );
            }
            Words::Chars(preparation) => {
                preparation.parts(text, room, &mut |part| match part {
                    Part::Word(found) => word(found, ids),
                    Part::Piece(id) => ids.push(id),
                    Part::Mark => ids.extend(mark_ids(byte_ids)),
                });
            }
        }
        desks().push(desk);
    }
}

/// The byte pieces of the mark for spaces.
fn mark_ids(byte_ids: &[u32; 256]) -> [u32; 3] {
    // U+2581 in UTF-8.
    [0xe2, 0x96, 0x81].map(|byte: usize| byte_ids[byte])
}

/// A text in Unicode's canonical form, as the crate would have it.
fn canonical(text: &str) -> Cow<'_, str> {
    if is_nfc_quick(text.chars()) == IsNormalized::Yes {
        return Cow::Borrowed(text);
    }
    let mut form = NormalizedString::from(text);
    form.nfc();
    Cow::Owned(form.get().to_owned())
}

impl Whole {
    fn encode(&self, text: &str, byte_ids: &[u32; 256]) -> Option<Vec<u32>> {
        if !self.marks || !text.contains(MARK) {
            return Some(self.theirs.encode_fast(text, false).ok()?.get_ids().to_vec());
        }
        // A character for private use stands in for the marks of the text; as no piece has it, it
        // becomes bytes, and these the bytes of the mark.
        let unused = |c: &char| {
            let spelled = c.to_string();
            !text.contains(*c) && self.theirs.token_to_id(&spelled).is_none()
        };
        let stand_in = ('\u{e000}'..='\u{f8ff}').find(unused)?;
        let text = text.replace(MARK, stand_in.encode_utf8(&mut [0; 4]));
        let mut room = [0; 4];
        let bytes = stand_in.encode_utf8(&mut room).bytes();
        let stand_in: Vec<u32> = bytes.map(|byte| byte_ids[usize::from(byte)]).collect();
        let mut ids = self.theirs.encode_fast(text, false).ok()?.get_ids().to_vec();
        let mut at = 0;
        while at + stand_in.len() <= ids.len() {
            if ids[at..at + stand_in.len()] == stand_in {
                ids[at..at + stand_in.len()].copy_from_slice(&mark_ids(byte_ids));
            }
            at += 1;
        }
        Some(ids)
    }
}
