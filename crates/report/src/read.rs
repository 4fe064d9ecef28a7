//! Takes the rows of a saved report back.

use std::fs;
use std::path::Path;

use polars::prelude::*;

use crate::ReportError;
use crate::frames::Rows;
use crate::rows::StudyData;
use crate::write::{MANIFEST, Manifest, beside};

/// Reads the rows of a report that [`crate::write`] made in `dir`.
///
/// # Errors
/// A folder without a report, a file that is missing, broken, or has other columns.
pub fn read(dir: &Path) -> Result<StudyData, ReportError> {
    // Between the two renames of an interrupted write the last good report lies beside its place.
    let old = beside(dir, "old");
    let dir = if !dir.exists() && old.exists() { old.as_path() } else { dir };
    let manifest = manifest(dir)?;
    Ok(StudyData {
        study: manifest.study,
        variants: rows(dir)?,
        externals: manifest.externals,
        scores: rows(dir)?,
        items: rows(dir)?,
        curves: rows(dir)?,
        coverage: rows(dir)?,
        tokenizers: rows(dir)?,
        rounds: rows(dir)?,
        visits: rows(dir)?,
        batch_losses: rows(dir)?,
        progress: later_rows(dir)?,
        skips: rows(dir)?,
        influence: rows(dir)?,
        spreads: rows(dir)?,
        claims: manifest.claims,
        provenance: manifest.provenance,
        spec_text: manifest.spec_text,
    })
}

/// Stage, name and key of every result that the report in `dir` was made from.
///
/// # Errors
/// A folder without a report, or one whose `study.json` cannot be read.
pub fn sources(dir: &Path) -> Result<Vec<(String, String, String)>, ReportError> {
    Ok(manifest(dir)?.provenance.keys)
}

/// The files that the report in `dir` consists of, relative to the folder, sorted.
///
/// # Errors
/// A folder without a report, or one of a version that did not write down its files.
pub fn entries(dir: &Path) -> Result<Vec<String>, ReportError> {
    let manifest = manifest(dir)?;
    if manifest.files.is_empty() {
        return Err(ReportError::NoReport {
            path: dir.to_path_buf(),
            missing: "files in study.json",
        });
    }
    let mut files: Vec<String> = manifest.files.into_keys().collect();
    files.push(MANIFEST.to_string());
    files.sort();
    Ok(files)
}

pub(crate) fn manifest(dir: &Path) -> Result<Manifest, ReportError> {
    let path = dir.join(MANIFEST);
    if !path.exists() {
        return Err(ReportError::NoReport { path: dir.to_path_buf(), missing: MANIFEST });
    }
    let text = fs::read_to_string(&path).map_err(|e| ReportError::io("read", &path, e))?;
    serde_json::from_str(&text).map_err(|e| ReportError::Frame {
        action: "read",
        path,
        reason: e.to_string(),
    })
}

/// Rows of a table that reports of earlier versions do not have.
fn later_rows<T: Rows>(dir: &Path) -> Result<Vec<T>, ReportError> {
    let there = dir.join(format!("{}.parquet", T::TABLE)).exists();
    if there { rows(dir) } else { Ok(Vec::new()) }
}

fn rows<T: Rows>(dir: &Path) -> Result<Vec<T>, ReportError> {
    let path = dir.join(format!("{}.parquet", T::TABLE));
    let file = fs::File::open(&path).map_err(|e| ReportError::io("read", &path, e))?;
    ParquetReader::new(file)
        .finish()
        .and_then(|frame| T::from_frame(&frame))
        .map_err(|e| ReportError::Frame { action: "read", path, reason: e.to_string() })
}
