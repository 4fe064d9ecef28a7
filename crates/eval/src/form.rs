//! How an item of a published benchmark is asked and scored.

use serde::{Deserialize, Serialize};

use crate::Scoring;

/// What is known of an item of a published benchmark besides its texts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Form {
    /// The subject or passage that it shares with others: scores of such items go together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// A context for each option, in place of the one context.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contexts: Vec<String>,
    /// All right options, where there are several; choosing any of them is right.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<usize>,
    /// What each option begins with that only joins it to the context, and is no part of its length.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub delimiter: String,
    /// What each option ends with that is no part of its length.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub after: String,
    /// A context without the question, after which the options are scored once more: what a model
    /// would say anyway (`acc_mutual_info`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unconditional: Option<String>,
    /// Texts that end a generated answer; none means the end of the line.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub until: Vec<String>,
    /// Longest generated answer in tokens, in place of the evaluation's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<usize>,
    /// The scoring that the prompt was written for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scoring: Option<Scoring>,
    /// The headline, where it is not the scoring's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// Whether every subject counts the same, however many items it has.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub by_subject: bool,
}

impl Form {
    /// An option without what joins it to the context and what follows it.
    pub fn bare<'a>(&self, option: &'a str) -> &'a str {
        let option = option.strip_prefix(&self.delimiter).unwrap_or(option);
        option.strip_suffix(&self.after).unwrap_or(option)
    }
}
