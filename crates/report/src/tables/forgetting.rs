//! What is forgotten of what was visited early: the numbers of the paper's Figure 9.

use super::name_cell;
use crate::analysis::{Analysis, remembered};
use crate::number::{fixed, grouped};
use crate::table::{Cell, Column, Mark, Table};

/// One row per variant whose batches were scored with its final weights.
pub(crate) fn forgetting(analysis: &Analysis<'_>) -> Option<Table> {
    let columns = vec![
        Column::text("Variant"),
        Column::number("Parts"),
        Column::number("Batches"),
        Column::number("Loss, first part"),
        Column::number("Loss, last part"),
        Column::number("Trend, first to last"),
        Column::number("p"),
        Column::number("Spearman's ρ"),
    ];
    let mut table = Table::new(
        "forgetting",
        "Losses of the training's batches under the final weights (nats per token), by when they \
         were visited in the first round.",
        columns,
    );
    for (v, row) in analysis.variants().iter().enumerate() {
        let Some(found) = remembered(analysis.data, &row.name) else { continue };
        let end = |place: Option<&crate::analysis::Estimate>| match place {
            Some(part) => Cell::number(part.mean, 4).plus_minus(part.interval, 4),
            None => Cell::missing(),
        };
        let unclear = |low: f64, high: f64| (low <= 0.0 && high >= 0.0).then_some(Mark::Indistinct);
        table.push(vec![
            name_cell(analysis, v),
            Cell::written(found.parts.len() as f64, found.parts.len().to_string()),
            Cell::written(found.batches as f64, grouped(found.batches as u64)),
            end(found.parts.first()),
            end(found.parts.last()),
            match found.trend {
                Some(t) => Cell::difference(t.slope, 4)
                    .between(Some((t.low, t.high)), 4)
                    .mark(unclear(t.low, t.high)),
                None => Cell::missing(),
            },
            match found.trend {
                Some(t) if t.p < 0.001 => Cell::written(t.p, "< 0.001"),
                Some(t) => Cell::number(t.p, 3),
                None => Cell::missing(),
            },
            match found.rank {
                Some(rank) => Cell::difference(rank.value, 3)
                    .between(Some((rank.low, rank.high)), 3)
                    .mark(unclear(rank.low, rank.high)),
                None => Cell::missing(),
            },
        ]);
    }
    if table.rows.is_empty() {
        return None;
    }
    table.note(
        "Trend: least-squares line through the batches of all seeds, each seed about its own mean. \
         Below zero: what was visited early is remembered worse. ±, brackets: 95% intervals over \
         batches.",
    );
    let most = analysis.variants().iter().filter_map(|row| row.passes).fold(0.0, f64::max);
    if most > 1.0 {
        table.note(format!(
            "The first round goes through the text up to {} times: batches of different parts share \
             text, which hides forgetting.",
            fixed(most, 2)
        ));
    }
    Some(table)
}
