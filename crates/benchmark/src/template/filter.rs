//! What can be done with the value of a field before it is written.

use serde_json::Value;

use super::{Place, TemplateError};

/// A filter; docs/benchmarks.md says what each does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filter {
    Strip,
    Lstrip,
    Rstrip,
    Lower,
    Upper,
    Capitalize,
    Replace,
    Before,
    After,
    BeforeLast,
    AfterLast,
    Drop,
    Default,
    Then,
    Join,
    Lettered,
    LastLetter,
    Count,
}

/// Name, what it is, number of arguments.
pub(super) const FILTERS: [(&str, Filter, usize); 18] = [
    ("strip", Filter::Strip, 0),
    ("lstrip", Filter::Lstrip, 0),
    ("rstrip", Filter::Rstrip, 0),
    ("lower", Filter::Lower, 0),
    ("upper", Filter::Upper, 0),
    ("capitalize", Filter::Capitalize, 0),
    ("replace", Filter::Replace, 2),
    ("before", Filter::Before, 1),
    ("after", Filter::After, 1),
    ("before_last", Filter::BeforeLast, 1),
    ("after_last", Filter::AfterLast, 1),
    ("drop", Filter::Drop, 2),
    ("default", Filter::Default, 1),
    ("then", Filter::Then, 1),
    ("join", Filter::Join, 1),
    ("lettered", Filter::Lettered, 1),
    ("last_letter", Filter::LastLetter, 0),
    ("count", Filter::Count, 0),
];

impl Place {
    /// The value after one filter.
    pub(super) fn apply(
        &self,
        filter: Filter,
        arguments: &[String],
        value: Value,
    ) -> Result<Value, TemplateError> {
        let argument = |index: usize| arguments.get(index).map_or("", String::as_str);
        let first = argument(0);
        let not_found = |filter| {
            let (field, text) = (self.path.to_string(), first.to_owned());
            Err(TemplateError::NotFound { field, text, filter })
        };
        match (filter, &value) {
            (Filter::Default, Value::Null) => return Ok(Value::String(first.to_owned())),
            (Filter::Default, _) => return Ok(value),
            (Filter::Join, Value::Array(values)) => {
                let texts: Result<Vec<_>, _> = values.iter().map(|v| self.written(v)).collect();
                return Ok(Value::String(texts?.join(first)));
            }
            (Filter::Lettered, Value::Array(values)) => {
                let texts: Result<Vec<_>, _> = values.iter().map(|v| self.written(v)).collect();
                let lettered = texts?.into_iter().enumerate();
                let write = |(index, text)| format!("{}{first}{text}", letter(index));
                return Ok(lettered.map(write).collect());
            }
            (Filter::LastLetter, Value::Array(values)) => {
                return Ok(letter(values.len().saturating_sub(1)).to_string().into());
            }
            (Filter::Count, Value::Array(values)) => return Ok(values.len().into()),
            (Filter::Join, _) => return Ok(value),
            (Filter::Lettered | Filter::LastLetter | Filter::Count, _) => {
                return Err(TemplateError::Kind {
                    field: self.path.to_string(),
                    found: "no list",
                    needed: "the filter needs one",
                });
            }
            (_, Value::Array(values)) => {
                let each = values.iter().map(|value| self.apply(filter, arguments, value.clone()));
                return each.collect();
            }
            _ => {}
        }
        let text = self.written(&value)?;
        let text = match filter {
            Filter::Strip => text.trim_matches(python_space).to_owned(),
            Filter::Lstrip => text.trim_start_matches(python_space).to_owned(),
            Filter::Rstrip => text.trim_end_matches(python_space).to_owned(),
            Filter::Lower => text.to_lowercase(),
            Filter::Upper => text.to_uppercase(),
            Filter::Capitalize => {
                let mut characters = text.chars();
                characters.next().map_or_else(String::new, |first| {
                    first.to_uppercase().collect::<String>() + &characters.as_str().to_lowercase()
                })
            }
            Filter::Replace => text.replace(first, argument(1)),
            Filter::Before | Filter::BeforeLast | Filter::After | Filter::AfterLast => {
                let (found, name) = match filter {
                    Filter::Before => (text.split_once(first), "before"),
                    Filter::After => (text.split_once(first), "after"),
                    Filter::BeforeLast => (text.rsplit_once(first), "before_last"),
                    _ => (text.rsplit_once(first), "after_last"),
                };
                match (found, filter) {
                    (None, _) => return not_found(name),
                    (Some((before, _)), Filter::Before | Filter::BeforeLast) => before.to_owned(),
                    (Some((_, after)), _) => after.to_owned(),
                }
            }
            Filter::Drop => without(&text, first, argument(1)),
            Filter::Then if text.is_empty() => text,
            Filter::Then => text + first,
            Filter::Default
            | Filter::Join
            | Filter::Lettered
            | Filter::LastLetter
            | Filter::Count => text,
        };
        Ok(Value::String(text))
    }
}

/// A text without what stands from each `open` to the next `close` on the same line.
fn without(text: &str, open: &str, close: &str) -> String {
    let (mut kept, mut rest) = (String::new(), text);
    while let Some((before, inside)) = rest.split_once(open) {
        let end = inside.find(close).filter(|end| !inside[..*end].contains('\n'));
        kept.push_str(before);
        match end {
            Some(end) => rest = &inside[end + close.len()..],
            None => {
                kept.push_str(open);
                rest = inside;
            }
        }
    }
    kept + rest
}

/// The letter of a position: A, B, ...
pub(crate) fn letter(position: usize) -> char {
    char::from(b'A' + u8::try_from(position).unwrap_or(25).min(25))
}

/// What Python's `str.strip` takes away.
fn python_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}
