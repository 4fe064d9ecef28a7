//! Records of a benchmark: what upstream says of one item, and where it says it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::BenchmarkError;
use crate::definition::{Definition, FileRule};
use crate::error::Problem;
use crate::files::Files;
use crate::prompt;
use crate::read::{add_labels, read};

/// Bytes of the longest text that names what items share.
const LONGEST_NAME: usize = 64;

/// One item as upstream has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Unique within its split.
    pub id: String,
    /// `test`, `dev`, ...
    pub split: String,
    /// The subject, empty where there are none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// Its file, as it is called upstream.
    pub file: String,
    /// Its place among the records of the file, from 0.
    pub row: usize,
    /// Line of the file on which it starts, from 1.
    pub line: usize,
    /// Its fields.
    pub document: Map<String, Value>,
}

/// A file that records were read from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRead {
    /// Its name in the folder or archive.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// The blake3 of its content.
    pub blake3: String,
    /// Records in it; 0 of labels.
    pub records: usize,
}

/// A file that a rule names: its whole name, and its subject.
struct Found<'a> {
    rule: &'a FileRule,
    name: &'a str,
    folder: &'a str,
    subject: String,
}

/// Reads and checks all records.
///
/// # Errors
/// Files that are missing or ambiguous; every line that cannot be used.
pub(crate) fn records(
    definition: &Definition,
    files: &Files,
    place: &std::path::Path,
) -> Result<(Vec<Record>, Vec<FileRead>), BenchmarkError> {
    let mut found = Vec::new();
    for rule in &definition.files {
        found.extend(matching(definition, rule, files.names())?);
    }
    if !found.iter().any(|found| found.rule.split == definition.split) {
        let rules = definition.files.iter().filter(|rule| rule.split == definition.split);
        return Err(BenchmarkError::NoFiles {
            benchmark: definition.name.clone(),
            place: place.to_owned(),
            patterns: rules.map(|rule| format!("`{}`", rule.path)).collect(),
            help: "; give the folder or archive that its makers publish".to_owned(),
        });
    }
    let (mut all, mut read_files, mut problems) = (Vec::new(), Vec::new(), Vec::new());
    for found in found {
        let bytes = files.read(found.name)?;
        let read_file = |name: &str, bytes: &[u8], records| FileRead {
            path: name.to_owned(),
            bytes: bytes.len() as u64,
            blake3: blake3::hash(bytes).to_hex().to_string(),
            records,
        };
        let (mut records, wrong) = read(&definition.reader, &bytes);
        let problem = |file: &str, line, what| Problem { file: file.to_owned(), line, what };
        problems.extend(wrong.into_iter().map(|wrong| problem(found.name, wrong.line, wrong.what)));
        if let Some(labels) = &found.rule.labels {
            let name = format!("{}{labels}", found.folder);
            match files.names().contains(&name) {
                false => {
                    let what = format!("the file of its labels, `{name}`, is missing");
                    problems.push(problem(found.name, 1, what));
                }
                true => {
                    let labels = files.read(&name)?;
                    read_files.push(read_file(&name, &labels, 0));
                    if let Err(wrong) = add_labels(&mut records, &labels) {
                        problems.push(problem(&name, wrong.line, wrong.what));
                        continue;
                    }
                }
            }
        }
        read_files.push(read_file(found.name, &bytes, records.len()));
        for (row, read) in records.into_iter().enumerate() {
            let mut record = Record {
                id: String::new(),
                split: found.rule.split.clone(),
                subject: found.subject.clone(),
                file: found.name.to_owned(),
                row,
                line: read.line,
                document: read.document,
            };
            match check(definition, &mut record) {
                Ok(()) => all.push(record),
                Err(what) => problems.push(problem(found.name, read.line, what)),
            }
        }
    }
    duplicates(&all, &mut problems);
    if problems.is_empty() {
        return Ok((all, read_files));
    }
    Err(BenchmarkError::Lines { benchmark: definition.name.clone(), problems })
}

/// Names the record and asks every prompt for it, so that what is wrong is known by its line.
fn check(definition: &Definition, record: &mut Record) -> Result<(), String> {
    let value = context(definition, record)?;
    let row = record.row;
    record.id = match &definition.id {
        Some(id) => id.render(&value).map_err(|error| format!("its id: {error}"))?,
        None if record.subject.is_empty() => row.to_string(),
        None => format!("{}-{row}", record.subject),
    };
    if record.id.trim().is_empty() {
        return Err("its id is empty".to_owned());
    }
    definition.task.render(&value).map_err(|error| format!("its task: {error}"))?;
    cluster(definition, record, &value)?;
    for prompt in prompt::fitting(definition, &record.subject) {
        if prompt.split == record.split || prompt.shots.from.as_ref() == Some(&record.split) {
            prompt::parts(definition, prompt, &value)?;
        }
    }
    Ok(())
}

