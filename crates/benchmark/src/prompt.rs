//! From records to what a model is asked.

use std::collections::BTreeMap;

use ablate_eval::{Form, Item, Scoring};
use serde_json::{Value, json};

use crate::BenchmarkError;
use crate::definition::{Answer, Definition, Prompt, Values, Way};
use crate::import::Imported;
use crate::record::{Record, cluster, context};
use crate::template::letter;

/// How a benchmark is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ask {
    /// How choices are scored; `None` is the first prompt's way. Items that have no prompt for it
    /// are asked as they can be.
    pub scoring: Option<Scoring>,
    /// Examples before each question; `None` is the definition's number.
    pub shots: Option<usize>,
    /// At most so many items, spread evenly over all of them.
    pub limit: Option<usize>,
}

/// An item with what it was made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Question<'a> {
    /// What a model is asked.
    pub item: Item,
    /// What upstream says.
    pub record: &'a Record,
    /// Name of the task in lm-evaluation-harness's results.
    pub task: String,
    /// How it is scored.
    pub way: Way,
    /// Examples before the question.
    pub shots: usize,
}

/// Prompts for a subject.
pub(crate) fn fitting<'a>(
    definition: &'a Definition,
    subject: &str,
) -> impl Iterator<Item = &'a Prompt> {
    let fits = move |prompt: &&Prompt| {
        prompt.subjects.is_empty() || prompt.subjects.iter().any(|known| known == subject)
    };
    definition.prompts.iter().filter(fits)
}

/// The texts of one record in a prompt.
pub(crate) struct Parts {
    /// One, or one per option.
    contexts: Vec<String>,
    /// Without what stands around them.
    options: Vec<String>,
    keys: Vec<usize>,
    reference: Option<String>,
    description: String,
    /// Whether nothing is right, which only definitions allow that say so.
    unanswered: bool,
}

/// Fills a prompt in.
///
/// # Errors
/// What is missing or cannot be: the text names it.
pub(crate) fn parts(
    definition: &Definition,
    prompt: &Prompt,
    record: &Value,
) -> Result<Parts, String> {
    let contexts = prompt.contexts.iter().map(|text| text.render(record));
    let contexts = contexts.collect::<Result<Vec<_>, _>>().map_err(|e| format!("context: {e}"))?;
    let description = prompt.description.render(record).map_err(|e| format!("description: {e}"))?;
    let Some(values) = &prompt.options else {
        let reference = prompt.reference.as_ref().map(|text| text.render(record)).transpose();
        let reference = reference.map_err(|error| format!("reference: {error}"))?;
        let optional = definition.answer.as_ref().is_some_and(|answer| answer.optional);
        let unanswered = reference.as_ref().is_none_or(|text| text.trim().is_empty());
        if unanswered && !optional {
            return Err("what a generated text is compared with is empty".to_owned());
        }
        return Ok(Parts {
            contexts,
            options: Vec::new(),
            keys: Vec::new(),
            reference,
            description,
            unanswered,
        });
    };
    let options = written(values, record).map_err(|error| format!("options: {error}"))?;
    if let Some(empty) = options.iter().position(|option| option.trim().is_empty()) {
        return Err(format!("option {} is empty", empty + 1));
    }
    let keys = match &definition.answer {
        Some(answer) => keys(answer, record, options.len())?,
        None => vec![0],
    };
    if options.is_empty() || (options.len() == 1 && definition.answer.is_some()) {
        return Err(format!("a choice needs two options, not {}", options.len()));
    }
    if contexts.len() > 1 && contexts.len() != options.len() {
        return Err(format!("{} options for {} contexts", options.len(), contexts.len()));
    }
    let unanswered = keys.is_empty();
    Ok(Parts { contexts, options, keys, reference: None, description, unanswered })
}

/// Each of the values as text.
fn written(values: &Values, record: &Value) -> Result<Vec<String>, crate::TemplateError> {
    match values {
        Values::Each(templates) => templates.iter().map(|text| text.render(record)).collect(),
        Values::Of(list, template) => {
            let mut inside = record.clone();
            let elements = list.list(record)?.into_iter().enumerate();
            let write = |(index, element): (usize, Value)| {
                let Some(template) = template else {
                    inside["it"] = element;
                    return crate::Template::parse("{it}")?.render(&inside);
                };
                inside["it"] = element;
                inside["letter"] = json!(letter(index).to_string());
                inside["number"] = json!(index);
                template.render(&inside)
            };
            elements.map(write).collect()
        }
    }
}

