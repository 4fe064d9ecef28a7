//! What can go wrong with a tokenizer.

use std::path::PathBuf;

/// Why a tokenizer could not be trained, loaded or compacted.
#[derive(Debug, thiserror::Error)]
pub enum TokenizerError {
    /// A vocabulary without room for the pieces that every tokenizer needs.
    #[error(
        "a vocabulary of {asked} is too small: {special} special tokens and 256 byte pieces need at least {}",
        .special + 256
    )]
    VocabularyTooSmall {
        /// Entries asked for.
        asked: usize,
        /// Special tokens that are kept.
        special: usize,
    },
    /// A compacted vocabulary larger than its parent's.
    #[error("cannot compact a tokenizer of {parent} entries to {asked}: ask for at most {parent}")]
    VocabularyTooLarge {
        /// Entries asked for.
        asked: usize,
        /// Entries of the parent.
        parent: usize,
    },
    /// The training text has too few repeated pairs.
    #[error(
        "{bytes} bytes of text give a vocabulary of at most {possible} entries, not {asked}: \
         train on more text or ask for at most {possible}"
    )]
    NotEnoughText {
        /// Entries asked for.
        asked: usize,
        /// Entries that the text gives.
        possible: usize,
        /// Bytes of the text.
        bytes: u64,
    },
    /// More text than training can number.
    #[error(
        "the different words of the text have {bytes} bytes together, training takes at most \
         {most}: train on less text"
    )]
    TooManyWords {
        /// Bytes of the different words and a mark for each.
        bytes: u64,
        /// What is possible.
        most: u64,
    },
    /// Frequencies of another tokenizer.
    #[error(
        "frequencies of {frequencies} ids do not belong to a tokenizer of {vocabulary} entries"
    )]
    FrequenciesDoNotFit {
        /// Length of the frequencies.
        frequencies: usize,
        /// Entries of the tokenizer.
        vocabulary: usize,
    },
    /// An id outside the vocabulary that is counted.
    #[error(
        "token {token} is outside the vocabulary of {vocabulary}: the tokens come from another tokenizer"
    )]
    TokenOutOfRange {
        /// The id.
        token: u32,
        /// Entries of the vocabulary.
        vocabulary: usize,
    },
    /// The operating system refused a file.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// A file that cannot be used as a tokenizer.
    #[error("{}: {reason}", .path.display())]
    BadFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what would be right.
        reason: String,
    },
    /// A tokenizer definition that contradicts itself, or a refusal of the `tokenizers` crate.
    #[error("unusable tokenizer: {0}")]
    Definition(String),
}
