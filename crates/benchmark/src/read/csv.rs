//! Comma-separated values (RFC 4180): fields may be in double quotes, and then have commas, line
//! ends and doubled quotes in them.

use serde_json::{Map, Value};

use super::{Read, Wrong};

/// A row: the line that it starts on, and its fields.
type Row = (usize, Vec<String>);

pub(super) fn read(text: &str, columns: Option<&[String]>) -> (Vec<Read>, Vec<Wrong>) {
    let (rows, mut wrong) = rows(text);
    let complete = text.ends_with('\n');
    let count = rows.len();
    let mut rows = rows.into_iter().enumerate();
    let columns = match columns {
        Some(columns) => columns.to_vec(),
        None => match rows.next() {
            Some((_, (_, header))) => header,
            None => return (Vec::new(), wrong),
        },
    };
    let mut records = Vec::new();
    for (index, (line, fields)) in rows {
        if fields.len() == columns.len() {
            let named = columns.iter().cloned().zip(fields.into_iter().map(Value::from));
            records.push(Read { line, document: named.collect::<Map<_, _>>() });
            continue;
        }
        let cut = index + 1 == count && !complete && fields.len() < columns.len();
        let what = if cut {
            "the last line is cut off; copy the file again".to_owned()
        } else {
            format!(
                "it has {} columns, not the {} ({})",
                fields.len(),
                columns.len(),
                ablate_suggestion::quoted(&columns)
            )
        };
        wrong.push(Wrong::new(line, what));
    }
    (records, wrong)
}

fn rows(text: &str) -> (Vec<Row>, Vec<Wrong>) {
    let (mut rows, mut wrong) = (Vec::<Row>::new(), Vec::new());
    let mut characters = text.chars().peekable();
    let mut line = 1;
    while characters.peek().is_some() {
        let start = line;
        let mut fields = Vec::new();
        loop {
            let mut field = String::new();
            if characters.next_if_eq(&'"').is_some() {
                loop {
                    match characters.next() {
                        Some('"') if characters.next_if_eq(&'"').is_some() => field.push('"'),
                        Some('"') => break,
                        Some(c) => {
                            line += usize::from(c == '\n');
                            field.push(c);
                        }
                        None => {
                            let what = "a quote that opens here is never closed: the file is cut \
                                        off, or a quote inside a field is not doubled";
                            wrong.push(Wrong::new(start, what));
                            return (rows, wrong);
                        }
                    }
                }
            }
            // As Python's `csv`: what follows a closing quote belongs to the field.
            while let Some(c) = characters.next_if(|c| !matches!(*c, ',' | '\n' | '\r')) {
                field.push(c);
            }
            fields.push(field);
            match characters.next() {
                Some(',') => {}
                Some('\r') => {
                    characters.next_if_eq(&'\n');
                    break;
                }
                _ => break,
            }
        }
        line += 1;
        // An empty line is no row.
        if fields.len() > 1 || !fields[0].is_empty() {
            rows.push((start, fields));
        }
    }
    (rows, wrong)
}
