//! The tokenizers of a study: what a smaller vocabulary costs in tokens and saves in parameters.

use crate::analysis::{Analysis, vocabulary};
use crate::number::{count, grouped};
use crate::rows::TokenizerRow;
use crate::table::{Cell, Column, Table};

/// A row for every variant.
pub(crate) fn tokenizers(analysis: &Analysis<'_>) -> Table {
    let tokenizers = &analysis.data.tokenizers;
    let mut languages: Vec<&str> = Vec::new();
    for language in tokenizers.iter().flat_map(|row| row.bytes_per_token.keys()) {
        if !languages.contains(&language.as_str()) {
            languages.push(language);
        }
    }
    let mut columns = vec![
        Column::text("Variant"),
        Column::number("Vocabulary"),
        Column::number("Compacted from"),
        Column::number("Coverage").unit("%"),
    ];
    for language in &languages {
        columns.push(Column::number(format!("Bytes per token, {language}")));
        columns.push(Column::number(format!("Before, {language}")));
    }
    columns.push(Column::number("Tokens"));
    columns.push(Column::number("Embedding + head").unit("%"));
    columns.push(Column::text("Rule"));
    let caption = "Tokenizers on the text of the study, before and after compaction.";
    let mut table = Table::new("tokenizers", caption, columns);
    for variant in analysis.variants() {
        let mut cells = vec![Cell::text(variant.title())];
        cells.push(Cell::written(variant.vocabulary as f64, grouped(variant.vocabulary)));
        let found = tokenizers.iter().find(|row| row.variants.contains(&variant.name));
        let larger = found.and_then(|row| larger(tokenizers, row));
        cells.push(larger.map_or_else(Cell::missing, |row| {
            Cell::written(row.vocabulary as f64, grouped(row.vocabulary))
        }));
        let coverage = found.and_then(|row| row.coverage);
        cells.push(coverage.map_or_else(Cell::missing, |share| Cell::number(100.0 * share, 2)));
        for language in &languages {
            for row in [found, larger] {
                let bytes = row.and_then(|row| row.bytes_per_token.get(*language));
                cells.push(bytes.map_or_else(Cell::missing, |bytes| Cell::number(*bytes, 2)));
            }
        }
        let tokens = found.map(|row| row.tokens as f64);
        cells.push(tokens.map_or_else(Cell::missing, |n| Cell::written(n, count(n))));
        cells.push(Cell::number(100.0 * variant.share, 2));
        cells.push(match found.and_then(|row| vocabulary::holds(variant, row)) {
            Some(true) => Cell::text("holds"),
            Some(false) => Cell::text("does not hold"),
            None => Cell::missing(),
        });
        table.push(cells);
    }
    table.note(
        "Coverage: share of the larger tokenizer's tokens that are entries of the compact one. \
         Bytes per token are those of held-out text, tokens those of the training text.",
    );
    table.note(
        "Rule: the paper's, coverage of more than 90% and embedding + head of less than 20% of \
         the parameters.",
    );
    for row in tokenizers {
        if let Some(changes) = &row.changes {
            table.note(format!(
                "{}: its text is changed before it is encoded ({changes}); bytes are those of \
                 the text as it was.",
                row.name
            ));
        }
    }
    table.drop_empty_columns();
    table
}

fn larger<'a>(all: &'a [TokenizerRow], row: &TokenizerRow) -> Option<&'a TokenizerRow> {
    all.iter().find(|other| Some(&other.name) == row.larger.as_ref())
}
