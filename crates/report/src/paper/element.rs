//! A table or figure of the paper as it is kept in `data/paper`.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A table or figure of the paper: rows of a table, panels of a figure, or both where the points
/// of a figure are rows with settings that studies are matched by.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Element {
    /// `table-1`.
    pub(crate) id: String,
    /// `Table 1`.
    pub(crate) place: String,
    #[serde(rename = "pages")]
    _pages: String,
    /// Full citation of the element.
    pub(crate) source: String,
    pub(crate) title: String,
    /// Model size and training tokens.
    pub(crate) scale: String,
    /// What the average averages, where there is one.
    pub(crate) average: Option<String>,
    /// The quantity whose rank matches rows to variants.
    pub(super) key: Option<String>,
    pub(crate) note: Option<String>,
    #[serde(default)]
    pub(crate) columns: Vec<PaperColumn>,
    #[serde(default)]
    pub(crate) rows: Vec<PaperRow>,
    /// Rows that no variant corresponds to.
    #[serde(default)]
    pub(crate) context: Vec<PaperRow>,
    /// What a figure shows.
    #[serde(default)]
    pub(crate) panels: Vec<PaperPanel>,
}

/// A column besides label and average.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PaperColumn {
    pub(crate) key: String,
    pub(crate) title: String,
    pub(crate) unit: Option<String>,
    /// Computed, not printed.
    #[serde(default)]
    pub(crate) derived: bool,
    /// The score of a benchmark, in percent.
    #[serde(default)]
    pub(crate) task: bool,
    /// Words, which are in the rows' `texts`.
    #[serde(default)]
    pub(crate) text: bool,
    /// Decimals; two for scores, otherwise as many as the number has.
    digits: Option<usize>,
}

/// A row of an element.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PaperRow {
    pub(crate) label: String,
    /// Average score in percent, where one is printed.
    pub(crate) average: Option<f64>,
    #[serde(default)]
    pub(super) words: Vec<String>,
    #[serde(default)]
    pub(crate) values: BTreeMap<String, f64>,
    #[serde(default)]
    pub(crate) texts: BTreeMap<String, String>,
}

/// A panel of a figure.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PaperPanel {
    pub(crate) title: String,
    pub(crate) form: Form,
    pub(crate) x: PaperAxis,
    pub(crate) y: PaperAxis,
    pub(crate) series: Vec<PaperSeries>,
    /// Spearman's correlation that the panel prints.
    pub(crate) spearman: Option<f64>,
    /// Layers of the model of a panel that leaves some out, where they are known.
    pub(crate) depth: Option<u64>,
}

/// How the points of a panel are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Form {
    /// A line through the points.
    Line,
    /// A marker at each.
    Dots,
    /// A bar at each; of several series side by side.
    Bars,
}

/// An axis of a panel.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PaperAxis {
    pub(crate) title: String,
    pub(crate) unit: Option<String>,
    #[serde(default)]
    pub(crate) log: bool,
    /// What stands at 0, 1, 2, ... instead of numbers.
    #[serde(default)]
    pub(crate) categories: Vec<String>,
    /// Where the axis starts, for bars.
    pub(crate) low: Option<f64>,
}

/// A series: points of its own, the element's average against one of its columns, or, with
/// neither, the averages of all its rows one after the other.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PaperSeries {
    /// Empty where it is the only one.
    pub(crate) label: String,
    #[serde(default)]
    points: Vec<(f64, f64)>,
    column: Option<String>,
}

impl Element {
    /// Whether it is a table of the paper.
    pub(crate) fn is_table(&self) -> bool {
        self.id.starts_with("table-")
    }

    /// Number in the paper.
    pub(crate) fn number(&self) -> u32 {
        self.id.rsplit('-').next().and_then(|n| n.parse().ok()).unwrap_or(0)
    }

    /// The row of this label, among those that no variant corresponds to as well.
    pub(crate) fn row(&self, label: &str) -> Option<&PaperRow> {
        let plain = |label: &str| label.trim().to_lowercase();
        self.all_rows().find(|row| plain(&row.label) == plain(label))
    }

    /// Columns that hold scores of benchmarks.
    pub(crate) fn tasks(&self) -> impl Iterator<Item = &PaperColumn> {
        self.columns.iter().filter(|column| column.task)
    }

    /// Rows, and those that no variant corresponds to.
    pub(crate) fn all_rows(&self) -> impl Iterator<Item = &PaperRow> {
        self.rows.iter().chain(&self.context)
    }

    /// Points of a series of this element.
    pub(crate) fn points(&self, series: &PaperSeries) -> Vec<(f64, f64)> {
        match &series.column {
            Some(key) => self
                .rows
                .iter()
                .filter_map(|row| Some((*row.values.get(key)?, row.average?)))
                .collect(),
            None if series.points.is_empty() => self
                .all_rows()
                .enumerate()
                .filter_map(|(i, row)| Some((i as f64, row.average?)))
                .collect(),
            None => series.points.clone(),
        }
    }

    /// What stands along the x axis of a panel instead of numbers; empty where numbers do.
    pub(crate) fn categories(&self, panel: &PaperPanel) -> Vec<String> {
        let own_rows = |s: &PaperSeries| s.column.is_none() && s.points.is_empty();
        if panel.series.iter().any(own_rows) {
            return self.all_rows().map(|row| row.label.clone()).collect();
        }
        panel.x.categories.clone()
    }
}

impl PaperColumn {
    /// The heading: derived columns say so.
    pub(crate) fn heading(&self) -> String {
        if self.derived { format!("{}, derived", self.title) } else { self.title.clone() }
    }

    /// A value as it is printed.
    pub(crate) fn written(&self, value: f64) -> String {
        match self.digits.or(self.task.then_some(2)) {
            Some(digits) => crate::number::fixed(value, digits),
            None => value.to_string(),
        }
    }

    /// Whether a benchmark of ours is this one: `arc_e` is `arc-e`, `ARC-Easy` and `arc_easy`.
    pub(crate) fn is_benchmark(&self, name: &str) -> bool {
        let plain = |text: &str| -> String {
            text.to_lowercase().chars().filter(|c| c.is_ascii_alphanumeric()).collect()
        };
        let (name, key) = (plain(name), plain(&self.key));
        name == key || key == "arce" && name == "arceasy"
    }
}
