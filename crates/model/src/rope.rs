//! Frequencies of rotary positions, and how models of longer contexts stretch them.

use std::f64::consts::TAU;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::ModelError;

/// How the frequencies `theta^(-2 i / head_dim)` were changed for a context longer than the one that
/// was trained first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum RopeScaling {
    /// Not at all.
    #[default]
    None,
    /// All divided by a factor (Chen et al. 2023, position interpolation, arXiv:2306.15595).
    Linear {
        /// The factor.
        factor: f64,
    },
    /// As in Llama 3.1: long waves are divided by the factor, short ones stay, those between are
    /// mixed. A wave is long or short by how often it fits into the original context.
    Llama3 {
        /// The factor of long waves.
        factor: f64,
        /// Waves that fit less often are long.
        low_freq_factor: f64,
        /// Waves that fit more often are short.
        high_freq_factor: f64,
        /// The context that was trained first, in tokens.
        original_context: usize,
    },
    /// As they are, but of the first channels of a head only; the others are not turned (Phi). The
    /// frequencies are those of a head of so many channels.
    Partial {
        /// Channels that are turned.
        channels: usize,
    },
    /// Each divided by a number of its own, as GGUF files write them down.
    Divisors {
        /// One for each pair of channels of a head.
        divisors: Vec<f64>,
    },
}

impl RopeScaling {
    /// Whether nothing is changed. Files leave it out then.
    pub fn is_none(&self) -> bool {
        *self == Self::None
    }

    /// The value of `rope_scaling` in a `config.json`; none without scaling. Divisors have a kind that
    /// `transformers` does not know, so that they are not left out in silence.
    pub(crate) fn hugging_face(&self) -> Option<Value> {
        match self {
            Self::None => None,
            Self::Linear { factor } => Some(json!({ "rope_type": "linear", "factor": factor })),
            Self::Llama3 { factor, low_freq_factor, high_freq_factor, original_context } => {
                Some(json!({
                    "rope_type": "llama3",
                    "factor": factor,
                    "low_freq_factor": low_freq_factor,
                    "high_freq_factor": high_freq_factor,
                    "original_max_position_embeddings": original_context,
                }))
            }
            Self::Partial { channels } => {
                Some(json!({ "rope_type": "ablate_partial", "channels": channels }))
            }
            Self::Divisors { divisors } => {
                Some(json!({ "rope_type": "ablate_divisors", "divisors": divisors }))
            }
        }
    }

    /// Checks that all frequencies are numbers.
    pub(crate) fn check(&self, head_dim: usize) -> Result<(), ModelError> {
        let positive = |number: f64| number.is_finite() && number > 0.0;
        let wrong =
            |value: String, need| Err(ModelError::Config { key: "rope_scaling", value, need });
        match self {
            Self::None => Ok(()),
            Self::Linear { factor } if positive(*factor) => Ok(()),
            Self::Linear { factor } => wrong(factor.to_string(), "a positive factor"),
            Self::Llama3 { factor, low_freq_factor, high_freq_factor, original_context } => {
                let all = [*factor, *low_freq_factor, *high_freq_factor];
                if !all.into_iter().all(positive) || *original_context == 0 {
                    let value = format!("{all:?} of {original_context} tokens");
                    return wrong(value, "three positive factors of a context");
                }
                if high_freq_factor <= low_freq_factor {
                    let value = format!("from {low_freq_factor} to {high_freq_factor}");
                    return wrong(value, "from a `low_freq_factor` to a larger `high_freq_factor`");
                }
                Ok(())
            }
            Self::Partial { channels }
                if (2..=head_dim).contains(channels) && channels.is_multiple_of(2) =>
            {
                Ok(())
            }
            Self::Partial { channels } => {
                wrong(format!("of {channels} channels"), "an even part of a head's channels")
            }
            Self::Divisors { divisors } => {
                if divisors.len() != head_dim / 2 {
                    let value = format!("{} divisors", divisors.len());
                    return wrong(value, "one divisor for every pair of channels of a head");
                }
                match divisors.iter().find(|divisor| !positive(**divisor)) {
                    Some(divisor) => wrong(divisor.to_string(), "made of positive divisors"),
                    None => Ok(()),
                }
            }
        }
    }

