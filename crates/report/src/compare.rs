//! Two variants, or two studies variant by variant: sizes, costs and scores side by side, paired wherever seeds and documents agree.

mod other;
mod side;
mod table;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

pub use ablate_stats::Adjustment;
use ablate_stats::Basis;
use serde::Serialize;

use crate::ReportError;
use crate::analysis::{Analysis, Difference, LEVEL, Measure};
use crate::claims::POWER;
use crate::rows::{StudyData, VariantRow};
pub use other::{Bootstrap, OtherTests};
pub use side::Scored;

/// What is asked of a comparison besides its differences.
#[derive(Clone, Copy, Debug, Default)]
pub struct Settings {
    /// How p values are adjusted for the number of differences that were tested: the averages of all pairs
    /// as one family, all other measures as another.
    pub adjustment: Adjustment,
    /// Whether the other tests are made too: sign flips, McNemar's, a bootstrap.
    pub other_tests: bool,
}

/// One side of a comparison: a variant of a study, or all of them.
#[derive(Clone, Copy, Debug)]
pub struct Selection<'a> {
    /// The study's rows.
    pub data: &'a StudyData,
    /// One variant by name; `None` takes every variant.
    pub variant: Option<&'a str>,
}

/// Side `b` against side `a`, for every pair of variants.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// Study of side `a`.
    pub study_a: String,
    /// Study of side `b`.
    pub study_b: String,
    /// The pairs, in the order of side `a`.
    pub pairs: Vec<Pair>,
    /// Variants of either side without a partner of the same name.
    pub unmatched: Vec<String>,
    /// How `p_adjusted` was adjusted: `holm`, `benjamini-hochberg` or `none`.
    pub adjustment: &'static str,
    /// Differences that were tested.
    pub tested: usize,
    /// What the sides rest on that was accepted in the place of something else, a sentence for each
    /// variant.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub accepted: Vec<String>,
}

/// Two variants.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pair {
    /// Variant of side `a`.
    pub a: String,
    /// Variant of side `b`.
    pub b: String,
    /// Sizes and costs.
    pub quantities: Vec<Quantity>,
    /// Scores, the headline first.
    pub scores: Vec<ScoreDifference>,
}

/// A size or a cost on both sides.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Quantity {
    /// What is counted, such as `parameters`.
    pub name: String,
    /// Unit; empty for plain counts.
    pub unit: String,
    /// Value of `a`.
    pub a: f64,
    /// Value of `b`.
    pub b: f64,
}

/// A score on both sides and `b - a`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScoreDifference {
    /// What is measured, such as `average score`.
    pub measure: String,
    /// `%` or `bits/byte`.
    pub unit: String,
    /// Decimals that the number is worth.
    #[serde(skip)]
    digits: usize,
    #[serde(skip)]
    higher_is_better: bool,
    /// Whether it is the average, whose p is adjusted for the averages of the other pairs alone.
    pub headline: bool,
    /// Mean of `a` over its seeds.
    pub a: f64,
    /// Mean of `b` over its seeds.
    pub b: f64,
    /// Standard error and interval of `a`.
    pub a_scored: Scored,
    /// Standard error and interval of `b`.
    pub b_scored: Scored,
    /// Mean of `b - a` over the common seeds.
    pub difference: f64,
    /// Ends of its 95% interval.
    pub interval: Option<(f64, f64)>,
    /// Two-sided p value of no difference.
    pub p: Option<f64>,
    /// The same, adjusted: of an average for those of all pairs, of another measure for all others.
    pub p_adjusted: Option<f64>,
    /// `better`, `worse`, `not distinguishable` or `not tested`, said of `b` by the adjusted p. With one seed the test is over items and holds
    /// only for these two trained models.
    pub verdict: String,
    /// The smallest true difference that these seeds and items would tell (p < 5%, 80% power) if they vary as they do.
    pub detectable: Option<f64>,
    /// `two-way-t`, `t` or `mcnemar`.
    pub test: Option<&'static str>,
    /// Other tests of the same difference, where they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_tests: Option<OtherTests>,
    /// What the interval ranges over: `seeds and items`, `seeds`, `items`, or nothing.
    pub basis: String,
    /// Common seeds.
    pub seeds: usize,
    /// Paired items; 1 where only the seeds' values were paired, 0 where nothing was.
    pub items: usize,
    /// Why something was not paired.
    pub note: Option<String>,
}

