//! ROUGE-1 (Lin 2004): how many words a text shares with its reference.

use std::collections::BTreeMap;

/// ROUGE-1 F1 of `prediction` against `reference`, between 0 and 1.
///
/// English, and every language not named below, is cut as Python's `rouge_score` does without
/// stemmer: lower case, runs of `[a-z0-9]`. Chinese and Japanese are compared by characters:
/// every letter or digit of the lower-cased text counts for itself.
pub fn rouge1(prediction: &str, reference: &str, language: &str) -> f64 {
    let (predicted, expected) = (units(prediction, language), units(reference, language));
    let mut counts = BTreeMap::<&str, usize>::new();
    for unit in &expected {
        *counts.entry(unit).or_default() += 1;
    }
    let mut shared = 0usize;
    for unit in &predicted {
        if let Some(left) = counts.get_mut(unit.as_str()).filter(|left| **left > 0) {
            *left -= 1;
            shared += 1;
        }
    }
    if shared == 0 {
        return 0.0;
    }
    let precision = shared as f64 / predicted.len() as f64;
    let recall = shared as f64 / expected.len() as f64;
    2.0 * precision * recall / (precision + recall)
}

/// Words, or characters where a language is written without spaces.
fn units(text: &str, language: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let main = language.split(['-', '_']).next().unwrap_or_default();
    if matches!(main, "zh" | "ja") {
        return lower.chars().filter(|c| c.is_alphanumeric()).map(String::from).collect();
    }
    lower
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Case {
        prediction: String,
        reference: String,
        language: String,
        f1: f64,
    }

    #[test]
    fn equals_rouge_score() {
        let cases: Vec<Case> =
            serde_json::from_str(include_str!("../tests/fixtures/rouge.json")).unwrap();
        assert!(cases.len() > 15);
        for case in cases {
            let found = rouge1(&case.prediction, &case.reference, &case.language);
            assert!((found - case.f1).abs() < 1e-12, "{} / {}", case.prediction, case.reference);
        }
    }

    proptest::proptest! {
        #[test]
        fn bounded_symmetric_and_one_for_equals(left in ".{0,30}", right in ".{0,30}") {
            for language in ["en", "zh"] {
                let found = rouge1(&left, &right, language);
                proptest::prop_assert!((0.0..=1.0).contains(&found));
                let mirrored = rouge1(&right, &left, language);
                proptest::prop_assert!((found - mirrored).abs() < 1e-12);
                let same = rouge1(&left, &left, language);
                proptest::prop_assert_eq!(same, f64::from(!units(&left, language).is_empty()));
            }
        }
    }
}
