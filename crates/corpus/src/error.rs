//! Everything that can go wrong between a text file and a batch of tokens.

use std::path::{Path, PathBuf};

/// Why text could not be read or tokens could not be stored.
#[derive(Debug, thiserror::Error)]
pub enum CorpusError {
    /// A source names no path at all.
    #[error("a source lists no files: give at least one path or glob pattern")]
    NoPaths,
    /// A glob pattern cannot be parsed.
    #[error("`{pattern}` is not a glob pattern: {reason}")]
    BadPattern {
        /// The pattern as written.
        pattern: String,
        /// What the parser says.
        reason: String,
    },
    /// A pattern or path matches nothing.
    #[error("no file matches `{pattern}` in {}: check the spelling and the folder", place(.directory))]
    NoMatch {
        /// The pattern as written.
        pattern: String,
        /// The directory that relative patterns start from.
        directory: PathBuf,
    },
    /// A file's extension names no known format.
    #[error(
        "{}: unknown extension; text is read from .txt and .jsonl (also .gz or .zst) and .parquet",
        .path.display()
    )]
    UnknownFormat {
        /// The file.
        path: PathBuf,
    },
    /// The operating system refused a file or a folder.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// A compressed stream is broken or cut short.
    #[error(
        "{}: broken after line {line} of its text ({reason}); fetch or compress the file again",
        .path.display()
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Lines that could be read.
        line: u64,
        /// What the decoder says.
        reason: String,
    },
    /// Text is not UTF-8.
    #[error(
        "{}: invalid UTF-8 at byte {offset} of the text (line {line}); convert the file to UTF-8",
        .path.display()
    )]
    InvalidUtf8 {
        /// The file.
        path: PathBuf,
        /// Offset of the first bad byte in the (decompressed) text, from 0.
        offset: u64,
        /// Line, from 1.
        line: u64,
    },
    /// A document is larger than what is held in memory.
    #[error(
        "{}: a document or line of more than {limit} bytes around line {line}; split the file, or read it by paragraph",
        .path.display()
    )]
    TooLong {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// The limit, in bytes.
        limit: usize,
    },
    /// A line of a jsonl file is no object with a text field.
    #[error("{}: line {line}: {reason}", .path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// A parquet file is broken or lacks the text column.
    #[error("{}: row {row}: {reason}", .path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// Rows read before, over all row groups.
        row: u64,
        /// What is wrong.
        reason: String,
    },
    /// No document is left after cleaning.
    #[error("no text in {what}: every document is empty")]
    Empty {
        /// The files or the corpus.
        what: String,
    },
    /// A language has too little text to set some of it apart.
    #[error(
        "{bytes} bytes of `{language}` text in {documents} different documents are too few to hold out {asked} bytes (at most half): \
         add text, lower `corpus.validation_bytes`, or cut files by paragraph"
    )]
    TooLittleToHoldOut {
        /// The language.
        language: String,
        /// Bytes of its text.
        bytes: u64,
        /// Different documents.
        documents: u64,
        /// Bytes to hold out.
        asked: u64,
    },
    /// A weight is zero, negative or no number.
    #[error("source `{name}` has weight {weight}, but a weight must be above 0")]
    BadWeight {
        /// The source.
        name: String,
        /// Its weight.
        weight: f64,
    },
    /// A token id does not fit the vocabulary of a shard.
    #[error("{}: token {token} of document {document} is outside the vocabulary of {vocabulary}", .path.display())]
    TokenOutOfRange {
        /// The shard.
        path: PathBuf,
        /// The id.
        token: u32,
        /// Document, from 0.
        document: u64,
        /// Entries of the vocabulary.
        vocabulary: usize,
    },
    /// A vocabulary larger than any shard may have.
    #[error("{}: a vocabulary of {vocabulary} is above the largest of {largest}", .path.display())]
    VocabularyTooLarge {
        /// The shard.
        path: PathBuf,
        /// Entries asked for.
        vocabulary: usize,
        /// The limit.
        largest: usize,
    },
    /// A document without tokens was pushed.
    #[error("{}: document {document} has no tokens; leave it out", .path.display())]
    EmptyDocument {
        /// The shard.
        path: PathBuf,
        /// Document, from 0.
        document: u64,
    },
    /// A file is no shard, or a damaged one.
    #[error("{}: not a usable token shard ({reason}); delete it and run again", .path.display())]
    BadShard {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// `token_bytes.json` is damaged.
    #[error("{}: not a list of token lengths ({reason}); delete it and run again", .path.display())]
    BadTokenBytes {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

impl CorpusError {
    /// Turns an I/O error into one that names the file.
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }
}

/// A directory as people read it.
fn place(directory: &Path) -> String {
    match directory.as_os_str().is_empty() {
        true => "the current folder".to_owned(),
        false => directory.display().to_string(),
    }
}
