//! A byte-level BPE trained on the beginning of the training text, or the user's own tokenizer.

use std::path::Path;

use ablate_corpus::TokenBytes;
use ablate_pipeline::{Context, Failure};
use ablate_tokenizer::Tokenizer;
use serde::{Deserialize, Serialize};

use super::{bug, documents, input, machine, outside, recipe, write_json};

pub const STAGE: &str = "tokenizer";
pub const VERSION: u32 = 1;

/// What encoding changes in a text; only where something does.
pub const CHANGES: &str = "changes.json";
/// Bytes of text that every id stands for.
pub const TOKEN_BYTES: &str = "token_bytes.json";

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Recipe {
    /// Trained on so many bytes of the corpus.
    Train { vocabulary: usize, bytes: u64 },
    /// The user's file, by its content.
    File { content: String },
}

/// Key of the path of the user's file in a node's execution.
pub const PATH: &str = "path";

pub fn make(context: &Context<'_>) -> Result<bool, Failure> {
    let tokenizer = match recipe(context)? {
        Recipe::Train { vocabulary, bytes } => train(context, vocabulary, bytes)?,
        Recipe::File { content } => {
            let path = context.task.execution.get(PATH).and_then(|path| path.as_str());
            let path = path.ok_or_else(|| bug("no path of the tokenizer"))?.to_owned();
            let tokenizer = Tokenizer::load(path.as_ref()).map_err(input)?;
            outside::unchanged([(&path, &content)])?;
            tokenizer
        }
    };
    save(context, &tokenizer)?;
    Ok(true)
}

fn train(context: &Context<'_>, vocabulary: usize, bytes: u64) -> Result<Tokenizer, Failure> {
    let mut sample = Vec::new();
    let mut read = 0;
    for document in documents::read(&context.input("corpus")?.join(documents::TRAINING))? {
        let document = document?;
        read += document.text.len() as u64;
        sample.push(document.text);
        if read >= bytes {
            break;
        }
    }
    context.progress(0, 0, format!("learning {vocabulary} pieces from {read} bytes"));
    Tokenizer::train(sample.iter().map(String::as_str), vocabulary).map_err(input)
}

/// Loads the tokenizer of a folder of the store.
///
/// # Errors
/// When there is none.
pub fn open(folder: &Path) -> Result<Tokenizer, Failure> {
    Tokenizer::load(&Tokenizer::find(folder)).map_err(machine)
}

/// Writes a tokenizer as the kind of file that it is.
///
/// # Errors
/// When there is no space.
pub fn save(context: &Context<'_>, tokenizer: &Tokenizer) -> Result<(), Failure> {
    tokenizer.save(&context.directory.join(tokenizer.file_name())).map_err(machine)?;
    if let Some(changes) = tokenizer.changes() {
        write_json(&context.directory.join(CHANGES), &changes)?;
    }
    let bytes = TokenBytes(tokenizer.token_bytes());
    bytes.save(&context.directory.join(TOKEN_BYTES)).map_err(machine)
}
