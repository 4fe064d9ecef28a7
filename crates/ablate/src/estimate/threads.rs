//! How many threads a training should have while others wait for cores, tried out on this machine.
//!
//! Two trainings with a thread each get more done than one with two, if both fit into the caches:
//! small models do not fill two cores. Larger ones share what they read, and then it is the other
//! way round. Which it is depends on shape and machine, so both are tried, at most once.

use std::collections::BTreeMap;

use ablate_cost::{Kept, training_memory};
use ablate_pipeline::{NodeId, State, Store};

use super::timings::{Timings, Workload, machine_key};
use super::{Timing, probe};
use crate::commands::say;
use crate::graph::StudyGraph;
use crate::machine::Machine;
use crate::root::Root;
use crate::stages::train;

/// Seconds of training, with one thread, for which it is worth trying a shape out.
const WORTH: f64 = 120.0;
/// More threads for each of fewer workers must gain so much: timings are noisy.
const GAIN: f64 = 1.05;

/// Tells the scheduler how many threads each training should have at least, by what is known of
/// its shape. With [`Timing::Measure`] shapes that the run will spend long on are tried out first.
pub fn prefer(
    built: &mut StudyGraph,
    root: &Root,
    (machine, cores): (&Machine, usize),
    timing: Timing,
) {
    let path = root.threads();
    let place = machine_key(machine);
    let mut known = Timings::<usize>::read(&path).of(&place);
    let mut tried = BTreeMap::new();
    for shape in shapes(built, &root.store()) {
        let workload = Workload::training(&shape.recipe);
        let key = format!("{}, {cores} cores", workload.key());
        let several = shape.missing > 1 && shape.seconds >= WORTH;
        if timing == Timing::Measure && several && !known.contains_key(&key) {
            if tried.is_empty() {
                say("trying out threads for large trainings, some seconds a shape, once");
            }
            let Some(best) = try_out(workload, cores, machine.memory / 2) else { continue };
            known.insert(key.clone(), best);
            tried.insert(key.clone(), best);
        }
        if let Some(threads) = known.get(&key) {
            for id in shape.nodes {
                built.graph.node_mut(id).threads = *threads;
            }
        }
    }
    if !tried.is_empty() {
        Timings::add(&path, &place, &tried);
    }
}

/// The trainings of one shape.
struct ShapeOf {
    recipe: train::Recipe,
    nodes: Vec<NodeId>,
    /// How many of them are not made yet.
    missing: usize,
    /// Seconds of those with one thread.
    seconds: f64,
}

fn shapes(built: &StudyGraph, store: &Store) -> Vec<ShapeOf> {
    let mut shapes: BTreeMap<String, ShapeOf> = BTreeMap::new();
    for (id, node) in built.graph.iter().filter(|(_, node)| node.stage == train::STAGE) {
        let Ok(recipe) = serde_json::from_value::<train::Recipe>(node.recipe.clone()) else {
            continue;
        };
        let key = Workload::training(&recipe).key();
        let shape = shapes.entry(key).or_insert_with(|| ShapeOf {
            recipe,
            nodes: Vec::new(),
            missing: 0,
            seconds: 0.0,
        });
        shape.nodes.push(id);
        if !matches!(store.state(node), Ok(State::Done(_))) {
            shape.missing += 1;
            shape.seconds += node.estimate.seconds;
        }
    }
    shapes.into_values().collect()
}

/// The threads with which workers on all cores get most done together.
fn try_out(workload: Workload<'_>, cores: usize, memory: u64) -> Option<usize> {
    let Workload { model, sequences, .. } = workload;
    let one = training_memory(&model.shape, sequences, model.context, Kept::Activations).total;
    let mut rates = Vec::new();
    for threads in candidates(cores) {
        let workers = cores / threads;
        if one.saturating_mul(workers as u64) <= memory {
            let together = probe::together(workers, threads, |start| probe::rate(workload, start))?;
            rates.push((threads, together.into_iter().sum()));
        }
    }
    best(&rates)
}

/// Powers of two up to the cores, and the cores.
fn candidates(cores: usize) -> Vec<usize> {
    let mut threads: Vec<usize> = std::iter::successors(Some(1), |threads| Some(threads * 2))
        .take_while(|t| *t < cores)
        .collect();
    threads.push(cores.max(1));
    threads
}

/// Of rates by threads, the fewest threads that no more of them beat by much.
fn best(rates: &[(usize, f64)]) -> Option<usize> {
    let (first, rest) = rates.split_first()?;
    let better =
        rest.iter().fold(first, |best, next| if next.1 > best.1 * GAIN { next } else { best });
    Some(better.0)
}

#[cfg(test)]
mod tests {
    use ablate_cost::Shape;
    use ablate_model::ModelConfig;
    use ablate_train::Precision;

    use super::*;

    #[test]
    fn threads_are_tried_up_to_the_cores() {
        assert_eq!(candidates(1), [1]);
        assert_eq!(candidates(2), [1, 2]);
        assert_eq!(candidates(6), [1, 2, 4, 6]);
        assert_eq!(candidates(8), [1, 2, 4, 8]);
    }

    #[test]
    fn more_threads_must_gain() {
        assert_eq!(best(&[(1, 100.0), (2, 80.0)]), Some(1));
        assert_eq!(best(&[(1, 100.0), (2, 104.0)]), Some(1));
        assert_eq!(best(&[(1, 100.0), (2, 120.0), (4, 110.0)]), Some(2));
        // No memory for more than one worker.
        assert_eq!(best(&[(4, 50.0)]), Some(4));
        assert_eq!(best(&[]), None);
    }

    #[test]
    fn a_tiny_shape_is_tried_out() {
        let shape = Shape {
            vocabulary: 300,
            depth: 1,
            width: 32,
            heads: 2,
            kv_heads: 1,
            ffn: 64,
            tied: true,
            pi: Default::default(),
            attention: Default::default(),
            block: Default::default(),
        };
        let model = ModelConfig {
            shape,
            context: 32,
            rope_theta: 10_000.0,
            norm_eps: 1e-5,
            rope_scaling: Default::default(),
        };
        let workload = Workload { model: &model, sequences: 4, precision: Precision::F32 };
        let threads = try_out(workload, 2, u64::MAX).unwrap();
        assert!([1, 2].contains(&threads));
        // Memory for one worker only.
        let one = training_memory(&shape, 4, 32, Kept::Activations).total;
        assert_eq!(try_out(workload, 2, one), Some(2));
    }
}
