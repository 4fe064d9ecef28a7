//! Frames of the batches of a training.

use polars::prelude::*;

use super::Rows;
use super::columns::{
    blank, frame, number, optional, read_f64, read_text, read_u32, read_u64, text,
};
use crate::rows::{BatchLossRow, LedgerRow, VisitRow};

impl Rows for LedgerRow {
    const TABLE: &'static str = "rounds";

    fn to_frame(rows: &[Self]) -> PolarsResult<DataFrame> {
        frame(vec![
            text("variant", rows, |r| &r.variant),
            number("seed", rows, |r| r.seed),
            number("round", rows, |r| r.round),
            number("batches", rows, |r| r.batches),
            number("kept", rows, |r| r.kept),
            number("mean_loss_all", rows, |r| r.mean_loss_all),
            number("mean_loss_kept", rows, |r| r.mean_loss_kept),
            number("effective_share", rows, |r| r.effective_share),
            number("perplexity_share", rows, |r| r.perplexity_share),
            number("probability_ratio", rows, |r| r.probability_ratio),
            number("scored_tokens", rows, |r| r.scored_tokens),
            optional("overlap", rows, |r| r.overlap),
            optional("overlap_expected", rows, |r| r.overlap_expected),
            optional("overlap_deviation", rows, |r| r.overlap_deviation),
        ])
    }

    fn from_frame(frame: &DataFrame) -> PolarsResult<Vec<Self>> {
        let mut rows = blank::<Self>(frame);
        read_text(frame, "variant", &mut rows, |r, v| r.variant = v)?;
        read_u64(frame, "seed", &mut rows, |r, v| r.seed = v)?;
        read_u32(frame, "round", &mut rows, |r, v| r.round = v)?;
        read_u64(frame, "batches", &mut rows, |r, v| r.batches = v)?;
        read_u64(frame, "kept", &mut rows, |r, v| r.kept = v)?;
        read_f64(frame, "mean_loss_all", &mut rows, |r, v| {
            r.mean_loss_all = v.unwrap_or(f64::NAN);
        })?;
        read_f64(frame, "mean_loss_kept", &mut rows, |r, v| {
            r.mean_loss_kept = v.unwrap_or(f64::NAN);
        })?;
        read_f64(frame, "effective_share", &mut rows, |r, v| {
            r.effective_share = v.unwrap_or(f64::NAN);
        })?;
        read_f64(frame, "perplexity_share", &mut rows, |r, v| {
            r.perplexity_share = v.unwrap_or(f64::NAN);
        })?;
        read_f64(frame, "probability_ratio", &mut rows, |r, v| {
            r.probability_ratio = v.unwrap_or(f64::NAN);
        })?;
        read_u64(frame, "scored_tokens", &mut rows, |r, v| r.scored_tokens = v)?;
        for (row, value) in rows.iter_mut().zip(frame.column("overlap")?.u64()?.iter()) {
            row.overlap = value;
        }
        read_f64(frame, "overlap_expected", &mut rows, |r, v| r.overlap_expected = v)?;
        read_f64(frame, "overlap_deviation", &mut rows, |r, v| r.overlap_deviation = v)?;
        Ok(rows)
    }
}

impl Rows for VisitRow {
    const TABLE: &'static str = "visits";

    fn to_frame(rows: &[Self]) -> PolarsResult<DataFrame> {
        frame(vec![
            text("variant", rows, |r| &r.variant),
            number("seed", rows, |r| r.seed),
            number("times", rows, |r| r.times),
            number("batches", rows, |r| r.batches),
            number("tokens", rows, |r| r.tokens),
        ])
    }

    fn from_frame(frame: &DataFrame) -> PolarsResult<Vec<Self>> {
        let mut rows = blank::<Self>(frame);
        read_text(frame, "variant", &mut rows, |r, v| r.variant = v)?;
        read_u64(frame, "seed", &mut rows, |r, v| r.seed = v)?;
        read_u64(frame, "times", &mut rows, |r, v| r.times = v)?;
        read_u64(frame, "batches", &mut rows, |r, v| r.batches = v)?;
        read_u64(frame, "tokens", &mut rows, |r, v| r.tokens = v)?;
        Ok(rows)
    }
}

impl Rows for BatchLossRow {
    const TABLE: &'static str = "batch_losses";

    fn to_frame(rows: &[Self]) -> PolarsResult<DataFrame> {
        frame(vec![
            text("variant", rows, |r| &r.variant),
            number("seed", rows, |r| r.seed),
            number("batch", rows, |r| r.batch),
            number("part", rows, |r| r.part),
            number("loss", rows, |r| r.loss),
        ])
    }

    fn from_frame(frame: &DataFrame) -> PolarsResult<Vec<Self>> {
        let mut rows = blank::<Self>(frame);
        read_text(frame, "variant", &mut rows, |r, v| r.variant = v)?;
        read_u64(frame, "seed", &mut rows, |r, v| r.seed = v)?;
        read_u64(frame, "batch", &mut rows, |r, v| r.batch = v)?;
        read_u64(frame, "part", &mut rows, |r, v| r.part = v)?;
        read_f64(frame, "loss", &mut rows, |r, v| r.loss = v.unwrap_or(f64::NAN))?;
        Ok(rows)
    }
}
