//! A study as a graph of stages.

mod absent;
mod build;
mod external;
mod foreign;
mod inputs;
mod present;
mod rounds;
mod variants;

pub use absent::{Absence, stand_in};
pub use present::build;
pub use variants::model;

use std::collections::{BTreeMap, BTreeSet};

use ablate_model::{Backend, ModelConfig};
use ablate_pipeline::{Graph, NodeId};
use ablate_spec::{Study, Variant};

use crate::stages::{BACKEND, DEVICES, WITH_TENSORS, masks, train};

/// Keys of the program's version and of the commit of its source, in a node's execution.
pub const PROGRAM: &str = "program";
pub const COMMIT: &str = "commit";

/// Every stage that a study needs, and what its variants need of them.
#[derive(Debug, Default)]
pub struct StudyGraph {
    pub graph: Graph,
    /// In the order of the study.
    pub variants: Vec<VariantNodes>,
    /// Variants that have no stages, since something that they read is not there; in the order of the
    /// study.
    pub absent: Vec<AbsentVariant>,
    /// The trained parents by name.
    pub parents: BTreeMap<String, Vec<RoundNodes>>,
    /// The parents that exist as files by name.
    pub given: BTreeMap<String, GivenNodes>,
    /// Models of others that are scored, in the order of the study.
    pub externals: Vec<ExternalNodes>,
}

/// The stages of a variant.
#[derive(Debug)]
pub struct VariantNodes {
    pub name: String,
    /// The node that holds the variant's `tokenizer.json`.
    pub tokenizer: NodeId,
    /// The compaction that made the tokenizer, if one did.
    pub compact: Option<NodeId>,
    pub shards: NodeId,
    pub seeds: Vec<SeedNodes>,
}

/// A variant that cannot be made for now.
#[derive(Debug)]
pub struct AbsentVariant {
    pub name: String,
    /// Its place among all variants of the study.
    pub place: usize,
    pub seeds: Vec<u64>,
    /// What it reads that is not there; not empty.
    pub missing: Vec<Absence>,
}

impl AbsentVariant {
    /// Why it cannot be made, in a line.
    pub fn reason(&self) -> String {
        format!("missing source: {}", Absence::in_words(&self.missing))
    }

    /// What is said of it when the rest goes on.
    pub fn warning(&self) -> String {
        format!(
            "variant `{}` cannot run: {}; the rest goes on, and the same command makes it once that is \
             there",
            self.name,
            self.reason()
        )
    }
}

/// The stages of a variant with one seed.
#[derive(Debug)]
pub struct SeedNodes {
    pub seed: u64,
    pub rounds: Vec<RoundNodes>,
    pub eval: NodeId,
    /// Scores without layers, where they are asked for.
    pub skips: Option<NodeId>,
    /// Losses of the training's batches under the final weights, where they are asked for.
    pub losses: Option<NodeId>,
    /// Scores while it trains, round by round; none where they are not asked for.
    pub progress: Vec<NodeId>,
}

impl SeedNodes {
    /// The ends of its chains.
    pub fn ends(&self) -> impl Iterator<Item = NodeId> {
        let once = [self.eval].into_iter().chain(self.skips).chain(self.losses);
        once.chain(self.progress.iter().copied())
    }
}

/// The stages of one round.
#[derive(Clone, Copy, Debug)]
pub struct RoundNodes {
    /// The draw of its batches; none for the first round.
    pub select: Option<NodeId>,
    pub train: NodeId,
}

/// A model of others that is scored.
#[derive(Debug)]
pub struct ExternalNodes {
    pub name: String,
    /// Its stages, or why there are none and what to do.
    pub found: Result<GivenExternal, String>,
}

/// The stages of a model of others that is there.
#[derive(Debug)]
pub struct GivenExternal {
    pub model: ModelConfig,
    pub tokenizer: NodeId,
    /// The held-out text in its tokens, where the study has any.
    pub shards: Option<NodeId>,
    pub eval: NodeId,
}

impl ExternalNodes {
    /// Why it is not scored, in a sentence for people.
    pub fn absence(&self) -> Option<String> {
        let reason = self.found.as_ref().err()?;
        Some(format!("external model `{}` is left out: {reason}", self.name))
    }
}

