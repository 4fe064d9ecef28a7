//! SentencePiece's `.model`: a protobuf message of pieces with scores and of settings.
//!
//! Field numbers are those of `sentencepiece_model.proto`. A file that is written has the kept
//! pieces' bytes and all other fields as they were read.

use crate::definition::{Chars, Definition, Piece, Symbols, byte_ids, byte_of_name};
use crate::precompiled::Precompiled;
use crate::preparation::{Cut, MARK, Preparation, Whole, no_mark};
use crate::protobuf::{Field, Value, fields, last};
use crate::scores;

// ModelProto
const PIECES: u32 = 1;
const TRAINER: u32 = 2;
const NORMALIZER: u32 = 3;
const DENORMALIZER: u32 = 5;
// ModelProto.SentencePiece
const PIECE: u32 = 1;
const SCORE: u32 = 2;
const TYPE: u32 = 3;
// TrainerSpec
const MODEL_TYPE: u32 = 3;
const SUFFIX: u32 = 24;
const BYTE_FALLBACK: u32 = 35;
const END_ID: u32 = 42;
const END_PIECE: u32 = 47;
// NormalizerSpec
const MAP: u32 = 2;
const PREFIX: u32 = 3;
const COLLAPSE: u32 = 4;
const ESCAPE: u32 = 5;
const RULES: u32 = 1;

/// The type of a piece.
#[derive(Clone, Copy, PartialEq)]
enum Type {
    Normal,
    Unknown,
    Control,
    UserDefined,
    Byte,
}

/// Reads and checks a file. The error says what is wrong.
pub(crate) fn read(file: &[u8]) -> Result<Definition, String> {
    let damaged = || "it is damaged, or no SentencePiece model".to_owned();
    let model = fields(file).ok_or_else(damaged)?;
    let section = |number: u32| -> Result<Vec<Field<'_>>, String> {
        let bytes = last(&model, number).map_or(Some(&[][..]), Value::bytes);
        bytes.and_then(fields).ok_or_else(damaged)
    };
    let (trainer, normalizer) = (section(TRAINER)?, section(NORMALIZER)?);
    let number = |section: &[Field<'_>], field: u32, default: u64| {
        last(section, field).and_then(Value::number).unwrap_or(default)
    };
    match number(&trainer, MODEL_TYPE, 1) {
        2 => {}
        1 => return Err("it is a unigram model; only BPE (`model_type = bpe`) is read".to_owned()),
        _ => return Err("it is a word or character model; only BPE is read".to_owned()),
    }
    if number(&trainer, BYTE_FALLBACK, 0) == 0 {
        return Err("it has no byte fallback, so that unseen characters would be lost; train it \
                    with `byte_fallback = true`"
            .to_owned());
    }
    if number(&trainer, SUFFIX, 0) != 0 {
        return Err("it puts spaces at the ends of words (`treat_whitespace_as_suffix`), which \
                    is not supported"
            .to_owned());
    }
    if number(&normalizer, ESCAPE, 1) == 0 {
        return Err("it does not write spaces as `▁` (`escape_whitespaces = false`), which is \
                    not supported"
            .to_owned());
    }
    let denormalizer = section(DENORMALIZER)?;
    if last(&denormalizer, MAP).and_then(Value::bytes).is_some_and(|map| !map.is_empty()) {
        return Err(
            "it has rules for decoding (`denormalizer_spec`), which are not supported".to_owned()
        );
    }
    let entries = pieces(&model).ok_or_else(damaged)??;
    let map = match last(&normalizer, MAP).and_then(Value::bytes) {
        None | Some([]) => None,
        Some(map) => Some(Precompiled::read(map).ok_or("its `precompiled_charsmap` is damaged")?),
    };
    let (prefix, collapse) =
        (number(&normalizer, PREFIX, 1) != 0, number(&normalizer, COLLAPSE, 1) != 0);
    let mut changes = Vec::new();
    if map.is_some() {
        let rules = last(&normalizer, RULES).and_then(Value::text).unwrap_or("its own");
        changes.push(format!("normalisation rules ({rules})"));
    }
    if collapse {
        changes.push("spaces that are too many go (`remove_extra_whitespaces`)".to_owned());
    }
    definition(&entries, &trainer, |cut, whole| Chars {
        ids: Default::default(),
        prefix,
        preparation: Some(Preparation { prefix, collapse, map, space: MARK, whole, cut }),
    })
    .map(|definition| Definition {
        changes: (!changes.is_empty()).then(|| changes.join(", ")),
        ..definition
    })
}

/// A piece of the file.
struct Entry<'a> {
    text: &'a str,
    score: f32,
    kind: Type,
}

