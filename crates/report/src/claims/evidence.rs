//! The tests of a claim and what they come to together.

use ablate_stats::{Contrast, Correlation};

use super::metric::measure;
use super::{ClaimRow, Expectation};
use crate::analysis::{Analysis, FEWEST, Measure, SIZES, Size};

/// What a test asks of the rows.
#[derive(Clone, Debug)]
pub(super) enum Question {
    /// How two variants differ.
    Difference(Contrast),
    /// How a size and the metric go together.
    Correlation(Correlation),
}

/// One test.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) a: String,
    pub(super) b: String,
    pub(super) question: Question,
    /// p of no difference or correlation; of one beyond the tolerance where none is expected.
    pub(super) p: f64,
    /// p at which this test speaks for the claim.
    pub(super) holds: f64,
    /// p at which this test speaks against it.
    pub(super) against: f64,
    pub(super) note: Option<String>,
}

impl Piece {
    /// The difference or the correlation.
    pub(super) fn value(&self) -> f64 {
        match &self.question {
            Question::Difference(found) => found.mean,
            Question::Correlation(found) => found.value,
        }
    }
}

/// All tests of a claim.
#[derive(Clone, Debug)]
pub(super) struct Evidence {
    pub(super) measure: Measure,
    pub(super) unit: &'static str,
    pub(super) digits: usize,
    /// Indices of the variants that are named.
    pub(super) variants: Vec<usize>,
    pub(super) pieces: Vec<Piece>,
    /// p of "does not hold": the largest of the tests.
    pub(super) holds: f64,
    /// p of "is not contradicted": the smallest of the tests times their number.
    pub(super) against: f64,
}

impl Evidence {
    /// The tests of a claim.
    ///
    /// # Errors
    /// Why there is nothing to test it by.
    pub(super) fn of(analysis: &Analysis<'_>, claim: &ClaimRow) -> Result<Self, String> {
        let measure = measure(analysis, &claim.metric)?;
        let unit = if measure.higher_is_better() { "points" } else { "bits/byte" };
        let digits = measure.digits();
        let (variants, pieces) = match &claim.expectation {
            Expectation::Order(names) => {
                let variants = indices(analysis, names, measure)?;
                let pairs = variants.windows(2).map(|pair| (pair[0], pair[1])).collect();
                (variants, differences(analysis, measure, pairs, order)?)
            }
            Expectation::Equal { variants: names, within } => {
                let variants = indices(analysis, names, measure)?;
                let pairs = variants
                    .iter()
                    .enumerate()
                    .flat_map(|(i, a)| variants[i + 1..].iter().map(move |b| (*a, *b)))
                    .collect();
                let judge = |found: &Contrast| {
                    let holds = found.equivalence(*within);
                    (holds, holds, found.p_above(*within).min(found.p_below(-within)))
                };
                (variants, differences(analysis, measure, pairs, judge)?)
            }
            Expectation::Trend { size, rises } => {
                let judge = |found: &Correlation| {
                    let fisher = 2.0 * found.p_above(0.0).min(found.p_below(0.0));
                    let p = found.p.max(fisher.min(1.0));
                    if (found.value > 0.0) == *rises { (p, p, 1.0) } else { (p, 1.0, p) }
                };
                (Vec::new(), vec![correlation(analysis, measure, size, judge)?])
            }
            Expectation::Unrelated { size, within } => {
                let judge = |found: &Correlation| {
                    let holds = found.p_above(-within).max(found.p_below(*within));
                    (holds, holds, found.p_above(*within).min(found.p_below(-within)))
                };
                (Vec::new(), vec![correlation(analysis, measure, size, judge)?])
            }
        };
        let correlated = matches!(pieces[..], [Piece { question: Question::Correlation(_), .. }]);
        let holds = pieces.iter().map(|piece| piece.holds).fold(0.0, f64::max);
        let least = pieces.iter().map(|piece| piece.against).fold(1.0, f64::min);
        Ok(Self {
            measure,
            unit: if correlated { "" } else { unit },
            digits: if correlated { 2 } else { digits },
            variants,
            holds,
            against: (least * pieces.len() as f64).min(1.0),
            pieces,
        })
    }

