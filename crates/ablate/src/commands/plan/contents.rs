//! What a plan says, in the names that scripts rely on.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use ablate_cost::Parameters;
use ablate_pipeline::{Node, NodeId, State};
use ablate_spec::{Change, External, Study, Variant};
use serde::Serialize;

use super::blocked;
use super::detect::Detectable;
use super::totals::{Totals, result_bytes};
use crate::estimate::{Estimates, Source, VariantEstimate};
use crate::graph::{Absence, ExternalNodes, SeedNodes, StudyGraph};
use crate::machine::Machine;

/// What a plan depends on besides the study.
pub struct Surroundings<'a> {
    /// Of every stage, by its place in the graph.
    pub states: &'a [State],
    pub machine: &'a Machine,
    /// Bytes that may still be written.
    pub free: Option<u64>,
    /// Inputs that are not there, by variant.
    pub missing: &'a BTreeMap<String, Vec<Absence>>,
}

impl Surroundings<'_> {
    pub fn state(&self, id: NodeId) -> &State {
        self.states.get(id.index()).unwrap_or(&State::Missing)
    }
}

/// The price of a study.
#[derive(Debug, Serialize)]
pub struct Plan {
    pub study: String,
    pub variants: Vec<VariantPlan>,
    /// Models of others that are scored.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub externals: Vec<ExternalPlan>,
    pub stages: Vec<StagePlan>,
    pub totals: Totals,
    /// What its seeds and items can tell apart; none for a single variant.
    pub detectable: Option<Detectable>,
}

/// One variant. Tokens, operations and seconds are those of one seed, without the stages that
/// it shares with others: text, tokenizers, parents, inherited weights.
#[derive(Debug, Serialize)]
pub struct VariantPlan {
    pub name: String,
    pub label: String,
    pub delta: Vec<Change>,
    pub params: Parameters,
    /// Fraction of 1.
    pub embedding_head_share: f64,
    pub train_tokens: u64,
    /// Tokens of an optimiser step.
    pub batch_tokens: u64,
    /// Peak learning rate, also where a rule makes it.
    pub learning_rate: f64,
    /// The variant before it that comes out as the same trainings and scores, which are made once.
    pub same_as: Option<String>,
    /// False while a budget in bytes waits for the text to be tokenised.
    pub train_tokens_exact: bool,
    /// All rounds, and the passes that score batches for a draw.
    pub train_flops: f64,
    pub peak_memory_bytes: u64,
    /// One thread, one stage after the other: training, draws and scoring.
    pub seconds: f64,
    /// Where the speed behind `seconds` comes from.
    pub speed: Source,
    pub depth: usize,
    pub width: usize,
    pub heads: usize,
    pub kv_heads: usize,
    pub ffn: usize,
    pub vocabulary: usize,
    pub context: usize,
    /// Parameters over what `[hold]` aims at, minus 1.
    pub held_residual: Option<f64>,
    /// Seeds.
    pub runs: usize,
    /// Why it cannot run.
    pub blocked: Option<String>,
    /// What it reads that is not there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<Absence>,
}

/// A model of others that is scored.
#[derive(Debug, Serialize)]
pub struct ExternalPlan {
    pub name: String,
    pub label: String,
    pub path: String,
    /// None where its files are not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub params: Option<Parameters>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vocabulary: Option<usize>,
    /// Estimated for its scoring, one thread.
    pub seconds: f64,
    pub memory_bytes: u64,
    /// `missing`, `done` and so on, of its scores; `absent` where its files are not there.
    pub state: &'static str,
    /// Why it cannot be scored, and what to do.
    pub blocked: Option<String>,
}

/// One stage.
#[derive(Debug, Serialize)]
pub struct StagePlan {
    pub stage: &'static str,
    pub name: String,
    pub key: String,
    pub state: &'static str,
    /// Key of what was accepted in its place, where it is done by that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted: Option<String>,
    /// Who wants it.
    pub variants: BTreeSet<String>,
    /// Estimated, one thread.
    pub seconds: f64,
    /// What it took, where it is done.
    pub measured_seconds: Option<f64>,
    pub memory_bytes: u64,
    pub disk_bytes: u64,
}

