//! Tokenizers in GGUF files: lists of pieces with types, and merges (`gpt2`) or scores (`llama`).
//!
//! They become the file that they were converted from: `gpt2` a `tokenizer.json`, `llama` a `.model`
//! of SentencePiece.

use ablate_gguf::{Gguf, Value};
use serde_json::json;

use crate::format::Format;
use crate::words::{added, cutting};

const MODEL: &str = "tokenizer.ggml.model";
const PRE: &str = "tokenizer.ggml.pre";
const TOKENS: &str = "tokenizer.ggml.tokens";
const TYPES: &str = "tokenizer.ggml.token_type";
const SCORES: &str = "tokenizer.ggml.scores";
const MERGES: &str = "tokenizer.ggml.merges";

/// Types of pieces, with SentencePiece's numbers.
const NORMAL: i128 = 1;
const CONTROL: i128 = 3;
const USER_DEFINED: i128 = 4;

/// The tokenizer's file that a GGUF file was made of.
pub(crate) fn format(bytes: Vec<u8>) -> Result<Format, String> {
    let file = Gguf::parse(bytes).map_err(|error| error.to_string())?;
    let pieces = pieces(&file)?;
    match file.value(MODEL).and_then(Value::text) {
        Some("gpt2") => hugging_face(&file, &pieces).map(Format::HuggingFace),
        Some("llama") => sentencepiece(&file, &pieces).map(Format::SentencePiece),
        Some(other) => Err(format!(
            "its tokenizer is of the kind `{other}`; only `gpt2` (BPE of bytes) and `llama` \
             (SentencePiece) are read; give the tokenizer's own file instead"
        )),
        None => Err(format!("it holds no tokenizer (`{MODEL}`); give the tokenizer's own file")),
    }
}

/// Texts and types by id.
fn pieces(file: &Gguf) -> Result<Vec<(&str, i128)>, String> {
    let texts = list(file, TOKENS)?;
    let types = match file.value(TYPES) {
        Some(_) => list(file, TYPES)?,
        None => &[],
    };
    if !types.is_empty() && types.len() != texts.len() {
        let (types, texts) = (types.len(), texts.len());
        return Err(format!("it has {types} types for {texts} pieces: it is damaged"));
    }
    let piece = |(id, text): (usize, &'_ Value)| match (text, types.get(id)) {
        (Value::Text(_), Some(Value::Integer(kind))) => Ok((id, *kind)),
        (Value::Text(_), None) => Ok((id, NORMAL)),
        _ => Err(format!("piece {id} is no text, or its type no number: it is damaged")),
    };
    let found: Vec<(usize, i128)> =
        texts.iter().enumerate().map(piece).collect::<Result<_, String>>()?;
    Ok(found.into_iter().filter_map(|(id, kind)| Some((texts[id].text()?, kind))).collect())
}

fn list<'a>(file: &'a Gguf, key: &str) -> Result<&'a [Value], String> {
    let list = file.value(key).and_then(Value::list);
    list.ok_or_else(|| format!("its tokenizer has no list `{key}`"))
}

fn hugging_face(file: &Gguf, pieces: &[(&str, i128)]) -> Result<serde_json::Value, String> {
    let pre = file.value(PRE).and_then(Value::text);
    let cutting = pre.and_then(cutting).ok_or_else(|| {
        format!(
            "it cuts text as `{}` (`{PRE}`), which is not known here (`gpt-2`, `smollm`, \
             `starcoder`, `llama-bpe` and `qwen2` are); give the model's `tokenizer.json` instead",
            pre.unwrap_or("unnamed")
        )
    })?;
    let merges: Vec<&str> = list(file, MERGES)?
        .iter()
        .map(|merge| merge.text().ok_or("a merge is no text: it is damaged"))
        .collect::<Result<_, _>>()?;
    let is_added = |kind: i128| kind == CONTROL || kind == USER_DEFINED;
    // Those at the end are no words of the model; those before must be, to have their ids.
    let plain = pieces.iter().rposition(|(_, kind)| !is_added(*kind)).map_or(0, |last| last + 1);
    let mut vocabulary = serde_json::Map::new();
    let mut specials = Vec::new();
    for (id, (text, kind)) in pieces.iter().enumerate() {
        if id < plain && vocabulary.insert((*text).to_owned(), json!(id)).is_some() {
            return Err(format!("piece `{text}` is there twice"));
        }
        if is_added(*kind) {
            specials.push(added(id, text, *kind == CONTROL));
        }
    }
    Ok(cutting.file(specials, vocabulary, merges))
}

/// A `.model` of SentencePiece; field numbers as in [`crate::sentencepiece`].
fn sentencepiece(file: &Gguf, pieces: &[(&str, i128)]) -> Result<Vec<u8>, String> {
    let scores = list(file, SCORES)?;
    if scores.len() != pieces.len() {
        let (scores, pieces) = (scores.len(), pieces.len());
        return Err(format!("it has {scores} scores for {pieces} pieces: it is damaged"));
    }
    let mut model = Vec::new();
    for ((text, kind), score) in pieces.iter().zip(scores) {
        let score = score.number().ok_or_else(|| format!("the score of `{text}` is no number"))?;
        let kind = u64::try_from(*kind).map_err(|_| format!("the type of `{text}` is {kind}"))?;
        let mut piece = Vec::new();
        put_bytes(&mut piece, 1, text.as_bytes());
        piece.push(2 << 3 | 5);
        piece.extend((score as f32).to_le_bytes());
        put_number(&mut piece, 3, kind);
        put_bytes(&mut model, 1, &piece);
    }
    let id = |key: &str| file.value(&format!("tokenizer.ggml.{key}")).and_then(Value::size);
    let flag = |key: &str| file.value(&format!("tokenizer.ggml.{key}")).and_then(Value::flag);
    let mut trainer = Vec::new();
    put_number(&mut trainer, 3, 2);
    put_number(&mut trainer, 35, 1);
    for (key, number, name) in
        [("unknown_token_id", 40, 45), ("bos_token_id", 41, 46), ("eos_token_id", 42, 47)]
    {
        if let Some((id, (text, _))) = id(key).and_then(|id| Some((id, pieces.get(id)?))) {
            put_number(&mut trainer, number, id as u64);
            put_bytes(&mut trainer, name, text.as_bytes());
        }
    }
    put_bytes(&mut model, 2, &trainer);
    let mut normalizer = Vec::new();
    put_bytes(&mut normalizer, 1, b"identity");
    put_number(&mut normalizer, 3, flag("add_space_prefix").unwrap_or(true).into());
    put_number(&mut normalizer, 4, flag("remove_extra_whitespaces").unwrap_or(false).into());
    put_number(&mut normalizer, 5, 1);
    put_bytes(&mut model, 3, &normalizer);
    Ok(model)
}

/// Appends a field of protobuf that holds bytes.
fn put_bytes(message: &mut Vec<u8>, field: u64, bytes: &[u8]) {
    put_varint(message, field << 3 | 2);
    put_varint(message, bytes.len() as u64);
    message.extend_from_slice(bytes);
}

/// Appends a field of protobuf that holds a number.
fn put_number(message: &mut Vec<u8>, field: u64, number: u64) {
    put_varint(message, field << 3);
    put_varint(message, number);
}

fn put_varint(message: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        message.push(number as u8 | 0x80);
        number >>= 7;
    }
    message.push(number as u8);
}
