//! Claims: what a paper states, judged by our own rows, beside the paper's own effect.
//!
//! *Tests.* An order is judged by its neighbours and an equality by all pairs, each pair by the comparison of the other tables (paired over
//! seeds and, where the documents agree, over items); an equality by two one-sided tests. An order of gains is judged by its neighbours as well,
//! each pair by the difference of the two differences. A relation to a size is a rank correlation over the variants. Which layers matter is a
//! difference over the trained models.
//!
//! *One p for a claim.* That it holds needs all of its tests, so the p of that is their largest (an intersection-union test; Berger 1982). One
//! test contradicts it, so the p of that is the smallest times their number (Bonferroni). Only one of the two can be small, and it is the
//! claim's.
//!
//! *The family* is the study's claims that could be tested: Holm's procedure over their p keeps the chance of any wrong verdict at 5%. The
//! intervals shown are at the level at which Holm tested the claim, so that they agree with its verdict.

mod enough;
mod evidence;
mod metric;
mod paper;
mod pieces;
mod row;
mod words;

use serde::Serialize;

pub use enough::Enough;
pub use evidence::Compared;
pub use row::{ClaimRow, Expectation};
pub(crate) use words::{expected, finding, to_tell};

use crate::analysis::{Analysis, LEVEL, Measure};
use crate::paper::Paper;
use evidence::{Evidence, Piece, Question};

/// Power at which it is asked what would be enough.
pub(crate) const POWER: f64 = 0.8;

/// What the rows say of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Judgement {
    /// Every test came out as expected.
    Holds,
    /// A test came out the other way.
    Contradicted,
    /// The rows cannot tell.
    Inconclusive,
    /// There is nothing to test it by.
    NotComparable,
}

impl Judgement {
    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Contradicted => "contradicted",
            Self::Inconclusive => "inconclusive",
            Self::NotComparable => "not comparable",
        }
    }
}

/// A claim with its verdict.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct JudgedClaim {
    /// Unique slug.
    pub id: String,
    /// The claim in words.
    pub statement: String,
    /// What is compared, as written.
    pub metric: String,
    /// `points`, `bits/byte`, or empty for rank correlations.
    pub unit: String,
    /// What is expected, as written.
    pub expect: String,
    /// Largest difference or correlation that counts as none.
    pub within: Option<f64>,
    /// Where the claim is made.
    pub source: String,
    /// Whether a contradiction fails the run.
    pub require: bool,
    /// What the rows say.
    pub verdict: Judgement,
    /// Why it is not comparable.
    pub reason: Option<String>,
    /// p of the claim over all of its tests.
    pub p: Option<f64>,
    /// The same, adjusted for the number of the study's claims (Holm).
    pub p_adjusted: Option<f64>,
    /// Confidence level of the intervals.
    pub level: Option<f64>,
    /// The tests that decide.
    pub tests: Vec<ClaimTest>,
    /// The table or figure of the paper that is beside it.
    pub paper: Option<String>,
    /// What is to be known of the paper's side.
    pub remarks: Vec<String>,
    /// Decimals that the values are worth.
    #[serde(skip)]
    pub(crate) digits: usize,
}

impl JudgedClaim {
    /// Whether the claim was required and is contradicted.
    pub fn fails(&self) -> bool {
        self.require && self.verdict == Judgement::Contradicted
    }
}

/// One test of a claim.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClaimTest {
    /// What is set beside each other.
    pub compared: Compared,
    /// What is expected to have the larger value (of two equal variants the first), or the size.
    pub a: String,
    /// What is subtracted, or what the size is correlated with.
    pub b: String,
    /// `a` minus `b`, or the rank correlation.
    pub value: f64,
    /// Its interval.
    pub interval: Option<(f64, f64)>,
    /// p of no difference or correlation; of one beyond `within` where none is expected.
    pub p: f64,
    /// `seeds and items`, `seeds`, `models` or `variants`.
    pub basis: String,
    /// Seeds that both have, or trained models; 0 for a correlation.
    pub seeds: usize,
    /// Items that both have; 1 where each seed has one value.
    pub items: usize,
    /// Variants behind a correlation; 2 for a difference.
    pub variants: usize,
    /// What was left out.
    pub note: Option<String>,
    /// The paper's own value.
    pub paper: Option<f64>,
    /// Its interval, where the paper's rows give one.
    pub paper_interval: Option<(f64, f64)>,
    /// What would tell an effect as large as it is here, where the test does not.
    pub enough: Option<Enough>,
    /// What would tell an effect as large as the paper's, where the test tells nothing.
    pub enough_for_paper: Option<Enough>,
}

/// Judges every claim of a study.
pub(crate) fn judge(analysis: &Analysis<'_>, paper: &Paper) -> Vec<JudgedClaim> {
    let claims = &analysis.data.claims;
    let found: Vec<Result<Evidence, String>> =
        claims.iter().map(|claim| Evidence::of(analysis, claim)).collect();
    let ps: Vec<f64> = found.iter().flatten().map(Evidence::p).collect();
    let adjusted = ablate_stats::holm(&ps).unwrap_or_else(|_| vec![1.0; ps.len()]);
    let alphas = step_alphas(&ps);
    let mut family = adjusted.into_iter().zip(alphas);
    claims
        .iter()
        .zip(found)
        .map(|(claim, found)| match found {
            Err(reason) => JudgedClaim {
                verdict: Judgement::NotComparable,
                reason: Some(reason),
                ..blank(claim)
            },
            Ok(evidence) => {
                let (p_adjusted, alpha) = family.next().unwrap_or((1.0, 1.0 - LEVEL));
                judged(analysis, paper, claim, &evidence, p_adjusted, alpha)
            }
        })
        .collect()
}

