//! The file beside a table that says where its cells come from.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Evidence, Source, short};
use crate::rows::ResultRecord;
use crate::table::{Cell, Table};

/// Where the cells of a table come from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct TableProvenance {
    /// File stem of the table.
    pub(crate) table: String,
    /// The trained models behind its cells: `VARIANT/SEED` to their results.
    pub(crate) runs: BTreeMap<String, RunProvenance>,
    /// Every cell with something in it, row by row.
    pub(crate) cells: Vec<CellProvenance>,
}

/// A trained and scored model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct RunProvenance {
    /// The last training, whose weights were scored.
    pub(crate) checkpoint: Made,
    /// The evaluation.
    pub(crate) eval: Made,
}

/// A result, and who made it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Made {
    pub(crate) key: String,
    /// Version of the stage.
    pub(crate) version: u32,
    /// blake3 of the recipe.
    pub(crate) recipe: String,
    /// Version and commit of the program.
    pub(crate) program: String,
    pub(crate) host: String,
    pub(crate) backend: String,
}

/// Where a cell comes from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct CellProvenance {
    /// The row's first cell, and its number from 1.
    pub(crate) row: (usize, String),
    /// The column's heading.
    pub(crate) column: String,
    /// As read.
    pub(crate) printed: String,
    /// Unrounded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<f64>,
    /// How the rows became the number.
    pub(crate) estimator: String,
    /// File of the rows.
    pub(crate) file: String,
    /// Which rows of it, as a condition on its columns.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) filter: String,
    /// How many rows these are.
    pub(crate) rows: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) seeds: Vec<u64>,
    /// Items that each model answered.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) items: u64,
    /// blake3 over what was asked, the same for every model behind the cell; empty without items.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) asked: String,
    /// The models, as `VARIANT/SEED`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) runs: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl TableProvenance {
    pub(crate) fn of(table: &Table, evidence: &Evidence<'_>) -> Self {
        let mut cells = Vec::new();
        for (r, row) in table.rows.iter().enumerate() {
            let label = row.cells.first().map(|cell| cell.text.clone()).unwrap_or_default();
            for (cell, column) in row.cells.iter().zip(&table.columns) {
                if let Some(source) = &cell.source {
                    let place = ((r + 1, label.clone()), column.heading());
                    cells.push(self::cell(place, cell, source, evidence));
                }
            }
        }
        let used: BTreeSet<&String> = cells.iter().flat_map(|cell| &cell.runs).collect();
        let runs = used.into_iter().filter_map(|id| Some((id.clone(), run(id, evidence)?)));
        Self { table: table.name.clone(), runs: runs.collect(), cells }
    }

    /// As it is saved: a line for every run and every cell.
    pub(crate) fn to_text(&self) -> Result<String, serde_json::Error> {
        let runs = self
            .runs
            .iter()
            .map(|(id, run)| {
                let (id, run) = (serde_json::to_string(id)?, serde_json::to_string(run)?);
                Ok(format!("    {id}: {run}"))
            })
            .collect::<Result<Vec<String>, serde_json::Error>>()?;
        let cells = self
            .cells
            .iter()
            .map(|cell| Ok(format!("    {}", serde_json::to_string(cell)?)))
            .collect::<Result<Vec<String>, serde_json::Error>>()?;
        Ok(format!(
            "{{\n  \"table\": {},\n  \"runs\": {{\n{}\n  }},\n  \"cells\": [\n{}\n  ]\n}}\n",
            serde_json::to_string(&self.table)?,
            runs.join(",\n"),
            cells.join(",\n"),
        ))
    }
}

fn cell(
    (row, column): ((usize, String), String),
    cell: &Cell,
    source: &Source,
    evidence: &Evidence<'_>,
) -> CellProvenance {
    let mut found = CellProvenance {
        row,
        column,
        printed: cell.printed(),
        value: cell.value,
        estimator: source.estimator.clone(),
        file: source.file.clone(),
        ..CellProvenance::default()
    };
    if source.file.contains('/') {
        return found;
    }
    found.file = format!("{}.parquet", source.file);
    found.filter = filter(source);
    let mut seeds = BTreeSet::new();
    let mut asked = BTreeSet::new();
    for variant in &source.variants {
        let own = if source.file == "scores" {
            let own = evidence.seeds(variant, &source.scores);
            found.rows += (own.len() * source.scores.len()) as u64;
            own
        } else {
            let (own, rows) = evidence.rows(&source.file, variant);
            found.rows += rows;
            own
        };
        for seed in &own {
            found.runs.push(format!("{variant}/{seed}"));
            let mut items = 0;
            let mut digests = String::new();
            for (benchmark, language, _) in &source.scores {
                if let Some(of) = evidence.fingerprint(variant, *seed, (benchmark, language)) {
                    items += of.items;
                    digests += &of.digest;
                }
            }
            found.items = found.items.max(items);
            asked.extend((items > 0).then(|| short(&digests)));
        }
        seeds.extend(own);
    }
    found.seeds = seeds.into_iter().collect();
    found.asked = asked.into_iter().collect::<Vec<_>>().join("+");
    found
}

/// A condition on the columns of the rows' file.
fn filter(source: &Source) -> String {
    let column = if source.file == "variants" { "name" } else { "variant" };
    let mut parts = Vec::new();
    match source.variants.as_slice() {
        [] => {}
        [one] => parts.push(format!("{column} = {one:?}")),
        several => parts.push(format!("{column} in {several:?}")),
    }
    match source.scores.as_slice() {
        [] => {}
        [(benchmark, language, metric)] => {
            parts.push(format!(
                "benchmark = {benchmark:?} and language = {language:?} and metric = {metric:?}"
            ));
        }
        several if several.iter().all(|(benchmark, ..)| benchmark == "validation") => {
            parts.push("metric = \"bits_per_byte\"".to_string());
        }
        _ => parts.push("primary and benchmark <> \"validation\"".to_string()),
    }
    parts.join(" and ")
}

fn run(id: &str, evidence: &Evidence<'_>) -> Option<RunProvenance> {
    let provenance = &evidence.data.provenance;
    let (variant, seed) = id.rsplit_once('/')?;
    let seed: u64 = seed.parse().ok()?;
    let run = provenance.runs.iter().find(|run| run.variant == variant && run.seed == seed)?;
    let made = |key: Option<&String>| {
        let record = provenance.results.iter().find(|record| Some(&record.key) == key);
        record.map(Made::of).unwrap_or_default()
    };
    Some(RunProvenance { checkpoint: made(run.train.last()), eval: made(Some(&run.eval)) })
}

impl Made {
    fn of(record: &ResultRecord) -> Self {
        Self {
            key: record.key.clone(),
            version: record.version,
            recipe: record.recipe.clone(),
            program: record.program.clone(),
            host: record.host.clone(),
            backend: record.backend.clone(),
        }
    }
}