/// Compares side `b` with side `a`, p adjusted by Holm's procedure: [`compare_with`].
///
/// # Errors
/// See [`compare_with`].
pub fn compare(a: &Selection<'_>, b: &Selection<'_>) -> Result<Comparison, ReportError> {
    compare_with(a, b, Settings::default())
}

/// Compares side `b` with side `a`: one variant with one, or all variants of the same name.
///
/// # Errors
/// A variant that does not exist, or rows that polars cannot take.
pub fn compare_with(
    a: &Selection<'_>,
    b: &Selection<'_>,
    settings: Settings,
) -> Result<Comparison, ReportError> {
    let left = crate::analyse(a.data)?;
    let right = crate::analyse(b.data)?;
    let one = |data: &StudyData, name: &str| {
        data.variants.iter().position(|v| v.name == name).ok_or_else(|| ReportError::NoVariant {
            study: data.study.name.clone(),
            variant: name.to_string(),
            known: data.variants.iter().map(|v| v.name.as_str()).collect::<Vec<_>>().join(", "),
        })
    };
    let mut unmatched = Vec::new();
    let pairs: Vec<(usize, usize)> = match (a.variant, b.variant) {
        (Some(x), Some(y)) => vec![(one(a.data, x)?, one(b.data, y)?)],
        (Some(x), None) => vec![(one(a.data, x)?, one(b.data, x)?)],
        (None, Some(y)) => vec![(one(a.data, y)?, one(b.data, y)?)],
        (None, None) => {
            let mut pairs = Vec::new();
            for (i, variant) in a.data.variants.iter().enumerate() {
                match one(b.data, &variant.name) {
                    Ok(j) => pairs.push((i, j)),
                    Err(_) => unmatched.push(format!("{}: {}", a.data.study.name, variant.name)),
                }
            }
            for (j, variant) in b.data.variants.iter().enumerate() {
                if !pairs.iter().any(|(_, k)| *k == j) {
                    unmatched.push(format!("{}: {}", b.data.study.name, variant.name));
                }
            }
            pairs
        }
    };
    let mut accepted: Vec<String> = Vec::new();
    for (analysis, variant) in pairs.iter().flat_map(|(i, j)| [(&left, *i), (&right, *j)]) {
        let study = &analysis.data.study.name;
        let words = analysis.accepted(variant).map(|words| format!("{study}: {words}"));
        // A variant that is compared with itself says it once.
        accepted.extend(words.filter(|words| !accepted.contains(words)));
    }
    let mut pairs: Vec<Pair> = pairs
        .into_iter()
        .map(|(i, j)| pair((&left, i), (&right, j), settings.other_tests))
        .collect();
    let tested = adjust(&mut pairs, settings.adjustment)?;
    Ok(Comparison {
        study_a: a.data.study.name.clone(),
        study_b: b.data.study.name.clone(),
        pairs,
        unmatched,
        adjustment: match settings.adjustment {
            Adjustment::Holm => "holm",
            Adjustment::BenjaminiHochberg => "benjamini-hochberg",
            Adjustment::None => "none",
        },
        tested,
        accepted,
    })
}

/// Adjusts p and gives the verdicts; how many differences were tested. The headlines of all pairs are one
/// family, which is what a comparison is made for, and all other measures of all pairs another.
fn adjust(pairs: &mut [Pair], adjustment: Adjustment) -> Result<usize, ReportError> {
    let mut tested = 0;
    for headline in [true, false] {
        let mut family: Vec<&mut ScoreDifference> = pairs
            .iter_mut()
            .flat_map(|pair| &mut pair.scores)
            .filter(|score| score.headline == headline)
            .collect();
        let ps: Vec<f64> = family.iter().filter_map(|score| score.p).collect();
        tested += ps.len();
        let adjusted = adjustment.adjust(&ps).map_err(|e| ReportError::Query(e.to_string()))?;
        let mut adjusted = adjusted.into_iter();
        for score in &mut family {
            score.p_adjusted = score.p.and_then(|_| adjusted.next());
            score.verdict = match score.p_adjusted {
                None => "not tested",
                Some(p) if p >= 1.0 - LEVEL => "not distinguishable",
                Some(_) if (score.difference > 0.0) == score.higher_is_better => "better",
                Some(_) => "worse",
            }
            .to_string();
        }
    }
    Ok(tested)
}

/// A variant of a study.
type Side<'a> = (&'a Analysis<'a>, usize);

