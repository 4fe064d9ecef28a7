//! Texts with fields of a record in them.
//!
//! `Question: {question|strip}\nAnswer:` takes the field `question` of a record. A field may be
//! inside others (`question.stem`, `outer[0]`, `[-1]` counts from the end), and `choices[].text` is
//! the list of `text` of every element. After it come filters, each `|name` or `|name("text", ...)`.
//! `{{` and `}}` are braces. There are no loops, conditions or calls, so that every template ends.

use serde_json::Value;

use crate::names::closest;

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

/// Where a value lies in a record.
#[derive(Clone, Debug, PartialEq)]
pub struct Path(Vec<Step>);

#[derive(Clone, Debug, PartialEq)]
enum Step {
    Key(String),
    Index(i64),
    Every,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Filter {
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
const FILTERS: [(&str, Filter, usize); 18] = [
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
        Parser { characters: text.chars().collect(), at: 0 }.template()
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
            Part::Place(Place { path: Path(steps), .. }) => match steps.first() {
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

    fn apply(
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
pub(crate) fn python_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

impl Path {
    /// Reads a path as it stands in a template; an empty one is the record itself.
    ///
    /// # Errors
    /// What is wrong, and at which character.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut parser = Parser { characters: text.chars().collect(), at: 0 };
        if text.is_empty() {
            return Ok(Self(Vec::new()));
        }
        let path = parser.path()?;
        match parser.peek() {
            None => Ok(path),
            Some(_) => Err(parser.wrong("a path ends here")),
        }
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
                    None => format!("; there are {}", crate::names::quoted(&names)),
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

struct Parser {
    characters: Vec<char>,
    at: usize,
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.characters.get(self.at).copied()
    }

    fn take(&mut self, wanted: char) -> bool {
        let there = self.peek() == Some(wanted);
        self.at += usize::from(there);
        there
    }

    fn wrong(&self, problem: impl Into<String>) -> TemplateError {
        TemplateError::Syntax { at: self.at + 1, problem: problem.into() }
    }

    fn template(mut self) -> Result<Template, TemplateError> {
        let (mut parts, mut text) = (Vec::new(), String::new());
        while let Some(c) = self.peek() {
            self.at += 1;
            match c {
                '{' if self.take('{') => text.push('{'),
                '}' if self.take('}') => text.push('}'),
                '{' => {
                    if !text.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut text)));
                    }
                    parts.push(Part::Place(self.place()?));
                }
                '}' => {
                    self.at -= 1;
                    return Err(self.wrong("`}` closes nothing; a brace is written `}}`"));
                }
                c => text.push(c),
            }
        }
        if !text.is_empty() {
            parts.push(Part::Text(text));
        }
        Ok(Template(parts))
    }

    fn place(&mut self) -> Result<Place, TemplateError> {
        let path = self.path()?;
        let mut filters = Vec::new();
        while self.take('|') {
            filters.push(self.filter()?);
        }
        if self.take('}') {
            return Ok(Place { path, filters });
        }
        Err(self.wrong("`}`, `|` or another step of the path is expected"))
    }

    fn path(&mut self) -> Result<Path, TemplateError> {
        let mut steps = Vec::new();
        if self.peek() != Some('[') {
            steps.push(Step::Key(self.name("a field")?));
        }
        loop {
            if self.take('.') {
                steps.push(Step::Key(self.name("a field")?));
            } else if self.take('[') {
                let digits: String = std::iter::from_fn(|| {
                    let c = self.peek().filter(|c| c.is_ascii_digit() || *c == '-')?;
                    self.at += 1;
                    Some(c)
                })
                .collect();
                let step = match digits.as_str() {
                    "" => Some(Step::Every),
                    digits => digits.parse().ok().map(Step::Index),
                };
                match step {
                    Some(step) if self.take(']') => steps.push(step),
                    _ => return Err(self.wrong("`[]`, or `[` a position `]`, is expected")),
                }
            } else {
                return Ok(Path(steps));
            }
        }
    }

    fn name(&mut self, what: &str) -> Result<String, TemplateError> {
        let name: String = std::iter::from_fn(|| {
            let c = self.peek().filter(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))?;
            self.at += 1;
            Some(c)
        })
        .collect();
        if name.is_empty() {
            return Err(self.wrong(format!("the name of {what} is expected; a brace is `{{{{`")));
        }
        Ok(name)
    }

    fn filter(&mut self) -> Result<(Filter, Vec<String>), TemplateError> {
        let start = self.at;
        let name = self.name("a filter")?;
        let Some((_, filter, count)) = FILTERS.iter().find(|(known, ..)| *known == name) else {
            self.at = start;
            let names: Vec<&str> = FILTERS.iter().map(|(name, ..)| *name).collect();
            let help = match closest(&name, names.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are {}", crate::names::quoted(&names)),
            };
            return Err(self.wrong(format!("there is no filter `{name}`; {help}")));
        };
        let mut arguments = Vec::new();
        if self.take('(') && !self.take(')') {
            loop {
                arguments.push(self.string()?);
                self.spaces();
                if self.take(')') {
                    break;
                }
                if !self.take(',') {
                    return Err(self.wrong("`,` or `)` is expected"));
                }
                self.spaces();
            }
        }
        if arguments.len() != *count {
            let found = arguments.len();
            return Err(self.wrong(format!("`{name}` takes {count} texts, not {found}")));
        }
        Ok((*filter, arguments))
    }

    fn spaces(&mut self) {
        while self.take(' ') {}
    }

    fn string(&mut self) -> Result<String, TemplateError> {
        if !self.take('"') {
            return Err(self.wrong("a text in double quotes is expected"));
        }
        let mut text = String::new();
        loop {
            let Some(c) = self.peek() else { return Err(self.wrong("`\"` is missing")) };
            self.at += 1;
            match c {
                '"' => return Ok(text),
                '\\' => {
                    let escaped = self.peek();
                    self.at += 1;
                    text.push(match escaped {
                        Some('n') => '\n',
                        Some('t') => '\t',
                        Some(c @ ('"' | '\\')) => c,
                        _ => return Err(self.wrong("after `\\` comes `n`, `t`, `\"` or `\\`")),
                    });
                }
                c => text.push(c),
            }
        }
    }
}

#[cfg(test)]
mod tests;
