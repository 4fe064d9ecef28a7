//! The stages of one variant: first weights, rounds of training, scores.

use ablate_inherit::{Grouping, WidthCriterion};
use ablate_model::ModelConfig;
use ablate_pipeline::{Graph, NodeId};
use ablate_spec as spec;
use ablate_train::Portions;

use super::build::{Text, add};
use super::{SeedNodes, StudyGraph, foreign, rounds};
use crate::exit::CommandError;
use crate::stages::{eval, importance, inherit, masks, progress, skips, train};

/// The first weights of a variant that inherits.
///
/// # Errors
/// When the parent's vocabulary cannot be mapped onto the child's.
pub fn inherit(
    built: &mut StudyGraph,
    study: &spec::Study,
    variant: &spec::Variant,
    (text, benchmarks): (&Text, NodeId),
    init: &spec::Inherit,
) -> Result<NodeId, CommandError> {
    let parent = Source::find(built, study, variant, init)?;
    let parent_tokenizer = Some(parent.tokenizer);
    let mut inputs = vec![("parent", parent.node)];
    if parent_tokenizer != Some(text.tokenizer) {
        if text.larger.is_none() || parent_tokenizer != text.larger {
            let set = &parent.compact;
            return Err(CommandError::usage(format!(
                "variant `{}` inherits from `{}`, but its vocabulary is neither the parent's own \
                 nor compacted from it, so that its rows cannot be found in the parent; set \
                 `tokenizer.build.compact.{set}` (on the same corpus)",
                variant.name, init.parent
            )));
        }
        inputs.extend(text.compact.map(|compact| ("vocabulary", compact)));
    }
    let layers = match init.layers {
        spec::LayerCriterion::Even => inherit::Layers::Even,
        spec::LayerCriterion::Skips => inherit::Layers::Skips,
        spec::LayerCriterion::Influence => inherit::Layers::Influence,
        spec::LayerCriterion::Learned => inherit::Layers::Learned,
    };
    if matches!(layers, inherit::Layers::Skips | inherit::Layers::Influence) {
        let recipe = skips::Recipe { scoring: variant.eval.scoring.into(), counts: vec![1] };
        let of =
            [("weights", parent.node), ("tokenizer", parent.tokenizer), ("benchmarks", benchmarks)];
        let (graph, name) = (&mut built.graph, &parent.name);
        inputs.push(("skips", add(graph, skips::STAGE, skips::VERSION, name, &recipe, of)?));
    }
    let name = format!("{}-of-{}", shape_name(variant), parent.name);
    let graph = &mut built.graph;
    let width = match init.width {
        spec::WidthCriterion::L1 => WidthCriterion::L1,
        spec::WidthCriterion::L2 => WidthCriterion::L2,
        spec::WidthCriterion::First => WidthCriterion::First,
        spec::WidthCriterion::Random => WidthCriterion::Random(parent.seed),
        spec::WidthCriterion::Taylor => {
            let found = match parent.trained {
                Some(trained) => measured(graph, trained, parent.node, init.calibration)?,
                None => measured_here(graph, &parent, variant, text, init.calibration)?,
            };
            inputs.push(("importance", found));
            WidthCriterion::Taylor
        }
        spec::WidthCriterion::Learned(how) => {
            let recipe = mask_recipe(variant, parent.seed, init, (layers, how))?;
            let recipe = serde_json::to_value(&recipe).map_err(CommandError::bug)?;
            inputs.push(("shards", text.shards));
            let masked = graph
                .add(masks::STAGE, masks::VERSION, &name, recipe, inputs)
                .map_err(CommandError::bug)?;
            graph.node_mut(masked).resumable = true;
            // What is cut from is the parent that was masked, which has the child's vocabulary.
            inputs = vec![("parent", masked)];
            WidthCriterion::Learned
        }
    };
    let recipe = inherit::Recipe {
        child: model(variant),
        first: init.first,
        last: init.last,
        layers,
        width,
        grouping: match init.grouping {
            spec::Grouping::Kept => Grouping::Kept,
            spec::Grouping::Pooled => Grouping::Pooled,
        },
    };
    let recipe = serde_json::to_value(&recipe).map_err(CommandError::bug)?;
    graph.add(inherit::STAGE, inherit::VERSION, &name, recipe, inputs).map_err(CommandError::bug)
}

