//! Names: slugs that files and tables can carry, and the names of generated variants.

use crate::tree::{Node, Value};

const LONGEST: usize = 100;

/// Why a text is not a slug, if it is not.
pub(crate) fn slug_problem(name: &str) -> Option<&'static str> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
    if name.is_empty() {
        Some("must not be empty")
    } else if name.len() > LONGEST {
        Some("longer than 100 characters")
    } else if !name.chars().all(allowed) {
        Some("only a-z, 0-9, `.`, `_` and `-` are allowed")
    } else if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        Some("must start with a letter or a digit")
    } else {
        None
    }
}

/// A slug made of any text: other characters become `-`, runs of them one. `None` when
/// nothing is left.
pub(crate) fn slug(text: &str) -> Option<String> {
    let mut slug = String::new();
    for c in text.to_lowercase().chars() {
        if c.is_ascii_alphanumeric() || c == '.' {
            slug.push(c);
        } else if !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(LONGEST / 2);
    let slug = slug.trim_matches(|c| c == '-' || c == '.');
    (!slug.is_empty()).then(|| slug.to_string())
}

/// A value in words: `2048`, `gpt2`, `inherit parent big`.
pub(crate) fn words(node: &Node) -> String {
    match &node.value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(words).collect::<Vec<_>>().join(" "),
        Value::Table(table) => {
            let entries = table.entries.iter();
            let parts = entries.map(|entry| format!("{} {}", entry.key, words(&entry.node)));
            parts.map(|part| part.trim_end().replace('_', " ")).collect::<Vec<_>>().join(", ")
        }
        _ => node.text(),
    }
}

/// The shortest tail of each path that no other path shares: `vocabulary`, `model.width`.
pub(crate) fn short_names(paths: &[&str]) -> Vec<String> {
    let tail = |path: &str, length: usize| {
        let segments: Vec<_> = path.split('.').collect();
        segments[segments.len().saturating_sub(length)..].join(".")
    };
    let unique = |path: &str, length: usize| {
        paths.iter().filter(|other| tail(other, length) == tail(path, length)).count() == 1
    };
    let longest = |path: &str| path.split('.').count();
    paths
        .iter()
        .map(|path| {
            let length = (1..longest(path)).find(|length| unique(path, *length));
            tail(path, length.unwrap_or(longest(path)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs() {
        assert_eq!(slug("learning_rate 3e-4"), Some("learning-rate-3e-4".into()));
        assert_eq!(slug("+ Compact, 2 048!"), Some("compact-2-048".into()));
        assert_eq!(slug("词表"), None);
        assert_eq!(slug_problem("a.b_c-1"), None);
        for bad in ["", "A", "a b", "-a", "ä", &"a".repeat(101)] {
            assert!(slug_problem(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn tails_that_tell_paths_apart() {
        assert_eq!(short_names(&["tokenizer.vocabulary", "train.clip"]), ["vocabulary", "clip"]);
        assert_eq!(short_names(&["train.bytes", "corpus.bytes"]), ["train.bytes", "corpus.bytes"]);
        assert_eq!(
            short_names(&["model.width", "init.inherit.width"]),
            ["model.width", "inherit.width"]
        );
    }
}
