//! Why a variant cannot run.

use ablate_pipeline::{FailureKind, NodeId, State};
use ablate_report::si_unit;

use super::contents::Surroundings;
use crate::estimate::Estimates;
use crate::graph::{Absence, StudyGraph};

/// The first reason found along everything that a variant needs and that is not made yet.
pub fn reason(
    variant: &str,
    built: &StudyGraph,
    estimates: &Estimates,
    around: &Surroundings<'_>,
) -> Option<String> {
    if let Some(missing) = around.missing.get(variant) {
        return Some(Absence::in_words(missing));
    }
    let mut disk = 0_u64;
    // Of a study of a thousand variants, a thousandth of the stages.
    let own = built.needed_by(variant);
    for (id, node) in own.iter().map(|id| (*id, built.graph.node(*id))) {
        match around.state(id) {
            State::Done(_) => continue,
            State::Failed(failure) if failure.kind == FailureKind::Outcome => {
                return Some(format!(
                    "{} `{}` failed: {}; `ablate run --retry-failed` tries it again",
                    node.stage, node.name, failure.message
                ));
            }
            _ => {}
        }
        let (needs, has) = (node.estimate.memory, around.machine.memory);
        if needs > has {
            return Some(format!(
                "{} `{}` needs about {} of memory, but this machine has {}; lower \
                 `train.micro_tokens` or the model's sizes",
                node.stage,
                node.name,
                si_unit(needs as f64, "B"),
                si_unit(has as f64, "B")
            ));
        }
        disk = disk.saturating_add(node.estimate.disk);
    }
    let disk = disk.saturating_add(scratch(own.into_iter(), estimates, around));
    let free = around.free.filter(|free| disk > *free)?;
    Some(format!(
        "it needs about {} on disk, but {} are free; free some space or choose another disk with \
         `--root DIR`",
        si_unit(disk as f64, "B"),
        si_unit(free as f64, "B")
    ))
}

/// Bytes of checkpoints while as many of the largest of these trainings as there are cores are at work.
pub fn scratch(
    stages: impl Iterator<Item = NodeId>,
    estimates: &Estimates,
    around: &Surroundings<'_>,
) -> u64 {
    let mut sizes: Vec<u64> = stages
        .filter(|id| !matches!(around.state(*id), State::Done(_)))
        .map(|id| estimates.work(id).scratch)
        .collect();
    sizes.sort_unstable_by(|a, b| b.cmp(a));
    sizes.iter().take(around.machine.cores).fold(0, |sum, size| sum.saturating_add(*size))
}
