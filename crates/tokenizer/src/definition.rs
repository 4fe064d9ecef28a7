//! The contents of a `tokenizer.json`, checked to be byte-level BPE before anything uses it.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use crate::byte_level::{alphabet, bytes_of};

/// One entry of the vocabulary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// As written in the file: byte-level characters, or the plain text of an added token.
    pub(crate) written: String,
    /// Bytes that the piece stands for; empty for special tokens.
    pub(crate) bytes: Vec<u8>,
    /// Whether it is an added token, which merges never produce.
    pub(crate) added: bool,
    /// Whether it is a special token, which stands for no text.
    pub(crate) special: bool,
}

/// Two ids that become a third.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Merge {
    pub(crate) left: u32,
    pub(crate) right: u32,
    pub(crate) product: u32,
}

/// What a tokenizer consists of.
#[derive(Clone, Debug)]
pub(crate) struct Definition {
    /// By id.
    pub(crate) pieces: Vec<Piece>,
    /// By rank.
    pub(crate) merges: Vec<Merge>,
    /// Id of the document separator.
    pub(crate) end_of_text: u32,
    /// Id of each byte's piece.
    pub(crate) byte_ids: [u32; 256],
    /// Whether a whole pre-token that is a piece is that piece, whatever the merges say.
    pub(crate) ignore_merges: bool,
}

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

impl Definition {
    /// Reads and checks the JSON of a tokenizer. The error says what is wrong.
    pub(crate) fn read(json: &Value) -> Result<Self, String> {
        let model = check_kind(json)?;
        let ids = read_ids(json, model)?;
        let added = read_added(json)?;
        let mut pieces = Vec::with_capacity(ids.len());
        for (expected, (&id, written)) in ids.iter().enumerate() {
            if id as usize != expected {
                return Err(format!("no entry has id {expected}: ids must be consecutive from 0"));
            }
            let special = added.get(written).copied();
            let bytes = match special {
                Some(true) => Vec::new(),
                Some(false) => written.as_bytes().to_vec(),
                None => bytes_of(written).ok_or_else(|| not_byte_level(written))?,
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
        let mut byte_ids = [0; 256];
        for (byte, c) in alphabet().iter().enumerate() {
            let id = by_text.get(c.encode_utf8(&mut [0; 4]) as &str);
            byte_ids[byte] = *id.ok_or_else(|| format!("no piece stands for byte {byte}"))?;
        }
        let end_of_text = END_NAMES
            .iter()
            .find(|name| added.get(**name) == Some(&true))
            .and_then(|name| by_text.get(name).copied())
            .ok_or_else(|| {
                format!("no special token ends a document: add one of `{}`", END_NAMES.join("`, `"))
            })?;
        let merges = read_merges(model, &pieces, &by_text)?;
        let ignore_merges = model.get("ignore_merges").and_then(Value::as_bool).unwrap_or(false);
        Ok(Self { pieces, merges, end_of_text, byte_ids, ignore_merges })
    }

    /// The parent's JSON with the vocabulary, merges and added tokens of this definition.
    pub(crate) fn write_into(&self, parent: &Value) -> Value {
        let mut json = parent.clone();
        let ids = self.pieces.iter().zip(0u32..);
        let vocabulary: serde_json::Map<String, Value> =
            ids.clone().map(|(piece, id)| (piece.written.clone(), json!(id))).collect();
        let merges: Vec<Value> = self
            .merges
            .iter()
            .map(|merge| {
                let written = |id: u32| &self.pieces[id as usize].written;
                json!([written(merge.left), written(merge.right)])
            })
            .collect();
        let parents: HashMap<String, Value> = list(parent, "added_tokens")
            .iter()
            .map(|token| (text(token, "content").to_owned(), token.clone()))
            .collect();
        let added: Vec<Value> = ids
            .filter_map(|(piece, id)| {
                let mut token = parents.get(&piece.written)?.clone();
                token["id"] = json!(id);
                Some(token)
            })
            .collect();
        json["added_tokens"] = Value::Array(added);
        json["model"]["vocab"] = Value::Object(vocabulary);
        json["model"]["merges"] = Value::Array(merges);
        json
    }
}

fn not_byte_level(piece: &str) -> String {
    format!(
        "piece `{piece}` is not written in the byte-level alphabet; only byte-level BPE \
         tokenizers are supported so far"
    )
}

/// Refuses what is not lossless byte-level BPE; gives the model.
fn check_kind(json: &Value) -> Result<&Value, String> {
    let model = json.get("model").filter(|model| model.is_object());
    let model = model.ok_or("no `model`: it is not a tokenizer.json of Hugging Face")?;
    let kind = model.get("type").and_then(Value::as_str).unwrap_or("BPE");
    let later = "only byte-level BPE tokenizers are supported so far";
    if kind != "BPE" {
        return Err(format!("it is a {kind} tokenizer; {later}"));
    }
    if model.get("byte_fallback").and_then(Value::as_bool) == Some(true) {
        return Err(format!("it is a SentencePiece BPE with byte fallback; {later}"));
    }
    if model.get("dropout").and_then(Value::as_f64).unwrap_or(0.0) != 0.0 {
        return Err("its BPE dropout makes encoding random; set `model.dropout` to null".into());
    }
    for key in ["continuing_subword_prefix", "end_of_word_suffix"] {
        if !text(model, key).is_empty() {
            return Err(format!("it marks word parts with a `{key}`; {later}"));
        }
    }
    check_steps(json, later)?;
    Ok(model)
}

fn check_steps(json: &Value, later: &str) -> Result<(), String> {
    if let Some(normalizer) = steps(json, "normalizer", "normalizers").first() {
        let kind = text(normalizer, "type");
        return Err(format!(
            "its normaliser ({kind}) changes text, so that text would not come back; set \
             `normalizer` to null, or wait until such tokenizers are supported"
        ));
    }
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
            return Err(format!("its pre-tokenizer {kind} adds or drops characters; {later}"));
        }
    }
    if !byte_level {
        return Err(format!("its pre-tokenizer is not ByteLevel; {later}"));
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
        if flag("lstrip") || flag("rstrip") {
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
            let id = id.filter(|&id| !pieces[id as usize].added);
            id.ok_or_else(|| {
                format!("merge {rank} (`{left}` + `{right}`) needs `{piece}`, which is no piece")
            })
        };
        let product = find(&format!("{left}{right}"))?;
        merges.push(Merge { left: find(left)?, right: find(right)?, product });
    }
    Ok(merges)
}
