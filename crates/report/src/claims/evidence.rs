//! The tests of a claim and what they come to together.

use ablate_stats::{Contrast, Correlation};

use serde::Serialize;

use super::metric::measure;
use super::pieces::{correlation, differences, gains, indices, layers};
use super::{ClaimRow, Expectation};
use crate::analysis::{Analysis, Measure};

/// What a test sets beside each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Compared {
    /// Two variants.
    Variants,
    /// Two gains, each the difference of two variants.
    Gains,
    /// Two groups of layers, by what a model loses without one of them.
    Layers,
    /// A size and the metric, over all variants.
    Ranks,
}

/// What a test asks of the rows.
#[derive(Clone, Debug)]
pub(super) enum Question {
    /// How large a difference is.
    Difference(Contrast),
    /// How a size and the metric go together.
    Correlation(Correlation),
}

/// One test.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) compared: Compared,
    pub(super) a: String,
    pub(super) b: String,
    /// What the value is a sum of: variants, and how often each.
    pub(super) terms: Vec<(usize, f64)>,
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
            Expectation::Gains { gains: pairs, variants: names } => {
                let variants = indices(analysis, names, measure)?;
                let pairs: Vec<(usize, usize)> =
                    pairs.iter().map(|(a, b)| (variants[*a], variants[*b])).collect();
                (variants, gains(analysis, measure, &pairs, order)?)
            }
            Expectation::Layers { first, count } => {
                (Vec::new(), vec![layers(analysis, measure, (*first, *count), order)?])
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
        let correlated = pieces.iter().any(|piece| piece.compared == Compared::Ranks);
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
