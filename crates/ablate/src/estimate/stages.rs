//! What each kind of stage needs.

use std::collections::BTreeMap;
use std::fs;

use ablate_cost::{Kept, Shape, flops_per_token, training_memory};
use ablate_model::ModelConfig;
use ablate_pipeline::{Estimate, Graph, Node, NodeId};
use ablate_spec::Study;
use ablate_train::{Portions, Precision};

use super::length::{Lengths, RunLength, recipe};
use super::speed::{Speed, Speeds};
use super::timings::Workload;
use super::{Work, rates};
use crate::graph::StudyGraph;
use crate::stages::importance::Measured;
use crate::stages::{
    benchmarks, compact, corpus, eval, foreign, importance, inherit, losses, masks, progress,
    select, shards, skips, tokenizer, train,
};

const F32: u64 = 4;
/// Tokens that stages without a backward pass compute at a time.
const SCORED_TOGETHER: u64 = 4096;

/// Estimates stage by stage.
pub struct Estimator<'a> {
    graph: &'a Graph,
    lengths: Lengths<'a>,
    speeds: Speeds,
    /// Vocabularies of the study's own tokenizers.
    vocabularies: BTreeMap<NodeId, usize>,
}

type Needs = (Estimate, Work);

impl<'a> Estimator<'a> {
    pub fn new(built: &'a StudyGraph, lengths: Lengths<'a>, speeds: Speeds, study: &Study) -> Self {
        let given = built.externals.iter().filter_map(|external| external.found.as_ref().ok());
        let given = given.map(|given| (given.tokenizer, given.model.shape.vocabulary));
        let vocabularies = built
            .described(study)
            .map(|(nodes, variant)| (nodes.tokenizer, variant.tokenizer.vocabulary))
            .chain(given)
            .collect();
        Self { graph: &built.graph, lengths, speeds, vocabularies }
    }

    /// Keeps what was timed.
    pub fn finish(self) {
        self.speeds.save();
    }

    /// What a stage needs.
    pub fn node(&mut self, id: NodeId) -> Needs {
        let node = self.graph.node(id);
        let needs = match node.stage {
            corpus::STAGE => Some(self.corpus(id)),
            tokenizer::STAGE => self.tokenizer(node),
            shards::STAGE => Some(self.shards(id)),
            compact::STAGE => self.compact(node),
            benchmarks::STAGE => Some(benchmark_items(node)),
            importance::STAGE => self.importance(node),
            masks::STAGE => self.masks(node),
            inherit::STAGE => self.inherit(node),
            foreign::STAGE => recipe::<foreign::Recipe>(node).map(|given| {
                let bytes = weights(&given.model.shape);
                plain(bytes as f64 / rates::CUTTING, 3 * bytes, bytes)
            }),
            train::STAGE => self.train(id),
            select::STAGE => self.select(node),
            eval::STAGE => self.eval(node),
            skips::STAGE => self.skips(node),
            losses::STAGE => self.losses(node),
            progress::STAGE => self.progress(node),
            _ => None,
        };
        let (mut estimate, work) = needs.unwrap_or_default();
        estimate.seconds += rates::PROCESS_SECONDS;
        estimate.memory += rates::PROCESS_MEMORY;
        (estimate, work)
    }

