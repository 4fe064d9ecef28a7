//! How the rows of an element line up with the variants of a study.

use super::{Element, Paper, PaperRow};
use crate::analysis::Analysis;
use crate::rows::{ExternalRow, VariantRow};

/// An element beside a study.
#[derive(Debug)]
pub(crate) struct Beside<'a> {
    pub(crate) element: &'a Element,
    /// The paper's row for every variant, in the order of the study, as far as there is one; empty
    /// where the variants do not correspond to the rows.
    pub(crate) rows: Vec<Option<&'a PaperRow>>,
    /// The row that every model of others names, where the element has it.
    pub(crate) externals: Vec<Option<&'a PaperRow>>,
}

impl<'a> Beside<'a> {
    /// The paper's average for a variant.
    pub(crate) fn average(&self, variant: usize) -> Option<f64> {
        self.row(variant)?.average
    }

    /// The paper's row for a variant.
    pub(crate) fn row(&self, variant: usize) -> Option<&'a PaperRow> {
        self.rows.get(variant).copied().flatten()
    }

    /// The paper's difference of a variant to another.
    pub(crate) fn gain(&self, variant: usize, reference: usize) -> Option<f64> {
        Some(self.average(variant)? - self.average(reference)?)
    }

    /// Whether anything of the study corresponds to a row.
    pub(crate) fn is_matched(&self) -> bool {
        !self.rows.is_empty() || self.externals.iter().any(Option::is_some)
    }

    /// Rows that something of the study corresponds to.
    pub(crate) fn taken(&self) -> impl Iterator<Item = &'a PaperRow> {
        self.rows.iter().chain(&self.externals).copied().flatten()
    }

    /// Whether every variant has a row with an average.
    pub(crate) fn is_complete(&self) -> bool {
        !self.rows.is_empty() && (0..self.rows.len()).all(|v| self.average(v).is_some())
    }
}

impl Paper {
    /// The elements that a study mirrors, each lined up with its variants, in the study's order.
    pub(crate) fn beside(&self, analysis: &Analysis<'_>) -> Vec<Beside<'_>> {
        let mirrors = &analysis.data.study.mirrors;
        let found = mirrors.iter().filter_map(|id| self.element(id));
        let beside = |element| Beside {
            element,
            rows: rows(element, analysis),
            externals: externals(element, &analysis.data.externals),
        };
        found.map(beside).collect()
    }

    /// The first element whose rows correspond to the variants, else the first of all.
    pub(crate) fn main_beside(&self, analysis: &Analysis<'_>) -> Option<Beside<'_>> {
        let mut all = self.beside(analysis);
        let first = all.iter().position(|b| !b.rows.is_empty()).unwrap_or(0);
        (first < all.len()).then(|| all.swap_remove(first))
    }

    /// The paper's rows for some variants of a study: those that the whole study has, or else those
    /// that these variants have among themselves.
    pub(crate) fn lined_up<'a>(
        &self,
        element: &'a Element,
        analysis: &Analysis<'_>,
        chosen: &[usize],
    ) -> Option<Vec<&'a PaperRow>> {
        let all = rows(element, analysis);
        let found: Option<Vec<_>> = chosen.iter().map(|v| all.get(*v).copied().flatten()).collect();
        found.or_else(|| {
            let variants: Vec<VariantRow> =
                chosen.iter().map(|v| analysis.variants()[*v].clone()).collect();
            let rows = by_words(element, &variants).or_else(|| by_rank(element, &variants))?;
            rows.into_iter().collect()
        })
    }
}

/// The rows that models of others name.
fn externals<'a>(element: &'a Element, models: &[ExternalRow]) -> Vec<Option<&'a PaperRow>> {
    models.iter().map(|model| element.row(model.paper.as_deref()?)).collect()
}

fn rows<'a>(element: &'a Element, analysis: &Analysis<'_>) -> Vec<Option<&'a PaperRow>> {
    let variants = analysis.variants();
    by_words(element, variants)
        .or_else(|| by_rank(element, variants))
        .or_else(|| {
            let in_order = analysis.data.study.is_ladder() && element.rows.len() == variants.len();
            in_order.then(|| element.rows.iter().map(Some).collect())
        })
        .unwrap_or_default()
}

