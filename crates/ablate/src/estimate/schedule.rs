//! How long a run takes by the clock: the scheduler's own policy, played through.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use ablate_pipeline::{Graph, NodeId};

use super::rates;

/// What a run may use.
#[derive(Clone, Copy, Debug)]
pub struct Workers {
    /// Side by side.
    pub jobs: usize,
    /// Threads of all together.
    pub cores: usize,
    /// Bytes of all together.
    pub memory: u64,
}

/// Seconds until the given nodes are made, by their estimates. Everything else is there.
pub fn wall_seconds(graph: &Graph, missing: &BTreeSet<NodeId>, workers: Workers) -> f64 {
    let rank = ranks(graph);
    // The longest chain first; seconds are not negative, so their bits are in their order.
    let place = |id: NodeId| (Reverse(rank[id.index()].to_bits()), id);
    let mut users: BTreeMap<NodeId, Vec<NodeId>> = BTreeMap::new();
    let mut open: BTreeMap<NodeId, usize> = BTreeMap::new();
    let mut ready = BTreeSet::new();
    for &id in missing {
        let mut count = 0;
        for input in graph.node(id).inputs.values().filter(|input| missing.contains(input)) {
            users.entry(*input).or_default().push(id);
            count += 1;
        }
        if count == 0 {
            ready.insert(place(id));
        } else {
            open.insert(id, count);
        }
    }
    // End and threads of what is at work.
    let mut running: BTreeMap<NodeId, (f64, usize)> = BTreeMap::new();
    let mut now = 0.0;
    loop {
        let mut started = Vec::new();
        for (position, &(_, id)) in ready.iter().enumerate() {
            let slots = workers.jobs.max(1).saturating_sub(running.len());
            if slots == 0 {
                break;
            }
            let needs = graph.node(id).estimate;
            let used: u64 = running.keys().map(|id| graph.node(*id).estimate.memory).sum();
            if !running.is_empty() && used.saturating_add(needs.memory) > workers.memory {
                continue;
            }
            let busy: usize = running.values().map(|(_, threads)| threads).sum();
            let free = workers.cores.saturating_sub(busy);
            let wanted = |id| graph.node(id).threads.clamp(1, workers.cores.max(1));
            let taken: usize = running.keys().map(|id| wanted(*id)).sum();
            if taken > 0 && taken + wanted(id) > workers.cores.max(workers.jobs) {
                continue;
            }
            let threads = (free / slots.min(ready.len() - position)).max(wanted(id));
            let speed = 1.0 + rates::THREAD_GAIN * (threads - 1) as f64;
            started.push(id);
            running.insert(id, (now + needs.seconds / speed, threads));
        }
        for id in started {
            ready.remove(&place(id));
        }
        let next = running.iter().min_by(|a, b| a.1.0.total_cmp(&b.1.0));
        let Some((&id, &(end, _))) = next else { return now };
        running.remove(&id);
        now = end;
        for user in users.remove(&id).unwrap_or_default() {
            let count = open.get_mut(&user).expect("counted above");
            *count -= 1;
            if *count == 0 {
                ready.insert(place(user));
            }
        }
    }
}

/// Seconds of the longest chain from each node's start to the end.
fn ranks(graph: &Graph) -> Vec<f64> {
    let mut rank: Vec<f64> = graph.iter().map(|(_, node)| node.estimate.seconds).collect();
    let ids: Vec<NodeId> = graph.iter().map(|(id, _)| id).collect();
    for id in ids.into_iter().rev() {
        for input in graph.node(id).inputs.values() {
            let through = graph.node(*input).estimate.seconds + rank[id.index()];
            rank[input.index()] = rank[input.index()].max(through);
        }
    }
    rank
}

#[cfg(test)]
mod tests {
    use ablate_pipeline::Estimate;
    use serde_json::json;

    use super::*;

    /// A first stage of 1 s, `count` stages of 10 s that need it, and 1 byte of memory each.
    fn fan(count: u64) -> (Graph, BTreeSet<NodeId>) {
        let mut graph = Graph::new();
        let first = graph.add("text", 1, "text", json!({}), []).unwrap();
        graph.node_mut(first).estimate = Estimate { seconds: 1.0, memory: 1, disk: 0 };
        for n in 0..count {
            let id = graph.add("train", 1, "x", json!({"n": n}), [("text", first)]).unwrap();
            graph.node_mut(id).estimate = Estimate { seconds: 10.0, memory: 1, disk: 0 };
        }
        let all = graph.iter().map(|(id, _)| id).collect();
        (graph, all)
    }

    fn check(count: u64, (jobs, cores, memory): (usize, usize, u64), expect: f64) {
        let (graph, missing) = fan(count);
        let got = wall_seconds(&graph, &missing, Workers { jobs, cores, memory });
        assert!((got - expect).abs() < 1e-9, "{count} on {jobs}: {got} not {expect}");
    }

    #[test]
    fn side_by_side_as_far_as_jobs_cores_and_memory_go() {
        check(4, (1, 1, 100), 41.0);
        check(4, (2, 2, 100), 1.0 / 1.75 + 20.0);
        // The fifth starts when one of two ends, on that one's core.
        check(5, (2, 2, 100), 1.0 / 1.75 + 30.0);
        // Memory for one at a time: the other core stays idle, as both were given one thread.
        check(2, (2, 2, 1), 1.0 / 1.75 + 10.0 + 10.0 / 1.75);
        check(0, (2, 2, 1), 1.0 / 1.75);
    }

    #[test]
    fn those_that_want_all_cores_follow_each_other() {
        let (mut graph, missing) = fan(2);
        for id in missing.iter().skip(1) {
            graph.node_mut(*id).threads = 2;
        }
        let workers = Workers { jobs: 2, cores: 2, memory: 100 };
        let expect = 1.0 / 1.75 + 2.0 * 10.0 / 1.75;
        assert!((wall_seconds(&graph, &missing, workers) - expect).abs() < 1e-9);
    }

    #[test]
    fn what_is_there_takes_no_time() {
        let (graph, mut missing) = fan(2);
        missing.remove(&graph.iter().next().unwrap().0);
        let workers = Workers { jobs: 2, cores: 2, memory: 100 };
        assert!((wall_seconds(&graph, &missing, workers) - 10.0).abs() < 1e-9);
        assert_eq!(wall_seconds(&graph, &BTreeSet::new(), workers), 0.0);
    }
}
