//! How far the paper is reproduced: every table and figure of it, the studies that mirror them with
//! their states, and one page with all of them.
//!
//! What is planned, run and rendered the caller has looked up; this module only sets it beside the
//! paper's numbers.

use std::fs;
use std::path::{Path, PathBuf};

use minijinja::{Environment, Value, context};
use serde::{Deserialize, Serialize};

use crate::analysis::Analysis;
use crate::figures::{self, Figure};
use crate::number::count;
use crate::page::{self, figure_part, table_part};
use crate::paper::{Element, Paper};
use crate::rows::StudyData;
use crate::table::Table;
use crate::write::{Written, beside, figure_files, remove, replace, table_files, text_file};
use crate::{ReportError, tables};

static TEMPLATE: &str = include_str!("../templates/paper.html");

fn is_none(count: &usize) -> bool {
    *count == 0
}

/// A study with one of its profiles, which mirrors elements of the paper.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Mirror {
    /// The study file.
    pub file: String,
    /// Profile laid over it, if any.
    pub profile: Option<String>,
    /// Name of its report.
    pub study: String,
    /// Ids of the elements.
    pub elements: Vec<String>,
    /// How far it has come.
    pub state: MirrorState,
    /// What is wrong with the file.
    pub problem: Option<String>,
    /// An input that is not there: it cannot be run here.
    pub missing: Option<String>,
    /// Variants of the study.
    pub variants: usize,
    /// Seeds of every variant.
    pub seeds: Vec<u64>,
    /// Models of others that it scores.
    #[serde(skip_serializing_if = "is_none")]
    pub externals: usize,
    /// Of these, those whose files are not here.
    #[serde(skip_serializing_if = "is_none")]
    pub absent: usize,
    /// Variants times seeds, and models of others that are here.
    pub runs: usize,
    /// Runs that are scored.
    pub done: usize,
    /// Fewest and most parameters of its variants.
    pub parameters: Option<(u64, u64)>,
    /// Fewest and most training tokens of its variants.
    pub tokens: Option<(u64, u64)>,
    /// When the last of its results was finished, RFC 3339.
    pub finished: Option<String>,
    /// Folder of its report beside that of the page, where there is one.
    pub report: Option<String>,
    /// What became of its claims, where the report says so.
    pub claims: Vec<ClaimSummary>,
    /// Its rows, where anything is scored and the page is to show it.
    #[serde(skip)]
    pub data: Option<StudyData>,
}

/// How far a study has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MirrorState {
    /// The file is wrong.
    #[default]
    Broken,
    /// The file is sound; nothing is scored.
    Planned,
    /// Some runs are scored.
    Started,
    /// Every run has ended.
    Run,
    /// And the report is made from what the store holds.
    Rendered,
}

impl MirrorState {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Broken => "broken",
            Self::Planned => "planned",
            Self::Started => "started",
            Self::Run => "run",
            Self::Rendered => "rendered",
        }
    }
}

/// What became of a claim of a study.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimSummary {
    /// Name of the claim.
    pub id: String,
    /// What is claimed.
    #[serde(default)]
    pub statement: String,
    /// What the results say of it.
    pub verdict: String,
}

/// An element of the paper with the studies that mirror it.
#[derive(Clone, Debug, Serialize)]
pub struct ElementStatus<'a> {
    /// `table-5`.
    pub id: String,
    /// `Table 5`.
    pub place: String,
    /// What it shows.
    pub title: String,
    /// The best state of its studies, or `not-covered`.
    pub state: &'static str,
    /// The studies, those furthest first.
    pub studies: Vec<&'a Mirror>,
}

/// The id of an element that a study file names, `table-5` for `Table 5`; none where there is no such
/// element.
///
/// # Errors
/// Embedded numbers that cannot be read.
pub fn element_id(name: &str) -> Result<Option<String>, ReportError> {
    Ok(Paper::embedded()?.element(name).map(|element| element.id.clone()))
}

/// Whether one of these elements of the paper has a row of this label.
///
/// # Errors
/// Embedded numbers that cannot be read.
pub fn has_row(elements: &[String], label: &str) -> Result<bool, ReportError> {
    let paper = Paper::embedded()?;
    let mut found = elements.iter().filter_map(|id| paper.element(id));
    Ok(found.any(|element| element.row(label).is_some()))
}

/// Every element with the studies that mirror it.
///
/// # Errors
/// Embedded numbers that cannot be read.
pub fn statuses(mirrors: &[Mirror]) -> Result<Vec<ElementStatus<'_>>, ReportError> {
    let paper = Paper::embedded()?;
    Ok(paper.elements().iter().map(|element| status(&paper, element, mirrors)).collect())
}

