//! Tokenizers on the text of a study.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A tokenizer of the study, on the study's text.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TokenizerRow {
    /// Its name, unique in the study.
    pub name: String,
    /// The variants that use it; none uses one that is only compacted.
    pub variants: Vec<String>,
    /// Entries.
    pub vocabulary: u64,
    /// Name of the tokenizer that it was compacted from.
    pub larger: Option<String>,
    /// Share of the larger one's tokens that are kept entries, a fraction of 1.
    pub coverage: Option<f64>,
    /// The fewest of its most frequent entries that cover more than 90% of its tokens.
    pub needed: Option<u64>,
    /// Tokens of the training text.
    pub tokens: u64,
    /// Bytes of held-out text per token, by language.
    pub bytes_per_token: BTreeMap<String, f64>,
    /// What encoding changes in a text.
    pub changes: Option<String>,
}
