//! Nodes, their keys, and the graph that they form.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::canonical::{CanonicalError, canonical_json};

/// Identity of a result: the blake3 hash of the canonical bytes of its stage, recipe version,
/// recipe and input keys.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Key(String);

impl Key {
    /// The key of what a stage makes in this way. `inputs` is a map from roles to keys.
    ///
    /// # Errors
    /// When the recipe has no canonical form.
    pub fn of(
        stage: &str,
        version: u32,
        recipe: &Value,
        inputs: &impl Serialize,
    ) -> Result<Self, CanonicalError> {
        let identity = json!({
            "inputs": inputs, "recipe": recipe, "stage": stage, "version": version
        });
        let bytes = canonical_json(&identity)?;
        Ok(Self(blake3::hash(bytes.as_bytes()).to_hex().to_string()))
    }

    /// The first twelve hexadecimal digits, as they stand in names of directories.
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }

    /// All 64 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.short())
    }
}

/// A node's place in its graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(crate) usize);

impl NodeId {
    /// Position in the order in which nodes were added.
    pub fn index(self) -> usize {
        self.0
    }
}

/// What a node is expected to need.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// Seconds with one thread.
    pub seconds: f64,
    /// Peak memory in bytes.
    pub memory: u64,
    /// Bytes that the result takes on disk.
    pub disk: u64,
}

/// One piece of work.
#[derive(Clone, Debug)]
pub struct Node {
    /// Kind of work, also the folder of the store.
    pub stage: &'static str,
    /// A name for people; part of the folder's name, never of the identity.
    pub name: String,
    /// Version of the stage's recipe: raised when its code changes what it makes.
    pub version: u32,
    /// What the result depends on, without its inputs and without how it is executed.
    pub recipe: Value,
    /// Results that it reads, by the role that they play.
    pub inputs: BTreeMap<String, NodeId>,
    /// Whether an interrupted attempt can go on from what it left behind.
    pub resumable: bool,
    /// What it is expected to need.
    pub estimate: Estimate,
    /// Threads that it should have at least: until so many cores have nobody who wants them, it
    /// waits, and others fill the gap. 0 and 1 are the same.
    pub threads: usize,
    /// How it is executed (paths of the user's files, the backend): passed to the worker and
    /// stored beside the result, never part of the identity.
    pub execution: Map<String, Value>,
    /// Who wants it: names of variants.
    pub wanted_by: BTreeSet<String>,
    key: Key,
}

impl Node {
    /// The node's identity.
    pub fn key(&self) -> &Key {
        &self.key
    }
}

/// Why a node cannot be added.
#[derive(Debug, thiserror::Error)]
pub enum GraphError {
    /// The recipe has no canonical form.
    #[error("{stage} `{name}`: {source}")]
    Recipe {
        /// Kind of work.
        stage: &'static str,
        /// Name of the node.
        name: String,
        /// The reason.
        source: CanonicalError,
    },
}

/// Nodes in an order in which inputs come before what reads them; acyclic because a node can
/// only name inputs that were added before it.
#[derive(Debug, Default)]
pub struct Graph {
    nodes: Vec<Node>,
    by_key: BTreeMap<Key, NodeId>,
}

