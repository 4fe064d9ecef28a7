//! CSV for machines: unrounded numbers, interval ends and notes in columns of their own.

use crate::table::{Align, Cell, Mark, Table};

impl Table {
    /// The table as CSV (RFC 4180, line feeds). A column of numbers gives its unrounded values, then `low` and `high` where any of its
    /// cells has an interval, then `mark` where any has one; a last column collects the notes.
    pub fn to_csv(&self) -> String {
        let any = |c: usize, test: fn(&Cell) -> bool| {
            self.rows.iter().any(|r| r.cells.get(c).is_some_and(test))
        };
        let with_interval: Vec<bool> =
            (0..self.columns.len()).map(|c| any(c, |cell| cell.interval.is_some())).collect();
        let with_mark: Vec<bool> =
            (0..self.columns.len()).map(|c| any(c, |cell| cell.mark.is_some())).collect();
        let with_notes = !self.cell_notes().is_empty();

        let mut heads: Vec<String> = Vec::new();
        for (c, column) in self.columns.iter().enumerate() {
            let title = column.heading();
            if with_interval[c] {
                heads.extend([title.clone(), format!("{title} low"), format!("{title} high")]);
            } else {
                heads.push(title.clone());
            }
            if with_mark[c] {
                heads.push(format!("{title} mark"));
            }
        }
        if with_notes {
            heads.push("notes".to_string());
        }
        let mut out = line(&heads);
        for row in &self.rows {
            let mut fields: Vec<String> = Vec::new();
            for (c, cell) in row.cells.iter().enumerate() {
                fields.push(value(cell, self.columns[c].align));
                if with_interval[c] {
                    let ends = cell.interval;
                    fields.push(ends.map(|e| e.0.to_string()).unwrap_or_default());
                    fields.push(ends.map(|e| e.1.to_string()).unwrap_or_default());
                }
                if with_mark[c] {
                    fields.push(cell.mark.map(mark).unwrap_or_default().to_string());
                }
            }
            if with_notes {
                let notes: Vec<&str> = row.cells.iter().filter_map(|c| c.note.as_deref()).collect();
                fields.push(notes.join("; "));
            }
            out += &line(&fields);
        }
        out
    }
}

/// The unrounded number where there is one; the text of a word column; nothing for a number that is missing or failed (the mark says so).
fn value(cell: &Cell, align: Align) -> String {
    match (cell.value, align) {
        (Some(value), _) => value.to_string(),
        (None, Align::Right)
            if cell.text == crate::number::MISSING || cell.mark == Some(Mark::Failed) =>
        {
            String::new()
        }
        (None, _) => cell.text.clone(),
    }
}

fn mark(mark: Mark) -> &'static str {
    match mark {
        Mark::Best => "best",
        Mark::AtChance => "at-chance",
        Mark::Indistinct => "indistinct",
        Mark::Failed => "failed",
    }
}

fn line(fields: &[String]) -> String {
    let mut out = fields.iter().map(|f| quote(f)).collect::<Vec<_>>().join(",");
    out.push('\n');
    out
}

fn quote(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_string()
    }
}
