//! Benchmarks as data: definitions, upstream files, prompts, results as others write them.
//!
//! - A [`Definition`] is a TOML file: where the files of a benchmark lie, how they are read, and
//!   what a model is asked. [`SHIPPED`] are the program's; a [`Library`] has the user's as well.
//! - [`import`] reads and checks upstream files, from a folder or an archive, and keeps the records
//!   with their provenance.
//! - [`Imported::ask`] makes items for [`ablate_eval`] of them, with examples before the question.
//! - [`harness`] writes results as lm-evaluation-harness does.
//!
//! This crate knows no models and downloads nothing.

mod definition;
mod error;
mod files;
pub mod harness;
mod import;
mod library;
mod parse;
mod prompt;
mod read;
mod record;
mod template;

pub use definition::{
    Aggregation, Answer, Definition, FileRule, Prompt, Reader, Shots, Values, Way,
};
pub use error::{BenchmarkError, Problem};
pub use import::{Imported, Provenance, import};
pub use library::{Described, Library, SHIPPED};
pub use prompt::{Ask, Question};
pub use record::{FileRead, Record};
pub use template::{Path, Template, TemplateError};