impl Graph {
    /// An empty graph.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a node, or finds the equal one that is there already.
    ///
    /// # Errors
    /// When the recipe has no canonical form.
    pub fn add(
        &mut self,
        stage: &'static str,
        version: u32,
        name: &str,
        recipe: Value,
        inputs: impl IntoIterator<Item = (&'static str, NodeId)>,
    ) -> Result<NodeId, GraphError> {
        let inputs: BTreeMap<String, NodeId> =
            inputs.into_iter().map(|(role, id)| (role.to_owned(), id)).collect();
        let input_keys: BTreeMap<&String, &Key> =
            inputs.iter().map(|(role, id)| (role, self.nodes[id.0].key())).collect();
        let key = Key::of(stage, version, &recipe, &input_keys)
            .map_err(|source| GraphError::Recipe { stage, name: name.to_owned(), source })?;
        if let Some(&id) = self.by_key.get(&key) {
            return Ok(id);
        }
        let id = NodeId(self.nodes.len());
        self.by_key.insert(key.clone(), id);
        self.nodes.push(Node {
            stage,
            name: name.to_owned(),
            version,
            recipe,
            inputs,
            resumable: false,
            threads: 0,
            estimate: Estimate::default(),
            execution: Map::new(),
            wanted_by: BTreeSet::new(),
            key,
        });
        Ok(id)
    }

    /// The node with this id.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }

    /// The node with this id, to set what is not identity.
    pub fn node_mut(&mut self, id: NodeId) -> &mut Node {
        &mut self.nodes[id.0]
    }

    /// All nodes, inputs before what reads them.
    pub fn iter(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        self.nodes.iter().enumerate().map(|(index, node)| (NodeId(index), node))
    }

    /// Number of nodes.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is no node.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// A node and everything that it depends on, marked as wanted by someone.
    pub fn want(&mut self, id: NodeId, by: &str) {
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            if self.nodes[id.0].wanted_by.insert(by.to_owned()) {
                open.extend(self.nodes[id.0].inputs.values().copied());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_work_is_one_node() {
        let mut graph = Graph::new();
        let a = graph.add("corpus", 1, "a", json!({"bytes": 10}), []).unwrap();
        let b = graph.add("corpus", 1, "other name", json!({"bytes": 10}), []).unwrap();
        assert_eq!(a, b);
        assert_eq!(graph.len(), 1);
    }

    #[test]
    fn key_depends_on_stage_version_recipe_and_inputs() {
        let mut graph = Graph::new();
        let a = graph.add("corpus", 1, "a", json!({"bytes": 10}), []).unwrap();
        let b = graph.add("corpus", 1, "a", json!({"bytes": 11}), []).unwrap();
        let c = graph.add("corpus", 2, "a", json!({"bytes": 10}), []).unwrap();
        let d = graph.add("text", 1, "a", json!({"bytes": 10}), []).unwrap();
        let e = graph.add("text", 1, "a", json!({"bytes": 10}), [("corpus", a)]).unwrap();
        let f = graph.add("text", 1, "a", json!({"bytes": 10}), [("corpus", b)]).unwrap();
        let ids = BTreeSet::from([a, b, c, d, e, f]);
        assert_eq!(ids.len(), 6);
    }

    #[test]
    fn key_is_pinned() {
        // A change of this value makes every stored result of every user unreachable.
        let mut graph = Graph::new();
        let a = graph.add("corpus", 1, "a", json!({"bytes": 10, "seed": 1}), []).unwrap();
        let b = graph.add("train", 3, "b", json!({"lr": 0.003}), [("corpus", a)]).unwrap();
        assert_eq!(
            graph.node(a).key().as_str(),
            blake3::hash(
                br#"{"inputs":{},"recipe":{"bytes":10,"seed":1},"stage":"corpus","version":1}"#
            )
            .to_hex()
            .as_str()
        );
        let expected = format!(
            r#"{{"inputs":{{"corpus":"{}"}},"recipe":{{"lr":0.003}},"stage":"train","version":3}}"#,
            graph.node(a).key()
        );
        assert_eq!(
            graph.node(b).key().as_str(),
            blake3::hash(expected.as_bytes()).to_hex().as_str()
        );
    }

    #[test]
    fn wanting_a_node_wants_its_inputs() {
        let mut graph = Graph::new();
        let a = graph.add("corpus", 1, "a", json!({}), []).unwrap();
        let b = graph.add("train", 1, "b", json!({"x": 1}), [("corpus", a)]).unwrap();
        graph.want(b, "baseline");
        assert!(graph.node(a).wanted_by.contains("baseline"));
    }
}
