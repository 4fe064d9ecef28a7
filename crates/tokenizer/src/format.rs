//! The kinds of files that hold a tokenizer. A tokenizer is written as what it was read from.

use std::path::Path;

use serde_json::Value;

use crate::definition::Definition;
use crate::{gguf, hugging_face, llama2c, sentencepiece, tiktoken};

/// What a tokenizer was read from.
#[derive(Clone)]
pub(crate) enum Format {
    /// `tokenizer.json` of Hugging Face.
    HuggingFace(Value),
    /// `.model` of SentencePiece.
    SentencePiece(Vec<u8>),
    /// `tokenizer.bin` of llama2.c.
    Llama2c(Vec<u8>),
}

/// Names of the files, by their format.
pub(crate) const NAMES: [&str; 3] = ["tokenizer.json", "tokenizer.model", "tokenizer.bin"];

/// The name of a file that is read, and written as the first of [`NAMES`].
pub(crate) const TIKTOKEN: &str = "qwen.tiktoken";

impl Format {
    /// The contents of a file, whose name says of which kind it is.
    pub(crate) fn of(path: &Path, bytes: Vec<u8>) -> Result<Self, String> {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("model") => Ok(Self::SentencePiece(bytes)),
            Some("bin") => Ok(Self::Llama2c(bytes)),
            // Written again as what it would have been before it was put into a GGUF file.
            Some("gguf") => gguf::format(bytes),
            Some("tiktoken") => tiktoken::format(&bytes).map(Self::HuggingFace),
            _ => serde_json::from_slice(&bytes)
                .map(Self::HuggingFace)
                .map_err(|error| format!("not a tokenizer.json: {error}")),
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::HuggingFace(_) => NAMES[0],
            Self::SentencePiece(_) => NAMES[1],
            Self::Llama2c(_) => NAMES[2],
        }
    }

    pub(crate) fn read(&self) -> Result<Definition, String> {
        match self {
            Self::HuggingFace(json) => hugging_face::read(json),
            Self::SentencePiece(file) => sentencepiece::read(file),
            Self::Llama2c(file) => llama2c::read(file),
        }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        match self {
            Self::HuggingFace(json) => format!("{json}\n").into_bytes(),
            Self::SentencePiece(file) | Self::Llama2c(file) => file.clone(),
        }
    }

    /// The same with only the pieces of `new_to_old`.
    pub(crate) fn keep(&self, definition: &Definition, new_to_old: &[u32]) -> Self {
        match self {
            Self::HuggingFace(json) => {
                Self::HuggingFace(hugging_face::keep(json, definition, new_to_old))
            }
            Self::SentencePiece(file) => Self::SentencePiece(sentencepiece::keep(file, new_to_old)),
            Self::Llama2c(file) => Self::Llama2c(llama2c::keep(file, new_to_old)),
        }
    }
}
