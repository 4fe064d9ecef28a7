//! What can go wrong with a model.

use std::path::PathBuf;

use ablate_cost::ShapeError;

/// Why a model cannot be built, read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The shape is impossible.
    #[error("the model's shape cannot be built: {0}")]
    Shape(#[from] ShapeError),
    /// A constant of the configuration is out of range.
    #[error("the model's `{key}` is {value}, but must be {need}")]
    Config {
        /// Name of the value.
        key: &'static str,
        /// What it is.
        value: String,
        /// What it must be.
        need: &'static str,
    },
    /// The weights lack a tensor.
    #[error(
        "the weights lack the tensor `{name}` (shape {shape:?}): were they saved for another \
         configuration (depth, tied or untied head)?"
    )]
    Missing {
        /// Name of the tensor.
        name: String,
        /// The shape that the configuration asks for.
        shape: Vec<usize>,
    },
    /// The weights hold a tensor that the configuration has no place for.
    #[error(
        "the weights hold the tensor `{name}`, which has no place in this configuration: were they \
         saved for another one (depth, tied or untied head)?"
    )]
    Unexpected {
        /// Name of the tensor.
        name: String,
    },
    /// A tensor has the wrong shape.
    #[error(
        "the tensor `{name}` has the shape {found:?}, but the configuration needs {expected:?}: use \
         the configuration that the weights were saved with"
    )]
    TensorShape {
        /// Name of the tensor.
        name: String,
        /// What the weights have.
        found: Vec<usize>,
        /// What the configuration needs.
        expected: Vec<usize>,
    },
    /// A tensor holds more or fewer values than its shape says.
    #[error(
        "the tensor `{name}` of shape {shape:?} holds {values} values: the weights are damaged"
    )]
    TensorLength {
        /// Name of the tensor.
        name: String,
        /// Its shape.
        shape: Vec<usize>,
        /// How many values it holds.
        values: usize,
    },
    /// A value is infinite or not a number.
    #[error(
        "the tensor `{name}` holds {value} at position {index}: the weights are damaged or come from \
         a training that diverged"
    )]
    NotFinite {
        /// Name of the tensor.
        name: String,
        /// Position in the flat values.
        index: usize,
        /// The value.
        value: f32,
    },
    /// A file cannot be read.
    #[error("cannot read the weights from `{}`: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write the weights to `{}`: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A file is not what it should be.
    #[error(
        "`{}` is not a readable safetensors file ({reason}): it may be cut short or of another \
         format; make it again",
        path.display()
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// What the reader says.
        reason: String,
    },
    /// A file is no model of llama2.c.
    #[error("`{}` is no model of llama2.c: {reason}; fetch it again", path.display())]
    Llama2c {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A model of another maker that cannot be taken.
    #[error("the model in `{}` cannot be used: {reason}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A tensor in a file is not of floats of a size that is read.
    #[error(
        "the tensor `{name}` in `{}` has the type {found}, but only {read} is read: convert the file \
         first",
        path.display()
    )]
    ElementType {
        /// The file.
        path: PathBuf,
        /// Name of the tensor.
        name: String,
        /// Its type.
        found: String,
        /// What would be read.
        read: &'static str,
    },
    /// Weights that cannot be written as a safetensors file.
    #[error("the weights cannot be saved as safetensors: {reason}")]
    Encode {
        /// What the writer says.
        reason: String,
    },
}
