//! What every round of a training brings: the numbers of the paper's Figure 10.

use super::name_cell;
use crate::analysis::{Analysis, ProgressPoint, courses, estimate_of};
use crate::number::{grouped, si};
use crate::table::{Cell, Column, Mark, Table};

/// One row per round of every training that was scored on its way.
pub(crate) fn progress(analysis: &Analysis<'_>) -> Option<Table> {
    let courses = courses(analysis.data);
    if courses.is_empty() {
        return None;
    }
    let columns = vec![
        Column::text("Variant"),
        Column::number("Round"),
        Column::number("Points"),
        Column::number("Tokens at its end"),
        Column::number("First point").unit("%"),
        Column::number("Best point").unit("%"),
        Column::number("Tokens there"),
        Column::number("End").unit("%"),
        Column::number("Δ over the round").unit("points"),
    ];
    let mut table = Table::new(
        "progress",
        "Average score during the training, round by round, at the points at which it was measured.",
        columns,
    );
    for course in &courses {
        let mut before: Option<&ProgressPoint> = None;
        let last = course.points.last().map_or(0, |point| point.round);
        for round in 1..=last {
            let own: Vec<&ProgressPoint> =
                course.points.iter().filter(|point| point.round == round).collect();
            let (Some(first), Some(end)) = (own.first(), own.last()) else { continue };
            let best = own.iter().max_by(|a, b| a.score.mean.total_cmp(&b.score.mean));
            let best = best.unwrap_or(end);
            let score = |point: &ProgressPoint| {
                Cell::number(point.score.mean, 1).plus_minus(point.score.interval, 1)
            };
            let tokens =
                |point: &ProgressPoint| Cell::written(point.tokens as f64, si(point.tokens as f64));
            let cells = vec![
                name_cell(analysis, course.variant),
                Cell::written(f64::from(round), round.to_string()),
                Cell::written(own.len() as f64, grouped(own.len() as u64)),
                tokens(end),
                score(first),
                score(best),
                tokens(best),
                score(end),
                gain(before.unwrap_or(first), end),
            ];
            match before {
                None => table.push(cells),
                Some(_) => table.push_below_rule(cells),
            }
            before = Some(end);
        }
    }
    table.note(
        "Δ: of the first round from its first point to its end, of a further round from the end of the \
         one before; seeds are paired, brackets are 95% intervals over them.",
    );
    let beginnings = courses.iter().filter(|course| !course.beginnings.is_empty());
    for course in beginnings {
        let title = |v: &usize| analysis.variants()[*v].title();
        let own: Vec<&str> = course.beginnings.iter().map(title).collect();
        table.note(format!(
            "Rounds of {} are those of {}.",
            own.join(", "),
            title(&course.variant)
        ));
    }
    Some(table)
}

/// The difference of two points, seed by seed.
fn gain(from: &ProgressPoint, to: &ProgressPoint) -> Cell {
    let differences: Vec<f64> = to
        .by_seed
        .iter()
        .filter_map(|(seed, value)| Some(value - from.by_seed.get(seed)?))
        .collect();
    let Some(found) = estimate_of(&differences) else { return Cell::missing() };
    let unclear = found.interval.is_some_and(|(low, high)| low <= 0.0 && high >= 0.0);
    Cell::difference(found.mean, 1)
        .between(found.interval, 1)
        .mark(unclear.then_some(Mark::Indistinct))
}
