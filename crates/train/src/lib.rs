//! Training: one loop over an explicit state, the optimiser, the schedule, checkpoints, validation,
//! the choice of batches for a further round, and what of a trained model matters: [`saliency`] of
//! weights, learned [`masks`].
//!
//! Read [`train()`] first. Everything that a run carries from one step to the next is in [`State`],
//! and a checkpoint is exactly that, so a run that is killed at any moment and started again ends
//! with the same bytes as an undisturbed one (on a deterministic backend such as flex). What the
//! caller wants to see on the way goes through [`Observer`].
//!
//! What this crate deliberately does not do: it prints nothing and writes no metrics file, knows
//! no benchmark, no study and no tokenizer, counts no FLOPs, and never reads the clock except to
//! report tokens per second.

mod adamw;
mod batch;
mod checkpoint;
mod config;
mod data;
mod draw;
mod error;
mod importance;
mod initial;
mod keeper;
mod ledger;
pub mod masks;
mod metrics;
mod observer;
mod parts;
mod points;
mod replicas;
pub mod rounds;
mod schedule;
mod state;
mod step;
mod train;
mod validation;
mod watch;

pub use ablate_kernels::Precision;

pub use checkpoint::Checkpoints;
pub use config::{Span, TrainConfig};
pub use data::TrainData;
pub use error::TrainError;
pub use importance::{Portions, Saliency, saliency};
pub use initial::{Initial, Moments};
pub use metrics::truncate_metrics;
pub use observer::{Observer, StepRecord, ValidationRecord};
pub use parts::part_ranges;
pub use points::point_steps;
pub use schedule::Schedule;
pub use state::State;
pub use train::{Outcome, train};
pub use watch::Watch;
