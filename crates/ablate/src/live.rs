//! Trainings that can be followed while they go on.
//!
//! ```text
//! data/store/live/train-<name>-<key12>/            a training, whoever wants it, wherever it runs
//!   metrics.jsonl                                  an object for every step and validation so far
//!   events.out.tfevents.<seconds>.<host>.<pid>     the same for TensorBoard, a file for every start
//! data/live/<study>/<variant>/seed-<n>             a link to the training (its only round)
//! data/live/<study>/<variant>/seed-<n>/round-<r>   a link to a round, where there are several
//! data/live/<study>/parents/<name>                 the same for a parent
//! data/live/<study>/<variant>/masks                a link to the masks that its first weights were cut by
//! ```
//!
//! None of it is a result, and nothing depends on it: a training whose feed cannot be written goes on,
//! and a feed that is gone is written again from the metrics of the training.

mod curve;
mod feed;
mod layout;
mod look;
mod table;

pub use feed::{Feed, lines};
pub use layout::{lay_out, sweep};
pub use look::{Follower, Look, Series, StudyState};
pub use table::Room;
