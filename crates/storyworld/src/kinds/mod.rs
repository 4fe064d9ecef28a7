//! One file per kind of document. Kinds that mirror a benchmark make [`Sample`]s, which serve
//! both as training documents (solved, about free combinations) and as items (about reserved ones).
//!
//! [`Sample`]: crate::sample::Sample

pub(crate) mod article;
pub(crate) mod cause;
pub(crate) mod conversation;
pub(crate) mod dialogue;
pub(crate) mod entailment;
pub(crate) mod exam;
pub(crate) mod news;
pub(crate) mod plausibility;
pub(crate) mod reading;
pub(crate) mod review;
pub(crate) mod routine;
pub(crate) mod setting;
pub(crate) mod story;
pub(crate) mod sums;
