//! Intervals, paired tests, bootstrap, rank correlation and power.
//!
//! Slices of numbers in, estimates out. One question runs through the crate: is variant
//! `a` better than variant `b`, given that both were trained with the same seeds and
//! scored on the same items? [`compare`] answers it for tables; the classical tests beside
//! it are there for claims, appendices and cross-checks.
//!
//! This crate deliberately knows no domain types (no variants, benchmarks or metrics),
//! reads no files and prints nothing. Everything is deterministic: resampling takes a seed
//! and draws from ChaCha8. Empty, non-finite or misshapen input is a [`StatsError`], never
//! a panic and never a silent number.

mod bootstrap;
mod compare;
mod contrast;
mod correlation;
mod differences;
mod error;
mod estimate;
mod mcnemar;
mod multiple;
mod paired;
mod power;
mod resampling;
mod tails;
mod trend;
mod units;

pub use bootstrap::{hierarchical_bootstrap, paired_bootstrap};
pub use compare::{Basis, Comparison, Verdict, compare, compare_at};
pub use contrast::{Contrast, Enough, Target};
pub use correlation::{Correlation, kendall_tau, spearman};
pub use error::StatsError;
pub use estimate::{
    Estimate, Tested, clustered_standard_error, mean_interval, standard_error, wilson,
};
pub use mcnemar::{mcnemar, mcnemar_exact};
pub use multiple::{Adjustment, benjamini_hochberg, holm};
pub use paired::{paired_t, sign_flip};
pub use power::{minimum_detectable_effect, pairs_for_correlation, pairs_for_no_correlation};
pub use trend::{Trend, trend};
pub use units::Units;
