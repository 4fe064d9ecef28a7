//! The `tokenizer.json` of Hugging Face's `tokenizers`: read, checked, and cut down.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use crate::byte_level::{alphabet, bytes_of};
use crate::chars::CharIds;
use crate::definition::{
    Chars, Definition, Merge, NO_PIECE, Piece, Symbols, byte_ids, byte_of_name,
};
use crate::invert;
use crate::preparation::{Cut, MARK, Preparation, Whole, no_mark};

/// Names that models give to the end of a document, most telling first.
const END_NAMES: [&str; 7] = [
    "<|endoftext|>",
    "<|end_of_text|>",
    "<｜end▁of▁sentence｜>",
    "<|endofdocument|>",
    "</s>",
    "<eos>",
    "[EOS]",
];

/// What is said of kinds that are not read.
const KINDS: &str = "only byte-level BPE and SentencePiece-style BPE with byte fallback are read";

/// How a file makes symbols of a text.
enum Kind {
    /// Bytes, written in the byte-level alphabet.
    ByteLevel,
    /// Characters, with `<0x00>` and so on for what is no piece.
    ByteFallback(Spaces),
}

/// How spaces become marks.
#[derive(Clone, Copy)]
struct Spaces {
    prefix: bool,
    /// Whether merges never cross a space.
    split: bool,
}

/// Reads and checks the JSON of a tokenizer. The error says what is wrong.
pub(crate) fn read(json: &Value) -> Result<Definition, String> {
    let model = json.get("model").filter(|model| model.is_object());
    let model = model.ok_or("no `model`: it is not a tokenizer.json of Hugging Face")?;
    let (kind, mut changes) = kind(json, model)?;
    let ids = read_ids(json, model)?;
    let added = read_added(json)?;
    let mut pieces = Vec::with_capacity(ids.len());
    for (expected, (&id, written)) in ids.iter().enumerate() {
        if id as usize != expected {
            return Err(format!("no entry has id {expected}: ids must be consecutive from 0"));
        }
        let special = added.get(written).copied();
        let bytes = match (special, &kind) {
            (Some(true), _) => Vec::new(),
            (Some(false), _) => written.as_bytes().to_vec(),
            (None, Kind::ByteLevel) => bytes_of(written).ok_or_else(|| not_byte_level(written))?,
            (None, Kind::ByteFallback(_)) => match byte_of_name(written) {
                Some(byte) => vec![byte],
                None => written.replace(MARK, " ").into_bytes(),
            },
        };
        pieces.push(Piece {
            written: written.clone(),
            bytes,
            added: special.is_some(),
            special: special == Some(true),
        });
    }
    let by_text: HashMap<&str, u32> =
        pieces.iter().zip(0..).map(|(piece, id)| (piece.written.as_str(), id)).collect();
    let byte_ids = match kind {
        Kind::ByteLevel => {
            let found = |(byte, c): (u8, &char)| {
                Some((byte, *by_text.get(c.encode_utf8(&mut [0; 4]) as &str)?))
            };
            let bytes: Vec<(u8, u32)> = (0..=255).zip(alphabet()).filter_map(found).collect();
            let lost = (0..=255)
                .filter(|byte| can_be_lost(*byte) && bytes.iter().all(|(known, _)| known != byte));
            let lost: Vec<u8> = lost.collect();
            if lost.iter().any(|byte| !never_in_text(*byte)) {
                let what = "control characters and unassigned planes without a piece are left out";
                changes = Some(changes.map_or(what.to_owned(), |known| format!("{known}, {what}")));
            }
            byte_ids(bytes.into_iter().chain(lost.into_iter().map(|byte| (byte, NO_PIECE))))
        }
        Kind::ByteFallback(_) => {
            byte_ids(by_text.iter().filter_map(|(name, &id)| Some((byte_of_name(name)?, id))))
        }
    }?;
    let end_of_text = END_NAMES
        .iter()
        .find(|name| added.get(**name) == Some(&true))
        .and_then(|name| by_text.get(name).copied())
        .ok_or_else(|| {
            format!("no special token ends a document: add one of `{}`", END_NAMES.join("`, `"))
        })?;
    let merges = read_merges(model, &pieces, &by_text)?;
    let ignore_merges = model.get("ignore_merges").and_then(Value::as_bool).unwrap_or(false);
    let symbols = match kind {
        Kind::ByteLevel => Symbols::Bytes,
        Kind::ByteFallback(spaces) => {
            if !by_text.contains_key(MARK.to_string().as_str()) {
                return Err(no_mark());
            }
            let direct = !ignore_merges && pieces.iter().all(|piece| piece.added == piece.special);
            chars(&pieces, spaces, direct)
        }
    };
    Ok(Definition {
        pieces,
        merges,
        turns: None,
        end_of_text,
        byte_ids,
        ignore_merges,
        symbols,
        changes,
    })
}

