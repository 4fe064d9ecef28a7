//! The `tokenizer.bin` of llama2.c: pieces with scores, as its `tokenizer.py` exports them from a
//! SentencePiece model.
//!
//! Little-endian: the bytes of the longest piece as i32, then for every piece its score as f32,
//! its length in bytes as i32, and the bytes. Ids 0, 1 and 2 are the unknown piece and the start
//! and the end of a text; the 256 byte pieces follow. Spaces are written as spaces.

use crate::definition::{Chars, Definition, Piece, Symbols, byte_ids, byte_of_name};
use crate::preparation::{Cut, Preparation, Whole};
use crate::scores;

/// Special pieces at the start.
const SPECIAL: usize = 3;

/// llama2.c separates documents by their start, and stops when it is generated.
const START_OF_TEXT: u32 = 1;

/// Score and text of every piece.
fn entries(file: &[u8]) -> Option<Vec<(f32, &[u8])>> {
    let (_, mut rest) = file.split_first_chunk::<4>()?;
    let mut found = Vec::new();
    while !rest.is_empty() {
        let (score, after) = rest.split_first_chunk()?;
        let (length, after) = after.split_first_chunk()?;
        let length = usize::try_from(i32::from_le_bytes(*length)).ok()?;
        let (text, after) = after.split_at_checked(length)?;
        found.push((f32::from_le_bytes(*score), text));
        rest = after;
    }
    Some(found)
}

/// Reads and checks a file. The error says what is wrong.
pub(crate) fn read(file: &[u8]) -> Result<Definition, String> {
    let entries = entries(file).ok_or("it is damaged, or no tokenizer.bin of llama2.c")?;
    let mut texts = Vec::with_capacity(entries.len());
    for (id, (score, text)) in entries.iter().enumerate() {
        let text = std::str::from_utf8(text).ok().filter(|text| !text.is_empty());
        let text = text.ok_or_else(|| format!("piece {id} is empty or no UTF-8"))?;
        if score.is_nan() {
            return Err(format!("the score of piece `{text}` is no number"));
        }
        texts.push((text, *score));
    }
    let (special, rest) = texts.split_at_checked(SPECIAL).unwrap_or((&[], &[]));
    let bytes = rest.iter().zip(SPECIAL as u32..).take(256);
    let byte_ids = byte_ids(bytes.filter_map(|(piece, id)| Some((byte_of_name(piece.0)?, id))))
        .map_err(|error| {
            format!("{error}: pieces 3 to 258 of a tokenizer.bin of llama2.c are the bytes")
        })?;
    let first = SPECIAL + 256;
    let numbered = texts.iter().zip(0u32..).skip(first);
    let normal: Vec<(&str, f32, u32)> =
        numbered.map(|(piece, id)| (piece.0, piece.1, id)).collect();
    let mut sorted: Vec<&str> = normal.iter().map(|piece| piece.0).collect();
    sorted.sort_unstable();
    if let Some(twice) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(format!("piece `{}` is there twice", twice[0]));
    }
    let scored = scores::merges(&normal, texts.len());
    let preparation = Preparation {
        prefix: true,
        collapse: false,
        map: None,
        space: ' ',
        whole: Whole::default(),
        cut: Cut::without_loss(normal.iter().map(|piece| piece.0), ' '),
    };
    let pieces = texts.iter().enumerate().map(|(id, (text, _))| Piece {
        written: (*text).to_owned(),
        bytes: match id {
            id if id < special.len() => Vec::new(),
            id if id < first => byte_of_name(text).into_iter().collect(),
            _ => text.as_bytes().to_vec(),
        },
        added: id < special.len(),
        special: id < special.len(),
    });
    Ok(Definition {
        pieces: pieces.collect(),
        merges: scored.merges,
        turns: Some(scored.turns),
        end_of_text: START_OF_TEXT,
        byte_ids,
        ignore_merges: false,
        symbols: Symbols::Chars(Box::new(Chars {
            ids: scored.chars,
            prefix: true,
            preparation: Some(preparation),
        })),
        changes: None,
    })
}

/// The file with only the pieces of `new_to_old`, in that order.
pub(crate) fn keep(file: &[u8], new_to_old: &[u32]) -> Vec<u8> {
    let entries = entries(file).unwrap_or_default();
    let kept = || new_to_old.iter().filter_map(|&old| entries.get(old as usize));
    let longest = kept().map(|(_, text)| text.len()).max().unwrap_or_default();
    let mut out = (longest as i32).to_le_bytes().to_vec();
    for (score, text) in kept() {
        out.extend(score.to_le_bytes());
        out.extend((text.len() as i32).to_le_bytes());
        out.extend_from_slice(text);
    }
    out
}
