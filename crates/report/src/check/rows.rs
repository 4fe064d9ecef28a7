//! The saved rows against the study, against each other, and against the results that they were read from.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{Finding, Reason};
use crate::rows::{ItemRow, ScoreRow, StudyData, VariantRow};

/// Every seed of the study that a variant has neither rows of nor a failure for.
pub(super) fn deleted_seeds(data: &StudyData) -> Vec<Finding> {
    let scored: BTreeSet<(&str, u64)> =
        data.scores.iter().map(|row| (row.variant.as_str(), row.seed)).collect();
    if scored.is_empty() {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for variant in &data.variants {
        for seed in &data.study.seeds {
            let failed = variant.failed.iter().any(|(failed, _)| failed == seed);
            if !failed && !scored.contains(&(variant.name.as_str(), *seed)) {
                findings.push(Finding::new(
                    Reason::DeletedSeed,
                    format!("scores.parquet {} seed {seed}", variant.name),
                    "the study has this seed and it did not fail, but there are no rows of it",
                ));
            }
        }
    }
    findings
}

/// Scores that are not the mean of their items, and scores whose items are gone.
pub(super) fn inconsistent(data: &StudyData) -> Vec<Finding> {
    let mut items: BTreeMap<(&str, u64, &str, &str), Vec<f64>> = BTreeMap::new();
    for row in &data.items {
        let place = (row.variant.as_str(), row.seed, row.benchmark.as_str(), row.language.as_str());
        items.entry(place).or_default().push(row.score);
    }
    let mut findings = Vec::new();
    for row in data.scores.iter().filter(|row| row.primary && row.benchmark != "validation") {
        let place = (row.variant.as_str(), row.seed, row.benchmark.as_str(), row.language.as_str());
        let found = items.get(&place).map_or(&[][..], Vec::as_slice);
        if (found.len() as u64) < row.items {
            let what = format!("{} items of {} are there", found.len(), row.items);
            findings.push(Finding::new(Reason::Inconsistent, score_place(row), what));
            continue;
        }
        // Other metrics are no means over items, and some count a part of them.
        let mean_of_items = row.metric.starts_with("acc") || row.metric.starts_with("rouge");
        if !mean_of_items || found.len() as u64 != row.items || found.is_empty() {
            continue;
        }
        let mean = found.iter().sum::<f64>() / found.len() as f64;
        if (mean - row.value).abs() > 1e-9 {
            let what = format!("the score is {}, the mean of its items {mean}", row.value);
            findings.push(Finding::new(Reason::Inconsistent, score_place(row), what));
        }
    }
    findings
}

fn score_place(row: &ScoreRow) -> String {
    format!(
        "scores.parquet {} seed {} {} {} {}",
        row.variant, row.seed, row.benchmark, row.language, row.metric
    )
}

/// Saved rows that are not what the results at hand say.
pub(super) fn stale(data: &StudyData, fresh: &StudyData, notes: &mut Vec<String>) -> Vec<Finding> {
    let mut findings = other_keys(data, fresh);
    let (have, there) = (seeds(data), seeds(fresh));
    for (variant, seed) in there.difference(&have) {
        findings.push(Finding::new(
            Reason::Stale,
            format!("scores.parquet {variant} seed {seed}"),
            "there is an evaluation in the store that the report has no rows of",
        ));
    }
    let gone = have.difference(&there).count();
    if gone > 0 {
        notes.push(format!(
            "{gone} of {} evaluations are not in the store: their rows were taken as they are",
            have.len()
        ));
    }
    findings.extend(scores(data, fresh, &there));
    findings.extend(items(data, fresh, &there));
    if gone == 0 && findings.is_empty() {
        findings.extend(others(data, fresh));
    }
    findings
}

/// Whether the results at hand are those of the report, and all of them: then cells can be compared.
pub(super) fn comparable(data: &StudyData, fresh: &StudyData) -> bool {
    other_keys(data, fresh).is_empty() && seeds(data).is_subset(&seeds(fresh))
}

fn seeds(data: &StudyData) -> BTreeSet<(&str, u64)> {
    data.scores.iter().map(|row| (row.variant.as_str(), row.seed)).collect()
}

/// Runs that the study file would now make as something else.
fn other_keys(data: &StudyData, fresh: &StudyData) -> Vec<Finding> {
    let mut findings = Vec::new();
    for run in &data.provenance.runs {
        let of = |r: &&crate::rows::RunRecord| r.variant == run.variant && r.seed == run.seed;
        let place = format!("{} seed {}", run.variant, run.seed);
        let Some(wanted) = fresh.provenance.runs.iter().find(of) else {
            let what = "the study file has no such variant and seed any more";
            findings.push(Finding::new(Reason::Stale, place, what));
            continue;
        };
        let short = |key: &str| key.get(..12).unwrap_or(key).to_string();
        if run.eval != wanted.eval {
            findings.push(Finding::new(
                Reason::Stale,
                place,
                format!(
                    "its rows are of eval {}, the study file asks for eval {}",
                    short(&run.eval),
                    short(&wanted.eval)
                ),
            ));
        }
    }
    findings
}

/// Scores by what they are of.
fn scores(data: &StudyData, fresh: &StudyData, there: &BTreeSet<(&str, u64)>) -> Vec<Finding> {
    let known: BTreeMap<String, &ScoreRow> =
        data.scores.iter().map(|row| (score_place(row), row)).collect();
    let mut findings = Vec::new();
    let mut seen = BTreeSet::new();
    let have = seeds(data);
    for row in &fresh.scores {
        let place = score_place(row);
        match known.get(&place) {
            Some(saved) if same(*saved, row) => {}
            Some(saved) => findings.push(Finding::new(
                Reason::Stale,
                &place,
                format!("the report has {}, the store {}", saved.value, row.value),
            )),
            None if have.contains(&(row.variant.as_str(), row.seed)) => {
                findings.push(Finding::new(
                    Reason::Stale,
                    &place,
                    "the store has this score, the report does not",
                ))
            }
            None => {}
        }
        seen.insert(place);
    }
    for (place, row) in known {
        if !seen.contains(&place) && there.contains(&(row.variant.as_str(), row.seed)) {
            let what = "the report has this score, the store does not";
            findings.push(Finding::new(Reason::Stale, place, what));
        }
    }
    findings
}

/// Items, one line for every model and benchmark.
fn items(data: &StudyData, fresh: &StudyData, there: &BTreeSet<(&str, u64)>) -> Vec<Finding> {
    type Place<'a> = (&'a str, u64, &'a str, &'a str);
    fn group(data: &StudyData) -> BTreeMap<Place<'_>, BTreeMap<&str, &ItemRow>> {
        let mut all: BTreeMap<Place<'_>, BTreeMap<&str, &ItemRow>> = BTreeMap::new();
        for row in &data.items {
            let place =
                (row.variant.as_str(), row.seed, row.benchmark.as_str(), row.language.as_str());
            all.entry(place).or_default().insert(&row.item, row);
        }
        all
    }
    let (saved, wanted) = (group(data), group(fresh));
    let have = seeds(data);
    let places: BTreeSet<&Place<'_>> = saved.keys().chain(wanted.keys()).collect();
    let mut findings = Vec::new();
    for place in places {
        let run = (place.0, place.1);
        if !there.contains(&run) || !have.contains(&run) {
            continue;
        }
        let empty = BTreeMap::new();
        let (a, b) = (saved.get(place).unwrap_or(&empty), wanted.get(place).unwrap_or(&empty));
        let names: BTreeSet<&&str> = a.keys().chain(b.keys()).collect();
        let differs = |name: &&&&str| match (a.get(**name), b.get(**name)) {
            (Some(a), Some(b)) => !same(*a, *b),
            _ => true,
        };
        let wrong: Vec<&&&str> = names.iter().filter(differs).collect();
        if let Some(first) = wrong.first() {
            findings.push(Finding::new(
                Reason::Stale,
                format!("items.parquet {} seed {} {} {}", place.0, place.1, place.2, place.3),
                format!(
                    "{} of {} items are not those of the store, the first is `{first}`",
                    wrong.len(),
                    names.len()
                ),
            ));
        }
    }
    findings
}

