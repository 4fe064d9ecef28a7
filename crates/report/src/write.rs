//! Writes a report folder: everything into a folder beside it first, then one rename, so that a reader sees the old report or the new one.
//!
//! A kill between the two renames leaves no folder of the final name; the next [`write`] finds the pieces and completes. Files that a
//! person put into the folder are kept: only what a report wrote is replaced.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use polars::prelude::*;
use serde::{Deserialize, Serialize};

use crate::ReportError;
use crate::claims::{self, ClaimRow, JudgedClaim};
use crate::figures::Figure;
use crate::frames::Rows;
use crate::paper::Paper;
use crate::provenance::{Evidence, TableProvenance};
use crate::rows::{
    BatchLossRow, CoverageRow, CurveRow, ExternalRow, InfluenceRow, ItemRow, LedgerRow,
    ProgressRow, Provenance, ScoreRow, SkipRow, SpreadRow, StudyData, StudyInfo, TokenizerRow,
    VariantRow, VisitRow,
};
use crate::table::Table;
use crate::{figures, page, tables};

/// Name of the file with everything that is not a row, and with the list of what the report consists of.
pub(crate) const MANIFEST: &str = "study.json";
/// Name of the file with the verdicts of the claims, for scripts.
const CLAIMS: &str = "claims.json";

/// What was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Written {
    /// The folder.
    pub dir: PathBuf,
    /// Every file in it that belongs to the report, relative to the folder, sorted.
    pub files: Vec<PathBuf>,
    /// What became of the claims.
    pub claims: Vec<JudgedClaim>,
}

/// The part of a study that is not rows.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) study: StudyInfo,
    /// What is claimed; reports of earlier versions have none.
    #[serde(default)]
    pub(crate) claims: Vec<ClaimRow>,
    /// Models of others that were scored beside the variants.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) externals: Vec<ExternalRow>,
    pub(crate) provenance: Provenance,
    pub(crate) spec_text: String,
    /// Files and folders of the report at the top of its folder.
    pub(crate) entries: Vec<String>,
    /// blake3 of every file of the report but this one; reports of earlier versions do not say.
    #[serde(default)]
    pub(crate) files: BTreeMap<String, String>,
}

/// What [`CLAIMS`] holds.
#[derive(Serialize)]
struct Verdicts<'a> {
    claims: &'a [JudgedClaim],
}

/// Writes the report of a study into `dir`, replacing an earlier one.
///
/// # Errors
/// A folder that cannot be written, rows that polars cannot take, a figure that cannot be drawn.
pub fn write(data: &StudyData, dir: &Path) -> Result<Written, ReportError> {
    let fresh = beside(dir, "new");
    remove(&fresh)?;
    fs::create_dir_all(&fresh).map_err(|e| ReportError::io("create", &fresh, e))?;
    let (files, claims) = fill(data, &fresh)?;
    replace(dir, &fresh)?;
    Ok(Written { dir: dir.to_path_buf(), files, claims })
}

