//! Scores without layers, and Block Influence, of a variant with one seed.

use ablate_report::{InfluenceRow, SkipRow, StudyData};

use super::Results;
use crate::exit::CommandError;
use crate::graph::SeedNodes;
use crate::stages::skips;

pub fn rows(
    results: &Results<'_>,
    variant: &str,
    seed: &SeedNodes,
    data: &mut StudyData,
) -> Result<(), CommandError> {
    let Some(folder) = seed.skips.map(|id| results.folder(id)).transpose()?.flatten() else {
        return Ok(());
    };
    let found = skips::read(&folder).map_err(|failure| CommandError::machine(failure.message))?;
    for entry in found.scores {
        let primary = entry.scores.into_iter().filter(|score| score.primary);
        data.skips.extend(primary.map(|score| SkipRow {
            variant: variant.to_owned(),
            seed: seed.seed,
            count: entry.skip.count as u64,
            first: entry.skip.first as u64,
            benchmark: score.benchmark,
            language: score.language,
            metric: score.metric,
            value: score.value,
            items: score.items as u64,
            chance: score.chance,
        }));
    }
    data.influence.extend((0..).zip(found.influence).map(|(layer, influence)| InfluenceRow {
        variant: variant.to_owned(),
        seed: seed.seed,
        layer,
        influence,
    }));
    Ok(())
}
