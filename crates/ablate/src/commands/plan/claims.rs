//! What a study's claims can come to with the seeds and variants that it has, as far as that is known
//! before anything is measured.

use ablate_spec::{Claim, Expectation, Study};
use ablate_stats::{minimum_detectable_effect, pairs_for_correlation};

/// Level of the verdicts and power that is asked for, as in reports.
const ALPHA: f64 = 0.05;
const POWER: f64 = 0.8;
/// Variants that a rank correlation needs at least, as in reports.
const FEWEST: usize = 5;

/// Claims that no result can decide.
pub fn warnings(study: &Study) -> Vec<String> {
    let mut out = Vec::new();
    let pairs = ids(study, compares);
    if study.seeds.len() < 2 && !pairs.is_empty() {
        out.push(format!(
            "warning: one seed says nothing of another training, so these claims will not be \
             comparable: {pairs}; add seeds to study.seeds"
        ));
    }
    let layers = ids(study, |claim| match claim.expectation {
        Expectation::Layers { count, .. } => models(study, count) < 2,
        _ => false,
    });
    if !layers.is_empty() {
        out.push(format!(
            "warning: these claims will not be comparable, since they need two models at least that \
             are scored without single layers and have such layers and a middle: {layers}; add \
             eval.skip_layers = [1], seeds or depth"
        ));
    }
    let trends = ids(study, correlates);
    if study.variants.len() < FEWEST && !trends.is_empty() {
        out.push(format!(
            "warning: a rank correlation needs {FEWEST} variants and there are {}, so these claims \
             will not be comparable: {trends}",
            study.variants.len()
        ));
    }
    out
}

/// The smallest effects that would be told.
pub fn notes(study: &Study) -> String {
    let mut out = String::new();
    // Holm's procedure begins with this level.
    let alpha = ALPHA / study.claims.len().max(1) as f64;
    let claims = study.claims.len();
    let family = if claims == 1 { "1 claim".to_owned() } else { format!("{claims} claims") };
    let seeds = study.seeds.len();
    if study.claims.iter().any(compares)
        && let Ok(least) = minimum_detectable_effect(1.0, seeds, alpha, POWER)
    {
        out += &format!(
            "{family}: {seeds} seeds tell two variants apart (80% power) when they differ by \
             {least:.1} standard deviations of the difference over seeds\n"
        );
    }
    if study.claims.iter().any(correlates)
        && let Some(least) = least_correlation(study.variants.len(), alpha)
    {
        out += &format!(
            "{family}: {} variants tell a rank correlation of {least:.2} from none (80% power)\n",
            study.variants.len()
        );
    }
    out
}

/// Trained models that are scored without single layers, and have so many at an end and a middle.
fn models(study: &Study, count: usize) -> usize {
    let fits = |depth: usize| depth > 2 * depth.div_ceil(4).max(count);
    let scored = study
        .variants
        .iter()
        .filter(|variant| variant.eval.skip_layers.contains(&1) && fits(variant.model.depth));
    scored.count() * study.seeds.len()
}

/// Whether a claim is about variants beside each other.
fn compares(claim: &Claim) -> bool {
    !claim.expectation.variants().is_empty()
}

/// Whether a claim is about all variants and a size of theirs.
fn correlates(claim: &Claim) -> bool {
    matches!(claim.expectation, Expectation::Trend { .. } | Expectation::Unrelated { .. })
}

fn ids(study: &Study, wanted: impl Fn(&Claim) -> bool) -> String {
    let found: Vec<&str> =
        study.claims.iter().filter(|claim| wanted(claim)).map(|c| c.id.as_str()).collect();
    found.join(", ")
}

/// The smallest rank correlation that this many variants tell from none.
fn least_correlation(variants: usize, alpha: f64) -> Option<f64> {
    let told = |rho: f64| {
        let pairs = pairs_for_correlation(rho, alpha, POWER).ok().flatten();
        pairs.is_some_and(|pairs| pairs <= variants)
    };
    (1..100).map(|hundredth| f64::from(hundredth) / 100.0).find(|rho| told(*rho))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By n = 3 + (1 + rho^2 / 2) ((z + z) / atanh rho)^2.
    #[test]
    fn correlations_that_are_told() {
        let pairs = |rho: f64| {
            let z: f64 = (1.959_963_985 + 0.841_621_234) / rho.atanh();
            3.0 + (1.0 + rho * rho / 2.0) * z * z
        };
        for variants in [8, 16, 34] {
            let least = least_correlation(variants, 0.05).unwrap();
            assert!(pairs(least) <= variants as f64 && pairs(least - 0.01) > variants as f64);
        }
        assert_eq!(least_correlation(3, 0.05), None);
    }
}