/// Writes every file of the report into an empty folder.
fn fill(data: &StudyData, dir: &Path) -> Result<(Vec<PathBuf>, Vec<JudgedClaim>), ReportError> {
    let mut files: Vec<PathBuf> = vec![
        parquet::<VariantRow>(&data.variants, dir)?,
        parquet::<ScoreRow>(&data.scores, dir)?,
        parquet::<ItemRow>(&data.items, dir)?,
        parquet::<CurveRow>(&data.curves, dir)?,
        parquet::<CoverageRow>(&data.coverage, dir)?,
        parquet::<TokenizerRow>(&data.tokenizers, dir)?,
        parquet::<LedgerRow>(&data.rounds, dir)?,
        parquet::<VisitRow>(&data.visits, dir)?,
        parquet::<BatchLossRow>(&data.batch_losses, dir)?,
        parquet::<ProgressRow>(&data.progress, dir)?,
        parquet::<SkipRow>(&data.skips, dir)?,
        parquet::<InfluenceRow>(&data.influence, dir)?,
        parquet::<SpreadRow>(&data.spreads, dir)?,
    ];

    let query = |e: PolarsError| ReportError::Query(e.to_string());
    let paper = Paper::embedded()?;
    let analysis = crate::analyse(data)?;
    let claims = claims::judge(&analysis, &paper);
    let tables = tables::all(&analysis, &paper, &claims).map_err(query)?;
    for folder in ["tables", "figures"] {
        let path = dir.join(folder);
        fs::create_dir_all(&path).map_err(|e| ReportError::io("create", &path, e))?;
    }
    let evidence = Evidence::of(data);
    for table in &tables {
        files.extend(table_files(table, dir)?);
        let name = provenance_file(&table.name);
        let text = TableProvenance::of(table, &evidence).to_text();
        let text = text.map_err(|e| ReportError::io("write", &dir.join(&name), e.into()))?;
        files.push(text_file(dir, &name, &text)?);
    }
    let mut drawn = Vec::new();
    for figure in figures::all(&analysis, &paper).map_err(query)? {
        let (svg, written) = figure_files(&figure, dir)?;
        files.extend(written);
        drawn.push((figure, svg));
    }
    let page = page::page(&analysis, &paper, &claims, &tables, &drawn)?;
    files.push(text_file(dir, "index.html", &page)?);
    if !claims.is_empty() {
        let text = serde_json::to_string_pretty(&Verdicts { claims: &claims })
            .map_err(|e| ReportError::io("write", &dir.join(CLAIMS), e.into()))?;
        files.push(text_file(dir, CLAIMS, &format!("{text}\n"))?);
    }

    let mut checksums = BTreeMap::new();
    for file in &files {
        checksums.insert(file.to_string_lossy().replace('\\', "/"), checksum(&dir.join(file))?);
    }
    files.push(PathBuf::from(MANIFEST));
    files.sort();
    let mut entries: Vec<String> = files
        .iter()
        .filter_map(|f| f.components().next())
        .map(|c| c.as_os_str().to_string_lossy().into_owned())
        .collect();
    entries.dedup();
    let manifest = Manifest {
        study: data.study.clone(),
        claims: data.claims.clone(),
        externals: data.externals.clone(),
        provenance: data.provenance.clone(),
        spec_text: data.spec_text.clone(),
        entries,
        files: checksums,
    };
    let text = serde_json::to_string_pretty(&manifest)
        .map_err(|e| ReportError::io("write", &dir.join(MANIFEST), e.into()))?;
    text_file(dir, MANIFEST, &format!("{text}\n"))?;
    Ok((files, claims))
}

/// Name of the file beside a table that says where its cells come from.
pub(crate) fn provenance_file(table: &str) -> String {
    format!("tables/{table}.provenance.json")
}

/// blake3 of a file.
pub(crate) fn checksum(path: &Path) -> Result<String, ReportError> {
    let bytes = fs::read(path).map_err(|e| ReportError::io("read", path, e))?;
    Ok(blake3::hash(&bytes).to_hex().to_string())
}

/// Writes a table as Markdown, LaTeX and CSV into `dir/tables`, which is there.
pub(crate) fn table_files(table: &Table, dir: &Path) -> Result<Vec<PathBuf>, ReportError> {
    [("md", table.to_markdown()), ("tex", table.to_latex()), ("csv", table.to_csv())]
        .into_iter()
        .map(|(suffix, text)| text_file(dir, &format!("tables/{}.{suffix}", table.name), &text))
        .collect()
}

/// Writes a figure as SVG and PNG into `dir/figures`, which is there; returns the SVG as well.
pub(crate) fn figure_files(
    figure: &Figure,
    dir: &Path,
) -> Result<(String, [PathBuf; 2]), ReportError> {
    let svg = figure.svg()?;
    let path = text_file(dir, &format!("figures/{}.svg", figure.name), &svg)?;
    let png = PathBuf::from(format!("figures/{}.png", figure.name));
    figure.png(&dir.join(&png))?;
    Ok((svg, [path, png]))
}

