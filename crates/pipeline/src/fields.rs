//! What differs between two values, field by field.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

/// A field that two values do not have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Change {
    /// Dotted path, `sources[0].weight`.
    pub field: String,
    /// What it was, as JSON; nothing where there was no such field.
    pub from: Option<String>,
    /// What it is; nothing where there is none.
    pub to: Option<String>,
}

/// Every value that is no object and no list, as JSON, by its dotted path. Empty objects and lists are
/// values.
pub fn fields(value: &Value) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    walk(value, &mut String::new(), &mut found);
    found
}

fn walk(value: &Value, path: &mut String, found: &mut BTreeMap<String, String>) {
    let length = path.len();
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, inner) in map {
                if length > 0 {
                    path.push('.');
                }
                path.push_str(key);
                walk(inner, path, found);
                path.truncate(length);
            }
        }
        Value::Array(values) if !values.is_empty() => {
            for (index, inner) in values.iter().enumerate() {
                path.push_str(&format!("[{index}]"));
                walk(inner, path, found);
                path.truncate(length);
            }
        }
        leaf => {
            found.insert(path.clone(), leaf.to_string());
        }
    }
}

/// Fields that differ, by path.
pub fn changes(from: &BTreeMap<String, String>, to: &BTreeMap<String, String>) -> Vec<Change> {
    let mut found: Vec<Change> = from
        .iter()
        .filter(|(field, value)| to.get(*field) != Some(value))
        .map(|(field, value)| Change {
            field: field.clone(),
            from: Some(value.clone()),
            to: to.get(field).cloned(),
        })
        .collect();
    found.extend(to.iter().filter(|(field, _)| !from.contains_key(*field)).map(
        |(field, value)| Change { field: field.clone(), from: None, to: Some(value.clone()) },
    ));
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_differs_is_named_by_its_path() {
        let from = json!({"a": {"b": 1, "c": [1, {"d": "x"}]}, "e": true, "f": {}});
        let to = json!({"a": {"b": 1, "c": [1, {"d": "y"}, 2]}, "f": {}, "g": null});
        let found = changes(&fields(&from), &fields(&to));
        let words: Vec<String> = found
            .iter()
            .map(|c| {
                let of = |side: &Option<String>| side.clone().unwrap_or_else(|| "-".into());
                format!("{} {} {}", c.field, of(&c.from), of(&c.to))
            })
            .collect();
        assert_eq!(words, ["a.c[1].d \"x\" \"y\"", "a.c[2] - 2", "e true -", "g - null"]);
        assert!(changes(&fields(&from), &fields(&from)).is_empty());
    }
}
