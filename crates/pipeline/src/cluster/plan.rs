//! Cutting what is missing into waves: arrays of tasks that may run at the same time.
//!
//! The whole graph is known before anything runs, so that all waves are submitted at once and no
//! process has to stay on a login node. Dependencies between them only save machines from waiting:
//! each task looks itself whether its inputs are there.

use std::collections::{BTreeMap, BTreeSet};

use crate::graph::{Graph, NodeId};

/// How a wave waits for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dependency {
    /// Task i for task i: `aftercorr`.
    Each,
    /// Every task for the end of all, however they end: `afterany`. One that failed costs what needs
    /// it, which finds out by itself, and nothing else.
    All,
}

/// Tasks of one kind that may run at the same time.
#[derive(Clone, Debug)]
pub struct Wave {
    /// Position and stage: `03-train`.
    pub name: String,
    /// Kind of work.
    pub stage: &'static str,
    /// Whether the tasks compute with a GPU.
    pub on_gpu: bool,
    /// In the order of their indices.
    pub items: Vec<NodeId>,
    /// Waves that are waited for, by position.
    pub after: Vec<(usize, Dependency)>,
}

/// Cuts nodes into waves. `nodes` are in the graph's order; inputs that are not among them are there,
/// or made by somebody else.
pub fn plan(graph: &Graph, nodes: &[NodeId], on_gpu: impl Fn(NodeId) -> bool) -> Vec<Wave> {
    let wanted: BTreeSet<NodeId> = nodes.iter().copied().collect();
    let inputs =
        |id: NodeId| graph.node(id).inputs.values().copied().filter(|input| wanted.contains(input));
    let mut level: BTreeMap<NodeId, usize> = BTreeMap::new();
    let mut groups: BTreeMap<(usize, bool, &'static str), Vec<NodeId>> = BTreeMap::new();
    for &id in &wanted {
        let own = inputs(id).map(|input| level[&input] + 1).max().unwrap_or(0);
        level.insert(id, own);
        groups.entry((own, on_gpu(id), graph.node(id).stage)).or_default().push(id);
    }
    // Where each node stands: its wave and its index.
    let mut places: BTreeMap<NodeId, (usize, usize)> = BTreeMap::new();
    let mut waves: Vec<Wave> = Vec::new();
    for (position, ((_, on_gpu, stage), mut items)) in groups.into_iter().enumerate() {
        // In the order of what is made last of what they need, so that indices can agree.
        let last = |id: &NodeId| inputs(*id).filter_map(|input| places.get(&input).copied()).max();
        items.sort_by_key(|id| (last(id), *id));
        let mut of: BTreeMap<usize, Vec<BTreeSet<usize>>> = BTreeMap::new();
        for (index, id) in items.iter().enumerate() {
            for (wave, other) in inputs(*id).filter_map(|input| places.get(&input).copied()) {
                of.entry(wave).or_insert_with(|| vec![BTreeSet::new(); items.len()])[index]
                    .insert(other);
            }
            places.insert(*id, (position, index));
        }
        let after = of
            .into_iter()
            .map(|(wave, others)| {
                let same =
                    waves.get(wave).is_some_and(|wave: &Wave| wave.items.len() == items.len())
                        && others.iter().enumerate().all(|(i, others)| others.iter().eq([&i]));
                (wave, if same { Dependency::Each } else { Dependency::All })
            })
            .collect();
        let name = format!("{:02}-{stage}", position + 1);
        waves.push(Wave { name, stage, on_gpu, items, after });
    }
    waves
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn add(graph: &mut Graph, stage: &'static str, n: u32, inputs: &[NodeId]) -> NodeId {
        const ROLES: [&str; 3] = ["first", "second", "third"];
        let inputs: Vec<_> = ROLES.into_iter().zip(inputs.iter().copied()).collect();
        graph.add(stage, 1, "node", json!({"n": n}), inputs).unwrap()
    }

    #[test]
    fn trainings_and_their_scores_go_hand_in_hand() {
        let mut graph = Graph::new();
        let text = add(&mut graph, "corpus", 0, &[]);
        let items = add(&mut graph, "benchmarks", 0, &[text]);
        let trains: Vec<NodeId> = (0..3).map(|n| add(&mut graph, "train", n, &[text])).collect();
        // Added in another order than the trainings were.
        let evals: Vec<NodeId> =
            [2, 0, 1].map(|n| add(&mut graph, "eval", n, &[trains[n as usize], items])).to_vec();
        let all: Vec<NodeId> = graph.iter().map(|(id, _)| id).collect();
        let waves = plan(&graph, &all, |id| graph.node(id).stage == "train");
        let names: Vec<&str> = waves.iter().map(|wave| wave.name.as_str()).collect();
        assert_eq!(names, ["01-corpus", "02-benchmarks", "03-train", "04-eval"]);
        assert_eq!(waves[2].items, trains);
        assert!(waves[2].on_gpu && !waves[3].on_gpu);
        assert_eq!(waves[2].after, [(0, Dependency::All)]);
        assert_eq!(waves[3].items, [evals[1], evals[2], evals[0]]);
        assert_eq!(waves[3].after, [(1, Dependency::All), (2, Dependency::Each)]);

        // What is there already is not waited for.
        let some: Vec<NodeId> = trains[1..].iter().chain(&evals).copied().collect();
        let waves = plan(&graph, &some, |_| false);
        // The score of the first training is on a level of its own kind: nothing is missing for it.
        let names: Vec<&str> = waves.iter().map(|wave| wave.name.as_str()).collect();
        assert_eq!(names, ["01-eval", "02-train", "03-eval"]);
        assert_eq!(waves[2].after, [(1, Dependency::Each)]);
        assert!(waves[0].after.is_empty() && waves[1].after.is_empty());
    }

    #[test]
    fn one_input_for_many_is_waited_for_by_all() {
        let mut graph = Graph::new();
        let parent = add(&mut graph, "train", 0, &[]);
        let children: Vec<NodeId> =
            (1..3).map(|n| add(&mut graph, "train", n, &[parent])).collect();
        let all: Vec<NodeId> = graph.iter().map(|(id, _)| id).collect();
        let waves = plan(&graph, &all, |_| false);
        assert_eq!(waves[1].items, children);
        assert_eq!(waves[1].after, [(0, Dependency::All)]);
    }
}
