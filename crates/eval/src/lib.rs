//! Benchmark items in, one result per item and aggregated scores out.
//!
//! - [`read_items`] reads questions from JSON lines and checks every one of them.
//! - [`evaluate`] scores each option of a choice question twice from one forward pass: by the
//!   mean loss of the whole prompt (`ppl`, as OpenCompass does for base models) and by the
//!   log-likelihood of the option given the context (`continuation`, as
//!   lm-evaluation-harness does); questions without options are answered by greedy
//!   generation and scored with ROUGE-1.
//! - [`evaluate_items`] asks items of published benchmarks (those with a [`Form`]) as
//!   lm-evaluation-harness and OpenCompass do: with or without a token before them, several contexts,
//!   greedy match, text until a stop. What prompts have in common is computed once.
//! - [`document_likelihoods`] scores whole documents with a rolling window.
//! - [`scores`] turns results into accuracies with their standard errors and chance levels.
//! - [`layer_skips`] scores without some of the layers, which says how much each matters.
//! - [`bits_per_byte`] measures a shard of held-out text, comparable between tokenizers.
//!
//! Every prompt of [`evaluate`] is preceded by what starts a text of the tokenizer's model: `<|endoftext|>` as in training,
//! unless a model of others has another token for it.
//! Losses are natural logarithms (nats) unless a name says bits.
//!
//! This crate deliberately does not know studies, variants, seeds or stages; it writes no
//! files, compares no models (that is `ablate-stats`) and never prints.

mod aggregate;
mod bits_per_byte;
mod error;
mod evaluate;
mod fingerprint;
mod form;
mod generation;
mod item;
mod losses;
mod outcome;
mod prompt;
mod published;
mod reader;
mod rolling;
mod rouge;
mod score;
mod shared;
mod skips;

pub use aggregate::{METRICS, Score, clustered_error, scores, standard_error};
pub use bits_per_byte::{BitsPerByte, bits_per_byte};
pub use error::EvalError;
pub use evaluate::{EvalOptions, evaluate};
pub use form::Form;
pub use item::{Benchmark, Item, ItemProblem};
pub use outcome::{ItemResult, Scoring};
pub use published::{Manner, Prefix, evaluate_items};
pub use reader::{LineProblem, parse_items, read_items};
pub use rolling::{DocumentLikelihood, DocumentMetrics, document_likelihoods, document_metrics};
pub use rouge::{Rouge, rouge, rouge1};
pub use skips::{LayerSkips, Skip, SkipScores, layer_skips};
