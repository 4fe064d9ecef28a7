//! The LLaMA-like decoder (with additions of PanGu-π and of other families, if asked for):
//! configuration, weights on the host, initialisers, forward pass, greedy generation.
//!
//! Read [`Decoder`] first: it is the whole forward pass in one file. [`Weights`] are the same
//! parameters as plain numbers under Hugging Face names, which is how models are initialised, cut,
//! stored and compared. [`Place`] says where each tensor sits. An optimiser works through
//! [`Decoder::gradients`] and [`Decoder::update`]; [`Decoder::replica`] puts copies on other devices. [`Units`] are what can be cut out of a decoder;
//! [`Decoder::masked`] multiplies each by a mask, and [`fold`] puts masks into the weights.
//!
//! [`read_hugging_face`], [`read_gguf`] and [`read_llama2c`] take models of other makers.
//!
//! What this crate deliberately does not do: it trains nothing, holds no optimiser, knows no text
//! and no tokenizer, and has not heard of studies. Its operations come from `ablate-kernels`, its
//! parameter counts from `ablate-cost`.

mod config;
mod decoder;
mod device;
mod error;
mod foreign;
mod generate;
mod gradients;
mod host;
mod init;
mod layout;
mod llama2c;
mod pi;
mod pickle;
mod place;
mod replica;
mod rope;
mod safetensors;
mod skip;
mod spread;
mod units;
mod update;
mod weights;

pub use config::ModelConfig;
pub use decoder::{Biases, Decoder, Layer, LlamaLayer, MaskedDecoder, PhiLayer, fold};
pub use device::{
    Backend, MissingDevice, UnknownBackend, device, training_device, training_devices, use_threads,
};
pub use error::ModelError;
pub use foreign::{Foreign, read_gguf, read_hugging_face};
pub use generate::{Cache, GenerateOptions, generate, generate_batch};
pub use gradients::{Gradient, ParameterGradients};
pub use host::HostTensor;
pub use init::{Scheme, random_weights};
pub use layout::{matrix_from_host, matrix_to_host, vector_from_host, vector_to_host};
pub use llama2c::read_llama2c;
pub use pi::{Activation, Shortcut};
pub use place::{Part, Place, places};
pub use rope::RopeScaling;
pub use spread::{Spread, spreads};
pub use units::Units;
pub use update::ParameterMap;
pub use weights::Weights;
