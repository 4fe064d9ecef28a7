//! A document and the description of where documents come from.

/// One document: the unit that is held out, mixed and closed by `<|endoftext|>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Cleaned text, never empty.
    pub text: String,
    /// Language tag of the source, such as `en` or `zh`.
    pub language: String,
}

/// Where a text file is cut into documents. Records of jsonl and parquet files are documents
/// whatever the split.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DocumentSplit {
    /// A file is one document.
    File,
    /// Blank lines part documents.
    #[default]
    Paragraph,
    /// Every line that is not blank is a document.
    Line,
}

/// Files of one language, read by their extensions: `.txt`, `.jsonl` (both also with `.gz` or
/// `.zst` behind) and `.parquet`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSource {
    /// Paths and glob patterns, relative to a base directory or absolute.
    pub paths: Vec<String>,
    /// Language tag that every document gets.
    pub language: String,
    /// Field of a JSON line, or column of a parquet file, that holds the text.
    pub text_field: String,
    /// How text files are cut.
    pub split: DocumentSplit,
}
