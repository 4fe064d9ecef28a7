//! The study beside the elements of the paper that it mirrors, with both scales stated.

use super::{difference_cell, estimate_cell, external};
use crate::analysis::{Analysis, Measure};
use crate::figures::our_scale;
use crate::number::{MISSING, count, signed};
use crate::paper::{Beside, Element, Paper, PaperColumn, PaperRow};
use crate::table::{Cell, Column, Table};

/// For every element with rows: averages side by side, then task by task where tasks have the names
/// of benchmarks; a table's rows alone where they do not correspond to the variants. The first
/// tables are `paper` and `paper-tasks`, those of a further element `paper-table-6`.
pub(crate) fn all(analysis: &Analysis<'_>, paper: &Paper) -> Vec<Table> {
    let found = paper.beside(analysis);
    let mut tables = Vec::new();
    for beside in found.iter().filter(|b| !b.element.rows.is_empty()) {
        let element = beside.element;
        let name = match tables.is_empty() {
            true => "paper".to_string(),
            false => format!("paper-{}", element.id),
        };
        let matched = matched(analysis, beside, &name);
        // The rows of a figure are drawn.
        if matched.is_empty() && element.panels.is_empty() {
            tables.push(alone(analysis, element, &name));
        }
        tables.extend(matched);
    }
    tables
}

/// The tables of one element, named `NAME` and `NAME-tasks`; none where its rows do not correspond to
/// the variants.
pub(crate) fn matched(analysis: &Analysis<'_>, beside: &Beside<'_>, name: &str) -> Vec<Table> {
    // Where no average is printed there is nothing to set ours against.
    let averaged = beside.taken().any(|row| row.average.is_some());
    let paired = averaged.then(|| paired(analysis, beside, name));
    let tasks = tasks(analysis, beside, &format!("{name}-tasks"));
    let lined_up = beside.rows.iter().any(Option::is_some) && beside.element.panels.is_empty();
    let unlike =
        (lined_up && paired.is_none() && tasks.is_none()).then(|| unlike(analysis, beside, name));
    paired.into_iter().chain(tasks).chain(unlike).collect()
}

/// Row by row, differences included.
fn paired(analysis: &Analysis<'_>, beside: &Beside<'_>, name: &str) -> Table {
    let element = beside.element;
    let headline = analysis.headline();
    let (measure, unit) = analysis.name_of(headline);
    let against = if analysis.data.study.is_ladder() { "gain" } else { "Δ to the first" };
    let mut table = Table::new(
        name,
        format!("Beside {} of the paper: {}.", element.place, element.title.to_lowercase()),
        vec![
            Column::text("Here"),
            Column::number("Parameters"),
            Column::number(measure).unit(unit),
            Column::number(format!("Here, {against}")),
            Column::text("In the paper"),
            Column::number("Paper, average").unit("%"),
            Column::number(format!("Paper, {against}")),
        ],
    );
    for v in 0..analysis.variants().len() {
        let reference = analysis.reference(v);
        let found = reference.and_then(|r| analysis.difference(v, r, headline));
        let variant = &analysis.variants()[v];
        let gain = reference.and_then(|r| beside.gain(v, r));
        table.push(vec![
            Cell::text(variant.title()),
            Cell::written(variant.params.total as f64, count(variant.params.total as f64)),
            estimate_cell(analysis, v, headline),
            difference_cell(found.as_ref(), headline),
            beside.row(v).map_or_else(Cell::missing, |row| Cell::text(&row.label)),
            average_cell(beside.average(v)),
            gain.map_or_else(Cell::missing, |gain| Cell::difference(gain, 2)),
        ]);
    }
    external::push(&mut table, analysis, |model, row| {
        let there = beside.externals.get(model - analysis.variants().len()).copied().flatten();
        let parameters = row.shape.map(|shape| shape.params.total as f64);
        vec![
            external::name_cell(row),
            parameters.map_or_else(Cell::missing, |n| Cell::written(n, count(n))),
            external::score_cell(analysis, (model, row), headline),
            Cell::missing(),
            there.map_or_else(Cell::missing, |row| Cell::text(&row.label)),
            average_cell(there.and_then(|row| row.average)),
            Cell::missing(),
        ]
    });
    let taken = |row: &PaperRow| beside.taken().any(|r| std::ptr::eq(r, row));
    let others = element.rows.iter().filter(|row| !taken(row)).chain(&element.context);
    for (i, row) in others.enumerate() {
        let mut cells = vec![Cell::text(MISSING); 4];
        cells.extend([Cell::text(&row.label), average_cell(row.average), Cell::missing()]);
        if i == 0 { table.push_below_rule(cells) } else { table.push(cells) }
    }
    external::note(&mut table, analysis);
    scales(&mut table, analysis, element);
    if let Some(words) = order_words(analysis, beside) {
        table.note(words);
    }
    table
}

