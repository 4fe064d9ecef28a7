//! A worker that takes whatever is next, until nothing is left that it could do.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::{Duration, Instant};

use super::item::ItemExit;
use crate::cause::Cause;
use crate::graph::Key;
use crate::lease::{Holding, Watcher};
use crate::protocol::{Failure, Task};
use crate::store::{failed_path, lease_path};

/// Pause before looking again at what others are at work on.
const PAUSE: Duration = Duration::from_millis(500);

/// What a worker leaves behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drained {
    /// Items with a result, by whoever.
    pub done: usize,
    /// Indices of items that failed, here or elsewhere, while it was at work.
    pub failed: Vec<usize>,
    /// Indices of items that need something that is not there and that nobody makes.
    pub blocked: Vec<usize>,
    /// Whether it was asked to stop.
    pub stopped: bool,
}

/// Does what is ready and not taken, one item after another, beside any number of others. `start` is
/// where it begins to look, so that workers do not all run after the same item. `make` makes one and
/// says how that ended; `stopping` says whether to stop.
pub fn drain(
    tasks: &[Task],
    start: usize,
    stopping: &dyn Fn() -> bool,
    make: &mut dyn FnMut(usize) -> ItemExit,
) -> Drained {
    let makers: BTreeMap<&Key, usize> =
        tasks.iter().enumerate().map(|(index, task)| (&task.key, index)).collect();
    // What had failed before is tried again; what fails from now on, by whomever, is not.
    let before: Vec<Option<Vec<u8>>> = tasks.iter().map(failure).collect();
    let mut open: BTreeSet<usize> = (0..tasks.len()).collect();
    let mut drained = Drained::default();
    let mut lost: BTreeSet<usize> = BTreeSet::new();
    let mut watcher = Watcher::new();
    while !open.is_empty() {
        let (mut moved, mut others) = (false, false);
        let turn = (0..tasks.len()).map(|index| (index + start) % tasks.len());
        for index in turn {
            if stopping() {
                drained.stopped = true;
                return drained;
            }
            if !open.contains(&index) {
                continue;
            }
            let task = &tasks[index];
            if task.is_done() {
                drained.done += 1;
                (moved, _) = (true, open.remove(&index));
                continue;
            }
            let inputs = task.input_keys.values().filter_map(|key| makers.get(key));
            if inputs.clone().any(|maker| lost.contains(maker)) {
                drained.blocked.push(index);
                lost.insert(index);
                (moved, _) = (true, open.remove(&index));
                continue;
            }
            if task.missing_input().is_some() {
                continue;
            }
            if let Holding::Held(..) = watcher.look(&lease_path(&task.output), Instant::now()) {
                others = true;
                continue;
            }
            let exit = match failure(task) {
                Some(now) if before[index].as_ref() != Some(&now) => ItemExit::Failed,
                _ => make(index),
            };
            // Of what another has taken, or the machine could not do, more is known after a pause.
            moved |= exit != ItemExit::Lost;
            others |= exit == ItemExit::Lost;
            match exit {
                ItemExit::Done => {
                    drained.done += 1;
                    open.remove(&index);
                }
                ItemExit::Failed => {
                    drained.failed.push(index);
                    lost.insert(index);
                    open.remove(&index);
                }
                ItemExit::Stopped => {
                    drained.stopped = true;
                    return drained;
                }
                ItemExit::Lost => {}
                // An input was damaged, is set aside and is to be made again.
                ItemExit::MissingInput => {
                    let makers = task.input_keys.values().filter_map(|key| makers.get(key));
                    for &maker in makers.filter(|maker| !tasks[**maker].is_done()) {
                        if !lost.contains(&maker) && open.insert(maker) {
                            drained.done -= 1;
                        }
                    }
                    if task.missing_input().is_none() {
                        // It is there, and can neither be read nor be set aside.
                        drained.failed.push(index);
                        lost.insert(index);
                        open.remove(&index);
                    }
                }
            }
        }
        if moved {
            continue;
        }
        if !others {
            // Nobody makes what the rest waits for.
            drained.blocked.extend(open);
            break;
        }
        std::thread::sleep(PAUSE);
    }
    drained
}

