//! Parameter inheritance: a smaller model's first weights, cut out of a trained larger one.
//!
//! Two stages, as in PanGu-π Pro (section 3.4): [`select_layers`] keeps the first and last layers
//! and thins out the middle; [`inherit`] then keeps, in those layers, the hidden channels, heads and
//! feed-forward channels that score highest, and the rows of the vocabulary that the child knows.
//! Channels that are coupled are kept or dropped together, in the manner of LLM-Pruner (Ma et al.
//! 2023, arXiv:2305.11627). The [`InheritanceMap`] records where every tensor came from.
//!
//! Everything here is arithmetic on [`Weights`](ablate_model::Weights) on the host.
//!
//! What this crate deliberately does not do: it runs no model and computes no gradients (scores that
//! need a model to run, by [`taylor`] expansion or by learned masks, start from what others computed:
//! `ablate-train`'s `saliency` and `masks`); it copies values as they are and rescales nothing (dropping hidden channels therefore changes what RMSNorm
//! divides by; training has to adapt, as in the works cited); it does not decide how deep or wide
//! the child should be.

mod cut;
mod error;
mod layers;
mod map;
mod scores;
mod select;

pub use cut::{check_sizes, inherit};
pub use error::{Dimension, InheritError};
pub use layers::{Middle, select_layers};
pub use map::{Axis, InheritanceMap, TensorOrigin};
pub use scores::{Norm, magnitudes, taylor};
pub use select::{Grouping, WidthCriterion};
