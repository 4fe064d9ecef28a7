//! GitHub-flavoured Markdown.

use super::{legend, sign};
use crate::table::{Align, Cell, Mark, Table, letter};

impl Table {
    /// The table as Markdown: caption, pipe table, notes.
    pub fn to_markdown(&self) -> String {
        let mut out = format!("**{}**\n\n", escape(&self.caption));
        let heads: Vec<String> = self.columns.iter().map(|c| escape(&c.heading())).collect();
        out += &format!("| {} |\n", heads.join(" | "));
        let rules: Vec<&str> = self
            .columns
            .iter()
            .map(|c| if c.align == Align::Right { "---:" } else { ":---" })
            .collect();
        out += &format!("| {} |\n", rules.join(" | "));
        for row in &self.rows {
            let cells: Vec<String> = row.cells.iter().map(|c| cell(self, c)).collect();
            out += &format!("| {} |\n", cells.join(" | "));
        }
        let mut notes: Vec<String> = Vec::new();
        for (i, note) in self.cell_notes().iter().enumerate() {
            notes.push(format!("<sup>{}</sup> {}", letter(i), escape(note)));
        }
        notes.extend(legend(self, "Bold").iter().map(|n| escape(n)));
        notes.extend(self.notes.iter().map(|n| escape(n)));
        if !notes.is_empty() {
            out += &format!("\n{}\n", notes.join("  \n"));
        }
        out
    }
}

fn cell(table: &Table, cell: &Cell) -> String {
    let mut text = escape(&cell.text);
    if cell.mark == Some(Mark::Best) {
        text = format!("**{text}**");
    }
    text += &escape(sign(cell));
    if let Some(letter) = table.note_letter(cell) {
        text += &format!("<sup>{letter}</sup>");
    }
    if let Some(spread) = &cell.spread {
        text = format!("{text} {}", escape(spread));
    }
    text
}

/// Escapes what Markdown would read as markup inside a table cell.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '|' | '\\' | '*' | '_' | '`' | '~' => {
                out.push('\\');
                out.push(c);
            }
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\n' | '\r' => out.push(' '),
            other => out.push(other),
        }
    }
    out
}