/// A model that variants inherit from.
struct Source<'a> {
    node: NodeId,
    tokenizer: NodeId,
    name: String,
    seed: u64,
    /// What to write after `tokenizer.build.compact.` to have its tokenizer compacted.
    compact: String,
    /// Its configuration, where it is trained here.
    trained: Option<&'a spec::Parent>,
}

impl<'a> Source<'a> {
    fn find(
        built: &StudyGraph,
        study: &'a spec::Study,
        variant: &spec::Variant,
        init: &spec::Inherit,
    ) -> Result<Self, CommandError> {
        let missing = || CommandError::bug(format!("no parent `{}`", init.parent));
        let compact = |file: &str| format!("file = \"{file}\"");
        if let Some(given) = built.given.get(&init.parent) {
            foreign::check_child(variant, given, init)?;
            return Ok(Self {
                node: given.weights,
                tokenizer: given.tokenizer,
                name: init.parent.clone(),
                seed: study.seeds.first().copied().unwrap_or(1),
                compact: compact(&given.pieces),
                trained: None,
            });
        }
        let parent = study.parent(&init.parent).ok_or_else(missing)?;
        let rounds = built.parents.get(&init.parent).and_then(|rounds| rounds.last());
        let node = rounds.ok_or_else(missing)?.train;
        let tokenizer = built.graph.node(node).inputs.get("tokenizer").copied();
        Ok(Self {
            node,
            tokenizer: tokenizer.ok_or_else(missing)?,
            name: shape_name(&parent.variant),
            seed: parent.seed,
            compact: match &parent.variant.tokenizer.build {
                spec::Build::File(file) => compact(&file.path),
                _ => format!("from = {}", parent.variant.tokenizer.vocabulary),
            },
            trained: Some(parent),
        })
    }
}

/// What of a trained parent matters, on so many tokens of its text.
fn measured(
    graph: &mut Graph,
    parent: &spec::Parent,
    trained: NodeId,
    tokens: u64,
) -> Result<NodeId, CommandError> {
    let missing = || CommandError::bug(format!("no tokens of `{}`", parent.name));
    let shards = graph.node(trained).inputs.get("shards").copied().ok_or_else(missing)?;
    let start = train::Start::Given;
    let length = rounds::first_length(&parent.variant);
    let trained_as = rounds::recipe(&parent.variant, start, length, 1, parent.seed)?;
    let of = importance::Measured::Trained(Box::new(trained_as));
    let recipe = importance::Recipe { tokens, seed: parent.seed, of };
    let name = shape_name(&parent.variant);
    let inputs = [("weights", trained), ("shards", shards)];
    add(graph, importance::STAGE, importance::VERSION, &name, &recipe, inputs)
}

/// What of a given parent matters, on so many tokens of its child's text. They are the parent's own
/// tokens, also where the child's vocabulary is compacted: the loss is that of the model as it is.
fn measured_here(
    graph: &mut Graph,
    parent: &Source<'_>,
    variant: &spec::Variant,
    text: &Text,
    tokens: u64,
) -> Result<NodeId, CommandError> {
    let own = text.tokenizer == parent.tokenizer;
    let counted = || graph.node(text.compact?).inputs.get("shards").copied();
    let shards = if own { Some(text.shards) } else { counted() };
    let shards =
        shards.ok_or_else(|| CommandError::bug(format!("no tokens of `{}`", parent.name)))?;
    let length = train::Length::Tokens(tokens);
    let read_as = rounds::recipe(variant, train::Start::Given, length, 1, parent.seed)?;
    let of = importance::Measured::Given(Portions {
        context: read_as.model.context,
        micro_sequences: read_as.micro_sequences,
    });
    let recipe = importance::Recipe { tokens, seed: parent.seed, of };
    let inputs = [("weights", parent.node), ("shards", shards)];
    add(graph, importance::STAGE, importance::VERSION, &parent.name, &recipe, inputs)
}

