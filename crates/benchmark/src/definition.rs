//! A benchmark as its file describes it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};
use toml::Spanned;

use crate::template::{Path, Template};

/// Where a benchmark's files lie, how they are read, and what a model is asked.
#[derive(Clone, Debug)]
pub struct Definition {
    /// Its name in `eval.benchmarks` and on the command line.
    pub name: String,
    /// The blake3 of its text.
    pub digest: String,
    /// What people call it.
    pub title: String,
    /// One or two sentences: what is asked, where the files come from.
    pub about: String,
    /// Name of the task in lm-evaluation-harness's results, of a record.
    pub task: Template,
    /// The split that is scored where a prompt names none.
    pub split: String,
    /// How the scores of subjects become one.
    pub aggregation: Aggregation,
    /// Folders that may hold the files, among those of other benchmarks.
    pub folders: Vec<String>,
    /// Files of records.
    pub files: Vec<FileRule>,
    /// How they are read.
    pub reader: Reader,
    /// Fields made of others, in this order.
    pub fields: Vec<(String, Template)>,
    /// What an item is called; `None` numbers them.
    pub id: Option<Template>,
    /// What items share that are drawn together, such as a passage: those with the same text are dependent,
    /// those with an empty one are not. `None` leaves it to the subjects.
    pub cluster: Option<Template>,
    /// Where the right answer stands.
    pub answer: Option<Answer>,
    /// Names of subjects, as prompts call them.
    pub subjects: Map<String, Value>,
    /// What a model is asked; the first that fits an item and a scoring holds.
    pub prompts: Vec<Prompt>,
}

/// How the scores of subjects become one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Aggregation {
    /// Every item counts the same.
    #[default]
    Items,
    /// Every subject counts the same.
    Subjects,
}

/// Files of one split.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileRule {
    /// `test`, `dev`, ...
    pub split: String,
    /// The end of the files' paths; `{subject}` stands for any name.
    pub path: String,
    /// A file with one label per line, beside.
    pub labels: Option<String>,
    /// The subject, where the path does not say it.
    pub subject: Option<String>,
}

/// How a file becomes records.
#[derive(Clone, Debug)]
pub enum Reader {
    /// A table; the columns of one without a header.
    Csv {
        /// Names of the columns, of a table without a header.
        columns: Option<Vec<String>>,
    },
    /// One object per line.
    Jsonl,
    /// One document.
    Json {
        /// Where its list of records lies.
        records: Path,
        /// A list inside each whose elements are the records; what they lie in is their `outer`.
        each: Option<Path>,
    },
}

/// Where the right answer stands.
#[derive(Clone, Debug)]
pub struct Answer {
    /// What the record says: a text, or a list where several are right.
    pub key: Template,
    /// What it says for each option, in their order.
    pub values: Values,
    /// Whether a text of several letters names several options.
    pub letters: bool,
    /// Whether there may be none: such items are kept and not asked.
    pub optional: bool,
}

/// One template for each, or one for a whole list.
#[derive(Clone, Debug)]
pub enum Values {
    /// Written one by one.
    Each(Vec<Template>),
    /// Elements of a list of the record, and how each is written (as `it`).
    Of(Template, Option<Template>),
}

/// How a prompt's answers are scored.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Deserialize, serde::Serialize, Hash, PartialOrd, Ord,
)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// The whole prompt with each option: the lowest mean loss per token wins.
    Ppl,
    /// The likelihood of each option after the context.
    Continuation,
    /// Text is generated and compared.
    Generate,
}

impl Way {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ppl => "ppl",
            Self::Continuation => "continuation",
            Self::Generate => "generate",
        }
    }
}

/// What a model is asked.
#[derive(Clone, Debug)]
pub struct Prompt {
    /// How it is scored.
    pub scoring: Way,
    /// Language code.
    pub language: String,
    /// The subjects it is for; all where there are none.
    pub subjects: Vec<String>,
    /// The split that is scored.
    pub split: String,
    /// What stands before everything, examples included.
    pub description: Template,
    /// The text before the option, or one for each option.
    pub contexts: Vec<Template>,
    /// The options; `None` to generate.
    pub options: Option<Values>,
    /// What stands between context and option.
    pub delimiter: String,
    /// What stands after the option, where the whole prompt is scored.
    pub after: String,
    /// The context of the options' likelihoods without the question (`acc_mutual_info`).
    pub unconditional: Option<String>,
    /// Examples.
    pub shots: Shots,
    /// What a generated text is compared with.
    pub reference: Option<Template>,
    /// What ends a generation.
    pub until: Vec<String>,
    /// Longest generation in tokens; `None` leaves it to the study.
    pub max_tokens: Option<usize>,
    /// The headline; `None` is the scoring's own.
    pub metric: Option<String>,
}

/// Solved examples before a question.
#[derive(Clone, Debug)]
pub struct Shots {
    /// How many, unless asked otherwise.
    pub count: usize,
    /// The split that they are the first of, within the subject.
    pub from: Option<String>,
    /// What follows each of them.
    pub between: String,
}

/// A definition as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Raw {
    pub(crate) name: String,
    pub(crate) title: Option<String>,
    #[serde(default)]
    pub(crate) about: String,
    pub(crate) task: Option<Spanned<String>>,
    pub(crate) split: Option<String>,
    #[serde(default)]
    pub(crate) aggregation: Aggregation,
    #[serde(default)]
    pub(crate) folders: Vec<String>,
    pub(crate) files: Vec<FileRule>,
    pub(crate) reader: Spanned<RawReader>,
    #[serde(default)]
    pub(crate) fields: BTreeMap<String, Spanned<String>>,
    pub(crate) id: Option<Spanned<String>>,
    pub(crate) cluster: Option<Spanned<String>>,
    pub(crate) answer: Option<Spanned<RawAnswer>>,
    #[serde(default)]
    pub(crate) subjects: Map<String, Value>,
    pub(crate) prompt: Vec<Spanned<RawPrompt>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawReader {
    pub(crate) format: Format,
    pub(crate) header: Option<bool>,
    pub(crate) columns: Option<Vec<String>>,
    pub(crate) records: Option<Spanned<String>>,
    pub(crate) each: Option<Spanned<String>>,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Format {
    Csv,
    Jsonl,
    Json,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawAnswer {
    pub(crate) key: Spanned<String>,
    pub(crate) values: Option<Vec<Spanned<String>>>,
    pub(crate) values_of: Option<Spanned<String>>,
    pub(crate) value: Option<Spanned<String>>,
    #[serde(default)]
    pub(crate) letters: bool,
    #[serde(default)]
    pub(crate) optional: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawPrompt {
    pub(crate) scoring: Way,
    pub(crate) language: String,
    #[serde(default)]
    pub(crate) subjects: Vec<String>,
    pub(crate) split: Option<String>,
    pub(crate) description: Option<Spanned<String>>,
    pub(crate) context: Option<Spanned<String>>,
    pub(crate) contexts: Option<Vec<Spanned<String>>>,
    pub(crate) options: Option<Vec<Spanned<String>>>,
    pub(crate) options_of: Option<Spanned<String>>,
    pub(crate) option: Option<Spanned<String>>,
    pub(crate) delimiter: Option<String>,
    pub(crate) after: Option<String>,
    pub(crate) unconditional: Option<String>,
    pub(crate) shots: Option<usize>,
    pub(crate) shots_from: Option<String>,
    pub(crate) between: Option<String>,
    pub(crate) reference: Option<Spanned<String>>,
    pub(crate) until: Option<Vec<String>>,
    pub(crate) max_tokens: Option<usize>,
    pub(crate) metric: Option<Spanned<String>>,
}
