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

mod artifact;
mod canonical;
mod durable;
mod graph;
mod lease;
mod process;
mod protocol;
mod scheduler;
mod store;
mod worker;

pub use artifact::{Artifact, FileRecord};
pub use canonical::{CanonicalError, canonical_json};
pub use durable::write_atomic;
pub use graph::{Estimate, Graph, GraphError, Key, Node, NodeId};
pub use lease::{Lease, LeaseError, Owner};
pub use process::{Launch, WorkerCommand};
pub use protocol::{Failure, FailureKind, Message, Progress, Task};
pub use scheduler::{Event, Outcome, RunOptions, Summary, run};
pub use store::{State, Store, StoreError};
pub use worker::{Context, WorkerExit, serve};
