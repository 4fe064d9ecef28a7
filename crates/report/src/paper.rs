//! The paper's own numbers, embedded from `data/paper`, and how they line up with the variants of a study.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::ReportError;
use crate::analysis::Analysis;
use crate::rows::VariantRow;

static DATA: &str = include_str!("../../../data/paper/pangu-pi-pro.json");

/// Everything that is known of the paper.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Paper {
    pub(crate) title: String,
    citation: String,
    #[serde(rename = "note")]
    _note: String,
    elements: Vec<Element>,
    coverage: Coverage,
}

/// The bars of the paper's Figure 2, which are no scores.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Coverage {
    /// Elements of the paper that it is set beside.
    beside: Vec<String>,
    pub(crate) place: String,
    #[serde(rename = "source")]
    _source: String,
    /// Whose tokenizer on how much text.
    pub(crate) scale: String,
    /// Entries, and the share of occurrences that they cover in percent.
    pub(crate) bars: Vec<(f64, f64)>,
}

/// A table or figure of the paper.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Element {
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
    /// What the average averages.
    pub(crate) average: String,
    /// The quantity whose rank matches rows to variants.
    key: Option<String>,
    pub(crate) note: Option<String>,
    pub(crate) columns: Vec<PaperColumn>,
    pub(crate) rows: Vec<PaperRow>,
    /// Rows that no variant corresponds to.
    #[serde(default)]
    pub(crate) context: Vec<PaperRow>,
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
}

/// A row of an element.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PaperRow {
    pub(crate) label: String,
    /// Average score in percent.
    pub(crate) average: f64,
    #[serde(default)]
    words: Vec<String>,
    #[serde(default)]
    pub(crate) values: BTreeMap<String, f64>,
}

/// An element beside a study.
#[derive(Debug)]
pub(crate) struct Beside<'a> {
    pub(crate) element: &'a Element,
    /// The paper's row for every variant, in the order of the study; empty unless every variant has a row of its own.
    pub(crate) rows: Vec<&'a PaperRow>,
}

impl Paper {
    /// The embedded numbers.
    pub(crate) fn embedded() -> Result<Self, ReportError> {
        serde_json::from_str(DATA).map_err(|e| ReportError::Paper(e.to_string()))
    }

    /// How the paper is cited.
    pub(crate) fn citation(&self) -> &str {
        &self.citation
    }

    /// The element with this id; spelling of case, spaces and underscores does not matter.
    pub(crate) fn element(&self, id: &str) -> Option<&Element> {
        let id = id_of(id);
        self.elements.iter().find(|e| e.id == id)
    }

    /// The coverage of the paper's tokenizer, where a study mirrors what it belongs to.
    pub(crate) fn coverage_beside(&self, mirrors: Option<&str>) -> Option<&Coverage> {
        let id = id_of(mirrors?);
        self.coverage.beside.contains(&id).then_some(&self.coverage)
    }

    /// The element that a study mirrors, lined up with its variants.
    pub(crate) fn beside(&self, analysis: &Analysis<'_>) -> Option<Beside<'_>> {
        let element = self.element(analysis.data.study.mirrors.as_deref()?)?;
        let variants = analysis.variants();
        let rows = by_words(element, variants)
            .or_else(|| by_rank(element, variants))
            .or_else(|| {
                let in_order =
                    analysis.data.study.is_ladder() && element.rows.len() == variants.len();
                in_order.then(|| element.rows.iter().collect())
            })
            .unwrap_or_default();
        Some(Beside { element, rows })
    }
}

fn id_of(name: &str) -> String {
    name.trim().to_lowercase().replace([' ', '_'], "-")
}

/// Rows whose words occur in the variants' names, when that gives every variant a row of its own.
fn by_words<'a>(element: &'a Element, variants: &[VariantRow]) -> Option<Vec<&'a PaperRow>> {
    let mut taken = vec![false; element.rows.len()];
    variants
        .iter()
        .map(|variant| {
            let name = format!("{} {}", variant.name, variant.title()).to_lowercase();
            let found = element.rows.iter().enumerate().find(|(i, row)| {
                !taken[*i] && row.words.iter().any(|word| contains_word(&name, word))
            })?;
            taken[found.0] = true;
            Some(found.1)
        })
        .collect()
}

