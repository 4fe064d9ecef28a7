//! A node and a result of it, for tests.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::artifact::Artifact;
use crate::graph::{Graph, Node};

/// A graph's only node.
pub(crate) fn node() -> Node {
    let mut graph = Graph::new();
    let id = graph.add("text", 1, "my text", json!({"n": 1}), []).unwrap();
    graph.node(id).clone()
}

/// Its record, without files.
pub(crate) fn artifact(node: &Node) -> Artifact {
    Artifact {
        key: node.key().clone(),
        stage: node.stage.to_owned(),
        name: node.name.clone(),
        version: node.version,
        recipe: node.recipe.clone(),
        inputs: BTreeMap::new(),
        files: Vec::new(),
        finished: "2026-01-01T00:00:00Z".to_owned(),
        seconds: 1.0,
        execution: Value::Null,
        accepted: BTreeMap::new(),
    }
}