/// How masks are learned: batches and optimiser as in the child's training.
fn mask_recipe(
    variant: &spec::Variant,
    seed: u64,
    init: &spec::Inherit,
    (layers, how): (inherit::Layers, spec::LearnedMasks),
) -> Result<masks::Recipe, CommandError> {
    let length = train::Length::Tokens(how.tokens);
    let trained = rounds::recipe(variant, train::Start::Given, length, 1, seed)?;
    Ok(masks::Recipe {
        child: trained.model,
        first: init.first,
        last: init.last,
        layers,
        tokens: how.tokens,
        frozen: how.weights == spec::MaskedWeights::Frozen,
        learning_rate: how.learning_rate,
        mask_learning_rate: how.mask_learning_rate,
        sparsity_warmup: how.sparsity_warmup,
        batch_sequences: trained.batch_sequences,
        micro_sequences: trained.micro_sequences,
        weight_decay: trained.weight_decay,
        beta1: trained.beta1,
        beta2: trained.beta2,
        epsilon: trained.epsilon,
        clip: trained.clip,
        precision: trained.precision,
        seed,
    })
}

/// Training and scoring of a variant with one seed.
///
/// # Errors
/// Only mistakes of ours.
pub fn seed(
    graph: &mut Graph,
    variant: &spec::Variant,
    text: &Text,
    benchmarks: NodeId,
    (seed, weights): (u64, Option<NodeId>),
) -> Result<SeedNodes, CommandError> {
    let points = variant.eval.points as u64;
    let rounds = rounds::rounds(graph, variant, text, (seed, points), weights)?;
    let last = rounds.last().ok_or_else(|| CommandError::bug("a variant without a round"))?;
    let scoring = variant.eval.scoring.into();
    let max_new_tokens = variant.eval.max_new_tokens;
    let recipe = eval::Recipe { scoring, max_new_tokens, begin: None };
    let inputs = [
        ("weights", last.train),
        ("tokenizer", text.tokenizer),
        ("shards", text.shards),
        ("benchmarks", benchmarks),
    ];
    let name = format!("{}-seed-{seed}", shape_name(variant));
    let eval = add(graph, eval::STAGE, eval::VERSION, &name, &recipe, inputs)?;
    let skips = if variant.eval.skip_layers.is_empty() {
        None
    } else {
        let recipe = skips::Recipe { scoring, counts: variant.eval.skip_layers.clone() };
        let inputs =
            [("weights", last.train), ("tokenizer", text.tokenizer), ("benchmarks", benchmarks)];
        Some(add(graph, skips::STAGE, skips::VERSION, &name, &recipe, inputs)?)
    };
    let losses = match variant.eval.parts {
        None => None,
        Some(_) => Some(rounds::losses(graph, variant, text, seed, last)?),
    };
    let mut progress = Vec::new();
    if variant.eval.points > 0 {
        for (round, trained) in (1..).zip(&rounds) {
            let inputs = [
                ("weights", trained.train),
                ("tokenizer", text.tokenizer),
                ("benchmarks", benchmarks),
            ];
            let name = match round {
                1 => name.clone(),
                round => format!("{name}-round-{round}"),
            };
            let id = add(graph, progress::STAGE, progress::VERSION, &name, &recipe, inputs)?;
            graph.node_mut(id).resumable = true;
            progress.push(id);
        }
    }
    Ok(SeedNodes { seed, rounds, eval, skips, losses, progress })
}

/// The decoder of a variant.
pub fn model(variant: &spec::Variant) -> ModelConfig {
    ModelConfig {
        shape: variant.shape(),
        context: variant.model.context,
        rope_theta: variant.model.rope_theta,
        norm_eps: variant.model.norm_eps,
        rope_scaling: Default::default(),
    }
}

/// A name for what is made of a variant's shape.
pub fn shape_name(variant: &spec::Variant) -> String {
    let shape = variant.shape();
    format!("v{}-l{}-d{}", shape.vocabulary, shape.depth, shape.width)
}
