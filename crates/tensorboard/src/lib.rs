//! TensorBoard's event files: scalars by tag and step, written while something runs.
//!
//! An event file is a file of *records* (TensorFlow's `TFRecord`), each of which holds an *event*: a
//! protocol buffer with a time, a step and, here, scalars. All event files of a folder are one run to
//! TensorBoard, read in the order of their names. Whoever goes on with a run writes a file of its own that
//! says from which step on everything before is void ([`EventFile::restart`]).
//!
//! This crate knows nothing about what is measured, and reads no clock: times are given.

mod crc;
mod event;
mod file;
mod record;

pub use event::Event;
pub use file::{EventFile, event_files};
pub use record::record;
