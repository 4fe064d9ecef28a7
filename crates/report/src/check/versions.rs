//! Whether every model was asked the same, by the same version of the evaluation.

use std::collections::BTreeMap;

use super::{Finding, Reason};
use crate::provenance::Evidence;
use crate::rows::{ResultRecord, StudyData};

/// Columns in which models were asked different things. A study that varies what is asked has a column
/// for each variant: only its seeds must agree.
pub(super) fn mixed(data: &StudyData, evidence: &Evidence<'_>) -> Vec<Finding> {
    let asks = |path: &String| path.starts_with("eval") || path.starts_with("corpus");
    let varied = data.study.factors.iter().any(asks);
    let scope = |variant: &str| if varied { variant.to_string() } else { String::new() };
    let mut findings = items(evidence, &scope);
    findings.extend(stages(data, &scope));
    findings
}

/// The items of every benchmark.
fn items(evidence: &Evidence<'_>, scope: &dyn Fn(&str) -> String) -> Vec<Finding> {
    let mut columns: BTreeMap<(String, &str, &str), BTreeMap<&str, Vec<String>>> = BTreeMap::new();
    for ((variant, seed, benchmark, language), fingerprint) in evidence.asked() {
        let column = columns.entry((scope(variant), *benchmark, *language)).or_default();
        let models = column.entry(&fingerprint.digest).or_default();
        models.push(format!("{variant}/{seed}"));
    }
    let several = columns.into_iter().filter(|(_, found)| found.len() > 1);
    several
        .map(|((_, benchmark, language), found)| {
            Finding::new(
                Reason::MixedVersions,
                format!("items.parquet {benchmark} {language}"),
                format!("models were asked different items: {}", groups(&found)),
            )
        })
        .collect()
}

/// The versions of the evaluation and of its items.
fn stages(data: &StudyData, scope: &dyn Fn(&str) -> String) -> Vec<Finding> {
    let results: BTreeMap<&str, &ResultRecord> =
        data.provenance.results.iter().map(|record| (record.key.as_str(), record)).collect();
    let mut versions: BTreeMap<(String, &str), BTreeMap<String, Vec<String>>> = BTreeMap::new();
    for run in &data.provenance.runs {
        let Some(eval) = results.get(run.eval.as_str()) else { continue };
        let benchmarks = eval.inputs.get("benchmarks").and_then(|key| results.get(key.as_str()));
        let recipe = eval.recipe.get(..12).unwrap_or(&eval.recipe);
        let mut note = |what: &'static str, version: String| {
            let found = versions.entry((scope(&run.variant), what)).or_default();
            found.entry(version).or_default().push(format!("{}/{}", run.variant, run.seed));
        };
        note("eval", format!("version {} (recipe {recipe})", eval.version));
        if let Some(items) = benchmarks {
            note("benchmarks", format!("version {} ({})", items.version, items.short()));
        }
    }
    let several = versions.into_iter().filter(|(_, found)| found.len() > 1);
    several
        .map(|((_, stage), found)| {
            let found = found.iter().map(|(name, models)| (name.as_str(), models.clone()));
            Finding::new(
                Reason::MixedVersions,
                format!("stage {stage}"),
                format!("models were scored by different versions: {}", groups(&found.collect())),
            )
        })
        .collect()
}

/// `A: x/1, x/2; B: y/1`, the largest group first.
fn groups(found: &BTreeMap<&str, Vec<String>>) -> String {
    let mut groups: Vec<(&&str, &Vec<String>)> = found.iter().collect();
    groups.sort_by_key(|(_, models)| std::cmp::Reverse(models.len()));
    let shown = |(name, models): (&&str, &Vec<String>)| match models.len() {
        0..=4 => format!("{name}: {}", models.join(", ")),
        n => format!("{name}: {} and {} more", models[..3].join(", "), n - 3),
    };
    groups.into_iter().map(shown).collect::<Vec<_>>().join("; ")
}
