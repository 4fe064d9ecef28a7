//! The operations a LLaMA-like decoder is made of, as fused forward and backward kernels with
//! plain twins.
//!
//! Every operation exists twice. [`plain`] composes it from burn's own tensor operations: it runs
//! on any backend, and its gradient is derived by burn. The functions at the root of this crate have
//! the same names and signatures; where tensors lie in ordinary memory - the `flex` backend, and
//! libtorch on the CPU with the feature `tch` - they run kernels of this crate, elsewhere they call
//! the plain twin. Tests hold the two together.
//!
//! What the kernels promise: results are bit-identical for any number of threads (a fixed
//! partition of the work, a fixed order of every sum), and nothing of the size `time x time` for a
//! whole batch is ever stored.
//!
//! Tensors are f32. The factors of matrix products may be rounded to bf16 on the way into a product:
//! see [`Precision`].
//!
//! What this crate deliberately does not do: it knows no model, no weights and no optimiser; it
//! draws no random numbers; it keeps no state besides what a backward pass needs.
#![recursion_limit = "256"]

mod allocator;
mod autodiff;
mod buffer;
mod extension;
mod flex;
mod gemm;
mod host;
mod keep;
mod kernel;
mod layer;
mod ops;
pub mod plain;
mod rotary;
mod simd;
#[cfg(feature = "tch")]
mod tch;
mod weights;

pub use allocator::{Matrices, tune_allocator};
pub use gemm::{Abreast, Precision};
pub use keep::Keep;
pub use kernel::adamw::AdamWFactors;
pub use ops::{
    adamw, cached_attention, causal_attention, cross_entropy, embedding, feed_forward,
    head_cross_entropy, linear, rms_norm, rotate, self_attention, siaf, squared_norm, swiglu,
    token_losses,
};
pub use rotary::RotaryTable;
pub use weights::{AttentionWeights, FeedForwardWeights};

/// Lets libtorch use so many threads for what it computes by itself. Without the feature `tch`
/// there is nothing to tell.
pub fn use_threads(threads: usize) {
    #[cfg(feature = "tch")]
    tch::use_threads(threads);
    let _ = threads;
}

/// The GPUs that libtorch finds; none where it was built without CUDA.
#[cfg(feature = "tch")]
pub fn libtorch_gpus() -> usize {
    tch::gpus()
}
