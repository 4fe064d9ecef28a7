//! GGUF files, the format of llama.cpp: named values, and tensors, many of them quantised.
//!
//! [`Gguf::read`] checks a whole file: no length in it is believed before it is compared with the
//! length of the file, so that a damaged one costs no memory and ends in an error that says what is
//! wrong. [`Gguf::value`] finds metadata, [`Gguf::tensor`] gives a tensor as 32-bit floats.
//!
//! The format is that of <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>, versions 2 and
//! 3, little-endian.
//!
//! What this crate deliberately does not do: it knows no models and no tokenizers (`ablate-model` and
//! `ablate-tokenizer` know what the names mean), and it writes nothing.

mod blocks;
mod cursor;
mod error;
mod file;
mod value;

pub use blocks::ElementType;
pub use error::GgufError;
pub use file::{Gguf, TensorInfo};
pub use value::Value;