/// Positions of the right options.
fn keys(answer: &Answer, record: &Value, options: usize) -> Result<Vec<usize>, String> {
    let values = written(&answer.values, record).map_err(|e| format!("answer values: {e}"))?;
    if values.len() != options {
        return Err(format!("{} values of the key for {options} options", values.len()));
    }
    let given = answer.key.list(record).map_err(|error| format!("answer key: {error}"))?;
    let mut texts = Vec::new();
    for value in given {
        let text = match value {
            Value::String(text) => text,
            value => value.to_string(),
        };
        if answer.letters && !values.contains(&text) {
            let letters = text.chars().filter(|c| c.is_alphanumeric());
            texts.extend(letters.map(String::from));
        } else {
            texts.push(text);
        }
    }
    texts.retain(|text| !text.trim().is_empty());
    if texts.is_empty() && answer.optional {
        return Ok(Vec::new());
    }
    if texts.is_empty() {
        return Err("the key is empty".to_owned());
    }
    let place = |text: &String| {
        values.iter().position(|value| value == text).ok_or_else(|| {
            format!("the key {text:?} is none of {}", ablate_suggestion::quoted(&values))
        })
    };
    texts.iter().map(place).collect()
}

impl Imported {
    /// What a model is asked, in upstream's order.
    ///
    /// # Errors
    /// A split, or examples, that were not imported.
    pub fn ask(&self, ask: &Ask) -> Result<Vec<Question<'_>>, BenchmarkError> {
        let mut asking = Asking { imported: self, headers: BTreeMap::new() };
        let mut wanted = Vec::new();
        for record in &self.records {
            let Some(prompt) = self.prompt_for(&record.subject, ask.scoring) else { continue };
            if prompt.split == record.split {
                wanted.push((record, prompt));
            }
        }
        if wanted.is_empty() {
            let problem = format!(
                "the split it is scored on was not imported; there are {}",
                ablate_suggestion::quoted(&self.about.splits.keys().collect::<Vec<_>>())
            );
            return Err(asking.wrong(problem));
        }
        let count = wanted.len();
        let kept = ask.limit.unwrap_or(count).min(count);
        let chosen = (0..kept).map(|index| index * count / kept);
        chosen
            .filter_map(|index| {
                let (record, prompt) = wanted[index];
                asking.question(record, prompt, ask.shots).transpose()
            })
            .collect()
    }

    /// The first prompt for a subject and a way; else one that generates, else any.
    fn prompt_for(&self, subject: &str, scoring: Option<Scoring>) -> Option<&Prompt> {
        let fits = || fitting(&self.definition, subject);
        let way = match scoring {
            None => return fits().next(),
            Some(Scoring::Ppl) => Way::Ppl,
            Some(Scoring::Continuation) => Way::Continuation,
        };
        fits()
            .find(|prompt| prompt.scoring == way)
            .or_else(|| fits().find(|prompt| prompt.scoring == Way::Generate))
            .or_else(|| fits().next())
    }
}

/// A solved example and its text.
type Example<'a> = (&'a Record, String);

struct Asking<'a> {
    imported: &'a Imported,
    /// Examples of a prompt, subject and number.
    headers: BTreeMap<(*const Prompt, &'a str, usize), Vec<Example<'a>>>,
}

impl<'a> Asking<'a> {
    fn wrong(&self, problem: String) -> BenchmarkError {
        BenchmarkError::Ask { benchmark: self.imported.definition.name.clone(), problem }
    }

    fn parts(&self, prompt: &Prompt, record: &Record) -> Result<(Value, Parts), BenchmarkError> {
        let definition = &self.imported.definition;
        let filled = context(definition, record).and_then(|value| {
            let parts = parts(definition, prompt, &value)?;
            Ok((value, parts))
        });
        filled.map_err(|what| self.wrong(format!("{}, line {}: {what}", record.file, record.line)))
    }

