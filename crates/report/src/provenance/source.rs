//! What a cell was computed from, and how.

use crate::analysis::{Analysis, Measure};
use crate::number::MISSING;
use crate::table::{Cell, Table};

/// File stem of the numbers of the paper.
const PAPER: &str = "data/paper";

/// Rows of one file, and how they become a number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// How, in words.
    pub estimator: String,
    /// File of the rows without its ending, such as `scores`.
    pub file: String,
    /// Names of the variants whose rows they are; of a difference both, the first minus the second.
    pub variants: Vec<String>,
    /// Benchmark, language and metric of the rows of scores; empty where the file has no such columns.
    pub scores: Vec<(String, String, String)>,
}

impl Source {
    /// The mean of a measure over the seeds of a variant.
    pub(crate) fn mean(analysis: &Analysis<'_>, variant: usize, measure: Measure) -> Self {
        let mean = match measure {
            Measure::Average => "mean over seeds of the mean over benchmarks",
            Measure::MeanBits => "mean over seeds of the mean over languages",
            Measure::Benchmark(_) | Measure::Bits(_) => "mean over seeds",
        };
        Self {
            estimator: format!("{mean}; 95% interval over seeds (Student's t)"),
            file: "scores".to_string(),
            variants: vec![analysis.variants()[variant].name.clone()],
            scores: scores(analysis, measure),
        }
    }

    /// The difference of two variants in a measure.
    fn difference(analysis: &Analysis<'_>, pair: [usize; 2], measure: Measure) -> Self {
        Self {
            estimator: "difference, paired over seeds and, where the documents agree, over items"
                .to_string(),
            file: "scores".to_string(),
            variants: pair.map(|v| analysis.variants()[v].name.clone()).into(),
            scores: scores(analysis, measure),
        }
    }

    fn stored(file: &str, variants: Vec<String>) -> Self {
        let estimator = match file {
            PAPER => "as the paper prints it",
            _ => "as stored",
        };
        Self {
            estimator: estimator.to_string(),
            file: file.to_string(),
            variants,
            scores: Vec::new(),
        }
    }
}

/// The rows of scores that a measure is computed from.
fn scores(analysis: &Analysis<'_>, measure: Measure) -> Vec<(String, String, String)> {
    let benchmark =
        |b: &crate::analysis::Benchmark| (b.name.clone(), b.language.clone(), b.metric.clone());
    let text = |language: &String| {
        ("validation".to_string(), language.clone(), "bits_per_byte".to_string())
    };
    match measure {
        Measure::Average => analysis.benchmarks.iter().map(benchmark).collect(),
        Measure::Benchmark(b) => vec![benchmark(&analysis.benchmarks[b])],
        Measure::Bits(l) => vec![text(&analysis.languages[l])],
        Measure::MeanBits => analysis.languages.iter().map(text).collect(),
    }
}

/// Says of every cell that has something to say, and does not say so itself, what it was computed from:
/// by its table, its column and the variant of its row.
pub(crate) fn attribute(analysis: &Analysis<'_>, tables: &mut [Table]) {
    for table in tables {
        let titles: Vec<String> = table.columns.iter().map(|c| c.title.clone()).collect();
        let name = table.name.clone();
        let mut subject = None;
        for row in &mut table.rows {
            let Some(label) = row.cells.first().map(|cell| cell.text.clone()) else { continue };
            // Several lines of one variant carry its name once.
            if !label.is_empty() {
                subject = analysis.variants().iter().position(|v| v.title() == label);
            }
            let line: Vec<String> = row.cells.iter().map(|cell| cell.text.clone()).collect();
            for (cell, title) in row.cells.iter_mut().zip(&titles).skip(1) {
                if cell.source.is_none() && !cell.text.is_empty() && cell.text != MISSING {
                    let found = source(analysis, (&name, title), subject, &line, cell);
                    cell.source = Some(Box::new(found));
                }
            }
        }
    }
}

fn source(
    analysis: &Analysis<'_>,
    (table, column): (&str, &str),
    subject: Option<usize>,
    line: &[String],
    cell: &Cell,
) -> Source {
    let names = |indices: &[usize]| -> Vec<String> {
        indices.iter().map(|v| analysis.variants()[*v].name.clone()).collect()
    };
    let own: Vec<usize> = subject.into_iter().collect();
    let all: Vec<usize> = (0..analysis.variants().len()).collect();
    let title = |v: &usize| analysis.variants()[*v].title();
    // In the order in which they are named.
    let named = |text: &str| -> Vec<usize> {
        let mut found: Vec<(usize, usize)> =
            all.iter().filter_map(|v| Some((text.find(&format!("“{}”", title(v)))?, *v))).collect();
        found.sort_unstable();
        found.into_iter().map(|(_, v)| v).collect()
    };
    if column == "In the paper" || column.starts_with("Paper") {
        return Source::stored(PAPER, Vec::new());
    }
    if table.starts_with("paper") && subject.is_none() {
        return Source::stored(PAPER, Vec::new());
    }
    let headline = analysis.headline();
    if table == "claims" {
        let compared: Vec<usize> = line.iter().flat_map(|text| named(text)).collect();
        let of = if compared.is_empty() { &all } else { &compared };
        let mut source = Source::stored("scores", names(of));
        source.estimator = "test of the claim over seeds and, where the documents agree, over \
                            items; adjusted over the study's claims (Holm)"
            .to_string();
        source.scores = scores(analysis, headline);
        return source;
    }
    let differs = column.contains('Δ') || column.starts_with("Here, ");
    if let (true, Some(v)) = (differs && table != "progress", subject) {
        let beside = cell.note.as_deref().and_then(|note| note.rsplit_once(" beside "));
        let noted = beside.and_then(|(_, other)| all.iter().find(|v| title(v) == other)).copied();
        if let Some(other) = noted.or_else(|| analysis.reference(v)) {
            return Source::difference(analysis, [v, other], headline);
        }
    }
    let of = if own.is_empty() { &all } else { &own };
    let estimated = |file: &str, how: &str, of: &[usize]| {
        let stored = Source::stored(file, names(of));
        Source { estimator: how.to_string(), ..stored }
    };
    match (table, column) {
        ("benchmarks", title) => {
            let b = analysis.benchmarks.iter().position(|b| b.title() == title);
            let measure = b.map_or(Measure::Average, Measure::Benchmark);
            let mut found = Source::stored("scores", names(of));
            found.scores = scores(analysis, measure);
            found
        }
        ("correlations", _) => {
            let mut found = estimated("scores", "Spearman's rank correlation over variants", &all);
            found.scores = scores(analysis, headline);
            found
        }
        ("cost", "Speed") => estimated("curves", "median over the logged steps and the seeds", of),
        ("optimisation", "Steps" | "Training loss") => {
            estimated("curves", "mean over the last tenth of the steps and over seeds", of)
        }
        ("tokenizers", "Vocabulary" | "Embedding + head") => Source::stored("variants", names(of)),
        ("tokenizers", _) => Source::stored("tokenizers", names(of)),
        ("rounds", _) => Source::stored("rounds", names(of)),
        ("rounds-budget", "Visits of a batch") => {
            estimated("visits", "share of the batches, over all seeds", of)
        }
        ("forgetting", _) => {
            estimated("batch_losses", "over the batches of all seeds, 95% intervals", of)
        }
        ("progress", _) => estimated("progress", "mean over seeds at a point of the training", of),
        _ => Source::stored("variants", names(of)),
    }
}
