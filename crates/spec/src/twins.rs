//! Warns of variants that come out the same.
//!
//! A grid has combinations in which one of its paths makes no difference, as the power of a
//! learning-rate rule does at the batch size where the rule begins: they share one result, and
//! nobody wrote them by mistake. There only a value that changes nothing anywhere is worth a
//! warning.

use std::collections::HashMap;

use crate::design::Draft;
use crate::reporter::Reporter;
use crate::tree::{Node, Table};
use crate::{Design, Variant};

/// The first of the variants that are this one but for the names; `None` where something was reported.
type First = Option<usize>;

/// Warns of what makes no difference.
pub(crate) fn warn(
    document: &Table,
    design: Design,
    drafts: &[Draft],
    variants: &[Option<Variant>],
    report: &mut Reporter,
) {
    let blank = |variant: &Variant| {
        let (name, label, delta) = (String::new(), String::new(), Vec::new());
        Variant { name, label, delta, held: None, ..variant.clone() }
    };
    let spoilt = |draft: &Draft| draft.delta.entries.iter().any(|entry| entry.node.is_spoilt());
    // Settings have no hash of their own (they hold fractions); their whole text stands for them.
    let mut seen = HashMap::new();
    let firsts: Vec<First> = drafts
        .iter()
        .zip(variants)
        .enumerate()
        .map(|(index, (draft, variant))| {
            let plain = variant.as_ref().filter(|_| !spoilt(draft)).map(blank)?;
            Some(*seen.entry(format!("{plain:?}")).or_insert(index))
        })
        .collect();
    match document.table("design").and_then(|table| table.table("grid")) {
        Some(grid) if design == Design::Grid && grid.entries.len() > 1 => {
            values(grid, &firsts, report);
        }
        _ => pairs(drafts, &firsts, report),
    }
}

/// Every variant that equals an earlier one.
fn pairs(drafts: &[Draft], firsts: &[First], report: &mut Reporter) {
    for (index, first) in firsts.iter().enumerate() {
        if let Some(twin) = first.filter(|first| *first != index) {
            let (name, other) = (&drafts[index].name, &drafts[twin].name);
            let what = format!("variant `{name}` is the same as `{other}`");
            let why = "nothing that it sets makes a difference".to_string();
            report.warning(&drafts[index].at, what, why, None);
        }
    }
}

/// Every value of a grid that comes out as an earlier one of its path does, whatever the other paths
/// have.
fn values(grid: &Table, firsts: &[First], report: &mut Reporter) {
    let axes: Vec<(&str, &[Node])> =
        grid.entries.iter().filter_map(|e| Some((e.key.as_str(), e.node.array()?))).collect();
    if axes.iter().map(|(_, values)| values.len()).product::<usize>() != firsts.len() {
        return;
    }
    // The first path is the slowest.
    let mut stride = firsts.len();
    for (path, values) in axes {
        let block = stride;
        stride /= values.len().max(1);
        let of = |value: usize| {
            let starts = (0..firsts.len()).step_by(block.max(1));
            starts.flat_map(move |start| {
                let first = start + value * stride;
                &firsts[first..first + stride]
            })
        };
        let same = |one: usize, other: usize| {
            of(one).zip(of(other)).all(|(one, other)| one.is_some() && one == other)
        };
        for (index, value) in values.iter().enumerate() {
            if let Some(twin) = (0..index).find(|earlier| same(*earlier, index)) {
                let (text, other) = (value.text(), values[twin].text());
                let what = format!("`{path}` = {text} comes out the same as {other} everywhere");
                let why = "makes no difference in any variant".to_string();
                report.warning(&value.at, what, why, None);
            }
        }
    }
}