    fn question(
        &mut self,
        record: &'a Record,
        prompt: &'a Prompt,
        shots: Option<usize>,
    ) -> Result<Option<Question<'a>>, BenchmarkError> {
        let (value, parts) = self.parts(prompt, record)?;
        if parts.unanswered {
            return Ok(None);
        }
        let shots = shots.unwrap_or(prompt.shots.count);
        let examples = self.examples(record, prompt, shots)?;
        let definition = &self.imported.definition;
        let task = definition.task.render(&value).map_err(|error| self.wrong(error.to_string()))?;
        let header = parts.description.clone() + &examples;
        let mut contexts: Vec<String> =
            parts.contexts.iter().map(|context| format!("{header}{context}")).collect();
        let around = |option: &String| format!("{}{option}{}", prompt.delimiter, prompt.after);
        let several = contexts.len() > 1;
        let form = Form {
            subject: cluster(definition, record, &value).map_err(|error| self.wrong(error))?,
            keys: if parts.keys.len() > 1 { parts.keys.clone() } else { Vec::new() },
            delimiter: prompt.delimiter.clone(),
            after: prompt.after.clone(),
            unconditional: prompt.unconditional.clone(),
            until: if parts.options.is_empty() { prompt.until.clone() } else { Vec::new() },
            max_tokens: prompt.max_tokens,
            metric: prompt.metric.clone(),
            scoring: match prompt.scoring {
                Way::Ppl => Some(Scoring::Ppl),
                Way::Continuation => Some(Scoring::Continuation),
                Way::Generate => None,
            },
            by_subject: definition.aggregation == crate::Aggregation::Subjects,
            contexts: if several { std::mem::take(&mut contexts) } else { Vec::new() },
        };
        let item = Item {
            id: record.id.clone(),
            benchmark: definition.name.clone(),
            language: prompt.language.clone(),
            context: contexts.pop().unwrap_or_default(),
            options: parts.options.iter().map(around).collect(),
            key: parts.keys.first().copied(),
            reference: parts.reference,
            form: Some(form),
        };
        Ok(Some(Question { item, record, task, way: prompt.scoring, shots }))
    }

    /// The first examples of the record's subject, solved. The record itself is none of them.
    fn examples(
        &mut self,
        record: &'a Record,
        prompt: &'a Prompt,
        shots: usize,
    ) -> Result<String, BenchmarkError> {
        if shots == 0 {
            return Ok(String::new());
        }
        let from = prompt.shots.from.as_ref().unwrap_or(&prompt.split);
        let key = (std::ptr::from_ref(prompt), record.subject.as_str(), shots);
        if !self.headers.contains_key(&key) {
            let all = self.imported.records.iter();
            let mut solved = Vec::new();
            let fits = |known: &Record| known.split == *from && known.subject == record.subject;
            // One more, in case that the question is among them.
            for known in all.filter(|known| fits(known)).take(shots + 1) {
                let (_, parts) = self.parts(prompt, known)?;
                let key = parts.keys.first().copied().unwrap_or_default();
                let context = parts.contexts.get(key).or(parts.contexts.first());
                let answer = parts.options.get(key).or(parts.reference.as_ref());
                let (context, answer) =
                    (context.map_or("", String::as_str), answer.map_or("", String::as_str));
                let (delimiter, after) = (&prompt.delimiter, &prompt.after);
                let between = &prompt.shots.between;
                solved.push((known, format!("{context}{delimiter}{answer}{after}{between}")));
            }
            self.headers.insert(key, solved);
        }
        let solved = &self.headers[&key];
        let others = || solved.iter().filter(|(known, _)| !std::ptr::eq(*known, record));
        if others().count() < shots {
            let of = match record.subject.as_str() {
                "" => String::new(),
                subject => format!(" of `{subject}`"),
            };
            return Err(self.wrong(format!(
                "{shots} examples are wanted, but the split `{from}`{of} has {}; ask for fewer \
                 with `--shots`, or import it with that split",
                solved.len()
            )));
        }
        Ok(others().take(shots).map(|(_, text)| text.as_str()).collect())
    }
}
