//! ROUGE (Lin 2004): how much of its words and their order a text shares with its reference.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// F1 of a prediction against a reference, each between 0 and 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rouge {
    /// Of words.
    pub rouge1: f64,
    /// Of pairs of words.
    pub rouge2: f64,
    /// Of the longest common subsequence of words.
    pub rougel: f64,
}

/// ROUGE-1, -2 and -L of `prediction` against `reference`.
///
/// English, and every language not named below, is cut as Python's `rouge_score` does without
/// stemmer: lower case, runs of `[a-z0-9]`. Chinese and Japanese are compared by characters:
/// every letter or digit of the lower-cased text counts for itself.
pub fn rouge(prediction: &str, reference: &str, language: &str) -> Rouge {
    let (predicted, expected) = (units(prediction, language), units(reference, language));
    Rouge {
        rouge1: of_grams(&predicted, &expected, 1),
        rouge2: of_grams(&predicted, &expected, 2),
        rougel: f1(common(&predicted, &expected), predicted.len(), expected.len()),
    }
}

/// ROUGE-1 F1 of `prediction` against `reference`, as [`rouge`] has it.
pub fn rouge1(prediction: &str, reference: &str, language: &str) -> f64 {
    of_grams(&units(prediction, language), &units(reference, language), 1)
}

/// F1 of runs of `length` units, each counted as often as it occurs.
fn of_grams(predicted: &[String], expected: &[String], length: usize) -> f64 {
    let mut counts = BTreeMap::<&[String], usize>::new();
    for gram in expected.windows(length) {
        *counts.entry(gram).or_default() += 1;
    }
    let mut shared = 0usize;
    for gram in predicted.windows(length) {
        if let Some(left) = counts.get_mut(gram).filter(|left| **left > 0) {
            *left -= 1;
            shared += 1;
        }
    }
    let grams = |units: &[String]| (units.len() + 1).saturating_sub(length);
    f1(shared, grams(predicted), grams(expected))
}

/// Length of the longest common subsequence.
fn common(left: &[String], right: &[String]) -> usize {
    let mut row = vec![0; right.len() + 1];
    for unit in left {
        let mut diagonal = 0;
        for (place, other) in right.iter().enumerate() {
            let above = row[place + 1];
            row[place + 1] = if unit == other { diagonal + 1 } else { above.max(row[place]) };
            diagonal = above;
        }
    }
    row[right.len()]
}

fn f1(shared: usize, predicted: usize, expected: usize) -> f64 {
    if shared == 0 {
        return 0.0;
    }
    let precision = shared as f64 / predicted as f64;
    let recall = shared as f64 / expected as f64;
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
        rouge2: f64,
        rougel: f64,
    }

    #[test]
    fn equals_rouge_score() {
        let cases: Vec<Case> =
            serde_json::from_str(include_str!("../tests/fixtures/rouge.json")).unwrap();
        assert!(cases.len() > 15);
        for case in cases {
            let found = rouge(&case.prediction, &case.reference, &case.language);
            let pairs =
                [(found.rouge1, case.f1), (found.rouge2, case.rouge2), (found.rougel, case.rougel)];
            for (found, expected) in pairs {
                let what = format!("{} / {}", case.prediction, case.reference);
                assert!((found - expected).abs() < 1e-12, "{what}: {found} {expected}");
            }
            assert_eq!(rouge1(&case.prediction, &case.reference, &case.language), found.rouge1);
        }
    }

    proptest::proptest! {
        #[test]
        fn bounded_symmetric_and_one_for_equals(left in ".{0,30}", right in ".{0,30}") {
            for language in ["en", "zh"] {
                let (found, mirrored) = (rouge(&left, &right, language), rouge(&right, &left, language));
                for (found, mirrored) in [
                    (found.rouge1, mirrored.rouge1),
                    (found.rouge2, mirrored.rouge2),
                    (found.rougel, mirrored.rougel),
                ] {
                    proptest::prop_assert!((0.0..=1.0).contains(&found));
                    proptest::prop_assert!((found - mirrored).abs() < 1e-12);
                }
                let same = rouge1(&left, &left, language);
                proptest::prop_assert_eq!(same, f64::from(!units(&left, language).is_empty()));
            }
        }
    }
}
