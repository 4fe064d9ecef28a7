//! What a run leaves: results in the store, and the rows of its report.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use serde_json::Value;

use crate::sandbox::files;

/// Finished results: `stage/name-key` to the folder.
pub(crate) fn results(root: &Path) -> BTreeMap<String, PathBuf> {
    let store = root.join("data").join("store");
    let records = files(&store).into_iter().filter(|path| path.ends_with(".artifact.json"));
    let folders = records.filter_map(|path| path.parent().map(Path::to_owned));
    let name = |folder: &PathBuf| folder.strip_prefix(&store).unwrap().display().to_string();
    folders
        .filter(|folder| !folder.to_string_lossy().contains(".partial"))
        .filter(|folder| !folder.to_string_lossy().contains(".corrupt"))
        .map(|folder| (name(&folder), folder))
        .collect()
}

/// Names of the finished results of a stage.
pub(crate) fn of_stage(root: &Path, stage: &str) -> Vec<String> {
    let prefix = format!("{stage}/");
    results(root).into_keys().filter(|name| name.starts_with(&prefix)).collect()
}

/// Every file of every result with the time of its last change and its bytes.
pub(crate) type Snapshot = BTreeMap<PathBuf, (SystemTime, Vec<u8>)>;

/// Takes a snapshot of the store's results.
pub(crate) fn snapshot(root: &Path) -> Snapshot {
    let paths = results(root).into_values().flat_map(|folder| files(&folder));
    paths
        .map(|path| {
            let changed = fs::metadata(&path).unwrap().modified().unwrap();
            let bytes = fs::read(&path).unwrap();
            (path, (changed, bytes))
        })
        .collect()
}

/// What does not depend on when, where and how fast it was made: every file of every result
/// apart from records, and every row of the report apart from speeds and wall times.
#[derive(PartialEq)]
pub(crate) struct Lasting(BTreeMap<String, Vec<u8>>);

/// Takes what lasts of the study `tiny`.
pub(crate) fn lasting(root: &Path) -> Lasting {
    let mut lasting = BTreeMap::new();
    for (name, folder) in results(root) {
        for path in files(&folder) {
            let file = path.strip_prefix(&folder).unwrap().display().to_string();
            // The record has times; the speeds in the metrics differ, the rest is in the curves.
            if file != ".artifact.json" && file != "metrics.jsonl" {
                lasting.insert(format!("{name}/{file}"), fs::read(&path).unwrap());
            }
        }
    }
    let report = root.join("reports").join("tiny");
    for table in ["scores", "items", "rounds", "coverage", "progress"] {
        let path = report.join(format!("{table}.parquet"));
        lasting.insert(format!("{table}.parquet"), fs::read(path).unwrap());
    }
    for (table, without) in [("curves", "tokens_per_second"), ("variants", "seconds")] {
        let rows = rows(&report.join(format!("{table}.parquet")));
        let text: String = rows
            .into_iter()
            .map(|mut row| {
                row.remove(without);
                format!("{row:?}\n")
            })
            .collect();
        lasting.insert(format!("{table}.parquet"), text.into_bytes());
    }
    Lasting(lasting)
}

impl Lasting {
    /// Panics with the names of what differs.
    pub(crate) fn assert_same(&self, other: &Self, when: &str) {
        if self == other {
            return;
        }
        let names: Vec<&String> = self
            .0
            .keys()
            .chain(other.0.keys().filter(|name| !self.0.contains_key(*name)))
            .filter(|name| self.0.get(*name) != other.0.get(*name))
            .collect();
        panic!("{when}: these differ: {names:#?}");
    }
}

/// A row by column.
pub(crate) type Row = BTreeMap<String, Field>;

/// All rows of a parquet file.
pub(crate) fn rows(path: &Path) -> Vec<Row> {
    let file = fs::File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let reader = SerializedFileReader::new(file).unwrap();
    let rows = reader.get_row_iter(None).unwrap();
    rows.map(|row| row.unwrap().into_columns().into_iter().collect()).collect()
}

/// A string of a row.
pub(crate) fn text<'a>(row: &'a Row, column: &str) -> &'a str {
    match &row[column] {
        Field::Str(text) => text,
        other => panic!("{column} is {other:?}"),
    }
}

/// A number of a row.
pub(crate) fn number(row: &Row, column: &str) -> f64 {
    match row[column] {
        Field::Double(value) => value,
        Field::ULong(value) => value as f64,
        Field::UInt(value) => f64::from(value),
        Field::Long(value) => value as f64,
        ref other => panic!("{column} is {other:?}"),
    }
}

/// Shapes of the tensors of a safetensors file, from its header.
pub(crate) fn tensors(path: &Path) -> BTreeMap<String, Vec<u64>> {
    let bytes = fs::read(path).unwrap();
    let (length, rest) = bytes.split_first_chunk::<8>().unwrap();
    let header = &rest[..u64::from_le_bytes(*length) as usize];
    let header: BTreeMap<String, Value> = serde_json::from_slice(header).unwrap();
    let shape = |tensor: &Value| -> Vec<u64> {
        tensor["shape"].as_array().unwrap().iter().map(|size| size.as_u64().unwrap()).collect()
    };
    let tensors = header.iter().filter(|(name, _)| *name != "__metadata__");
    tensors.map(|(name, tensor)| (name.clone(), shape(tensor))).collect()
}