fn status<'a>(paper: &Paper, element: &Element, mirrors: &'a [Mirror]) -> ElementStatus<'a> {
    let is_this = |id: &String| paper.element(id).is_some_and(|found| found.id == element.id);
    let mut studies: Vec<&Mirror> =
        mirrors.iter().filter(|mirror| mirror.elements.iter().any(is_this)).collect();
    studies.sort_by_key(|mirror| std::cmp::Reverse(mirror.state));
    ElementStatus {
        id: element.id.clone(),
        place: element.place.clone(),
        title: element.title.clone(),
        state: studies.first().map_or("not-covered", |mirror| mirror.state.word()),
        studies,
    }
}

/// Writes the page of the whole paper and its files into `dir`, replacing an earlier one. Links lead
/// to the reports of studies in folders beside `dir`.
///
/// # Errors
/// A folder that cannot be written, rows that polars cannot take, a figure that cannot be drawn.
pub fn write_reproduction(mirrors: &[Mirror], dir: &Path) -> Result<Written, ReportError> {
    let paper = Paper::embedded()?;
    let fresh = beside(dir, "new");
    remove(&fresh)?;
    for folder in ["tables", "figures"] {
        let path = fresh.join(folder);
        fs::create_dir_all(&path).map_err(|e| ReportError::io("create", &path, e))?;
    }
    let analyses: Vec<Option<Analysis<'_>>> = mirrors
        .iter()
        .map(|mirror| mirror.data.as_ref().map(crate::analyse).transpose())
        .collect::<Result<_, _>>()?;
    let mut parts = Parts { dir: &fresh, files: Vec::new() };
    let mut sections = Vec::new();
    let mut overview = Vec::new();
    for element in paper.elements() {
        let status = status(&paper, element, mirrors);
        let theirs = parts.of_paper(element)?;
        let mut studies = Vec::new();
        for mirror in &status.studies {
            let place = mirrors.iter().position(|other| std::ptr::eq(other, *mirror));
            let analysis = place.and_then(|place| analyses[place].as_ref());
            let ours = match analysis {
                Some(analysis) => parts.of_study(analysis, &paper, element, &mirror.study)?,
                None => Vec::new(),
            };
            studies.push(study(mirror, ours));
        }
        overview.push(overview_row(&status));
        sections.push(context! {
            id => element.id.as_str(),
            place => element.place.as_str(),
            title => element.title.as_str(),
            state => status.state,
            theirs => theirs,
            studies => studies,
        });
    }
    let page = render(&paper, mirrors, &overview, &sections)?;
    parts.files.push(text_file(&fresh, "index.html", &page)?);
    let mut files = parts.files;
    files.sort();
    replace(dir, &fresh)?;
    Ok(Written { dir: dir.to_path_buf(), files, claims: Vec::new() })
}

/// Tables and figures as parts of the page, each written to files as well.
struct Parts<'a> {
    dir: &'a Path,
    files: Vec<PathBuf>,
}

impl Parts<'_> {
    fn table(&mut self, table: &Table) -> Result<String, ReportError> {
        self.files.extend(table_files(table, self.dir)?);
        Ok(table_part(table))
    }

    fn figure(&mut self, figure: &Figure) -> Result<String, ReportError> {
        let (svg, files) = figure_files(figure, self.dir)?;
        self.files.extend(files);
        Ok(figure_part(figure, &svg))
    }

    /// The paper's own: its figure, else its table. The many points of a figure are files alone.
    fn of_paper(&mut self, element: &Element) -> Result<Vec<String>, ReportError> {
        let mut parts = Vec::new();
        if let Some(mut figure) = figures::of_paper(element) {
            figure.name = element.id.clone().into();
            parts.push(self.figure(&figure)?);
        }
        if let Some(table) = tables::of_paper(element) {
            let part = self.table(&table)?;
            if element.is_table() {
                parts.push(part);
            }
        }
        Ok(parts)
    }

    /// What a study has of an element: rows beside the paper's, or its figure; else what it found at
    /// all.
    fn of_study(
        &mut self,
        analysis: &Analysis<'_>,
        paper: &Paper,
        element: &Element,
        study: &str,
    ) -> Result<Vec<String>, ReportError> {
        let name = format!("{}-{study}", element.id);
        let mut parts = Vec::new();
        let all = paper.beside(analysis);
        let lined_up = all.iter().find(|beside| beside.element.id == element.id);
        for table in lined_up.map(|b| tables::matched(analysis, b, &name)).unwrap_or_default() {
            parts.push(self.table(&table)?);
        }
        // A ladder with the paper's steps has them on its own rows.
        let ladder = || {
            let lined_up = lined_up.filter(|b| b.is_complete() && !b.element.panels.is_empty());
            lined_up.and_then(|_| figures::headline(analysis, paper))
        };
        if let Some(mut figure) = figures::here(analysis, element).or_else(ladder) {
            figure.name = name.clone().into();
            parts.insert(0, self.figure(&figure)?);
        }
        if parts.is_empty() {
            let mut table = tables::main(analysis);
            table.name = name;
            table.note(match element.is_table() {
                true => "The variants do not correspond to the paper's rows one to one.",
                false => "The study has measured nothing that this figure shows.",
            });
            parts.push(self.table(&table)?);
        }
        Ok(parts)
    }
}

