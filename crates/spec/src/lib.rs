//! TOML study files: parsed, checked and resolved into variants.
//!
//! [`load`] turns a study file, the files it extends, a profile and `--set` arguments into a
//! [`Study`], or into every error at once, each with its place. On the way:
//!
//! - `tables`, `file`: the file as it is written. Keys, ranges and defaults are stated there
//!   and nowhere else; [`schema`] is derived from them.
//! - `tree`, `layers`, `structure`, `merge`: the documents with the place of every value,
//!   checked against the schema and laid over each other.
//! - `design`, `sections`, `holding`, `lineage`, `claims`, `resolve`: from the merged document
//!   to domain types, each variant complete by itself.
//!
//! This crate never touches the disk (the caller hands it a reader), and it does not know
//! tensors, stages, corpora or which benchmarks there are.

mod alternatives;
mod axes;
mod blame;
mod changes;
mod claims;
mod decoder;
mod defaults;
mod design;
mod diagnostic;
mod expectation;
mod external;
mod file;
mod given;
mod header;
mod hold;
mod holding;
mod layers;
mod lineage;
mod load;
mod merge;
mod naming;
mod points;
#[cfg(test)]
mod reference;
mod reporter;
mod resolve;
mod rounds;
mod sampler;
mod schema;
mod sections;
mod size;
mod skips;
mod structure;
mod study;
mod tables;
mod tree;
mod twins;
mod variant;

pub use diagnostic::{Diagnostic, Failure, Severity, SourceText, render};
pub use expectation::{End, Expectation, Quantity};
pub use external::{External, Externals};
pub use layers::Read;
pub use load::{Loaded, Options, Outline, load, outline};
pub use rounds::*;
pub use schema::schema;
pub use study::*;
pub use variant::*;