/// The alpha at which Holm's procedure tests each p: alpha over the number of those not rejected before it. After the first that is not
/// rejected, the others are tested at the same alpha, which they cannot pass either.
fn step_alphas(ps: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..ps.len()).collect();
    order.sort_by(|a, b| ps[*a].total_cmp(&ps[*b]));
    let mut alphas = vec![0.0; ps.len()];
    let mut left = ps.len();
    let mut stopped = false;
    for index in order {
        alphas[index] = (1.0 - LEVEL) / left as f64;
        stopped |= ps[index] >= alphas[index];
        left -= usize::from(!stopped);
    }
    alphas
}

fn judged(
    analysis: &Analysis<'_>,
    paper: &Paper,
    claim: &ClaimRow,
    evidence: &Evidence,
    p_adjusted: f64,
    alpha: f64,
) -> JudgedClaim {
    let verdict = if evidence.p() >= alpha {
        Judgement::Inconclusive
    } else if evidence.holds < evidence.against {
        Judgement::Holds
    } else {
        Judgement::Contradicted
    };
    // Two one-sided tests at alpha are an interval at 1 - 2 alpha.
    let level = 1.0 - if claim.expectation.within().is_some() { 2.0 * alpha } else { alpha };
    let beside = paper::beside(analysis, paper, claim, evidence);
    let tests = evidence
        .pieces
        .iter()
        .enumerate()
        .map(|(i, piece)| {
            let theirs = beside.values.get(i).copied().flatten();
            // A pair that came out as expected needs nothing more.
            let open = verdict == Judgement::Inconclusive && piece.holds >= alpha;
            let needed = |value| {
                open.then(|| enough::enough(&piece.question, &claim.expectation, value, alpha))
                    .flatten()
            };
            ClaimTest {
                paper: theirs.map(|found| found.0),
                paper_interval: theirs.and_then(|found| found.1),
                enough: needed(piece.value()),
                enough_for_paper: theirs.and_then(|found| needed(found.0)),
                ..test(piece, level)
            }
        })
        .collect();
    JudgedClaim {
        verdict,
        unit: evidence.unit.to_string(),
        digits: evidence.digits,
        p: Some(evidence.p()),
        p_adjusted: Some(p_adjusted),
        level: Some(level),
        tests,
        paper: beside.element,
        remarks: beside.remarks,
        ..blank(claim)
    }
}

fn test(piece: &Piece, level: f64) -> ClaimTest {
    let (a, b, note) = (piece.a.clone(), piece.b.clone(), piece.note.clone());
    let none = ClaimTest {
        compared: piece.compared,
        a,
        b,
        value: piece.value(),
        interval: None,
        p: piece.p,
        basis: "seeds".into(),
        seeds: 0,
        items: 1,
        variants: 2,
        note,
        paper: None,
        paper_interval: None,
        enough: None,
        enough_for_paper: None,
    };
    match &piece.question {
        Question::Difference(found) => ClaimTest {
            interval: found.interval(level).ok().flatten(),
            basis: match piece.compared {
                Compared::Layers => "models",
                _ if found.items > 1 => "seeds and items",
                _ => "seeds",
            }
            .into(),
            seeds: found.seeds,
            items: found.items,
            ..none
        },
        Question::Correlation(found) => ClaimTest {
            interval: found.interval(level).ok(),
            basis: "variants".into(),
            variants: found.n,
            ..none
        },
    }
}

/// A claim of which nothing is known yet.
fn blank(claim: &ClaimRow) -> JudgedClaim {
    JudgedClaim {
        id: claim.id.clone(),
        statement: claim.statement.clone(),
        metric: claim.metric.clone(),
        unit: String::new(),
        expect: claim.expect.clone(),
        within: claim.expectation.within(),
        source: claim.source.clone(),
        require: claim.require,
        verdict: Judgement::NotComparable,
        reason: None,
        p: None,
        p_adjusted: None,
        level: None,
        tests: Vec::new(),
        paper: None,
        remarks: Vec::new(),
        digits: Measure::Average.digits(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A p below the alpha of its step is exactly one whose adjusted p is below 5%.
    #[test]
    fn steps_decide_as_holms_adjustment() {
        for ps in [
            vec![0.03],
            vec![0.04, 0.001, 0.02],
            vec![0.03, 0.026, 0.9, 0.0001],
            vec![0.5, 0.02, 0.02],
            vec![0.001, 0.002, 0.003],
            vec![],
        ] {
            let adjusted = ablate_stats::holm(&ps).unwrap();
            for ((p, adjusted), alpha) in ps.iter().zip(adjusted).zip(step_alphas(&ps)) {
                assert_eq!(*p < alpha, adjusted < 0.05, "{ps:?}");
            }
        }
    }
}
