//! Models of other makers: their weights, their tokenizer, and how their texts begin and end.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use ablate_gguf::{Gguf, Value as GgufValue};
use ablate_model::{Foreign, ModelConfig, Weights, read_gguf, read_hugging_face, read_llama2c};
use ablate_tokenizer::Tokenizer;
use serde_json::Value;

use crate::exit::CommandError;

/// A model that can be asked something.
pub struct OpenModel {
    pub config: ModelConfig,
    pub weights: Weights,
    /// It starts texts with what the model's texts start with, where that is anything.
    pub tokenizer: Tokenizer,
    /// What its maker puts before every text.
    pub begin: Option<u32>,
    /// What stands for a text that is empty, as in lm-evaluation-harness: the token for the beginning
    /// of texts, whether it is put there or not, else one that ends them.
    pub empty: u32,
    /// What ends a text that it writes.
    pub ends: Vec<u32>,
    /// What is not as its maker has it, for people.
    pub notes: Vec<String>,
}

/// How texts of a model begin and end.
#[derive(Debug, Default, PartialEq)]
struct Ends {
    begin: Option<u32>,
    /// The token for the beginning, whether it is put there or not.
    beginning: Option<u32>,
    /// The token that the tokenizer calls the end.
    end: Option<u32>,
    ends: BTreeSet<u32>,
}

/// Opens a model: a folder of Hugging Face, a `.gguf` file or a `.bin` of llama2.c. Its tokenizer is
/// the given file, or what lies beside the model or in it.
///
/// # Errors
/// A file that is missing, damaged or of a kind that is not read; a tokenizer that is not the model's.
pub fn open_model(path: &Path, tokenizer: Option<&Path>) -> Result<OpenModel, CommandError> {
    let Read { model, gguf } = read(path)?;
    let found = match tokenizer {
        Some(file) => file.to_owned(),
        None => tokenizer_of(path, &model.config)?,
    };
    let file = found.as_path();
    let tokenizer = Tokenizer::load(file).map_err(CommandError::usage)?;
    let Foreign { config, weights, notes } = model;
    check_vocabulary(file, tokenizer.vocabulary(), config.shape.vocabulary)?;
    let mut text = ends(path, gguf.as_ref(), &tokenizer)?;
    if text.ends.is_empty() {
        text.ends.insert(tokenizer.end_of_text());
    }
    let known = |id: &u32| (*id as usize) < tokenizer.vocabulary();
    let begin = text.begin.filter(known);
    let mut empty = [begin, text.beginning, text.end].into_iter().flatten().filter(known);
    let empty = empty.next().unwrap_or_else(|| tokenizer.end_of_text());
    let ends = text.ends.into_iter().filter(known).collect();
    let tokenizer = match begin {
        Some(begin) => tokenizer.starting_with(begin),
        None => tokenizer,
    };
    Ok(OpenModel { config, weights, tokenizer, begin, empty, ends, notes })
}

/// How texts of a model begin and end, as its files say.
fn ends(path: &Path, gguf: Option<&Gguf>, tokenizer: &Tokenizer) -> Result<Ends, CommandError> {
    Ok(match gguf {
        Some(gguf) => of_gguf(gguf),
        None if path.is_dir() => of_folder(path, tokenizer)?,
        // Beginning and end of text of SentencePiece; either ends one.
        None => Ends { begin: Some(1), beginning: Some(1), end: Some(2), ends: [1, 2].into() },
    })
}

/// What a model's maker puts before every text, with this tokenizer's file.
///
/// # Errors
/// Files that cannot be read.
pub fn begin(path: &Path, tokenizer: &Path) -> Result<Option<u32>, CommandError> {
    let tokenizer = Tokenizer::load(tokenizer).map_err(CommandError::usage)?;
    let is_gguf = path.extension().is_some_and(|end| end == "gguf") && !path.is_dir();
    let gguf = is_gguf.then(|| Gguf::read(path).map_err(CommandError::usage)).transpose()?;
    let begin = ends(path, gguf.as_ref(), &tokenizer)?.begin;
    Ok(begin.filter(|id| (*id as usize) < tokenizer.vocabulary()))
}

