//! Scores of whole benchmarks.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer, Serialize};

use crate::{ItemResult, Scoring};

/// One metric of one benchmark in one language.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Name of the benchmark.
    pub benchmark: String,
    /// Language code.
    pub language: String,
    /// `acc_ppl`, `acc`, `acc_norm`, `rouge1`, `bits_per_byte`, `byte_perplexity`; of published
    /// benchmarks also `acc_bytes`, `acc_mutual_info`, `perplexity`, `rouge2`, `rougel`, `exact_match`,
    /// and `score` where items have several headlines: the mean of each item's own.
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

/// Metrics in the order in which they are shown.
pub const METRICS: [&str; 10] = [
    "acc_ppl",
    "acc",
    "acc_norm",
    "acc_bytes",
    "acc_mutual_info",
    "perplexity",
    "rouge1",
    "rouge2",
    "rougel",
    "exact_match",
];

/// The headline of a benchmark whose items have several.
const MIXED: &str = "score";

/// Scores per benchmark and language, in the order of their first results: `acc_ppl`, `acc` and
/// `acc_norm` for choices, the one that `scoring` asks for marked as primary, `rouge1` for free
/// text. Published benchmarks have further metrics, and may have a headline of their own.
///
/// Where items share subjects, the standard error is that of clusters; where every subject counts the
/// same, value and error are of the mean over subjects.
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
    let options = group.iter().map(|result| result.option_logliks.len()).filter(|count| *count > 1);
    let chances: Vec<f64> = options.map(|count| 1.0 / count as f64).collect();
    let chance = (!chances.is_empty()).then(|| mean(&chances));
    // Items of the storyworld and the user's own keep to what they always had.
    let plain =
        group.iter().all(|result| result.option_greedy.is_empty() && result.rouge2.is_none());
    let headlines: BTreeSet<&str> = group.iter().map(|result| result.headline(scoring)).collect();
    // Items with several headlines: the mean of each item's own is the benchmark's.
    let mixed = !plain && headlines.len() > 1;
    let own = |metric: &str| matches!(metric, "acc_ppl" | "acc" | "acc_norm" | "rouge1");
    let values_of = |metric: &str| -> Vec<(f64, Option<&str>)> {
        let value = |result: &ItemResult| match metric {
            MIXED => mixed.then(|| result.value(scoring)),
            metric => result.metric_value(metric),
        };
        group.iter().filter_map(|r| Some((value(r)?, r.subject.as_deref()))).collect()
    };
    METRICS
        .into_iter()
        .chain([MIXED])
        .filter(|metric| !plain || own(metric))
        .filter_map(|metric| {
            let values = values_of(metric);
            if values.is_empty() {
                return None;
            }
            let by_subject = group[0].by_subject;
            let (mut value, mut error) = mean_with_error(&values, by_subject);
            if metric == "perplexity" {
                // Of the mean log-likelihood; the derivative of e^-x is -e^-x.
                value = (-value).exp();
                error *= value;
            }
            Some(Score {
                benchmark: group[0].benchmark.clone(),
                language: group[0].language.clone(),
                metric: metric.to_owned(),
                value,
                standard_error: error,
                items: values.len(),
                chance: metric.starts_with("acc").then_some(chance).flatten(),
                primary: if mixed { metric == MIXED } else { headlines.contains(metric) },
            })
        })
        .collect()
}

/// The mean of values and its standard error, of items or of their subjects.
fn mean_with_error(values: &[(f64, Option<&str>)], by_subject: bool) -> (f64, f64) {
    let all: Vec<f64> = values.iter().map(|(value, _)| *value).collect();
    let clusters: Option<Vec<&str>> = values.iter().map(|(_, subject)| *subject).collect();
    match clusters {
        Some(clusters) if by_subject => {
            let subjects = by_cluster(&all, &clusters);
            let means: Vec<f64> = subjects.iter().map(|values| mean(values)).collect();
            let squares = subjects.iter().map(|values| standard_error(values).powi(2));
            (mean(&means), squares.sum::<f64>().sqrt() / means.len() as f64)
        }
        Some(clusters) => (mean(&all), clustered_error(&all, &clusters)),
        None => (mean(&all), standard_error(&all)),
    }
}

fn by_cluster(values: &[f64], clusters: &[&str]) -> Vec<Vec<f64>> {
    let mut groups = BTreeMap::<&str, Vec<f64>>::new();
    for (value, cluster) in values.iter().zip(clusters) {
        groups.entry(cluster).or_default().push(*value);
    }
    groups.into_values().collect()
}

/// Standard error of a mean whose values share clusters: of the sums of deviations in each cluster,
/// with the correction for their number (Liang and Zeger 1986); NaN for a single cluster.
pub fn clustered_error(values: &[f64], clusters: &[&str]) -> f64 {
    let (centre, groups) = (mean(values), by_cluster(values, clusters));
    if groups.len() < 2 {
        return f64::NAN;
    }
    let deviation = |group: &Vec<f64>| group.iter().map(|value| value - centre).sum::<f64>();
    let squares: f64 = groups.iter().map(|group| deviation(group).powi(2)).sum();
    let count = groups.len() as f64;
    (squares * count / (count - 1.0)).sqrt() / values.len() as f64
}

