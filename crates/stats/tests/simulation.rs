//! Do intervals cover, and does `compare` keep its level? Simulated tables with fixed seeds.
//!
//! The wide measurements are `fixtures/simulate_compare.py` and `examples/coverage.rs`; here the
//! settings that matter most guard against a regression. 10,000 tables tell a share of 5% to 0.22
//! percentage points (one standard error).

mod tables;

use ablate_stats::{
    Contrast, Target, Units, compare, mean_interval, minimum_detectable_effect, standard_error,
    wilson,
};
use tables::{Normal, Setting, answers, clustered};

/// Share of 10,000 tables in which a condition holds.
fn share(mut holds: impl FnMut() -> bool) -> f64 {
    (0..10_000).filter(|_| holds()).count() as f64 / 1e4
}

/// The number of seeds that is said to be enough gives about the power that was asked for.
#[test]
fn seeds_that_are_enough() {
    for (stream, seed_sd, item_sd, shift) in [(31, 0.5, 0.3, 0.5), (32, 0.1, 1.5, 0.8)] {
        let pilot = Setting { seeds: 60, items: 60, seed_sd, item_sd, shift };
        let (a, b) = pilot.draw(&mut Normal::new(stream));
        let contrast = Contrast::of(&a, &b).unwrap();
        let seeds = contrast.enough(Target::Difference(shift), 0.05, 0.8).unwrap().seeds.unwrap();
        let power = Setting { seeds, ..pilot }.found(1500, stream + 10);
        assert!((0.68..0.93).contains(&power), "{seeds} seeds: {power}");
    }
}

#[test]
fn t_intervals_cover() {
    for n in [2, 3, 5, 20] {
        let mut normal = Normal::new(1);
        let tables = 10_000;
        let covered = (0..tables)
            .filter(|_| {
                let values: Vec<f64> = (0..n).map(|_| 5.0 + normal.draw()).collect();
                let found = mean_interval(&values, 0.95).unwrap();
                found.low.unwrap() <= 5.0 && 5.0 <= found.high.unwrap()
            })
            .count();
        let share = covered as f64 / f64::from(tables);
        assert!((share - 0.95).abs() < 0.01, "{n} values: {share}");
    }
}

#[test]
fn wilson_intervals_cover() {
    let mut normal = Normal::new(2);
    let mut covered = 0;
    let tables = 10_000;
    for _ in 0..tables {
        // A true share that differs between tables averages out the steps of the binomial.
        let truth = 0.2 + 0.6 * normal.uniform();
        let successes = (0..100).filter(|_| normal.uniform() < truth).count() as u64;
        let found = wilson(successes, 100, 0.95).unwrap();
        covered += u32::from(found.low.unwrap() <= truth && truth <= found.high.unwrap());
    }
    let share = f64::from(covered) / f64::from(tables);
    assert!((share - 0.95).abs() < 0.01, "{share}");
}

/// False positives of 4 to 6%, whichever of seeds and items makes the noise.
#[test]
fn comparisons_keep_their_level() {
    for (stream, (seeds, items, seed_sd, item_sd)) in [
        (3, 20, 0.0, 0.0),
        (3, 20, 0.3, 0.0),
        (3, 50, 0.15, 0.5),
        (3, 20, 0.0, 1.0),
        (3, 20, 0.6, 1.0),
        (5, 20, 0.1, 0.3),
        (5, 50, 0.15, 1.0),
        (3, 1, 1.0, 0.0),
    ]
    .into_iter()
    .enumerate()
    {
        let setting = Setting { seeds, items, seed_sd, item_sd, shift: 0.0 };
        let mut normal = Normal::new(50 + stream as u8);
        let level = share(|| {
            let (a, b) = setting.draw(&mut normal);
            Contrast::of(&a, &b).unwrap().p() < 0.05
        });
        assert!(
            (0.04..=0.06).contains(&level),
            "{seeds} seeds, {items} items, sd {seed_sd} and {item_sd}: {level}"
        );
    }
}

