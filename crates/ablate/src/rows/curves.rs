//! Training and validation curves.

use ablate_report::{CurveRow, StudyData};

use super::Results;
use crate::exit::CommandError;
use crate::graph::SeedNodes;
use crate::stages::{read_json, train};

pub fn rows(
    results: &Results<'_>,
    variant: &str,
    seed: &SeedNodes,
    data: &mut StudyData,
) -> Result<(), CommandError> {
    let failed = |failure: ablate_pipeline::Failure| CommandError::machine(failure.message);
    // Rounds after the first count on from where the one before ended.
    let (mut steps, mut tokens, mut bytes) = (0, 0, 0);
    for (round, nodes) in (1_u32..).zip(&seed.rounds) {
        let finished = results.folder(nodes.train)?;
        // What diverged has a curve as well: up to there.
        let Some(folder) = finished.clone().or(results.diverged(nodes.train)?) else { break };
        if finished.is_none() && !folder.join(train::METRICS).exists() {
            break;
        }
        for metric in train::read_metrics(&folder.join(train::METRICS)).map_err(failed)? {
            data.curves.push(CurveRow {
                variant: variant.to_owned(),
                seed: seed.seed,
                round,
                step: steps + metric.step,
                tokens: tokens + metric.tokens,
                bytes: bytes + metric.bytes,
                split: metric.split,
                language: metric.language.unwrap_or_default(),
                loss: metric.loss,
                bits_per_byte: metric.bits_per_byte,
                tokens_per_second: metric.tokens_per_second,
            });
        }
        if finished.is_none() {
            break;
        }
        let summary: train::Summary = read_json(&folder.join(train::SUMMARY)).map_err(failed)?;
        steps += summary.steps;
        tokens += summary.tokens;
        bytes += summary.bytes;
    }
    Ok(())
}
