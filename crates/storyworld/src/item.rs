//! Benchmark items and the list of benchmarks.

use serde::{Deserialize, Serialize};

use crate::Language;

/// One benchmark item. The full prompt of option `i` is `context + options[i]`.
#[derive(Serialize, Deserialize, Clone, PartialEq, Debug)]
pub struct Item {
    /// Unique within its benchmark: `boolq-0007`.
    pub id: String,
    /// The benchmark's name.
    pub benchmark: String,
    /// The language of prompt and options.
    pub language: Language,
    /// Everything before the answer.
    pub context: String,
    /// The possible continuations, all distinct; empty for generation.
    pub options: Vec<String>,
    /// The position of the right option; `None` for generation.
    pub key: Option<usize>,
    /// The gold text of a generation item, without leading space; `None` for choices.
    pub reference: Option<String>,
}

/// The paper's groups of benchmarks.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// Four-choice exams.
    Examination,
    /// World knowledge and what a passage says.
    Knowledge,
    /// Entailment, plausibility, continuation.
    Reasoning,
    /// Sentiment, dialogue, summary.
    Understanding,
}

/// How a benchmark is answered.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// One of this many options.
    Choice(usize),
    /// Free text, scored against a reference.
    Generation,
}

/// What a benchmark is.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct BenchmarkInfo {
    /// The name that [`World::benchmark`](crate::World::benchmark) takes.
    pub name: &'static str,
    /// The language of its items.
    pub language: Language,
    /// Its family.
    pub family: Family,
    /// The benchmark of the paper that it mirrors.
    pub mirrors: &'static str,
    /// Choice or generation.
    pub task: Task,
    /// The most distinct items that can be drawn.
    pub max_items: usize,
}

impl BenchmarkInfo {
    /// The score of a uniform guess; 0 for generation.
    #[must_use]
    pub fn chance(&self) -> f64 {
        match self.task {
            Task::Choice(options) => 1.0 / options as f64,
            Task::Generation => 0.0,
        }
    }
}

/// The most items of every benchmark.
const MOST: usize = 1000;

const fn info(
    name: &'static str,
    language: Language,
    family: Family,
    mirrors: &'static str,
    task: Task,
) -> BenchmarkInfo {
    BenchmarkInfo { name, language, family, mirrors, task, max_items: MOST }
}

static BENCHMARKS: [BenchmarkInfo; 10] = [
    info("exam-zh", Language::Zh, Family::Examination, "C-Eval, CMMLU", Task::Choice(4)),
    info("exam-en", Language::En, Family::Examination, "MMLU", Task::Choice(4)),
    info("boolq", Language::En, Family::Knowledge, "BoolQ", Task::Choice(2)),
    info("axb", Language::En, Family::Reasoning, "AX-b", Task::Choice(2)),
    info("piqa", Language::En, Family::Reasoning, "PIQA", Task::Choice(2)),
    info("eprstmt", Language::Zh, Family::Understanding, "EPRSTMT", Task::Choice(2)),
    info("c3", Language::Zh, Family::Understanding, "C3", Task::Choice(4)),
    info("xsum", Language::En, Family::Understanding, "XSum", Task::Generation),
    info("hellaswag", Language::En, Family::Reasoning, "HellaSwag", Task::Choice(4)),
    info("arc-e", Language::En, Family::Knowledge, "ARC-Easy", Task::Choice(4)),
];

/// All benchmarks, in the order of the paper's tables.
#[must_use]
pub fn benchmarks() -> &'static [BenchmarkInfo] {
    &BENCHMARKS
}
