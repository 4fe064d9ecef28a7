//! Where a value lies in a record.

use ablate_suggestion::closest;
use serde_json::Value;

use super::TemplateError;
use super::parser::Parser;

/// Where a value lies in a record.
#[derive(Clone, Debug, PartialEq)]
pub struct Path(pub(super) Vec<Step>);

/// A step on the way.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    Key(String),
    Index(i64),
    Every,
}

impl Path {
    /// Reads a path as it stands in a template; an empty one is the record itself.
    ///
    /// # Errors
    /// What is wrong, and at which character.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut parser = Parser::new(text);
        if text.is_empty() {
            return Ok(Self(Vec::new()));
        }
        let path = parser.path()?;
        match parser.peek() {
            None => Ok(path),
            Some(_) => Err(parser.wrong("a path ends here")),
        }
    }

    pub(super) fn steps(&self) -> &[Step] {
        &self.0
    }

    /// The value at this place of a record.
    ///
    /// # Errors
    /// A place that the record has not.
    pub fn find(&self, record: &Value) -> Result<Value, TemplateError> {
        walk(&self.0, &self.0, record)
    }
}

fn walk(all: &[Step], left: &[Step], value: &Value) -> Result<Value, TemplateError> {
    let Some((step, rest)) = left.split_first() else { return Ok(value.clone()) };
    let so_far = || Path(all[..all.len() - rest.len()].to_vec()).to_string();
    let missing = |help: String| Err(TemplateError::Missing { field: so_far(), help });
    match (step, value) {
        (Step::Key(key), Value::Object(object)) => match object.get(key) {
            Some(value) => walk(all, rest, value),
            None => {
                let names: Vec<&str> = object.keys().map(String::as_str).collect();
                missing(match closest(key, names.iter().copied()) {
                    Some(near) => format!("; did you mean `{near}`?"),
                    None => format!("; there are {}", ablate_suggestion::quoted(&names)),
                })
            }
        },
        (Step::Index(index), Value::Array(values)) => {
            let place = if *index < 0 { *index + values.len() as i64 } else { *index };
            match usize::try_from(place).ok().and_then(|place| values.get(place)) {
                Some(value) => walk(all, rest, value),
                None => missing(format!("; the list has {} elements", values.len())),
            }
        }
        (Step::Every, Value::Array(values)) => {
            values.iter().map(|value| walk(all, rest, value)).collect()
        }
        (Step::Key(_), _) => missing("; what it should be in is no object".into()),
        (Step::Index(_) | Step::Every, _) => missing("; what it should be in is no list".into()),
    }
}

impl std::fmt::Display for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (place, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if place == 0 => f.write_str(key)?,
                Step::Key(key) => write!(f, ".{key}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Every => f.write_str("[]")?,
            }
        }
        Ok(())
    }
}