fn pair(a: Side<'_>, b: Side<'_>, other_tests: bool) -> Pair {
    let ((left, i), (right, j)) = (a, b);
    let (a, b) = (&left.variants()[i], &right.variants()[j]);
    let mut measures = Vec::new();
    if left.headline() == Measure::Average {
        measures.push(Measure::Average);
    }
    measures.extend((0..left.benchmarks.len()).map(Measure::Benchmark));
    measures.extend((0..left.languages.len()).map(Measure::Bits));
    let scores = measures
        .into_iter()
        .filter_map(|measure| {
            // The difference is asked of `a` and turned round, so that `b` better than `a` is positive.
            let found = left.difference_to(i, right, j, measure)?;
            score((left, i), (right, j), measure, &found, other_tests)
        })
        .collect();
    Pair { a: a.name.clone(), b: b.name.clone(), quantities: quantities(a, b), scores }
}

fn score(
    (left, i): Side<'_>,
    (right, j): Side<'_>,
    measure: Measure,
    found: &Difference,
    other_tests: bool,
) -> Option<ScoreDifference> {
    let theirs = right.same_measure(left, measure)?;
    let (name, unit) = left.name_of(measure);
    let detectable = found.contrast.and_then(|c| c.detectable(1.0 - LEVEL, POWER).ok().flatten());
    Some(ScoreDifference {
        measure: name,
        unit: unit.to_string(),
        digits: measure.digits(),
        higher_is_better: measure.higher_is_better(),
        headline: measure == Measure::Average,
        a: left.estimate(i, measure)?.mean,
        b: right.estimate(j, theirs)?.mean,
        a_scored: side::scored((left, i), measure),
        b_scored: side::scored((right, j), theirs),
        difference: -found.mean,
        interval: found.interval.map(|(low, high)| (-high, -low)),
        p: found.p,
        p_adjusted: None,
        verdict: String::new(),
        detectable: detectable.filter(|_| found.p.is_some()),
        test: found.basis.map(|basis| match basis {
            Basis::SeedsAndItems => "two-way-t",
            Basis::ItemsOnly if found.exact => "mcnemar",
            Basis::SeedsOnly | Basis::ItemsOnly => "t",
        }),
        other_tests: other_tests.then(|| other::tests((left, i), (right, j), measure)).flatten(),
        basis: found.basis_words().to_string(),
        seeds: found.seeds,
        items: found.items,
        note: found.note.clone().or_else(|| other_text(left.data, right.data, measure)),
    })
}

/// What is said of bits per byte of two studies whose corpora differ: held-out text has no hash of its own.
fn other_text(a: &StudyData, b: &StudyData, measure: Measure) -> Option<String> {
    let corpora = |data: &StudyData| -> BTreeSet<String> {
        let keys = data.provenance.keys.iter().filter(|(stage, ..)| stage == "corpus");
        keys.map(|(_, _, key)| key.clone()).collect()
    };
    let (a, b) = (corpora(a), corpora(b));
    let of_text = matches!(measure, Measure::Bits(_) | Measure::MeanBits);
    (of_text && a != b && !a.is_empty() && !b.is_empty()).then(|| {
        "the studies have different corpora, so that their held-out texts may differ".to_owned()
    })
}

fn quantities(a: &VariantRow, b: &VariantRow) -> Vec<Quantity> {
    /// Name, unit and where the number is.
    type Source = (&'static str, &'static str, fn(&VariantRow) -> f64);
    let all: [Source; 13] = [
        ("parameters", "", |v| v.params.total as f64),
        ("non-embedding parameters", "", |v| v.params.non_embedding as f64),
        ("embedding + head share", "%", |v| v.share * 100.0),
        ("depth", "", |v| v.depth as f64),
        ("width", "", |v| v.width as f64),
        ("heads", "", |v| v.heads as f64),
        ("feed-forward width", "", |v| v.ffn as f64),
        ("vocabulary", "", |v| v.vocabulary as f64),
        ("context", "tokens", |v| v.context as f64),
        ("training tokens", "", |v| v.train_tokens as f64),
        ("training text", "B", |v| v.train_bytes as f64),
        ("training", "FLOP", |v| v.train_flops),
        ("time", "s", |v| v.seconds),
    ];
    all.iter()
        .map(|(name, unit, of)| Quantity {
            name: (*name).to_string(),
            unit: (*unit).to_string(),
            a: of(a),
            b: of(b),
        })
        .filter(|q| q.a.is_finite() && q.b.is_finite())
        .collect()
}

impl ScoreDifference {
    fn digits(&self) -> usize {
        self.digits
    }
}