    /// p of the claim: of what it comes nearer to.
    pub(super) fn p(&self) -> f64 {
        self.holds.min(self.against)
    }
}

/// What a test says of an order: p, p for the claim, p against it.
fn order(found: &Contrast) -> (f64, f64, f64) {
    let p = found.p();
    if found.mean > 0.0 {
        (p, p, 1.0)
    } else if found.mean < 0.0 {
        (p, 1.0, p)
    } else {
        (p, 1.0, 1.0)
    }
}

/// The variants of these names, each with values.
fn indices(
    analysis: &Analysis<'_>,
    names: &[String],
    measure: Measure,
) -> Result<Vec<usize>, String> {
    names
        .iter()
        .map(|name| {
            let index = analysis.variants().iter().position(|variant| variant.name == *name);
            let index = index.ok_or_else(|| format!("there is no variant `{name}`"))?;
            if analysis.by_seed(index, measure).is_none() {
                return Err(analysis.failure(index).unwrap_or_else(|| {
                    format!(
                        "{} has no {}",
                        analysis.variants()[index].title(),
                        analysis.name_of(measure).0.to_lowercase()
                    )
                }));
            }
            Ok(index)
        })
        .collect()
}

fn differences(
    analysis: &Analysis<'_>,
    measure: Measure,
    pairs: Vec<(usize, usize)>,
    judge: impl Fn(&Contrast) -> (f64, f64, f64),
) -> Result<Vec<Piece>, String> {
    let title = |v: usize| analysis.variants()[v].title().to_string();
    pairs
        .into_iter()
        .map(|(a, b)| {
            let between = || format!("“{}” and “{}”", title(a), title(b));
            let paired = match analysis.paired(a, analysis, b, measure) {
                None => return Err(format!("{} have no values to compare", between())),
                Some(Err(untested)) => {
                    let why = untested.note.unwrap_or_else(|| "nothing is paired".into());
                    return Err(format!("{}: {why}", between()));
                }
                Some(Ok(paired)) => paired,
            };
            if paired.seeds < 2 {
                return Err(format!(
                    "{} have one seed in common, which says nothing of another training; two are needed at least",
                    between()
                ));
            }
            let found = Contrast::of(&paired.x, &paired.y).map_err(|e| e.to_string())?;
            let (p, holds, against) = judge(&found);
            Ok(Piece {
                a: title(a),
                b: title(b),
                question: Question::Difference(found),
                p,
                holds,
                against,
                note: paired.note,
            })
        })
        .collect()
}

fn correlation(
    analysis: &Analysis<'_>,
    measure: Measure,
    size: &str,
    judge: impl Fn(&Correlation) -> (f64, f64, f64),
) -> Result<Piece, String> {
    let Some(Size { title, of, .. }) = SIZES.into_iter().find(|known| known.name == size) else {
        return Err(format!("there is no size `{size}`"));
    };
    let rows = analysis.variants();
    let (x, y): (Vec<f64>, Vec<f64>) = (0..rows.len())
        .filter_map(|v| Some((of(&rows[v]), analysis.estimate(v, measure)?.mean)))
        .unzip();
    if x.len() < FEWEST {
        return Err(format!(
            "a rank correlation needs {FEWEST} variants with values at least; there are {}",
            x.len()
        ));
    }
    if x.iter().all(|value| *value == x[0]) {
        return Err(format!("all variants have the same {size}"));
    }
    let found = ablate_stats::spearman(&x, &y).map_err(|e| e.to_string())?;
    let (p, holds, against) = judge(&found);
    let left_out = rows.len() - x.len();
    Ok(Piece {
        a: title.to_lowercase().replace("ffn", "FFN"),
        b: analysis.name_of(measure).0.to_lowercase(),
        question: Question::Correlation(found),
        p,
        holds,
        against,
        note: (left_out > 0)
            .then(|| format!("{left_out} of {} variants have no value", rows.len())),
    })
}
