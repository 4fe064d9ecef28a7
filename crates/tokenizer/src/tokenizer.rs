//! The tokenizer: encode, decode, load, save.

use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde_json::Value;

use crate::definition::Definition;
use crate::encode::Encoder;
use crate::format::{Format, NAMES, TIKTOKEN};
use crate::{TokenizerError, train};

/// The document separator, the only special token of tokenizers that are trained here.
pub const END_OF_TEXT: &str = "<|endoftext|>";

/// A BPE tokenizer.
pub struct Tokenizer {
    pub(crate) definition: Definition,
    /// What it is written as.
    pub(crate) format: Format,
    encoder: Encoder,
    /// What precedes a text, where that is not the document separator.
    start: Option<u32>,
}

impl std::fmt::Debug for Tokenizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokenizer").field("vocabulary", &self.vocabulary()).finish_non_exhaustive()
    }
}

impl Tokenizer {
    /// Trains a tokenizer of exactly `vocabulary` entries: `<|endoftext|>` with id 0, the 256
    /// bytes, and pieces made by merges in the order of their training. The same texts give the
    /// same tokenizer, whatever the number of threads.
    ///
    /// # Errors
    /// A vocabulary below 257; texts that do not give so many pieces (a pair must occur at least
    /// twice to become one).
    pub fn train<'a>(
        texts: impl Iterator<Item = &'a str>,
        vocabulary: usize,
    ) -> Result<Self, TokenizerError> {
        Self::from_json(train::train(texts, vocabulary)?).map_err(TokenizerError::Definition)
    }

    /// Loads a tokenizer. The name of the file says of which kind it is: `.model` of
    /// SentencePiece (BPE), `.bin` of llama2.c, `.gguf` of llama.cpp, `.tiktoken` of Qwen, anything else a
    /// `tokenizer.json` of Hugging Face's `tokenizers` (byte-level BPE, or SentencePiece-style with
    /// byte fallback).
    ///
    /// # Errors
    /// A missing or broken file; a tokenizer of another kind, or one that would lose text.
    pub fn load(path: &Path) -> Result<Self, TokenizerError> {
        let bad = |reason: String| TokenizerError::BadFile { path: path.to_owned(), reason };
        Format::of(path, read(path)?).and_then(Self::of).map_err(bad)
    }

    /// Loads the `tokenizer.bin` of llama2.c, whatever its name. Its end of text is the piece that
    /// starts a text (id 1), which is what separates documents there.
    ///
    /// # Errors
    /// A missing or broken file.
    pub fn from_llama2c(path: &Path) -> Result<Self, TokenizerError> {
        let bad = |reason: String| TokenizerError::BadFile { path: path.to_owned(), reason };
        Self::of(Format::Llama2c(read(path)?)).map_err(bad)
    }

    /// The tokenizer's file in a folder: the first of `tokenizer.json`, `tokenizer.model`,
    /// `tokenizer.bin` and `qwen.tiktoken` that is there, else the path of the first.
    pub fn find(folder: &Path) -> PathBuf {
        let mut names = NAMES.into_iter().chain([TIKTOKEN]);
        let found = names.find(|name| folder.join(name).exists());
        folder.join(found.unwrap_or(NAMES[0]))
    }

    /// The name that [`Tokenizer::find`] looks for: the kind of file that it came from.
    pub fn file_name(&self) -> &'static str {
        self.format.name()
    }

    /// Writes the kind of file that the tokenizer came from; a `tokenizer.json` where it was
    /// trained here. Python's `tokenizers` or `sentencepiece` load it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), TokenizerError> {
        std::fs::write(path, self.format.bytes())
            .map_err(|source| TokenizerError::Io { path: path.to_owned(), source })
    }

    pub(crate) fn from_json(json: Value) -> Result<Self, String> {
        Self::of(Format::HuggingFace(json))
    }

    pub(crate) fn of(mut format: Format) -> Result<Self, String> {
        let definition = format.read()?;
        if let Format::HuggingFace(json) = &mut format {
            // Both would change what a text encodes to, and belong to a model rather than to text.
            json["truncation"] = Value::Null;
            json["padding"] = Value::Null;
        }
        let encoder = Encoder::new(&definition, &format)?;
        Ok(Self { definition, format, encoder, start: None })
    }

    /// Token ids of a text. Characters that spell a special token are text like any other, so
    /// that no text can end its own document; other added tokens of a loaded file are found.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        self.encoder.encode(text)
    }

    /// Encodes texts in parallel, in their order.
    pub fn encode_batch(&self, texts: &[&str]) -> Vec<Vec<u32>> {
        texts.par_iter().map(|text| self.encode(text)).collect()
    }

    /// The text of token ids. Special tokens stand for no text; an id outside the vocabulary,
    /// and bytes that are no UTF-8 (tokens cut inside a character), become U+FFFD. Where every
    /// text starts with a space that is not its own, a first space is left out.
    pub fn decode(&self, ids: &[u32]) -> String {
        let mut bytes = self.decode_bytes(ids);
        if self.definition.prefix() && bytes.first() == Some(&b' ') {
            bytes.remove(0);
        }
        match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        }
    }

    /// The bytes of token ids, exactly; an id outside the vocabulary becomes those of U+FFFD.
    pub fn decode_bytes(&self, ids: &[u32]) -> Vec<u8> {
        let unknown = "\u{fffd}".as_bytes();
        let bytes = |&id: &u32| {
            let piece = self.definition.pieces.get(id as usize);
            piece.map_or(unknown, |piece| piece.bytes.as_slice())
        };
        ids.iter().flat_map(bytes).copied().collect()
    }

    /// Entries of the vocabulary.
    pub fn vocabulary(&self) -> usize {
        self.definition.pieces.len()
    }

    /// Id of the document separator; 0 unless the tokenizer was loaded from elsewhere.
    pub fn end_of_text(&self) -> u32 {
        self.definition.end_of_text
    }

    /// Id of what precedes a text: the document separator, as in models that are trained here, unless
    /// [`Tokenizer::starting_with`] says otherwise.
    pub fn start_of_text(&self) -> u32 {
        self.start.unwrap_or(self.definition.end_of_text)
    }

    /// The same tokenizer for a model whose texts start with another token than the document
    /// separator, such as `<s>`.
    #[must_use]
    pub fn starting_with(self, start: u32) -> Self {
        Self { start: Some(start), ..self }
    }

    /// Id of a piece by what is written in the tokenizer's file.
    pub fn id(&self, piece: &str) -> Option<u32> {
        let at = self.definition.pieces.iter().position(|known| known.written == piece)?;
        u32::try_from(at).ok()
    }

    /// Bytes of text that each id stands for; 0 for special tokens.
    pub fn token_bytes(&self) -> Vec<u32> {
        self.definition.pieces.iter().map(|piece| piece.bytes.len() as u32).collect()
    }

    /// What encoding changes in a text, so that another comes back: none for a tokenizer that
    /// keeps every byte.
    pub fn changes(&self) -> Option<&str> {
        self.definition.changes.as_deref()
    }

    /// A piece as it is written in the tokenizer's file, or none outside the vocabulary.
    pub fn piece(&self, id: u32) -> Option<&str> {
        self.definition.pieces.get(id as usize).map(|piece| piece.written.as_str())
    }
}

fn read(path: &Path) -> Result<Vec<u8>, TokenizerError> {
    std::fs::read(path).map_err(|source| TokenizerError::Io { path: path.to_owned(), source })
}

/// Bytes of text per token: the mean over all `texts` together, end tokens not counted. 0 for
/// texts without tokens.
pub fn bytes_per_token(tokenizer: &Tokenizer, texts: &[&str]) -> f64 {
    let tokens: usize = tokenizer.encode_batch(texts).iter().map(Vec::len).sum();
    let bytes: usize = texts.iter().map(|text| text.len()).sum();
    if tokens == 0 { 0.0 } else { bytes as f64 / tokens as f64 }
}
