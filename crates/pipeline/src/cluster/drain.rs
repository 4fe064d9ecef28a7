//! A worker that takes whatever is next, until nothing is left that it could do.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::{Duration, Instant};

use super::item::ItemExit;
use crate::graph::Key;
use crate::lease::{Holding, Watcher};
use crate::protocol::Task;
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
            moved = true;
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

fn failure(task: &Task) -> Option<Vec<u8>> {
    fs::read(failed_path(&task.output)).ok()
}