/// Whether two rows are the same; a number that is none is the same as another that is none.
fn same<T: Serialize + PartialEq>(a: &T, b: &T) -> bool {
    a == b || serde_json::to_value(a).ok() == serde_json::to_value(b).ok()
}

/// The rows of every other file, as a whole.
fn others(data: &StudyData, fresh: &StudyData) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut file = |name: &str, is_same: bool| {
        if !is_same {
            let what = "its rows are not what the store's results say";
            findings.push(Finding::new(Reason::Stale, format!("{name}.parquet"), what));
        }
    };
    // Speeds of decoding are of this machine, and no result's.
    let lasting = |rows: &[VariantRow]| -> Vec<VariantRow> {
        rows.iter().map(|row| VariantRow { decoding: None, ..row.clone() }).collect()
    };
    file("variants", same(&lasting(&data.variants), &lasting(&fresh.variants)));
    file("curves", same(&data.curves, &fresh.curves));
    file("coverage", same(&data.coverage, &fresh.coverage));
    file("tokenizers", same(&data.tokenizers, &fresh.tokenizers));
    file("rounds", same(&data.rounds, &fresh.rounds));
    file("visits", same(&data.visits, &fresh.visits));
    file("batch_losses", same(&data.batch_losses, &fresh.batch_losses));
    file("progress", same(&data.progress, &fresh.progress));
    file("skips", same(&data.skips, &fresh.skips));
    file("influence", same(&data.influence, &fresh.influence));
    file("spreads", same(&data.spreads, &fresh.spreads));
    let recorded: BTreeMap<&str, &str> =
        data.provenance.results.iter().map(|r| (r.key.as_str(), r.content.as_str())).collect();
    for result in &fresh.provenance.results {
        if recorded.get(result.key.as_str()).is_some_and(|content| *content != result.content) {
            findings.push(Finding::new(
                Reason::Stale,
                format!("{} {}", result.stage, result.name),
                "the store holds another content of this result than the report was made from",
            ));
        }
    }
    findings
}
