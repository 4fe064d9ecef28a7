//! A claim of the study file in the terms of a report.

use ablate_report::{ClaimRow, Expectation};
use ablate_spec::{Claim, End, Expectation as Written};

/// The row of a claim.
pub fn row(claim: &Claim) -> ClaimRow {
    let size = |quantity: &ablate_spec::Quantity| quantity.name().to_owned();
    ClaimRow {
        id: claim.id.clone(),
        statement: claim.statement.clone(),
        metric: claim.metric.clone(),
        expect: claim.expect.clone(),
        expectation: match &claim.expectation {
            Written::Order(variants) => Expectation::Order(variants.clone()),
            Written::Gains { gains, variants } => {
                Expectation::Gains { gains: gains.clone(), variants: variants.clone() }
            }
            Written::Equal { variants, within } => {
                Expectation::Equal { variants: variants.clone(), within: *within }
            }
            Written::Trend { quantity, rises } => {
                Expectation::Trend { size: size(quantity), rises: *rises }
            }
            Written::Unrelated { quantity, within } => {
                Expectation::Unrelated { size: size(quantity), within: *within }
            }
            Written::Layers { end, count } => {
                Expectation::Layers { first: *end == End::First, count: *count as u64 }
            }
        },
        source: claim.source.clone(),
        paper: claim.paper.clone(),
        require: claim.require,
    }
}
