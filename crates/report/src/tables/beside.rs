//! The study beside the element of the paper that it mirrors, with both scales stated.

use super::{difference_cell, estimate_cell};
use crate::analysis::{Analysis, Measure};
use crate::figures::our_scale;
use crate::number::{MISSING, count, fixed, signed};
use crate::paper::{Beside, Element, Paper, PaperRow};
use crate::table::{Cell, Column, Table};

/// The table, where the study mirrors an element that is known.
pub(crate) fn beside(analysis: &Analysis<'_>, paper: &Paper) -> Option<Table> {
    let beside = paper.beside(analysis)?;
    Some(if beside.rows.is_empty() {
        alone(analysis, beside.element)
    } else {
        paired(analysis, &beside)
    })
}

/// Row by row, differences included.
fn paired(analysis: &Analysis<'_>, beside: &Beside<'_>) -> Table {
    let element = beside.element;
    let headline = analysis.headline();
    let (name, unit) = analysis.name_of(headline);
    let against = if analysis.data.study.is_ladder() { "gain" } else { "Δ to the first" };
    let mut table = Table::new(
        "paper",
        format!("Beside {} of the paper: {}.", element.place, element.title.to_lowercase()),
        vec![
            Column::text("Here"),
            Column::number("Parameters"),
            Column::number(name).unit(unit),
            Column::number(format!("Here, {against}")),
            Column::text("In the paper"),
            Column::number("Paper, average").unit("%"),
            Column::number(format!("Paper, {against}")),
        ],
    );
    for (v, row) in beside.rows.iter().enumerate() {
        let reference = analysis.reference(v);
        let found = reference.and_then(|r| analysis.difference(v, r, headline));
        let variant = &analysis.variants()[v];
        table.push(vec![
            Cell::text(variant.title()),
            Cell::written(variant.params.total as f64, count(variant.params.total as f64)),
            estimate_cell(analysis, v, headline),
            difference_cell(found.as_ref(), headline),
            Cell::text(&row.label),
            Cell::number(row.average, 2),
            match reference {
                Some(r) => Cell::difference(row.average - beside.rows[r].average, 2),
                None => Cell::missing(),
            },
        ]);
    }
    for (i, row) in element.context.iter().enumerate() {
        let mut cells = vec![Cell::text(MISSING); 4];
        cells.extend([Cell::text(&row.label), Cell::number(row.average, 2), Cell::missing()]);
        if i == 0 { table.push_below_rule(cells) } else { table.push(cells) }
    }
    scales(&mut table, analysis, element);
    if let Some(words) = order_words(analysis, beside) {
        table.note(words);
    }
    table
}

/// The paper's rows by themselves: the variants do not correspond to them one to one.
fn alone(analysis: &Analysis<'_>, element: &Element) -> Table {
    let mut columns = vec![Column::text("In the paper")];
    for column in &element.columns {
        let title = if column.derived {
            format!("{}, derived", column.title)
        } else {
            column.title.clone()
        };
        let heading = Column::number(title);
        columns.push(match &column.unit {
            Some(unit) => heading.unit(unit),
            None => heading,
        });
    }
    columns.push(Column::number("Average").unit("%"));
    let mut table = Table::new(
        "paper",
        format!("{} of the paper: {}.", element.place, element.title.to_lowercase()),
        columns,
    );
    let cells = |row: &PaperRow| {
        let mut cells = vec![Cell::text(&row.label)];
        cells.extend(element.columns.iter().map(|c| match row.values.get(&c.key) {
            Some(value) => Cell::written(*value, written(*value)),
            None => Cell::missing(),
        }));
        cells.push(Cell::number(row.average, 2));
        cells
    };
    for row in &element.rows {
        table.push(cells(row));
    }
    for (i, row) in element.context.iter().enumerate() {
        if i == 0 { table.push_below_rule(cells(row)) } else { table.push(cells(row)) }
    }
    scales(&mut table, analysis, element);
    table.note("The variants of this study do not correspond to the paper's rows one to one, so no row is set against another.");
    table.notes.extend(element.note.clone());
    table
}

/// As many decimals as the paper printed: none for counts, up to two otherwise.
fn written(value: f64) -> String {
    if value.fract() == 0.0 { fixed(value, 0) } else { fixed(value, 2) }
}

fn scales(table: &mut Table, analysis: &Analysis<'_>, element: &Element) {
    table.note(format!(
        "Scales: {} here; {} there. The benchmarks differ too: only signs and orderings can be compared, not levels.",
        our_scale(analysis),
        element.scale
    ));
    table.note(format!("Source: {}; average: {}.", element.source, element.average));
}

/// How far the two orderings agree.
pub(crate) fn order_words(analysis: &Analysis<'_>, beside: &Beside<'_>) -> Option<String> {
    let headline = analysis.headline();
    let sign = if headline.higher_is_better() { 1.0 } else { -1.0 };
    let mut ours = Vec::new();
    let mut theirs = Vec::new();
    for (v, row) in beside.rows.iter().enumerate() {
        if let Some(estimate) = analysis.estimate(v, headline) {
            ours.push(sign * estimate.mean);
            theirs.push(row.average);
        }
    }
    let found = ablate_stats::kendall_tau(&ours, &theirs).ok()?;
    Some(format!(
        "Orderings: Kendall's tau {} between the {} averages here and there{}.",
        signed(found.value, 2),
        found.n,
        if headline == Measure::Average { "" } else { " (bits per byte counted downwards)" },
    ))
}
