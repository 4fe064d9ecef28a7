//! Text in, token shards out: readers, splits, shards and the order of batches.
//!
//! Data flows through this crate in two halves.
//!
//! 1. **Text**: [`read_files`] streams cleaned [`Document`]s from txt, jsonl and parquet files;
//!    [`HoldOut`] sets validation text apart by a hash of the text; [`Mix`] interleaves sources
//!    by weight up to a byte budget.
//! 2. **Tokens**: [`ShardWriter`] stores the documents' tokens in one file, [`Shard`] maps that
//!    file into memory, [`Windows`] cuts it into training sequences and [`order()`] says in which
//!    order they are visited.
//!
//! What it deliberately does not do: it knows neither tokenizers nor models (tokens are plain
//! `u32`), it repairs no broken text (invalid UTF-8 is an error with its place, never replaced),
//! and it finds no near duplicates.

mod clean;
mod document;
mod error;
mod hold_out;
mod jsonl;
mod lines;
mod mix;
mod order;
mod parquet_column;
mod paths;
mod read;
mod shard;
mod shard_format;
mod shard_writer;
mod text;
mod token_bytes;
mod windows;

pub use clean::clean;
pub use document::{Document, DocumentSplit, FileSource};
pub use error::CorpusError;
pub use hold_out::{HeldOut, HoldOut, is_validation, text_hash};
pub use mix::{Mix, MixSource, SourceShare};
pub use order::order;
pub use paths::expand;
pub use read::{Documents, read_files};
pub use shard::Shard;
pub use shard_format::ShardInfo;
pub use shard_writer::ShardWriter;
pub use token_bytes::TokenBytes;
pub use windows::Windows;
