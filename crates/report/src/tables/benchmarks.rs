//! Every variant on every benchmark.

use super::{estimate_cell, external, interval_note, name_cell};
use crate::analysis::{Analysis, Measure};
use crate::number::fixed;
use crate::table::{Cell, Column, Mark, Table};

/// The table, where anything was scored.
pub(crate) fn benchmarks(analysis: &Analysis<'_>) -> Option<Table> {
    if analysis.benchmarks.is_empty() {
        return None;
    }
    let measures: Vec<Measure> = (0..analysis.benchmarks.len()).map(Measure::Benchmark).collect();
    let mut columns = vec![Column::text("Variant")];
    columns.extend(analysis.benchmarks.iter().map(|b| Column::number(b.title())));
    columns.push(Column::number("Average"));
    let mut table = Table::new("benchmarks", "Scores (%) on each benchmark.", columns);
    let all: Vec<Measure> = measures.iter().copied().chain([Measure::Average]).collect();
    let best: Vec<Option<usize>> = all
        .iter()
        .map(|m| analysis.best(*m).filter(|(_, separated)| *separated).map(|(v, _)| v))
        .collect();
    for v in 0..analysis.variants().len() {
        let mut cells = vec![name_cell(analysis, v)];
        for (measure, best) in all.iter().zip(&best) {
            let cell = estimate_cell(analysis, v, *measure);
            cells.push(match cell.mark {
                Some(_) => cell,
                None if at_chance(analysis, v, *measure) => cell.mark(Some(Mark::AtChance)),
                None if *best == Some(v) => cell.mark(Some(Mark::Best)),
                None => cell,
            });
        }
        table.push(cells);
    }
    external::push(&mut table, analysis, |model, row| {
        let mut cells = vec![external::name_cell(row)];
        cells.extend(all.iter().map(|measure| {
            let cell = external::score_cell(analysis, (model, row), *measure);
            let low = cell.mark.is_none() && at_chance(analysis, model, *measure);
            if low { cell.mark(Some(Mark::AtChance)) } else { cell }
        }));
        cells
    });
    let mut chance = vec![Cell::text("Chance")];
    chance.extend(analysis.benchmarks.iter().map(|b| match b.chance {
        Some(level) => Cell::written(level, fixed(level, 1)),
        None => Cell::missing(),
    }));
    let mean = analysis.average_chance();
    chance.push(Cell::written(mean, fixed(mean, 1)));
    table.push_below_rule(chance);
    let mut items = vec![Cell::text("Items")];
    items.extend(
        analysis.benchmarks.iter().map(|b| Cell::written(b.items as f64, b.items.to_string())),
    );
    let total: u64 = analysis.benchmarks.iter().map(|b| b.items).sum();
    items.push(Cell::written(total as f64, total.to_string()));
    table.push(items);
    let mut metrics = vec![Cell::text("Metric")];
    metrics.extend(analysis.benchmarks.iter().map(|b| Cell::text(&b.metric)));
    metrics.push(Cell::text("mean"));
    table.push(metrics);
    external::note(&mut table, analysis);
    table.note(interval_note(analysis));
    table.note(match analysis.seeds().len() {
        0 | 1 => "Whether a score is at chance is decided over items.".to_string(),
        _ => "Best and at chance are decided over seeds and items together, so a score can be at chance although ± alone excludes it.".to_string(),
    });
    Some(table)
}

fn at_chance(analysis: &Analysis<'_>, model: usize, measure: Measure) -> bool {
    match measure {
        Measure::Benchmark(b) => analysis.at_chance(model, b) == Some(true),
        Measure::Average | Measure::Bits(_) | Measure::MeanBits => false,
    }
}