/// A model's files, read.
pub struct Read {
    pub model: Foreign,
    /// The file, where it is a GGUF file.
    gguf: Option<Gguf>,
}

/// Reads a model without its tokenizer.
///
/// # Errors
/// As [`open_model`].
pub fn read(path: &Path) -> Result<Read, CommandError> {
    let extension = path.extension().and_then(|extension| extension.to_str());
    match extension {
        _ if path.is_dir() => {
            let model = read_hugging_face(path).map_err(CommandError::usage)?;
            Ok(Read { model, gguf: None })
        }
        Some("gguf") => {
            let named = |error| CommandError::usage(format!("`{}`: {error}", path.display()));
            let file = Gguf::read(path).map_err(named)?;
            let model = read_gguf(path, &file).map_err(CommandError::usage)?;
            Ok(Read { model, gguf: Some(file) })
        }
        Some("bin") => {
            let (config, weights) = read_llama2c(path).map_err(CommandError::usage)?;
            Ok(Read { model: Foreign { config, weights, notes: Vec::new() }, gguf: None })
        }
        _ => {
            let what = if path.exists() { "is no model" } else { "does not exist" };
            Err(CommandError::usage(format!(
                "`{}` {what}; a model is a folder with `config.json` and `model.safetensors`, a \
                 `.gguf` file or a `.bin` of llama2.c",
                path.display()
            )))
        }
    }
}

/// What a model is; its weights are read and checked as well.
///
/// # Errors
/// As [`open_model`].
pub fn look(path: &Path) -> Result<ModelConfig, CommandError> {
    read(path).map(|read| read.model.config)
}

/// The blake3 of a model's file, or of the names and contents of the files of a folder that its
/// weights and its configuration come from.
///
/// # Errors
/// Files that cannot be read.
pub fn content(path: &Path) -> Result<String, CommandError> {
    let fault = |error: std::io::Error| {
        CommandError::usage(format!("cannot read `{}`: {error}", path.display()))
    };
    let mut files = vec![path.to_owned()];
    if path.is_dir() {
        let entries = fs::read_dir(path).map_err(fault)?;
        files = entries
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<_, _>>()
            .map_err(fault)?;
        files.retain(|file| {
            let name = file.file_name().map(|name| name.to_string_lossy().into_owned());
            name.is_some_and(|name| name == "config.json" || name.contains(".safetensors"))
        });
        files.sort();
    }
    let mut hasher = blake3::Hasher::new();
    for file in files {
        let mut of_file = blake3::Hasher::new();
        fs::File::open(&file)
            .and_then(|file| of_file.update_reader(file).map(|_| ()))
            .map_err(fault)?;
        if path.is_dir() {
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            hasher.update(name.as_bytes());
        }
        hasher.update(of_file.finalize().as_bytes());
    }
    Ok(hasher.finalize().to_hex().to_string())
}

/// The tokenizer's file of a model: in its folder, in its GGUF file, or beside its `.bin`
/// (`tokenizer.bin`, or `tok512.bin` for a vocabulary of 512).
///
/// # Errors
/// When there is none.
pub fn tokenizer_of(path: &Path, config: &ModelConfig) -> Result<PathBuf, CommandError> {
    let found = match path.extension().and_then(|extension| extension.to_str()) {
        _ if path.is_dir() => Tokenizer::find(path),
        Some("bin") => {
            let own = path.with_file_name(format!("tok{}.bin", config.shape.vocabulary));
            if own.exists() { own } else { path.with_file_name("tokenizer.bin") }
        }
        _ => path.to_owned(),
    };
    if found.exists() {
        return Ok(found);
    }
    Err(CommandError::usage(format!(
        "there is no tokenizer `{}`; put it there, or name one with `--tokenizer FILE`",
        found.display()
    )))
}

