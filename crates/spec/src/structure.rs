//! Checks a written document against the schema: unknown keys, wrong types, unknown words,
//! numbers out of range. Everything found is reported at its place and marked in the tree, so
//! that later checks neither stumble over it nor report it again.

use ablate_suggestion::{advice, closest, quoted};
use serde_json::Value as Json;

use crate::reporter::Reporter;
use crate::size::{self, Unit};
use crate::tree::{At, Entry, Node, Table, Value};
use crate::{alternatives, schema};

/// Checks a whole study file.
pub(crate) fn check_file(table: &mut Table, report: &mut Reporter) {
    check(table, schema::root(), "the study file", report);
}

/// Checks a delta against the base.
pub(crate) fn check_delta(table: &mut Table, report: &mut Reporter) {
    check(table, schema::base(), "the base", report);
}

fn check(table: &mut Table, schema: &'static Json, root: &'static str, report: &mut Reporter) {
    let at = At { source: 0, span: 0..0 };
    let mut node = Node { value: Value::Table(std::mem::take(table)), at };
    Checker { report, root, path: Vec::new() }.value(&mut node, schema);
    if let Value::Table(checked) = node.value {
        *table = checked;
    }
}

struct Checker<'a> {
    report: &'a mut Reporter,
    /// What the document is called.
    root: &'static str,
    path: Vec<String>,
}

