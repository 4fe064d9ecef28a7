//! Agreement with scipy, statsmodels and numpy; `fixtures/make_reference.py` made the numbers.

use ablate_stats::{
    Contrast, Target, Units, benjamini_hochberg, clustered_standard_error, compare, holm,
    kendall_tau, mcnemar, mcnemar_exact, mean_interval, minimum_detectable_effect,
    paired_bootstrap, paired_t, sign_flip, spearman, standard_error, wilson,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Reference {
    mean_interval: Vec<MeanCase>,
    wilson: Vec<WilsonCase>,
    paired: Vec<PairedCase>,
    mcnemar: Vec<McNemarCase>,
    correlation: Vec<CorrelationCase>,
    adjust: Vec<AdjustCase>,
    clustered: Vec<ClusterCase>,
    detectable: Vec<DetectableCase>,
    quantile: Vec<QuantileCase>,
    two_way: Vec<TwoWayCase>,
    contrast: Vec<ContrastCase>,
    mcnemar_interval: Vec<McNemarInterval>,
    bootstrap: Vec<BootstrapCase>,
    units: Vec<UnitsCase>,
}

#[derive(Deserialize)]
struct McNemarInterval {
    b: u64,
    c: u64,
    n: u64,
    level: f64,
    low: f64,
    high: f64,
    se: f64,
}

#[derive(Deserialize)]
struct BootstrapCase {
    differences: Vec<f64>,
    low: f64,
    high: f64,
    se: f64,
}

#[derive(Deserialize)]
struct UnitsCase {
    strata: Vec<usize>,
    clusters: Vec<usize>,
    weights: Vec<f64>,
    values: Vec<f64>,
    score: f64,
    se: f64,
}

#[derive(Deserialize)]
struct ContrastCase {
    differences: Vec<f64>,
    within: f64,
    tost: f64,
    beyond: f64,
    low: f64,
    high: f64,
    effect: f64,
    seeds_for_effect: usize,
    truth: f64,
    seeds_for_equivalence: usize,
}

#[derive(Deserialize)]
struct MeanCase {
    values: Vec<f64>,
    level: f64,
    mean: f64,
    low: f64,
    high: f64,
    se: f64,
}

#[derive(Deserialize)]
struct WilsonCase {
    successes: u64,
    n: u64,
    level: f64,
    low: f64,
    high: f64,
}

#[derive(Deserialize)]
struct PairedCase {
    differences: Vec<f64>,
    t_p: f64,
    low: f64,
    sign_flip: Option<f64>,
}

#[derive(Deserialize)]
struct McNemarCase {
    b: u64,
    c: u64,
    p: f64,
}

#[derive(Deserialize)]
struct CorrelationCase {
    x: Vec<f64>,
    y: Vec<f64>,
    rho: f64,
    rho_p: f64,
    low: f64,
    high: f64,
    tau: f64,
    tau_p: f64,
}

#[derive(Deserialize)]
struct AdjustCase {
    ps: Vec<f64>,
    holm: Vec<f64>,
    bh: Vec<f64>,
}

#[derive(Deserialize)]
struct ClusterCase {
    values: Vec<f64>,
    clusters: Vec<usize>,
    se: f64,
}

#[derive(Deserialize)]
struct DetectableCase {
    n: usize,
    alpha: f64,
    power: f64,
    effect: f64,
}

#[derive(Deserialize)]
struct QuantileCase {
    level: f64,
    freedom: f64,
    t: f64,
}

#[derive(Deserialize)]
struct TwoWayCase {
    a: Vec<Vec<f64>>,
    b: Vec<Vec<f64>>,
    mean: f64,
    se: f64,
    p: f64,
    low: f64,
    high: f64,
}

fn reference() -> Reference {
    serde_json::from_str(include_str!("fixtures/reference.json")).unwrap()
}

/// Equal to a part in 10^8 (or 10^-10 near zero).
#[track_caller]
fn same(found: f64, expected: f64) {
    same_to(found, expected, 1e-8);
}

#[track_caller]
fn same_to(found: f64, expected: f64, tolerance: f64) {
    let allowed = tolerance * expected.abs().max(0.01);
    assert!((found - expected).abs() <= allowed, "{found} is not {expected}");
}

#[test]
fn mean_intervals() {
    for case in reference().mean_interval {
        let found = mean_interval(&case.values, case.level).unwrap();
        same(found.mean, case.mean);
        same(found.low.unwrap(), case.low);
        same(found.high.unwrap(), case.high);
        same(found.standard_error.unwrap(), case.se);
        same(standard_error(&case.values).unwrap(), case.se);
    }
}

#[test]
fn wilson_intervals() {
    for case in reference().wilson {
        let found = wilson(case.successes, case.n, case.level).unwrap();
        same(found.low.unwrap(), case.low);
        same(found.high.unwrap(), case.high);
    }
}

#[test]
fn paired_tests() {
    for case in reference().paired {
        let found = paired_t(&case.differences, 0.95).unwrap();
        same(found.p, case.t_p);
        same(found.estimate.low.unwrap(), case.low);
        if let Some(expected) = case.sign_flip {
            same(sign_flip(&case.differences).unwrap(), expected);
        }
    }
}

#[test]
fn mcnemar_tests() {
    for case in reference().mcnemar {
        let found = mcnemar_exact(case.b, case.c);
        assert!((found / case.p - 1.0).abs() < 1e-8, "{found} is not {}", case.p);
    }
}

#[test]
fn correlations() {
    for case in reference().correlation {
        let rho = spearman(&case.x, &case.y).unwrap();
        same(rho.value, case.rho);
        same(rho.p, case.rho_p);
        same(rho.low, case.low);
        same(rho.high, case.high);
        let tau = kendall_tau(&case.x, &case.y).unwrap();
        same(tau.value, case.tau);
        same(tau.p, case.tau_p);
    }
}

#[test]
fn adjusted_p_values() {
    for case in reference().adjust {
        let found = holm(&case.ps).unwrap();
        found.iter().zip(&case.holm).for_each(|(found, expected)| same(*found, *expected));
        let found = benjamini_hochberg(&case.ps).unwrap();
        found.iter().zip(&case.bh).for_each(|(found, expected)| same(*found, *expected));
    }
}

#[test]
fn clustered_errors() {
    for case in reference().clustered {
        same(clustered_standard_error(&case.values, &case.clusters).unwrap(), case.se);
    }
}

#[test]
fn detectable_effects() {
    for case in reference().detectable {
        let found = minimum_detectable_effect(1.0, case.n, case.alpha, case.power).unwrap();
        same_to(found, case.effect, 1e-6);
    }
}

#[test]
fn student_quantiles_behind_every_interval() {
    // Quantiles are private; a mean of two values exposes the first, fractional degrees of
    // freedom come in through the two-way comparison below.
    for case in reference().quantile {
        if case.freedom.fract() == 0.0 && case.freedom <= 1000.0 {
            let n = case.freedom as usize + 1;
            // Half ones and half minus ones, or the nearest to it: a known spread.
            let values: Vec<f64> = (0..n).map(|k| if k % 2 == 0 { 1.0 } else { -1.0 }).collect();
            let found = mean_interval(&values, case.level).unwrap();
            let reach = (found.high.unwrap() - found.low.unwrap()) / 2.0;
            same(reach / found.standard_error.unwrap(), case.t);
        }
    }
}

#[test]
fn comparisons() {
    for case in reference().two_way {
        let found = compare(&case.a, &case.b).unwrap();
        same(found.difference.mean, case.mean);
        same(found.difference.standard_error.unwrap(), case.se);
        same(found.p, case.p);
        same(found.difference.low.unwrap(), case.low);
        same(found.difference.high.unwrap(), case.high);
    }
}

#[test]
fn contrasts() {
    for case in reference().contrast {
        let a: Vec<Vec<f64>> = case.differences.iter().map(|value| vec![*value]).collect();
        let found = Contrast::of(&a, &vec![vec![0.0]; a.len()]).unwrap();
        same(found.equivalence(case.within), case.tost);
        same(found.p_above(0.1), case.beyond);
        let (low, high) = found.interval(0.9).unwrap().unwrap();
        same(low, case.low);
        same(high, case.high);
        let enough = |target| found.enough(target, 0.05, 0.8).unwrap();
        let effect = enough(Target::Difference(case.effect));
        assert_eq!((effect.seeds, effect.items), (Some(case.seeds_for_effect), None));
        let equivalence = Target::Equivalence { within: case.within, truth: case.truth };
        assert_eq!(enough(equivalence).seeds, Some(case.seeds_for_equivalence));
    }
}

#[test]
fn intervals_beside_mcnemars_test() {
    for case in reference().mcnemar_interval {
        let found = mcnemar(case.b, case.c, case.n, case.level).unwrap().estimate;
        // The likelihood is maximised numerically there.
        same_to(found.low.unwrap(), case.low, 2e-5);
        same_to(found.high.unwrap(), case.high, 2e-5);
        same(found.standard_error.unwrap(), case.se);
    }
}

/// Other draws, so other ends, by what 20,000 resamples leave open.
#[test]
fn bootstraps() {
    for case in reference().bootstrap {
        let found = paired_bootstrap(&case.differences, 0.95, 20_000, 1).unwrap().estimate;
        let near = |found: f64, expected: f64| assert!((found - expected).abs() < 0.06 * case.se);
        near(found.low.unwrap(), case.low);
        near(found.high.unwrap(), case.high);
        near(found.standard_error.unwrap(), case.se);
    }
}

#[test]
fn sampling_units() {
    for case in reference().units {
        let units = Units::new(&case.strata, &case.clusters, &case.weights).unwrap();
        let found = units.of(&case.values).unwrap();
        same(mean_interval(&found, 0.95).unwrap().mean, case.score);
        same(standard_error(&found).unwrap(), case.se);
    }
}
