//! What varies, what shape comes out of it, and what it costs.

use std::collections::BTreeMap;

use polars::prelude::PolarsResult;

use super::{external, name_cell};
use crate::analysis::{Analysis, speeds};
use crate::number::{MISSING, duration, fixed, grouped, si, si_unit, signed};
use crate::rows::VariantRow;
use crate::table::{Cell, Column, Table};

/// What each variant changes against the base; in a ladder, what each rung changes against the one below.
pub(crate) fn deltas(analysis: &Analysis<'_>) -> Table {
    let ladder = analysis.data.study.is_ladder();
    let caption = if ladder {
        "What each rung changes against the one below."
    } else {
        "What each variant changes against the base."
    };
    let columns = ["Variant", "Setting", if ladder { "Below" } else { "Base" }, "Here"];
    let mut table = Table::new("deltas", caption, columns.map(Column::text).into());
    for (v, row) in analysis.variants().iter().enumerate() {
        let below = (ladder && v > 0).then(|| &analysis.variants()[v - 1]);
        let changes = below.map_or_else(|| row.delta.clone(), |below| step(below, row));
        if changes.is_empty() {
            let nothing = if v == 0 || !ladder { "the base" } else { "nothing" };
            table.push_below_rule(vec![Cell::text(row.title()), Cell::text(nothing)]);
        }
        for (i, (path, from, to)) in changes.iter().enumerate() {
            let shown = |text: &str| Cell::text(if text.is_empty() { MISSING } else { text });
            let title = if i == 0 { row.title() } else { "" };
            let cells = vec![Cell::text(title), Cell::text(path), shown(from), shown(to)];
            if i == 0 { table.push_below_rule(cells) } else { table.push(cells) }
        }
    }
    table
}

/// The difference of two deltas against the same base: settings that changed, and settings that went back to the base.
fn step(below: &VariantRow, row: &VariantRow) -> Vec<(String, String, String)> {
    let value = |variant: &VariantRow, path: &str| {
        variant.delta.iter().find(|d| d.0 == path).map(|d| d.2.clone())
    };
    let mut changes = Vec::new();
    for (path, base, to) in &row.delta {
        let before = value(below, path).unwrap_or_else(|| base.clone());
        // A setting that is listed although it equals the base is named on purpose, once.
        let new = value(below, path).is_none();
        if before != *to || new {
            changes.push((path.clone(), before, to.clone()));
        }
    }
    for (path, base, before) in &below.delta {
        if value(row, path).is_none() {
            changes.push((path.clone(), before.clone(), base.clone()));
        }
    }
    changes
}

/// Shape and parameter counts.
pub(crate) fn parameters(analysis: &Analysis<'_>) -> Table {
    let mut languages: Vec<&str> = Vec::new();
    let own = analysis.variants().iter().flat_map(|v| v.bytes_per_token.keys());
    let given = analysis.data.externals.iter().flat_map(|model| model.bytes_per_token.keys());
    for language in own.chain(given) {
        if !languages.contains(&language.as_str()) {
            languages.push(language);
        }
    }
    let mut columns = vec![Column::text("Variant")];
    for title in ["Depth", "Width", "Heads", "KV heads", "FFN", "Vocabulary", "Context"] {
        columns.push(Column::number(title));
    }
    for title in ["Embedding", "Head", "Non-embedding", "Total"] {
        columns.push(Column::number(title));
    }
    columns.push(Column::number("Embedding + head").unit("%"));
    columns.push(Column::number("Hold residual").unit("%"));
    columns.push(Column::number("Coverage").unit("%"));
    for language in &languages {
        columns.push(Column::number(format!("Bytes per token, {language}")));
    }
    let mut table = Table::new("parameters", "Shape and parameters of every variant.", columns);
    let count = |n: u64| Cell::written(n as f64, grouped(n));
    let size = |n: u64| Cell::written(n as f64, crate::number::count(n as f64));
    let percent = |share: Option<f64>, write: fn(f64, usize) -> String| match share {
        Some(share) => Cell::written(share * 100.0, write(share * 100.0, 2)),
        None => Cell::missing(),
    };
    for row in analysis.variants() {
        let mut cells = vec![Cell::text(row.title())];
        cells.extend([
            count(row.depth),
            count(row.width),
            count(row.heads),
            count(row.kv_heads),
            count(row.ffn),
            count(row.vocabulary),
            count(row.context),
            size(row.params.embedding),
            size(row.params.head),
            size(row.params.non_embedding),
            count(row.params.total),
            percent(Some(row.share), fixed),
            percent(row.residual, signed),
            percent(row.coverage, fixed),
        ]);
        for language in &languages {
            cells.push(match row.bytes_per_token.get(*language) {
                Some(bytes) => Cell::number(*bytes, 2),
                None => Cell::missing(),
            });
        }
        table.push(cells);
    }
    external::push(&mut table, analysis, |_, row| {
        let mut cells = vec![external::name_cell(row)];
        let Some(shape) = &row.shape else {
            cells.resize_with(15 + languages.len(), Cell::missing);
            return cells;
        };
        cells.extend([
            count(shape.depth),
            count(shape.width),
            count(shape.heads),
            count(shape.kv_heads),
            count(shape.ffn),
            count(shape.vocabulary),
            count(shape.context),
            size(shape.params.embedding),
            size(shape.params.head),
            size(shape.params.non_embedding),
            count(shape.params.total),
            percent(Some(shape.share()), fixed),
            Cell::missing(),
            Cell::missing(),
        ]);
        cells.extend(languages.iter().map(|language| {
            let bytes = row.bytes_per_token.get(*language);
            bytes.map_or_else(Cell::missing, |bytes| Cell::number(*bytes, 2))
        }));
        cells
    });
    table.drop_empty_columns();
    table
}

