//! HTML: a `figure` with the table, ready for the page's style sheet.

use super::{legend, sign};
use crate::table::{Align, Cell, Mark, Table, letter};

impl Table {
    /// The table as an HTML `figure`; all text is escaped.
    pub fn to_html(&self) -> String {
        let mut out = format!("<figure class=\"table\" id=\"table-{}\">\n", escape(&self.name));
        out += &format!("<figcaption>{}</figcaption>\n", escape(&self.caption));
        out += "<div class=\"scroll\" tabindex=\"0\"><table>\n<thead><tr>";
        for column in &self.columns {
            out += &format!("<th scope=\"col\"{}>{}", class(column.align), escape(&column.title));
            if let Some(unit) = &column.unit {
                out += &format!(" <span class=\"unit\">({})</span>", escape(unit));
            }
            out += "</th>";
        }
        out += "</tr></thead>\n<tbody>\n";
        for (r, row) in self.rows.iter().enumerate() {
            out += if row.rule && r > 0 { "<tr class=\"rule\">" } else { "<tr>" };
            for (i, (cell, column)) in row.cells.iter().zip(&self.columns).enumerate() {
                let tag = if i == 0 { "th scope=\"row\"" } else { "td" };
                let end = if i == 0 { "th" } else { "td" };
                out += &format!("<{tag}{}>{}</{end}>", class(column.align), contents(self, cell));
            }
            out += "</tr>\n";
        }
        out += "</tbody>\n</table></div>\n";
        let mut notes: Vec<String> = Vec::new();
        for (i, note) in self.cell_notes().iter().enumerate() {
            notes.push(format!("<sup>{}</sup> {}", letter(i), escape(note)));
        }
        notes.extend(legend(self, "Bold").iter().map(|n| escape(n)));
        notes.extend(self.notes.iter().map(|n| escape(n)));
        if !notes.is_empty() {
            out += "<ul class=\"notes\">";
            for note in notes {
                out += &format!("<li>{note}</li>");
            }
            out += "</ul>\n";
        }
        out += "</figure>\n";
        out
    }
}

fn class(align: Align) -> &'static str {
    match align {
        Align::Left => "",
        Align::Right => " class=\"n\"",
    }
}

fn contents(table: &Table, cell: &Cell) -> String {
    let text = escape(&cell.text);
    let mut out = match cell.mark {
        Some(Mark::Best) => format!("<strong>{text}</strong>"),
        Some(Mark::AtChance | Mark::Indistinct) => format!("<span class=\"weak\">{text}</span>"),
        Some(Mark::Failed) => format!("<span class=\"failed\">{text}</span>"),
        None => text,
    };
    let sign = sign(cell);
    if !sign.is_empty() {
        out += &format!("<span class=\"sign\">{}</span>", escape(sign));
    }
    if let Some(letter) = table.note_letter(cell) {
        out += &format!("<sup>{letter}</sup>");
    }
    if let Some(spread) = &cell.spread {
        out += &format!(" <span class=\"spread\">{}</span>", escape(spread));
    }
    out
}

/// Escapes text for element content and for quoted attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}
