//! Texts with fields of a record in them.
//!
//! `Question: {question|strip}\nAnswer:` takes the field `question` of a record. A field may be
//! inside others (`question.stem`, `outer[0]`, `[-1]` counts from the end), and `choices[].text` is
//! the list of `text` of every element. After it come filters, each `|name` or `|name("text", ...)`.
//! `{{` and `}}` are braces. There are no loops, conditions or calls, so that every template ends.

mod filter;
mod parser;
mod path;

use serde_json::Value;

pub(crate) use filter::letter;
pub use path::Path;

use filter::Filter;
use parser::Parser;
use path::Step;

/// A template that was parsed.
#[derive(Clone, Debug, PartialEq)]
pub struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Text(String),
    Place(Place),
}

/// A field with its filters.
#[derive(Clone, Debug, PartialEq)]
struct Place {
    path: Path,
    filters: Vec<(Filter, Vec<String>)>,
}

/// Why a template cannot be read or filled in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// It is not written as templates are.
    #[error("character {at} of the template: {problem}")]
    Syntax {
        /// Position from 1, in characters.
        at: usize,
        /// What is wrong there.
        problem: String,
    },
    /// The record has no such field.
    #[error("there is no field `{field}`{help}")]
    Missing {
        /// The path, as far as it does not lead.
        field: String,
        /// What was probably meant, or what there is.
        help: String,
    },
    /// A field that is there but empty (`null`), or of a kind that cannot be written.
    #[error("the field `{field}` is {found}, and {needed}")]
    Kind {
        /// The path.
        field: String,
        /// What it is.
        found: &'static str,
        /// What was needed.
        needed: &'static str,
    },
    /// A text in which what a filter looks for does not occur.
    #[error("the field `{field}` does not contain {text:?}, which `{filter}` looks for")]
    NotFound {
        /// The path.
        field: String,
        /// What was looked for.
        text: String,
        /// The filter.
        filter: &'static str,
    },
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// What is wrong, and at which character.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        Parser::new(text).template()
    }

    /// The text for a record (a JSON object).
    ///
    /// # Errors
    /// A field that the record has not, or that is no text, number or truth value.
    pub fn render(&self, record: &Value) -> Result<String, TemplateError> {
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Text(part) => text.push_str(part),
                Part::Place(place) => text.push_str(&place.text(record)?),
            }
        }
        Ok(text)
    }

    /// The list for a record, of a template that is one field and nothing else; any other value is
    /// a list of one.
    ///
    /// # Errors
    /// As [`Template::render`].
    pub fn list(&self, record: &Value) -> Result<Vec<Value>, TemplateError> {
        match self.0.as_slice() {
            [Part::Place(place)] => match place.value(record)? {
                Value::Array(values) => Ok(values),
                Value::Null => Ok(Vec::new()),
                value => Ok(vec![value]),
            },
            _ => Ok(vec![Value::String(self.render(record)?)]),
        }
    }

    /// Names of the record's fields that it takes.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Place(Place { path, .. }) => match path.steps().first() {
                Some(Step::Key(name)) => Some(name.as_str()),
                _ => None,
            },
            Part::Text(_) => None,
        })
    }
}

impl Place {
    fn value(&self, record: &Value) -> Result<Value, TemplateError> {
        let optional = self.filters.first().is_some_and(|(filter, _)| *filter == Filter::Default);
        let mut value = match self.path.find(record) {
            Err(TemplateError::Missing { .. }) if optional => Value::Null,
            found => found?,
        };
        for (filter, arguments) in &self.filters {
            value = self.apply(*filter, arguments, value)?;
        }
        Ok(value)
    }

    fn text(&self, record: &Value) -> Result<String, TemplateError> {
        self.written(&self.value(record)?)
    }

    /// A value as text.
    fn written(&self, value: &Value) -> Result<String, TemplateError> {
        let needed = "a text, number or truth value is needed here (`default(\"\")` allows none, \
                      `join(\" \")` writes a list)";
        let kind = |found| Err(TemplateError::Kind { field: self.path.to_string(), found, needed });
        match value {
            Value::String(text) => Ok(text.clone()),
            Value::Number(number) => Ok(number.to_string()),
            Value::Bool(truth) => Ok(truth.to_string()),
            Value::Null => kind("null"),
            Value::Array(_) => kind("a list"),
            Value::Object(_) => kind("an object"),
        }
    }
}

#[cfg(test)]
mod tests;