impl Plan {
    pub fn new(
        study: &Study,
        built: &StudyGraph,
        estimates: &Estimates,
        around: &Surroundings<'_>,
    ) -> Self {
        let same = same_as(built);
        let variants = study
            .variants
            .iter()
            .zip(&estimates.variants)
            .map(|(variant, estimate)| VariantPlan {
                blocked: blocked::reason(&variant.name, built, estimates, around),
                runs: study.seeds.len(),
                same_as: same.get(variant.name.as_str()).map(|first| (*first).to_owned()),
                missing: around.missing.get(&variant.name).cloned().unwrap_or_default(),
                ..describe(variant, estimate)
            })
            .collect();
        Self {
            study: study.name.clone(),
            variants,
            externals: study
                .external()
                .iter()
                .zip(&built.externals)
                .map(|(external, nodes)| plan_of(external, nodes, built, estimates, around))
                .collect(),
            stages: stages(built, around),
            totals: Totals::new(study, built, estimates, around),
            detectable: Detectable::of(study, built),
        }
    }
}

fn plan_of(
    external: &External,
    nodes: &ExternalNodes,
    built: &StudyGraph,
    estimates: &Estimates,
    around: &Surroundings<'_>,
) -> ExternalPlan {
    let plan = ExternalPlan {
        name: external.name.clone(),
        label: external.label.clone(),
        path: external.path.clone(),
        params: None,
        vocabulary: None,
        seconds: 0.0,
        memory_bytes: 0,
        state: "absent",
        blocked: None,
    };
    match &nodes.found {
        Err(reason) => ExternalPlan { blocked: Some(reason.clone()), ..plan },
        Ok(given) => {
            let estimate = built.graph.node(given.eval).estimate;
            ExternalPlan {
                params: Some(given.model.shape.parameters()),
                vocabulary: Some(given.model.shape.vocabulary),
                seconds: estimate.seconds,
                memory_bytes: estimate.memory,
                state: around.state(given.eval).word(),
                blocked: blocked::reason(&external.name, built, estimates, around),
                ..plan
            }
        }
    }
}

/// Variants with the same scores as one before them, with the first of these.
fn same_as(built: &StudyGraph) -> BTreeMap<&str, &str> {
    let mut first: BTreeMap<Vec<NodeId>, &str> = BTreeMap::new();
    let mut same = BTreeMap::new();
    for nodes in &built.variants {
        let ends = nodes.seeds.iter().flat_map(SeedNodes::ends).collect();
        match first.entry(ends) {
            Entry::Occupied(found) => {
                same.insert(nodes.name.as_str(), *found.get());
            }
            Entry::Vacant(free) => {
                free.insert(&nodes.name);
            }
        }
    }
    same
}

fn describe(variant: &Variant, estimate: &VariantEstimate) -> VariantPlan {
    let shape = variant.shape();
    VariantPlan {
        name: variant.name.clone(),
        label: variant.label.clone(),
        delta: variant.delta.clone(),
        params: estimate.parameters,
        embedding_head_share: estimate.parameters.embedding_head_share(),
        train_tokens: estimate.train_tokens,
        train_tokens_exact: estimate.tokens_exact,
        batch_tokens: variant.train.batch_tokens,
        learning_rate: variant.train.learning_rate,
        same_as: None,
        train_flops: estimate.train_flops,
        peak_memory_bytes: estimate.peak_memory,
        seconds: estimate.seconds,
        speed: estimate.source,
        depth: shape.depth,
        width: shape.width,
        heads: shape.heads,
        kv_heads: shape.kv_heads,
        ffn: shape.ffn,
        vocabulary: shape.vocabulary,
        context: variant.model.context,
        held_residual: variant.held.as_ref().map(ablate_spec::Held::residual),
        runs: 0,
        blocked: None,
        missing: Vec::new(),
    }
}

