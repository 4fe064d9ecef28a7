//! Training and validation curves, and the draws of further rounds.

use ablate_report::{CurveRow, LedgerRow, StudyData};
use ablate_train::rounds::Ledger;

use super::Results;
use crate::exit::CommandError;
use crate::graph::SeedNodes;
use crate::stages::{read_json, select, train};

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
        let Some(folder) = results.folder(nodes.train)? else { break };
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
        let summary: train::Summary = read_json(&folder.join(train::SUMMARY)).map_err(failed)?;
        steps += summary.steps;
        tokens += summary.tokens;
        bytes += summary.bytes;
        let Some(select) = nodes.select else { continue };
        let Some(folder) = results.folder(select)? else { continue };
        let ledger: Ledger = read_json(&folder.join(select::LEDGER)).map_err(failed)?;
        data.rounds.push(LedgerRow {
            variant: variant.to_owned(),
            seed: seed.seed,
            round: ledger.round,
            batches: ledger.batches as u64,
            kept: ledger.kept.len() as u64,
            mean_loss_all: ledger.mean_loss,
            mean_loss_kept: ledger.mean_loss_kept,
            effective_share: ledger.effective_batches / ledger.batches as f64,
        });
    }
    Ok(())
}
