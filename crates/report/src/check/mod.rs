//! Whether a report is what its rows say, and its rows are what they were read from.
//!
//! Every table is made again in memory from the saved rows and compared with the files cell by cell; scores are
//! computed again from their items; every model must have been asked the same by the same version of the
//! evaluation; no seed may be missing. Where the results themselves are at hand (`fresh`, rows read from them
//! anew), the saved rows are compared with those.

mod cells;
mod rows;
mod versions;

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Component, Path};

use crate::ReportError;
use crate::provenance::{Evidence, TableProvenance};
use crate::read::{manifest, read};
use crate::rows::StudyData;
use crate::table::Table;
use crate::write::{MANIFEST, Manifest, checksum, provenance_file};

/// Why a report is not what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// A file is not as it was written.
    Edited,
    /// A file that belongs to the report is not there.
    Missing,
    /// A table, or a row, is older than what it comes from.
    Stale,
    /// A seed of the study has no rows, and no failure that says why.
    DeletedSeed,
    /// Models were asked different things, or by different versions of the evaluation.
    MixedVersions,
    /// A score is not what its items come to.
    Inconsistent,
}

impl Reason {
    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Edited => "edited by hand",
            Self::Missing => "missing",
            Self::Stale => "stale",
            Self::DeletedSeed => "deleted seed",
            Self::MixedVersions => "mixed evaluation versions",
            Self::Inconsistent => "not what its items say",
        }
    }
}

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Why it is wrong.
    pub reason: Reason,
    /// Where: a cell, a row, a file.
    pub place: String,
    /// What is there and what should be.
    pub what: String,
}

impl Finding {
    fn new(reason: Reason, place: impl Into<String>, what: impl Into<String>) -> Self {
        Self { reason, place: place.into(), what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.place, self.reason.words(), self.what)
    }
}

/// What was compared, and what came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Tables that were made again.
    pub tables: usize,
    /// Cells of them, labels included.
    pub cells: usize,
    /// Everything that is wrong; nothing where all is well.
    pub findings: Vec<Finding>,
    /// What could not be compared, and why.
    pub notes: Vec<String>,
}

/// Compares the report in `dir` with its rows, and these with `fresh` ones where there are any.
///
/// # Errors
/// A folder without a report, rows that polars cannot take.
pub fn check(dir: &Path, fresh: Option<&StudyData>) -> Result<Checked, ReportError> {
    let manifest = manifest(dir)?;
    let mut checked = Checked::default();
    let changed = files(dir, &manifest, &mut checked);
    let data = match read(dir) {
        Ok(data) => data,
        // A missing or broken file is what is looked for; which one is among the findings.
        Err(error) if !checked.findings.is_empty() => {
            checked
                .notes
                .push(format!("the rows cannot be read, so no table was made again: {error}"));
            return Ok(checked);
        }
        Err(error) => return Err(error),
    };
    let tables = crate::tables(&data)?;
    checked.tables = tables.len();
    checked.cells = tables.iter().map(|t| t.rows.len() * t.columns.len()).sum();
    for table in &tables {
        let found = cells::differences(dir, table, &|file| match changed.contains(file) {
            true => Reason::Edited,
            false => Reason::Stale,
        });
        checked.findings.extend(found);
    }
    let analysis = crate::analyse(&data)?;
    let accepted = (0..data.variants.len()).filter_map(|variant| analysis.accepted(variant));
    checked.notes.extend(accepted);
    let evidence = Evidence::of(&data);
    if !manifest.files.is_empty() {
        provenance(dir, &tables, &evidence, &mut checked)?;
    }
    checked.findings.extend(rows::deleted_seeds(&data));
    checked.findings.extend(rows::inconsistent(&data));
    checked.findings.extend(versions::mixed(&data, &evidence));
    if let Some(fresh) = fresh {
        let stale = rows::stale(&data, fresh, &mut checked.notes);
        if !stale.is_empty() && rows::comparable(&data, fresh) {
            // Which cells would change.
            for table in &crate::tables(fresh)? {
                checked.findings.extend(cells::differences(dir, table, &|_| Reason::Stale));
            }
        }
        checked.findings.extend(stale);
    }
    // A file whose cells are named needs no line of its own.
    let findings = std::mem::take(&mut checked.findings);
    let told = |file: &str| findings.iter().any(|f| f.place.starts_with(&format!("{file} ")));
    let mut kept: Vec<Finding> = findings
        .iter()
        .filter(|f| !changed.contains(&f.place) || !told(&f.place))
        .cloned()
        .collect();
    kept.dedup();
    checked.findings = kept;
    Ok(checked)
}

/// Compares every file with its checksum. Returns those that differ.
fn files(dir: &Path, manifest: &Manifest, checked: &mut Checked) -> BTreeSet<String> {
    let mut changed = BTreeSet::new();
    if manifest.files.is_empty() {
        checked.notes.push(format!(
            "{MANIFEST} has no checksums (the report is of an earlier version): only tables and rows \
             were compared"
        ));
    }
    for (file, wanted) in &manifest.files {
        let path = dir.join(file);
        if !Path::new(file).components().all(|part| matches!(part, Component::Normal(_))) {
            // A report of others may say anything.
            let what = "a name in study.json that leads out of the report";
            checked.findings.push(Finding::new(Reason::Edited, file, what));
            continue;
        }
        if !path.is_file() {
            checked.findings.push(Finding::new(
                Reason::Missing,
                file,
                "the report was written with this file",
            ));
            changed.insert(file.clone());
        } else if checksum(&path).ok().as_ref() != Some(wanted) {
            checked.findings.push(Finding::new(
                Reason::Edited,
                file,
                "its bytes are not those that were written",
            ));
            changed.insert(file.clone());
        }
    }
    changed
}

/// Compares what the report says of where its cells come from.
fn provenance(
    dir: &Path,
    tables: &[Table],
    evidence: &Evidence<'_>,
    checked: &mut Checked,
) -> Result<(), ReportError> {
    for table in tables {
        let file = provenance_file(&table.name);
        let Ok(text) = std::fs::read_to_string(dir.join(&file)) else {
            // With a checksum it is among the findings.
            continue;
        };
        let Ok(found) = serde_json::from_str::<TableProvenance>(&text) else {
            checked.findings.push(Finding::new(
                Reason::Edited,
                &file,
                "it is no provenance any more",
            ));
            continue;
        };
        let wanted = TableProvenance::of(table, evidence);
        let lines = found.cells.iter().zip(&wanted.cells);
        let wrong = lines
            .filter(|(found, wanted)| !cells::same_provenance(found, wanted))
            .map(|(_, wanted)| format!("[{}, {}]", wanted.row.1, wanted.column))
            .next();
        let wrong = wrong
            .or_else(|| (found.cells.len() != wanted.cells.len()).then(|| "its list".to_string()))
            .or_else(|| (found.runs != wanted.runs).then(|| "its runs".to_string()));
        if let Some(wrong) = wrong {
            checked.findings.push(Finding::new(
                Reason::Stale,
                format!("{file} {wrong}"),
                "the rows say something else of where it comes from",
            ));
        }
    }
    Ok(())
}
