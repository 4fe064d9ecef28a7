//! Studies on a Slurm cluster.
//!
//! The store is the truth; Slurm is a source of machines. What is missing of a graph is cut into
//! [waves](plan), each an array of tasks; a [`Submission`] is their files on disk, which a person can
//! read and submit by hand; [`Slurm`] submits them, asks for the queue and cancels. Every task runs
//! [`make_item`] (or [`drain`], in a worker that takes whatever is next), which believes nothing that
//! Slurm says: it looks for the result, checks its inputs, and holds a lease that a later start of
//! the same task takes over.

mod client;
mod drain;
mod item;
mod plan;
mod queue;
mod script;
mod settings;
mod submission;
mod submit;

pub use client::{Slurm, SlurmError};
pub use drain::{Drained, drain};
pub use item::{ItemExit, make_item};
pub use plan::{Dependency, Wave, plan};
pub use queue::{QueueState, QueuedTask};
pub use script::{Launcher, quoted as shell_word};
pub use settings::{Settings, SettingsError};
pub use submission::{Chunk, LOGS, Place, Submission, WaveFiles, read_item, read_items};
pub use submit::{Submitted, submit};
