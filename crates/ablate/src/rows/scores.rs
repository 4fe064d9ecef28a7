//! Scores and items of a variant with one seed.

use ablate_eval::{ItemResult, Score};
use ablate_pipeline::NodeId;
use ablate_report::{ItemRow, ScoreRow, StudyData};

use super::Results;
use crate::exit::CommandError;
use crate::graph::SeedNodes;
use crate::stages;

pub fn rows(
    results: &Results<'_>,
    variant: &str,
    seed: &SeedNodes,
    data: &mut StudyData,
) -> Result<(), CommandError> {
    of_eval(results, variant, (seed.seed, seed.eval), data)
}

/// Scores and items of an evaluation, under a name and a seed.
pub fn of_eval(
    results: &Results<'_>,
    variant: &str,
    (seed, eval): (u64, NodeId),
    data: &mut StudyData,
) -> Result<(), CommandError> {
    let Some(folder) = results.folder(eval)? else { return Ok(()) };
    let (scores, items) =
        stages::eval::read(&folder).map_err(|failure| CommandError::machine(failure.message))?;
    data.items.extend(item_rows(variant, seed, &scores, &items));
    data.scores.extend(score_rows(variant, seed, scores));
    Ok(())
}

/// Rows of the items that a model answered, whose scores are `scores`.
pub fn item_rows(variant: &str, seed: u64, scores: &[Score], items: &[ItemResult]) -> Vec<ItemRow> {
    let primary = |benchmark: &str| {
        scores.iter().find(|s| s.primary && s.benchmark == benchmark).map(|s| s.metric.clone())
    };
    let row = |item: &ItemResult| {
        let metric = primary(&item.benchmark).unwrap_or_default();
        let choice = match metric.as_str() {
            "acc_ppl" => item.choice_ppl,
            "acc_norm" => item.choice_acc_norm,
            "acc_bytes" => item.choice_acc_bytes,
            "acc_mutual_info" => item.choice_mutual,
            "rouge1" => None,
            _ => item.choice_acc,
        };
        // Items without options in a benchmark of choices have a metric of their own.
        let own = || item.metric.as_ref().and_then(|metric| item.metric_value(metric));
        let score = item.metric_value(&metric).or_else(own).unwrap_or(0.0);
        let index = |index: usize| i64::try_from(index).unwrap_or(-1);
        ItemRow {
            variant: variant.to_owned(),
            seed,
            benchmark: item.benchmark.clone(),
            language: item.language.clone(),
            item: item.item.clone(),
            document_hash: item.document_hash.clone(),
            prompt_hash: item.prompt_hash.clone(),
            subject: item.subject.clone(),
            by_subject: item.by_subject,
            option_logliks: item.option_logliks.clone(),
            choice: choice.map(index),
            key: item.key.map(index),
            score,
            prediction: item.prediction.clone(),
            reference: item.reference.clone(),
        }
    };
    items.iter().map(row).collect()
}

/// Rows of a model's scores.
pub fn score_rows(variant: &str, seed: u64, scores: Vec<Score>) -> Vec<ScoreRow> {
    let row = |score: Score| ScoreRow {
        variant: variant.to_owned(),
        seed,
        benchmark: score.benchmark,
        language: score.language,
        metric: score.metric,
        value: score.value,
        standard_error: score.standard_error,
        items: score.items as u64,
        chance: score.chance,
        primary: score.primary,
    };
    scores.into_iter().map(row).collect()
}
