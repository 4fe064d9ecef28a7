//! Do intervals cover, and does `compare` keep its level? Simulated tables with fixed seeds.
//!
//! The wide measurement is `fixtures/simulate_compare.py`; here the settings that matter
//! most guard against a regression.

use ablate_stats::{
    Contrast, Target, Verdict, compare, mean_interval, minimum_detectable_effect, wilson,
};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

struct Normal(ChaCha8Rng);

impl Normal {
    fn new(seed: u8) -> Self {
        Self(ChaCha8Rng::from_seed([seed; 32]))
    }

    fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Box and Muller.
    fn draw(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

struct Setting {
    seeds: usize,
    items: usize,
    seed_sd: f64,
    item_sd: f64,
    shift: f64,
}

impl Setting {
    /// Share of `tables` in which the verdict is not "not distinguishable".
    fn found(&self, tables: usize, stream: u8) -> f64 {
        let mut normal = Normal::new(stream);
        let hits = (0..tables).filter(|_| {
            let (a, b) = self.draw(&mut normal);
            compare(&a, &b).unwrap().verdict != Verdict::NotDistinguishable
        });
        hits.count() as f64 / tables as f64
    }

    /// Two tables, seeds x items.
    fn draw(&self, normal: &mut Normal) -> (Vec<Vec<f64>>, Vec<Vec<f64>>) {
        let by_item: Vec<f64> = (0..self.items).map(|_| self.item_sd * normal.draw()).collect();
        // `b` carries structure shared by both variants, which pairing must remove.
        let shared: Vec<f64> = (0..self.items).map(|_| 3.0 * normal.draw()).collect();
        let (mut a, mut b) = (Vec::new(), Vec::new());
        for _ in 0..self.seeds {
            let by_seed = self.shift + self.seed_sd * normal.draw();
            a.push(
                (0..self.items)
                    .map(|item| shared[item] + by_seed + by_item[item] + normal.draw())
                    .collect::<Vec<f64>>(),
            );
            b.push(shared.clone());
        }
        (a, b)
    }
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

#[test]
fn comparisons_keep_their_level() {
    // Seeds and items contribute alike to the noise of the mean, or seeds more.
    for (seeds, items, seed_sd, item_sd) in
        [(3, 200, 0.15, 0.5), (3, 100, 0.4, 1.0), (5, 200, 0.15, 0.5), (5, 1000, 0.1, 1.0)]
    {
        let level = Setting { seeds, items, seed_sd, item_sd, shift: 0.0 }.found(2000, 3);
        assert!((0.03..=0.07).contains(&level), "{seeds} seeds, {items} items: {level}");
    }
    // One value per seed: the t test over seeds, exact for normal noise.
    let level = Setting { seeds: 3, items: 1, seed_sd: 1.0, item_sd: 0.0, shift: 0.0 };
    let level = level.found(4000, 4);
    assert!((0.04..=0.06).contains(&level), "one value per seed: {level}");
}

#[test]
fn comparisons_are_conservative_when_seeds_do_not_matter() {
    for item_sd in [0.0, 0.5] {
        let level =
            Setting { seeds: 3, items: 100, seed_sd: 0.0, item_sd, shift: 0.0 }.found(2000, 5);
        assert!(level <= 0.045, "{level}");
    }
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
