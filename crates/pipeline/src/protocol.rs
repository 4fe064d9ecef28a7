//! What launcher and worker say to each other: one JSON object a line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::artifact::Artifact;
use crate::cause::Cause;
use crate::graph::{Graph, Key, Node, NodeId};
use crate::lease::Sign;
use crate::lost::LostWorker;
use crate::store::{Store, live_path};

/// What a worker is asked to make: the first line on its standard input. The launcher keeps
/// that pipe open, so that its end tells the worker that the launcher is gone.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Task {
    /// Kind of work.
    pub stage: String,
    /// Name for people.
    pub name: String,
    /// Version of the recipe.
    pub version: u32,
    /// Identity.
    pub key: Key,
    /// The recipe.
    pub recipe: Value,
    /// Folders of the inputs by role.
    pub inputs: BTreeMap<String, PathBuf>,
    /// Keys of the inputs by role.
    pub input_keys: BTreeMap<String, Key>,
    /// Of those inputs for which others stand, the keys of these.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub accepted: BTreeMap<String, Key>,
    /// Where the result goes.
    pub output: PathBuf,
    /// Whether an interrupted attempt can go on.
    pub resumable: bool,
    /// Facts about the execution that are stored beside the result.
    pub execution: Map<String, Value>,
    /// An owner that the launcher has watched for long enough without a sign of life.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silent: Option<Sign>,
    /// Bytes that it is expected to write; 0 when unknown.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub disk: u64,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Task {
    fn of(node: &Node, inputs: &[(String, Key, PathBuf)], output: PathBuf) -> Self {
        Self {
            stage: node.stage.to_owned(),
            name: node.name.clone(),
            version: node.version,
            key: node.key().clone(),
            recipe: node.recipe.clone(),
            inputs: inputs.iter().map(|(role, _, path)| (role.clone(), path.clone())).collect(),
            input_keys: inputs.iter().map(|(role, key, _)| (role.clone(), key.clone())).collect(),
            accepted: BTreeMap::new(),
            output,
            resumable: node.resumable,
            execution: node.execution.clone(),
            silent: None,
            disk: node.estimate.disk,
        }
    }

    /// The task of a node, with the places of a store.
    pub(crate) fn in_store(graph: &Graph, store: &Store, id: NodeId) -> Self {
        let node = graph.node(id);
        let mut accepted = BTreeMap::new();
        let inputs: Vec<_> = node
            .inputs
            .iter()
            .map(|(role, input)| {
                let input = graph.node(*input);
                // What cannot be read is not there, and whoever needs it says so.
                let path = match store.acceptance(input) {
                    Ok(Some(other)) => {
                        accepted.insert(role.clone(), other.old.key.clone());
                        store.accepted_folder(&other)
                    }
                    _ => store.place(input),
                };
                (role.clone(), input.key().clone(), path)
            })
            .collect();
        Self { accepted, ..Self::of(node, &inputs, store.place(node)) }
    }

    /// Folder of what can be followed while it is made: no part of the result.
    pub fn live(&self) -> PathBuf {
        live_path(&self.output)
    }

    /// Whether the result is there.
    pub fn is_done(&self) -> bool {
        has_key(&self.output, &self.key)
    }

    /// The first input without a result, by role.
    pub fn missing_input(&self) -> Option<&str> {
        let missing = |(role, path): &(&String, &PathBuf)| {
            let key = self.accepted.get(*role).or_else(|| self.input_keys.get(*role));
            !key.is_some_and(|key| has_key(path, key))
        };
        self.inputs.iter().find(missing).map(|(role, _)| role.as_str())
    }
}

fn has_key(path: &Path, key: &Key) -> bool {
    matches!(Artifact::read(path), Ok(Some(artifact)) if artifact.key == *key)
}

/// How far a worker has come.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Units done.
    pub done: u64,
    /// Units in all; 0 when unknown.
    pub total: u64,
    /// What else there is to say: loss, rate.
    pub message: String,
}

/// What kind of failure it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// The result itself: the same recipe fails again (a diverged training).
    Outcome,
    /// Input that is missing or wrong: fails again until it is mended.
    Input,
    /// The machine: no space, no memory, a killed process.
    Machine,
    /// A mistake of ours.
    Bug,
}

/// Why a node was not made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What kind of failure.
    pub kind: FailureKind,
    /// What happened, where, and what to do.
    pub message: String,
    /// The step at which it happened, where the maker counts steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<u64>,
    /// Where it comes from, where its finder knows; see [`Failure::cause`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// The signal that ended the worker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
    /// Bytes of memory that it was estimated to need, where that may be what was missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// The worker, where it was lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<Box<LostWorker>>,
}

impl Failure {
    /// A failure of the given kind.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            step: None,
            cause: None,
            signal: None,
            memory: None,
            lost: None,
        }
    }

    /// The same failure at a step.
    pub fn at_step(mut self, step: Option<u64>) -> Self {
        self.step = step;
        self
    }
}

/// A line from a worker.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Message {
    /// How far it has come.
    Progress(Progress),
    /// The result is in the store.
    Done {
        /// Seconds of this attempt.
        seconds: f64,
    },
    /// There is no result.
    Failed(Failure),
    /// It was asked to stop, and left what can be resumed.
    Stopped,
    /// Another process has taken the work over: what that one makes counts.
    Lost,
    /// Another process is at work on the same node.
    Busy {
        /// Who.
        owner: String,
        /// A later start of the same task is among them: there is nothing left to wait for.
        #[serde(default)]
        superseded: bool,
    },
}
