//! A graph of content-addressed stages, run to completion.
//!
//! A *stage* is a kind of work ("train"), a *node* is one such work with its recipe and its
//! inputs. The key of a node is a hash of what its result depends on and of nothing else, so
//! that equal nodes of any study are made once, and finished ones are found again. Results
//! lie in a [`Store`]; a [`Lease`] says who is making one; each is made by a worker process
//! of its own, which the scheduler starts, watches and outlives.
//!
//! This crate knows nothing about language models, tensors or tables, prints nothing, and
//! reads no environment variables: what a stage does is a function that the worker is given.

mod acceptance;
mod artifact;
mod attempt;
mod canonical;
mod cause;
mod cluster;
mod contents;
mod durable;
mod fields;
mod graph;
mod identity;
mod lease;
mod lost;
mod nearest;
mod owner;
mod process;
mod protocol;
#[cfg(test)]
mod sample;
mod scheduler;
mod space;
mod store;
mod survey;
mod worker;

pub use acceptance::{AcceptError, Acceptance, Accepted, Testimony};
pub use artifact::{Artifact, FileRecord};
pub use canonical::{CanonicalError, canonical_json};
pub use cause::Cause;
pub use cluster::{
    Chunk, Dependency, Drained, ItemExit, LOGS, Launcher, Place, QueueState, QueuedTask, Settings,
    SettingsError, Slurm, SlurmError, Submission, Submitted, Wave, WaveFiles, drain, make_item,
    plan, read_item, read_items, shell_word, submit,
};
pub use contents::{Entry, Kind};
pub use durable::write_atomic;
pub use fields::{Change, changes, fields};
pub use graph::{Estimate, Graph, GraphError, Key, Node, NodeId};
pub use identity::Identity;
pub use lease::{Holding, Lease, LeaseError, SILENCE, Sign, Watcher};
pub use lost::{LostWorker, record_end};
pub use nearest::{Distances, Mismatch, Nearest, Records};
pub use owner::{Claim, Owner};
pub use process::{Launch, WorkerCommand, unexpected_end};
pub use protocol::{Failure, FailureKind, Message, Progress, Task};
pub use scheduler::{Event, Outcome, RunOptions, Summary, run};
pub use space::free_space;
pub use store::{State, Store, StoreError};
pub use survey::{Survey, failed_chains, survey};
pub use worker::{Context, HOST, Say, Work, WorkerExit, perform, serve, watch_launcher};
