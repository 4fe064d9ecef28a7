//! Batch size and learning rate, where they vary, with what came of the training: the numbers of the
//! paper's Figures 7 and 8.

use super::{estimate_cell, name_cell};
use crate::analysis::Analysis;
use crate::number::count;
use crate::rows::VariantRow;
use crate::table::{Cell, Column, Mark, Table};

/// Share of the training at its end whose losses are averaged.
const LATE: f64 = 0.1;

/// One row per variant, where batch size or learning rate is not the same for all.
pub(crate) fn optimisation(analysis: &Analysis<'_>) -> Option<Table> {
    let variants = analysis.variants();
    let varies = |of: fn(&VariantRow) -> f64| {
        let first = variants.first().map(of);
        variants.iter().any(|row| Some(of(row)) != first)
    };
    if !varies(|row| row.batch_tokens as f64) && !varies(|row| row.learning_rate) {
        return None;
    }
    let headline = analysis.headline();
    let (name, unit) = analysis.name_of(headline);
    let columns = vec![
        Column::text("Variant"),
        Column::number("Batch").unit("tokens"),
        Column::number("Peak learning rate"),
        Column::number("Steps"),
        Column::number("Training loss").unit("nats/token"),
        Column::number(name).unit(unit),
    ];
    let caption = "Batch size and learning rate of every variant, and what came of it.";
    let mut table = Table::new("optimisation", caption, columns);
    for (v, row) in variants.iter().enumerate() {
        let end = ending(analysis, row);
        table.push(vec![
            name_cell(analysis, v),
            Cell::written(row.batch_tokens as f64, count(row.batch_tokens as f64)),
            Cell::written(row.learning_rate, scientific(row.learning_rate)),
            match end {
                Some(Ending { steps, .. }) => Cell::written(steps as f64, steps.to_string()),
                None => Cell::missing(),
            },
            match (analysis.diverged(v).filter(|_| all_diverged(analysis, row)), end) {
                (Some(text), _) => Cell { text, mark: Some(Mark::Failed), ..Cell::default() },
                (None, Some(Ending { loss, .. })) => Cell::number(loss, 3),
                (None, None) => Cell::missing(),
            },
            estimate_cell(analysis, v, headline),
        ]);
    }
    table.note(
        "Training loss: mean over the last tenth of the steps and over the seeds that did not diverge.",
    );
    Some(table)
}

/// How the trainings of a variant ended.
#[derive(Clone, Copy)]
struct Ending {
    steps: u64,
    loss: f64,
}

/// Whether no seed was trained to its end.
fn all_diverged(analysis: &Analysis<'_>, row: &VariantRow) -> bool {
    row.diverged.len() >= analysis.data.study.seeds.len()
}

fn ending(analysis: &Analysis<'_>, row: &VariantRow) -> Option<Ending> {
    let steps = || {
        let own = analysis.data.curves.iter().filter(|point| point.variant == row.name);
        let whole = own.filter(|point| row.is_whole(point.seed, &analysis.data.study.seeds));
        whole.filter(|point| point.split == "train")
    };
    let last = steps().map(|point| point.step).max()?;
    let from = last as f64 * (1.0 - LATE);
    let late: Vec<f64> =
        steps().filter(|point| point.step as f64 > from).map(|point| point.loss).collect();
    let loss = late.iter().sum::<f64>() / late.len() as f64;
    Some(Ending { steps: last, loss })
}

/// `2.83e-4`.
fn scientific(value: f64) -> String {
    let text = format!("{value:.2e}");
    let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
    let digits = digits.trim_end_matches('0').trim_end_matches('.');
    format!("{digits}e{power}")
}

#[cfg(test)]
mod tests {
    use super::scientific;

    #[test]
    fn rates_are_written_as_they_are_read() {
        for (value, text) in
            [(2.828e-4, "2.83e-4"), (1e-4, "1e-4"), (5.0, "5e0"), (1.6e-3, "1.6e-3")]
        {
            assert_eq!(scientific(value), text);
        }
    }
}
