//! The one table that every renderer takes: cells know their number, their interval, their mark and their note.
//!
//! A table does not know Markdown from LaTeX; see [`crate::render`].

use serde::Serialize;

use crate::number::{MISSING, fixed, signed};
use crate::provenance::Source;

/// A table with its caption and notes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Table {
    /// File stem and anchor, such as `main`.
    pub name: String,
    /// What the table shows.
    pub caption: String,
    /// The columns, left to right.
    pub columns: Vec<Column>,
    /// The rows, top to bottom.
    pub rows: Vec<Row>,
    /// General notes: what the intervals are, what was tested.
    pub notes: Vec<String>,
}

/// One column.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Column {
    /// Heading.
    pub title: String,
    /// Unit, shown in parentheses.
    pub unit: Option<String>,
    /// Side the cells are set on.
    pub align: Align,
}

/// Side of a column that its cells are set on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// One row.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Row {
    /// One cell per column.
    pub cells: Vec<Cell>,
    /// Whether a rule separates the row from the one above.
    pub rule: bool,
}

/// One cell.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Cell {
    /// What is read.
    pub text: String,
    /// The interval as read, such as `± 0.8` or `[0.3, 2.1]`.
    pub spread: Option<String>,
    /// The number behind the text, unrounded.
    pub value: Option<f64>,
    /// The interval behind the spread, unrounded.
    pub interval: Option<(f64, f64)>,
    /// How the cell stands out.
    pub mark: Option<Mark>,
    /// A footnote of this cell.
    pub note: Option<String>,
    /// What it was computed from, and how.
    #[serde(skip)]
    pub source: Option<Box<Source>>,
}

/// How a cell stands out from the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mark {
    /// Separated from all the rest by the paired test: set in bold.
    Best,
    /// Its interval includes what a model that knows nothing scores.
    AtChance,
    /// A difference that cannot be told from noise: `~`.
    Indistinct,
    /// There is no number because the runs failed.
    Failed,
}

