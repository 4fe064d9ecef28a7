//! Claims in sentences.

use super::{ClaimTest, Compared, Enough, JudgedClaim, Judgement};
use crate::number::{grouped, signed};

impl JudgedClaim {
    /// The claim for a terminal: one line.
    pub fn line(&self) -> String {
        let head = format!("claim {}: {}", self.id, self.verdict.words());
        let head = if self.require { format!("{head} (required)") } else { head };
        if let Some(reason) = &self.reason {
            return format!("{head}: {reason}");
        }
        let tests: Vec<String> = self
            .tests
            .iter()
            .map(|test| {
                let mut text = format!("{} {}", test.compared(), signed(test.value, self.digits));
                if let Some((low, high)) = test.interval {
                    text +=
                        &format!(" [{}, {}]", signed(low, self.digits), signed(high, self.digits));
                }
                if !self.unit.is_empty() {
                    text += &format!(" {}", self.unit);
                }
                if let Some(paper) = test.paper {
                    text += &format!(", in the paper {}", signed(paper, 2));
                }
                match to_tell(test) {
                    Some(needed) => text + &format!(" (to tell: {needed})"),
                    None => text,
                }
            })
            .collect();
        format!("{head}: {}", tests.join("; "))
    }
}

impl ClaimTest {
    /// `“a” − “b”`, `(“a” − “b”) − (“c” − “d”)`, `loss without a − without b` or `ρ(a, b)`.
    pub(crate) fn compared(&self) -> String {
        let (a, b) = (&self.a, &self.b);
        match self.compared {
            Compared::Variants => format!("“{a}” − “{b}”"),
            Compared::Gains => format!("({a}) − ({b})"),
            Compared::Layers => format!("loss without {a} − without {b}"),
            Compared::Ranks => format!("ρ({a}, {b})"),
        }
    }
}

/// What is expected, with the tolerance.
pub(crate) fn expected(claim: &JudgedClaim) -> String {
    match claim.within {
        Some(within) if claim.unit.is_empty() => format!("{}, |ρ| < {within}", claim.expect),
        Some(within) => format!("{}, within {within} {}", claim.expect, claim.unit),
        None => claim.expect.clone(),
    }
}

/// What would tell: `12 seeds or 3 seeds × 5400 items; as in the paper 5 seeds`.
pub(crate) fn to_tell(test: &ClaimTest) -> Option<String> {
    let here = test.enough.map(|enough| words(test, &enough));
    let paper = test.enough_for_paper.map(|enough| words(test, &enough));
    match (here, paper) {
        (Some(here), Some(paper)) => Some(format!("{here}; an effect as in the paper: {paper}")),
        (here, paper) => here.or(paper),
    }
}

fn words(test: &ClaimTest, enough: &Enough) -> String {
    let many = |count: usize, what: &str| format!("{} {what}", grouped(count as u64));
    let units = if test.compared == Compared::Layers { "models" } else { "seeds" };
    if enough.seeds.is_some_and(|seeds| seeds <= test.seeds) {
        return format!("the {} there are", many(test.seeds, units));
    }
    if enough.variants.is_some_and(|variants| variants <= test.variants) {
        return format!("the {} there are", many(test.variants, "variants"));
    }
    let mut ways = Vec::new();
    ways.extend(enough.variants.map(|variants| many(variants, "variants")));
    ways.extend(enough.seeds.map(|seeds| many(seeds, units)));
    if let Some(items) = enough.items.filter(|_| test.items > 1) {
        ways.push(format!("{} × {}", many(test.seeds, "seeds"), many(items, "items")));
    }
    match (ways.is_empty(), test.compared == Compared::Ranks, test.items > 1) {
        (false, ..) => ways.join(" or "),
        (true, true, _) => "no number of variants".into(),
        (true, false, true) => "neither seeds nor items alone".into(),
        (true, false, false) => format!("no number of {units}"),
    }
}

/// How the claims of a study came out, in a sentence.
pub(crate) fn finding(claims: &[JudgedClaim]) -> Option<String> {
    if claims.is_empty() {
        return None;
    }
    let parts: Vec<String> = [
        (Judgement::Holds, "hold"),
        (Judgement::Contradicted, "contradicted"),
        (Judgement::Inconclusive, "inconclusive"),
        (Judgement::NotComparable, "not comparable"),
    ]
    .into_iter()
    .filter_map(|(verdict, words)| {
        let ids: Vec<&str> =
            claims.iter().filter(|c| c.verdict == verdict).map(|c| c.id.as_str()).collect();
        let words = if verdict == Judgement::Holds && ids.len() == 1 { "holds" } else { words };
        (!ids.is_empty()).then(|| format!("{} {words} ({})", ids.len(), ids.join(", ")))
    })
    .collect();
    let count = claims.len();
    let noun = if count == 1 { "claim" } else { "claims" };
    Some(format!("Of {count} {noun}: {}.", parts.join(", ")))
}
