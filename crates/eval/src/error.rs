//! Why an evaluation cannot be done.

use std::fmt::Write;
use std::path::PathBuf;

use crate::{ItemProblem, LineProblem};

/// Problems of a file that are shown before the rest is only counted.
const SHOWN: usize = 10;

/// Why an evaluation cannot be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvalError {
    /// A file of items cannot be read.
    #[error("cannot read the items in {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Lines of a file of items are wrong; all of them are named.
    #[error("{} of {} cannot be used:{}", lines(problems.len()), path.display(), list(problems))]
    Lines {
        /// The file.
        path: PathBuf,
        /// Every line that is wrong.
        problems: Vec<LineProblem>,
    },
    /// A file without a single item.
    #[error("{} holds no items; it needs one JSON object per line", path.display())]
    NoItems {
        /// The file.
        path: PathBuf,
    },
    /// An item that was not read from a file is wrong.
    #[error("item `{item}` of benchmark `{benchmark}` cannot be used: {problem}")]
    Item {
        /// Name of the benchmark.
        benchmark: String,
        /// The item's id.
        item: String,
        /// What is wrong with it.
        problem: ItemProblem,
    },
    /// Two items of a benchmark have the same id, in different files.
    #[error(
        "benchmark `{benchmark}` has two items `{item}`; give the benchmarks of your own files \
         names of their own"
    )]
    DuplicateItem {
        /// Name of the benchmark.
        benchmark: String,
        /// The id.
        item: String,
    },
    /// No layers can be left out as asked, or there is nothing to score without them.
    #[error(
        "scores without {counts:?} of {depth} layers cannot be taken: leave out at least 1 and at \
         most {depth}, and have a benchmark with options"
    )]
    NothingToSkip {
        /// How many consecutive layers were to be left out.
        counts: Vec<usize>,
        /// Layers of the model.
        depth: usize,
    },
    /// The configuration is not the one the model was built from.
    #[error("the configuration given is not the one that the model was built from")]
    Config,
    /// The tokenizer knows more ids than the model.
    #[error(
        "the {what} has {found} entries but the model's vocabulary only {vocabulary}: use the \
         one that the model was trained with"
    )]
    Vocabulary {
        /// What does not fit the model: the tokenizer or a shard.
        what: &'static str,
        /// Its number of entries.
        found: usize,
        /// The model's.
        vocabulary: usize,
    },
    /// The model's loss is not a number.
    #[error(
        "the model's loss on {what} is not finite; its training has diverged or its weights \
         are damaged"
    )]
    NotFinite {
        /// The text it was scored on.
        what: String,
    },
    /// The byte lengths of tokens are of another tokenizer.
    #[error(
        "there are byte lengths for {found} tokens but the shard's vocabulary has \
         {vocabulary}: take the `token_bytes.json` beside the shard"
    )]
    TokenBytes {
        /// How many lengths there are.
        found: usize,
        /// The shard's vocabulary.
        vocabulary: usize,
    },
    /// A shard holds a token that its header excludes.
    #[error(
        "the shard holds the token {token} in a vocabulary of {vocabulary}: the file is damaged, \
         make it again"
    )]
    Token {
        /// The token.
        token: u32,
        /// The shard's vocabulary.
        vocabulary: usize,
    },
    /// A shard whose tokens stand for no text.
    #[error("the shard's {tokens} tokens stand for no text, so there are no bytes to divide by")]
    NoText {
        /// Tokens in the shard.
        tokens: u64,
    },
}

fn lines(count: usize) -> String {
    if count == 1 { "one line".to_owned() } else { format!("{count} lines") }
}

fn list(problems: &[LineProblem]) -> String {
    let mut text = String::new();
    for LineProblem { line, problem } in problems.iter().take(SHOWN) {
        // Writing to a string cannot fail.
        let _ = write!(text, "\n  line {line}: {problem}");
    }
    if problems.len() > SHOWN {
        let _ = write!(text, "\n  and {} more", problems.len() - SHOWN);
    }
    text
}
