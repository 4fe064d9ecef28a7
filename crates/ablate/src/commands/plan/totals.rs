//! What all stages of a study need together.

use std::collections::{BTreeMap, BTreeSet};

use ablate_pipeline::{Node, State};
use ablate_spec::Study;
use serde::Serialize;

use super::blocked;
use super::contents::Surroundings;
use crate::estimate::{Estimates, Workers, rows_stages, wall_seconds};
use crate::graph::StudyGraph;
use crate::machine::Machine;
use crate::stages::{compact, tokenizer, train};

/// All stages together.
#[derive(Debug, Serialize)]
pub struct Totals {
    pub variants: usize,
    /// Variants times seeds.
    pub runs: usize,
    pub stages: usize,
    pub done: usize,
    /// Of these, those for which others were accepted.
    pub accepted: usize,
    /// Stages by kind.
    pub by_stage: BTreeMap<&'static str, usize>,
    pub trainings: usize,
    pub tokenizers: usize,
    /// Operations of all trainings, parents included.
    pub train_flops: f64,
    /// Of what is not done, one thread, one stage after the other.
    pub seconds: f64,
    /// Of what is not done, by the clock.
    pub wall_seconds: f64,
    /// Both once the stages are there that no row has for itself: text, tokenizers, parents,
    /// inherited weights.
    pub rows_seconds: f64,
    pub rows_wall_seconds: f64,
    /// Workers side by side behind `wall_seconds`.
    pub jobs: usize,
    /// Results of all stages, those that are there and those to come.
    pub disk_bytes: u64,
    /// Of these, weights that are kept for `eval.points`.
    pub snapshot_bytes: u64,
    /// What is still to be written, with the checkpoints of trainings at work.
    pub needed_disk_bytes: u64,
    pub free_disk_bytes: Option<u64>,
    pub machine: Machine,
}

impl Totals {
    pub(super) fn new(
        study: &Study,
        built: &StudyGraph,
        estimates: &Estimates,
        around: &Surroundings<'_>,
    ) -> Self {
        let mut by_stage = BTreeMap::new();
        let mut missing = BTreeSet::new();
        let (mut train_flops, mut seconds) = (0.0, 0.0);
        let (mut all, mut needed, mut snapshots) = (0_u64, 0_u64, 0_u64);
        let mut accepted = 0;
        for (id, node) in built.graph.iter() {
            *by_stage.entry(node.stage).or_default() += 1;
            train_flops += estimates.work(id).flops;
            accepted += usize::from(around.state(id).accepted(node).is_some());
            all = all.saturating_add(result_bytes(around.state(id), node));
            snapshots = snapshots.saturating_add(estimates.work(id).snapshots);
            if !matches!(around.state(id), State::Done(_)) {
                missing.insert(id);
                seconds += node.estimate.seconds;
                needed = needed.saturating_add(node.estimate.disk);
            }
        }
        let machine = around.machine;
        // What `ablate run` does when it is not told otherwise.
        let workers =
            Workers { jobs: machine.cores, cores: machine.cores, memory: machine.memory / 10 * 8 };
        let scratch = blocked::scratch(built.graph.iter().map(|(id, _)| id), estimates, around);
        let mut rows = rows_stages(built);
        rows.retain(|id| missing.contains(id));
        let count = |stage: &str| by_stage.get(stage).copied().unwrap_or(0);
        Self {
            variants: study.variants.len(),
            runs: study.variants.len() * study.seeds.len(),
            stages: built.graph.len(),
            done: built.graph.len() - missing.len(),
            accepted,
            trainings: count(train::STAGE),
            tokenizers: count(tokenizer::STAGE) + count(compact::STAGE),
            by_stage,
            train_flops,
            seconds,
            wall_seconds: wall_seconds(&built.graph, &missing, workers),
            rows_seconds: rows.iter().map(|id| built.graph.node(*id).estimate.seconds).sum(),
            rows_wall_seconds: wall_seconds(&built.graph, &rows, workers),
            jobs: workers.jobs,
            disk_bytes: all,
            snapshot_bytes: snapshots,
            needed_disk_bytes: needed.saturating_add(scratch),
            free_disk_bytes: around.free,
            machine: machine.clone(),
        }
    }
}

/// Bytes of a result: as they are, or as estimated.
pub(super) fn result_bytes(state: &State, node: &Node) -> u64 {
    match state {
        State::Done(artifact) => artifact.bytes(),
        _ => node.estimate.disk,
    }
}

#[cfg(test)]
mod tests {
    use super::super::contents::tests::ladder;

    #[test]
    fn totals_count_every_stage_once() {
        let (plan, _) = ladder(None);
        let totals = &plan.totals;
        assert_eq!((totals.variants, totals.runs, totals.done), (4, 8, 0));
        assert_eq!((totals.trainings, totals.tokenizers), (9, 2));
        assert_eq!(totals.stages, plan.stages.len());
        assert_eq!(totals.by_stage.values().sum::<usize>(), totals.stages);
        let seconds: f64 = plan.stages.iter().map(|stage| stage.seconds).sum();
        assert!((totals.seconds - seconds).abs() < 1e-9);
        assert!(totals.wall_seconds < seconds && totals.wall_seconds >= seconds / 2.0);
        assert!(totals.needed_disk_bytes > totals.disk_bytes);
    }

    #[test]
    fn what_is_shared_is_not_in_the_time_of_the_rows() {
        let (plan, _) = ladder(None);
        let totals = &plan.totals;
        let alone: f64 = plan.variants.iter().map(|v| v.runs as f64 * v.seconds).sum();
        // The first round of the last row is the training of the row before it.
        let rows = totals.rows_seconds;
        assert!(rows < alone && rows > 0.7 * alone, "{rows} of {alone}");
        // Two side by side, the last of them perhaps alone on both cores.
        let wall = totals.rows_wall_seconds;
        assert!(wall >= 0.499 * rows && wall < 0.6 * rows, "{wall} of {rows}");
        // The corpus, tokenizers and the parent come before what needs them.
        assert!(totals.rows_wall_seconds < totals.wall_seconds);
    }
}
