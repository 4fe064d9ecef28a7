//! What Slurm says of its tasks.

use super::submission::Place;

/// What is asked for, the comment last: id, state, reason, nodes, comment.
pub(crate) const FORMAT: &str = "%i|%T|%r|%N|%k";

/// A task as Slurm sees it. It is no proof of anything: the store is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuedTask {
    /// `JOB_INDEX`, or the id of a job that is no array.
    pub id: String,
    /// Where it was submitted from; none of ours where that is not known.
    pub place: Option<Place>,
    /// What it is at.
    pub state: QueueState,
    /// Why it waits, in Slurm's word.
    pub reason: String,
    /// Where it runs.
    pub nodes: String,
}

/// What a task is at, in the words of `status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum QueueState {
    /// It waits for its turn.
    Pending,
    /// It was started before, was lost or interrupted, and waits to be started again.
    Requeued,
    /// It waits for something that will never be: it must be cancelled.
    NeverSatisfied,
    /// It is at work.
    Running,
    /// It ended, by itself and well.
    Ended,
    /// It ended with another exit code than 0.
    Failed,
    /// Its node was lost.
    NodeLost,
    /// It was cancelled.
    Cancelled,
    /// It ran into its time limit.
    TimedOut,
    /// It took too much memory.
    OutOfMemory,
    /// It had to make room.
    Preempted,
}

impl QueueState {
    /// From Slurm's words.
    pub(crate) fn of(state: &str, reason: &str) -> Self {
        match state {
            "PENDING" | "REQUEUED" | "REQUEUE_HOLD" | "REQUEUE_FED" | "SPECIAL_EXIT" => {
                match reason {
                    "DependencyNeverSatisfied" => Self::NeverSatisfied,
                    "BeginTime" => Self::Requeued,
                    _ => Self::Pending,
                }
            }
            "COMPLETED" => Self::Ended,
            "NODE_FAIL" | "BOOT_FAIL" => Self::NodeLost,
            "CANCELLED" | "REVOKED" => Self::Cancelled,
            "TIMEOUT" | "DEADLINE" => Self::TimedOut,
            "OUT_OF_MEMORY" => Self::OutOfMemory,
            "PREEMPTED" => Self::Preempted,
            "FAILED" => Self::Failed,
            // RUNNING, COMPLETING, CONFIGURING, SUSPENDED, RESIZING and what else there will be.
            _ => Self::Running,
        }
    }

    /// Whether it is still to come to an end, and may make something.
    pub fn is_live(self) -> bool {
        matches!(self, Self::Pending | Self::Requeued | Self::Running)
    }

    /// A few words for tables and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Requeued => "requeued",
            Self::NeverSatisfied => "dependency never satisfied",
            Self::Running => "running",
            Self::Ended => "ended",
            Self::Failed => "failed",
            Self::NodeLost => "node lost",
            Self::Cancelled => "cancelled",
            Self::TimedOut => "timed out",
            Self::OutOfMemory => "out of memory",
            Self::Preempted => "preempted",
        }
    }
}

impl QueuedTask {
    /// Id of the job that it belongs to.
    pub fn job(&self) -> &str {
        self.id.split('_').next().unwrap_or(&self.id)
    }
}

/// Reads what `squeue` prints; lines that are not as they should be are left out.
pub(crate) fn parse(text: &str) -> Vec<QueuedTask> {
    let task = |line: &str| {
        let mut parts = line.splitn(5, '|').map(str::trim);
        let (id, state, reason) = (parts.next()?, parts.next()?, parts.next()?);
        let (nodes, comment) = (parts.next()?, parts.next()?);
        let index = id.split_once('_').and_then(|(_, index)| index.parse().ok());
        Some(QueuedTask {
            id: id.to_owned(),
            place: Place::of_comment(comment, index.unwrap_or(0)),
            state: QueueState::of(state, reason),
            reason: reason.to_owned(),
            nodes: nodes.to_owned(),
        })
    };
    text.lines().filter_map(task).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_queue_is_read() {
        let text = "4_0|RUNNING|None|n1|ablate:20260101-120000-ab12:03-train:1000\n\
                    4_1|PENDING|BeginTime||ablate:20260101-120000-ab12:03-train:1000\n\
                    5_0|PENDING|DependencyNeverSatisfied||ablate:20260101-120000-ab12:04-eval:0\n\
                    6|PENDING|Priority||(null)\n\
                    7_2|NODE_FAIL|NonZeroExitCode|n2|something | else\n\
                    nonsense\n";
        let tasks = parse(text);
        assert_eq!(tasks.len(), 5);
        let place = tasks[0].place.as_ref().unwrap();
        assert_eq!((place.wave.as_str(), place.index), ("03-train", 1000));
        assert_eq!(tasks[1].place.as_ref().unwrap().index, 1001);
        let states: Vec<&str> = tasks.iter().map(|task| task.state.word()).collect();
        assert_eq!(
            states,
            ["running", "requeued", "dependency never satisfied", "pending", "node lost"]
        );
        assert_eq!((tasks[3].place.as_ref(), tasks[4].place.as_ref()), (None, None));
        assert_eq!((tasks[4].job(), tasks[3].job()), ("7", "6"));
        assert!(!tasks[2].state.is_live() && tasks[1].state.is_live());
    }

    #[test]
    fn every_state_that_slurm_has_is_known() {
        for state in ["RUNNING", "COMPLETING", "CONFIGURING", "SUSPENDED", "RESIZING"] {
            assert!(QueueState::of(state, "None").is_live(), "{state}");
        }
        let ended = [
            ("COMPLETED", "ended"),
            ("FAILED", "failed"),
            ("TIMEOUT", "timed out"),
            ("CANCELLED", "cancelled"),
            ("OUT_OF_MEMORY", "out of memory"),
            ("PREEMPTED", "preempted"),
        ];
        for (state, word) in ended {
            let state = QueueState::of(state, "None");
            assert!(!state.is_live() && state.word() == word);
        }
    }
}