/// Writes rows of models that belong to no study, in the columns of a report: `scores_ENDING.parquet` and
/// `items_ENDING.parquet` in `dir`, which is there.
///
/// # Errors
/// A folder that cannot be written, rows that polars cannot take.
pub fn write_scores(
    (scores, items): (&[ScoreRow], &[ItemRow]),
    dir: &Path,
    ending: &str,
) -> Result<[PathBuf; 2], ReportError> {
    let path = |table: &str| dir.join(format!("{table}_{ending}.parquet"));
    let paths = [path(ScoreRow::TABLE), path(ItemRow::TABLE)];
    parquet_file(scores, &paths[0])?;
    parquet_file(items, &paths[1])?;
    Ok(paths)
}

fn parquet<T: Rows>(rows: &[T], dir: &Path) -> Result<PathBuf, ReportError> {
    let name = PathBuf::from(format!("{}.parquet", T::TABLE));
    parquet_file(rows, &dir.join(&name))?;
    Ok(name)
}

fn parquet_file<T: Rows>(rows: &[T], path: &Path) -> Result<(), ReportError> {
    // Encoded in memory: what the system says of a full disk is lost in the encoder's errors.
    let mut bytes = Vec::new();
    T::to_frame(rows)
        .and_then(|mut frame| ParquetWriter::new(&mut bytes).finish(&mut frame))
        .map_err(|e| {
            let (path, reason) = (path.to_path_buf(), e.to_string());
            ReportError::Frame { action: "write", path, reason }
        })?;
    fs::write(path, &bytes).map_err(|e| ReportError::io("write", path, e))
}

pub(crate) fn text_file(dir: &Path, name: &str, text: &str) -> Result<PathBuf, ReportError> {
    let path = dir.join(name);
    fs::write(&path, text).map_err(|e| ReportError::io("write", &path, e))?;
    Ok(PathBuf::from(name))
}

/// `.NAME.new` beside `NAME`.
pub(crate) fn beside(dir: &Path, suffix: &str) -> PathBuf {
    let name = dir.file_name().map_or_else(|| "report".into(), |n| n.to_string_lossy());
    dir.with_file_name(format!(".{name}.{suffix}"))
}

/// Puts the finished folder in the place of the old one.
pub(crate) fn replace(dir: &Path, fresh: &Path) -> Result<(), ReportError> {
    let old = beside(dir, "old");
    recover(dir, &old)?;
    if dir.exists() {
        fs::rename(dir, &old).map_err(|e| ReportError::io("move away", dir, e))?;
    }
    fs::rename(fresh, dir).map_err(|e| ReportError::io("move into place", dir, e))?;
    recover(dir, &old)
}

/// Finishes what an interrupted replacement left: the old folder goes back when there is no other, otherwise its foreign files move to the
/// new folder and the rest of it is removed.
fn recover(dir: &Path, old: &Path) -> Result<(), ReportError> {
    if !old.exists() {
        return Ok(());
    }
    if !dir.exists() {
        return fs::rename(old, dir).map_err(|e| ReportError::io("move back", old, e));
    }
    let owned: Vec<String> = fs::read_to_string(old.join(MANIFEST))
        .ok()
        .and_then(|text| serde_json::from_str::<Manifest>(&text).ok())
        .map(|manifest| manifest.entries)
        .unwrap_or_default();
    let entries = fs::read_dir(old).map_err(|e| ReportError::io("list", old, e))?;
    for entry in entries {
        let entry = entry.map_err(|e| ReportError::io("list", old, e))?;
        let name = entry.file_name();
        let target = dir.join(&name);
        if !owned.iter().any(|o| name == o.as_str()) && !target.exists() {
            fs::rename(entry.path(), &target).map_err(|e| ReportError::io("keep", &target, e))?;
        }
    }
    remove(old)
}

pub(crate) fn remove(path: &Path) -> Result<(), ReportError> {
    match fs::remove_dir_all(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(ReportError::io("remove", path, e))
        }
        _ => Ok(()),
    }
}
