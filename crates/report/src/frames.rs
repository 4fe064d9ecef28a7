//! Rows to polars frames and back: the columns of the saved parquet files are defined here and nowhere else.

mod columns;
mod progress;
mod rounds;
mod tokenizers;

use std::collections::BTreeMap;

use polars::prelude::*;

use columns::{
    blank, flag, frame, number, optional, optional_text, read_f64, read_i64, read_json,
    read_optional_text, read_text, read_u32, read_u64, text, to_json,
};

use crate::rows::{
    CoverageRow, CurveRow, InfluenceRow, ItemRow, MaskShare, ScoreRow, SkipRow, SpreadRow,
    VariantRow,
};

/// A row type that is one line of a saved table.
pub(crate) trait Rows: Sized {
    /// File stem of the table.
    const TABLE: &'static str;
    /// The rows as a frame.
    fn to_frame(rows: &[Self]) -> PolarsResult<DataFrame>;
    /// The rows of a frame; a missing column or another type is an error.
    fn from_frame(frame: &DataFrame) -> PolarsResult<Vec<Self>>;
}

impl Rows for ScoreRow {
    const TABLE: &'static str = "scores";

    fn to_frame(rows: &[Self]) -> PolarsResult<DataFrame> {
        frame(vec![
            text("variant", rows, |r| &r.variant),
            number("seed", rows, |r| r.seed),
            text("benchmark", rows, |r| &r.benchmark),
            text("language", rows, |r| &r.language),
            text("metric", rows, |r| &r.metric),
            number("value", rows, |r| r.value),
            number("standard_error", rows, |r| r.standard_error),
            number("items", rows, |r| r.items),
            optional("chance", rows, |r| r.chance),
            flag("primary", rows, |r| r.primary),
        ])
    }

    fn from_frame(frame: &DataFrame) -> PolarsResult<Vec<Self>> {
        let mut rows = blank::<Self>(frame);
        read_text(frame, "variant", &mut rows, |r, v| r.variant = v)?;
        read_u64(frame, "seed", &mut rows, |r, v| r.seed = v)?;
        read_text(frame, "benchmark", &mut rows, |r, v| r.benchmark = v)?;
        read_text(frame, "language", &mut rows, |r, v| r.language = v)?;
        read_text(frame, "metric", &mut rows, |r, v| r.metric = v)?;
        read_f64(frame, "value", &mut rows, |r, v| r.value = v.unwrap_or(f64::NAN))?;
        read_f64(frame, "standard_error", &mut rows, |r, v| {
            r.standard_error = v.unwrap_or(f64::NAN);
        })?;
        read_u64(frame, "items", &mut rows, |r, v| r.items = v)?;
        read_f64(frame, "chance", &mut rows, |r, v| r.chance = v)?;
        for (row, value) in rows.iter_mut().zip(frame.column("primary")?.bool()?.iter()) {
            row.primary = value.unwrap_or(false);
        }
        Ok(rows)
    }
}

impl Rows for ItemRow {
    const TABLE: &'static str = "items";

    fn to_frame(rows: &[Self]) -> PolarsResult<DataFrame> {
        let total = rows.iter().map(|r| r.option_logliks.len()).sum();
        let mut lists = ListPrimitiveChunkedBuilder::<Float64Type>::new(
            "option_logliks".into(),
            rows.len(),
            total,
            DataType::Float64,
        );
        for row in rows {
            lists.append_slice(&row.option_logliks);
        }
        frame(vec![
            text("variant", rows, |r| &r.variant),
            number("seed", rows, |r| r.seed),
            text("benchmark", rows, |r| &r.benchmark),
            text("language", rows, |r| &r.language),
            text("item", rows, |r| &r.item),
            text("document_hash", rows, |r| &r.document_hash),
            text("prompt_hash", rows, |r| &r.prompt_hash),
            optional_text("subject", rows, |r| r.subject.as_deref()),
            flag("by_subject", rows, |r| r.by_subject),
            lists.finish().into_series().into_column(),
            optional("choice", rows, |r| r.choice),
            optional("key", rows, |r| r.key),
            number("score", rows, |r| r.score),
            optional_text("prediction", rows, |r| r.prediction.as_deref()),
            optional_text("reference", rows, |r| r.reference.as_deref()),
        ])
    }

