//! Models of other makers: files in, configuration and weights out.

mod gguf;
mod hugging_face;

use std::path::Path;

use crate::{ModelConfig, ModelError, Weights};

pub use gguf::read_gguf;
pub use hugging_face::read_hugging_face;

/// A model as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Foreign {
    /// What its decoder is built from.
    pub config: ModelConfig,
    /// Its weights, under Hugging Face's names and in their layout.
    pub weights: Weights,
    /// What of it is not as its maker has it, for people; none where everything is.
    pub notes: Vec<String>,
}

/// The longest context that is taken over: angles are computed for every position of it.
const LONGEST: usize = 1 << 17;

/// The largest size that a configuration is believed; no tensor of it would fit anywhere.
const LARGEST: u64 = 1 << 31;

impl Foreign {
    /// Checks a model whose configuration and weights come from files.
    fn checked(
        config: ModelConfig,
        weights: Weights,
        notes: Vec<String>,
    ) -> Result<Self, ModelError> {
        weights.check(&config)?;
        Ok(Self { config, weights, notes })
    }
}

/// The context that is taken over, and what is said of the rest. Up to a sliding window's length,
/// attention sees everything in it, as here.
fn context(stated: usize, window: Option<usize>, notes: &mut Vec<String>) -> usize {
    let mut context = stated;
    if let Some(window) = window.filter(|window| *window < context) {
        notes.push(format!(
            "its attention slides over {window} tokens, which is not computed here: its context is \
             taken for {window} tokens instead of {stated}, up to which there is no difference"
        ));
        context = window;
    }
    if context > LONGEST {
        notes.push(format!(
            "its context of {context} tokens is taken for {LONGEST}, the longest here"
        ));
        context = LONGEST;
    }
    context
}

/// An error of a file that says what is wrong.
fn wrong(path: &Path, reason: impl Into<String>) -> ModelError {
    ModelError::Foreign { path: path.to_owned(), reason: reason.into() }
}