/// Sample standard deviation (n - 1) over sqrt(n), as lm-evaluation-harness has it; NaN for one value.
pub fn standard_error(values: &[f64]) -> f64 {
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
    fn subjects_and_headlines_of_published_benchmarks() {
        let result = |subject: &str, right: bool| ItemResult {
            subject: Some(subject.into()),
            option_greedy: vec![false; 2],
            metric: Some("acc_norm".into()),
            ..choice("mmlu", 2, 0, [1, 1, usize::from(!right)])
        };
        let mut results =
            vec![result("a", true), result("a", true), result("a", false), result("b", false)];
        let found = scores(&results, Scoring::Continuation);
        let norm = found.iter().find(|score| score.primary).unwrap();
        assert_eq!((norm.metric.as_str(), norm.value, norm.items), ("acc_norm", 0.5, 4));
        // Deviations sum to 0.5 and -0.5: sqrt(2 * 0.5) / 4.
        assert!((norm.standard_error - 0.25).abs() < 1e-15);
        results.push(result("b", false));
        results.iter_mut().for_each(|result| result.by_subject = true);
        let found = scores(&results, Scoring::Continuation);
        let norm = found.iter().find(|score| score.primary).unwrap();
        assert!((norm.value - 1.0 / 3.0).abs() < 1e-15);
        // Errors 1/3 and 0 of the subjects.
        assert!((norm.standard_error - 1.0 / 6.0).abs() < 1e-15);
    }

    /// `tests/fixtures/make_errors.py`: `mean_stderr` of the harness, and of subjects that count the same
    /// its `unweighted_mean_stderr`. (Groups weighted by size are in the tests of its files.)
    #[test]
    fn errors_are_the_harness_s() {
        let cases: serde_json::Value =
            serde_json::from_str(include_str!("../tests/fixtures/errors.json")).unwrap();
        for case in cases.as_array().unwrap() {
            let sizes: Vec<u64> = serde_json::from_value(case["sizes"].clone()).unwrap();
            let subjects = sizes
                .iter()
                .enumerate()
                .flat_map(|(subject, size)| (0..*size).map(move |_| format!("subject {subject}")));
            let right = |metric: &str| -> Vec<f64> {
                serde_json::from_value(case[metric]["values"].clone()).unwrap()
            };
            let (acc, norm) = (right("acc"), right("acc_norm"));
            let mut results: Vec<ItemResult> = (acc.iter().zip(&norm))
                .map(|(acc, norm)| choice("b", 2, 1, [0, *acc as usize, *norm as usize]))
                .collect();
            let check = |results: &[ItemResult], value: &str, error: &str| {
                let found = scores(results, Scoring::Continuation);
                for metric in ["acc", "acc_norm"] {
                    let of = found.iter().find(|score| score.metric == metric).unwrap();
                    let expected = |key: &str| case[metric][key].as_f64().unwrap();
                    assert!((of.value - expected(value)).abs() < 1e-14, "{metric}");
                    assert!((of.standard_error - expected(error)).abs() < 1e-14, "{metric}");
                }
            };
            check(&results, "mean", "stderr");
            for (result, subject) in results.iter_mut().zip(subjects) {
                (result.subject, result.by_subject) = (Some(subject), true);
            }
            check(&results, "of_subjects", "of_subjects_stderr");
        }
    }

    /// Three choices, of which two are right, and an answer that is the reference: as in AGIEval, whose
    /// sums are answered in free text.
    #[test]
    fn items_with_several_headlines_have_a_score_of_their_own() {
        let published = |result: ItemResult| ItemResult { rouge2: Some(0.0), ..result };
        let sum = ItemResult {
            metric: Some("exact_match".into()),
            exact_match: Some(1.0),
            benchmark: "b".into(),
            language: "en".into(),
            ..text(0.5)
        };
        let results: Vec<ItemResult> = [[1, 0, 0], [1, 1, 0], [0, 0, 0]]
            .map(|chosen| choice("b", 2, 1, chosen))
            .into_iter()
            .chain([published(sum)])
            .collect();
        let found = scores(&results, Scoring::Ppl);
        let primary: Vec<&Score> = found.iter().filter(|score| score.primary).collect();
        assert_eq!(primary.len(), 1, "{found:?}");
        assert_eq!(
            (primary[0].metric.as_str(), primary[0].value, primary[0].items),
            ("score", 0.75, 4)
        );
        let of = |metric: &str| found.iter().find(|score| score.metric == metric).unwrap();
        assert!((of("acc_ppl").value - 2.0 / 3.0).abs() < 1e-12 && of("acc_ppl").items == 3);
        assert_eq!((of("exact_match").value, of("exact_match").items), (1.0, 1));
    }

    #[test]
    fn last_words_have_a_perplexity() {
        let word = |loglik, greedy| ItemResult {
            option_logliks: vec![loglik],
            option_greedy: vec![greedy],
            ..ItemResult::default()
        };
        let found = scores(&[word(-1.0, true), word(-3.0, false)], Scoring::Continuation);
        let summary: Vec<_> =
            found.iter().map(|s| (s.metric.as_str(), s.value, s.primary)).collect();
        assert_eq!(summary, [("acc", 0.5, true), ("perplexity", 2f64.exp(), false)]);
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
