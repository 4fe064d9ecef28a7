//! How sizes and scores go together over the variants: Spearman's rank correlations, as in the
//! paper's Figure 4.

use crate::analysis::{Analysis, FEWEST, Measure, SIZES};
use crate::table::{Cell, Column, Mark, Table};

/// The correlations of every size that varies with the average score and with bits per byte, where
/// there are variants enough.
pub(crate) fn correlations(analysis: &Analysis<'_>) -> Option<Table> {
    let measures = [Measure::Average, Measure::MeanBits];
    let mut columns = vec![Column::text("Size")];
    for measure in measures {
        let (name, of) = analysis.name_of(measure);
        columns.push(Column::number(format!("Spearman's ρ with {}", name.to_lowercase())).unit(of));
        columns.push(Column::number("p"));
    }
    columns.push(Column::number("Variants"));
    let caption = "Rank correlations of sizes and scores over the variants, means over seeds.";
    let mut table = Table::new("correlations", caption, columns);
    for size in SIZES {
        let mut cells = vec![Cell::text(size.title)];
        let mut most = 0;
        for measure in measures {
            let (x, y): (Vec<f64>, Vec<f64>) = (0..analysis.variants().len())
                .filter_map(|v| {
                    let mean = analysis.estimate(v, measure)?.mean;
                    Some(((size.of)(&analysis.variants()[v]), mean))
                })
                .unzip();
            // Sizes that do not vary have no ranks.
            match (x.len() >= FEWEST).then(|| ablate_stats::spearman(&x, &y)) {
                Some(Ok(found)) => {
                    most = most.max(found.n);
                    let unclear =
                        (found.low <= 0.0 && found.high >= 0.0).then_some(Mark::Indistinct);
                    let rho = Cell::difference(found.value, 2);
                    cells.push(rho.between(Some((found.low, found.high)), 2).mark(unclear));
                    cells.push(match found.p {
                        p if p < 0.001 => Cell::written(p, "< 0.001"),
                        p => Cell::number(p, 3),
                    });
                }
                _ => cells.extend([Cell::missing(), Cell::missing()]),
            }
        }
        cells.push(Cell::written(most as f64, most.to_string()));
        if most > 0 {
            table.push(cells);
        }
    }
    if table.rows.is_empty() {
        return None;
    }
    table.drop_empty_columns();
    table.note(
        "Brackets: 95% interval (Bonett and Wright 2000). Not corrected for the number of rows.",
    );
    Some(table)
}
