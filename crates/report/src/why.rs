//! The chain behind a cell: estimator, rows, evaluations, trainings, and what these were made of.

use std::collections::BTreeMap;

use crate::ReportError;
use crate::provenance::{Evidence, TableProvenance};
use crate::rows::{ResultRecord, StudyData};
use crate::table::Table;

/// The chain behind `TABLE[ROW,COLUMN]` as text; the row is a label or its number from 1, the column a
/// heading (with or without its unit) or its number from 1.
///
/// # Errors
/// A cell that is not there, with what was probably meant; rows that polars cannot take.
pub fn why(data: &StudyData, cell: &str) -> Result<String, ReportError> {
    let tables = crate::tables(data)?;
    let (table, row, column) = find(&tables, cell).map_err(ReportError::NoCell)?;
    let evidence = Evidence::of(data);
    let provenance = TableProvenance::of(table, &evidence);
    let label = table.rows[row].cells[0].text.clone();
    let heading = table.columns[column].heading();
    let shown = &table.rows[row].cells[column];
    let mut out = format!("{}[{label}, {heading}] = {}\n", table.name, shown.printed());
    // A heading may stand twice; the value tells them apart as far as it matters.
    let of = provenance
        .cells
        .iter()
        .find(|c| c.row.0 == row + 1 && c.column == heading && c.printed == shown.printed());
    let Some(of) = of else {
        out += "  a label, or nothing: no number was computed\n";
        return Ok(out);
    };
    if let Some(value) = of.value {
        out += &format!("  unrounded  {value}");
        if let Some((low, high)) = shown.interval {
            out += &format!(" [{low}, {high}]");
        }
        out.push('\n');
    }
    out += &format!("  estimator  {}\n", of.estimator);
    out += &format!("  rows       {} of {}", of.rows, of.file);
    out += &if of.filter.is_empty() { "\n".to_string() } else { format!(" where {}\n", of.filter) };
    if of.items > 0 {
        out += &format!("  items      {} for each model, asked {}\n", of.items, of.asked);
    }
    if of.runs.is_empty() {
        if let Some(sources) = plain(data, &of.file) {
            out += &sources;
        }
        return Ok(out);
    }
    out += "  models\n";
    let results: BTreeMap<&str, &ResultRecord> =
        data.provenance.results.iter().map(|r| (r.key.as_str(), r)).collect();
    let mut told = Vec::new();
    for id in &of.runs {
        out += &format!("    {id}\n");
        let run = id.rsplit_once('/').and_then(|(variant, seed)| {
            let is =
                |r: &&crate::rows::RunRecord| r.variant == variant && r.seed.to_string() == seed;
            data.provenance.runs.iter().find(is)
        });
        match run {
            Some(run) => chain(&results, &run.eval, 3, &mut told, &mut out),
            None => out += "      the report does not say what it was made from\n",
        }
    }
    Ok(out)
}

