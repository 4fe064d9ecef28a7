//! How long, in what portions and at what rates to train.

use ablate_kernels::{Keep, Precision};
use serde::{Deserialize, Serialize};

use crate::TrainError;

/// The settings of one training run. All but `recompute`, `keep_moments`, `snapshots` and
/// `checkpoint_every` enter the result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainConfig {
    /// Updates of the weights.
    pub steps: u64,
    /// Tokens per sequence.
    pub context: usize,
    /// Sequences per update.
    pub batch_sequences: usize,
    /// Sequences per forward and backward pass; the gradients of one batch are accumulated over
    /// such portions. Bounds memory, and changes results only by rounding.
    pub micro_sequences: usize,
    /// Peak learning rate.
    pub learning_rate: f64,
    /// Last learning rate over the peak.
    pub final_ratio: f64,
    /// Share of the steps in which the learning rate rises.
    pub warmup: f64,
    /// Decoupled weight decay of matrices; norms are not decayed.
    pub weight_decay: f64,
    /// Decay of AdamW's first moment.
    pub beta1: f64,
    /// Decay of AdamW's second moment.
    pub beta2: f64,
    /// Added to the root of AdamW's second moment.
    pub epsilon: f64,
    /// Largest norm of all gradients together; longer gradients are scaled down to it.
    pub clip: f64,
    /// How the factors of matrix products are rounded where gradients are made; validation and
    /// scoring are in f32.
    #[serde(default, skip_serializing_if = "Precision::is_f32")]
    pub precision: Precision,
    /// Whether the backward pass computes activations again instead of keeping them. Does not enter
    /// the result.
    #[serde(skip)]
    pub recompute: bool,
    /// The schedule of which these steps are a part; `None` for one of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
    /// Steps in a row after the warm-up whose loss may be absurd before the run counts as diverged;
    /// 0 for any number. See [`Watch`](crate::Watch).
    #[serde(skip)]
    pub patience: u64,
    /// Whether the outcome holds AdamW's moments. Does not enter the weights.
    #[serde(skip)]
    pub keep_moments: bool,
    /// Steps after which the observer is shown the weights, ascending. Does not enter the result.
    #[serde(skip)]
    pub snapshots: Vec<u64>,
    /// Steps between validations; 0 validates only before the first step and after the last.
    pub validate_every: u64,
    /// Windows of each validation shard that are read, from its start; fewer if it has fewer.
    pub validation_windows: usize,
    /// Steps between checkpoints; 0 writes one only at the end and when stopped. Does not enter
    /// the result.
    pub checkpoint_every: u64,
}

/// A schedule that is longer than the run: the steps of other rounds come before or after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// Steps of the schedule before the run's first.
    pub before: u64,
    /// Steps of the whole schedule.
    pub total: u64,
}

impl TrainConfig {
    /// Checks every value.
    ///
    /// # Errors
    /// [`TrainError::Config`], naming the first value that is out of range.
    pub fn check(&self) -> Result<(), TrainError> {
        let whole = [
            ("steps", self.steps),
            ("context", self.context as u64),
            ("batch_sequences", self.batch_sequences as u64),
            ("micro_sequences", self.micro_sequences as u64),
            ("validation_windows", self.validation_windows as u64),
        ];
        for (key, value) in whole {
            need(value >= 1, key, value, "at least 1")?;
        }
        for (key, value) in [("final_ratio", self.final_ratio), ("warmup", self.warmup)] {
            need((0.0..=1.0).contains(&value), key, value, "between 0 and 1")?;
        }
        for (key, value) in [("beta1", self.beta1), ("beta2", self.beta2)] {
            need((0.0..1.0).contains(&value), key, value, "at least 0 and below 1")?;
        }
        let positive =
            [("learning_rate", self.learning_rate), ("epsilon", self.epsilon), ("clip", self.clip)];
        for (key, value) in positive {
            need(value.is_finite() && value > 0.0, key, value, "a positive number")?;
        }
        if let Some(span) = self.span {
            let (fits, need_words) = (span.before + self.steps <= span.total, "at least the run");
            need(fits, "span.total", span.total, need_words)?;
        }
        let decay = self.weight_decay;
        need(decay.is_finite() && decay >= 0.0, "weight_decay", decay, "0 or a positive number")
    }

    /// Runs `work` with blocks that round and keep what these settings say.
    pub(crate) fn scope<T>(&self, work: impl FnOnce() -> T) -> T {
        let keep = if self.recompute { Keep::Inputs } else { Keep::Activations };
        self.precision.scope(|| keep.scope(work))
    }

    /// Sequences in all updates together: the windows that the order must list.
    pub fn visits(&self) -> u64 {
        self.steps.saturating_mul(self.batch_sequences as u64)
    }

    /// Tokens that one update learns from.
    pub fn batch_tokens(&self) -> u64 {
        self.batch_sequences as u64 * self.context as u64
    }
}

fn need(
    holds: bool,
    key: &'static str,
    value: impl std::fmt::Display,
    need: &'static str,
) -> Result<(), TrainError> {
    if holds { Ok(()) } else { Err(TrainError::Config { key, value: value.to_string(), need }) }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn config() -> TrainConfig {
        TrainConfig {
            steps: 12,
            context: 8,
            batch_sequences: 4,
            micro_sequences: 3,
            learning_rate: 1e-2,
            final_ratio: 0.1,
            warmup: 0.2,
            weight_decay: 0.1,
            beta1: 0.9,
            beta2: 0.95,
            epsilon: 1e-8,
            clip: 1.0,
            precision: Precision::F32,
            recompute: false,
            span: None,
            patience: 0,
            keep_moments: false,
            snapshots: Vec::new(),
            validate_every: 4,
            validation_windows: 5,
            checkpoint_every: 5,
        }
    }

    #[test]
    fn values_out_of_range_are_named() {
        let check = |change: fn(&mut TrainConfig), expect: &str| {
            let mut config = config();
            change(&mut config);
            let error = config.check().unwrap_err().to_string();
            assert!(error.contains(expect), "{error}");
        };
        assert!(config().check().is_ok());
        check(|c| c.steps = 0, "`steps` is 0");
        check(|c| c.micro_sequences = 0, "`micro_sequences` is 0");
        check(|c| c.validation_windows = 0, "`validation_windows` is 0");
        check(|c| c.warmup = 1.5, "`warmup` is 1.5");
        check(|c| c.final_ratio = f64::NAN, "`final_ratio` is NaN");
        check(|c| c.beta2 = 1.0, "`beta2` is 1");
        check(|c| c.learning_rate = 0.0, "`learning_rate` is 0");
        check(|c| c.clip = f64::INFINITY, "`clip` is inf");
        check(|c| c.span = Some(Span { before: 1, total: 12 }), "`span.total` is 12");
        check(|c| c.weight_decay = -0.1, "`weight_decay` is -0.1");
    }
}
