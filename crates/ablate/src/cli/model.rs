//! Single models: `eval`, `generate` and `export`.

use std::path::PathBuf;

use ablate_model::Backend;
use clap::{Args, ValueEnum};

use super::StudyArgs;

/// Which model.
#[derive(Debug, Args)]
pub struct ModelArgs {
    /// A folder of Hugging Face (LLaMA, Mistral, Qwen2), a `.gguf` file or a `.bin` of llama2.c
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

    /// Items, as for `eval.files` of a study (can be repeated)
    #[arg(long, value_name = "FILE", required = true)]
    pub items: Vec<PathBuf>,

    /// The metric that counts
    #[arg(long, value_name = "NAME", default_value = "continuation")]
    pub scoring: Scoring,

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
