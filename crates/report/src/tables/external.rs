//! Rows of models of others, below those of the variants.

use crate::analysis::{Analysis, Measure};
use crate::rows::ExternalRow;
use crate::table::{Cell, Mark, Table};

/// The models of others with what the analysis knows them by.
pub(super) fn externals<'a>(
    analysis: &Analysis<'a>,
) -> impl Iterator<Item = (usize, &'a ExternalRow)> {
    (analysis.variants().len()..).zip(&analysis.data.externals)
}

/// A model's name, marked as given; why it has no scores is a note.
pub(super) fn name_cell(row: &ExternalRow) -> Cell {
    let reason = row.absent.as_ref().map(|reason| format!("{}: {reason}", row.title()));
    Cell::text(format!("{} (external)", row.title())).note(reason)
}

/// A score; `absent` where the model is not here or could not be scored.
pub(super) fn score_cell(
    analysis: &Analysis<'_>,
    (model, row): (usize, &ExternalRow),
    measure: Measure,
) -> Cell {
    match analysis.estimate(model, measure) {
        Some(found) => Cell::number(found.mean, measure.digits()),
        None if row.absent.is_some() => {
            Cell { text: "absent".to_string(), mark: Some(Mark::Failed), ..Cell::default() }
        }
        None => Cell::missing(),
    }
}

/// Adds rows below a rule, where there are any, and says what they are.
pub(super) fn push(
    table: &mut Table,
    analysis: &Analysis<'_>,
    cells: impl Fn(usize, &ExternalRow) -> Vec<Cell>,
) {
    for (i, (model, row)) in externals(analysis).enumerate() {
        let cells = cells(model, row);
        if i == 0 { table.push_below_rule(cells) } else { table.push(cells) }
    }
}

/// What external rows are.
pub(super) fn note(table: &mut Table, analysis: &Analysis<'_>) {
    if !analysis.data.externals.is_empty() {
        table.note(
            "External: models of others, scored once on the same items in the same way. They have no \
             seeds, their training is not this study's, and nothing is tested against them.",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::{ExternalShape, Params, ScoreRow, StudyData};
    use crate::synthetic;

    /// A model of others with the first variant's scores moved, and one benchmark more.
    fn with_a_model(mut data: StudyData) -> StudyData {
        let first = data.variants[0].name.clone();
        let scores = data.scores.iter().filter(|row| row.variant == first && row.seed == 1);
        let mut theirs: Vec<ScoreRow> = scores
            .map(|row| ScoreRow {
                variant: "theirs".into(),
                seed: 0,
                value: row.value + 0.25,
                ..row.clone()
            })
            .collect();
        let more = theirs.iter().find(|row| row.primary).unwrap().clone();
        theirs.push(ScoreRow { benchmark: "more".into(), ..more });
        // Wherever its rows stand, they say nothing of the variants.
        theirs.append(&mut data.scores);
        data.scores = theirs;
        let params = Params { total: 1000, embedding: 200, head: 100, non_embedding: 700 };
        let shape = Some(ExternalShape { params, vocabulary: 512, ..ExternalShape::default() });
        data.externals = vec![
            ExternalRow { name: "theirs".into(), shape, ..ExternalRow::default() },
            ExternalRow {
                name: "nowhere".into(),
                absent: Some("there is no model `m`".into()),
                ..ExternalRow::default()
            },
        ];
        data
    }

    #[test]
    fn variants_are_what_they_are_without_it() {
        let data = synthetic::ladder(&[1, 2, 3], 40);
        let together = with_a_model(data.clone());
        let (alone, both) = (Analysis::of(&data).unwrap(), Analysis::of(&together).unwrap());
        assert_eq!(alone.benchmarks, both.benchmarks);
        assert_eq!(alone.seeds(), both.seeds());
        for v in 0..data.variants.len() {
            for measure in [Measure::Average, Measure::Benchmark(0), Measure::Bits(0)] {
                assert_eq!(alone.estimate(v, measure), both.estimate(v, measure));
                let gain = |of: &Analysis<'_>| {
                    let found = of.difference(v, of.reference(v)?, measure)?;
                    Some((found.mean, found.interval))
                };
                assert_eq!(gain(&alone), gain(&both));
            }
            assert_eq!(alone.best(Measure::Average), both.best(Measure::Average));
        }
        // A quarter of everything more than the first variant with that seed.
        let theirs = both.estimate(data.variants.len(), Measure::Average).unwrap();
        let first = alone.by_seed(0, Measure::Average).unwrap()[&1];
        assert!((theirs.mean - first - 25.0).abs() < 1e-9, "{theirs:?} {first}");
        assert_eq!((theirs.interval, theirs.seeds), (None, 1));
    }

    #[test]
    fn rows_stand_below_a_rule() {
        let data = with_a_model(synthetic::ladder(&[1, 2], 20));
        let analysis = Analysis::of(&data).unwrap();
        let variants = data.variants.len();
        let tables = [super::super::main(&analysis), super::super::short(&analysis)];
        for table in &tables {
            assert_eq!(table.rows.len(), variants + 2);
            assert!(table.rows[variants].rule && !table.rows[variants + 1].rule);
            let of = |row: usize, column: &str| {
                let at = table.columns.iter().position(|c| c.title == column).unwrap();
                &table.rows[row].cells[at]
            };
            assert_eq!(of(variants, "Variant").text, "theirs (external)");
            assert_eq!(of(variants, "Parameters").value, Some(1000.0));
            assert_eq!(of(variants, "Vocabulary").text, "512");
            assert!(of(variants, "Average").spread.is_none());
            assert_eq!(of(variants + 1, "Average").text, "absent");
            let note = of(variants + 1, "Variant").note.as_deref();
            assert!(note.unwrap().contains("there is no model `m`"));
        }
        let share = tables[0].columns.iter().position(|c| c.title == "Emb. + head").unwrap();
        assert_eq!(tables[0].rows[variants].cells[share].text, "30.0");
    }
}
