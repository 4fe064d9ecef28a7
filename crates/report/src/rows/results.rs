//! The results that rows were read from: what they are, what of, and who made them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A result of the store, without its content.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResultRecord {
    /// Kind of work, such as `train`.
    pub stage: String,
    /// Name for people.
    pub name: String,
    /// Identity, 64 hexadecimal digits.
    pub key: String,
    /// Version of the stage's recipe.
    pub version: u32,
    /// blake3 of the recipe's canonical bytes.
    pub recipe: String,
    /// Keys of the inputs by role.
    pub inputs: BTreeMap<String, String>,
    /// blake3 of the names and checksums of its files.
    pub content: String,
    /// Version and commit of the program that made it; empty where the record does not say.
    pub program: String,
    /// The machine that made it; empty where the record does not say.
    pub host: String,
    /// What computed it; empty where nothing is computed with tensors.
    pub backend: String,
    /// When it was finished.
    pub finished: String,
}

impl ResultRecord {
    /// The first digits of its key, as in the names of the store's folders.
    pub fn short(&self) -> &str {
        self.key.get(..12).unwrap_or(&self.key)
    }
}

/// The results behind the rows of a variant with a seed, by their keys. They are known from the study
/// file alone, whether they are finished or not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Variant name.
    pub variant: String,
    /// Seed.
    pub seed: u64,
    /// Its trainings, round by round.
    pub train: Vec<String>,
    /// Its evaluation.
    pub eval: String,
}
