//! What results are known by: `why` and `diff`.

use clap::Args;

use super::StudyArgs;

/// Arguments of `why`.
#[derive(Debug, Args)]
pub struct WhyArgs {
    #[command(flatten)]
    pub study: StudyArgs,

    /// The stages of this variant only
    #[arg(value_name = "VARIANT")]
    pub variant: Option<String>,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `diff`.
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// A study file, or one of its variants as `FILE:VARIANT`
    #[arg(value_name = "A")]
    pub a: String,

    /// The same for the other side; `:VARIANT` is one of the same file
    #[arg(value_name = "B")]
    pub b: String,

    /// Profile of both study files
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
