//! The `qwen.tiktoken` of Qwen's first generation: a line for every piece, its bytes in base64 and its
//! rank, which is its id; special pieces follow, and are not in the file.
//!
//! It becomes the `tokenizer.json` that gives the same ids, as `transformers` converts such files:
//! tiktoken joins the two neighbours whose bytes together have the lowest rank, so that every way to
//! cut a piece into two pieces is a merge of its rank.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::byte_level::alphabet;
use crate::words::{Cutting, added, cutting};

/// Special pieces, in the order of their ids: these, and `<|extra_0|>` and so on.
const SPECIAL: [&str; 3] = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"];
const EXTRAS: usize = 205;

/// Bytes of the longest piece that is believed; Qwen's longest has 128.
const LONGEST: usize = 1024;

/// Reads a file. The error says what is wrong, with its line.
pub(crate) fn format(bytes: &[u8]) -> Result<Value, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is no text, as a `.tiktoken` file is")?;
    let mut ranks: HashMap<Vec<u8>, u32> = HashMap::new();
    let mut pieces: Vec<Vec<u8>> = Vec::new();
    for (line, number) in text.lines().zip(1_usize..).filter(|(line, _)| !line.is_empty()) {
        let entry = line.split_once(' ').and_then(|(piece, rank)| {
            let piece =
                STANDARD.decode(piece).ok().filter(|piece| (1..=LONGEST).contains(&piece.len()))?;
            Some((piece, rank.parse::<usize>().ok()?))
        });
        let (piece, rank) = entry
            .ok_or_else(|| format!("line {number} is not the base64 of a piece and its rank"))?;
        if rank != pieces.len() {
            let expected = pieces.len();
            return Err(format!("line {number} has the rank {rank}, where {expected} follows"));
        }
        // A file has no more lines than 2^32: ranks count them.
        if ranks.insert(piece.clone(), rank as u32).is_some() {
            return Err(format!("the piece of line {number} is there twice"));
        }
        pieces.push(piece);
    }
    let written = |piece: &[u8]| -> String {
        piece.iter().map(|byte| alphabet()[usize::from(*byte)]).collect()
    };
    let mut merges: Vec<Value> = Vec::new();
    for piece in &pieces {
        let mut ways: Vec<(u32, u32, usize)> = (1..piece.len())
            .filter_map(|at| Some((*ranks.get(&piece[..at])?, *ranks.get(&piece[at..])?, at)))
            .collect();
        ways.sort_unstable();
        merges.extend(
            ways.into_iter().map(|(.., at)| json!([written(&piece[..at]), written(&piece[at..])])),
        );
    }
    let vocabulary: Map<String, Value> =
        pieces.iter().zip(0..).map(|(piece, id)| (written(piece), json!(id))).collect();
    let extras = (0..EXTRAS).map(|extra| format!("<|extra_{extra}|>"));
    let special = SPECIAL.map(str::to_owned).into_iter().chain(extras);
    let specials: Vec<Value> =
        special.zip(pieces.len()..).map(|(content, id)| added(id, &content, true)).collect();
    let cutting = cutting("qwen2").ok_or("its cuts are unknown")?;
    // tiktoken looks for the whole word first.
    Ok(Cutting { ignore_merges: true, ..cutting }.file(specials, vocabulary, merges))
}
