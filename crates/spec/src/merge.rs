//! Laying one document over another: tables merge, everything else is replaced.

use crate::alternatives;
use crate::tree::{Table, Value};

/// Lays `over` on `base`, both of which stand at `path` of a study file. Values keep the place
/// where they were written.
pub(crate) fn overlay(base: &mut Table, over: &Table, path: &mut Vec<String>) {
    for set in alternatives::of(path).into_iter().flatten() {
        if set.iter().any(|key| alternatives::is_excluded(over, path, key)) {
            set.iter().for_each(|key| drop(base.remove(key)));
        }
    }
    for entry in &over.entries {
        match base.entries.iter_mut().find(|old| old.key == entry.key) {
            Some(old) => match (&mut old.node.value, &entry.node.value) {
                (Value::Table(old), Value::Table(new)) => {
                    path.push(entry.key.clone());
                    overlay(old, new, path);
                    path.pop();
                }
                _ => *old = entry.clone(),
            },
            None => base.entries.push(entry.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Map, Value as Json, json};

    fn table(json: &Json) -> Table {
        let at = crate::tree::At { source: 0, span: 0..0 };
        match crate::tree::Node::from_json(json, &at).value {
            Value::Table(table) => table,
            _ => Table::default(),
        }
    }

    fn laid(base: &Json, over: &Json) -> Json {
        let mut base = table(base);
        overlay(&mut base, &table(over), &mut Vec::new());
        base.to_json()
    }

    #[test]
    fn tables_merge_and_arrays_are_replaced() {
        let base = json!({"study": {"name": "a", "seeds": [1, 2]}, "train": {"clip": 1.0}});
        let over = json!({"study": {"seeds": [3]}, "rounds": {"count": 2}});
        let expect = json!({
            "study": {"name": "a", "seeds": [3]}, "train": {"clip": 1.0}, "rounds": {"count": 2}
        });
        assert_eq!(laid(&base, &over), expect);
    }

    #[test]
    fn enums_are_swapped() {
        let base =
            json!({"init": {"random": {"std": 0.1}}, "model": {"heads": 4, "ffn": {"size": 9}}});
        let over = json!({"init": {"inherit": {"parent": "p"}}, "model": {"head_dim": 8, "ffn": {"multiple": 2}}});
        assert_eq!(laid(&base, &over), over);
        let same = json!({"init": {"random": {"scheme": "gpt2"}}});
        assert_eq!(laid(&base, &same)["init"], json!({"random": {"std": 0.1, "scheme": "gpt2"}}));
    }

    fn document() -> impl Strategy<Value = Json> {
        let leaf =
            prop_oneof![any::<i32>().prop_map(Json::from), any::<bool>().prop_map(Json::from)];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop::collection::btree_map("[a-d]", inner, 0..4)
                .prop_map(|map| Json::Object(map.into_iter().collect()))
        })
        .prop_map(|value| if value.is_object() { value } else { Json::Object(Map::new()) })
    }

    /// What the overlay of plain tables means, said independently: RFC 7396 without nulls.
    fn merge_patch(target: &Json, patch: &Json) -> Json {
        match (target, patch) {
            (Json::Object(target), Json::Object(patch)) => {
                let mut merged = target.clone();
                for (key, value) in patch {
                    let old = target.get(key).cloned().unwrap_or(Json::Null);
                    let value =
                        if old.is_object() { merge_patch(&old, value) } else { value.clone() };
                    merged.insert(key.clone(), value);
                }
                Json::Object(merged)
            }
            (_, patch) => patch.clone(),
        }
    }

    proptest! {
        #[test]
        fn plain_tables_follow_merge_patch(base in document(), over in document()) {
            prop_assert_eq!(laid(&base, &over), merge_patch(&base, &over));
        }

        #[test]
        fn laying_twice_changes_nothing(base in document(), over in document()) {
            let once = laid(&base, &over);
            prop_assert_eq!(laid(&once, &over), once);
        }

        #[test]
        fn layers_associate(a in document(), b in document(), c in document()) {
            prop_assume!(same_kinds(&a, &b) && same_kinds(&b, &c) && same_kinds(&a, &c));
            prop_assert_eq!(laid(&laid(&a, &b), &c), laid(&a, &laid(&b, &c)));
        }
    }

    /// A table and a number at the same path do not associate; real files never have that.
    fn same_kinds(a: &Json, b: &Json) -> bool {
        match (a, b) {
            (Json::Object(a), Json::Object(b)) => {
                a.iter().all(|(key, value)| b.get(key).is_none_or(|other| same_kinds(value, other)))
            }
            (a, b) => a.is_object() == b.is_object(),
        }
    }
}