/// A result, then what it was made of, each result once.
fn chain(
    results: &BTreeMap<&str, &ResultRecord>,
    key: &str,
    depth: usize,
    told: &mut Vec<String>,
    out: &mut String,
) {
    let indent = "  ".repeat(depth);
    let Some(result) = results.get(key) else {
        *out += &format!("{indent}{} (not finished when the report was written)\n", short(key));
        return;
    };
    let name = format!("{} {} {}", result.stage, result.name, result.short());
    if told.iter().any(|known| known == key) {
        *out += &format!("{indent}{name} (above)\n");
        return;
    }
    told.push(key.to_string());
    let parts = [
        format!("version {}", result.version),
        format!("recipe {}", short(&result.recipe)),
        result.backend.clone(),
        result.program.clone(),
        if result.host.is_empty() { String::new() } else { format!("on {}", result.host) },
        result.finished.clone(),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    *out += &format!("{indent}{name}: {}\n", parts.join(", "));
    for input in result.inputs.values() {
        chain(results, input, depth + 1, told, out);
    }
}

/// What is known of numbers that no single model stands for.
fn plain(data: &StudyData, file: &str) -> Option<String> {
    let stages: &[&str] = match file {
        "tokenizers.parquet" => &["tokenizer", "compact", "shards"],
        "variants.parquet" => &["shards", "train"],
        _ => return None,
    };
    let results = data.provenance.results.iter().filter(|r| stages.contains(&r.stage.as_str()));
    let lines: Vec<String> = results
        .map(|r| {
            let host = if r.host.is_empty() { String::new() } else { format!(" on {}", r.host) };
            format!("    {} {} {}: {}{host}\n", r.stage, r.name, r.short(), r.program)
        })
        .collect();
    Some(format!(
        "  made from  the resolved study (shapes and counts), and measured in\n{}",
        lines.concat()
    ))
}

fn short(key: &str) -> &str {
    key.get(..12).unwrap_or(key)
}

/// The table, row and column that are meant, or why there are none.
fn find<'a>(tables: &'a [Table], cell: &str) -> Result<(&'a Table, usize, usize), String> {
    let form = "a cell is written as 'main[Baseline,Average (%)]'; rows and columns may be numbers";
    let parts =
        cell.split_once('[').and_then(|(table, rest)| Some((table, rest.strip_suffix(']')?)));
    let Some((name, inside)) = parts else { return Err(format!("`{cell}` is no cell: {form}")) };
    let names: Vec<&str> = tables.iter().map(|t| t.name.as_str()).collect();
    let Some(table) = tables.iter().find(|t| t.name == name.trim()) else {
        return Err(unknown("table", name.trim(), &names));
    };
    let labels: Vec<&str> =
        table.rows.iter().map(|r| r.cells.first().map_or("", |c| c.text.as_str())).collect();
    let headings: Vec<String> = table.columns.iter().map(|c| c.heading()).collect();
    let row = |text: &str| {
        let number = text.parse::<usize>().ok().and_then(|n| n.checked_sub(1));
        let labelled = labels.iter().position(|label| !label.is_empty() && *label == text);
        labelled.or(number.filter(|n| *n < labels.len()))
    };
    let column = |text: &str| {
        let number = text.parse::<usize>().ok().and_then(|n| n.checked_sub(1));
        let headed = headings.iter().position(|heading| heading == text);
        let titled = table.columns.iter().position(|c| c.title == text);
        headed.or(titled).or(number.filter(|n| *n < headings.len()))
    };
    // Labels and headings may hold commas: any of them may be the one between.
    let cuts: Vec<(&str, &str)> = inside
        .match_indices(',')
        .map(|(at, _)| (inside[..at].trim(), inside[at + 1..].trim()))
        .collect();
    if cuts.is_empty() {
        return Err(format!("`{cell}` has no comma between row and column: {form}"));
    }
    if let Some(found) = cuts.iter().find_map(|(r, c)| Some((row(r)?, column(c)?))) {
        return Ok((table, found.0, found.1));
    }
    let headings: Vec<&str> = headings.iter().map(String::as_str).collect();
    match cuts.iter().find(|(r, _)| row(r).is_some()) {
        Some((_, c)) => Err(unknown("column", c, &headings)),
        None => {
            let known: Vec<&str> = labels.iter().copied().filter(|l| !l.is_empty()).collect();
            // With a known column the rest is the row.
            let cut = cuts.iter().find(|(_, c)| column(c).is_some()).unwrap_or(&cuts[0]);
            Err(unknown("row", cut.0, &known))
        }
    }
}

fn unknown(what: &str, name: &str, known: &[&str]) -> String {
    let advice = ablate_suggestion::advice(name, "there are", known);
    match advice {
        Some(advice) => format!("there is no {what} `{name}`; {advice}"),
        None => format!("there is no {what} `{name}`"),
    }
}
