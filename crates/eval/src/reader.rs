//! Items from JSON lines.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{EvalError, Form, Item, ItemProblem};

/// A line that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineProblem {
    /// Line number, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: ItemProblem,
}

/// Reads items from a file of JSON lines and checks every line.
///
/// Fields: `id`, `benchmark`, `language`, `context` (strings), and either `options` (list of
/// strings) with `key` (position of the right one, from 0) or `reference` (string). Other fields
/// are ignored, as are empty lines, a byte-order mark, and carriage returns at line ends.
///
/// # Errors
/// A file that cannot be read or has no items; all lines that are wrong, at once.
pub fn read_items(path: &Path) -> Result<Vec<Item>, EvalError> {
    let bytes =
        std::fs::read(path).map_err(|source| EvalError::Io { path: path.to_owned(), source })?;
    match parse_items(&bytes) {
        Ok(items) if items.is_empty() => Err(EvalError::NoItems { path: path.to_owned() }),
        Ok(items) => Ok(items),
        Err(problems) => Err(EvalError::Lines { path: path.to_owned(), problems }),
    }
}

/// The items in the contents of a file that [`read_items`] reads.
///
/// # Errors
/// Every line that is wrong.
pub fn parse_items(bytes: &[u8]) -> Result<Vec<Item>, Vec<LineProblem>> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let ends_complete = bytes.ends_with(b"\n");
    let count = bytes.split(|byte| *byte == b'\n').count();
    let (mut items, mut problems) = (Vec::new(), Vec::new());
    let mut lines_of_ids = BTreeMap::new();
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.trim_ascii().is_empty() {
            continue;
        }
        let number = index + 1;
        match parse_line(line) {
            Err(problem) => {
                // Half a line at the very end is a broken copy rather than bad JSON.
                let unfinished = matches!(&problem, Parsing::Unfinished(_));
                let problem = if unfinished && number == count && !ends_complete {
                    ItemProblem::CutOff
                } else {
                    problem.into_problem()
                };
                problems.push(LineProblem { line: number, problem });
            }
            Ok(item) => {
                let key = (item.benchmark.clone(), item.language.clone(), item.id.clone());
                if let Some(first) = lines_of_ids.get(&key) {
                    let problem = ItemProblem::DuplicateId { id: item.id, line: *first };
                    problems.push(LineProblem { line: number, problem });
                } else {
                    lines_of_ids.insert(key, number);
                    items.push(item);
                }
            }
        }
    }
    if problems.is_empty() { Ok(items) } else { Err(problems) }
}

enum Parsing {
    /// The JSON may be right as far as it goes, but it stops early.
    Unfinished(String),
    Problem(ItemProblem),
}

impl Parsing {
    fn into_problem(self) -> ItemProblem {
        match self {
            Self::Unfinished(reason) => ItemProblem::Json { reason },
            Self::Problem(problem) => problem,
        }
    }
}

impl From<ItemProblem> for Parsing {
    fn from(problem: ItemProblem) -> Self {
        Self::Problem(problem)
    }
}

fn parse_line(line: &[u8]) -> Result<Item, Parsing> {
    let text = std::str::from_utf8(line).map_err(|error| match error.error_len() {
        Some(_) => Parsing::from(ItemProblem::Encoding { byte: error.valid_up_to() + 1 }),
        None => Parsing::Unfinished(format!(
            "a character is cut off at byte {}",
            error.valid_up_to() + 1
        )),
    })?;
    let object: Map<String, Value> = serde_json::from_str(text).map_err(|error| {
        // The parser sees one line: its line number would mislead.
        let reason = error.to_string().replace(" at line 1 column", " at column");
        if error.is_eof() {
            Parsing::Unfinished(reason)
        } else {
            ItemProblem::Json { reason }.into()
        }
    })?;
    let item = Item {
        id: string(&object, "id")?,
        benchmark: string(&object, "benchmark")?,
        language: string(&object, "language")?,
        context: string(&object, "context")?,
        options: strings(&object, "options")?,
        key: position(&object, "key")?,
        reference: optional_string(&object, "reference")?,
        form: match object.get("form") {
            None | Some(Value::Null) => None,
            Some(value) => {
                let form = Form::deserialize(value);
                Some(form.map_err(|_| wrong("form", "what `ablate data import` writes", value))?)
            }
        },
    };
    item.check()?;
    Ok(item)
}

