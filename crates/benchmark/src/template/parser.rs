//! How a template is written.

use ablate_suggestion::closest;

use super::filter::{FILTERS, Filter};
use super::path::{Path, Step};
use super::{Part, Place, Template, TemplateError};

/// Reads templates and paths, character by character.
pub(super) struct Parser {
    characters: Vec<char>,
    at: usize,
}

impl Parser {
    pub(super) fn new(text: &str) -> Self {
        Self { characters: text.chars().collect(), at: 0 }
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.characters.get(self.at).copied()
    }

    fn take(&mut self, wanted: char) -> bool {
        let there = self.peek() == Some(wanted);
        self.at += usize::from(there);
        there
    }

    pub(super) fn wrong(&self, problem: impl Into<String>) -> TemplateError {
        TemplateError::Syntax { at: self.at + 1, problem: problem.into() }
    }

    pub(super) fn template(mut self) -> Result<Template, TemplateError> {
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

    pub(super) fn path(&mut self) -> Result<Path, TemplateError> {
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
                None => format!("there are {}", ablate_suggestion::quoted(&names)),
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