    fn input(&self, node: &Node, role: &str) -> Option<&'a Node> {
        node.inputs.get(role).map(|id| self.graph.node(*id))
    }

    fn corpus(&self, id: NodeId) -> Needs {
        let node = self.graph.node(id);
        let text: Option<corpus::Recipe> = recipe(node);
        let written = self.lengths.bytes(id) as f64;
        let held_out = self.lengths.held_out_bytes(id) as f64;
        let from_files = text.is_some_and(|text| {
            text.sources.iter().any(|source| matches!(source.from, corpus::Origin::Files { .. }))
        });
        let rate = if from_files { rates::FILES } else { rates::STORYWORLD };
        plain(
            (written + held_out) / rate,
            held_out as u64,
            ((written + held_out) * rates::JSON_LINES) as u64,
        )
    }

    fn tokenizer(&self, node: &Node) -> Option<Needs> {
        Some(match recipe(node)? {
            tokenizer::Recipe::Train { vocabulary, bytes } => {
                let text = node.inputs.get("corpus").map_or(0, |id| self.lengths.bytes(*id));
                let sample = bytes.min(text);
                let seconds = sample as f64 / rates::TOKENIZER_BYTES
                    + vocabulary as f64 / rates::TOKENIZER_MERGES;
                plain(seconds, sample * rates::TOKENIZER_MEMORY, file_of_pieces(vocabulary))
            }
            tokenizer::Recipe::File { .. } => plain(0.0, 0, 5_000_000),
        })
    }

    fn shards(&self, id: NodeId) -> Needs {
        let (training, _) = self.lengths.training(id);
        let held_out = self.lengths.held_out(id).tokens;
        let bytes = training.bytes as f64 + held_out as f64 * rates::BYTES_PER_TOKEN;
        let wide = self.vocabulary(id).is_none_or(|vocabulary| vocabulary > 1 << 16);
        let disk = (training.tokens + held_out) * if wide { 4 } else { 2 };
        plain(bytes / rates::ENCODING, 50_000_000, disk)
    }

    /// Entries of the vocabulary that a shard is written in.
    fn vocabulary(&self, shards: NodeId) -> Option<usize> {
        let id = *self.graph.node(shards).inputs.get("tokenizer")?;
        let node = self.graph.node(id);
        if node.stage == compact::STAGE {
            return recipe::<compact::Recipe>(node).map(|compact| compact.vocabulary);
        }
        match recipe(node)? {
            tokenizer::Recipe::Train { vocabulary, .. } => Some(vocabulary),
            tokenizer::Recipe::File { .. } => self.vocabularies.get(&id).copied(),
        }
    }

    fn compact(&self, node: &Node) -> Option<Needs> {
        let recipe: compact::Recipe = recipe(node)?;
        let (training, _) = self.lengths.training(*node.inputs.get("shards")?);
        let disk = file_of_pieces(recipe.vocabulary);
        Some(plain(training.tokens as f64 / rates::COUNTING, 2 * disk, disk))
    }

    fn inherit(&self, node: &Node) -> Option<Needs> {
        let child: inherit::Recipe = recipe(node)?;
        let parent = self.parent(node)?;
        let (parent, child) = (weights(&parent.shape), weights(&child.child.shape));
        Some(plain((parent + child) as f64 / rates::CUTTING, parent + 2 * child, child))
    }

    /// The model that is the input `parent`.
    fn parent(&self, node: &Node) -> Option<ModelConfig> {
        let parent = self.input(node, "parent")?;
        match parent.stage {
            foreign::STAGE => Some(recipe::<foreign::Recipe>(parent)?.model),
            masks::STAGE => Some(recipe::<masks::Recipe>(parent)?.trunk(&self.parent(parent)?)),
            _ => Some(recipe::<train::Recipe>(parent)?.model),
        }
    }

    fn importance(&mut self, node: &Node) -> Option<Needs> {
        let measured: importance::Recipe = recipe(node)?;
        let Portions { context, micro_sequences: sequences } = measured.portions();
        let model = &match &measured.of {
            Measured::Trained(trained) => trained.model.clone(),
            Measured::Given(_) => {
                let given: foreign::Recipe = recipe(self.input(node, "weights")?)?;
                ModelConfig { context, ..given.model }
            }
        };
        let workload = Workload { model, sequences, precision: Precision::F32 };
        let tokens = measured.windows() * context as u64;
        let (mut estimate, work) = self.passes(workload, sequences, tokens);
        estimate.disk = weights(&model.shape);
        Some((estimate, work))
    }

    fn masks(&mut self, node: &Node) -> Option<Needs> {
        let masks: masks::Recipe = recipe(node)?;
        let trunk = masks.trunk(&self.parent(node)?);
        let (steps, sequences) = (masks.steps(), masks.micro_sequences);
        let tokens = steps * (masks.batch_sequences * trunk.context) as u64;
        let workload = Workload { model: &trunk, sequences, precision: masks.precision };
        let update = self.speeds.of(workload).update;
        let (mut estimate, mut work) = self.passes(workload, sequences, tokens);
        work.scratch = rates::CHECKPOINTS_KEPT * 3 * weights(&trunk.shape);
        // Masks are multiplied into the weights and back out of their gradients at every step.
        estimate.seconds += 2.0 * steps as f64 * update;
        estimate.memory += 2 * weights(&trunk.shape);
        estimate.disk = weights(&trunk.shape) + steps * rates::METRIC_BYTES;
        Some((estimate, work))
    }

    /// Forward and backward passes over so many tokens.
    fn passes(&mut self, workload: Workload<'_>, sequences: usize, tokens: u64) -> Needs {
        let speed = self.speeds.of(workload);
        let (shape, context) = (&workload.model.shape, workload.model.context);
        let memory = training_memory(shape, sequences, context, Kept::Activations).total;
        let seconds = tokens as f64 * speed.pass;
        let work = Work {
            tokens,
            exact: true,
            flops: flops_per_token(shape, context).training * tokens as f64,
            source: Some(speed.source),
            ..Work::default()
        };
        (Estimate { seconds, memory, disk: 0 }, work)
    }

    fn train(&mut self, id: NodeId) -> Option<Needs> {
        let node = self.graph.node(id);
        let run: train::Recipe = recipe(node)?;
        let RunLength { steps, tokens, exact } = self.lengths.run(id)?;
        let speed = self.speeds.of(Workload::training(&run));
        let (shape, context) = (&run.model.shape, run.model.context);
        let validated = self.validated(node, &run, steps);
        let checkpoint = 3 * weights(shape);
        // The weights at the last point are the training's own.
        let snapshots = self.lengths.points(id).saturating_sub(1) * weights(shape);
        // Computing activations again is one more forward pass.
        let (kept, again) = match train::recomputes(&node.execution) {
            true => (Kept::Inputs, rates::FORWARD),
            false => (Kept::Activations, 0.0),
        };
        let seconds = tokens as f64 * speed.pass * (1.0 + again)
            + steps as f64 * speed.update
            + validated as f64 * speed.forward()
            + (rates::CHECKPOINT_COUNT * checkpoint + snapshots) as f64 / rates::CHECKPOINTS;
        let memory = training_memory(shape, run.micro_sequences, context, kept).total;
        let kept_weights = if run.keep_moments { 3 } else { 1 };
        let disk = kept_weights * weights(shape) + snapshots + steps * rates::METRIC_BYTES;
        let work = Work {
            tokens,
            exact,
            flops: flops_per_token(shape, context).training * tokens as f64,
            source: Some(speed.source),
            scratch: rates::CHECKPOINTS_KEPT * checkpoint,
            snapshots,
        };
        Some((Estimate { seconds, memory, disk }, work))
    }

    /// Held-out tokens that a training reads, over all its validations.
    fn validated(&self, node: &Node, run: &train::Recipe, steps: u64) -> u64 {
        let Some(shards) = node.inputs.get("shards") else { return 0 };
        let held_out = self.lengths.held_out(*shards);
        let config = run.config(steps, 0);
        let most = held_out.languages * (config.validation_windows * config.context) as u64;
        // One before the first step, one after the last.
        let points = 1 + (run.validations as u64).max(1);
        points * most.min(held_out.tokens)
    }

    fn select(&mut self, node: &Node) -> Option<Needs> {
        let draw: select::Recipe = recipe(node)?;
        if draw.running {
            let (batches, _) = self.lengths.steps(&draw.first, *node.inputs.get("shards")?);
            return Some(plain(0.0, 0, batches * drawn_bytes(&draw.first)));
        }
        let (mut needs, batches) = self.scored(node, &draw.first)?;
        needs.0.disk = batches * drawn_bytes(&draw.first);
        Some(needs)
    }

    fn losses(&mut self, node: &Node) -> Option<Needs> {
        let wanted: losses::Recipe = recipe(node)?;
        let (mut needs, batches) = self.scored(node, &wanted.first)?;
        needs.0.disk = batches * rates::LOSS_BYTES;
        // A probe, not a part of the training.
        needs.1.flops = 0.0;
        Some(needs)
    }

    /// Forward passes over all batches of a first round, and how many these are.
    fn scored(&mut self, node: &Node, first: &train::Recipe) -> Option<(Needs, u64)> {
        let (batches, _) = self.lengths.steps(first, *node.inputs.get("shards")?);
        let tokens = batches.saturating_mul(first.batch_tokens());
        let speed = self.speeds.of(Workload::scoring(first));
        let together = (first.micro_sequences * first.model.context) as u64;
        let (estimate, mut work) = scoring(&first.model, speed, tokens, together);
        work.flops =
            flops_per_token(&first.model.shape, first.model.context).forward * tokens as f64;
        Some(((estimate, work), batches))
    }

    fn eval(&mut self, node: &Node) -> Option<Needs> {
        let weights = self.input(node, "weights")?;
        let items = self.input(node, "benchmarks").map_or(0, item_count);
        let shards = node.inputs.get("shards");
        let held_out = shards.map_or(0, |shards| self.lengths.held_out(*shards).tokens);
        let tokens = items * rates::OPTIONS * rates::PROMPT_TOKENS + held_out;
        let (model, speed) = if weights.stage == foreign::STAGE {
            let given: foreign::Recipe = recipe(weights)?;
            let together = (SCORED_TOGETHER as usize / given.model.context).max(1);
            let speed = self.speeds.of(Workload {
                model: &given.model,
                sequences: together,
                precision: Precision::F32,
            });
            (given.model, speed)
        } else {
            let trained: train::Recipe = recipe(weights)?;
            let speed = self.speeds.of(Workload::scoring(&trained));
            (trained.model, speed)
        };
        let (mut estimate, work) = scoring(&model, speed, tokens, SCORED_TOGETHER);
        estimate.disk = items * rates::RESULT_BYTES;
        Some((estimate, work))
    }

    fn progress(&mut self, node: &Node) -> Option<Needs> {
        let trained = *node.inputs.get("weights")?;
        let run: train::Recipe = recipe(self.graph.node(trained))?;
        let points = self.lengths.points(trained);
        let items = self.input(node, "benchmarks").map_or(0, item_count);
        let tokens = points * items * rates::OPTIONS * rates::PROMPT_TOKENS;
        let speed = self.speeds.of(Workload::scoring(&run));
        let (mut estimate, work) = scoring(&run.model, speed, tokens, SCORED_TOGETHER);
        estimate.disk = points * rates::SCORES_BYTES;
        Some((estimate, work))
    }

    fn skips(&mut self, node: &Node) -> Option<Needs> {
        let trained: train::Recipe = recipe(self.input(node, "weights")?)?;
        let skips: skips::Recipe = recipe(node)?;
        let items = self.input(node, "benchmarks").map_or(0, item_count);
        let tokens = items * rates::OPTIONS * rates::PROMPT_TOKENS;
        let speed = self.speeds.of(Workload::scoring(&trained));
        let (mut estimate, work) = scoring(&trained.model, speed, tokens, SCORED_TOGETHER);
        let (depth, width) = (trained.model.shape.depth, trained.model.shape.width);
        // All layers once; after each start those that are left; and the head every time.
        let starts = |count: &usize| depth.saturating_sub(*count) + 1;
        let layers = |count: &usize| starts(count) * starts(count).saturating_sub(1) / 2;
        let again: usize = skips.counts.iter().map(layers).sum();
        let ends: usize = skips.counts.iter().map(starts).sum();
        let whole = flops_per_token(&trained.model.shape, trained.model.context).forward;
        let head = 2.0 * (trained.model.shape.vocabulary * width) as f64;
        let layer = (whole - head) / depth as f64;
        estimate.seconds *= (whole + again as f64 * layer + ends as f64 * head) / whole;
        estimate.memory += F32 * SCORED_TOGETHER * ((depth + 1) * width) as u64;
        estimate.disk = (1 + ends) as u64 * rates::RESULT_BYTES;
        Some((estimate, work))
    }
}

