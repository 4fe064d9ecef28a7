//! What was claimed, what is measured here, and what the paper measured.

use crate::claims::{JudgedClaim, Judgement, expected, to_tell};
use crate::number::{MISSING, fixed};
use crate::table::{Cell, Column, Table};

/// The table, where anything is claimed: a row for each test, claims separated by rules.
pub(crate) fn claims(claims: &[JudgedClaim]) -> Option<Table> {
    if claims.is_empty() {
        return None;
    }
    let mut table = Table::new(
        "claims",
        "What is claimed, what is measured here, and what the paper measured.",
        vec![
            Column::text("Claim"),
            Column::text("Expected"),
            Column::text("Verdict"),
            Column::number("p of the claim"),
            Column::text("Compared"),
            Column::text("Metric"),
            Column::number("Here"),
            Column::number("p"),
            Column::number("Paper"),
            Column::text("Enough at 80% power"),
        ],
    );
    for claim in claims {
        for row in rows(claim).into_iter().enumerate() {
            match row {
                (0, cells) => table.push_below_rule(cells),
                (_, cells) => table.push(cells),
            }
        }
    }
    notes(&mut table, claims);
    table.drop_empty_columns();
    Some(table)
}

fn rows(claim: &JudgedClaim) -> Vec<Vec<Cell>> {
    let mut statement = format!("{}: {}", claim.id, claim.statement);
    if claim.statement == claim.expect {
        statement = claim.id.clone();
    }
    if !claim.source.is_empty() {
        statement += &format!(" ({})", claim.source);
    }
    let verdict = Cell::text(claim.verdict.words()).note(claim.reason.clone());
    let head = vec![
        Cell::text(statement),
        Cell::text(expected(claim)),
        if claim.fails() {
            Cell { text: format!("{} (required)", verdict.text), ..verdict }
        } else {
            verdict
        },
        probability(claim.p_adjusted),
    ];
    if claim.tests.is_empty() {
        let mut cells = head;
        cells.extend([Cell::text(MISSING), Cell::text(&claim.metric)]);
        cells.extend([Cell::missing(), Cell::missing(), Cell::missing(), Cell::text(MISSING)]);
        return vec![cells];
    }
    let metric = if claim.unit.is_empty() {
        claim.metric.clone()
    } else {
        format!("{}, {}", claim.metric, claim.unit)
    };
    let remark = (!claim.remarks.is_empty()).then(|| claim.remarks.join(" "));
    claim
        .tests
        .iter()
        .enumerate()
        .map(|(i, test)| {
            let mut cells =
                if i == 0 { head.clone() } else { vec![Cell::text(String::new()); head.len()] };
            let paper = match test.paper {
                Some(value) => Cell::difference(value, 2).between(test.paper_interval, 2),
                None => Cell::missing(),
            };
            cells.extend([
                Cell::text(test.compared()),
                Cell::text(&metric),
                Cell::difference(test.value, claim.digits)
                    .between(test.interval, claim.digits)
                    .note(test.note.clone()),
                probability(Some(test.p)),
                paper.note(remark.clone().filter(|_| i == 0)),
                Cell::text(to_tell(test).unwrap_or_else(|| MISSING.into())),
            ]);
            cells
        })
        .collect()
}

fn probability(p: Option<f64>) -> Cell {
    match p {
        Some(p) if p < 0.001 => Cell::written(p, "< 0.001"),
        Some(p) => Cell::number(p, 3),
        None => Cell::missing(),
    }
}

fn notes(table: &mut Table, claims: &[JudgedClaim]) {
    let tested = claims.iter().filter(|claim| claim.p.is_some()).count();
    if tested == 0 {
        return;
    }
    let levels: Vec<f64> = claims.iter().filter_map(|claim| claim.level).collect();
    let least = levels.iter().copied().fold(1.0, f64::min);
    let most = levels.iter().copied().fold(0.0, f64::max);
    let level = if fixed(100.0 * least, 1) == fixed(100.0 * most, 1) {
        format!("{}%", fixed(100.0 * least, 1))
    } else {
        format!("{}% to {}%", fixed(100.0 * least, 1), fixed(100.0 * most, 1))
    };
    table.note("A claim holds when every one of its tests comes out as expected, and is contradicted when one comes out the other way (Bonferroni over its tests). Pairs, and gains, are tested over seeds and, where the documents agree, items; equalities by two one-sided tests; layers over the trained models.");
    table.note(format!(
        "p of the claim: adjusted for the {tested} claim{} of the study (Holm); below 0.05 there is a verdict. Brackets: intervals at the level at which the claim was tested ({level}).",
        if tested == 1 { "" } else { "s" },
    ));
    if claims.iter().any(|claim| claim.verdict == Judgement::Inconclusive) {
        table.note("Enough at 80% power: seeds with the items there are, or items (of all benchmarks compared) with the seeds there are, if the effect is as large as it is here, or as in the paper, and varies as it does here.");
    }
}