/// A parent that exists as files.
#[derive(Debug)]
pub struct GivenNodes {
    pub model: ModelConfig,
    pub weights: NodeId,
    pub tokenizer: NodeId,
    /// The file of its tokenizer.
    pub pieces: String,
}

impl StudyGraph {
    /// The stages at the ends of all chains: what a run is asked for.
    pub fn targets(&self, only: impl Fn(&str) -> bool) -> Vec<NodeId> {
        let wanted = self.variants.iter().filter(|variant| only(&variant.name));
        let ends = wanted.flat_map(|variant| variant.seeds.iter().flat_map(SeedNodes::ends));
        let given = self.externals.iter().filter(|external| only(&external.name));
        let scores = given.filter_map(|external| Some(external.found.as_ref().ok()?.eval));
        ends.chain(scores).collect()
    }

    /// The variants that have stages, with what the study says of them.
    pub fn described<'a>(
        &'a self,
        study: &'a Study,
    ) -> impl Iterator<Item = (&'a VariantNodes, &'a Variant)> {
        self.variants.iter().filter_map(|nodes| Some((nodes, study.variant(&nodes.name)?)))
    }

    /// Everything that a variant or a model of others needs, inputs first.
    pub fn needed_by(&self, name: &str) -> BTreeSet<NodeId> {
        let mut open = self.targets(|other| other == name);
        let mut needed = BTreeSet::new();
        while let Some(id) = open.pop() {
            if needed.insert(id) {
                open.extend(self.graph.node(id).inputs.values().copied());
            }
        }
        needed
    }

    /// The learned masks that a variant's first weights are cut by.
    pub fn masks(&self, variant: &VariantNodes) -> Option<NodeId> {
        let input = |id: NodeId, role: &str| self.graph.node(id).inputs.get(role).copied();
        let train = variant.seeds.first()?.rounds.first()?.train;
        let parent = input(input(train, "weights")?, "parent")?;
        (self.graph.node(parent).stage == masks::STAGE).then_some(parent)
    }

    /// The variants that cannot be made for now, of those that are asked for.
    pub fn absent_of(&self, only: impl Fn(&str) -> bool) -> Vec<&AbsentVariant> {
        self.absent.iter().filter(|absent| only(&absent.name)).collect()
    }

    /// Names of variants and models of others.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let mut variants: Vec<&str> =
            self.variants.iter().map(|variant| variant.name.as_str()).collect();
        for absent in &self.absent {
            variants.insert(absent.place.min(variants.len()), &absent.name);
        }
        variants.into_iter().chain(self.externals.iter().map(|external| external.name.as_str()))
    }

    /// The tokens of variants: what a run is asked for that trains nothing.
    pub fn tokens(&self, only: impl Fn(&str) -> bool) -> Vec<NodeId> {
        let wanted = self.variants.iter().filter(|variant| only(&variant.name));
        wanted.map(|variant| variant.shards).collect()
    }

    /// Which program all stages are made by: written beside their results.
    pub fn made_by(&mut self, version: &str, commit: Option<&str>) {
        let ids: Vec<NodeId> = self.graph.iter().map(|(id, _)| id).collect();
        for id in ids {
            let execution = &mut self.graph.node_mut(id).execution;
            execution.insert(PROGRAM.to_owned(), format!("ablate {version}").into());
            if let Some(commit) = commit {
                execution.insert(COMMIT.to_owned(), commit.into());
            }
        }
    }

    /// What all stages with tensors compute with, and how many devices a training uses. No result is
    /// asked for anew because of it.
    pub fn compute_with(&mut self, backend: Backend, devices: usize) {
        let with_tensors = |stage| WITH_TENSORS.contains(&stage);
        let ids: Vec<NodeId> = self
            .graph
            .iter()
            .filter(|(_, node)| with_tensors(node.stage))
            .map(|(id, _)| id)
            .collect();
        for id in ids {
            let node = self.graph.node_mut(id);
            node.execution.insert(BACKEND.to_owned(), backend.name().into());
            if devices > 1 && node.stage == train::STAGE {
                node.execution.insert(DEVICES.to_owned(), devices.into());
            }
        }
    }
}
