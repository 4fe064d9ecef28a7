//! Rounds of training: what was drawn, how often batches were visited, what it cost, and how that
//! compares with one round of the same price.

use super::{difference_cell, estimate_cell, name_cell};
use crate::analysis::Analysis;
use crate::number::{MISSING, count, fixed, grouped, si};
use crate::rows::{LedgerRow, VariantRow};
use crate::table::{Cell, Column, Table};

/// How far two budgets that count as equal may be apart: rounding to whole batches.
const EQUAL: f64 = 0.02;

/// What the rounds kept, where there was more than one.
pub(crate) fn ledger(analysis: &Analysis<'_>) -> Option<Table> {
    if analysis.data.rounds.is_empty() {
        return None;
    }
    let mut table = Table::new(
        "rounds",
        "Round ledger: the batches that each further round drew, out of how many, and how uneven \
         their probabilities were. Losses in nats per token.",
        vec![
            Column::text("Variant"),
            Column::number("Seed"),
            Column::number("Round"),
            Column::number("Batches"),
            Column::number("Kept"),
            Column::number("Loss, all"),
            Column::number("Loss, kept"),
            Column::number("Kept − all"),
            Column::number("Effective share").unit("%"),
            Column::number("Entropy share").unit("%"),
            Column::number("Largest / smallest p"),
            Column::number("Overlap"),
            Column::number("Overlap, uniform"),
        ],
    );
    let mut last = "";
    for row in &analysis.data.rounds {
        let cells = ledger_cells(analysis, row);
        if row.variant != last && !last.is_empty() {
            table.push_below_rule(cells);
        } else {
            table.push(cells);
        }
        last = &row.variant;
    }
    table.drop_empty_columns();
    table.note(
        "Effective share: effective number of batches, 1 / Σp², over all batches; entropy share: \
         exp of the entropy over all batches; 100% is a uniform draw. Overlap: kept batches that the \
         round before had drawn too, beside mean ± standard deviation of uniform draws.",
    );
    readings(analysis, &mut table);
    Some(table)
}

fn ledger_cells(analysis: &Analysis<'_>, row: &LedgerRow) -> Vec<Cell> {
    let variant = analysis.variants().iter().find(|v| v.name == row.variant);
    let title = variant.map_or(row.variant.as_str(), VariantRow::title);
    vec![
        Cell::text(title),
        Cell::written(row.seed as f64, row.seed.to_string()),
        Cell::written(f64::from(row.round), row.round.to_string()),
        Cell::written(row.batches as f64, grouped(row.batches)),
        Cell::written(row.kept as f64, grouped(row.kept)),
        Cell::number(row.mean_loss_all, 4),
        Cell::number(row.mean_loss_kept, 4),
        Cell::difference(row.mean_loss_kept - row.mean_loss_all, 4),
        Cell::number(row.effective_share * 100.0, 1),
        Cell::number(row.perplexity_share * 100.0, 1),
        Cell::number(row.probability_ratio, 2),
        match row.overlap {
            Some(overlap) => Cell::written(overlap as f64, grouped(overlap)),
            None => Cell::missing(),
        },
        match row.overlap_expected.zip(row.overlap_deviation) {
            Some((mean, deviation)) => {
                let text = format!("{} ± {}", fixed(mean, 1), fixed(deviation, 1));
                Cell::written(mean, text)
            }
            None => Cell::missing(),
        },
    ]
}

/// How further rounds were made: one note where all variants agree, else one for each way.
fn readings(analysis: &Analysis<'_>, table: &mut Table) {
    let mut known: Vec<(&str, Vec<&str>)> = Vec::new();
    for row in analysis.variants().iter().filter(|row| !row.reading.is_empty()) {
        match known.iter_mut().find(|(reading, _)| *reading == row.reading) {
            Some((_, titles)) => titles.push(row.title()),
            None => known.push((&row.reading, vec![row.title()])),
        }
    }
    let several = known.len() > 1;
    for (reading, titles) in known {
        let of = if several { format!(" ({})", titles.join("; ")) } else { String::new() };
        table.note(format!("Rounds{of}: {reading}."));
    }
}

