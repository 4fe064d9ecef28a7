//! Byte lengths of token ids, kept beside shards for bits per byte.

use std::path::Path;

use crate::CorpusError;

/// Number of text bytes that every token id stands for, indexed by id; special tokens have 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenBytes(pub Vec<u32>);

impl TokenBytes {
    /// File name beside the shards.
    pub const FILE: &'static str = "token_bytes.json";

    /// Text bytes that `tokens` stand for. An id outside the table counts as 0.
    pub fn of(&self, tokens: &[u32]) -> u64 {
        let bytes = |&token: &u32| self.0.get(token as usize).copied().unwrap_or(0);
        tokens.iter().map(|token| u64::from(bytes(token))).sum()
    }

    /// Reads a table written by [`TokenBytes::save`].
    ///
    /// # Errors
    /// A missing file, or one that is no list of lengths.
    pub fn load(path: &Path) -> Result<Self, CorpusError> {
        let text = std::fs::read_to_string(path).map_err(CorpusError::io(path))?;
        serde_json::from_str(&text).map(Self).map_err(|error| CorpusError::BadTokenBytes {
            path: path.to_owned(),
            reason: error.to_string(),
        })
    }

    /// Writes the table as a JSON list.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), CorpusError> {
        let mut text = serde_json::json!(self.0).to_string();
        text.push('\n');
        std::fs::write(path, text).map_err(CorpusError::io(path))
    }
}
