//! One row per model of others, and its scores.

use ablate_report::{ExternalRow, ExternalShape, StudyData};
use ablate_spec::External;

use super::variants::params;
use super::{Results, scores};
use crate::exit::CommandError;
use crate::graph::{ExternalNodes, GivenExternal};
use crate::stages::{read_json, shards};

/// What stands where rows of variants have their seed: such a model has none.
const SEED: u64 = 0;

pub fn rows(
    results: &Results<'_>,
    nodes: &ExternalNodes,
    external: &External,
    data: &mut StudyData,
) -> Result<(), CommandError> {
    let mut row = ExternalRow {
        name: external.name.clone(),
        label: external.label.clone(),
        paper: external.paper.clone(),
        ..ExternalRow::default()
    };
    match &nodes.found {
        Err(reason) => row.absent = Some(reason.clone()),
        Ok(given) => {
            row.shape = Some(shape(given));
            if let Some(shards) = given.shards
                && let Some(folder) = results.folder(shards)?
            {
                let summary: shards::Summary = read_json(&folder.join(shards::SUMMARY))
                    .map_err(|failure| CommandError::machine(failure.message))?;
                row.bytes_per_token = summary.bytes_per_token();
            }
            if results.artifact(given.eval)?.is_none() {
                let reason = results.reason(given.eval)?;
                row.absent = Some(reason.unwrap_or_else(|| "not scored yet".to_owned()));
            }
            scores::of_eval(results, &nodes.name, (SEED, given.eval), data)?;
        }
    }
    data.externals.push(row);
    Ok(())
}

fn shape(given: &GivenExternal) -> ExternalShape {
    let shape = &given.model.shape;
    let parameters = shape.parameters();
    ExternalShape {
        params: params(&parameters),
        depth: shape.depth as u64,
        width: shape.width as u64,
        heads: shape.heads as u64,
        kv_heads: shape.kv_heads as u64,
        ffn: shape.ffn as u64,
        vocabulary: shape.vocabulary as u64,
        context: given.model.context as u64,
    }
}
