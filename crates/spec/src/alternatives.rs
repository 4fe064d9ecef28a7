//! Keys of which a table holds one set only. Writing one of them in a later layer or in a
//! delta takes the others away: `init.inherit` replaces `init.random`, `train.bytes` replaces
//! `train.tokens`.

use crate::tree::Table;

/// Path in the base, and the sets of keys that exclude each other there.
const GROUPS: &[(&[&str], &[&[&str]])] = &[
    (&["tokenizer", "build"], &[&["train"], &["compact"], &["file"]]),
    (&["tokenizer", "build", "compact"], &[&["from", "bytes"], &["file"]]),
    (&["model"], &[&["heads"], &["head_dim"]]),
    (&["model", "ffn"], &[&["size"], &["rate", "multiple"]]),
    (&["init"], &[&["random"], &["inherit"]]),
    (&["train"], &[&["tokens"], &["bytes"]]),
    (&["design"], &[&["list"], &["grid"], &["zip"], &["one-at-a-time"], &["ladder"], &["random"]]),
];

/// The exclusive sets of keys of the table at a path of the study file, if it has such.
pub(crate) fn of(path: &[String]) -> Option<&'static [&'static [&'static str]]> {
    let path = base_path(path);
    GROUPS.iter().find(|(at, _)| path == *at).map(|(_, sets)| *sets)
}

/// Profiles, parents and deltas hold a base of their own: the path within it.
fn base_path(mut path: &[String]) -> &[String] {
    for (keyword, length) in [("profile", 2), ("parents", 2), ("design", 3)] {
        let nested = path.len() >= length && path[0] == keyword;
        if nested && (keyword != "design" || path[2] == "set") {
            path = &path[length..];
        }
    }
    path
}

/// Whether a key could not be there because the table has chosen another set.
pub(crate) fn is_excluded(table: &Table, path: &[String], key: &str) -> bool {
    let Some(sets) = of(path) else { return false };
    let chosen = |set: &&&[&str]| set.iter().any(|key| table.get(key).is_some());
    sets.iter().any(|set| set.contains(&key))
        && sets.iter().filter(|set| !set.contains(&key)).any(|set| chosen(&set))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema;

    fn path(text: &str) -> Vec<String> {
        text.split('.').filter(|part| !part.is_empty()).map(String::from).collect()
    }

    #[test]
    fn found_in_every_base() {
        for place in
            ["", "profile.smoke.", "parents.big.", "profile.smoke.parents.big.", "design.list.set."]
        {
            assert_eq!(of(&path(&format!("{place}model.ffn"))).map(<[_]>::len), Some(2), "{place}");
        }
        assert_eq!(of(&path("tokenizer.build.train")), None);
        assert_eq!(of(&path("profile.model")), None);
    }

    /// Every tagged enum of the base and of the study excludes its tags from one another.
    #[test]
    fn every_tagged_enum_is_listed() {
        fn walk(schema: &'static serde_json::Value, at: &mut Vec<String>, seen: &mut usize) {
            if let Some((_, tags)) = schema::alternatives(schema)
                && !tags.is_empty()
            {
                let sets = of(at).unwrap_or_else(|| panic!("{at:?} is not listed"));
                let listed: Vec<_> = sets.iter().map(|set| set[0]).collect();
                let tags: Vec<_> = tags.iter().map(|(tag, _)| *tag).collect();
                assert_eq!(listed, tags);
                *seen += 1;
            }
            for (key, property) in schema::properties(schema).into_iter().flatten() {
                at.push(key.clone());
                walk(property, at, seen);
                at.pop();
            }
        }
        let mut seen = 0;
        walk(schema::root(), &mut Vec::new(), &mut seen);
        assert_eq!(seen, 3);
        for (at, sets) in GROUPS {
            let step = |schema: &'static serde_json::Value, key: &&str| {
                let tag = || {
                    let tags = schema::alternatives(schema)?.1;
                    tags.into_iter().find(|(tag, _)| tag == key).map(|(_, content)| content)
                };
                schema::properties(schema).and_then(|keys| keys.get(*key)).or_else(tag)
            };
            let keys = at.iter().try_fold(schema::root(), step);
            let known = |key: &&str| {
                let schema = keys.expect("path exists");
                schema::properties(schema).is_some_and(|keys| keys.contains_key(*key))
                    || schema::alternatives(schema)
                        .is_some_and(|(_, tags)| tags.iter().any(|(tag, _)| tag == key))
            };
            assert!(sets.iter().copied().flatten().all(known), "{at:?}");
        }
    }
}
