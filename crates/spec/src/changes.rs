//! What a variant wrote differently from the base, and which paths differ among variants.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use crate::Change;
use crate::defaults;
use crate::schema;
use crate::size::{self, Unit};
use crate::tree::{At, Node, Table, Value};

/// A value of a base: its path, its meaning, and its text. The tag of an enum is a value too:
/// `init` is `random` or `inherit`.
#[derive(Clone, Debug)]
pub(crate) struct Leaf {
    path: String,
    meaning: Json,
    text: String,
    /// Written somewhere, not filled in.
    written: bool,
    /// Path of the innermost enum that it belongs to: it is there only with the enum's tag.
    tagged_by: Option<String>,
}

/// Every value of a base, defaults included.
pub(crate) fn leaves(base: &Table, fallback: &At) -> Vec<Leaf> {
    let mut walk = Walk { base, found: Vec::new() };
    walk.table(&defaults::filled(base, fallback), "", Some(schema::base()), None);
    walk.found
}

/// Paths that a delta writes, in its order.
pub(crate) fn written_paths(delta: &Table) -> Vec<String> {
    let mut walk = Walk { base: delta, found: Vec::new() };
    walk.table(delta, "", Some(schema::base()), None);
    walk.found.into_iter().map(|leaf| leaf.path).collect()
}

struct Walk<'a> {
    base: &'a Table,
    found: Vec<Leaf>,
}

impl Walk<'_> {
    fn table(&mut self, table: &Table, at: &str, schema: Option<&'static Json>, tag: Option<&str>) {
        for entry in &table.entries {
            let path =
                if at.is_empty() { entry.key.clone() } else { format!("{at}.{}", entry.key) };
            let schema = schema.and_then(|schema| part(schema, &entry.key));
            match &entry.node.value {
                Value::Table(inner) if !inner.entries.is_empty() => {
                    let tags = schema.and_then(schema::alternatives);
                    if let Some(first) = inner.entries.first().filter(|_| tags.is_some()) {
                        let word = first.key.clone();
                        self.push(path.clone(), Json::from(word.as_str()), word, tag);
                        self.table(inner, &path, schema, Some(&path));
                    } else {
                        self.table(inner, &path, schema, tag);
                    }
                }
                // An empty table under a tag says nothing that the tag does not say.
                Value::Table(_) if tag.is_some() => {}
                _ => self.push(path, meaning(&entry.node, schema), entry.node.text(), tag),
            }
        }
    }

    fn push(&mut self, path: String, meaning: Json, text: String, tag: Option<&str>) {
        let written = self.base.at(&path).is_some();
        self.found.push(Leaf { path, meaning, text, written, tagged_by: tag.map(String::from) });
    }
}

fn part(schema: &'static Json, key: &str) -> Option<&'static Json> {
    let named = schema::properties(schema).and_then(|properties| properties.get(key));
    named.or_else(|| {
        let (_, tags) = schema::alternatives(schema)?;
        tags.into_iter().find(|(tag, _)| *tag == key).map(|(_, content)| content)
    })
}

/// `"400k"`, `400000` and `400_000.0` mean the same.
fn meaning(node: &Node, schema: Option<&'static Json>) -> Json {
    let format = schema.and_then(|schema| schema.get("format")?.as_str()).unwrap_or_default();
    if let Some(text) = node.string() {
        let size = Unit::of_format(format).and_then(|unit| size::parse(text, unit).ok());
        let share = (format == size::SHARE).then(|| size::parse_share(text).ok()).flatten();
        if let Some(number) = size.map(|size| size as f64).or(share) {
            return Json::from(number);
        }
    }
    match &node.value {
        // 1 and 1.0 are the same, but seeds may be too large for a float.
        Value::Integer(integer) if integer.unsigned_abs() < 1 << 53 => Json::from(*integer as f64),
        _ => node.to_json().unwrap_or(Json::Null),
    }
}

/// The text of the value at a path and the number that it means, if it is one.
pub(crate) fn value(leaves: &[Leaf], path: &str) -> Option<(String, Option<f64>)> {
    find(leaves, path).map(|leaf| (leaf.text.clone(), leaf.meaning.as_f64()))
}

fn find<'a>(leaves: &'a [Leaf], path: &str) -> Option<&'a Leaf> {
    leaves.iter().find(|leaf| leaf.path == path)
}

/// The differences from one base to another: what is new or other in the order of `to`, then
/// what was written and is gone. Defaults that come or go with a tag are not listed.
pub(crate) fn between(from: &[Leaf], to: &[Leaf]) -> Vec<Change> {
    let changed = to.iter().filter_map(|leaf| {
        let old = find(from, &leaf.path);
        let same = old.map_or(!leaf.written, |old| old.meaning == leaf.meaning);
        let from = old.map(|old| old.text.clone()).unwrap_or_default();
        (!same).then(|| Change { path: leaf.path.clone(), from, to: leaf.text.clone() })
    });
    let is_gone =
        |leaf: &&Leaf| leaf.written && leaf.tagged_by.is_none() && find(to, &leaf.path).is_none();
    let gone = from.iter().filter(is_gone).map(|leaf| Change {
        path: leaf.path.clone(),
        from: leaf.text.clone(),
        to: String::new(),
    });
    changed.chain(gone).collect()
}

/// Paths whose value is not the same in all of these bases, in the order in which `written`
/// names them. A value that some bases lack because of their tag differs only where two
/// others disagree.
pub(crate) fn factors(bases: &[Vec<Leaf>], written: &[String]) -> Vec<String> {
    let mut factors: Vec<String> = Vec::new();
    let mut seen = BTreeSet::new();
    for leaf in bases.iter().flatten().filter(|leaf| seen.insert(leaf.path.as_str())) {
        let mut others = bases.iter().map(|base| find(base, &leaf.path));
        let differs = |other: Option<&Leaf>| match other {
            Some(other) => other.meaning != leaf.meaning,
            None => leaf.tagged_by.is_none() && leaf.written,
        };
        if others.any(differs) {
            factors.push(leaf.path.clone());
        }
    }
    let place =
        |path: &String| written.iter().position(|known| known == path).unwrap_or(usize::MAX);
    factors.sort_by_key(place);
    factors
}
