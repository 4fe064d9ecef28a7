//! Text to token ids.
//!
//! Text is cut by a [`Splitter`] and its words go through a [`WordCache`] or the [`MergeTable`],
//! many times as fast as through the `tokenizers` crate, which keeps offsets that nobody here
//! needs and allocates for every word. Tokenizers with other pre-tokenizers, with added tokens
//! that are text, or that ignore merges go through the crate.

use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use crate::definition::Definition;
use crate::merge_table::{MergeTable, Scratch};
use crate::split::{Splitter, blocks};
use crate::word_cache::WordCache;

/// Text to token ids.
pub(crate) struct Encoder {
    byte_ids: [u32; 256],
    route: Route,
}

enum Route {
    Direct(Box<Direct>),
    Crate(Box<tokenizers::Tokenizer>),
}

struct Direct {
    splitter: Splitter,
    merges: MergeTable,
    /// As many as there were threads at a time.
    desks: Mutex<Vec<Desk>>,
}

/// What a thread works with.
#[derive(Default)]
struct Desk {
    cache: WordCache,
    scratch: Scratch,
}

impl Encoder {
    /// An encoder for a checked definition and the JSON it was read from.
    pub(crate) fn new(definition: &Definition, json: &Value) -> Result<Self, String> {
        // Also for the direct route: what the crate refuses must not be saved.
        let mut whole: tokenizers::Tokenizer =
            serde_json::from_value(json.clone()).map_err(|error| error.to_string())?;
        whole.set_encode_special_tokens(true);
        let text_added = definition.pieces.iter().any(|piece| piece.added && !piece.special);
        let splitter = match text_added || definition.ignore_merges {
            true => None,
            false => Splitter::of_json(json)?,
        };
        let route = match splitter {
            Some(splitter) => Route::Direct(Box::new(Direct {
                splitter,
                merges: MergeTable::new(definition),
                desks: Mutex::default(),
            })),
            None => Route::Crate(Box::new(whole)),
        };
        Ok(Self { byte_ids: definition.byte_ids, route })
    }

    pub(crate) fn encode(&self, text: &str) -> Vec<u32> {
        let mut ids = Vec::with_capacity(text.len() / 3);
        match &self.route {
            Route::Direct(direct) => direct.encode(text, &mut ids),
            Route::Crate(whole) => {
                for block in blocks(text) {
                    match whole.encode_fast(block, false) {
                        Ok(encoding) => ids.extend(encoding.get_ids()),
                        // No text may be lost: bytes always encode.
                        Err(_) => ids.extend(block.bytes().map(|b| self.byte_ids[b as usize])),
                    }
                }
            }
        }
        ids
    }
}

impl Direct {
    fn encode(&self, text: &str, ids: &mut Vec<u32>) {
        let desks = || self.desks.lock().unwrap_or_else(PoisonError::into_inner);
        let mut desk = desks().pop().unwrap_or_default();
        let Desk { cache, scratch } = &mut desk;
        self.splitter.words(text, &mut |word| {
            if let Err(place) = cache.find(word.as_bytes(), ids) {
                let start = ids.len();
                self.merges.merge(word.as_bytes(), scratch, ids);
                if let Some(place) = place {
                    cache.keep(place, &ids[start..]);
                }
            }
        });
        desks().push(desk);
    }
}