/// An element in the list at the top of the page.
fn overview_row(status: &ElementStatus<'_>) -> Value {
    let study = |mirror: &&Mirror| {
        context! {
            file => mirror.file.as_str(),
            profile => mirror.profile.as_deref(),
            state => mirror.state.word(),
            done => mirror.done as u64,
            runs => mirror.runs as u64,
        }
    };
    context! {
        id => status.id.as_str(),
        place => status.place.as_str(),
        title => status.title.as_str(),
        studies => status.studies.iter().map(study).collect::<Vec<Value>>(),
    }
}

/// A study below an element.
fn study(mirror: &Mirror, parts: Vec<String>) -> Value {
    let claim = |claim: &ClaimSummary| {
        context! {
            id => claim.id.as_str(),
            statement => claim.statement.as_str(),
            verdict => claim.verdict.as_str(),
        }
    };
    context! {
        file => mirror.file.as_str(),
        profile => mirror.profile.as_deref(),
        state => mirror.state.word(),
        words => words(mirror),
        report => mirror.report.as_deref(),
        problem => mirror.problem.as_deref(),
        missing => mirror.missing.as_deref(),
        claims => mirror.claims.iter().map(claim).collect::<Vec<Value>>(),
        parts => parts,
    }
}

/// `5 variants × 3 seeds, 1.62 M parameters, 410 k tokens; 12 of 15 runs scored`.
fn words(mirror: &Mirror) -> String {
    if mirror.variants == 0 {
        return String::new();
    }
    let plural = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
    let mut parts = vec![format!(
        "{} × {}",
        plural(mirror.variants, "variant"),
        plural(mirror.seeds.len(), "seed")
    )];
    parts.extend(mirror.parameters.map(|span| format!("{} parameters", span_words(span))));
    parts.extend(mirror.tokens.map(|span| format!("{} tokens", span_words(span))));
    let mut words = parts.join(", ");
    match mirror.done {
        0 => {}
        done if done < mirror.runs => words += &format!("; {done} of {} runs scored", mirror.runs),
        _ => words += "; all runs scored",
    }
    if let Some(finished) = mirror.finished.as_ref().filter(|_| mirror.done > 0) {
        words += &format!(", the last on {finished}");
    }
    words
}

/// `410 k`, or `410 k to 615 k` where the ends differ by more than a tenth.
fn span_words((low, high): (u64, u64)) -> String {
    let (low, high) = (low as f64, high as f64);
    if high <= 1.1 * low { count(high) } else { format!("{} to {}", count(low), count(high)) }
}

fn render(
    paper: &Paper,
    mirrors: &[Mirror],
    overview: &[Value],
    sections: &[Value],
) -> Result<String, ReportError> {
    let fail = |e: minijinja::Error| ReportError::Page(e.to_string());
    let covered = paper.elements().iter().filter(|element| {
        let studies = status(paper, element, mirrors).studies;
        studies.iter().any(|mirror| mirror.done > 0)
    });
    let introduction = format!(
        "All {} tables and figures of “{}” ({}), drawn from the numbers in data/paper, and what the \
         studies of this project found beside them: {} with results so far. Scales differ by orders \
         of magnitude, so only signs and orderings can be compared, not levels.",
        paper.elements().len(),
        paper.title,
        paper.citation(),
        covered.count(),
    );
    let mut environment = Environment::new();
    environment.add_template("paper.html", TEMPLATE).map_err(fail)?;
    let template = environment.get_template("paper.html").map_err(fail)?;
    template
        .render(context! {
            style => page::STYLE,
            font_regular => page::base64(page::REGULAR),
            font_semibold => page::base64(page::SEMIBOLD),
            introduction => introduction,
            overview => overview,
            sections => sections,
        })
        .map_err(fail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_one_number_where_their_ends_are_close() {
        assert_eq!(span_words((1_000_000, 1_050_000)), "1.05 M");
        assert_eq!(span_words((410_000, 615_000)), "410 k to 615 k");
    }

    #[test]
    fn the_furthest_study_says_how_far_an_element_is() {
        let mirror = |study: &str, state: MirrorState, elements: &[&str]| Mirror {
            study: study.into(),
            state,
            elements: elements.iter().map(|e| (*e).to_string()).collect(),
            ..Mirror::default()
        };
        let mirrors = [
            mirror("a", MirrorState::Planned, &["Table 5", "figure-6"]),
            mirror("b", MirrorState::Rendered, &["table_5", "no-such-thing"]),
        ];
        let all = statuses(&mirrors).unwrap();
        assert_eq!(all.len(), 25);
        let of = |id: &str| all.iter().find(|status| status.id == id).unwrap();
        let names: Vec<&str> = of("table-5").studies.iter().map(|m| m.study.as_str()).collect();
        assert_eq!((of("table-5").state, names), ("rendered", vec!["b", "a"]));
        assert_eq!(of("figure-6").state, "planned");
        assert_eq!(of("figure-1").state, "not-covered");
    }
}