/// The characters among the pieces.
fn chars(pieces: &[Piece], spaces: Spaces, direct: bool) -> Symbols {
    let plain = || pieces.iter().zip(0..).filter(|(piece, _)| !piece.added);
    let single = plain().filter_map(|(piece, id)| {
        let mut chars = piece.written.chars();
        Some((chars.next().filter(|_| chars.next().is_none())?, id))
    });
    let cut = match spaces.split {
        true => Cut::EverySpace,
        false => Cut::without_loss(plain().map(|(piece, _)| piece.written.as_str()), MARK),
    };
    let preparation = Preparation {
        prefix: spaces.prefix,
        collapse: false,
        map: None,
        space: MARK,
        whole: Whole::default(),
        cut,
    };
    Symbols::Chars(Box::new(Chars {
        ids: CharIds::new(single, Vec::new()),
        prefix: spaces.prefix,
        preparation: direct.then_some(preparation),
    }))
}

/// The JSON with only the pieces of `new_to_old`, in that order, and the merges between them.
pub(crate) fn keep(parent: &Value, definition: &Definition, new_to_old: &[u32]) -> Value {
    let mut json = parent.clone();
    let old_to_new = invert(new_to_old, definition.pieces.len());
    let written = |old: u32| &definition.pieces[old as usize].written;
    let ids = || new_to_old.iter().zip(0u32..);
    let vocabulary: serde_json::Map<String, Value> =
        ids().map(|(&old, id)| (written(old).clone(), json!(id))).collect();
    let kept = |old: u32| old_to_new[old as usize].is_some();
    let merges: Vec<Value> = definition
        .merges
        .iter()
        .filter(|merge| kept(merge.left) && kept(merge.right) && kept(merge.product))
        .map(|merge| json!([written(merge.left), written(merge.right)]))
        .collect();
    let parents: HashMap<String, Value> = list(parent, "added_tokens")
        .iter()
        .map(|token| (text(token, "content").to_owned(), token.clone()))
        .collect();
    let added: Vec<Value> = ids()
        .filter_map(|(&old, id)| {
            let mut token = parents.get(written(old))?.clone();
            token["id"] = json!(id);
            Some(token)
        })
        .collect();
    json["added_tokens"] = Value::Array(added);
    json["model"]["vocab"] = Value::Object(vocabulary);
    json["model"]["merges"] = Value::Array(merges);
    if let Some(post) = json.get_mut("post_processor") {
        renumber(post, &old_to_new);
    }
    json
}

/// New ids where a post-processor names special tokens.
fn renumber(post: &mut Value, old_to_new: &[Option<u32>]) {
    let new = |id: &mut Value| {
        let old = id.as_u64().and_then(|old| old_to_new.get(old as usize).copied().flatten());
        if let Some(new) = old {
            *id = json!(new);
        }
    };
    if let Some(tokens) = post.get_mut("special_tokens").and_then(Value::as_object_mut) {
        for token in tokens.values_mut() {
            token["ids"].as_array_mut().into_iter().flatten().for_each(new);
        }
    }
    for end in ["sep", "cls"] {
        if let Some(id) = post.get_mut(end).and_then(|end| end.get_mut(1)) {
            new(id);
        }
    }
    for step in post.get_mut("processors").and_then(Value::as_array_mut).into_iter().flatten() {
        renumber(step, old_to_new);
    }
}

/// Whether a byte is in no UTF-8.
fn never_in_text(byte: u8) -> bool {
    matches!(byte, 0xc0 | 0xc1 | 0xf5..)
}

