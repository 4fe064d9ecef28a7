//! Single columns: from a field of rows, and back into it.

use polars::prelude::*;
use serde::{Serialize, de::DeserializeOwned};

pub(super) fn frame(columns: Vec<Column>) -> PolarsResult<DataFrame> {
    DataFrame::new_infer_height(columns)
}

pub(super) fn blank<T: Default>(frame: &DataFrame) -> Vec<T> {
    (0..frame.height()).map(|_| T::default()).collect()
}

pub(super) fn text<T>(name: &str, rows: &[T], field: fn(&T) -> &String) -> Column {
    let values: Vec<&str> = rows.iter().map(|r| field(r).as_str()).collect();
    Column::new(name.into(), values)
}

pub(super) fn optional_text<T>(name: &str, rows: &[T], field: fn(&T) -> Option<&str>) -> Column {
    let values: Vec<Option<&str>> = rows.iter().map(field).collect();
    Column::new(name.into(), values)
}

pub(super) fn number<T, N: Copy>(name: &str, rows: &[T], field: fn(&T) -> N) -> Column
where
    Series: NamedFrom<Vec<N>, [N]>,
{
    let values: Vec<N> = rows.iter().map(field).collect();
    Series::new(name.into(), values).into_column()
}

pub(super) fn optional<T, N: Copy>(name: &str, rows: &[T], field: fn(&T) -> Option<N>) -> Column
where
    Series: NamedFrom<Vec<Option<N>>, [Option<N>]>,
{
    let values: Vec<Option<N>> = rows.iter().map(field).collect();
    Series::new(name.into(), values).into_column()
}

pub(super) fn flag<T>(name: &str, rows: &[T], field: fn(&T) -> bool) -> Column {
    let values: Vec<bool> = rows.iter().map(field).collect();
    Column::new(name.into(), values)
}

pub(super) fn read_text<T>(
    frame: &DataFrame,
    name: &str,
    rows: &mut [T],
    set: fn(&mut T, String),
) -> PolarsResult<()> {
    for (row, value) in rows.iter_mut().zip(frame.column(name)?.str()?.iter()) {
        set(row, value.unwrap_or_default().to_string());
    }
    Ok(())
}

pub(super) fn read_optional_text<T>(
    frame: &DataFrame,
    name: &str,
    rows: &mut [T],
    set: fn(&mut T, Option<String>),
) -> PolarsResult<()> {
    for (row, value) in rows.iter_mut().zip(frame.column(name)?.str()?.iter()) {
        set(row, value.map(str::to_string));
    }
    Ok(())
}

pub(super) fn read_u64<T>(
    frame: &DataFrame,
    name: &str,
    rows: &mut [T],
    set: fn(&mut T, u64),
) -> PolarsResult<()> {
    for (row, value) in rows.iter_mut().zip(frame.column(name)?.u64()?.iter()) {
        set(row, value.unwrap_or_default());
    }
    Ok(())
}

pub(super) fn read_u32<T>(
    frame: &DataFrame,
    name: &str,
    rows: &mut [T],
    set: fn(&mut T, u32),
) -> PolarsResult<()> {
    for (row, value) in rows.iter_mut().zip(frame.column(name)?.u32()?.iter()) {
        set(row, value.unwrap_or_default());
    }
    Ok(())
}

pub(super) fn read_i64<T>(
    frame: &DataFrame,
    name: &str,
    rows: &mut [T],
    set: fn(&mut T, Option<i64>),
) -> PolarsResult<()> {
    for (row, value) in rows.iter_mut().zip(frame.column(name)?.i64()?.iter()) {
        set(row, value);
    }
    Ok(())
}

pub(super) fn read_f64<T>(
    frame: &DataFrame,
    name: &str,
    rows: &mut [T],
    set: fn(&mut T, Option<f64>),
) -> PolarsResult<()> {
    for (row, value) in rows.iter_mut().zip(frame.column(name)?.f64()?.iter()) {
        set(row, value);
    }
    Ok(())
}

pub(super) fn to_json<T: Serialize>(value: &T) -> PolarsResult<String> {
    serde_json::to_string(value).map_err(|e| polars_err!(ComputeError: "{e}"))
}

pub(super) fn read_json<T, V: DeserializeOwned>(
    frame: &DataFrame,
    name: &str,
    rows: &mut [T],
    set: fn(&mut T, V),
) -> PolarsResult<()> {
    for (row, value) in rows.iter_mut().zip(frame.column(name)?.str()?.iter()) {
        let value = serde_json::from_str(value.unwrap_or("null"))
            .map_err(|e| polars_err!(ComputeError: "column `{name}` holds broken JSON: {e}"))?;
        set(row, value);
    }
    Ok(())
}