/// What rounds cost and bring, beside one round of the same tokens and of the same operations.
pub(crate) fn budget(analysis: &Analysis<'_>) -> Option<Table> {
    let variants = analysis.variants();
    if variants.iter().all(|row| row.rounds < 2) {
        return None;
    }
    let headline = analysis.headline();
    let (name, unit) = analysis.name_of(headline);
    let points = if headline.higher_is_better() { "points" } else { unit };
    let mut table = Table::new(
        "rounds-budget",
        "What rounds of training cost and bring, beside one round of the same tokens and one of the \
         same operations.",
        vec![
            Column::text("Variant"),
            Column::number("Rounds"),
            Column::number("Tokens"),
            Column::text("Visits of a batch"),
            Column::number("Training").unit("FLOP"),
            Column::number("Scoring pass").unit("FLOP"),
            Column::number(name).unit(unit),
            Column::number("Δ at equal tokens").unit(points),
            Column::number("Δ at equal FLOPs").unit(points),
        ],
    );
    let mut lacking = false;
    for (v, row) in variants.iter().enumerate() {
        let tokens: fn(&VariantRow) -> f64 = |row| row.train_tokens as f64;
        let mut beside = |price: fn(&VariantRow) -> f64| {
            if row.rounds < 2 || row.train_tokens == 0 {
                return Cell::missing();
            }
            let Some(one) = one_round(variants, v, price) else {
                lacking = true;
                return Cell::missing();
            };
            let found = analysis.difference(v, one, headline);
            let mut cell = difference_cell(found.as_ref(), headline);
            if found.is_some() {
                cell.note = Some(format!("{} beside {}", row.title(), variants[one].title()));
            }
            cell
        };
        let (equal_tokens, equal_flops) = (beside(tokens), beside(|row| row.train_flops));
        table.push(vec![
            name_cell(analysis, v),
            Cell::written(row.rounds as f64, row.rounds.to_string()),
            Cell::written(row.train_tokens as f64, count(row.train_tokens as f64)),
            Cell::text(visits(analysis, row)),
            Cell::written(row.train_flops, si(row.train_flops - row.scoring_flops)),
            Cell::written(row.scoring_flops, si(row.scoring_flops)),
            estimate_cell(analysis, v, headline),
            equal_tokens,
            equal_flops,
        ]);
    }
    table.note(
        "Visits: share of the first round's batches that were visited once, twice and so on, over \
         all rounds. Δ: against the variant of one round that differs in nothing but rounds and \
         length, and whose tokens (or operations, scoring passes included) are the same within 2%.",
    );
    if lacking {
        table.note(
            "Where there is no such variant, add one: a longer single round, or \
             rounds.budget = \"within\" for equal tokens, \"within-flops\" for equal operations.",
        );
    }
    readings(analysis, &mut table);
    Some(table)
}

/// The variant of one round that has the price of another and differs in rounds and length only.
fn one_round(variants: &[VariantRow], of: usize, price: fn(&VariantRow) -> f64) -> Option<usize> {
    let wanted = price(&variants[of]);
    let apart = |v: usize| (price(&variants[v]) / wanted - 1.0).abs();
    let nearest = (0..variants.len())
        .filter(|v| {
            variants[*v].rounds == 1 && otherwise(&variants[*v]) == otherwise(&variants[of])
        })
        .min_by(|a, b| apart(*a).total_cmp(&apart(*b)))?;
    (apart(nearest) <= EQUAL).then_some(nearest)
}

/// What a variant changes apart from rounds and length.
fn otherwise(row: &VariantRow) -> Vec<(&str, &str)> {
    let budget = ["train.tokens", "train.bytes"];
    let mut rest: Vec<(&str, &str)> = row
        .delta
        .iter()
        .filter(|(path, _, _)| !path.starts_with("rounds.") && !budget.contains(&path.as_str()))
        .map(|(path, _, to)| (path.as_str(), to.as_str()))
        .collect();
    rest.sort_unstable();
    rest
}

/// `1×: 50.0%, 2×: 50.0%`, over all seeds.
fn visits(analysis: &Analysis<'_>, row: &VariantRow) -> String {
    let mut times: Vec<(u64, u64)> = Vec::new();
    for visit in analysis.data.visits.iter().filter(|visit| visit.variant == row.name) {
        match times.iter_mut().find(|(known, _)| *known == visit.times) {
            Some((_, batches)) => *batches += visit.batches,
            None => times.push((visit.times, visit.batches)),
        }
    }
    times.sort_unstable();
    let all: u64 = times.iter().map(|(_, batches)| batches).sum();
    if all == 0 {
        return MISSING.to_string();
    }
    let share = |batches: u64| fixed(100.0 * batches as f64 / all as f64, 1);
    let parts: Vec<String> =
        times.iter().map(|(times, batches)| format!("{times}×: {}%", share(*batches))).collect();
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(rounds: u64, tokens: u64, flops: f64, delta: &[(&str, &str)]) -> VariantRow {
        let change = |d: &(&str, &str)| (d.0.to_string(), String::new(), d.1.to_string());
        VariantRow {
            rounds,
            train_tokens: tokens,
            train_flops: flops,
            delta: delta.iter().map(change).collect(),
            ..VariantRow::default()
        }
    }

    #[test]
    fn only_what_differs_in_nothing_else_is_compared() {
        let variants = [
            row(1, 1000, 3000.0, &[]),
            row(2, 1500, 5500.0, &[("rounds.count", "2")]),
            row(1, 1500, 4500.0, &[("train.tokens", "1500")]),
            row(1, 1830, 5490.0, &[("train.tokens", "1830")]),
            row(1, 1500, 5500.0, &[("model.depth", "9")]),
        ];
        let tokens: fn(&VariantRow) -> f64 = |row| row.train_tokens as f64;
        assert_eq!(one_round(&variants, 1, tokens), Some(2));
        assert_eq!(one_round(&variants, 1, |row| row.train_flops), Some(3));
        assert_eq!(one_round(&variants[..2], 1, tokens), None);
    }
}
