//! Models of others that were scored beside the variants.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Params;

/// A model that was given, not trained here. Its scores are rows of their own with its name and
/// seed 0: it has no seeds, so nothing is paired with it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ExternalRow {
    /// Unique slug.
    pub name: String,
    /// Name for people; falls back to the slug when empty.
    pub label: String,
    /// The paper's row that is the same model, where one is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paper: Option<String>,
    /// What is known of it; none where its files are not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shape: Option<ExternalShape>,
    /// Bytes of held-out text per token, by language.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub bytes_per_token: BTreeMap<String, f64>,
    /// Why it has no scores, and what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub absent: Option<String>,
}

/// The sizes of a given model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExternalShape {
    /// Parameter counts.
    pub params: Params,
    /// Decoder layers.
    pub depth: u64,
    /// Hidden channels.
    pub width: u64,
    /// Attention heads.
    pub heads: u64,
    /// Key and value heads.
    pub kv_heads: u64,
    /// Channels inside the feed-forward block.
    pub ffn: u64,
    /// Rows of its embedding.
    pub vocabulary: u64,
    /// Context in tokens.
    pub context: u64,
}

impl ExternalShape {
    /// Embedding and head over all parameters, a fraction of 1.
    pub fn share(&self) -> f64 {
        (self.params.embedding + self.params.head) as f64 / self.params.total as f64
    }
}

impl ExternalRow {
    /// The label, or the name where there is none.
    pub fn title(&self) -> &str {
        if self.label.trim().is_empty() { &self.name } else { &self.label }
    }
}