/// All pieces, by id.
fn pieces<'a>(model: &[Field<'a>]) -> Option<Result<Vec<Entry<'a>>, String>> {
    let mut found = Vec::new();
    for field in model.iter().filter(|field| field.number == PIECES) {
        let piece = fields(field.value.bytes()?)?;
        let text = last(&piece, PIECE)?.text().filter(|text| !text.is_empty())?;
        let score = last(&piece, SCORE).map_or(Some(0.0), Value::float)?;
        let kind = match last(&piece, TYPE).map_or(Some(1), Value::number)? {
            1 => Type::Normal,
            2 => Type::Unknown,
            3 => Type::Control,
            4 => Type::UserDefined,
            6 => Type::Byte,
            _ => {
                return Some(Err(format!(
                    "piece `{text}` is marked as unused, which is not supported; leave it out"
                )));
            }
        };
        if score.is_nan() {
            return Some(Err(format!("the score of piece `{text}` is no number")));
        }
        found.push(Entry { text, score, kind });
    }
    Some(Ok(found))
}

fn definition(
    entries: &[Entry<'_>],
    trainer: &[Field<'_>],
    chars: impl FnOnce(Cut, Whole) -> Chars,
) -> Result<Definition, String> {
    let numbered = || entries.iter().zip(0u32..);
    let byte_ids = byte_ids(numbered().filter_map(|(entry, id)| {
        let byte = (entry.kind == Type::Byte).then(|| byte_of_name(entry.text))?;
        Some((byte?, id))
    }))?;
    let normal: Vec<(&str, f32, u32)> = numbered()
        .filter(|(entry, _)| entry.kind == Type::Normal)
        .map(|(entry, id)| (entry.text, entry.score, id))
        .collect();
    let mut texts: Vec<&str> = entries.iter().map(|entry| entry.text).collect();
    texts.sort_unstable();
    if let Some(twice) = texts.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(format!("piece `{}` is there twice", twice[0]));
    }
    if !normal.iter().any(|piece| piece.0.chars().eq([MARK])) {
        return Err(no_mark());
    }
    let scored = scores::merges(&normal, entries.len());
    let whole = numbered().filter(|(entry, _)| entry.kind == Type::UserDefined);
    let whole = Whole::new(whole.map(|(entry, id)| (entry.text, id)));
    let cut = Cut::without_loss(normal.iter().map(|piece| piece.0), MARK);
    let chars = Chars { ids: scored.chars, ..chars(cut, whole) };
    let pieces = entries.iter().map(|entry| Piece {
        written: entry.text.to_owned(),
        bytes: match entry.kind {
            Type::Normal | Type::UserDefined => entry.text.replace(MARK, " ").into_bytes(),
            Type::Byte => byte_of_name(entry.text).into_iter().collect(),
            Type::Unknown | Type::Control => Vec::new(),
        },
        added: matches!(entry.kind, Type::Unknown | Type::Control | Type::UserDefined),
        special: matches!(entry.kind, Type::Unknown | Type::Control),
    });
    Ok(Definition {
        pieces: pieces.collect(),
        merges: scored.merges,
        turns: Some(scored.turns),
        end_of_text: end_of_text(entries, trainer)?,
        byte_ids,
        ignore_merges: false,
        symbols: Symbols::Chars(Box::new(chars)),
        changes: None,
    })
}

/// The piece that the settings name as the end of a sentence, else the one that they number.
fn end_of_text(entries: &[Entry<'_>], trainer: &[Field<'_>]) -> Result<u32, String> {
    let name = last(trainer, END_PIECE).and_then(Value::text).unwrap_or("</s>");
    let control = |entry: &Entry<'_>| entry.kind == Type::Control;
    if let Some(id) = entries.iter().position(|entry| control(entry) && entry.text == name) {
        return Ok(id as u32);
    }
    let id = last(trainer, END_ID).and_then(Value::number).unwrap_or(2);
    let numbered = usize::try_from(id).ok().and_then(|id| entries.get(id));
    match numbered.filter(|entry| control(entry)) {
        Some(_) => Ok(id as u32),
        None => Err(format!("no control piece `{name}` ends a document")),
    }
}

/// The file with only the pieces of `new_to_old`, which is in ascending order.
pub(crate) fn keep(file: &[u8], new_to_old: &[u32]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(file.len());
    let (mut id, mut wanted) = (0, new_to_old.iter().peekable());
    for field in fields(file).unwrap_or_default() {
        let stays = field.number != PIECES || {
            id += 1;
            wanted.next_if_eq(&&(id - 1)).is_some()
        };
        if stays {
            kept.extend_from_slice(field.whole);
        }
    }
    kept
}
