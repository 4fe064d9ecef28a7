//! The paper's own effect beside a claim, and how much of it may be noise.

use std::collections::BTreeMap;

use super::evidence::{Compared, Evidence, Piece};
use super::metric::plain;
use super::{ClaimRow, Expectation};
use crate::analysis::{Analysis, Measure, end_against_middle};
use crate::number::{fixed, signed};
use crate::paper::{Element, Paper, PaperRow};

/// How figures that leave out layers name their axis, and the series of single ones.
const LEFT_OUT: &str = "First layer left out";
const SINGLE: &str = "1 layer";

/// A value of the paper, with its interval where its rows give one.
type Value = (f64, Option<(f64, f64)>);

/// The paper's side of a claim.
#[derive(Debug, Default)]
pub(super) struct Side {
    /// `Table 1`.
    pub(super) element: Option<String>,
    /// A value for each test; empty where there are none.
    pub(super) values: Vec<Option<Value>>,
    pub(super) remarks: Vec<String>,
}

/// The paper's side of a claim. The element is the one that the source names, or the one that the study mirrors where no source is written.
pub(super) fn beside(
    analysis: &Analysis<'_>,
    paper: &Paper,
    claim: &ClaimRow,
    evidence: &Evidence,
) -> Side {
    let mirrored = paper.main_beside(analysis).map(|beside| beside.element);
    let named = |source: &str| {
        source.split([',', ';', '(', ')']).find_map(|part| paper.element(part.trim()))
    };
    let element =
        if claim.source.trim().is_empty() { mirrored } else { named(claim.source.as_str()) };
    let Some(element) = element else { return Side::default() };
    let mut side = Side { element: Some(element.place.clone()), ..Side::default() };
    let values = match &claim.expectation {
        Expectation::Order(_) | Expectation::Gains { .. } | Expectation::Equal { .. } => {
            differences(analysis, paper, element, claim, evidence)
        }
        Expectation::Layers { first, count } => layers(element, evidence.measure, *first, *count)
            .map(|value| vec![Some((value, None))])
            .ok_or_else(|| format!("{} leaves out no layers for this metric", element.place)),
        Expectation::Trend { size, .. } | Expectation::Unrelated { size, .. } => {
            correlation(analysis, element, size, evidence)
                .map(|value| vec![Some(value)])
                .ok_or_else(|| format!("{} has no {size} beside this metric", element.place))
        }
    };
    match values {
        Ok(values) => side.values = values,
        Err(why) => side.remarks.push(format!("No effect of the paper: {why}.")),
    }
    side.remarks.extend(noise(analysis, paper, element, claim, evidence, &side.values));
    side
}

/// The value of a row under a measure.
fn value(analysis: &Analysis<'_>, row: &PaperRow, measure: Measure) -> Option<f64> {
    match measure {
        Measure::Average => row.average,
        Measure::Benchmark(b) => {
            let name = plain(&analysis.benchmarks[b].name);
            row.values.iter().find(|(key, _)| plain(key) == name).map(|(_, value)| *value)
        }
        Measure::Bits(_) | Measure::MeanBits => None,
    }
}

/// The difference of the paper's rows for every pair.
fn differences(
    analysis: &Analysis<'_>,
    paper: &Paper,
    element: &Element,
    claim: &ClaimRow,
    evidence: &Evidence,
) -> Result<Vec<Option<Value>>, String> {
    let rows: Vec<&PaperRow> = if claim.paper.is_empty() {
        paper.lined_up(element, analysis, &evidence.variants).ok_or_else(|| {
            format!("its rows in {} do not correspond to these variants", element.place)
        })?
    } else {
        let row = |label: &String| {
            element.row(label).ok_or_else(|| {
                let all = element.rows.iter().chain(&element.context);
                let labels: Vec<&str> = all.map(|row| row.label.as_str()).collect();
                format!(
                    "{} has no row `{label}`; its rows are {}",
                    element.place,
                    labels.join(", ")
                )
            })
        };
        claim.paper.iter().map(row).collect::<Result<_, _>>()?
    };
    let values: Vec<f64> = rows
        .iter()
        .map(|row| value(analysis, row, evidence.measure))
        .collect::<Option<_>>()
        .ok_or_else(|| format!("{} does not report this metric", element.place))?;
    let of = |variant: usize| evidence.variants.iter().position(|v| *v == variant);
    let value = |piece: &Piece| {
        let terms = piece.terms.iter();
        let sum = terms.map(|(v, times)| Some(times * values[of(*v)?])).sum::<Option<f64>>()?;
        Some((sum, None))
    };
    Ok(evidence.pieces.iter().map(value).collect())
}