    fn from_frame(frame: &DataFrame) -> PolarsResult<Vec<Self>> {
        let mut rows = blank::<Self>(frame);
        read_text(frame, "variant", &mut rows, |r, v| r.variant = v)?;
        read_u64(frame, "seed", &mut rows, |r, v| r.seed = v)?;
        read_text(frame, "benchmark", &mut rows, |r, v| r.benchmark = v)?;
        read_text(frame, "language", &mut rows, |r, v| r.language = v)?;
        read_text(frame, "item", &mut rows, |r, v| r.item = v)?;
        read_text(frame, "document_hash", &mut rows, |r, v| r.document_hash = v)?;
        // Reports of earlier versions have none of these.
        if frame.column("prompt_hash").is_ok() {
            read_text(frame, "prompt_hash", &mut rows, |r, v| r.prompt_hash = v)?;
            read_optional_text(frame, "subject", &mut rows, |r, v| r.subject = v)?;
            for (row, value) in rows.iter_mut().zip(frame.column("by_subject")?.bool()?.iter()) {
                row.by_subject = value.unwrap_or(false);
            }
        }
        let lists = frame.column("option_logliks")?.list()?;
        for (i, row) in rows.iter_mut().enumerate() {
            if let Some(values) = lists.get_as_series(i) {
                row.option_logliks = values.f64()?.iter().map(|v| v.unwrap_or(f64::NAN)).collect();
            }
        }
        read_i64(frame, "choice", &mut rows, |r, v| r.choice = v)?;
        read_i64(frame, "key", &mut rows, |r, v| r.key = v)?;
        read_f64(frame, "score", &mut rows, |r, v| r.score = v.unwrap_or(f64::NAN))?;
        read_optional_text(frame, "prediction", &mut rows, |r, v| r.prediction = v)?;
        read_optional_text(frame, "reference", &mut rows, |r, v| r.reference = v)?;
        Ok(rows)
    }
}

impl Rows for CurveRow {
    const TABLE: &'static str = "curves";

    fn to_frame(rows: &[Self]) -> PolarsResult<DataFrame> {
        frame(vec![
            text("variant", rows, |r| &r.variant),
            number("seed", rows, |r| r.seed),
            number("round", rows, |r| r.round),
            number("step", rows, |r| r.step),
            number("tokens", rows, |r| r.tokens),
            number("bytes", rows, |r| r.bytes),
            text("split", rows, |r| &r.split),
            text("language", rows, |r| &r.language),
            number("loss", rows, |r| r.loss),
            optional("bits_per_byte", rows, |r| r.bits_per_byte),
            optional("tokens_per_second", rows, |r| r.tokens_per_second),
        ])
    }

    fn from_frame(frame: &DataFrame) -> PolarsResult<Vec<Self>> {
        let mut rows = blank::<Self>(frame);
        read_text(frame, "variant", &mut rows, |r, v| r.variant = v)?;
        read_u64(frame, "seed", &mut rows, |r, v| r.seed = v)?;
        read_u32(frame, "round", &mut rows, |r, v| r.round = v)?;
        read_u64(frame, "step", &mut rows, |r, v| r.step = v)?;
        read_u64(frame, "tokens", &mut rows, |r, v| r.tokens = v)?;
        read_u64(frame, "bytes", &mut rows, |r, v| r.bytes = v)?;
        read_text(frame, "split", &mut rows, |r, v| r.split = v)?;
        read_text(frame, "language", &mut rows, |r, v| r.language = v)?;
        read_f64(frame, "loss", &mut rows, |r, v| r.loss = v.unwrap_or(f64::NAN))?;
        read_f64(frame, "bits_per_byte", &mut rows, |r, v| r.bits_per_byte = v)?;
        read_f64(frame, "tokens_per_second", &mut rows, |r, v| r.tokens_per_second = v)?;
        Ok(rows)
    }
}

impl Rows for CoverageRow {
    const TABLE: &'static str = "coverage";

    fn to_frame(rows: &[Self]) -> PolarsResult<DataFrame> {
        frame(vec![
            text("tokenizer", rows, |r| &r.tokenizer),
            number("vocabulary", rows, |r| r.vocabulary),
            number("coverage", rows, |r| r.coverage),
        ])
    }

    fn from_frame(frame: &DataFrame) -> PolarsResult<Vec<Self>> {
        let mut rows = blank::<Self>(frame);
        read_text(frame, "tokenizer", &mut rows, |r, v| r.tokenizer = v)?;
        read_u64(frame, "vocabulary", &mut rows, |r, v| r.vocabulary = v)?;
        read_f64(frame, "coverage", &mut rows, |r, v| r.coverage = v.unwrap_or(f64::NAN))?;
        Ok(rows)
    }
}

impl Rows for SkipRow {
    const TABLE: &'static str = "skips";