fn average_cell(average: Option<f64>) -> Cell {
    average.map_or_else(Cell::missing, |average| Cell::number(average, 2))
}

/// The tasks whose benchmarks the study has, ours and the paper's next to each other.
fn tasks(analysis: &Analysis<'_>, beside: &Beside<'_>, name: &str) -> Option<Table> {
    let element = beside.element;
    let of = |column: &PaperColumn| {
        let found = analysis.benchmarks.iter().position(|b| column.is_benchmark(&b.name));
        found.map(Measure::Benchmark)
    };
    let tasks: Vec<(&PaperColumn, Measure)> =
        element.tasks().filter_map(|column| Some((column, of(column)?))).collect();
    if tasks.is_empty() || !beside.is_matched() {
        return None;
    }
    let mut columns = vec![Column::text("Here")];
    for (column, _) in &tasks {
        columns.push(Column::number(format!("{}, here", column.title)).unit("%"));
        columns.push(Column::number(format!("{}, paper", column.title)).unit("%"));
    }
    columns.push(Column::text("In the paper"));
    let caption = format!("Beside {} of the paper, task by task.", element.place);
    let mut table = Table::new(name, caption, columns);
    for v in 0..analysis.variants().len() {
        let row = beside.row(v);
        let mut cells = vec![Cell::text(analysis.variants()[v].title())];
        for (column, measure) in &tasks {
            cells.push(estimate_cell(analysis, v, *measure));
            cells.push(row.map_or_else(Cell::missing, |row| value_cell(row, column)));
        }
        cells.push(row.map_or_else(Cell::missing, |row| Cell::text(&row.label)));
        table.push(cells);
    }
    external::push(&mut table, analysis, |model, row| {
        let there = beside.externals.get(model - analysis.variants().len()).copied().flatten();
        let mut cells = vec![external::name_cell(row)];
        for (column, measure) in &tasks {
            cells.push(external::score_cell(analysis, (model, row), *measure));
            cells.push(there.map_or_else(Cell::missing, |row| value_cell(row, column)));
        }
        cells.push(there.map_or_else(Cell::missing, |row| Cell::text(&row.label)));
        cells
    });
    let chance = tasks.iter().flat_map(|(_, measure)| {
        let level = match measure {
            Measure::Benchmark(b) => analysis.benchmarks[*b].chance,
            Measure::Average | Measure::Bits(_) | Measure::MeanBits => None,
        };
        [level.map_or_else(Cell::missing, |level| Cell::number(level, 1)), Cell::text("")]
    });
    table.push_below_rule([Cell::text("Chance here")].into_iter().chain(chance).collect());
    let absent: Vec<&str> =
        element.tasks().filter(|c| of(c).is_none()).map(|c| c.title.as_str()).collect();
    if !absent.is_empty() {
        table.note(format!("Not among the benchmarks here: {}.", absent.join(", ")));
    }
    table.note("Benchmarks of the same name ask for the same skill with other items.");
    Some(table)
}

/// A table of the paper by itself, or the rows behind a figure.
pub(crate) fn of_paper(element: &Element) -> Option<Table> {
    if element.rows.is_empty() {
        return None;
    }
    let mut table = rows(element, &element.id);
    table.note(format!("{}. Source: {}.", element.scale, element.source));
    table.notes.extend(element.average.iter().map(|average| format!("Average: {average}.")));
    table.notes.extend(element.note.clone());
    Some(table)
}

