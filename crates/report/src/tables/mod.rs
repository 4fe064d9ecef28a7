//! The tables of a report, each built from the analysis as a [`Table`].

mod benchmarks;
mod beside;
mod claims;
mod correlations;
mod external;
mod forgetting;
mod main;
mod optimisation;
mod progress;
mod rounds;
mod study;
mod tokenizers;

pub(crate) use beside::{matched, of_paper};
pub(crate) use main::{main, short};
pub(crate) use tokenizers::tokenizers;

use polars::prelude::PolarsResult;

use crate::analysis::{Analysis, Difference, Measure, Verdict};
use crate::claims::JudgedClaim;
use crate::paper::Paper;
use crate::provenance::{self, Source};
use crate::table::{Cell, Mark, Table};

/// Every table that the rows have data for, the main one first.
pub(crate) fn all(
    analysis: &Analysis<'_>,
    paper: &Paper,
    judged: &[JudgedClaim],
) -> PolarsResult<Vec<Table>> {
    let mut tables = vec![main(analysis)];
    tables.extend(claims::claims(judged));
    tables.extend(beside::all(analysis, paper));
    tables.extend(benchmarks::benchmarks(analysis));
    tables.extend(correlations::correlations(analysis));
    tables.push(study::deltas(analysis));
    tables.push(study::parameters(analysis));
    tables.extend((analysis.data.tokenizers.len() > 1).then(|| tokenizers(analysis)));
    tables.push(study::cost(analysis)?);
    tables.extend(optimisation::optimisation(analysis));
    tables.extend(rounds::budget(analysis));
    tables.extend(rounds::ledger(analysis));
    tables.extend(forgetting::forgetting(analysis));
    tables.extend(progress::progress(analysis));
    provenance::attribute(analysis, &mut tables);
    Ok(tables)
}

/// A variant's name, with the reason as a note where it failed, with what it rests on where that was
/// accepted in the place of something else, and with what its masks came to where they missed their target.
fn name_cell(analysis: &Analysis<'_>, variant: usize) -> Cell {
    let notes = [analysis.failure(variant), analysis.accepted(variant), analysis.missed(variant)];
    let notes: Vec<String> = notes.into_iter().flatten().collect();
    let note = (!notes.is_empty()).then(|| notes.join(". "));
    Cell::text(analysis.variants()[variant].title()).note(note)
}

/// Mean and half-width over seeds; `failed` or `–` where there is none.
fn estimate_cell(analysis: &Analysis<'_>, variant: usize, measure: Measure) -> Cell {
    match analysis.estimate(variant, measure) {
        Some(found) => Cell::number(found.mean, measure.digits())
            .plus_minus(found.interval, measure.digits())
            .source(Source::mean(analysis, variant, measure)),
        None if !analysis.variants()[variant].failed.is_empty() => {
            let text = analysis.diverged(variant).unwrap_or_else(|| "failed".to_string());
            Cell { text, mark: Some(Mark::Failed), ..Cell::default() }
        }
        None => Cell::missing(),
    }
}

/// A difference with its interval, marked where it cannot be told from noise. With one seed the number stands alone.
fn difference_cell(found: Option<&Difference>, measure: Measure) -> Cell {
    let Some(found) = found else { return Cell::missing() };
    let cell = Cell::difference(found.mean, measure.digits()).note(found.note.clone());
    match found.verdict {
        Verdict::Untested => cell,
        Verdict::Indistinct => {
            cell.between(found.interval, measure.digits()).mark(Some(Mark::Indistinct))
        }
        Verdict::Better | Verdict::Worse => cell.between(found.interval, measure.digits()),
    }
}

/// What the intervals of a table are.
fn interval_note(analysis: &Analysis<'_>) -> String {
    match analysis.seeds().len() {
        0 if analysis.variants().is_empty() => "Nothing was trained: no intervals.".to_string(),
        0 => "No run finished.".to_string(),
        1 => "One seed: no intervals, and differences are not tested.".to_string(),
        n => format!("±: half-width of the 95% interval over {n} seeds (Student's t)."),
    }
}