    fn to_frame(rows: &[Self]) -> PolarsResult<DataFrame> {
        frame(vec![
            text("variant", rows, |r| &r.variant),
            number("seed", rows, |r| r.seed),
            number("count", rows, |r| r.count),
            number("first", rows, |r| r.first),
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
        read_u64(frame, "count", &mut rows, |r, v| r.count = v)?;
        read_u64(frame, "first", &mut rows, |r, v| r.first = v)?;
        read_text(frame, "benchmark", &mut rows, |r, v| r.benchmark = v)?;
        read_text(frame, "language", &mut rows, |r, v| r.language = v)?;
        read_text(frame, "metric", &mut rows, |r, v| r.metric = v)?;
        read_f64(frame, "value", &mut rows, |r, v| r.value = v.unwrap_or(f64::NAN))?;
        read_u64(frame, "items", &mut rows, |r, v| r.items = v)?;
        read_f64(frame, "chance", &mut rows, |r, v| r.chance = v)?;
        Ok(rows)
    }
}

impl Rows for InfluenceRow {
    const TABLE: &'static str = "influence";

    fn to_frame(rows: &[Self]) -> PolarsResult<DataFrame> {
        frame(vec![
            text("variant", rows, |r| &r.variant),
            number("seed", rows, |r| r.seed),
            number("layer", rows, |r| r.layer),
            number("influence", rows, |r| r.influence),
        ])
    }

    fn from_frame(frame: &DataFrame) -> PolarsResult<Vec<Self>> {
        let mut rows = blank::<Self>(frame);
        read_text(frame, "variant", &mut rows, |r, v| r.variant = v)?;
        read_u64(frame, "seed", &mut rows, |r, v| r.seed = v)?;
        read_u64(frame, "layer", &mut rows, |r, v| r.layer = v)?;
        read_f64(frame, "influence", &mut rows, |r, v| r.influence = v.unwrap_or(f64::NAN))?;
        Ok(rows)
    }
}

impl Rows for SpreadRow {
    const TABLE: &'static str = "spreads";

    fn to_frame(rows: &[Self]) -> PolarsResult<DataFrame> {
        frame(vec![
            text("variant", rows, |r| &r.variant),
            number("seed", rows, |r| r.seed),
            number("layer", rows, |r| r.layer),
            text("matrix", rows, |r| &r.matrix),
            number("std", rows, |r| r.std),
        ])
    }

    fn from_frame(frame: &DataFrame) -> PolarsResult<Vec<Self>> {
        let mut rows = blank::<Self>(frame);
        read_text(frame, "variant", &mut rows, |r, v| r.variant = v)?;
        read_u64(frame, "seed", &mut rows, |r, v| r.seed = v)?;
        read_u64(frame, "layer", &mut rows, |r, v| r.layer = v)?;
        read_text(frame, "matrix", &mut rows, |r, v| r.matrix = v)?;
        read_f64(frame, "std", &mut rows, |r, v| r.std = v.unwrap_or(f64::NAN))?;
        Ok(rows)
    }
}

impl Rows for VariantRow {
    const TABLE: &'static str = "variants";

    fn to_frame(rows: &[Self]) -> PolarsResult<DataFrame> {
        let json = |name: &str, field: fn(&Self) -> PolarsResult<String>| {
            let values = rows.iter().map(field).collect::<PolarsResult<Vec<String>>>()?;
            PolarsResult::Ok(Column::new(name.into(), values))
        };
        frame(vec![
            text("name", rows, |r| &r.name),
            text("label", rows, |r| &r.label),
            json("delta", |r| to_json(&r.delta))?,
            number("params_total", rows, |r| r.params.total),
            number("params_embedding", rows, |r| r.params.embedding),
            number("params_head", rows, |r| r.params.head),
            number("params_non_embedding", rows, |r| r.params.non_embedding),
            number("share", rows, |r| r.share),
            number("depth", rows, |r| r.depth),
            number("width", rows, |r| r.width),
            number("heads", rows, |r| r.heads),
            number("kv_heads", rows, |r| r.kv_heads),
            number("ffn", rows, |r| r.ffn),
            number("vocabulary", rows, |r| r.vocabulary),
            number("context", rows, |r| r.context),
            number("train_tokens", rows, |r| r.train_tokens),
            number("train_bytes", rows, |r| r.train_bytes),
            number("mask_tokens", rows, |r| r.mask_tokens),
            number("train_flops", rows, |r| r.train_flops),
            number("scoring_flops", rows, |r| r.scoring_flops),
            number("batch_tokens", rows, |r| r.batch_tokens),
            number("learning_rate", rows, |r| r.learning_rate),
            number("rounds", rows, |r| r.rounds),
            text("reading", rows, |r| &r.reading),
            optional("passes", rows, |r| r.passes),
            optional("decoding", rows, |r| r.decoding),
            number("seconds", rows, |r| r.seconds),
            optional("residual", rows, |r| r.residual),
            json("failed", |r| to_json(&r.failed))?,
            json("diverged", |r| to_json(&r.diverged))?,
            json("accepted", |r| to_json(&r.accepted))?,
            json("mask_shares", |r| to_json(&r.mask_shares))?,
            optional("coverage", rows, |r| r.coverage),
            json("bytes_per_token", |r| {
                // JSON has no infinities.
                to_json(
                    &r.bytes_per_token
                        .iter()
                        .filter(|b| b.1.is_finite())
                        .collect::<BTreeMap<_, _>>(),
                )
            })?,
        ])
    }

    fn from_frame(frame: &DataFrame) -> PolarsResult<Vec<Self>> {
        let mut rows = blank::<Self>(frame);
        read_text(frame, "name", &mut rows, |r, v| r.name = v)?;
        read_text(frame, "label", &mut rows, |r, v| r.label = v)?;
        read_u64(frame, "params_total", &mut rows, |r, v| r.params.total = v)?;
        read_u64(frame, "params_embedding", &mut rows, |r, v| r.params.embedding = v)?;
        read_u64(frame, "params_head", &mut rows, |r, v| r.params.head = v)?;
        read_u64(frame, "params_non_embedding", &mut rows, |r, v| r.params.non_embedding = v)?;
        read_f64(frame, "share", &mut rows, |r, v| r.share = v.unwrap_or(f64::NAN))?;
        read_u64(frame, "depth", &mut rows, |r, v| r.depth = v)?;
        read_u64(frame, "width", &mut rows, |r, v| r.width = v)?;
        read_u64(frame, "heads", &mut rows, |r, v| r.heads = v)?;
        read_u64(frame, "kv_heads", &mut rows, |r, v| r.kv_heads = v)?;
        read_u64(frame, "ffn", &mut rows, |r, v| r.ffn = v)?;
        read_u64(frame, "vocabulary", &mut rows, |r, v| r.vocabulary = v)?;
        read_u64(frame, "context", &mut rows, |r, v| r.context = v)?;
        read_u64(frame, "train_tokens", &mut rows, |r, v| r.train_tokens = v)?;
        read_u64(frame, "train_bytes", &mut rows, |r, v| r.train_bytes = v)?;
        // Reports written before there were masks do not have it.
        if frame.column("mask_tokens").is_ok() {
            read_u64(frame, "mask_tokens", &mut rows, |r, v| r.mask_tokens = v)?;
        }
        read_f64(frame, "train_flops", &mut rows, |r, v| r.train_flops = v.unwrap_or(f64::NAN))?;
        read_f64(frame, "scoring_flops", &mut rows, |r, v| {
            r.scoring_flops = v.unwrap_or(f64::NAN);
        })?;
        read_u64(frame, "batch_tokens", &mut rows, |r, v| r.batch_tokens = v)?;
        read_f64(frame, "learning_rate", &mut rows, |r, v| {
            r.learning_rate = v.unwrap_or(f64::NAN);
        })?;
        read_u64(frame, "rounds", &mut rows, |r, v| r.rounds = v)?;
        read_text(frame, "reading", &mut rows, |r, v| r.reading = v)?;
        read_f64(frame, "passes", &mut rows, |r, v| r.passes = v)?;
        if frame.column("decoding").is_ok() {
            read_f64(frame, "decoding", &mut rows, |r, v| r.decoding = v)?;
        }
        read_f64(frame, "seconds", &mut rows, |r, v| r.seconds = v.unwrap_or(f64::NAN))?;
        read_f64(frame, "residual", &mut rows, |r, v| r.residual = v)?;
        read_f64(frame, "coverage", &mut rows, |r, v| r.coverage = v)?;
        read_json(frame, "delta", &mut rows, |r, v: Vec<(String, String, String)>| r.delta = v)?;
        read_json(frame, "failed", &mut rows, |r, v: Vec<(u64, String)>| r.failed = v)?;
        read_json(frame, "diverged", &mut rows, |r, v: Vec<(u64, u64)>| r.diverged = v)?;
        // Reports written before anything could be accepted do not have it.
        if frame.column("accepted").is_ok() {
            read_json(frame, "accepted", &mut rows, |r, v: Vec<(u64, String)>| r.accepted = v)?;
        }
        if frame.column("mask_shares").is_ok() {
            read_json(frame, "mask_shares", &mut rows, |r, v: Vec<MaskShare>| r.mask_shares = v)?;
        }
        read_json(frame, "bytes_per_token", &mut rows, |r, v: BTreeMap<String, f64>| {
            r.bytes_per_token = v;
        })?;
        Ok(rows)
    }
}