/// Whether a tokenizer may lack a byte: those that are in no text, those of planes to which no character
/// is assigned, and control characters but tabs and ends of lines.
fn can_be_lost(byte: u8) -> bool {
    let control = byte.is_ascii_control() && !byte.is_ascii_whitespace();
    never_in_text(byte) || matches!(byte, 0xf1 | 0xf2) || control
}

fn not_byte_level(piece: &str) -> String {
    format!(
        "piece `{piece}` is not written in the byte-level alphabet, though `model.byte_fallback` \
         is not set; {KINDS}"
    )
}

/// The kind of a file, and what it does to a text; refuses what loses text.
fn kind(json: &Value, model: &Value) -> Result<(Kind, Option<String>), String> {
    let kind = model.get("type").and_then(Value::as_str).unwrap_or("BPE");
    if kind != "BPE" {
        return Err(format!("it is a {kind} tokenizer; {KINDS}"));
    }
    if model.get("dropout").and_then(Value::as_f64).unwrap_or(0.0) != 0.0 {
        return Err("its BPE dropout makes encoding random; set `model.dropout` to null".into());
    }
    for key in ["continuing_subword_prefix", "end_of_word_suffix"] {
        if !text(model, key).is_empty() {
            return Err(format!("it marks word parts with a `{key}`; {KINDS}"));
        }
    }
    if model.get("byte_fallback").and_then(Value::as_bool) == Some(true) {
        return Ok((Kind::ByteFallback(spaces(json)?), None));
    }
    check_byte_level(json)?;
    Ok((Kind::ByteLevel, normal_form(json)?))
}

/// The only change of text that byte-level tokenizers may make: the canonical form of Unicode.
pub(crate) fn normal_form(json: &Value) -> Result<Option<String>, String> {
    let steps = steps(json, "normalizer", "normalizers");
    match steps.iter().find(|step| text(step, "type") != "NFC") {
        Some(step) => Err(changed_text(step)),
        None => Ok((!steps.is_empty()).then(|| "Unicode's canonical form, NFC".to_owned())),
    }
}

fn changed_text(step: &Value) -> String {
    format!(
        "its normaliser ({}) changes text, so that text would not come back; set `normalizer` to \
         null",
        text(step, "type")
    )
}

/// How spaces become marks, by the two layouts that SentencePiece models are converted to: a
/// normaliser that writes marks, or the pre-tokenizer Metaspace.
fn spaces(json: &Value) -> Result<Spaces, String> {
    let mark = MARK.to_string();
    let (mut prefix, mut marked, mut split) = (false, false, false);
    for step in steps(json, "normalizer", "normalizers") {
        match text(step, "type") {
            "Prepend" if step["prepend"] == mark && !marked => prefix = true,
            "Replace" if step["pattern"]["String"] == " " && step["content"] == mark => {
                marked = true;
            }
            _ => return Err(changed_text(step)),
        }
    }
    for step in steps(json, "pre_tokenizer", "pretokenizers") {
        match text(step, "type") {
            "Metaspace" if step["replacement"] == mark => {
                marked = true;
                split |= step["split"] != false;
                // Before version 0.19 of the crate there was a flag instead.
                prefix |= match step["prepend_scheme"].as_str() {
                    Some(scheme) => scheme != "never",
                    None => step["add_prefix_space"] != false,
                };
            }
            // Nothing is left to split at (Gemma).
            "Split" if marked && step["pattern"]["String"] == " " => {}
            kind => {
                return Err(format!(
                    "its pre-tokenizer {kind} is none that SentencePiece models are converted \
                     to; {KINDS}"
                ));
            }
        }
    }
    if !marked {
        return Err(format!(
            "nothing in it writes spaces as `{MARK}`: `normalizer` or `pre_tokenizer` is missing"
        ));
    }
    Ok(Spaces { prefix, split })
}

