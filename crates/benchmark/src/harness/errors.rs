//! Metrics of tasks and groups, and their standard errors.

use std::collections::BTreeMap;

use ablate_eval::{ItemResult, clustered_error, standard_error};
use serde_json::{Map, Value, json};

use super::Task;
use crate::definition::{Aggregation, Definition, Way};
use crate::prompt::Question;

/// Metrics that apply to every item, with the items' values and what they share with others.
pub(super) fn metrics<'a>(
    items: &[(&'a Question<'a>, &'a ItemResult)],
) -> Vec<(&'static str, Vec<f64>, Vec<&'a str>)> {
    let mut found = Vec::new();
    for metric in ablate_eval::METRICS {
        let values = items.iter().map(|(question, result)| {
            written(question.way, metric).then(|| result.metric_value(metric)).flatten()
        });
        if let Some(values) = values.collect::<Option<Vec<f64>>>().filter(|v| !v.is_empty()) {
            let shared = items.iter().map(|(question, _)| shared(question));
            found.push((metric, values, shared.collect()));
        }
    }
    found
}

/// The subject or passage of an item, empty where it has none.
fn shared<'a>(question: &'a Question<'a>) -> &'a str {
    let form = question.item.form.as_ref();
    form.and_then(|form| form.subject.as_deref()).unwrap_or_default()
}

/// Whether results have a metric of items that were asked in a way.
pub(super) fn written(way: Way, metric: &str) -> bool {
    match way {
        Way::Ppl => metric == "acc_ppl",
        Way::Continuation => metric != "acc_ppl",
        Way::Generate => true,
    }
}

/// A benchmark of several tasks as one: the means weighted by items or not, with the harness's pooled
/// standard errors, and those of clusters of a subject.
pub(super) fn group<'a>(
    definition: &Definition,
    tasks: impl Iterator<Item = &'a Task<'a>>,
) -> Value {
    let mut all = BTreeMap::<&str, Vec<(Vec<f64>, Vec<&str>)>>::new();
    let mut count = 0;
    for items in tasks {
        count += items.len();
        for (metric, values, subjects) in metrics(items) {
            all.entry(metric).or_default().push((values, subjects));
        }
    }
    let mut entry = Map::new();
    entry.insert("name".into(), json!(definition.name));
    entry.insert("alias".into(), json!(definition.name));
    entry.insert("sample_len".into(), json!(count));
    let mut sample_counts = Map::new();
    for (metric, tasks) in all {
        if metric == "perplexity" {
            continue;
        }
        let sizes: Vec<f64> = tasks.iter().map(|(values, _)| values.len() as f64).collect();
        let means: Vec<f64> = tasks.iter().map(|(values, _)| mean(values)).collect();
        let errors: Vec<f64> = tasks.iter().map(|(values, _)| standard_error(values)).collect();
        let total: f64 = sizes.iter().sum();
        let tasks_count = sizes.len() as f64;
        let (value, error) = match definition.aggregation {
            Aggregation::Items => {
                let weighted = means.iter().zip(&sizes).map(|(mean, size)| mean * size);
                let pooled =
                    errors.iter().zip(&sizes).map(|(error, n)| (n - 1.0) * error * error * n);
                let variance = pooled.sum::<f64>() / (total - tasks_count);
                (weighted.sum::<f64>() / total, (variance / total).sqrt())
            }
            Aggregation::Subjects => {
                let squares: f64 = errors.iter().map(|error| error * error).sum();
                (mean(&means), squares.sqrt() / tasks_count)
            }
        };
        sample_counts.insert(format!("{metric},none"), json!(total as usize));
        entry.insert(format!("{metric},none"), json!(value));
        entry.insert(format!("{metric}_stderr,none"), number(error));
        if definition.aggregation == Aggregation::Items {
            let values: Vec<f64> = tasks.iter().flat_map(|(values, _)| values.clone()).collect();
            let subjects: Vec<&str> = tasks.iter().flat_map(|(_, s)| s.clone()).collect();
            let clustered = clustered_error(&values, &subjects);
            entry.insert(format!("{metric}_stderr_clustered,none"), number(clustered));
        }
    }
    entry.insert("sample_count".into(), sample_counts.into());
    entry.into()
}

/// A number, or what the harness writes where there is none.
pub(super) fn number(value: f64) -> Value {
    if value.is_finite() { json!(value) } else { json!("N/A") }
}

pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}