/// What is on record of a task; that a worker was lost tells nothing of the task itself.
fn failure(task: &Task) -> Option<Vec<u8>> {
    let record = fs::read(failed_path(&task.output)).ok()?;
    let lost = serde_json::from_slice::<Failure>(&record)
        .is_ok_and(|failure| failure.cause == Some(Cause::WorkerLost));
    (!lost).then_some(record)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::path::Path;

    use serde_json::json;

    use super::*;
    use crate::artifact::Artifact;
    use crate::graph::Graph;
    use crate::protocol::FailureKind;
    use crate::store::Store;

    /// Two chains of two, and one that needs both ends.
    fn tasks(root: &Path) -> Vec<Task> {
        let mut graph = Graph::new();
        let mut add = |n: u32, inputs: &[(&'static str, crate::graph::NodeId)]| {
            graph.add("text", 1, "node", json!({ "n": n }), inputs.iter().copied()).unwrap()
        };
        let (a, b) = (add(0, &[]), add(1, &[]));
        let (c, d) = (add(2, &[("first", a)]), add(3, &[("first", b)]));
        add(4, &[("first", c), ("second", d)]);
        let store = Store::new(root);
        let ids: Vec<_> = graph.iter().map(|(id, _)| id).collect();
        ids.into_iter().map(|id| Task::in_store(&graph, &store, id)).collect()
    }

    fn finish(task: &Task) {
        fs::create_dir_all(&task.output).unwrap();
        let record = json!({
            "key": task.key, "stage": task.stage, "name": task.name, "version": 1,
            "recipe": task.recipe, "inputs": task.input_keys, "files": [],
            "finished": "2026-01-01T00:00:00Z", "seconds": 1.0, "execution": null
        });
        let record: Artifact = serde_json::from_value(record).unwrap();
        record.write(&task.output).unwrap();
    }

    fn fail(task: &Task) {
        let failure = Failure::new(FailureKind::Outcome, "diverged");
        let path = failed_path(&task.output);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, serde_json::to_vec(&failure).unwrap()).unwrap();
    }

    #[test]
    fn what_is_ready_is_made_in_any_order_and_once() {
        for start in 0..5 {
            let root = tempfile::tempdir().unwrap();
            let tasks = tasks(root.path());
            let made = RefCell::new(Vec::new());
            let drained = drain(&tasks, start, &|| false, &mut |index| {
                assert!(tasks[index].missing_input().is_none());
                finish(&tasks[index]);
                made.borrow_mut().push(index);
                ItemExit::Done
            });
            assert_eq!((drained.done, drained.failed.len()), (5, 0));
            let mut made = made.into_inner();
            assert_eq!(made.last(), Some(&4));
            made.sort_unstable();
            assert_eq!(made, [0, 1, 2, 3, 4]);
        }
    }

    #[test]
    fn a_failure_costs_what_needs_it_and_others_failures_are_known() {
        let root = tempfile::tempdir().unwrap();
        let tasks = tasks(root.path());
        // It failed before this worker began: that is tried again.
        fail(&tasks[0]);
        let drained = drain(&tasks, 0, &|| false, &mut |index| {
            if index == 0 {
                // Meanwhile another worker fails at the second, with other words.
                fs::write(failed_path(&tasks[1].output), "elsewhere").unwrap();
            }
            finish(&tasks[index]);
            ItemExit::Done
        });
        assert_eq!((drained.done, drained.failed), (2, vec![1]));
        assert_eq!(drained.blocked, [3, 4]);
        assert!(!drained.stopped);
    }

    #[test]
    fn a_damaged_input_is_made_again_and_a_stop_is_heeded() {
        let root = tempfile::tempdir().unwrap();
        let tasks = tasks(root.path());
        let mut damaged = false;
        let drained = drain(&tasks, 0, &|| false, &mut |index| {
            if index == 2 && !std::mem::replace(&mut damaged, true) {
                fs::remove_dir_all(&tasks[0].output).unwrap();
                return ItemExit::MissingInput;
            }
            finish(&tasks[index]);
            ItemExit::Done
        });
        assert_eq!((drained.done, drained.blocked.len()), (5, 0));
        fs::remove_dir_all(&tasks[4].output).unwrap();
        let stopped = drain(&tasks, 0, &|| true, &mut |_| ItemExit::Done);
        assert!(stopped.stopped && stopped.done == 0);
    }
}