/// Whether a word begins somewhere in a name: `token` in `compact-tokenizer`, but `l1` not in `model1`.
fn contains_word(name: &str, word: &str) -> bool {
    name.match_indices(word)
        .any(|(at, _)| !name[..at].chars().next_back().is_some_and(char::is_alphanumeric))
}

/// Rows of the same rank in the element's key, when the study has as many distinct values of it as rows.
fn by_rank<'a>(element: &'a Element, variants: &[VariantRow]) -> Option<Vec<&'a PaperRow>> {
    let key = element.key.as_deref()?;
    let ours: Vec<f64> =
        variants.iter().map(|v| quantity(variants, v, key)).collect::<Option<_>>()?;
    let theirs: Vec<f64> =
        element.rows.iter().map(|r| r.values.get(key).copied()).collect::<Option<_>>()?;
    let rank = |all: &[f64], value: f64| all.iter().filter(|v| **v < value).count();
    let distinct = |all: &[f64]| {
        let mut ranks: Vec<usize> = all.iter().map(|v| rank(all, *v)).collect();
        ranks.sort_unstable();
        ranks.dedup();
        ranks.len() == all.len()
    };
    if ours.len() != theirs.len() || !distinct(&ours) || !distinct(&theirs) {
        return None;
    }
    ours.iter()
        .map(|value| {
            let rank_of_ours = rank(&ours, *value);
            theirs.iter().position(|v| rank(&theirs, *v) == rank_of_ours).map(|i| &element.rows[i])
        })
        .collect()
}

