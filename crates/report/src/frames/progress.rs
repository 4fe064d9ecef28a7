//! Scores during the training as a frame.

use polars::prelude::*;

use super::Rows;
use super::columns::{
    blank, frame, number, optional, read_f64, read_text, read_u32, read_u64, text,
};
use crate::rows::ProgressRow;

impl Rows for ProgressRow {
    const TABLE: &'static str = "progress";

    fn to_frame(rows: &[Self]) -> PolarsResult<DataFrame> {
        frame(vec![
            text("variant", rows, |r| &r.variant),
            number("seed", rows, |r| r.seed),
            number("round", rows, |r| r.round),
            number("tokens", rows, |r| r.tokens),
            number("round_tokens", rows, |r| r.round_tokens),
            text("benchmark", rows, |r| &r.benchmark),
            text("language", rows, |r| &r.language),
            text("metric", rows, |r| &r.metric),
            number("value", rows, |r| r.value),
            number("items", rows, |r| r.items),
            optional("chance", rows, |r| r.chance),
        ])
    }

    fn from_frame(frame: &DataFrame) -> PolarsResult<Vec<Self>> {
        let mut rows = blank::<Self>(frame);
        read_text(frame, "variant", &mut rows, |r, v| r.variant = v)?;
        read_u64(frame, "seed", &mut rows, |r, v| r.seed = v)?;
        read_u32(frame, "round", &mut rows, |r, v| r.round = v)?;
        read_u64(frame, "tokens", &mut rows, |r, v| r.tokens = v)?;
        read_u64(frame, "round_tokens", &mut rows, |r, v| r.round_tokens = v)?;
        read_text(frame, "benchmark", &mut rows, |r, v| r.benchmark = v)?;
        read_text(frame, "language", &mut rows, |r, v| r.language = v)?;
        read_text(frame, "metric", &mut rows, |r, v| r.metric = v)?;
        read_f64(frame, "value", &mut rows, |r, v| r.value = v.unwrap_or(f64::NAN))?;
        read_u64(frame, "items", &mut rows, |r, v| r.items = v)?;
        read_f64(frame, "chance", &mut rows, |r, v| r.chance = v)?;
        Ok(rows)
    }
}
