//! Scores of whole benchmarks.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use crate::{ItemResult, Scoring};

/// One metric of one benchmark in one language.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Name of the benchmark.
    pub benchmark: String,
    /// Language code.
    pub language: String,
    /// `acc_ppl`, `acc`, `acc_norm`, `rouge1`, `bits_per_byte` or `byte_perplexity`.
    pub metric: String,
    /// The score: a fraction of 1 for accuracies and ROUGE.
    pub value: f64,
    /// Standard error over items, sample standard deviation over sqrt(items), as
    /// lm-evaluation-harness gives it; NaN (in JSON `null`) for a single item.
    #[serde(deserialize_with = "number_or_nan")]
    pub standard_error: f64,
    /// Number of items (of windows of text for bits per byte).
    pub items: usize,
    /// Expected score of guessing: the mean of 1 / options; `None` where there is no such thing.
    pub chance: Option<f64>,
    /// Whether this is the benchmark's headline.
    pub primary: bool,
}

fn number_or_nan<'a, D: Deserializer<'a>>(from: D) -> Result<f64, D::Error> {
    Ok(Option::<f64>::deserialize(from)?.unwrap_or(f64::NAN))
}

/// Scores per benchmark and language, in the order of their first results: `acc_ppl`, `acc` and
/// `acc_norm` for choices, the one that `scoring` asks for marked as primary, `rouge1` for free
/// text.
pub fn scores(results: &[ItemResult], scoring: Scoring) -> Vec<Score> {
    let mut places = BTreeMap::new();
    let mut groups = Vec::<Vec<&ItemResult>>::new();
    for result in results {
        let place = *places.entry((&result.benchmark, &result.language)).or_insert(groups.len());
        if place == groups.len() {
            groups.push(Vec::new());
        }
        groups[place].push(result);
    }
    groups.iter().flat_map(|group| group_scores(group, scoring)).collect()
}

fn group_scores(group: &[&ItemResult], scoring: Scoring) -> Vec<Score> {
    let choices: Vec<&ItemResult> =
        group.iter().copied().filter(|result| !result.option_logliks.is_empty()).collect();
    let chances: Vec<f64> =
        choices.iter().map(|result| 1.0 / result.option_logliks.len() as f64).collect();
    let chance = (!chances.is_empty()).then(|| mean(&chances));
    let right = |chosen: fn(&ItemResult) -> Option<usize>| {
        let hit = |result: &&ItemResult| f64::from(chosen(result) == result.key);
        choices.iter().map(hit).collect::<Vec<f64>>()
    };
    let overlaps: Vec<f64> = group.iter().filter_map(|result| result.rouge1).collect();
    let metrics = [
        ("acc_ppl", right(|result| result.choice_ppl), chance, scoring == Scoring::Ppl),
        ("acc", right(|result| result.choice_acc), chance, scoring == Scoring::Continuation),
        ("acc_norm", right(|result| result.choice_acc_norm), chance, false),
        ("rouge1", overlaps, None, true),
    ];
    metrics
        .into_iter()
        .filter(|(_, values, ..)| !values.is_empty())
        .map(|(metric, values, chance, primary)| Score {
            benchmark: group[0].benchmark.clone(),
            language: group[0].language.clone(),
            metric: metric.to_owned(),
            value: mean(&values),
            standard_error: standard_error(&values),
            items: values.len(),
            chance,
            primary,
        })
        .collect()
}

/// Sample standard deviation (n - 1) over sqrt(n).
fn standard_error(values: &[f64]) -> f64 {
    if values.len() < 2 {
        return f64::NAN;
    }
    let (centre, n) = (mean(values), values.len() as f64);
    let squares: f64 = values.iter().map(|value| (value - centre).powi(2)).sum();
    (squares / (n - 1.0) / n).sqrt()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(benchmark: &str, options: usize, key: usize, chosen: [usize; 3]) -> ItemResult {
        ItemResult {
            benchmark: benchmark.into(),
            language: "en".into(),
            option_logliks: vec![-1.0; options],
            key: Some(key),
            choice_ppl: Some(chosen[0]),
            choice_acc: Some(chosen[1]),
            choice_acc_norm: Some(chosen[2]),
            ..ItemResult::default()
        }
    }

    fn text(rouge1: f64) -> ItemResult {
        let rouge1 = Some(rouge1);
        ItemResult {
            benchmark: "news".into(),
            language: "zh".into(),
            rouge1,
            ..ItemResult::default()
        }
    }

    #[test]
    fn accuracies_with_errors_and_chance() {
        let results = [
            text(0.5),
            choice("exam", 4, 1, [1, 0, 0]),
            choice("exam", 2, 0, [0, 0, 1]),
            text(0.25),
            choice("exam", 4, 3, [2, 3, 0]),
        ];
        let found = scores(&results, Scoring::Continuation);
        let metrics: Vec<_> = found
            .iter()
            .map(|s| (s.benchmark.as_str(), s.metric.as_str(), s.items, s.primary))
            .collect();
        assert_eq!(
            metrics,
            [
                ("news", "rouge1", 2, true),
                ("exam", "acc_ppl", 3, false),
                ("exam", "acc", 3, true),
                ("exam", "acc_norm", 3, false),
            ]
        );
        assert_eq!((found[0].value, found[0].chance), (0.375, None));
        assert!((found[0].standard_error - 0.125).abs() < 1e-15);
        let values: Vec<f64> = found[1..].iter().map(|score| score.value).collect();
        assert_eq!(values, [2.0 / 3.0, 2.0 / 3.0, 0.0]);
        // Of 1, 1, 0: variance 1/3 with n - 1, over 3 items.
        assert!((found[1].standard_error - 1.0 / 3.0).abs() < 1e-15);
        assert!((found[1].chance.unwrap() - 1.0 / 3.0).abs() < 1e-15);
        let primary = |scoring| {
            let all = scores(&results[1..3], scoring);
            all.into_iter().find(|score| score.primary).unwrap().metric
        };
        assert_eq!(
            (primary(Scoring::Ppl), primary(Scoring::Continuation)),
            ("acc_ppl".into(), "acc".into())
        );
    }

    #[test]
    fn a_single_item_has_no_error_and_survives_json() {
        let found = scores(&[text(0.5)], Scoring::Ppl);
        assert!(found[0].standard_error.is_nan());
        let json = serde_json::to_string(&found).unwrap();
        let back: Vec<Score> = serde_json::from_str(&json).unwrap();
        assert!(back[0].standard_error.is_nan() && back[0].value == 0.5);
        assert!(scores(&[], Scoring::Ppl).is_empty());
    }
}