/// What training cost: planned and measured.
pub(crate) fn cost(analysis: &Analysis<'_>) -> PolarsResult<Table> {
    let speeds: BTreeMap<String, f64> = speeds(&analysis.data.curves)?.into_iter().collect();
    let mut table = Table::new(
        "cost",
        "What training each variant cost, for one seed.",
        vec![
            Column::text("Variant"),
            Column::number("Tokens"),
            Column::number("Text"),
            Column::number("Mask tokens"),
            Column::number("Training").unit("FLOP"),
            Column::number("Time"),
            Column::number("Speed").unit("tokens/s"),
            Column::number("Rate").unit("FLOP/s"),
            Column::number("Decoding").unit("tokens/s"),
        ],
    );
    for (v, row) in analysis.variants().iter().enumerate() {
        let rate = row.train_flops / row.seconds;
        let timed = row.seconds > 0.0;
        table.push(vec![
            name_cell(analysis, v),
            Cell::written(row.train_tokens as f64, crate::number::count(row.train_tokens as f64)),
            Cell::written(row.train_bytes as f64, si_unit(row.train_bytes as f64, "B")),
            match row.mask_tokens {
                0 => Cell::missing(),
                tokens => Cell::written(tokens as f64, crate::number::count(tokens as f64)),
            },
            Cell::written(row.train_flops, si(row.train_flops)),
            if timed { Cell::written(row.seconds, duration(row.seconds)) } else { Cell::missing() },
            match speeds.get(&row.name) {
                Some(speed) => Cell::written(*speed, si(*speed)),
                None => Cell::missing(),
            },
            if timed { Cell::written(rate, si(rate)) } else { Cell::missing() },
            row.decoding.map_or_else(Cell::missing, |speed| Cell::number(speed, 1)),
        ]);
    }
    if analysis.variants().iter().any(|v| v.mask_tokens > 0) {
        table.note(
            "Mask tokens: what masks were learned on before; Training and Time include them.",
        );
    }
    table.note("Time: measured, mean over seeds. Speed: median over the logged steps.");
    if analysis.variants().iter().any(|v| v.bytes_per_token.len() > 1) {
        table.note("Text: bytes of training text that the tokens stand for.");
    }
    if analysis.variants().iter().any(|v| v.decoding.is_some()) {
        table.note(
            "Decoding: tokens per second of each of 20 sequences, 510 new tokens after two, measured.",
        );
    }
    table.drop_empty_columns();
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rung_shows_only_its_own_step() {
        let rung = |delta: &[(&str, &str, &str)]| VariantRow {
            delta: delta.iter().map(|d| (d.0.into(), d.1.into(), d.2.into())).collect(),
            ..VariantRow::default()
        };
        let below = rung(&[("depth", "2", "4"), ("width", "32", "16"), ("init", "random", "l2")]);
        let row = rung(&[("depth", "2", "6"), ("width", "32", "16"), ("rounds", "1", "2")]);
        let text = |s: &str| s.to_string();
        assert_eq!(
            step(&below, &row),
            [
                (text("depth"), text("4"), text("6")),
                (text("rounds"), text("1"), text("2")),
                (text("init"), text("l2"), text("random")),
            ]
        );
    }
}
