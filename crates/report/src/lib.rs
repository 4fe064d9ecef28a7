//! Rows in, tables, figures and pages out.
//!
//! A study's rows ([`StudyData`]) become polars frames that are saved as parquet, one table intermediate form ([`Table`]) that is rendered to
//! Markdown, LaTeX, CSV, HTML and plain text, figures drawn by plotters as SVG and PNG, and one self-contained page. [`write`] makes a
//! report and judges the study's claims, [`read`] takes its rows back, [`compare`] sets two variants or two studies side by side, [`headline`] is the short table
//! after a run.
//!
//! This crate is the only one that knows polars and plotters. It deliberately does not train, score or decide anything about models, knows
//! nothing of the store or of burn, prints nothing, reads no clock and no environment: the same rows give the same bytes. All statistics
//! come from `ablate-stats`.

mod analysis;
mod check;
mod claims;
mod compare;
mod error;
mod figures;
mod findings;
mod frames;
mod number;
mod page;
mod paper;
mod provenance;
mod read;
mod render;
mod reproduction;
mod rows;
mod table;
mod tables;
mod why;
mod write;

pub use check::{Checked, Finding, Reason, check};
pub use claims::{ClaimRow, ClaimTest, Compared, Enough, Expectation, JudgedClaim, Judgement};
pub use compare::{
    Adjustment, Bootstrap, Comparison, OtherTests, Pair, Quantity, ScoreDifference, Scored,
    Selection, Settings, compare, compare_with,
};
pub use error::ReportError;
pub use number::{count, duration, fixed, grouped, si, si_unit, signed};
pub use page::{REGULAR, SEMIBOLD, STYLE};
pub use provenance::Source;
pub use read::{entries, read, sources};
pub use reproduction::{
    ClaimSummary, ElementStatus, Mirror, MirrorState, element_id, has_row, statuses,
    write_reproduction,
};
pub use rows::{
    AcceptedRow, AxisInfo, BatchLossRow, CoverageRow, CurveRow, ExternalRow, ExternalShape,
    InfluenceRow, ItemRow, LedgerRow, MaskShare, Params, ProgressRow, Provenance, ResultRecord,
    RunRecord, ScoreRow, SkipRow, SpreadRow, StudyData, StudyInfo, TokenizerRow, VariantRow,
    VisitRow,
};
pub use table::{Align, Cell, Column, Mark, Row, Table};
pub use why::why;
pub use write::{Written, write, write_scores};

/// The rows, digested; a failure is one of polars, which has no file to name here.
fn analyse(data: &StudyData) -> Result<analysis::Analysis<'_>, ReportError> {
    analysis::Analysis::of(data).map_err(|e| ReportError::Query(e.to_string()))
}

/// Every table of a report of these rows.
fn tables(data: &StudyData) -> Result<Vec<Table>, ReportError> {
    let paper = paper::Paper::embedded()?;
    let analysis = analyse(data)?;
    let claims = claims::judge(&analysis, &paper);
    tables::all(&analysis, &paper, &claims).map_err(|e| ReportError::Query(e.to_string()))
}

/// The short table after a run: size, headline number and difference of every variant.
///
/// # Errors
/// Rows that polars cannot take.
pub fn headline(data: &StudyData) -> Result<Table, ReportError> {
    Ok(tables::short(&analyse(data)?))
}

/// What the tokenizers cover and how long their tokens are, before anything is trained.
///
/// # Errors
/// Rows that polars cannot take.
pub fn tokenizers(data: &StudyData) -> Result<Table, ReportError> {
    Ok(tables::tokenizers(&analyse(data)?))
}

#[cfg(test)]
extern crate self as ablate_report;
#[cfg(test)]
#[path = "../tests/synthetic/mod.rs"]
mod synthetic;
