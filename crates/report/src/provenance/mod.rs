//! Where every cell comes from: a file beside each table with, for each cell, the rows, the seeds, the items
//! and the results that it was computed from, and how.
//!
//! [`attribute`] says for every cell of a table what it was computed from; [`TableProvenance`] puts rows,
//! seeds, items and results to that.

mod evidence;
mod file;
mod source;

pub(crate) use evidence::Evidence;
pub(crate) use file::{CellProvenance, TableProvenance};
pub use source::Source;
pub(crate) use source::attribute;

/// The first digits of a blake3, enough to tell contents apart.
pub(crate) fn short(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex()[..16].to_string()
}