/// Bytes that a draw writes for every batch.
fn drawn_bytes(first: &train::Recipe) -> u64 {
    40 + 8 * first.batch_sequences as u64
}

fn plain(seconds: f64, memory: u64, disk: u64) -> Needs {
    (Estimate { seconds, memory, disk }, Work::default())
}

/// Forward passes over so many tokens, so many of them together.
fn scoring(model: &ModelConfig, speed: Speed, tokens: u64, together: u64) -> Needs {
    let shape = &model.shape;
    // One layer's values at a time, and the logits with their softmax.
    let values = 8 * shape.width + 2 * shape.kv_width() + 3 * shape.ffn + 2 * shape.vocabulary;
    let memory = 2 * weights(shape) + F32 * together * values as u64;
    let estimate = Estimate { seconds: tokens as f64 * speed.forward(), memory, disk: 0 };
    (estimate, Work { source: Some(speed.source), ..Work::default() })
}

/// Bytes of a model's weights.
fn weights(shape: &Shape) -> u64 {
    F32 * shape.parameters().total
}

/// Bytes of a `tokenizer.json` with its merges.
fn file_of_pieces(vocabulary: usize) -> u64 {
    rates::PIECE_BYTES * vocabulary as u64
}

fn benchmark_items(node: &Node) -> Needs {
    let items = item_count(node);
    plain(items as f64 / rates::ITEMS, 0, items * rates::ITEM_BYTES)
}

/// Items of all benchmarks, the user's files included.
fn item_count(node: &Node) -> u64 {
    let Some(asked) = recipe::<benchmarks::Recipe>(node) else { return 0 };
    let paths = node.execution.get(benchmarks::PATHS).cloned().unwrap_or_default();
    let paths: Vec<String> = serde_json::from_value(paths).unwrap_or_default();
    let lines = |path: &String| {
        fs::read(path).map_or(0, |bytes| bytes.split(|byte| *byte == b'\n').count() as u64)
    };
    let imported: usize = asked.imported.iter().map(|imported| imported.items).sum();
    (asked.names.len() * asked.items + imported) as u64 + paths.iter().map(lines).sum::<u64>()
}