/// Intervals of a difference that is there: 94 to 96% hold it.
#[test]
fn intervals_of_differences_cover() {
    for (stream, (seeds, items, seed_sd, item_sd)) in
        [(3, 20, 0.15, 0.5), (3, 80, 0.0, 0.0), (5, 20, 0.3, 1.0)].into_iter().enumerate()
    {
        let setting = Setting { seeds, items, seed_sd, item_sd, shift: 0.7 };
        let mut normal = Normal::new(70 + stream as u8);
        let covered = share(|| {
            let (a, b) = setting.draw(&mut normal);
            let (low, high) = Contrast::of(&a, &b).unwrap().interval(0.95).unwrap().unwrap();
            low <= 0.7 && 0.7 <= high
        });
        assert!((0.94..=0.96).contains(&covered), "{seeds} {seed_sd} {item_sd}: {covered}");
    }
}

/// Two seeds are too few for a test that is neither blind nor wrong: it errs on the safe side.
#[test]
fn two_seeds_are_conservative() {
    for (stream, seed_sd, item_sd) in [(80, 0.0, 0.0), (81, 0.2, 1.0), (82, 1.0, 1.0)] {
        let setting = Setting { seeds: 2, items: 20, seed_sd, item_sd, shift: 0.0 };
        let mut normal = Normal::new(stream);
        let level = share(|| {
            let (a, b) = setting.draw(&mut normal);
            Contrast::of(&a, &b).unwrap().p() < 0.05
        });
        assert!(level <= 0.057, "{seed_sd} {item_sd}: {level}");
    }
}

/// One seed, items right or wrong: exact tests stay at or below their level, intervals at or above.
#[test]
fn one_seed_s_intervals_cover_and_its_test_keeps_its_level() {
    let mut normal = Normal::new(90);
    for (items, first, second) in [(150, 0.2, 0.2), (150, 0.25, 0.1), (60, 0.1, 0.05)] {
        let truth = first - second;
        let (mut found, mut tables) = (0, 0);
        let covered = (0..4000)
            .filter(|_| {
                let [a, b] = answers(&mut normal, items, first, second);
                let compared = compare(&a, &b).unwrap();
                tables += 1;
                found += u32::from(compared.p < 0.05);
                let (low, high) = compared.difference.low.zip(compared.difference.high).unwrap();
                low <= truth && truth <= high
            })
            .count() as f64
            / f64::from(tables);
        assert!((0.945..=0.985).contains(&covered), "{items} {first} {second}: {covered}");
        let level = f64::from(found) / f64::from(tables);
        assert!(truth != 0.0 || (0.02..=0.055).contains(&level), "{level}");
    }
}

/// Items that share passages: the interval over the passages covers, that over items does not.
#[test]
fn intervals_over_clusters_cover() {
    let mut normal = Normal::new(91);
    let (mut plain, mut tables) = (0, 0);
    let covered = share(|| {
        let (values, labels) = clustered(&mut normal, 40, 4, 0.7);
        let units = Units::new(&vec![0; values.len()], &labels, &[1.0]).unwrap();
        let found = mean_interval(&units.of(&values).unwrap(), 0.95).unwrap();
        let mean = found.mean.abs();
        tables += 1;
        plain += u32::from(mean <= 1.96 * standard_error(&values).unwrap());
        mean <= found.high.unwrap() - found.mean
    });
    assert!((0.935..=0.96).contains(&covered), "{covered}");
    let plain = f64::from(plain) / f64::from(tables);
    assert!(plain < 0.9, "{plain}");
}

#[test]
fn comparisons_find_what_is_there() {
    // A true difference of four standard errors of the mean.
    for (seeds, expected) in [(3, 0.5), (5, 0.8)] {
        let (items, seed_sd, item_sd) = (200, 0.15, 0.5);
        let count = seeds as f64;
        let error = (seed_sd * seed_sd / count
            + item_sd * item_sd / items as f64
            + 1.0 / (count * items as f64))
            .sqrt();
        let power = Setting { seeds, items, seed_sd, item_sd, shift: 4.0 * error }.found(500, 6);
        assert!(power >= expected, "{seeds} seeds: {power}");
    }
}

#[test]
fn detectable_effects_are_detected_as_often_as_promised() {
    // With one item per seed the noise of `Setting` has a standard deviation of one.
    let shift = minimum_detectable_effect(1.0, 4, 0.05, 0.8).unwrap();
    let setting = Setting { seeds: 4, items: 1, seed_sd: 0.0, item_sd: 0.0, shift };
    let power = setting.found(4000, 7);
    assert!((power - 0.8).abs() < 0.02, "{power}");
}
