//! A TOML document in which every value remembers where it was written, also after documents
//! have been laid over each other.

use std::ops::Range;

use serde_json::Value as Json;
use toml::de::{DeTable, DeValue};

/// Where something was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct At {
    pub(crate) source: usize,
    pub(crate) span: Range<usize>,
}

/// A value and its place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) at: At,
}

/// A TOML value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    String(String),
    Integer(i64),
    /// The number and its text, so that `3e-4` is shown as it was written.
    Float(f64, String),
    Boolean(bool),
    Datetime,
    Array(Vec<Node>),
    Table(Table),
    /// Something that has been reported already.
    Invalid,
}

/// Keys in the order in which they were written.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Table {
    pub(crate) entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_at: At,
    pub(crate) node: Node,
}

impl Table {
    pub(crate) fn from_toml(table: &DeTable<'_>, source: usize) -> Self {
        let mut entries: Vec<_> = table
            .iter()
            .map(|(key, value)| Entry {
                key: key.get_ref().to_string(),
                key_at: At { source, span: key.span() },
                node: Node::from_toml(value.get_ref(), At { source, span: value.span() }),
            })
            .collect();
        entries.sort_by_key(|entry| entry.key_at.span.start);
        Self { entries }
    }

    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.node)
    }

    pub(crate) fn table(&self, key: &str) -> Option<&Table> {
        self.get(key).and_then(Node::table)
    }

    /// The node at a dotted path of bare keys.
    pub(crate) fn at(&self, path: &str) -> Option<&Node> {
        let mut segments = path.split('.');
        let mut node = self.get(segments.next()?)?;
        for segment in segments {
            node = node.table()?.get(segment)?;
        }
        Some(node)
    }

    pub(crate) fn remove(&mut self, key: &str) -> Option<Node> {
        let index = self.entries.iter().position(|entry| entry.key == key)?;
        Some(self.entries.remove(index).node)
    }

    /// Sets a value at a dotted path, making the tables on the way.
    pub(crate) fn insert(&mut self, path: &[(&str, At)], node: Node) {
        let Some(((key, at), rest)) = path.split_first() else { return };
        let index = match self.entries.iter().position(|entry| entry.key == *key) {
            Some(index) => index,
            None => {
                let empty = Node { value: Value::Table(Table::default()), at: at.clone() };
                let entry = Entry { key: (*key).to_string(), key_at: at.clone(), node: empty };
                self.entries.push(entry);
                self.entries.len() - 1
            }
        };
        let slot = &mut self.entries[index].node;
        match (&mut slot.value, rest.is_empty()) {
            (Value::Table(table), false) => table.insert(rest, node),
            (_, true) => *slot = node,
            (value, false) => {
                let mut table = Table::default();
                table.insert(rest, node);
                *value = Value::Table(table);
            }
        }
    }

    pub(crate) fn to_json(&self) -> Json {
        let entries = self.entries.iter();
        entries.filter_map(|entry| Some((entry.key.clone(), entry.node.to_json()?))).collect()
    }
}

impl Node {
    fn from_toml(value: &DeValue<'_>, at: At) -> Self {
        let source = at.source;
        let value = match value {
            DeValue::String(text) => Value::String(text.to_string()),
            DeValue::Integer(integer) => {
                i64::from_str_radix(integer.as_str(), integer.radix())
                    // Too large for 64 bits: certainly outside of every range checked later.
                    .map_or_else(
                        |_| Value::Float(f64::INFINITY, integer.to_string()),
                        Value::Integer,
                    )
            }
            DeValue::Float(float) => {
                Value::Float(float.as_str().parse().unwrap_or(f64::NAN), float.to_string())
            }
            DeValue::Boolean(boolean) => Value::Boolean(*boolean),
            DeValue::Datetime(_) => Value::Datetime,
            DeValue::Array(array) => {
                let nodes = array.iter();
                Value::Array(
                    nodes
                        .map(|item| {
                            Self::from_toml(item.get_ref(), At { source, span: item.span() })
                        })
                        .collect(),
                )
            }
            DeValue::Table(table) => Value::Table(Table::from_toml(table, source)),
        };
        Self { value, at }
    }

    /// A value that no file wrote: a default or a solved size. `at` is what it is owed to.
    pub(crate) fn from_json(json: &Json, at: &At) -> Self {
        let value = match json {
            Json::Null => Value::Invalid,
            Json::Bool(boolean) => Value::Boolean(*boolean),
            Json::Number(number) => match number.as_i64() {
                Some(integer) => Value::Integer(integer),
                None => Value::Float(number.as_f64().unwrap_or(f64::NAN), number.to_string()),
            },
            Json::String(text) => Value::String(text.clone()),
            Json::Array(items) => {
                Value::Array(items.iter().map(|item| Self::from_json(item, at)).collect())
            }
            Json::Object(map) => Value::Table(Table {
                entries: map
                    .iter()
                    .map(|(key, value)| Entry {
                        key: key.clone(),
                        key_at: at.clone(),
                        node: Self::from_json(value, at),
                    })
                    .collect(),
            }),
        };
        Self { value, at: at.clone() }
    }

    pub(crate) fn table(&self) -> Option<&Table> {
        match &self.value {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }

    pub(crate) fn array(&self) -> Option<&[Node]> {
        match &self.value {
            Value::Array(items) => Some(items),
            _ => None,
        }
    }

    pub(crate) fn string(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// Whether something in here has been reported already.
    pub(crate) fn is_spoilt(&self) -> bool {
        match &self.value {
            Value::Invalid => true,
            Value::Array(items) => items.iter().any(Self::is_spoilt),
            Value::Table(table) => table.entries.iter().any(|entry| entry.node.is_spoilt()),
            _ => false,
        }
    }

    /// What kind of value this is, with its article.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.value {
            Value::String(_) => "a string",
            Value::Integer(_) => "an integer",
            Value::Float(..) => "a float",
            Value::Boolean(_) => "a boolean",
            Value::Datetime => "a date",
            Value::Array(_) => "an array",
            Value::Table(_) => "a table",
            Value::Invalid => "nothing",
        }
    }

    /// `None` for what cannot be said in JSON: reported values, dates, infinities.
    pub(crate) fn to_json(&self) -> Option<Json> {
        Some(match &self.value {
            Value::String(text) => Json::from(text.as_str()),
            Value::Integer(integer) => Json::from(*integer),
            Value::Float(float, _) => Json::Number(serde_json::Number::from_f64(*float)?),
            Value::Boolean(boolean) => Json::from(*boolean),
            Value::Array(items) => items.iter().filter_map(Self::to_json).collect(),
            Value::Table(table) => table.to_json(),
            Value::Datetime | Value::Invalid => return None,
        })
    }

    /// The value as TOML text on one line.
    pub(crate) fn text(&self) -> String {
        match &self.value {
            Value::String(text) => toml::Value::from(text.as_str()).to_string(),
            Value::Integer(integer) => integer.to_string(),
            Value::Float(_, text) => text.clone(),
            Value::Boolean(boolean) => boolean.to_string(),
            Value::Array(items) => {
                let texts: Vec<_> = items.iter().map(Self::text).collect();
                format!("[{}]", texts.join(", "))
            }
            Value::Table(table) if table.entries.is_empty() => "{}".into(),
            Value::Table(table) => {
                let texts: Vec<_> = table
                    .entries
                    .iter()
                    .map(|entry| format!("{} = {}", entry.key, entry.node.text()))
                    .collect();
                format!("{{ {} }}", texts.join(", "))
            }
            Value::Datetime | Value::Invalid => String::new(),
        }
    }
}
