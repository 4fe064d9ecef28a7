//! Plain text for a terminal: aligned columns, two spaces between them.

use super::{legend, sign};
use crate::table::{Align, Cell, Mark, Table, letter};

impl Table {
    /// The table as text in aligned columns, with its notes below.
    pub fn to_text(&self) -> String {
        let cells: Vec<Vec<String>> =
            self.rows.iter().map(|r| r.cells.iter().map(|c| cell(self, c)).collect()).collect();
        let heads: Vec<String> = self.columns.iter().map(|c| c.heading()).collect();
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|c| {
                let widest = cells.iter().map(|r| width(&r[c])).max().unwrap_or(0);
                widest.max(width(&heads[c]))
            })
            .collect();
        let put = |fields: &[String]| {
            let mut line = String::new();
            for (c, field) in fields.iter().enumerate() {
                let fill = " ".repeat(widths[c].saturating_sub(width(field)));
                if c > 0 {
                    line += "  ";
                }
                match self.columns[c].align {
                    Align::Left => line += &format!("{field}{fill}"),
                    Align::Right => line += &format!("{fill}{field}"),
                }
            }
            format!("{}\n", line.trim_end())
        };
        let total = widths.iter().sum::<usize>() + 2 * widths.len().saturating_sub(1);
        let rule = format!("{}\n", "─".repeat(total));
        let mut out = format!("{}\n\n", self.caption);
        out += &put(&heads);
        out += &rule;
        for (r, (row, fields)) in self.rows.iter().zip(&cells).enumerate() {
            if row.rule && r > 0 {
                out += &rule;
            }
            out += &put(fields);
        }
        let mut notes: Vec<String> = Vec::new();
        for (i, note) in self.cell_notes().iter().enumerate() {
            notes.push(format!("[{}] {}", letter(i), note.replace(['\n', '\r'], " ")));
        }
        notes.extend(legend(self, "*Starred*"));
        notes.extend(self.notes.iter().cloned());
        if !notes.is_empty() {
            out += &format!("\n{}\n", notes.join("\n"));
        }
        out
    }
}

fn cell(table: &Table, cell: &Cell) -> String {
    let mut text = cell.text.replace(['\n', '\r'], " ");
    if cell.mark == Some(Mark::Best) {
        text = format!("*{text}*");
    }
    if let Some(spread) = &cell.spread {
        text = format!("{text} {spread}");
    }
    let sign = sign(cell);
    if !sign.is_empty() {
        text = format!("{text} {sign}");
    }
    if let Some(letter) = table.note_letter(cell) {
        text += &format!(" [{letter}]");
    }
    text
}

/// Columns of a terminal that a text takes: two for the wide East Asian blocks, none for combining marks.
fn width(text: &str) -> usize {
    text.chars()
        .map(|c| match u32::from(c) {
            0x0300..=0x036f | 0x200b..=0x200f | 0xfe00..=0xfe0f => 0,
            0x1100..=0x115f
            | 0x2e80..=0x303e
            | 0x3041..=0xa4cf
            | 0xac00..=0xd7a3
            | 0xf900..=0xfaff
            | 0xfe30..=0xfe6f
            | 0xff00..=0xff60
            | 0xffe0..=0xffe6
            | 0x20000..=0x3fffd => 2,
            _ => 1,
        })
        .sum()
}