impl Checker<'_> {
    fn value(&mut self, node: &mut Node, schema: &'static Json) {
        if matches!(node.value, Value::Invalid) {
            return;
        }
        let target = schema::resolve(schema);
        if let Some((words, tags)) = schema::alternatives(target) {
            self.choice(node, &words, &tags);
        } else if let Some(entries) = target.get("additionalProperties").filter(|e| e.is_object()) {
            self.map(node, entries);
        } else if schema::properties(target).is_some()
            && (node.table().is_some() || !schema::is_number_too(target))
        {
            self.table(node, target);
        } else if target.get("type").is_some_and(|name| {
            // Of what takes an array or something else, an array is one.
            name == "array" || matches!(node.value, Value::Array(_)) && takes(target, "array")
        }) {
            self.array(node, target);
        } else if target.get("type").is_some() {
            self.scalar(node, target);
        }
    }

    fn table(&mut self, node: &mut Node, schema: &'static Json) {
        let place = self.place();
        let Some(properties) = schema::properties(schema) else { return };
        let Value::Table(table) = &mut node.value else { return self.wrong_type(node, "a table") };
        for index in 0..table.entries.len() {
            let key = table.entries[index].key.clone();
            match properties.get(&key) {
                Some(property) => {
                    self.path.push(key);
                    self.value(&mut table.entries[index].node, property);
                    self.path.pop();
                }
                None => {
                    let known: Vec<_> = properties.keys().map(String::as_str).collect();
                    self.unknown_key(table, index, &known);
                }
            }
        }
        self.exclusive_keys(table);
        for key in schema.get("required").and_then(Json::as_array).into_iter().flatten() {
            let Some(key) = key.as_str().filter(|key| table.get(key).is_none()) else { continue };
            let what = format!("{place} has no `{key}`");
            self.report.error(&node.at, what, format!("`{key}` is missing here"), None);
            let missing = Node { value: Value::Invalid, at: node.at.clone() };
            table.insert(&[(key, node.at.clone())], missing);
        }
    }

    fn unknown_key(&mut self, table: &mut Table, index: usize, known: &[&str]) {
        let place = self.place();
        let Entry { key, key_at, .. } = &table.entries[index];
        let (key, at) = (key.clone(), key_at.clone());
        let meant = closest(&key, known.iter().copied()).map(String::from);
        let elsewhere = || places_of(&key).into_iter().find(|path| *path != key);
        let help = match (&meant, elsewhere()) {
            (None, Some(path)) => Some(format!("did you mean `{path}`?")),
            _ => advice(&key, &format!("keys of {place}"), known),
        };
        let what = format!("unknown key `{key}` in {place}");
        self.report.error(&at, what, format!("{place} has no such key"), help);
        let entry = &mut table.entries[index];
        entry.node.value = Value::Invalid;
        // A mistyped key stands for the one that was meant, which is then not missing.
        if let Some(meant) = meant.filter(|meant| table.get(meant).is_none()) {
            table.entries[index].key = meant;
        }
    }

    fn exclusive_keys(&mut self, table: &mut Table) {
        let Some(sets) = alternatives::of(&self.path) else { return };
        let chosen =
            |set: &[&'static str]| set.iter().copied().find(|key| table.get(key).is_some());
        let keys: Vec<_> = sets.iter().filter_map(|set| chosen(set)).collect();
        let [first, second, ..] = keys.as_slice() else { return };
        let place = self.place();
        let Some(entry) = table.entries.iter_mut().find(|entry| entry.key == *second) else {
            return;
        };
        let what = format!("{place} has both `{first}` and `{second}`");
        let why = format!("excludes `{first}`");
        let help = Some("keep one of the two".into());
        self.report.error(&entry.key_at, what, why, help);
        entry.node.value = Value::Invalid;
    }

    fn map(&mut self, node: &mut Node, entries: &'static Json) {
        let Value::Table(table) = &mut node.value else { return self.wrong_type(node, "a table") };
        for entry in &mut table.entries {
            self.path.push(entry.key.clone());
            self.value(&mut entry.node, entries);
            self.path.pop();
        }
    }

    fn array(&mut self, node: &mut Node, schema: &'static Json) {
        let Value::Array(items) = &mut node.value else {
            return self.wrong_type(node, "an array");
        };
        if let Some(schema) = schema.get("items") {
            items.iter_mut().for_each(|item| self.value(item, schema));
        }
        if items.is_empty() && schema.get("minItems").is_some() {
            let what = format!("`{}` is empty", self.path.join("."));
            self.report.error(&node.at, what, "at least one is needed".into(), None);
            node.value = Value::Invalid;
        }
    }

    fn choice(&mut self, node: &mut Node, words: &[&str], tags: &[(&str, &'static Json)]) {
        let names: Vec<_> = tags.iter().map(|(tag, _)| *tag).collect();
        let path = self.path.join(".");
        let is_word = tags.is_empty() || !words.is_empty() && node.string().is_some();
        if is_word {
            return self.word(node, words, &names);
        }
        let Value::Table(table) = &mut node.value else {
            let help = node.string().filter(|word| names.contains(word));
            let help = help.map(|word| format!("write `{path}.{word} = {{}}`"));
            let table = format!("a table with one of {}", quoted(&names));
            let expected = match words.is_empty() {
                true => table,
                false => format!("one of {}, or {table}", quoted(words)),
            };
            return self.wrong_type_with(node, &expected, help);
        };
        for index in 0..table.entries.len() {
            let key = table.entries[index].key.clone();
            match tags.iter().find(|(tag, _)| *tag == key) {
                Some((_, content)) => {
                    self.path.push(key);
                    self.value(&mut table.entries[index].node, content);
                    self.path.pop();
                }
                None => self.unknown_key(table, index, &names),
            }
        }
        if alternatives::of(&self.path).is_some() {
            self.exclusive_keys(table);
        } else if let [_, second, ..] = table.entries.as_mut_slice() {
            let what = format!("`{path}` has more than one of {}", quoted(&names));
            self.report.error(&second.key_at, what, "the second".into(), None);
            second.node.value = Value::Invalid;
        }
        if table.entries.is_empty() {
            let what = format!("`{path}` is empty");
            let why = format!("expected one of {}", quoted(&names));
            self.report.error(&node.at, what, why, None);
            node.value = Value::Invalid;
        }
    }

    /// One of some words; `tags` are what could be written instead, as tables.
    fn word(&mut self, node: &mut Node, words: &[&str], tags: &[&str]) {
        let path = self.path.join(".");
        let Some(word) = node.string().map(String::from) else {
            return self.wrong_type(node, &format!("one of {}", quoted(words)));
        };
        if words.contains(&word.as_str()) {
            return;
        }
        let what = format!("`{path}` cannot be \"{word}\"");
        let all = words.iter().chain(tags).copied();
        let help = closest(&word, all.clone()).map(|near| match tags.contains(&near) {
            true => format!("write `{path}.{near} = {{}}`"),
            false => format!("did you mean \"{near}\"?"),
        });
        let expected = format!("expected one of {}", quoted(&all.collect::<Vec<_>>()));
        self.report.error(&node.at, what, expected, help);
        node.value = Value::Invalid;
    }

    fn scalar(&mut self, node: &mut Node, schema: &'static Json) {
        let takes = |kind: &str| takes(schema, kind);
        let format = schema.get("format").and_then(Json::as_str).unwrap_or_default();
        match &node.value {
            Value::String(_) if takes("string") => match Unit::of_format(format) {
                Some(unit) => self.written_size(node, schema, unit),
                None if format == size::SHARE => self.written_share(node, schema),
                None => self.length(node, schema),
            },
            Value::Integer(integer) if takes("integer") || takes("number") => {
                let number = *integer as f64;
                self.range(node, schema, number);
            }
            Value::Float(float, _) if takes("number") => {
                let number = *float;
                self.range(node, schema, number);
            }
            Value::Float(float, _) if takes("integer") && float.is_infinite() => {
                self.bad(node, "too large".into(), None);
            }
            Value::Boolean(_) if takes("boolean") => {}
            value => {
                let expected = match format {
                    "count" => "an integer or a size such as \"400k\"",
                    "bytes" => "an integer or a size such as \"6MB\"",
                    size::SHARE => "a number or a percentage such as \"3%\"",
                    _ if schema::is_number_too(schema) => "a number or a table",
                    _ if takes("integer") => "an integer",
                    _ if takes("number") => "a number",
                    _ if takes("boolean") => "`true` or `false`",
                    _ if takes("array") => "a string or an array of strings",
                    _ => "a string",
                };
                let help = match value {
                    Value::String(text)
                        if !takes("string") && text.trim().parse::<f64>().is_ok() =>
                    {
                        Some(format!("write it without quotes: {}", text.trim()))
                    }
                    _ => None,
                };
                self.wrong_type_with(node, expected, help);
            }
        }
    }

    fn written_size(&mut self, node: &mut Node, schema: &'static Json, unit: Unit) {
        match size::parse(node.string().unwrap_or_default(), unit) {
            Ok(size) => self.range(node, schema, size as f64),
            Err(why) => {
                let example = match unit {
                    Unit::Count => "\"400k\", \"1.5M\" or 400000",
                    Unit::Bytes => "\"6MB\", \"100kB\" or 6000000",
                };
                self.bad(node, why, Some(format!("write for example {example}")));
            }
        }
    }

    fn written_share(&mut self, node: &mut Node, schema: &'static Json) {
        match size::parse_share(node.string().unwrap_or_default()) {
            Ok(share) => self.range(node, schema, share),
            Err(why) => self.bad(node, why, Some("write for example 0.03 or \"3%\"".into())),
        }
    }

    fn length(&mut self, node: &mut Node, schema: &'static Json) {
        if schema.get("minLength").is_some() && node.string() == Some("") {
            self.bad(node, "must not be empty".into(), None);
        }
    }

    fn range(&mut self, node: &mut Node, schema: &'static Json, number: f64) {
        let limit = |name: &str| schema.get(name).and_then(Json::as_f64);
        let problem = if !number.is_finite() {
            Some("must be a finite number".into())
        } else if let Some(least) = limit("exclusiveMinimum").filter(|least| number <= *least) {
            Some(format!("must be greater than {least}"))
        } else if let Some(least) = limit("minimum").filter(|least| number < *least) {
            Some(format!("must be at least {least}"))
        } else if let Some(most) = limit("exclusiveMaximum").filter(|most| number >= *most) {
            Some(format!("must be less than {most}"))
        } else {
            limit("maximum").filter(|most| number > *most).map(|m| format!("must be at most {m}"))
        };
        if let Some(problem) = problem {
            self.bad(node, problem, None);
        }
    }

    fn bad(&mut self, node: &mut Node, why: String, help: Option<String>) {
        let what = format!("`{}` cannot be {}", self.path.join("."), node.text());
        self.report.error(&node.at, what, why, help);
        node.value = Value::Invalid;
    }

    fn wrong_type(&mut self, node: &mut Node, expected: &str) {
        let is_axis = self.path.first().is_some_and(|key| key == "design") && self.path.len() == 3;
        let help = (is_axis && node.table().is_some())
            .then(|| format!("quote the dotted path: \"{}.KEY\" = [...]", self.path[2]));
        self.wrong_type_with(node, expected, help);
    }

    fn wrong_type_with(&mut self, node: &mut Node, expected: &str, help: Option<String>) {
        let what = format!("`{}` is {}", self.path.join("."), node.kind());
        self.report.error(&node.at, what, format!("expected {expected}"), help);
        node.value = Value::Invalid;
    }

    fn place(&self) -> String {
        match self.path.as_slice() {
            [] => self.root.into(),
            path => format!("[{}]", path.join(".")),
        }
    }
}

/// Whether a schema takes a kind of value.
fn takes(schema: &Json, kind: &str) -> bool {
    match schema.get("type") {
        Some(Json::Array(kinds)) => kinds.iter().any(|name| name == kind),
        Some(name) => name == kind,
        None => true,
    }
}

/// Paths of the base that end in this key.
fn places_of(key: &str) -> Vec<String> {
    fn walk(schema: &'static Json, key: &str, path: &str, found: &mut Vec<String>) {
        let tags = schema::alternatives(schema).map(|(_, tags)| tags).unwrap_or_default();
        let named = schema::properties(schema).into_iter().flatten();
        let all = named.map(|(name, part)| (name.as_str(), part)).chain(tags);
        for (name, part) in all {
            let here = if path.is_empty() { name.into() } else { format!("{path}.{name}") };
            if name == key {
                found.push(here.clone());
            }
            walk(part, key, &here, found);
        }
    }
    let mut found = Vec::new();
    walk(schema::base(), key, "", &mut found);
    found
}
