//! What can be wrong with a GGUF file.

use std::path::PathBuf;

/// Why a GGUF file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GgufError {
    /// The system refused the file.
    #[error("cannot read `{}`: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// Something else than a GGUF file.
    #[error("it does not start with `GGUF`: it is no GGUF file")]
    Magic,
    /// A version that is not read.
    #[error(
        "it is GGUF of version {version}, but only versions 2 and 3 (little-endian) are read: convert it anew"
    )]
    Version {
        /// The version.
        version: u32,
    },
    /// The file ends early.
    #[error("it ends at byte {length}, before the end of {what}: it was cut short; fetch it again")]
    Cut {
        /// Bytes of the file.
        length: usize,
        /// What is not whole.
        what: String,
    },
    /// A text that is no UTF-8.
    #[error("{what} is no UTF-8: the file is damaged; fetch it again")]
    Text {
        /// Which text.
        what: String,
    },
    /// A value of an unknown kind.
    #[error(
        "{what} is of kind {kind}, which GGUF does not have: the file is damaged; fetch it again"
    )]
    Kind {
        /// Which value.
        what: String,
        /// The number of the kind.
        kind: u32,
    },
    /// Lists in lists in lists.
    #[error("{what} is a list in a list in a list, and deeper: the file is damaged")]
    Depth {
        /// Which value.
        what: String,
    },
    /// A name that is there twice.
    #[error("{what} is there twice: the file is damaged")]
    Twice {
        /// Which value or tensor.
        what: String,
    },
    /// An impossible alignment of tensors.
    #[error("`general.alignment` is {value}, but must be a power of two of 8 to 65536")]
    Alignment {
        /// What it is.
        value: String,
    },
    /// A tensor of impossible axes.
    #[error(
        "the tensor `{name}` has {found}, but must have one to four axes of at least 1, and fewer values than fit into memory"
    )]
    Axes {
        /// The tensor.
        name: String,
        /// Its axes.
        found: String,
    },
    /// A tensor of a kind of numbers that is not read.
    #[error(
        "the tensor `{name}` is of the type {found}, but only F32, F16, BF16, Q8_0, Q4_0 and Q4_1 are \
         read: convert the model to one of these (llama.cpp's `llama-quantize --allow-requantize`)"
    )]
    Element {
        /// The tensor.
        name: String,
        /// Its type, by name where it is known.
        found: String,
    },
    /// Rows that are no whole blocks.
    #[error(
        "the rows of the tensor `{name}` have {columns} values, which are no whole blocks of {block}: the file is damaged"
    )]
    Blocks {
        /// The tensor.
        name: String,
        /// Values of a row.
        columns: usize,
        /// Values of a block.
        block: usize,
    },
    /// A tensor that lies outside the file.
    #[error(
        "the tensor `{name}` takes {bytes} bytes from byte {start} on, but the file has {length}: it \
         was cut short; fetch it again"
    )]
    Outside {
        /// The tensor.
        name: String,
        /// Where it starts.
        start: u64,
        /// Bytes that it takes.
        bytes: u64,
        /// Bytes of the file.
        length: usize,
    },
    /// A tensor that does not start where the one before it ends.
    #[error(
        "the tensor `{name}` starts at byte {offset} of the tensors instead of {expected}: the file is damaged"
    )]
    Misplaced {
        /// The tensor.
        name: String,
        /// Where it starts.
        offset: u64,
        /// Where the one before it ends, and padding.
        expected: u64,
    },
}
