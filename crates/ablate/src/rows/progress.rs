//! Scores of a variant with one seed while it trains.

use ablate_report::{ProgressRow, StudyData};

use super::Results;
use crate::exit::CommandError;
use crate::graph::SeedNodes;
use crate::stages::{progress, read_json, train};

pub fn rows(
    results: &Results<'_>,
    variant: &str,
    seed: &SeedNodes,
    data: &mut StudyData,
) -> Result<(), CommandError> {
    let failed = |failure: ablate_pipeline::Failure| CommandError::machine(failure.message);
    // Rounds after the first count on from where the one before ended.
    let mut before = 0;
    for (round, (nodes, id)) in (1_u32..).zip(seed.rounds.iter().zip(&seed.progress)) {
        let Some(trained) = results.folder(nodes.train)? else { break };
        if let Some(folder) = results.folder(*id)? {
            for point in progress::read(&folder).map_err(failed)? {
                let primary = point.scores.into_iter().filter(|score| score.primary);
                data.progress.extend(primary.map(|score| ProgressRow {
                    variant: variant.to_owned(),
                    seed: seed.seed,
                    round,
                    tokens: before + point.tokens,
                    round_tokens: point.tokens,
                    benchmark: score.benchmark,
                    language: score.language,
                    metric: score.metric,
                    value: score.value,
                    items: score.items as u64,
                    chance: score.chance,
                }));
            }
        }
        before +=
            read_json::<train::Summary>(&trained.join(train::SUMMARY)).map_err(failed)?.tokens;
    }
    Ok(())
}
