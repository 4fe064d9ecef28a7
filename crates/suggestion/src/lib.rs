//! Did-you-mean: which of some names was probably meant by one that is none of them.
//!
//! This crate deliberately does not know what the names are of, and prints nothing.

/// The candidate that was most probably meant, if one is close enough.
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::osa_distance(&word, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| {
            let shorter = word.chars().count().min(candidate.chars().count());
            *distance <= (shorter / 3).max(1) && *distance < shorter
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The help text of an unknown name: the closest candidate, or all of them.
pub fn advice(word: &str, what: &str, candidates: &[&str]) -> Option<String> {
    match closest(word, candidates.iter().copied()) {
        Some(candidate) => Some(format!("did you mean `{candidate}`?")),
        None if candidates.is_empty() => None,
        None => Some(format!("{what}: {}", quoted(candidates))),
    }
}

/// "`a`, `b`, `c`"
pub fn quoted(names: &[impl AsRef<str>]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("`{}`", name.as_ref())).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_words_only() {
        let keys = ["depth", "width", "heads", "kv_heads", "learning_rate"];
        assert_eq!(closest("dpeth", keys), Some("depth"));
        assert_eq!(closest("head", keys), Some("heads"));
        assert_eq!(closest("learning-rate", keys), Some("learning_rate"));
        assert_eq!(closest("Depth", keys), Some("depth"));
        assert_eq!(closest("momentum", keys), None);
        assert_eq!(closest("x", keys), None);
    }
}
