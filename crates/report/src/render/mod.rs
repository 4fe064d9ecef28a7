//! Renderers of a [`Table`](crate::Table): pure functions from the table to text.

mod csv;
mod html;
mod latex;
mod markdown;
mod text;

/// Sign put after a value whose interval includes chance.
pub(crate) const CHANCE_SIGN: &str = "°";
/// Sign put after a difference that cannot be told from noise.
pub(crate) const INDISTINCT_SIGN: &str = "~";

pub(crate) use html::escape as escape_html;

use crate::table::{Cell, Mark, Table};

#[cfg(test)]
mod tests;

/// The sign of a cell's mark, where it has one.
fn sign(cell: &Cell) -> &'static str {
    match cell.mark {
        Some(Mark::AtChance) => CHANCE_SIGN,
        Some(Mark::Indistinct) => INDISTINCT_SIGN,
        Some(Mark::Best | Mark::Failed) | None => "",
    }
}

/// What the signs and bold of a table mean, as far as the table uses them.
fn legend(table: &Table, best: &str) -> Vec<String> {
    let used = |mark: Mark| table.rows.iter().flat_map(|r| &r.cells).any(|c| c.mark == Some(mark));
    let mut lines = Vec::new();
    if used(Mark::Best) {
        lines.push(format!(
            "{best}: best of its column, separated from every other row by the paired test."
        ));
    }
    if used(Mark::AtChance) {
        lines.push(
            "°: at chance; not distinguishable from what a model that knows nothing scores.".into(),
        );
    }
    if used(Mark::Indistinct) {
        lines.push("~: not distinguishable from no difference.".into());
    }
    lines
}
