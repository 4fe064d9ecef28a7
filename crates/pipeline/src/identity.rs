//! Everything that a result is identified by, put down to be compared.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::artifact::Artifact;
use crate::graph::{Graph, Key, NodeId};
use crate::store::entry_name;

/// What a result is identified by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Identity {
    /// Hash of the rest, the name left out.
    pub key: Key,
    /// Kind of work.
    pub stage: String,
    /// Name for people.
    pub name: String,
    /// Version of the recipe.
    pub version: u32,
    /// The recipe.
    pub recipe: Value,
    /// Keys of the inputs by role.
    pub inputs: BTreeMap<String, Key>,
}

impl Identity {
    /// That of a node.
    pub fn of(graph: &Graph, id: NodeId) -> Self {
        let node = graph.node(id);
        let key = |input: &NodeId| graph.node(*input).key().clone();
        Self {
            key: node.key().clone(),
            stage: node.stage.to_owned(),
            name: node.name.clone(),
            version: node.version,
            recipe: node.recipe.clone(),
            inputs: node.inputs.iter().map(|(role, input)| (role.clone(), key(input))).collect(),
        }
    }

    /// `stage/name-key`, as in the store.
    pub fn place(&self) -> String {
        format!("{}/{}", self.stage, entry_name(&self.name, &self.key))
    }

    /// Whether the key is that of the rest.
    pub(crate) fn is_whole(&self) -> bool {
        Key::of(&self.stage, self.version, &self.recipe, &self.inputs)
            .is_ok_and(|key| key == self.key)
    }
}

impl From<&Artifact> for Identity {
    fn from(artifact: &Artifact) -> Self {
        Self {
            key: artifact.key.clone(),
            stage: artifact.stage.clone(),
            name: artifact.name.clone(),
            version: artifact.version,
            recipe: artifact.recipe.clone(),
            inputs: artifact.inputs.clone(),
        }
    }
}