/// A model may have rows that no piece needs, to a round number; a tokenizer may not have pieces that
/// the model does not know, nor be another's by its size.
///
/// # Errors
/// Sizes that do not go together.
pub fn check_vocabulary(file: &Path, pieces: usize, rows: usize) -> Result<(), CommandError> {
    // Qwen2's are the most that are known, by share: 271 of 151,936, or 2% in small ones.
    let spare = (rows / 50).max(64);
    if pieces <= rows && rows - pieces <= spare {
        return Ok(());
    }
    Err(CommandError::usage(format!(
        "the tokenizer `{}` has {pieces} pieces, but the model a vocabulary of {rows}: it is \
         another model's; name the model's own with `--tokenizer FILE`",
        file.display()
    )))
}

/// What a GGUF file says, and llama.cpp's own choice where it says nothing.
fn of_gguf(file: &Gguf) -> Ends {
    let value = |key: &str| file.value(&format!("tokenizer.ggml.{key}"));
    let id = |key: &str| value(key).and_then(GgufValue::size).and_then(|id| u32::try_from(id).ok());
    let text = |key: &str| value(key).and_then(GgufValue::text);
    let adds = value("add_bos_token").and_then(GgufValue::flag).unwrap_or_else(|| {
        text("model") == Some("llama") || matches!(text("pre"), Some("llama-bpe" | "llama3"))
    });
    Ends {
        begin: id("bos_token_id").filter(|_| adds),
        beginning: id("bos_token_id"),
        end: id("eos_token_id"),
        ends: [id("eos_token_id"), id("eot_token_id")].into_iter().flatten().collect(),
    }
}

/// What the files of a folder say: `tokenizer_config.json` and the post-processor of
/// `tokenizer.json` of the beginning, `generation_config.json` and `config.json` of the end.
fn of_folder(folder: &Path, tokenizer: &Tokenizer) -> Result<Ends, CommandError> {
    let read = |name: &str| -> Result<Value, CommandError> {
        let path = folder.join(name);
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| {
                CommandError::usage(format!("`{}` is no JSON: {error}", path.display()))
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Value::Null),
            Err(error) => {
                Err(CommandError::usage(format!("cannot read `{}`: {error}", path.display())))
            }
        }
    };
    let settings = read("tokenizer_config.json")?;
    let named = |key: &str| {
        let name = match &settings[key] {
            Value::String(name) => Some(name.as_str()),
            other => other["content"].as_str(),
        };
        name.and_then(|name| tokenizer.id(name))
    };
    let template = || -> Result<Option<u32>, CommandError> {
        let json = read("tokenizer.json")?;
        Ok(first_special(&json["post_processor"]).and_then(|name| tokenizer.id(name)))
    };
    let begin = match settings["add_bos_token"].as_bool() {
        Some(true) => named("bos_token"),
        Some(false) => None,
        // Slow tokenizers of SentencePiece add it unless told otherwise.
        None if tokenizer.file_name() == "tokenizer.model" => {
            named("bos_token").or_else(|| tokenizer.id("<s>"))
        }
        None => template()?,
    };
    let mut ends = BTreeSet::new();
    for file in ["generation_config.json", "config.json"] {
        let json = read(file)?;
        let ids = match &json["eos_token_id"] {
            Value::Array(ids) => ids.iter().filter_map(Value::as_u64).collect(),
            one => Vec::from_iter(one.as_u64()),
        };
        ends.extend(ids.into_iter().filter_map(|id| u32::try_from(id).ok()));
    }
    let end = named("eos_token");
    ends.extend(end);
    Ok(Ends { begin, beginning: named("bos_token"), end, ends })
}

/// The special token that a post-processor puts before a single text.
fn first_special(processor: &Value) -> Option<&str> {
    match processor["type"].as_str()? {
        "TemplateProcessing" => processor["single"][0]["SpecialToken"]["id"].as_str(),
        "Sequence" => processor["processors"].as_array()?.iter().find_map(first_special),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