fn stages(built: &StudyGraph, around: &Surroundings<'_>) -> Vec<StagePlan> {
    let stage = |(id, node): (NodeId, &Node)| {
        let state = around.state(id);
        StagePlan {
            stage: node.stage,
            name: node.name.clone(),
            key: node.key().to_string(),
            state: state.word(),
            accepted: state.accepted(node).map(ToString::to_string),
            variants: node.wanted_by.clone(),
            seconds: node.estimate.seconds,
            measured_seconds: match state {
                State::Done(artifact) => Some(artifact.seconds),
                _ => None,
            },
            memory_bytes: node.estimate.memory,
            disk_bytes: result_bytes(state, node),
        }
    };
    built.graph.iter().map(stage).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use ablate_pipeline::{Failure, FailureKind};
    use serde_json::Value;

    use super::*;
    use crate::estimate::tests::{LADDER, estimated, machine};

    fn plan(states: &mut dyn FnMut(&StudyGraph) -> Vec<State>, machine: &Machine) -> Plan {
        let (study, built, estimates) = estimated(LADDER);
        let states = states(&built);
        let around = Surroundings {
            states: &states,
            machine,
            free: Some(1 << 40),
            missing: &BTreeMap::new(),
        };
        Plan::new(&study, &built, &estimates, &around)
    }

    fn missing(built: &StudyGraph) -> Vec<State> {
        vec![State::Missing; built.graph.len()]
    }

    /// The plan of a ladder of which nothing is made yet, with so many bytes free on disk.
    pub fn ladder(free: Option<u64>) -> (Plan, StudyGraph) {
        let (study, built, estimates) = estimated(LADDER);
        let (states, machine) = (missing(&built), machine());
        let missing = &BTreeMap::new();
        let around = Surroundings { states: &states, machine: &machine, free, missing };
        (Plan::new(&study, &built, &estimates, &around), built)
    }

    #[test]
    fn json_has_the_keys_that_scripts_rely_on() {
        let plan = plan(&mut missing, &machine());
        let json: Value = serde_json::to_value(&plan).unwrap();
        let top: Vec<&String> = json.as_object().unwrap().keys().collect();
        assert_eq!(top, ["study", "variants", "stages", "totals", "detectable"]);
        let variant = json["variants"][1].as_object().unwrap();
        for key in [
            "name",
            "delta",
            "params",
            "embedding_head_share",
            "train_tokens",
            "train_flops",
            "peak_memory_bytes",
            "seconds",
            "blocked",
        ] {
            assert!(variant.contains_key(key), "{key}");
        }
        let params: Vec<&String> = variant["params"].as_object().unwrap().keys().collect();
        assert_eq!(params, ["total", "embedding", "head", "non_embedding"]);
        assert_eq!(variant["delta"][0]["path"], "tokenizer.vocabulary");
        assert_eq!(variant["delta"][0]["to"], "500");
        let share = variant["embedding_head_share"].as_f64().unwrap();
        let total = plan.variants[1].params.total as f64;
        assert!((share - 2.0 * 500.0 * 64.0 / total).abs() < 1e-12, "{share}");
        let stage = json["stages"][0].as_object().unwrap();
        for key in ["stage", "name", "key", "state", "variants", "seconds"] {
            assert!(stage.contains_key(key), "{key}");
        }
        assert_eq!(stage["key"].as_str().unwrap().len(), 64);
        assert_eq!(stage["state"], "missing");
    }

    #[test]
    fn too_little_memory_blocks_and_says_why() {
        let poor = Machine { memory: 60_000_000, ..machine() };
        let plan = plan(&mut missing, &poor);
        let reason = plan.variants[0].blocked.as_ref().unwrap();
        assert!(reason.contains("of memory, but this machine has 60.0 MB"), "{reason}");
    }

    #[test]
    fn a_failed_parent_blocks_its_children_only() {
        let failed = |built: &StudyGraph| {
            let parent = built.parents["teacher"][0].train;
            let mut states = missing(built);
            states[parent.index()] =
                State::Failed(Failure::new(FailureKind::Outcome, "loss is NaN at step 3"));
            states
        };
        let plan = plan(&mut { failed }, &machine());
        let blocked: Vec<bool> = plan.variants.iter().map(|v| v.blocked.is_some()).collect();
        assert_eq!(blocked, [false, false, true, true]);
        assert!(plan.variants[2].blocked.as_ref().unwrap().contains("loss is NaN at step 3"));
    }

    #[test]
    fn too_little_disk_blocks() {
        let (plan, _) = ladder(Some(1_000_000));
        let reason = plan.variants[3].blocked.as_ref().unwrap();
        assert!(reason.contains("on disk, but 1.00 MB are free"), "{reason}");
    }
}
