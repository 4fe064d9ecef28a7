//! How much text and how many tokens there are: counted where the store has them, estimated
//! where it does not yet.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use ablate_corpus::ShardInfo;
use ablate_pipeline::{Graph, Node, NodeId, State, Store};
use ablate_train::point_steps;
use serde::de::DeserializeOwned;

use super::rates;
use crate::stages::{corpus, read_json, select, shards, train};

/// How long a training is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunLength {
    pub steps: u64,
    pub tokens: u64,
    /// Whether both are exact.
    pub exact: bool,
}

/// Held-out text, all languages together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeldOut {
    pub languages: u64,
    pub tokens: u64,
}

/// The lengths of a study's texts and trainings.
pub struct Lengths<'a> {
    graph: &'a Graph,
    corpora: BTreeMap<NodeId, corpus::Summary>,
    shards: BTreeMap<NodeId, shards::Summary>,
}

impl<'a> Lengths<'a> {
    /// Reads the counts that the store has.
    pub fn new(graph: &'a Graph, store: &Store) -> Self {
        let mut lengths = Self { graph, corpora: BTreeMap::new(), shards: BTreeMap::new() };
        for (id, node) in graph.iter() {
            if node.stage == corpus::STAGE {
                lengths.corpora.extend(done(store, node, corpus::SUMMARY).map(|found| (id, found)));
            } else if node.stage == shards::STAGE {
                lengths.shards.extend(done(store, node, shards::SUMMARY).map(|found| (id, found)));
            }
        }
        lengths
    }

    /// Steps and tokens of a training.
    pub fn run(&self, id: NodeId) -> Option<RunLength> {
        let node = self.graph.node(id);
        let run: train::Recipe = recipe(node)?;
        let shards = *node.inputs.get("shards")?;
        let (steps, exact) = match (run.length, node.inputs.get("order")) {
            (train::Length::Order, Some(order)) => {
                let draw: select::Recipe = recipe(self.graph.node(*order))?;
                let (batches, exact) = self.steps(&draw.first, shards);
                let batches = usize::try_from(batches).ok()?;
                (draw.draw.rule().kept(batches) as u64, exact)
            }
            _ => self.steps(&run, shards),
        };
        Some(RunLength { steps, tokens: steps.saturating_mul(run.batch_tokens()), exact })
    }

    /// Points of a training at which its weights are kept, its end included; 0 where none are.
    pub fn points(&self, id: NodeId) -> u64 {
        let points = || {
            let node = self.graph.node(id);
            let run: train::Recipe = recipe(node)?;
            let shards = *node.inputs.get("shards")?;
            let first = match node.inputs.get("order") {
                Some(order) => recipe::<select::Recipe>(self.graph.node(*order))?.first,
                None => run.clone(),
            };
            let (first, _) = self.steps(&first, shards);
            Some(point_steps(first, run.points, self.run(id)?.steps).len() as u64)
        };
        points().unwrap_or(0)
    }

    /// Steps of a first round, and whether they are exact.
    pub fn steps(&self, run: &train::Recipe, shards: NodeId) -> (u64, bool) {
        let (training, counted) = self.training(shards);
        (run.steps(&training), counted || matches!(run.length, train::Length::Tokens(_)))
    }

    /// The training tokens, and whether they were counted.
    pub fn training(&self, shards: NodeId) -> (ShardInfo, bool) {
        if let Some(summary) = self.shards.get(&shards) {
            return (summary.training, true);
        }
        if recipe::<shards::Recipe>(self.graph.node(shards)).is_some_and(|asked| asked.held_out) {
            return (ShardInfo { tokens: 0, documents: 0, bytes: 0, vocabulary: 0 }, true);
        }
        let bytes = self.input(shards, "corpus").map_or(0, |corpus| self.bytes(corpus));
        let tokens = (bytes as f64 / rates::BYTES_PER_TOKEN) as u64;
        (ShardInfo { tokens, documents: 0, bytes, vocabulary: 0 }, false)
    }

    /// Bytes of training text.
    pub fn bytes(&self, corpus: NodeId) -> u64 {
        if let Some(summary) = self.corpora.get(&corpus) {
            return summary.bytes;
        }
        let node = self.graph.node(corpus);
        let asked = recipe::<corpus::Recipe>(node).and_then(|recipe| recipe.bytes);
        asked.unwrap_or_else(|| file_bytes(node))
    }

    /// The held-out text.
    pub fn held_out(&self, shards: NodeId) -> HeldOut {
        if let Some(summary) = self.shards.get(&shards) {
            let tokens = summary.validation.values().map(|info| info.tokens).sum();
            return HeldOut { languages: summary.validation.len() as u64, tokens };
        }
        let corpus = self.input(shards, "corpus");
        let text = corpus.and_then(|id| recipe::<corpus::Recipe>(self.graph.node(id)));
        let Some(text) = text else { return HeldOut::default() };
        let languages = languages(&text);
        let bytes = (text.validation_bytes * languages) as f64;
        HeldOut { languages, tokens: (bytes / rates::BYTES_PER_TOKEN) as u64 }
    }

    /// Bytes of held-out text that a corpus keeps.
    pub fn held_out_bytes(&self, corpus: NodeId) -> u64 {
        if let Some(summary) = self.corpora.get(&corpus) {
            return summary.validation_bytes.values().sum();
        }
        let text = recipe::<corpus::Recipe>(self.graph.node(corpus));
        text.map_or(0, |text| text.validation_bytes.saturating_mul(languages(&text)))
    }

    fn input(&self, id: NodeId, role: &str) -> Option<NodeId> {
        self.graph.node(id).inputs.get(role).copied()
    }
}

/// A node's recipe, typed.
pub fn recipe<T: DeserializeOwned>(node: &Node) -> Option<T> {
    serde_json::from_value(node.recipe.clone()).ok()
}

/// The storyworld writes two languages, files say which they are in.
fn languages(text: &corpus::Recipe) -> u64 {
    let mut languages = BTreeSet::new();
    for source in &text.sources {
        match &source.from {
            corpus::Origin::Storyworld { .. } => languages.extend(["en", "zh"]),
            corpus::Origin::Files { language, .. } => {
                languages.insert(language.as_str());
            }
        }
    }
    languages.len() as u64
}

/// Bytes of text in the user's files.
fn file_bytes(node: &Node) -> u64 {
    let paths = node.execution.get(corpus::PATHS).cloned().unwrap_or_default();
    let paths: Vec<Vec<String>> = serde_json::from_value(paths).unwrap_or_default();
    let size = |path: &String| {
        let bytes = fs::metadata(path).map_or(0, |file| file.len());
        let packed = [".gz", ".zst", ".parquet"].iter().any(|end| path.ends_with(end));
        bytes.saturating_mul(if packed { rates::COMPRESSION } else { 1 })
    };
    paths.iter().flatten().map(size).sum()
}

/// A count of a finished stage.
fn done<T: DeserializeOwned>(store: &Store, node: &Node, file: &str) -> Option<T> {
    match store.state(node) {
        Ok(State::Done(_)) => read_json(&store.path(node).join(file)).ok(),
        _ => None,
    }
}
