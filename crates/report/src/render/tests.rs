//! One table with everything in it, through every renderer.

use crate::table::{Cell, Column, Mark, Table};

fn everything() -> Table {
    let columns = vec![
        Column::text("Variant"),
        Column::number("Parameters"),
        Column::number("Average").unit("%"),
        Column::number("Δ to the first").unit("points"),
    ];
    let mut table = Table::new("all_parts", "Scores of \"A & B\", 100% made up.", columns);
    table.push(vec![
        Cell::text("base_line | 基线"),
        Cell::written(1_612_000.0, "1.61 M"),
        Cell::number(25.04, 1).plus_minus(Some((24.0, 26.08)), 1).mark(Some(Mark::AtChance)),
        Cell::missing(),
    ]);
    table.push(vec![
        Cell::text("+ <b>tokenizer</b> $x^2$"),
        Cell::written(1_620_000.0, "1.62 M"),
        Cell::number(41.25, 1).plus_minus(Some((40.0, 42.5)), 1).mark(Some(Mark::Best)),
        Cell::difference(16.21, 1).between(Some((14.0, 18.42)), 1),
    ]);
    table.push_below_rule(vec![
        Cell::text("~ rounds").note(Some("half of the seeds".into())),
        Cell::written(1_630_000.0, "1.63 M"),
        Cell::number(f64::NAN, 1),
        Cell::difference(-0.04, 1).between(Some((-1.0, 0.92)), 1).mark(Some(Mark::Indistinct)),
    ]);
    table.push(vec![
        Cell::text("broken").note(Some("loss, not a number\nat step 12".into())),
        Cell::missing(),
        Cell::failed("half of the seeds"),
    ]);
    table.note("Intervals: 95% over 3 seeds.");
    table
}

#[test]
fn markdown() {
    insta::assert_snapshot!(everything().to_markdown());
}

#[test]
fn latex() {
    insta::assert_snapshot!(everything().to_latex());
}

#[test]
fn wide_latex() {
    let mut table = everything();
    for k in 0..6 {
        table.columns.push(Column::number(format!("One more long heading {k}")).unit("%"));
        for row in &mut table.rows {
            row.cells.push(Cell::number(50.0, 1).plus_minus(Some((40.0, 60.0)), 1));
        }
    }
    insta::assert_snapshot!(table.to_latex());
}

#[test]
fn csv() {
    insta::assert_snapshot!(everything().to_csv());
}

#[test]
fn html() {
    insta::assert_snapshot!(everything().to_html());
}

#[test]
fn text() {
    insta::assert_snapshot!(everything().to_text());
}

#[test]
fn empty_columns_go_and_the_first_stays() {
    let mut table =
        Table::new("t", "", vec![Column::text("a"), Column::number("b"), Column::number("c")]);
    table.push(vec![Cell::missing(), Cell::missing(), Cell::number(1.0, 0)]);
    table.push(vec![Cell::text("")]);
    table.drop_empty_columns();
    let heads: Vec<&str> = table.columns.iter().map(|c| c.title.as_str()).collect();
    assert_eq!(heads, ["a", "c"]);
    assert!(table.rows.iter().all(|r| r.cells.len() == 2));
}

#[test]
fn a_table_without_rows_renders() {
    let table = Table::new("t", "Nothing.", vec![Column::text("a")]);
    assert!(table.to_text().contains("Nothing."));
    assert_eq!(table.to_csv(), "a\n");
    assert!(table.to_latex().contains("\\bottomrule"));
    assert!(table.to_html().contains("<tbody>"));
    assert!(table.to_markdown().contains("| a |"));
}