/// The paper's rows with our headline beside them: variants correspond to them, but no benchmark is
/// common and no average is printed.
fn unlike(analysis: &Analysis<'_>, beside: &Beside<'_>, name: &str) -> Table {
    let headline = analysis.headline();
    let (measure, unit) = analysis.name_of(headline);
    let mut table = rows(beside.element, name);
    table.columns.push(Column::text("Here"));
    table.columns.push(Column::number(format!("Here, {}", measure.to_lowercase())).unit(unit));
    for (row, of) in table.rows.iter_mut().zip(beside.element.all_rows()) {
        let ours =
            (0..beside.rows.len()).find(|v| beside.row(*v).is_some_and(|r| std::ptr::eq(r, of)));
        row.cells.extend(match ours {
            Some(v) => {
                [Cell::text(analysis.variants()[v].title()), estimate_cell(analysis, v, headline)]
            }
            None => [Cell::missing(), Cell::missing()],
        });
    }
    scales(&mut table, analysis, beside.element);
    table.notes.extend(beside.element.note.clone());
    table
}

/// The paper's rows by themselves: the variants do not correspond to them one to one.
fn alone(analysis: &Analysis<'_>, element: &Element, name: &str) -> Table {
    let mut table = rows(element, name);
    scales(&mut table, analysis, element);
    table.note("The variants of this study do not correspond to the paper's rows one to one, so no row is set against another.");
    table.notes.extend(element.note.clone());
    table
}

fn rows(element: &Element, name: &str) -> Table {
    let mut columns = vec![Column::text("In the paper")];
    for column in &element.columns {
        let heading = match column.text {
            true => Column::text(column.heading()),
            false => Column::number(column.heading()),
        };
        columns.push(match &column.unit {
            Some(unit) => heading.unit(unit),
            None => heading,
        });
    }
    let averaged = element.all_rows().any(|row| row.average.is_some());
    if averaged {
        columns.push(Column::number("Average").unit("%"));
    }
    let caption = format!("{} of the paper: {}.", element.place, element.title.to_lowercase());
    let mut table = Table::new(name, caption, columns);
    let cells = |row: &PaperRow| {
        let mut cells = vec![Cell::text(&row.label)];
        cells.extend(element.columns.iter().map(|column| value_cell(row, column)));
        if averaged {
            cells.push(average_cell(row.average));
        }
        cells
    };
    for row in &element.rows {
        table.push(cells(row));
    }
    for (i, row) in element.context.iter().enumerate() {
        if i == 0 { table.push_below_rule(cells(row)) } else { table.push(cells(row)) }
    }
    table
}

/// A value as it is printed.
fn value_cell(row: &PaperRow, column: &PaperColumn) -> Cell {
    match (row.values.get(&column.key), row.texts.get(&column.key)) {
        (Some(value), _) => Cell::written(*value, column.written(*value)),
        (None, Some(text)) => Cell::text(text),
        (None, None) => Cell::missing(),
    }
}

fn scales(table: &mut Table, analysis: &Analysis<'_>, element: &Element) {
    table.note(format!(
        "Scales: {} here; {} there. The benchmarks differ too: only signs and orderings can be compared, not levels.",
        our_scale(analysis),
        element.scale
    ));
    let average = element.average.as_ref().map(|a| format!("; average: {a}")).unwrap_or_default();
    table.note(format!("Source: {}{average}.", element.source));
}

/// How far the two orderings agree.
fn order_words(analysis: &Analysis<'_>, beside: &Beside<'_>) -> Option<String> {
    let headline = analysis.headline();
    let sign = if headline.higher_is_better() { 1.0 } else { -1.0 };
    let mut ours = Vec::new();
    let mut theirs = Vec::new();
    // Models of others are counted on after the variants.
    let own = (0..beside.rows.len()).map(|v| (v, beside.average(v)));
    let average = |row: &Option<&PaperRow>| row.and_then(|row| row.average);
    let given = (analysis.variants().len()..).zip(beside.externals.iter().map(average));
    for (model, average) in own.chain(given) {
        if let (Some(estimate), Some(average)) = (analysis.estimate(model, headline), average) {
            ours.push(sign * estimate.mean);
            theirs.push(average);
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
