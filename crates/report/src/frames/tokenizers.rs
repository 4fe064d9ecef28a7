//! Tokenizers as a frame.

use std::collections::BTreeMap;

use polars::prelude::*;

use super::Rows;
use super::columns::{
    blank, frame, number, optional, optional_text, read_f64, read_i64, read_json,
    read_optional_text, read_text, read_u64, text, to_json,
};
use crate::rows::TokenizerRow;

impl Rows for TokenizerRow {
    const TABLE: &'static str = "tokenizers";

    fn to_frame(rows: &[Self]) -> PolarsResult<DataFrame> {
        let json = |name: &str, field: fn(&Self) -> PolarsResult<String>| {
            let values = rows.iter().map(field).collect::<PolarsResult<Vec<String>>>()?;
            PolarsResult::Ok(Column::new(name.into(), values))
        };
        frame(vec![
            text("name", rows, |r| &r.name),
            json("variants", |r| to_json(&r.variants))?,
            number("vocabulary", rows, |r| r.vocabulary),
            optional_text("larger", rows, |r| r.larger.as_deref()),
            optional("coverage", rows, |r| r.coverage),
            optional("needed", rows, |r| r.needed.map(u64::cast_signed)),
            number("tokens", rows, |r| r.tokens),
            json("bytes_per_token", |r| {
                let finite = r.bytes_per_token.iter().filter(|b| b.1.is_finite());
                to_json(&finite.collect::<BTreeMap<_, _>>())
            })?,
            optional_text("changes", rows, |r| r.changes.as_deref()),
        ])
    }

    fn from_frame(frame: &DataFrame) -> PolarsResult<Vec<Self>> {
        let mut rows = blank::<Self>(frame);
        read_text(frame, "name", &mut rows, |r, v| r.name = v)?;
        read_json(frame, "variants", &mut rows, |r, v: Vec<String>| r.variants = v)?;
        read_u64(frame, "vocabulary", &mut rows, |r, v| r.vocabulary = v)?;
        read_optional_text(frame, "larger", &mut rows, |r, v| r.larger = v)?;
        read_f64(frame, "coverage", &mut rows, |r, v| r.coverage = v)?;
        read_i64(frame, "needed", &mut rows, |r, v| r.needed = v.map(i64::cast_unsigned))?;
        read_u64(frame, "tokens", &mut rows, |r, v| r.tokens = v)?;
        read_json(frame, "bytes_per_token", &mut rows, |r, v: BTreeMap<String, f64>| {
            r.bytes_per_token = v;
        })?;
        read_optional_text(frame, "changes", &mut rows, |r, v| r.changes = v)?;
        Ok(rows)
    }
}
