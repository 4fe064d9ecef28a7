//! The keys of a study's results, with what they follow from.

use std::collections::{BTreeMap, BTreeSet};

use ablate_pipeline::Key;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::graph::StudyGraph;

/// Every stage of a study.
#[derive(Debug, Serialize, Deserialize)]
pub struct Lock {
    stages: Vec<Locked>,
}

/// A stage: its key is the hash of the rest, but for its name.
#[derive(Debug, Serialize, Deserialize)]
struct Locked {
    stage: String,
    name: String,
    key: String,
    version: u32,
    /// Keys of the inputs by role.
    inputs: BTreeMap<String, String>,
    recipe: Value,
}

impl Lock {
    pub fn of(built: &StudyGraph) -> Self {
        let graph = &built.graph;
        let stages = graph.iter().map(|(_, node)| Locked {
            stage: node.stage.to_owned(),
            name: node.name.clone(),
            key: node.key().to_string(),
            version: node.version,
            inputs: node
                .inputs
                .iter()
                .map(|(role, id)| (role.clone(), graph.node(*id).key().to_string()))
                .collect(),
            recipe: node.recipe.clone(),
        });
        Self { stages: stages.collect() }
    }

    pub fn len(&self) -> usize {
        self.stages.len()
    }

    /// Keys that do not follow from what is said of them, and inputs that are not among the stages.
    pub fn differences(&self) -> Vec<String> {
        let known: BTreeSet<&str> = self.stages.iter().map(|stage| stage.key.as_str()).collect();
        let mut wrong = Vec::new();
        for stage in &self.stages {
            let name = format!("lock.json: {} {}", stage.stage, stage.name);
            match Key::of(&stage.stage, stage.version, &stage.recipe, &stage.inputs) {
                Ok(key) if key.as_str() == stage.key => {}
                Ok(key) => wrong.push(format!(
                    "{name}: its recipe gives the key {}, not {}",
                    key.short(),
                    stage.key.get(..12).unwrap_or(&stage.key)
                )),
                Err(error) => wrong.push(format!("{name}: {error}")),
            }
            for (role, key) in &stage.inputs {
                if !known.contains(key.as_str()) {
                    wrong.push(format!("{name}: its input `{role}` is none of the stages"));
                }
            }
        }
        wrong
    }

    /// Results (stage, name and key) that a report was made from and that are not among the stages.
    pub fn unknown(&self, results: &[(String, String, String)]) -> Vec<String> {
        let known: BTreeSet<&str> = self.stages.iter().map(|stage| stage.key.as_str()).collect();
        let unknown = results.iter().filter(|(_, _, key)| !known.contains(key.as_str()));
        unknown
            .map(|(stage, name, key)| {
                let key = key.get(..12).unwrap_or(key);
                format!(
                    "report/study.json: {stage} {name} {key} is none of the stages in lock.json"
                )
            })
            .collect()
    }
}