/// The same contrast over the models of a figure that leaves out single layers: the mean over the panels
/// whose depth is known and that show every layer in question.
fn layers(element: &Element, measure: Measure, first: bool, count: u64) -> Option<f64> {
    if measure != Measure::Average || element.average.is_none() {
        return None;
    }
    let values: Vec<f64> = element
        .panels
        .iter()
        .filter(|panel| panel.x.title == LEFT_OUT)
        .filter_map(|panel| {
            let single = panel.series.iter().find(|series| series.label == SINGLE)?;
            let scores: BTreeMap<u64, f64> =
                element.points(single).into_iter().map(|(x, y)| (x as u64, y)).collect();
            end_against_middle(&scores, panel.depth?, first, count)
        })
        .collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The rank correlation over the paper's rows, with its 95% interval.
fn correlation(
    analysis: &Analysis<'_>,
    element: &Element,
    size: &str,
    evidence: &Evidence,
) -> Option<Value> {
    // Tables call the rate by its full name.
    let keys: &[&str] = if size == "rate" { &["rate", "expansion"] } else { &[size] };
    let (x, y): (Vec<f64>, Vec<f64>) = element
        .rows
        .iter()
        .filter_map(|row| {
            let of_size = keys.iter().find_map(|key| row.values.get(*key))?;
            Some((*of_size, value(analysis, row, evidence.measure)?))
        })
        .unzip();
    let found = ablate_stats::spearman(&x, &y).ok()?;
    Some((found.value, Some((found.low, found.high))))
}

/// Where the paper's effect is within its own noise, or outside of what the claim takes for none.
fn noise(
    analysis: &Analysis<'_>,
    paper: &Paper,
    element: &Element,
    claim: &ClaimRow,
    evidence: &Evidence,
    values: &[Option<Value>],
) -> Vec<String> {
    let mut remarks = Vec::new();
    let noise = &paper.noise;
    let error = match evidence.measure {
        Measure::Average if element.average.as_ref() == Some(&noise.average) => {
            Some(noise.sampling_error)
        }
        Measure::Benchmark(b) => noise.of_task(&plain(&analysis.benchmarks[b].name)),
        _ => None,
    };
    let effects = || values.iter().flatten().map(|value| value.0);
    let differences = evidence
        .pieces
        .iter()
        .all(|piece| matches!(piece.compared, Compared::Variants | Compared::Gains));
    if let Some(error) = error.filter(|_| differences) {
        // A difference of differences varies as one difference does, twice.
        let noise_of =
            |compared| if compared == Compared::Gains { 2f64.sqrt() * error } else { error };
        let small: Vec<String> = evidence
            .pieces
            .iter()
            .zip(values)
            .filter_map(|(piece, value)| Some((piece.compared, (*value)?.0)))
            .filter(|(compared, effect)| effect.abs() < 2.0 * noise_of(*compared))
            .map(|(_, effect)| signed(effect, 2))
            .collect();
        if !small.is_empty() {
            let what = if evidence.measure == Measure::Average { "average" } else { "score" };
            let gains = if evidence.pieces.iter().any(|piece| piece.compared == Compared::Gains) {
                ", √2 times that for a difference of gains"
            } else {
                ""
            };
            remarks.push(format!(
                "Within the paper's own noise: {} {} below two standard errors of its {what} ({} points each{gains}, from its numbers of items); it has {} seed{} and no error bars, and {} differ by {} points.",
                small.join(", "),
                if small.len() == 1 { "is" } else { "are" },
                fixed(error, 1),
                noise.seeds,
                if noise.seeds == 1 { "" } else { "s" },
                noise.equals.what,
                fixed(noise.equals.difference, 2),
            ));
        }
    }
    if let Some(within) = claim.expectation.within() {
        let large: Vec<String> =
            effects().filter(|e| e.abs() > within).map(|e| signed(e, 2)).collect();
        if !large.is_empty() {
            remarks.push(format!(
                "The paper's own {} {} beyond the tolerance of {within}.",
                large.join(", "),
                if large.len() == 1 { "is" } else { "are" },
            ));
        }
    }
    remarks
}
