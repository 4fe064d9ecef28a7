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
    for (id, node) in built.graph.iter().filter(|(_, node)| node.wanted_by.contains(variant)) {
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
    let disk = disk.saturating_add(scratch(built, estimates, around, |id| {
        built.graph.node(id).wanted_by.contains(variant)
    }));
    let free = around.free.filter(|free| disk > *free)?;
    Some(format!(
        "it needs about {} on disk, but {} are free; free some space or choose another disk with \
         `--root DIR`",
        si_unit(disk as f64, "B"),
        si_unit(free as f64, "B")
    ))
}

/// Bytes of checkpoints while as many of the largest trainings as there are cores are at work.
pub fn scratch(
    built: &StudyGraph,
    estimates: &Estimates,
    around: &Surroundings<'_>,
    counted: impl Fn(NodeId) -> bool,
) -> u64 {
    let open = built.graph.iter().map(|(id, _)| id);
    let mut sizes: Vec<u64> = open
        .filter(|id| !matches!(around.state(*id), State::Done(_)) && counted(*id))
        .map(|id| estimates.work(id).scratch)
        .collect();
    sizes.sort_unstable_by(|a, b| b.cmp(a));
    sizes.iter().take(around.machine.cores).fold(0, |sum, size| sum.saturating_add(*size))
}
