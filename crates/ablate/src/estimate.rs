//! What the stages of a study are expected to need, before any of them runs.
//!
//! Parameters and operations are arithmetic (crate `cost`) and exact. Tokens are exact when the
//! budget is in tokens or the text is tokenised already. Seconds of training come from a short
//! timing of each shape on this machine, one thread on every core, kept for the next time; the
//! rest of the time, and all memory and disk, are estimates from the constants in [`rates`].

pub mod decoding;
mod length;
mod probe;
mod rates;
mod schedule;
mod speed;
mod stages;
mod threads;
mod timings;

pub use length::Lengths;
pub use schedule::{Workers, wall_seconds};
pub use speed::Source;
pub use threads::prefer as prefer_threads;
pub use timings::{Measured, Timings, Workload, machine_key};

use std::collections::BTreeSet;

use ablate_cost::Parameters;
use ablate_pipeline::NodeId;
use ablate_spec::Study;

use crate::graph::{SeedNodes, StudyGraph, VariantNodes};
use crate::machine::Machine;
use crate::root::Root;
use speed::Speeds;
use stages::Estimator;

/// Where the speed of a shape may come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timing {
    /// Shapes that were never timed here are timed now, about a second each.
    Measure,
    /// Nothing is run.
    Cached,
}

/// What all stages and variants need.
#[derive(Debug)]
pub struct Estimates {
    /// In the order of the study.
    pub variants: Vec<VariantEstimate>,
    work: Vec<Work>,
}

impl Estimates {
    /// What a stage does, by its place in the graph.
    pub fn work(&self, id: NodeId) -> Work {
        self.work.get(id.index()).copied().unwrap_or_default()
    }
}

/// What a stage does, besides what the scheduler needs to know of it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Work {
    /// Tokens that a training learns from.
    pub tokens: u64,
    /// Whether `tokens` is exact.
    pub exact: bool,
    /// Operations of the training, or of the forward passes that score its batches.
    pub flops: f64,
    /// Where the speed behind its seconds comes from.
    pub source: Option<Source>,
    /// Bytes on disk beyond the result while the stage is at work: checkpoints.
    pub scratch: u64,
    /// Bytes of its result that are weights before the end.
    pub snapshots: u64,
}

/// What one seed of a variant needs by itself: its rounds of training, the draws between them
/// and its scores. Shared stages (text, tokenizers, parents, inherited weights) are not in it.
#[derive(Clone, Debug)]
pub struct VariantEstimate {
    /// Exact.
    pub parameters: Parameters,
    /// Tokens of all rounds.
    pub train_tokens: u64,
    /// Whether `train_tokens` is exact.
    pub tokens_exact: bool,
    /// Operations of all rounds and of the scoring passes of their draws.
    pub train_flops: f64,
    /// Bytes of its largest stage.
    pub peak_memory: u64,
    /// Seconds of all its stages, one after the other with one thread.
    pub seconds: f64,
    /// Where its training speed comes from.
    pub source: Source,
}

/// Fills in the estimates of all stages and adds them up by variant. Writes at most the file of
/// timings, and goes on without where that cannot be written.
pub fn estimate(
    built: &mut StudyGraph,
    study: &Study,
    root: &Root,
    machine: &Machine,
    timing: Timing,
) -> Estimates {
    let lengths = Lengths::new(&built.graph, &root.store());
    let speeds = Speeds::new(&root.timings(), machine, timing);
    let mut estimator = Estimator::new(built, lengths, speeds, study);
    let needs: Vec<_> = built.graph.iter().map(|(id, _)| (id, estimator.node(id))).collect();
    estimator.finish();
    let mut work = Vec::with_capacity(needs.len());
    for (id, (estimate, stage)) in needs {
        built.graph.node_mut(id).estimate = estimate;
        work.push(stage);
    }
    let mut estimates = Estimates { variants: Vec::new(), work };
    for (nodes, variant) in built.described(study) {
        let sum = add_up(built, &estimates, nodes, variant.shape().parameters());
        estimates.variants.push(sum);
    }
    estimates
}

/// The stages that the rows of a study have for themselves: those of every seed of a variant, and
/// the scores of models of others. All others are shared: text, tokenizers, parents, inherited
/// weights.
pub fn rows_stages(built: &StudyGraph) -> BTreeSet<NodeId> {
    let seeds = built.variants.iter().flat_map(|variant| &variant.seeds);
    let given = built.externals.iter().filter_map(|external| external.found.as_ref().ok());
    seeds.flat_map(own_stages).chain(given.map(|given| given.eval)).collect()
}

/// The stages of one seed of a variant: its rounds, their draws, and its scores.
fn own_stages(seed: &SeedNodes) -> impl Iterator<Item = NodeId> {
    let rounds = seed.rounds.iter().flat_map(|round| round.select.into_iter().chain([round.train]));
    rounds.chain(seed.ends())
}

fn add_up(
    built: &StudyGraph,
    estimates: &Estimates,
    nodes: &VariantNodes,
    parameters: Parameters,
) -> VariantEstimate {
    let mut sum = VariantEstimate {
        parameters,
        train_tokens: 0,
        tokens_exact: true,
        train_flops: 0.0,
        peak_memory: 0,
        seconds: 0.0,
        source: Source::Measured,
    };
    // Seeds differ in nothing that costs anything.
    let Some(seed) = nodes.seeds.first() else { return sum };
    for id in own_stages(seed) {
        let work = estimates.work(id);
        sum.train_tokens += work.tokens;
        sum.tokens_exact &= work.tokens == 0 || work.exact;
        sum.train_flops += work.flops;
        sum.source = sum.source.max(work.source.unwrap_or(Source::Measured));
        let estimate = built.graph.node(id).estimate;
        sum.seconds += estimate.seconds;
        sum.peak_memory = sum.peak_memory.max(estimate.memory);
    }
    sum
}

#[cfg(test)]
pub mod tests;
