//! Losses of a training's batches under the final weights, by part.

use ablate_report::{BatchLossRow, StudyData};
use ablate_train::part_ranges;

use super::Results;
use crate::exit::CommandError;
use crate::graph::SeedNodes;
use crate::stages::losses;

pub fn rows(
    results: &Results<'_>,
    variant: &str,
    seed: &SeedNodes,
    parts: usize,
    data: &mut StudyData,
) -> Result<(), CommandError> {
    let Some(folder) = seed.losses.map(|id| results.folder(id)).transpose()?.flatten() else {
        return Ok(());
    };
    let found = losses::read(&folder).map_err(|failure| CommandError::machine(failure.message))?;
    if let Some(row) = data.variants.iter_mut().find(|row| row.name == variant) {
        row.passes = Some(found.passes);
    }
    // Fewer batches than parts: every batch is one.
    let parts = parts.min(found.losses.len());
    let ranges = part_ranges(found.losses.len(), parts).map_err(CommandError::bug)?;
    for (part, range) in (0..).zip(ranges) {
        data.batch_losses.extend(range.map(|batch| BatchLossRow {
            variant: variant.to_owned(),
            seed: seed.seed,
            batch: batch as u64,
            part,
            loss: f64::from(found.losses[batch]),
        }));
    }
    Ok(())
}
