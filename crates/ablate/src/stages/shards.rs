//! A corpus as tokens.

use std::collections::BTreeMap;
use std::path::Path;

use ablate_corpus::{Document, Shard, ShardInfo, ShardWriter};
use ablate_pipeline::{Context, Failure, write_atomic};
use ablate_tokenizer::{Frequencies, Tokenizer};
use serde::{Deserialize, Serialize};

use super::{bug, corpus, documents, machine, read_json, recipe, tokenizer, write_json};

pub const STAGE: &str = "shards";
pub const VERSION: u32 = 1;

#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Recipe {
    /// Whether nothing but the held-out text is encoded: enough for a model that is not trained.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub held_out: bool,
}

/// Training tokens.
pub const TRAINING: &str = "train.shard";
/// Occurrences of every id in the training tokens: counted once, for every tokenizer that is
/// compacted from this one.
const COUNTS: &str = "counts.json";
/// Counts of all shards.
pub const SUMMARY: &str = "shards.json";

/// Documents that are encoded together.
const PORTION: usize = 1024;

/// File of the held-out tokens of a language.
pub fn validation(language: &str) -> String {
    format!("validation-{language}.shard")
}

/// Counts of all shards of a corpus.
#[derive(Debug, Serialize, Deserialize)]
pub struct Summary {
    pub training: ShardInfo,
    pub validation: BTreeMap<String, ShardInfo>,
}

impl Summary {
    /// Bytes of text per token of held-out text, by language.
    pub fn bytes_per_token(&self) -> BTreeMap<String, f64> {
        let ratio = |info: &ShardInfo| info.bytes as f64 / info.tokens as f64;
        self.validation.iter().map(|(language, info)| (language.clone(), ratio(info))).collect()
    }
}

pub fn make(context: &Context<'_>) -> Result<bool, Failure> {
    let corpus = context.input("corpus")?;
    let folder = context.input("tokenizer")?;
    let tokenizer = tokenizer::open(folder)?;
    let about: corpus::Summary = read_json(&corpus.join(corpus::SUMMARY))?;
    let encode = |from: String, to: String, total: u64| {
        encode(context, &tokenizer, &corpus.join(from), &context.directory.join(to), total)
    };
    let held_out = recipe::<Recipe>(context)?.held_out;
    let training = if held_out {
        ShardInfo { tokens: 0, documents: 0, bytes: 0, vocabulary: tokenizer.vocabulary() }
    } else {
        let encoded = encode(documents::TRAINING.to_owned(), TRAINING.to_owned(), about.bytes)?;
        let Some(training) = encoded else { return Ok(false) };
        training
    };
    let mut summary = Summary { training, validation: BTreeMap::new() };
    for (language, bytes) in &about.validation_bytes {
        let Some(info) = encode(documents::validation(language), validation(language), *bytes)?
        else {
            return Ok(false);
        };
        summary.validation.insert(language.clone(), info);
    }
    if !held_out {
        context.progress(0, 0, "counting");
        let shard = Shard::open(&context.directory.join(TRAINING)).map_err(machine)?;
        let counts = serde_json::to_vec(&shard.token_counts().map_err(machine)?).map_err(bug)?;
        write_atomic(&context.directory.join(COUNTS), &counts).map_err(machine)?;
    }
    write_json(&context.directory.join(SUMMARY), &summary)?;
    Ok(true)
}

/// How often every id occurs in the training tokens of a folder.
///
/// # Errors
/// A damaged folder.
pub fn frequencies(folder: &Path) -> Result<Frequencies, Failure> {
    let path = folder.join(COUNTS);
    if path.exists() {
        return read_json(&path).map(Frequencies);
    }
    // Shards that were made before counts were kept beside them.
    let shard = Shard::open(&folder.join(TRAINING)).map_err(machine)?;
    shard.token_counts().map(Frequencies).map_err(machine)
}

/// Encodes a file of documents; `None` when asked to stop.
fn encode(
    context: &Context<'_>,
    tokenizer: &Tokenizer,
    from: &Path,
    to: &Path,
    total: u64,
) -> Result<Option<ShardInfo>, Failure> {
    let mut shard = ShardWriter::create(to, tokenizer.vocabulary()).map_err(machine)?;
    let mut documents = documents::read(from)?;
    let mut done = 0;
    loop {
        let portion: Vec<Document> =
            documents.by_ref().take(PORTION).collect::<Result<_, Failure>>()?;
        if portion.is_empty() {
            break;
        }
        let texts: Vec<&str> = portion.iter().map(|document| document.text.as_str()).collect();
        for (mut tokens, text) in tokenizer.encode_batch(&texts).into_iter().zip(&texts) {
            tokens.push(tokenizer.end_of_text());
            shard.push(&tokens, text.len() as u64).map_err(machine)?;
            done += text.len() as u64;
        }
        context.progress(done, total, "encoding");
        if context.stopping() {
            return Ok(None);
        }
    }
    shard.finish().map(Some).map_err(machine)
}

/// Opens the held-out shards of a folder, in the order of their languages.
pub fn open_validation(folder: &Path) -> Result<Vec<(String, Shard)>, Failure> {
    let summary: Summary = read_json(&folder.join(SUMMARY))?;
    summary
        .validation
        .keys()
        .map(|language| {
            let shard = Shard::open(&folder.join(validation(language))).map_err(machine)?;
            Ok((language.clone(), shard))
        })
        .collect()
}