fn wrong(field: &'static str, expected: &'static str, value: &Value) -> ItemProblem {
    let found = match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "true or false".to_owned(),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) => {
            format!("the string {:?}", text.chars().take(20).collect::<String>())
        }
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    };
    ItemProblem::Type { field, expected, found }
}

fn string(object: &Map<String, Value>, field: &'static str) -> Result<String, ItemProblem> {
    optional_string(object, field)?.ok_or(ItemProblem::Missing { field })
}

fn optional_string(
    object: &Map<String, Value>,
    field: &'static str,
) -> Result<Option<String>, ItemProblem> {
    match object.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(value) => Err(wrong(field, "a string", value)),
    }
}

fn strings(object: &Map<String, Value>, field: &'static str) -> Result<Vec<String>, ItemProblem> {
    const EXPECTED: &str = "a list of strings";
    match object.get(field) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(values)) => values
            .iter()
            .map(|value| match value {
                Value::String(text) => Ok(text.clone()),
                value => Err(wrong(field, EXPECTED, value)),
            })
            .collect(),
        Some(value) => Err(wrong(field, EXPECTED, value)),
    }
}

fn position(
    object: &Map<String, Value>,
    field: &'static str,
) -> Result<Option<usize>, ItemProblem> {
    match object.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_u64().and_then(|number| usize::try_from(number).ok()) {
            Some(number) => Ok(Some(number)),
            None => Err(wrong(field, "a whole number from 0 on", value)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = r#""benchmark":"exam","language":"en","context":"Q:""#;

    fn line(rest: &str) -> String {
        format!("{{\"id\":\"1\",{HEAD},{rest}}}\n")
    }

    /// The file's only problem, as text with its line number.
    #[track_caller]
    fn check(text: impl AsRef<[u8]>, expect: &str) {
        let problems = parse_items(text.as_ref()).unwrap_err();
        assert_eq!(problems.len(), 1, "{problems:?}");
        let found = format!("line {}: {}", problems[0].line, problems[0].problem);
        assert!(found.contains(expect), "{found}");
    }

    #[test]
    fn reads_choices_and_free_text() {
        let text = line(r#""options":[" a"," b"],"key":0,"reference":null,"subject":"any""#)
            + "\n"
            + &line(r#""reference":"so it is""#).replace("exam", "news");
        let items = parse_items(text.as_bytes()).unwrap();
        assert_eq!(items.len(), 2);
        assert_eq!((items[0].is_choice(), items[0].key), (true, Some(0)));
        assert_eq!((items[1].is_choice(), items[1].options.len()), (false, 0));
        // The mark, carriage returns and a missing last newline change nothing.
        let windows = format!("\u{feff}{}", text.replace('\n', "\r\n"));
        assert_eq!(parse_items(windows.as_bytes()).unwrap(), items);
        assert_eq!(parse_items(text.trim_end().as_bytes()).unwrap(), items);
        assert_eq!(parse_items(b"").unwrap(), []);
    }

    #[test]
    fn every_kind_of_bad_line_is_named() {
        check(line(r#""options":[" a"," b"]"#), "line 1: `key` is missing");
        check(line(r#""options":[" a"," b"],"key":2"#), "`key` is 2 but the 2 options");
        check(line(r#""options":[" a"," b"],"key":-1"#), "from 0 on, not the number -1");
        check(line(r#""options":[" a"," b"],"key":"B""#), "not the string \"B\"");
        check(line(r#""options":[" a"],"key":0"#), "at least two options");
        check(line(r#""options":[" a","  "],"key":0"#), "option 1 (counting from 0) is empty");
        check(line(r#""options":["a","b"," a"],"key":0"#), "options 0 and 2");
        check(line(r#""options":["a",3],"key":0"#), "a list of strings, not the number 3");
        check(line(r#""options":"ab","key":0"#), "a list of strings");
        check(line(r#""options":[],"key":0"#), "without `options`");
        check(line(r#""options":[]"#), "neither `options`");
        check(line(r#""options":["a","b"],"key":0,"reference":"x""#), "keep one");
        check(line(r#""reference":" ""#), "`reference` is empty");
        check(line(r#""reference":"x","form":{"keyz":1}"#), "`form` must be what `ablate data");
        check("{\"id\":\"1\"}\n", "`benchmark` is missing");
        check(format!("{{\"id\":7,{HEAD}}}\n"), "`id` must be a string, not the number 7");
        check(format!("{{\"id\":\"\",{HEAD}}}\n"), "`id` is empty");
        check("[1]\n", "not a JSON object");
        check("{\"id\":\n", "not a JSON object: EOF");
        check("nonsense\n", "at column");
    }

    #[test]
    fn encoding_and_cut_ends() {
        let good = line(r#""options":["好","坏"],"key":0"#);
        let mut bad = good.clone().into_bytes();
        bad[9] = 0xff;
        check(bad, "byte 10 of the line is not valid UTF-8");
        for cut in 1..good.len() - 1 {
            let text = [good.as_bytes(), &good.as_bytes()[..cut]].concat();
            check(text, "line 2: the last line is cut off");
        }
        // In the middle it is bad JSON (or bad UTF-8), not a cut end.
        let cut = [&good.as_bytes()[..20], b"\n", good.as_bytes()].concat();
        check(cut, "line 1: not a JSON object");
    }

    #[test]
    fn ids_are_unique_in_a_benchmark() {
        let good = line(r#""reference":"x""#);
        check(format!("{good}\n{good}"), "line 3: `id` \"1\" was used on line 1");
        let other = good.replace("exam", "other");
        assert_eq!(parse_items(format!("{good}{other}").as_bytes()).unwrap().len(), 2);
    }

    #[test]
    fn all_bad_lines_are_reported_at_once_with_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("items.jsonl");
        std::fs::write(&path, "{}\n".repeat(14)).unwrap();
        let message = read_items(&path).unwrap_err().to_string();
        assert!(message.starts_with("14 lines of "), "{message}");
        assert!(message.contains("items.jsonl cannot be used:\n  line 1: `id` is missing"));
        assert!(message.ends_with("\n  and 4 more"), "{message}");
        std::fs::write(&path, line(r#""reference":"x""#)).unwrap();
        let read = read_items(&path).unwrap();
        assert_eq!((read.len(), read[0].benchmark.as_str()), (1, "exam"));
        std::fs::write(&path, "\n\n").unwrap();
        assert!(read_items(&path).unwrap_err().to_string().contains("holds no items"));
        assert!(matches!(read_items(&folder.path().join("none")), Err(EvalError::Io { .. })));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
            let _ = parse_items(&bytes);
        }

        #[test]
        fn damaged_lines_never_panic(
            places in proptest::collection::vec((0usize..200, proptest::prelude::any::<u8>()), 1..8)
        ) {
            let mut bytes = line(r#""options":[" a"," b"],"key":0"#).repeat(2).into_bytes();
            for (place, byte) in places {
                let length = bytes.len();
                bytes[place % length] = byte;
            }
            let _ = parse_items(&bytes);
        }

        #[test]
        fn written_items_are_read_back(
            context in ".*",
            options in proptest::collection::btree_set("[a-z ]*[a-z]", 2..5),
        ) {
            let options: Vec<String> = options.into_iter().collect();
            let key = Some(options.len() - 1);
            let item = Item {
                id: "1".into(), benchmark: "b".into(), language: "en".into(),
                context, options, key, ..Item::default()
            };
            if item.check().is_ok() {
                let text = serde_json::to_string(&item).unwrap();
                proptest::prop_assert_eq!(parse_items(text.as_bytes()).unwrap(), vec![item]);
            }
        }
    }
}