impl Table {
    /// A table without rows.
    pub fn new(name: &str, caption: impl Into<String>, columns: Vec<Column>) -> Self {
        Self {
            name: name.to_string(),
            caption: caption.into(),
            columns,
            rows: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Adds a row; it is cut or filled up to the number of columns.
    pub fn push(&mut self, cells: Vec<Cell>) {
        self.push_row(cells, false);
    }

    /// Adds a row below a rule.
    pub fn push_below_rule(&mut self, cells: Vec<Cell>) {
        self.push_row(cells, true);
    }

    fn push_row(&mut self, mut cells: Vec<Cell>, rule: bool) {
        cells.resize_with(self.columns.len(), Cell::default);
        self.rows.push(Row { cells, rule });
    }

    /// Adds a general note.
    pub fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    /// Removes the columns in which no row has anything to say; the first column stays.
    pub fn drop_empty_columns(&mut self) {
        let keep: Vec<bool> = (0..self.columns.len())
            .map(|c| {
                c == 0
                    || self.rows.iter().any(|r| {
                        let text = r.cells[c].text.as_str();
                        !text.is_empty() && text != MISSING
                    })
            })
            .collect();
        self.keep(&keep);
    }

    /// Keeps only the columns whose title passes.
    pub fn keep_columns(&mut self, test: impl Fn(&str) -> bool) {
        let keep: Vec<bool> = self.columns.iter().map(|c| test(&c.title)).collect();
        self.keep(&keep);
    }

    fn keep(&mut self, keep: &[bool]) {
        let mut column = keep.iter();
        self.columns.retain(|_| *column.next().unwrap_or(&true));
        for row in &mut self.rows {
            let mut cell = keep.iter();
            row.cells.retain(|_| *cell.next().unwrap_or(&true));
        }
    }

    /// The distinct cell notes in reading order: their letters are `a`, `b`, ...
    pub fn cell_notes(&self) -> Vec<&str> {
        let mut notes: Vec<&str> = Vec::new();
        for note in self.rows.iter().flat_map(|r| &r.cells).filter_map(|c| c.note.as_deref()) {
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
        notes
    }

    /// The letter of a cell's note.
    pub fn note_letter(&self, cell: &Cell) -> Option<String> {
        let note = cell.note.as_deref()?;
        self.cell_notes().iter().position(|n| *n == note).map(letter)
    }
}

/// `a` .. `z`, then `aa`, `ab`, ...
pub(crate) fn letter(index: usize) -> String {
    let last = char::from(b'a' + (index % 26) as u8);
    if index < 26 { last.to_string() } else { format!("{}{last}", letter(index / 26 - 1)) }
}

impl Column {
    /// A column of words.
    pub fn text(title: impl Into<String>) -> Self {
        Self { title: title.into(), unit: None, align: Align::Left }
    }

    /// A column of numbers.
    pub fn number(title: impl Into<String>) -> Self {
        Self { title: title.into(), unit: None, align: Align::Right }
    }

    /// The same column with a unit.
    pub fn unit(mut self, unit: impl Into<String>) -> Self {
        self.unit = Some(unit.into());
        self
    }

    /// Title and unit: `Average (%)`.
    pub fn heading(&self) -> String {
        match &self.unit {
            Some(unit) => format!("{} ({unit})", self.title),
            None => self.title.clone(),
        }
    }
}

impl Cell {
    /// Words.
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// Nothing to show.
    pub fn missing() -> Self {
        Self::text(MISSING)
    }

    /// A variant that did not finish.
    pub fn failed(reason: impl Into<String>) -> Self {
        Self {
            text: "failed".to_string(),
            mark: Some(Mark::Failed),
            note: Some(reason.into()),
            ..Self::default()
        }
    }

    /// A number with a fixed number of decimals.
    pub fn number(value: f64, digits: usize) -> Self {
        Self { text: fixed(value, digits), value: finite(value), ..Self::default() }
    }

    /// A difference: signed, with a fixed number of decimals.
    pub fn difference(value: f64, digits: usize) -> Self {
        Self { text: signed(value, digits), value: finite(value), ..Self::default() }
    }

    /// A number that is written some other way, such as `1.62 M`.
    pub fn written(value: f64, text: impl Into<String>) -> Self {
        Self { text: text.into(), value: finite(value), ..Self::default() }
    }

    /// Adds the half-width of a symmetric interval: `± 0.8`.
    pub fn plus_minus(mut self, interval: Option<(f64, f64)>, digits: usize) -> Self {
        if let Some((low, high)) = interval.filter(|i| i.0.is_finite() && i.1.is_finite()) {
            self.spread = Some(format!("± {}", fixed((high - low) / 2.0, digits)));
            self.interval = Some((low, high));
        }
        self
    }

    /// Adds an interval by its ends: `[0.3, 2.1]`.
    pub fn between(mut self, interval: Option<(f64, f64)>, digits: usize) -> Self {
        if let Some((low, high)) = interval.filter(|i| i.0.is_finite() && i.1.is_finite()) {
            self.spread = Some(format!("[{}, {}]", signed(low, digits), signed(high, digits)));
            self.interval = Some((low, high));
        }
        self
    }

    /// Sets the mark.
    pub fn mark(mut self, mark: Option<Mark>) -> Self {
        self.mark = mark;
        self
    }

    /// Sets what it was computed from.
    pub fn source(mut self, source: Source) -> Self {
        self.source = Some(Box::new(source));
        self
    }

    /// Text and spread, as read.
    pub(crate) fn printed(&self) -> String {
        match &self.spread {
            Some(spread) => format!("{} {spread}", self.text),
            None => self.text.clone(),
        }
    }

    /// Sets the footnote.
    pub fn note(mut self, note: Option<String>) -> Self {
        self.note = note;
        self
    }
}

fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}
