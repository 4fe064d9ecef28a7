//! JSON, one object per line or one document with a list of records in it.

use serde_json::{Map, Value};

use super::{Read, Wrong};
use crate::template::Path;

pub(super) fn lines(text: &str) -> (Vec<Read>, Vec<Wrong>) {
    let (mut records, mut wrong) = (Vec::new(), Vec::new());
    let count = text.split('\n').count();
    for (index, line) in text.split('\n').enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let number = index + 1;
        match serde_json::from_str::<Map<String, Value>>(line) {
            Ok(document) => records.push(Read { line: number, document }),
            // Half a line at the very end is a broken copy rather than bad JSON.
            Err(error) if error.is_eof() && number == count => {
                wrong.push(Wrong::new(number, "the last line is cut off; copy the file again"));
            }
            Err(error) => {
                let reason = error.to_string().replace(" at line 1 column", " at column");
                wrong.push(Wrong::new(number, format!("not a JSON object: {reason}")));
            }
        }
    }
    (records, wrong)
}

pub(super) fn document(text: &str, records: &Path, each: Option<&Path>) -> (Vec<Read>, Vec<Wrong>) {
    let document: Value = match serde_json::from_str(text) {
        Ok(document) => document,
        Err(error) => {
            let what = if error.is_eof() {
                "the file is cut off; copy it again".to_owned()
            } else {
                format!("not JSON: {error}")
            };
            return (Vec::new(), vec![Wrong::new(error.line().max(1), what)]);
        }
    };
    let list = match records.find(&document) {
        Ok(Value::Array(list)) => list,
        Ok(_) => return (Vec::new(), vec![Wrong::new(1, format!("`{records}` is no list"))]),
        Err(error) => return (Vec::new(), vec![Wrong::new(1, error.to_string())]),
    };
    // Only elements of the whole document have lines that are easy to find.
    let lines = if document.is_array() { element_lines(text) } else { Vec::new() };
    let (mut found, mut wrong) = (Vec::new(), Vec::new());
    for (index, element) in list.into_iter().enumerate() {
        let line = lines.get(index).copied().unwrap_or(1);
        let Some(each) = each else {
            match element {
                Value::Object(document) => found.push(Read { line, document }),
                _ => wrong.push(Wrong::new(line, format!("record {} is no object", index + 1))),
            }
            continue;
        };
        match each.find(&element) {
            Ok(Value::Array(inner)) => {
                for (position, inner) in inner.into_iter().enumerate() {
                    let Value::Object(mut document) = inner else {
                        let what = format!("`{each}` of record {} is no object", index + 1);
                        wrong.push(Wrong::new(line, what));
                        continue;
                    };
                    document.insert("outer".to_owned(), element.clone());
                    document.insert("position".to_owned(), position.into());
                    found.push(Read { line, document });
                }
            }
            Ok(_) => {
                let what = format!("`{each}` of record {} is no list", index + 1);
                wrong.push(Wrong::new(line, what));
            }
            Err(error) => wrong.push(Wrong::new(line, error.to_string())),
        }
    }
    (found, wrong)
}

/// The lines on which the elements of a list start, of valid JSON that is a list.
fn element_lines(text: &str) -> Vec<usize> {
    let (mut lines, mut line, mut depth) = (Vec::new(), 1, 0usize);
    let (mut quoted, mut escaped, mut expecting) = (false, false, true);
    for byte in text.bytes() {
        if quoted {
            (quoted, escaped) = match byte {
                b'"' if !escaped => (false, false),
                b'\\' => (true, !escaped),
                _ => (true, false),
            };
            continue;
        }
        if depth == 1 && expecting && !byte.is_ascii_whitespace() && byte != b']' {
            lines.push(line);
            expecting = false;
        }
        match byte {
            b'\n' => line += 1,
            b'"' => quoted = true,
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            b',' if depth == 1 => expecting = true,
            _ => {}
        }
    }
    lines
}
