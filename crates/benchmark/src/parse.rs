//! From the text of a definition to a [`Definition`], or to what is wrong with it and where.

use std::ops::Range;

use ablate_suggestion::{closest, quoted};
use toml::Spanned;

use crate::BenchmarkError;
use crate::definition::{
    Aggregation, Answer, Definition, Format, Prompt, Raw, RawAnswer, RawPrompt, RawReader, Reader,
    Shots, Values, Way,
};
use crate::template::{Path, Template};

impl Definition {
    /// Reads a definition; `origin` is what its file is called in messages.
    ///
    /// # Errors
    /// The first thing that is wrong, with file, line and key.
    pub fn parse(text: &str, origin: &str) -> Result<Self, BenchmarkError> {
        Source { text, origin }.definition()
    }
}

struct Source<'a> {
    text: &'a str,
    origin: &'a str,
}

/// Texts one by one, the list that they come from, and how each of its elements is written.
type RawValues<'a> =
    (Option<&'a [Spanned<String>]>, Option<&'a Spanned<String>>, Option<&'a Spanned<String>>);

impl Source<'_> {
    fn wrong(&self, at: usize, key: &str, problem: impl Into<String>) -> BenchmarkError {
        let line = self.text.get(..at).map_or(1, |before| 1 + before.matches('\n').count());
        let (origin, key) = (self.origin.to_owned(), key.to_owned());
        BenchmarkError::Definition { origin, line, key, problem: problem.into() }
    }

    /// The key that an error of the TOML parser is about, and the message with a suggestion.
    fn toml(&self, error: &toml::de::Error) -> BenchmarkError {
        let at = error.span().unwrap_or(Range { start: 0, end: 0 });
        let mut problem = error.message().to_owned();
        let ticked: Vec<&str> = problem.split('`').skip(1).step_by(2).collect();
        let mut key = self.line_key(at.start);
        if problem.starts_with("unknown field")
            && let Some((unknown, known)) = ticked.split_first()
        {
            key = (*unknown).to_owned();
            if let Some(near) = closest(unknown, known.iter().copied()) {
                problem = format!("there is no such key; did you mean `{near}`?");
            }
        } else if problem.starts_with("missing field") {
            key = ticked.first().map_or(key, |name| (*name).to_owned());
            problem = "the key is missing".into();
        }
        self.wrong(at.start, &key, problem)
    }

    /// The key at the beginning of the line that a place is on.
    fn line_key(&self, at: usize) -> String {
        let before = self.text.get(..at).unwrap_or_default();
        let start = before.rfind('\n').map_or(0, |end| end + 1);
        let line = self.text[start..].lines().next().unwrap_or_default();
        line.split('=').next().unwrap_or_default().trim().trim_matches(['[', ']']).to_owned()
    }

    fn template(&self, key: &str, text: &Spanned<String>) -> Result<Template, BenchmarkError> {
        Template::parse(text.get_ref())
            .map_err(|error| self.wrong(text.span().start, key, error.to_string()))
    }

    fn optional(
        &self,
        key: &str,
        text: Option<&Spanned<String>>,
    ) -> Result<Option<Template>, BenchmarkError> {
        text.map(|text| self.template(key, text)).transpose()
    }

    fn path(&self, key: &str, text: Option<&Spanned<String>>) -> Result<Path, BenchmarkError> {
        let Some(text) = text else { return Path::parse("").map_err(|_| self.wrong(0, key, "")) };
        Path::parse(text.get_ref())
            .map_err(|error| self.wrong(text.span().start, key, error.to_string()))
    }

    /// Where a key of the top level is written, for errors without a span.
    fn place(&self, key: &str) -> usize {
        let starts = |line: &str| line.trim_start().trim_start_matches('[').starts_with(key);
        let mut at = 0;
        for line in self.text.split_inclusive('\n') {
            if starts(line) {
                return at;
            }
            at += line.len();
        }
        0
    }

    fn definition(&self) -> Result<Definition, BenchmarkError> {
        let raw: Raw = toml::from_str(self.text).map_err(|error| self.toml(&error))?;
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c);
        if raw.name.is_empty() || !raw.name.chars().all(plain) {
            let problem = "a name has small letters, digits, `_` and `-`";
            return Err(self.wrong(self.place("name"), "name", problem));
        }
        if raw.files.is_empty() {
            return Err(self.wrong(0, "files", "there is no file"));
        }
        let splits: Vec<&str> = raw.files.iter().map(|rule| rule.split.as_str()).collect();
        for rule in &raw.files {
            if rule.path.matches("{subject}").count() > 1 || rule.path.contains("..") {
                let problem = "a path has `{subject}` once at most, and no `..`";
                return Err(self.wrong(self.place("files"), "path", problem));
            }
        }
        let split = raw.split.clone().unwrap_or_else(|| splits[0].to_owned());
        self.known_split("split", &split, &splits, self.place("split"))?;
        // Those further down may use those above them.
        let mut written: Vec<(&String, &Spanned<String>)> = raw.fields.iter().collect();
        written.sort_by_key(|(_, text)| text.span().start);
        let fields = written
            .into_iter()
            .map(|(name, text)| Ok((name.clone(), self.template(name, text)?)))
            .collect::<Result<Vec<_>, _>>()?;
        let answer = raw.answer.as_ref().map(|answer| self.answer(answer)).transpose()?;
        let prompts = raw
            .prompt
            .iter()
            .map(|prompt| self.prompt(prompt, &split, &splits, answer.is_some()))
            .collect::<Result<Vec<_>, _>>()?;
        if prompts.is_empty() {
            return Err(self.wrong(0, "prompt", "there is no prompt"));
        }
        let task = match &raw.task {
            Some(task) => self.template("task", task)?,
            None => Template::parse(&raw.name)
                .map_err(|error| self.wrong(0, "name", error.to_string()))?,
        };
        if raw.cluster.is_some() && raw.aggregation == Aggregation::Subjects {
            let problem = "where every subject counts the same, subjects are what is drawn within";
            return Err(self.wrong(self.place("cluster"), "cluster", problem));
        }
        Ok(Definition {
            digest: blake3::hash(self.text.as_bytes()).to_hex().to_string(),
            title: raw.title.unwrap_or_else(|| raw.name.clone()),
            name: raw.name,
            about: raw.about,
            task,
            split,
            aggregation: raw.aggregation,
            folders: raw.folders,
            reader: self.reader(&raw.reader)?,
            files: raw.files,
            fields,
            id: self.optional("id", raw.id.as_ref())?,
            cluster: self.optional("cluster", raw.cluster.as_ref())?,
            answer,
            subjects: raw.subjects,
            prompts,
        })
    }

    fn known_split(
        &self,
        key: &str,
        split: &str,
        splits: &[&str],
        at: usize,
    ) -> Result<(), BenchmarkError> {
        if splits.contains(&split) {
            return Ok(());
        }
        let problem = format!("no file is of the split `{split}`; there are {}", quoted(splits));
        Err(self.wrong(at, key, problem))
    }

    fn reader(&self, raw: &Spanned<RawReader>) -> Result<Reader, BenchmarkError> {
        let at = raw.span().start;
        let raw = raw.get_ref();
        let of = |wanted: Format, key: &str, there: bool, names: &str| {
            if there && raw.format != wanted {
                return Err(self.wrong(at, key, format!("only the format `{names}` has this key")));
            }
            Ok(())
        };
        of(Format::Csv, "columns", raw.columns.is_some(), "csv")?;
        of(Format::Csv, "header", raw.header.is_some(), "csv")?;
        of(Format::Json, "records", raw.records.is_some(), "json")?;
        of(Format::Json, "each", raw.each.is_some(), "json")?;
        Ok(match raw.format {
            Format::Jsonl => Reader::Jsonl,
            Format::Json => Reader::Json {
                records: self.path("records", raw.records.as_ref())?,
                each: match &raw.each {
                    Some(each) => Some(self.path("each", Some(each))?),
                    None => None,
                },
            },
            Format::Csv => match (raw.header.unwrap_or(raw.columns.is_none()), &raw.columns) {
                (true, None) => Reader::Csv { columns: None },
                (false, Some(columns)) => Reader::Csv { columns: Some(columns.clone()) },
                (true, Some(_)) => {
                    let problem = "a header names the columns already; leave one of both out";
                    return Err(self.wrong(at, "columns", problem));
                }
                (false, None) => {
                    let problem = "a table without a header needs the names of its columns";
                    return Err(self.wrong(at, "columns", problem));
                }
            },
        })
    }

    fn answer(&self, raw: &Spanned<RawAnswer>) -> Result<Answer, BenchmarkError> {
        let at = raw.span().start;
        let raw = raw.get_ref();
        let values = self.values(
            at,
            ("values", "values_of", "value"),
            (raw.values.as_deref(), raw.values_of.as_ref(), raw.value.as_ref()),
        )?;
        let Some(values) = values else {
            let problem = "say what the key is for each option: `values`, or `values_of` a list";
            return Err(self.wrong(at, "values", problem));
        };
        let (letters, optional) = (raw.letters, raw.optional);
        Ok(Answer { key: self.template("key", &raw.key)?, values, letters, optional })
    }

    fn values(
        &self,
        at: usize,
        (each_key, of_key, one_key): (&str, &str, &str),
        raw: RawValues<'_>,
    ) -> Result<Option<Values>, BenchmarkError> {
        match raw {
            (Some(_), Some(_), _) => {
                let problem = format!("`{each_key}` and `{of_key}` say the same; keep one");
                Err(self.wrong(at, of_key, problem))
            }
            (Some(each), None, None) => {
                let each: Result<_, _> =
                    each.iter().map(|text| self.template(each_key, text)).collect();
                Ok(Some(Values::Each(each?)))
            }
            (None, Some(of), one) => {
                Ok(Some(Values::Of(self.template(of_key, of)?, self.optional(one_key, one)?)))
            }
            (None, None, None) => Ok(None),
            (_, None, Some(one)) => {
                let problem = format!("says how each element of `{of_key}` is written");
                Err(self.wrong(one.span().start, one_key, problem))
            }
        }
    }

    fn prompt(
        &self,
        spanned: &Spanned<RawPrompt>,
        split: &str,
        splits: &[&str],
        answered: bool,
    ) -> Result<Prompt, BenchmarkError> {
        let at = spanned.span().start;
        let raw = spanned.get_ref();
        let contexts = match (&raw.context, &raw.contexts) {
            (Some(context), None) => vec![self.template("context", context)?],
            (None, Some(contexts)) if contexts.len() > 1 => contexts
                .iter()
                .map(|text| self.template("contexts", text))
                .collect::<Result<_, _>>()?,
            (None, Some(_)) => {
                let problem = "one for each option; a single one is written `context`";
                return Err(self.wrong(at, "contexts", problem));
            }
            (Some(_), Some(_)) => {
                return Err(self.wrong(at, "contexts", "keep `context` or `contexts`"));
            }
            (None, None) => return Err(self.wrong(at, "context", "the key is missing")),
        };
        let options = self.values(
            at,
            ("options", "options_of", "option"),
            (raw.options.as_deref(), raw.options_of.as_ref(), raw.option.as_ref()),
        )?;
        let generates = raw.scoring == Way::Generate;
        let reference = self.optional("reference", raw.reference.as_ref())?;
        let problem = match (generates, &options, &reference) {
            (true, Some(_), _) => Some(("options", "what is generated has no options")),
            (true, None, None) => Some(("reference", "say what a generated text is compared with")),
            (false, None, _) => Some(("options", "say what may follow the context")),
            (false, Some(_), Some(_)) => Some(("reference", "only what is generated has one")),
            _ if generates && contexts.len() > 1 => {
                Some(("contexts", "what is generated has one `context`"))
            }
            (false, Some(Values::Each(options)), _)
                if contexts.len() > 1 && options.len() != contexts.len() =>
            {
                Some(("contexts", "there must be as many as there are options"))
            }
            (false, Some(Values::Each(options)), _) if options.len() > 1 && !answered => {
                Some(("options", "the table `[answer]` must say which of them is right"))
            }
            _ => None,
        };
        if let Some((key, problem)) = problem {
            return Err(self.wrong(at, key, problem));
        }
        for (key, there) in
            [("until", raw.until.is_some()), ("max_tokens", raw.max_tokens.is_some())]
        {
            if there && !generates {
                return Err(self.wrong(at, key, "only the scoring `generate` has this key"));
            }
        }
        if raw.after.is_some() && raw.scoring != Way::Ppl {
            return Err(self.wrong(at, "after", "only the scoring `ppl` has this key"));
        }
        if let Some(metric) = &raw.metric
            && !ablate_eval::METRICS.contains(&metric.get_ref().as_str())
        {
            let problem = match closest(metric.get_ref(), ablate_eval::METRICS) {
                Some(near) => format!("there is no such metric; did you mean `{near}`?"),
                None => {
                    format!("there is no such metric; there are {}", quoted(&ablate_eval::METRICS))
                }
            };
            return Err(self.wrong(metric.span().start, "metric", problem));
        }
        let split = raw.split.clone().unwrap_or_else(|| split.to_owned());
        self.known_split("split", &split, splits, at)?;
        if let Some(from) = &raw.shots_from {
            self.known_split("shots_from", from, splits, at)?;
        }
        let count = raw.shots.unwrap_or(0);
        if count > 0 && raw.shots_from.is_none() {
            return Err(self.wrong(at, "shots_from", "say which split the examples are of"));
        }
        let whole = raw.scoring == Way::Ppl;
        let delimiter = raw.delimiter.clone();
        Ok(Prompt {
            scoring: raw.scoring,
            language: raw.language.clone(),
            subjects: raw.subjects.clone(),
            split,
            description: match &raw.description {
                Some(text) => self.template("description", text)?,
                None => {
                    Template::parse("").map_err(|e| self.wrong(at, "description", e.to_string()))?
                }
            },
            contexts,
            options,
            delimiter: delimiter.unwrap_or_else(|| (if whole { "" } else { " " }).to_owned()),
            after: raw.after.clone().unwrap_or_default(),
            unconditional: raw.unconditional.clone(),
            shots: Shots {
                count,
                from: raw.shots_from.clone(),
                between: raw.between.clone().unwrap_or_else(|| "\n\n".to_owned()),
            },
            reference,
            until: raw.until.clone().unwrap_or_else(|| vec!["\n".to_owned()]),
            max_tokens: raw.max_tokens,
            metric: raw.metric.as_ref().map(|metric| metric.get_ref().clone()),
        })
    }
}

#[cfg(test)]
mod tests;
