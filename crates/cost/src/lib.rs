//! Parameters, floating-point operations, memory and tokens of a model shape.
//!
//! Pure arithmetic, with the source of each formula beside it. This crate does not
//! build models, read files or know what a study is: the `model` crate tests that
//! the modules it builds have exactly the counts given here.

mod compute;
mod memory;
mod shape;

pub use compute::{FlopCount, flops_per_token, generation_flops};
pub use memory::{Kept, MemoryEstimate, training_memory};
pub use shape::{Attention, Block, Parameters, Pi, Shape, ShapeError, ffn_width};