/// Rows whose words occur in the variants' names, each row for one variant at most. One pair alone
/// is taken for an accident, unless there is no more than one variant.
pub(super) fn by_words<'a>(
    element: &'a Element,
    variants: &[VariantRow],
) -> Option<Vec<Option<&'a PaperRow>>> {
    let mut taken = vec![false; element.rows.len()];
    let rows: Vec<Option<&PaperRow>> = variants
        .iter()
        .map(|variant| {
            let name = format!("{} {}", variant.name, variant.title()).to_lowercase();
            let found = element.rows.iter().enumerate().find(|(i, row)| {
                !taken[*i] && row.words.iter().any(|word| contains_word(&name, word))
            })?;
            taken[found.0] = true;
            Some(found.1)
        })
        .collect();
    let pairs = rows.iter().flatten().count();
    (pairs >= variants.len().clamp(1, 2)).then_some(rows)
}

/// Whether a word begins somewhere in a name: `token` in `compact-tokenizer`, but `l1` not in `model1`.
fn contains_word(name: &str, word: &str) -> bool {
    name.match_indices(word)
        .any(|(at, _)| !name[..at].chars().next_back().is_some_and(char::is_alphanumeric))
}

/// Rows of the same rank in the element's key, when the study has as many distinct values of it as
/// rows. A variant that the element does not speak of has no value, and no row.
pub(super) fn by_rank<'a>(
    element: &'a Element,
    variants: &[VariantRow],
) -> Option<Vec<Option<&'a PaperRow>>> {
    let key = element.key.as_deref()?;
    let values: Vec<Option<f64>> = variants.iter().map(|v| quantity(variants, v, key)).collect();
    let ours: Vec<f64> = values.iter().flatten().copied().collect();
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
    let row = |value: &Option<f64>| {
        let rank_of_ours = rank(&ours, (*value)?);
        theirs.iter().position(|v| rank(&theirs, *v) == rank_of_ours).map(|i| &element.rows[i])
    };
    Some(values.iter().map(row).collect())
}

/// A numeric setting of a variant, from its shape or its delta; none where the paper's table has no
/// such variant.
fn quantity(variants: &[VariantRow], variant: &VariantRow, key: &str) -> Option<f64> {
    match key {
        "vocabulary" => Some(variant.vocabulary as f64),
        "depth" => Some(variant.depth as f64),
        "heads" => Some(variant.heads as f64),
        "expansion" => (variant.width > 0).then(|| variant.ffn as f64 / variant.width as f64),
        // The paper's further rounds cost tokens of their own; a study may ask what they are worth within
        // the tokens of one.
        "sampling" | "rounds"
            if written(variant, "rounds.budget").is_some_and(|b| b != "extra") =>
        {
            None
        }
        // One round is a sampling rate of nothing; Table 6 has two rounds at most.
        "sampling" => match setting(variants, variant, "rounds.count") {
            Some(count) if count < 2.0 => Some(0.0),
            Some(count) if count > 2.0 => None,
            _ => setting(variants, variant, "rounds.rate"),
        },
        // Table 7 samples at one half.
        "rounds" => {
            let count = setting(variants, variant, "rounds.count")?;
            let rate = setting(variants, variant, "rounds.rate").unwrap_or(0.5);
            (count < 2.0 || rate == 0.5).then_some(count)
        }
        "weight_decay" => setting(variants, variant, "train.weight_decay"),
        _ => None,
    }
}

/// A numeric setting from a variant's delta; where it has none, the base value that other deltas
/// start from.
pub(crate) fn setting(variants: &[VariantRow], variant: &VariantRow, path: &str) -> Option<f64> {
    let own = written(variant, path);
    let base =
        || variants.iter().flat_map(|v| &v.delta).find(|d| d.0 == path).map(|d| d.1.as_str());
    own.or_else(base)?.trim().parse().ok()
}

/// What a variant's delta says, as it is written, without the quotes.
fn written<'a>(variant: &'a VariantRow, path: &str) -> Option<&'a str> {
    variant.delta.iter().find(|d| d.0 == path).map(|d| d.2.trim_matches('"'))
}