    /// The angle between two positions for every pair of channels of a head.
    pub fn frequencies(&self, head_dim: usize, theta: f64) -> Vec<f64> {
        let plain =
            (0..head_dim / 2).map(|channel| theta.powf(-2.0 * channel as f64 / head_dim as f64));
        match self {
            Self::None => plain.collect(),
            Self::Linear { factor } => plain.map(|frequency| frequency / factor).collect(),
            Self::Llama3 { factor, low_freq_factor, high_freq_factor, original_context } => {
                let (low, high) = (*low_freq_factor, *high_freq_factor);
                let stretch = |frequency: f64| {
                    let fits = *original_context as f64 * frequency / TAU;
                    let kept = ((fits - low) / (high - low)).clamp(0.0, 1.0);
                    frequency * (kept + (1.0 - kept) / factor)
                };
                plain.map(stretch).collect()
            }
            Self::Partial { channels } => {
                let turned = Self::None.frequencies(*channels, theta);
                turned.into_iter().chain(std::iter::repeat(0.0)).take(head_dim / 2).collect()
            }
            Self::Divisors { divisors } => {
                plain.zip(divisors).map(|(frequency, divisor)| frequency / divisor).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequencies_of_llama_3() {
        // transformers.modeling_rope_utils.ROPE_INIT_FUNCTIONS["llama3"] with the parameters of
        // Llama-3.2-1B (head_dim 64, theta 500000).
        let scaling = RopeScaling::Llama3 {
            factor: 32.0,
            low_freq_factor: 1.0,
            high_freq_factor: 4.0,
            original_context: 8192,
        };
        let found = scaling.frequencies(64, 500_000.0);
        let plain = RopeScaling::None.frequencies(64, 500_000.0);
        assert_eq!(found[..15], plain[..15]);
        for (at, expected) in LLAMA3 {
            assert!((found[at] / expected - 1.0).abs() < 1e-5, "{at}: {} {expected}", found[at]);
        }
        assert_eq!(found[31], plain[31] / 32.0);
        let divisors = plain.iter().zip(&found).map(|(plain, found)| plain / found).collect();
        let written = RopeScaling::Divisors { divisors };
        for (a, b) in written.frequencies(64, 500_000.0).iter().zip(&found) {
            assert!((a / b - 1.0).abs() < 1e-12);
        }
        let linear = RopeScaling::Linear { factor: 4.0 }.frequencies(64, 500_000.0);
        assert_eq!(linear[3], plain[3] / 4.0);
    }

    const LLAMA3: [(usize, f64); 5] = [
        (14, 0.0032114461064338684),
        (15, 0.0012905480107292533),
        (16, 0.000429556705057621),
        (17, 9.708286233944818e-05),
        (18, 1.9461638657958247e-05),
    ];

    #[test]
    fn impossible_scalings_are_named() {
        let check = |scaling: RopeScaling, words: &str| {
            let error = scaling.check(8).unwrap_err().to_string();
            assert!(error.contains("`rope_scaling`") && error.contains(words), "{error}");
        };
        check(RopeScaling::Linear { factor: 0.0 }, "is 0");
        check(RopeScaling::Linear { factor: f64::NAN }, "NaN");
        check(RopeScaling::Divisors { divisors: vec![1.0; 3] }, "3 divisors");
        check(RopeScaling::Divisors { divisors: vec![1.0, 1.0, -1.0, 1.0] }, "-1");
        let llama = |low, high, context| RopeScaling::Llama3 {
            factor: 8.0,
            low_freq_factor: low,
            high_freq_factor: high,
            original_context: context,
        };
        check(llama(4.0, 1.0, 64), "larger `high_freq_factor`");
        check(llama(1.0, 4.0, 0), "of 0 tokens");
        assert!(llama(1.0, 4.0, 64).check(8).is_ok());
        for channels in [0, 3, 10] {
            check(RopeScaling::Partial { channels }, "even part");
        }
        let partial = RopeScaling::Partial { channels: 4 };
        assert!(partial.check(8).is_ok());
        assert_eq!(partial.frequencies(8, 1e4), [1.0, 0.01, 0.0, 0.0]);
    }
}
