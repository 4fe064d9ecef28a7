//! Single models: `eval`, `generate` and `export`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use ablate_model::Backend;
use clap::{Args, ValueEnum};

use super::StudyArgs;
use crate::stages::eval::BATCH_TOKENS;

/// Which model.
#[derive(Debug, Args)]
pub struct ModelArgs {
    /// A folder of Hugging Face (LLaMA, Mistral, Qwen, Qwen2), a `.gguf` file or a `.bin` of llama2.c
    #[arg(value_name = "MODEL")]
    pub model: PathBuf,

    /// The tokenizer's file, where it does not lie beside the model or in it
    #[arg(long, value_name = "FILE")]
    pub tokenizer: Option<PathBuf>,

    /// What computes: `flex`, or what else the program was built with
    #[arg(long, env = "ABLATE_BACKEND", default_value_t = Backend::Flex, value_name = "NAME")]
    pub backend: Backend,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// What makes an option the chosen one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scoring {
    /// The mean loss of the whole prompt with the option.
    Ppl,
    /// The likelihood of the option after the context.
    Continuation,
}

impl From<Scoring> for ablate_eval::Scoring {
    fn from(scoring: Scoring) -> Self {
        match scoring {
            Scoring::Ppl => Self::Ppl,
            Scoring::Continuation => Self::Continuation,
        }
    }
}

/// Arguments of `eval`.
#[derive(Debug, Args)]
pub struct EvalArgs {
    #[command(flatten)]
    pub model: ModelArgs,

    /// Imported benchmarks, with commas between them
    #[arg(long, value_name = "NAME,...", value_delimiter = ',', required_unless_present = "items")]
    pub benchmarks: Vec<String>,

    /// Items, as for `eval.files` of a study (can be repeated)
    #[arg(long, value_name = "FILE", conflicts_with = "benchmarks")]
    pub items: Vec<PathBuf>,

    /// What makes an option the chosen one; of a benchmark, the prompt that was written for that
    #[arg(long, value_name = "NAME", default_value = "continuation")]
    pub scoring: Scoring,

    /// Solved examples before each question [default: the benchmark's own number]
    #[arg(long, value_name = "K", conflicts_with = "items")]
    pub shots: Option<usize>,

    /// Only items of this subject (can be repeated)
    #[arg(long, value_name = "NAME", conflicts_with = "items")]
    pub subject: Vec<String>,

    /// At most so many items of each benchmark, spread evenly over all of them
    #[arg(long, value_name = "N", conflicts_with = "items")]
    pub limit: Option<NonZeroUsize>,

    /// Write results and samples of lm-evaluation-harness's form, and rows, into a folder here
    #[arg(long, value_name = "DIR", conflicts_with = "items")]
    pub output: Option<PathBuf>,

    /// Begin every prompt as a study's: with what separates documents, where the model's maker puts
    /// nothing
    #[arg(long, conflicts_with = "items")]
    pub separator: bool,

    /// Tokens that are run together; time and memory depend on it, scores only by rounding
    #[arg(long, value_name = "N", default_value_t = BATCH_TOKENS)]
    pub batch_tokens: usize,

    /// Longest free-text answer, in tokens
    #[arg(long, value_name = "N", default_value_t = 32)]
    pub max_new_tokens: usize,
}

/// Arguments of `generate`.
#[derive(Debug, Args)]
pub struct GenerateArgs {
    #[command(flatten)]
    pub model: ModelArgs,

    /// The text to go on with [default: standard input]
    #[arg(long, value_name = "TEXT")]
    pub prompt: Option<String>,

    /// At most so many tokens
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub max_new_tokens: usize,
}

/// Arguments of `export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    #[command(flatten)]
    pub study: StudyArgs,

    /// Folder to write
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,

    /// Which variant, or parent [default: the only variant]
    #[arg(long, value_name = "NAME")]
    pub variant: Option<String>,

    /// Which of its seeds [default: the study's first]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,

    /// Replace what is in the folder
    #[arg(long)]
    pub force: bool,
}
