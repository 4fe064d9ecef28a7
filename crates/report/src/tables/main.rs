//! The main table: size, price, headline number and difference of every variant.

use super::{difference_cell, estimate_cell, external, interval_note, name_cell};
use crate::analysis::{Analysis, Measure};
use crate::number::{count, fixed, grouped, si, si_unit, signed};
use crate::table::{Cell, Column, Mark, Table};

/// One row per variant.
pub(crate) fn main(analysis: &Analysis<'_>) -> Table {
    let headline = analysis.headline();
    let (name, unit) = analysis.name_of(headline);
    let ladder = analysis.data.study.is_ladder();
    let scored = headline == Measure::Average;
    let bits: Vec<Measure> = (0..analysis.languages.len()).map(Measure::Bits).collect();
    let several = bits.len() > 1;

    let given = !analysis.data.externals.is_empty();
    let mut columns = vec![Column::text("Variant"), Column::number("Parameters")];
    // Models of others come with vocabularies of their own.
    columns.extend(given.then(|| Column::number("Vocabulary")));
    columns.extend([
        Column::number("Emb. + head").unit("%"),
        Column::number("Hold residual").unit("%"),
        Column::number("Tokens"),
        Column::number("Text"),
        Column::number("Training").unit("FLOP"),
    ]);
    if scored {
        columns.push(Column::number("Average").unit("%"));
    }
    for measure in &bits {
        columns.push(Column::number(analysis.short_name_of(*measure)).unit("bits/byte"));
    }
    if !scored && several {
        columns.push(Column::number("Text, mean").unit("bits/byte"));
    }
    let against = if ladder { "Δ to the rung below" } else { "Δ to the first" };
    columns.push(Column::number(against).unit(if scored { "points" } else { unit }));

    let mut table = Table::new(
        "main",
        format!(
            "{}: {} of every {}.",
            analysis.data.study.title,
            if scored {
                name.to_lowercase()
            } else {
                format!("bits per byte of {}", name.to_lowercase())
            },
            if analysis.variants().is_empty() { "model" } else { "variant" }
        ),
        columns,
    );
    let best = |measure: Measure| {
        analysis.best(measure).filter(|(_, separated)| *separated).map(|(variant, _)| variant)
    };
    let best_headline = best(headline);
    let best_bits: Vec<Option<usize>> = bits.iter().map(|m| best(*m)).collect();
    for (v, row) in analysis.variants().iter().enumerate() {
        let mut cells = vec![
            name_cell(analysis, v),
            Cell::written(row.params.total as f64, count(row.params.total as f64)),
        ];
        cells.extend(given.then(|| vocabulary_cell(row.vocabulary)));
        cells.extend([
            Cell::written(row.share * 100.0, fixed(row.share * 100.0, 1)),
            match row.residual {
                Some(residual) => Cell::written(residual * 100.0, signed(residual * 100.0, 2)),
                None => Cell::missing(),
            },
            Cell::written(row.train_tokens as f64, count(row.train_tokens as f64)),
            Cell::written(row.train_bytes as f64, si_unit(row.train_bytes as f64, "B")),
            Cell::written(row.train_flops, si(row.train_flops)),
        ]);
        let marked = |cell: Cell, best: Option<usize>| {
            if best == Some(v) { cell.mark(Some(Mark::Best)) } else { cell }
        };
        if scored {
            cells.push(marked(estimate_cell(analysis, v, headline), best_headline));
        }
        for (measure, best) in bits.iter().zip(&best_bits) {
            cells.push(marked(estimate_cell(analysis, v, *measure), *best));
        }
        if !scored && several {
            cells.push(marked(estimate_cell(analysis, v, Measure::MeanBits), best_headline));
        }
        let found = analysis.reference(v).and_then(|r| analysis.difference(v, r, headline));
        cells.push(difference_cell(found.as_ref(), headline));
        table.push(cells);
    }
    external::push(&mut table, analysis, |model, row| {
        let mut cells = vec![external::name_cell(row)];
        cells.extend(match &row.shape {
            Some(shape) => [
                Cell::written(shape.params.total as f64, count(shape.params.total as f64)),
                vocabulary_cell(shape.vocabulary),
                Cell::written(shape.share() * 100.0, fixed(shape.share() * 100.0, 1)),
            ],
            None => [Cell::missing(), Cell::missing(), Cell::missing()],
        });
        // Residual, tokens, text and operations are those of a training here.
        cells.extend((0..4).map(|_| Cell::missing()));
        let averaged = scored.then_some(Measure::Average);
        let mean = (!scored && several).then_some(Measure::MeanBits);
        for measure in averaged.into_iter().chain(bits.iter().copied()).chain(mean) {
            cells.push(external::score_cell(analysis, (model, row), measure));
        }
        cells.push(Cell::missing());
        cells
    });
    external::note(&mut table, analysis);
    if scored {
        table.note(average_note(analysis));
    }
    table.note(interval_note(analysis));
    if analysis.seeds().len() > 1 && analysis.variants().len() > 1 {
        table.note(if scored {
            "Differences are paired: the same seeds and, where the documents agree, the same items; their 95% interval covers new seeds and new items."
        } else {
            "Differences are paired over seeds, with a 95% interval."
        });
    }
    if analysis.variants().iter().any(|v| v.residual.is_some()) {
        table.note(
            "Hold residual: how far the solved shape is from the quantity that is held equal.",
        );
    }
    let tokens: Vec<u64> = analysis.variants().iter().map(|v| v.vocabulary).collect();
    if tokens.iter().any(|t| *t != tokens[0]) {
        table.note("The vocabulary varies, so equal tokens are not equal text: both are given, and bits per byte compare across vocabularies.");
    }
    table.drop_empty_columns();
    table
}

fn vocabulary_cell(entries: u64) -> Cell {
    Cell::written(entries as f64, grouped(entries))
}

/// The main table cut down to what a terminal has room for.
pub(crate) fn short(analysis: &Analysis<'_>) -> Table {
    let mut table = main(analysis);
    table.name = "headline".to_string();
    table.keep_columns(|title| {
        !matches!(title, "Emb. + head" | "Hold residual" | "Text" | "Training")
    });
    table.notes = vec![interval_note(analysis)];
    table
}

/// What the average averages.
fn average_note(analysis: &Analysis<'_>) -> String {
    let names: Vec<String> = analysis.benchmarks.iter().map(|b| b.title()).collect();
    let items: u64 = analysis.benchmarks.iter().map(|b| b.items).sum();
    format!(
        "Average: mean of the primary metric of {} benchmark{} ({}), {items} items in all; mean chance level {}%.",
        names.len(),
        if names.len() == 1 { "" } else { "s" },
        names.join(", "),
        fixed(analysis.average_chance(), 1),
    )
}
