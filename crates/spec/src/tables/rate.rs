//! `train.learning_rate` as it is written: a number, or a rule that follows the batch size.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::size::Count;

/// A learning rate.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[serde(untagged)]
pub(crate) enum LearningRate {
    /// As it is.
    Number(f64),
    /// By the batch size.
    Rule(RateRule),
}

/// `base * (batch_tokens / batch)^power`.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RateRule {
    /// Learning rate at `batch` tokens; required.
    pub(crate) base: Option<f64>,
    /// Tokens per step that `base` is meant for; required.
    pub(crate) batch: Option<Count>,
    /// 0 is no scaling, 0.5 the square root, 1 linear.
    #[serde(default = "square_root")]
    pub(crate) power: f64,
}

/// The rule that the paper recommends for large batches, and the one that keeps AdamW's dynamics
/// (Malladi et al. 2022, arXiv:2205.10287).
fn square_root() -> f64 {
    0.5
}

impl RateRule {
    /// The learning rate at a batch size.
    pub(crate) fn at(base: f64, batch: u64, power: f64, batch_tokens: u64) -> f64 {
        if batch == batch_tokens {
            return base;
        }
        base * (batch_tokens as f64 / batch as f64).powf(power)
    }
}

impl JsonSchema for LearningRate {
    fn schema_name() -> Cow<'static, str> {
        "LearningRate".into()
    }

    fn inline_schema() -> bool {
        true
    }

    // A number and a table in one: the limits of a number say nothing of a table, and the other way
    // round.
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["number", "object"],
            "exclusiveMinimum": 0,
            "additionalProperties": false,
            "properties": {
                "base": {
                    "description": "Learning rate at `batch` tokens; required.",
                    "type": "number",
                    "exclusiveMinimum": 0,
                },
                "batch": generator.subschema_for::<Positive>(),
                "power": {
                    "description": "0 is no scaling, 0.5 the square root, 1 linear.",
                    "type": "number",
                    "minimum": -10,
                    "maximum": 10,
                    "default": square_root(),
                },
            },
        })
    }
}

/// A count of at least one, with its words.
struct Positive;

impl JsonSchema for Positive {
    fn schema_name() -> Cow<'static, str> {
        "Positive".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = generator.subschema_for::<Count>();
        schema.insert(
            "description".into(),
            "Tokens per step that `base` is meant for; required.".into(),
        );
        schema.insert("minimum".into(), 1.into());
        schema
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The paper's table of learning rates (its section on batch sizes): 1M to 32M tokens.
    #[test]
    fn rates_of_the_paper() {
        let check = |power: f64, expect: [f64; 6]| {
            for (step, expect) in expect.into_iter().enumerate() {
                let rate = RateRule::at(1e-4, 1_000_000, power, 1_000_000 << step);
                assert!((rate / expect - 1.0).abs() < 4e-3, "{power} {step}: {rate} {expect}");
            }
        };
        check(0.0, [1e-4; 6]);
        check(0.5, [1e-4, 1.41e-4, 2e-4, 2.83e-4, 4e-4, 5.66e-4]);
        check(1.0, [1e-4, 2e-4, 4e-4, 8e-4, 1.6e-3, 3.2e-3]);
        check(1.5, [1e-4, 2.83e-4, 8e-4, 2.26e-3, 6.4e-3, 1.81e-2]);
    }

    #[test]
    fn the_batch_that_is_meant_has_exactly_the_base() {
        for power in [0.0, 0.5, 1.0, 1.5] {
            assert_eq!(RateRule::at(3e-4, 4096, power, 4096), 3e-4);
        }
    }
}
