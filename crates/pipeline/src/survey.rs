//! What is there of a study, and what is to be made.

use std::collections::BTreeSet;

use crate::graph::{Graph, NodeId};
use crate::protocol::{Failure, FailureKind};
use crate::store::{State, Store, StoreError};

/// How far the nodes are that a run has to look at: its targets and, of what is not there, the
/// inputs.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    /// To be made, inputs before what reads them. Some may wait for one that failed.
    pub missing: Vec<NodeId>,
    /// There, and as they were made.
    pub done: Vec<NodeId>,
    /// Failed in a way that is not tried again.
    pub failed: Vec<(NodeId, Failure)>,
    /// Results that were not what was made, and were set aside: what differed. To be made again.
    pub corrupt: Vec<(NodeId, String)>,
}

/// Looks at the targets and at what they need. Sets damaged results aside, and removes what is left of
/// attempts beside whole ones. Failures that are
/// outcomes are not tried again unless `retry_failed`.
///
/// # Errors
/// When the store cannot be read.
pub fn survey(
    graph: &Graph,
    targets: &[NodeId],
    store: &Store,
    retry_failed: bool,
) -> Result<Survey, StoreError> {
    let mut survey = Survey::default();
    let mut open: Vec<NodeId> = targets.to_vec();
    let mut seen = BTreeSet::new();
    while let Some(id) = open.pop() {
        if !seen.insert(id) {
            continue;
        }
        let node = graph.node(id);
        if let Some(difference) = store.verify(node)? {
            survey.corrupt.push((id, difference));
        }
        match store.state(node)? {
            State::Done(_) => {
                store.sweep(node);
                survey.done.push(id);
            }
            State::Failed(failure) if failure.kind == FailureKind::Outcome && !retry_failed => {
                survey.failed.push((id, failure));
            }
            _ => {
                survey.missing.push(id);
                open.extend(node.inputs.values().copied());
            }
        }
    }
    survey.missing.sort();
    survey.done.sort();
    Ok(survey)
}

/// Those of the targets that failed or wait for something that failed, whatever the kind of failure.
///
/// # Errors
/// When the store cannot be read.
pub fn failed_chains(
    graph: &Graph,
    targets: &[NodeId],
    store: &Store,
) -> Result<Vec<NodeId>, StoreError> {
    // Inputs come before what reads them.
    let mut waits = Vec::with_capacity(graph.len());
    for (_, node) in graph.iter() {
        waits.push(match store.state(node)? {
            State::Done(_) => false,
            State::Failed(_) => true,
            _ => node.inputs.values().any(|input| waits[input.0]),
        });
    }
    Ok(targets.iter().copied().filter(|target| waits[target.0]).collect())
}

impl Survey {
    /// Those of the missing that cannot be made, since something that they need has failed; with what
    /// that is.
    pub fn blocked(&self, graph: &Graph) -> Vec<(NodeId, NodeId)> {
        let mut cause: std::collections::BTreeMap<NodeId, NodeId> =
            self.failed.iter().map(|(id, _)| (*id, *id)).collect();
        let mut blocked = Vec::new();
        for id in &self.missing {
            let by = graph.node(*id).inputs.values().find_map(|input| cause.get(input)).copied();
            if let Some(by) = by {
                cause.insert(*id, by);
                blocked.push((*id, by));
            }
        }
        blocked
    }
}