fn check_byte_level(json: &Value) -> Result<(), String> {
    let pre_tokenizers = steps(json, "pre_tokenizer", "pretokenizers");
    let mut byte_level = false;
    for step in &pre_tokenizers {
        let lossy = match text(step, "type") {
            "ByteLevel" => {
                byte_level = true;
                // The crate's default, should the key be missing, is to add a space.
                step.get("add_prefix_space").and_then(Value::as_bool) != Some(false)
            }
            "Split" => text(step, "behavior") == "Removed",
            "Digits" | "Punctuation" | "FixedLength" => text(step, "behavior") == "Removed",
            _ => true,
        };
        if lossy {
            let kind = text(step, "type");
            return Err(format!("its pre-tokenizer {kind} adds or drops characters; {KINDS}"));
        }
    }
    if !byte_level {
        return Err(format!("its pre-tokenizer is not ByteLevel; {KINDS}"));
    }
    Ok(())
}

/// The steps of a component that may be missing, single or a sequence.
fn steps<'a>(json: &'a Value, component: &str, inner: &str) -> Vec<&'a Value> {
    match json.get(component) {
        None | Some(Value::Null) => Vec::new(),
        Some(one) if text(one, "type") == "Sequence" => list(one, inner).iter().collect(),
        Some(one) => vec![one],
    }
}

fn text<'a>(json: &'a Value, key: &str) -> &'a str {
    json.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn list<'a>(json: &'a Value, key: &str) -> &'a [Value] {
    json.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Every entry by id: the model's vocabulary and the added tokens.
fn read_ids(json: &Value, model: &Value) -> Result<BTreeMap<u32, String>, String> {
    let vocabulary = model.get("vocab").and_then(Value::as_object).ok_or("no `model.vocab`")?;
    let mut ids = BTreeMap::new();
    let added =
        list(json, "added_tokens").iter().map(|token| (text(token, "content"), &token["id"]));
    let entries = vocabulary.iter().map(|(piece, id)| (piece.as_str(), id)).chain(added);
    for (piece, id) in entries {
        let id = id.as_u64().and_then(|id| u32::try_from(id).ok());
        let id = id.ok_or_else(|| format!("`{piece}` has no id that is a small whole number"))?;
        if let Some(other) = ids.insert(id, piece.to_owned())
            && other != piece
        {
            return Err(format!("`{other}` and `{piece}` both have id {id}"));
        }
    }
    Ok(ids)
}

/// Added tokens, and whether each is special.
fn read_added(json: &Value) -> Result<HashMap<String, bool>, String> {
    let mut added = HashMap::new();
    for token in list(json, "added_tokens") {
        let flag = |key: &str| token.get(key).and_then(Value::as_bool).unwrap_or(false);
        let content = text(token, "content");
        // Special tokens are never looked for in a text.
        if !flag("special") && (flag("lstrip") || flag("rstrip")) {
            return Err(format!(
                "added token `{content}` swallows spaces, so text would not come back"
            ));
        }
        added.insert(content.to_owned(), flag("special"));
    }
    Ok(added)
}

fn read_merges(
    model: &Value,
    pieces: &[Piece],
    by_text: &HashMap<&str, u32>,
) -> Result<Vec<Merge>, String> {
    let written = list(model, "merges");
    let mut merges = Vec::with_capacity(written.len());
    for (rank, merge) in written.iter().enumerate() {
        let pair = match merge {
            Value::String(both) => both.split_once(' '),
            Value::Array(parts) => match parts.as_slice() {
                [Value::String(left), Value::String(right)] => {
                    Some((left.as_str(), right.as_str()))
                }
                _ => None,
            },
            _ => None,
        };
        let (left, right) = pair.ok_or_else(|| format!("merge {rank} is not a pair of pieces"))?;
        let find = |piece: &str| {
            let id = by_text.get(piece).copied();
            let id = id.filter(|&id| !pieces[id as usize].special);
            id.ok_or_else(|| {
                format!("merge {rank} (`{left}` + `{right}`) needs `{piece}`, which is no piece")
            })
        };
        let product = find(&format!("{left}{right}"))?;
        let merge = Merge { left: find(left)?, right: find(right)?, product };
        // Added tokens are found in a text before anything merges.
        let added = |id: u32| pieces[id as usize].added;
        if ![merge.left, merge.right, merge.product].into_iter().any(added) {
            merges.push(merge);
        }
    }
    Ok(merges)
}