/// What a record shares with those that are drawn with it: what the definition says, else its subject.
pub(crate) fn cluster(
    definition: &Definition,
    record: &Record,
    value: &Value,
) -> Result<Option<String>, String> {
    let Some(shared) = &definition.cluster else {
        return Ok((!record.subject.is_empty()).then(|| record.subject.clone()));
    };
    let text = shared.render(value).map_err(|error| format!("its cluster: {error}"))?;
    if text.is_empty() {
        return Ok(Some(format!("item {}", record.id)));
    }
    if text.len() <= LONGEST_NAME {
        return Ok(Some(text));
    }
    // A passage is no name: the same text has the same one.
    Ok(Some(format!("passage {}", &blake3::hash(text.as_bytes()).to_hex()[..16])))
}

/// What templates see of a record: its fields, those made of them, and `subject`, `subject_name`,
/// `row` where it has no fields of these names.
pub(crate) fn context(definition: &Definition, record: &Record) -> Result<Value, String> {
    let mut object = record.document.clone();
    let spoken = definition.subjects.get(&record.subject).cloned();
    let spoken = spoken.unwrap_or_else(|| record.subject.replace(['_', '-'], " ").into());
    for (name, value) in
        [("subject", json!(record.subject)), ("subject_name", spoken), ("row", json!(record.row))]
    {
        object.entry(name).or_insert(value);
    }
    let mut value = Value::Object(object);
    for (name, template) in &definition.fields {
        let text = template.render(&value).map_err(|error| format!("`{name}`: {error}"))?;
        value[name.as_str()] = Value::String(text);
    }
    Ok(value)
}

fn duplicates(records: &[Record], problems: &mut Vec<Problem>) {
    let mut first = BTreeMap::new();
    for record in records {
        if let Some(earlier) = first.insert((&record.split, &record.id), record) {
            let what = format!(
                "its id {:?} is that of line {} of {}",
                record.id, earlier.line, earlier.file
            );
            problems.push(Problem { file: record.file.clone(), line: record.line, what });
        }
    }
}

/// The files that a rule names, in the order of their names.
fn matching<'a>(
    definition: &'a Definition,
    rule: &'a FileRule,
    names: &'a [String],
) -> Result<Vec<Found<'a>>, BenchmarkError> {
    let candidates: Vec<Found<'a>> = names.iter().filter_map(|name| matches(rule, name)).collect();
    // Several benchmarks call their files alike: those in a folder of the right name go first.
    let mut inside: Vec<&str> = Vec::new();
    for found in &candidates {
        let named = |part: &str| definition.folders.iter().any(|f| f.eq_ignore_ascii_case(part));
        if root(rule, found).split('/').any(named) {
            inside.push(found.name);
        }
    }
    let chosen: Vec<Found<'a>> = candidates
        .into_iter()
        .filter(|found| inside.is_empty() || inside.contains(&found.name))
        .collect();
    let mut folders: Vec<String> = chosen.iter().map(|found| root(rule, found)).collect();
    folders.sort();
    folders.dedup();
    if folders.len() > 1 {
        let quoted = |folder: &String| format!("`{folder}`");
        return Err(BenchmarkError::Ambiguous {
            benchmark: definition.name.clone(),
            pattern: rule.path.clone(),
            folders: folders.iter().map(quoted).collect(),
        });
    }
    Ok(chosen)
}

/// What stands before the part of a name that the rule is about.
fn root(rule: &FileRule, found: &Found<'_>) -> String {
    let parts: Vec<&str> = found.name.split('/').collect();
    let depth = rule.path.split('/').count();
    parts[..parts.len().saturating_sub(depth)].join("/")
}

fn matches<'a>(rule: &'a FileRule, name: &'a str) -> Option<Found<'a>> {
    let wanted: Vec<&str> = rule.path.split('/').collect();
    let parts: Vec<&str> = name.split('/').collect();
    let tail = parts.get(parts.len().checked_sub(wanted.len())?..)?;
    let mut subject = rule.subject.clone().unwrap_or_default();
    for (wanted, part) in wanted.iter().zip(tail) {
        match wanted.split_once("{subject}") {
            None if wanted == part => {}
            None => return None,
            Some((before, after)) => {
                let middle = part.strip_prefix(before)?.strip_suffix(after)?;
                if middle.is_empty() {
                    return None;
                }
                subject = middle.to_owned();
            }
        }
    }
    let file = parts.last().map_or(0, |file| file.len());
    Some(Found { rule, name, folder: &name[..name.len() - file], subject })
}