/// A numeric setting of a variant, from its shape or its delta; where it has no delta, the base value that other deltas start from.
fn quantity(variants: &[VariantRow], variant: &VariantRow, key: &str) -> Option<f64> {
    let number = |text: &str| text.trim().parse::<f64>().ok();
    let setting = |path: &str| {
        let own = variant.delta.iter().find(|d| d.0 == path).map(|d| d.2.as_str());
        let base =
            || variants.iter().flat_map(|v| &v.delta).find(|d| d.0 == path).map(|d| d.1.as_str());
        own.or_else(base).and_then(number)
    };
    match key {
        "vocabulary" => Some(variant.vocabulary as f64),
        "depth" => Some(variant.depth as f64),
        "expansion" => (variant.width > 0).then(|| variant.ffn as f64 / variant.width as f64),
        "sampling" => setting("rounds.rate"),
        "rounds" => setting("rounds.count"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_fall_back_to_the_base_of_other_deltas() {
        let with = |to: &str| VariantRow {
            delta: vec![("rounds.count".into(), "1".into(), to.into())],
            ..variant("v", 512)
        };
        let variants = [variant("base", 512), with("3"), with("2")];
        let element_of_three = Paper::embedded().unwrap();
        let rows = by_rank(element_of_three.element("table-7").unwrap(), &variants).unwrap();
        let averages: Vec<f64> = rows.iter().map(|r| r.average).collect();
        assert_eq!(averages, [51.61, 54.44, 54.46]);
    }

    fn variant(name: &str, vocabulary: u64) -> VariantRow {
        VariantRow { name: name.to_string(), vocabulary, ..VariantRow::default() }
    }

    /// The paper prints the rank correlations of its Figure 4; the points give them again.
    #[test]
    fn figure_4_correlates_as_printed() {
        let paper = Paper::embedded().unwrap();
        let rows = &paper.element("figure-4").unwrap().rows;
        assert_eq!(rows.len(), 34);
        let averages: Vec<f64> = rows.iter().map(|row| row.average).collect();
        for (key, printed) in [("depth", 0.528), ("width", -0.516), ("rate", 0.090)] {
            let sizes: Vec<f64> = rows.iter().map(|row| row.values[key]).collect();
            let rho = ablate_stats::spearman(&sizes, &averages).unwrap().value;
            assert!((rho - printed).abs() < 0.002, "{key}: {rho}, printed {printed}");
        }
        // 2 V d + L (4 d² + 3 d I + 2 d) + d with V = 48,000, as far as the printed million goes.
        for row in rows {
            let of = |key: &str| row.values[key];
            let (d, ffn) = (of("width"), of("ffn"));
            let layer = 4.0 * d * d + 3.0 * d * ffn + 2.0 * d;
            let total = 96_000.0 * d + of("depth") * layer + d;
            assert!((total / 1e6 - of("total_m")).abs() < 0.06, "{}: {total}", row.label);
            assert!((ffn / d - of("rate")).abs() < 0.0006, "{}", row.label);
        }
    }

    #[test]
    fn embedded_data_parses_and_averages_are_means() {
        let paper = Paper::embedded().unwrap();
        for id in ["figure-1", "table-1", "table-2", "table-3", "table-5", "table-6", "table-7"] {
            let element = paper.element(id).unwrap();
            assert!(element.source.contains("2402.02791v2"), "{id}");
            for row in element.rows.iter().chain(&element.context) {
                let tasks: Vec<f64> = ["arc_e", "hellaswag", "c3"]
                    .iter()
                    .filter_map(|t| row.values.get(*t).copied())
                    .collect();
                if id != "figure-1" {
                    assert_eq!(tasks.len(), 3);
                    // Printed averages are rounded to two decimals, as are their parts.
                    assert!((tasks.iter().sum::<f64>() / 3.0 - row.average).abs() < 0.011);
                }
            }
        }
        assert!(paper.element("Figure 1").is_some());
        assert!(paper.element("figure-99").is_none());
    }

    /// Table 1's coverages (in the text) are bars of Figure 2.
    #[test]
    fn figure_2_is_beside_table_1() {
        let paper = Paper::embedded().unwrap();
        let found = paper.coverage_beside(Some("Table 1")).unwrap();
        assert_eq!(found.bars.len(), 25);
        for (place, bar) in found.bars.iter().enumerate() {
            assert_eq!(bar.0, 4000.0 * (place + 1) as f64);
        }
        assert!(found.bars.is_sorted_by(|a, b| a.1 <= b.1));
        for (size, printed) in [(8, 78.68), (16, 87.24), (32, 94.49), (48, 97.86), (72, 99.84)] {
            assert!((found.bars[size / 4 - 1].1 - printed).abs() < 0.015, "{size}k");
        }
        assert!(paper.coverage_beside(Some("figure-2")).is_some());
        assert!(paper.coverage_beside(Some("figure-1")).is_none());
        assert!(paper.coverage_beside(None).is_none());
    }

    #[test]
    fn ladder_rows_are_found_by_words() {
        let paper = Paper::embedded().unwrap();
        let element = paper.element("figure-1").unwrap();
        let variants: Vec<VariantRow> =
            ["baseline", "compact-tokenizer", "architecture", "inheritance", "rounds"]
                .map(|n| variant(n, 512))
                .into();
        let averages: Vec<f64> =
            by_words(element, &variants).unwrap().iter().map(|r| r.average).collect();
        assert_eq!(averages, [42.41, 44.11, 46.53, 49.79, 51.28]);
        assert!(by_words(element, &[variant("something-else", 1)]).is_none());
    }

    #[test]
    fn table_rows_are_found_by_rank() {
        let paper = Paper::embedded().unwrap();
        let element = paper.element("table-1").unwrap();
        let sizes = [4096, 300, 512, 1024, 2048, 8192];
        let variants: Vec<VariantRow> = sizes.iter().map(|s| variant("v", *s)).collect();
        let labels: Vec<&str> =
            by_rank(element, &variants).unwrap().iter().map(|r| r.label.as_str()).collect();
        assert_eq!(labels, ["72k", "8k", "16k", "32k", "48k", "100k"]);
        assert!(by_rank(element, &variants[..3]).is_none());
        assert!(by_rank(element, &vec![variant("v", 1); 6]).is_none());
    }
}
