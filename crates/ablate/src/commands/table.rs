//! Tables on a terminal.

use comfy_table::presets::NOTHING;
use comfy_table::{Cell, CellAlignment, ContentArrangement, LineStyle, Table};

/// A table with a rule below its header. Columns whose title starts with `>` hold numbers.
pub fn table(titles: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_style(NOTHING.header_separator(LineStyle::none().fill('─').junction('─')))
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(titles.iter().map(|title| Cell::new(title.trim_start_matches('>'))));
    for (index, title) in titles.iter().enumerate() {
        if let (true, Some(column)) = (title.starts_with('>'), table.column_mut(index)) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// The table as text, with nothing after the last character of a line.
pub fn text(table: &Table) -> String {
    let mut text = table.trim_fmt();
    text.push('\n');
    text
}

/// Names for a narrow column: all of them, or how many.
pub fn names<'a>(names: impl ExactSizeIterator<Item = &'a String>, all: usize) -> String {
    match names.len() {
        0 => "–".to_owned(),
        count if count == all && count > 2 => "all".to_owned(),
        count if count > 3 => format!("{count} variants"),
        _ => names.map(String::as_str).collect::<Vec<_>>().join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_right_words_left() {
        let mut table = table(&["name", ">n"]);
        table.add_row(["a", "12345"]).add_row(["longer", "1"]);
        let lines: Vec<String> = text(&table).lines().map(|line| line.trim().to_owned()).collect();
        assert_eq!(lines[0].split_whitespace().collect::<Vec<_>>(), ["name", "n"]);
        assert!(lines[1].chars().all(|c| c == '─'));
        assert_eq!(lines[2], "a        12345");
        assert_eq!(lines[3], "longer       1");
    }

    #[test]
    fn many_names_become_a_number() {
        let check = |count: usize, all: usize, expect: &str| {
            let list: Vec<String> = (0..count).map(|n| format!("v{n}")).collect();
            assert_eq!(names(list.iter(), all), expect);
        };
        check(0, 3, "–");
        check(2, 2, "v0, v1");
        check(3, 3, "all");
        check(3, 9, "v0, v1, v2");
        check(4, 9, "4 variants");
    }
}
