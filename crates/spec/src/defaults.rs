//! Fills the gaps of a base with the defaults that its schema states.

use serde_json::Value as Json;

use crate::tree::{At, Node, Table, Value};
use crate::{alternatives, schema};

/// The base with every default written out. What is filled in stands where its table stands.
pub(crate) fn filled(base: &Table, fallback: &At) -> Table {
    let mut base = base.clone();
    fill_table(&mut base, schema::base(), &mut Vec::new(), fallback);
    base
}

fn fill_table(table: &mut Table, schema: &'static Json, path: &mut Vec<String>, at: &At) {
    let Some(properties) = schema::properties(schema) else { return };
    for (key, property) in properties {
        if table.get(key).is_none() && !alternatives::is_excluded(table, path, key) {
            let default = default_of(property);
            let empty = || Json::Object(serde_json::Map::new());
            // What can be a number has no table unless one is written.
            let is_table =
                schema::properties(property).is_some() && !schema::is_number_too(property);
            let value = default.cloned().or_else(|| is_table.then(empty));
            if let Some(value) = value {
                table.insert(&[(key, at.clone())], Node::from_json(&value, at));
            }
        }
        if let Some(entry) = table.entries.iter_mut().find(|entry| entry.key == *key) {
            path.push(key.clone());
            fill(&mut entry.node, property, path);
            path.pop();
        }
    }
}

fn fill(node: &mut Node, schema: &'static Json, path: &mut Vec<String>) {
    let at = node.at.clone();
    let Value::Table(table) = &mut node.value else { return };
    match schema::alternatives(schema) {
        None => fill_table(table, schema, path, &at),
        Some((_, tags)) => {
            for (tag, content) in tags {
                if let Some(entry) = table.entries.iter_mut().find(|entry| entry.key == tag) {
                    path.push(tag.into());
                    fill(&mut entry.node, content, path);
                    path.pop();
                }
            }
        }
    }
}

/// A key's own default, or that of its type.
fn default_of(property: &'static Json) -> Option<&'static Json> {
    property.get("default").or_else(|| schema::resolve(property).get("default"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::{
        CorpusTable, EvalTable, InitTable, ModelTable, RoundsTable, TokenizerTable, TrainTable,
    };
    use serde_json::json;

    fn fill_json(base: &Json) -> Json {
        let at = At { source: 0, span: 0..0 };
        match Node::from_json(base, &at).value {
            Value::Table(table) => filled(&table, &at).to_json(),
            _ => Json::Null,
        }
    }

    /// The schema's defaults and those that serde fills in are the same.
    #[test]
    fn agree_with_the_types() {
        fn plain<T: Default + serde::Serialize>() -> Json {
            let mut json = serde_json::to_value(T::default()).unwrap();
            drop_nulls(&mut json);
            json
        }
        fn drop_nulls(json: &mut Json) {
            if let Json::Object(map) = json {
                map.retain(|_, value| !value.is_null());
                map.values_mut().for_each(drop_nulls);
            }
        }
        let expect = json!({
            "corpus": plain::<CorpusTable>(), "tokenizer": plain::<TokenizerTable>(),
            "model": plain::<ModelTable>(), "init": plain::<InitTable>(),
            "train": plain::<TrainTable>(), "rounds": plain::<RoundsTable>(),
            "eval": plain::<EvalTable>(),
        });
        assert_eq!(fill_json(&json!({})), expect);
    }

    #[test]
    fn chosen_alternatives_keep_out_the_others() {
        let full = fill_json(&json!({
            "model": {"ffn": {"size": 512}},
            "init": {"inherit": {"first": 3}},
            "tokenizer": {"build": {"compact": {}}},
        }));
        assert_eq!(full["model"]["ffn"], json!({"size": 512}));
        assert_eq!(
            full["init"],
            json!({"inherit": {
                "first": 3, "last": 1, "layers": "even", "width": "l2", "calibration": 64_000,
                "grouping": "kept",
            }})
        );
        let masks = json!({"learned": {"tokens": 7}});
        let learned = fill_json(&json!({"init": {"inherit": {"width": masks}}}));
        assert_eq!(
            learned["init"]["inherit"]["width"],
            json!({"learned": {
                "tokens": 7, "weights": "joint", "learning_rate": 1e-4,
                "mask_learning_rate": 0.1, "sparsity_warmup": 0.2,
            }})
        );
        assert_eq!(full["tokenizer"]["build"], json!({"compact": {"bytes": 4_000_000}}));
        let rate = fill_json(&json!({"model": {"ffn": {"rate": 2.0}}}));
        assert_eq!(rate["model"]["ffn"], json!({"rate": 2.0, "multiple": 256}));
    }
}
