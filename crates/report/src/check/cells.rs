//! A table's files against the table, cell by cell.

use std::fs;
use std::path::Path;

use super::{Finding, Reason};
use crate::provenance::CellProvenance;
use crate::table::Table;

/// How far two unrounded numbers may be apart, relatively, and count as equal: the mathematical functions
/// of two machines differ in their last digits.
const SAME: f64 = 1e-9;

/// What differs between a table and its Markdown, LaTeX and CSV in a report's folder; `why` says of a file
/// whether it was edited.
pub(super) fn differences(dir: &Path, table: &Table, why: &dyn Fn(&str) -> Reason) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut file = |suffix: &str, wanted: String, split: fn(&str) -> Option<Vec<String>>| {
        let name = format!("tables/{}.{suffix}", table.name);
        match fs::read_to_string(dir.join(&name)) {
            Ok(found) if found == wanted => {}
            Ok(found) => {
                let of = Compared { table, name: &name, reason: why(&name) };
                findings.extend(of.lines(&found, &wanted, split));
            }
            Err(_) => findings.push(Finding::new(
                Reason::Missing,
                &name,
                "the rows give this table, and the file is not there",
            )),
        }
    };
    file("md", table.to_markdown(), markdown);
    file("tex", table.to_latex(), latex);
    file("csv", table.to_csv(), csv);
    findings
}

struct Compared<'a> {
    table: &'a Table,
    name: &'a str,
    reason: Reason,
}

impl Compared<'_> {
    fn lines(
        &self,
        found: &str,
        wanted: &str,
        split: fn(&str) -> Option<Vec<String>>,
    ) -> Vec<Finding> {
        let heads: Vec<String> = match self.name.ends_with(".csv") {
            true => wanted.lines().next().and_then(split).unwrap_or_default(),
            false => self.table.columns.iter().map(crate::table::Column::heading).collect(),
        };
        let mut findings = Vec::new();
        let (found, wanted): (Vec<&str>, Vec<&str>) =
            (found.lines().collect(), wanted.lines().collect());
        if found.len() != wanted.len() {
            findings.push(Finding::new(
                self.reason,
                format!("{} as a whole", self.name),
                format!("it has {} lines; the rows give {}", found.len(), wanted.len()),
            ));
        }
        // The first line with cells is the heading; a rule of Markdown has cells and is none.
        let mut row: Option<usize> = None;
        for (place, (found, wanted)) in found.iter().zip(&wanted).enumerate() {
            let cells = split(wanted).filter(|cells| cells.len() == heads.len());
            let cells = cells.filter(|_| !wanted.starts_with("| :") && !wanted.starts_with("| -"));
            let Some(cells) = cells else {
                if found != wanted {
                    findings.push(self.line(place, found, wanted));
                }
                continue;
            };
            let current = row.map_or(0, |row| row + 1);
            row = Some(current);
            if found == wanted {
                continue;
            }
            match split(found).filter(|found| found.len() == cells.len()) {
                Some(found) => {
                    let pairs = found.iter().zip(&cells).zip(&heads);
                    findings.extend(pairs.filter(|((found, wanted), _)| !same(found, wanted)).map(
                        |((found, wanted), head)| {
                            Finding::new(
                                self.reason,
                                format!("{} [{}, {head}]", self.name, self.label(current)),
                                format!("printed {found}, recomputed {wanted}"),
                            )
                        },
                    ));
                }
                None => findings.push(self.line(place, found, wanted)),
            }
        }
        findings
    }

    fn line(&self, place: usize, found: &str, wanted: &str) -> Finding {
        Finding::new(
            self.reason,
            format!("{} line {}", self.name, place + 1),
            format!("printed {:?}, recomputed {:?}", found.trim(), wanted.trim()),
        )
    }

    /// The label of a row, counted from the heading.
    fn label(&self, row: usize) -> String {
        let Some(row) = row.checked_sub(1) else { return "heading".to_string() };
        let label = self.table.rows.get(row).and_then(|row| row.cells.first());
        match label.map(|cell| cell.text.as_str()) {
            Some(text) if !text.is_empty() => text.to_string(),
            _ => format!("{}", row + 1),
        }
    }
}

/// Whether two fields are the same, numbers up to rounding.
fn same(found: &str, wanted: &str) -> bool {
    if found == wanted {
        return true;
    }
    match (found.parse::<f64>(), wanted.parse::<f64>()) {
        // Only what is written with all its digits may differ in the last of them.
        (Ok(a), Ok(b)) if wanted.len() > 12 => near(a, b),
        _ => false,
    }
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= SAME * a.abs().max(b.abs())
}

/// Whether two records of a cell say the same, numbers up to rounding.
pub(super) fn same_provenance(found: &CellProvenance, wanted: &CellProvenance) -> bool {
    let value = match (found.value, wanted.value) {
        (Some(a), Some(b)) => near(a, b),
        (a, b) => a.is_none() == b.is_none(),
    };
    let rest = CellProvenance { value: wanted.value, ..found.clone() };
    value && rest == *wanted
}

/// The cells of a line of a Markdown table.
fn markdown(line: &str) -> Option<Vec<String>> {
    let inner = line.strip_prefix("| ")?.strip_suffix(" |")?;
    // A bar inside a cell has a backslash before it.
    Some(inner.split(" | ").map(str::to_string).collect())
}

/// The cells of a line of a LaTeX table.
fn latex(line: &str) -> Option<Vec<String>> {
    let inner = line.strip_prefix("    ")?.strip_suffix(" \\\\")?;
    // An ampersand inside a cell has a backslash before it.
    Some(inner.split(" & ").map(str::to_string).collect())
}

/// The fields of a line of CSV.
fn csv(line: &str) -> Option<Vec<String>> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        let last = fields.last_mut()?;
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                last.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            other => last.push(other),
        }
    }
    Some(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_apart_as_they_were_put_together() {
        assert_eq!(csv(r#"a,"b, ""c""",,1.5"#).unwrap(), ["a", "b, \"c\"", "", "1.5"]);
        assert_eq!(markdown(r"| a \| b | 1 |").unwrap(), [r"a \| b", "1"]);
        assert_eq!(latex(r"    a \& b & 1 \\").unwrap(), [r"a \& b", "1"]);
        assert_eq!(latex(r"    \midrule"), None);
    }

    #[test]
    fn only_the_last_digits_of_unrounded_numbers_may_differ() {
        assert!(same("33.63784461152882", "33.637844611528824"));
        assert!(!same("33.63784561152882", "33.637844611528824"));
        assert!(!same("33.6", "33.7"));
        assert!(!same("70048", "70049"));
        assert!(!same("", "33.637844611528824"));
    }
}
