//! How widely the weights of a variant with one seed spread in the end.

use ablate_report::{SpreadRow, StudyData};

use super::Results;
use crate::exit::CommandError;
use crate::graph::SeedNodes;
use crate::stages::train;

pub fn rows(
    results: &Results<'_>,
    variant: &str,
    seed: &SeedNodes,
    data: &mut StudyData,
) -> Result<(), CommandError> {
    let Some(last) = seed.rounds.last() else { return Ok(()) };
    let Some(folder) = results.folder(last.train)? else { return Ok(()) };
    let found =
        train::read_spreads(&folder).map_err(|failure| CommandError::machine(failure.message))?;
    data.spreads.extend(found.into_iter().map(|spread| SpreadRow {
        variant: variant.to_owned(),
        seed: seed.seed,
        layer: spread.layer as u64,
        matrix: spread.matrix,
        std: spread.std,
    }));
    Ok(())
}
