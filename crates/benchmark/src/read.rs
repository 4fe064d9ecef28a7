//! Upstream files to records.

mod csv;
mod json;

use serde_json::{Map, Value};

use crate::definition::Reader;

/// One record of an upstream file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Read {
    /// Line of the file on which it starts, from 1.
    pub(crate) line: usize,
    /// The record, as the file has it.
    pub(crate) document: Map<String, Value>,
}

/// A line that is no record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub(crate) line: usize,
    pub(crate) what: String,
}

impl Wrong {
    pub(crate) fn new(line: usize, what: impl Into<String>) -> Self {
        Self { line, what: what.into() }
    }
}

/// The records of a file, and every line that is none. A byte-order mark and carriage returns at
/// line ends change nothing.
pub(crate) fn read(reader: &Reader, bytes: &[u8]) -> (Vec<Read>, Vec<Wrong>) {
    let text = match text(bytes) {
        Ok(text) => text,
        Err(wrong) => return (Vec::new(), vec![wrong]),
    };
    let found = match reader {
        Reader::Csv { columns } => csv::read(text, columns.as_deref()),
        Reader::Jsonl => json::lines(text),
        Reader::Json { records, each } => json::document(text, records, each.as_ref()),
    };
    match found {
        (records, wrong) if records.is_empty() && wrong.is_empty() => {
            (records, vec![Wrong::new(1, "the file holds no records")])
        }
        found => found,
    }
}

/// Adds the lines of a file of labels to records, as whole numbers where they are.
pub(crate) fn add_labels(records: &mut [Read], bytes: &[u8]) -> Result<(), Wrong> {
    let text = text(bytes)?;
    let labels: Vec<&str> = text.lines().collect();
    let blank = labels.iter().position(|label| label.trim().is_empty());
    if let Some(blank) = blank.filter(|blank| *blank < records.len()) {
        return Err(Wrong::new(blank + 1, "the label is empty"));
    }
    if labels.len() != records.len() {
        let what = format!("there are {} labels for {} records", labels.len(), records.len());
        return Err(Wrong::new(labels.len().max(1), what));
    }
    for (record, label) in records.iter_mut().zip(labels) {
        let label = label.trim();
        let value = label.parse::<i64>().map_or_else(|_| Value::from(label), Value::from);
        record.document.insert("label".to_owned(), value);
    }
    Ok(())
}

fn text(bytes: &[u8]) -> Result<&str, Wrong> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|error| {
        let line = 1 + bytes[..error.valid_up_to()].iter().filter(|b| **b == b'\n').count();
        match error.error_len() {
            Some(_) => Wrong::new(line, "it is not valid UTF-8; save the file as UTF-8"),
            None => Wrong::new(line, "the file ends in the middle of a character; copy it again"),
        }
    })
}

#[cfg(test)]
mod tests;
