//! A paired difference that has not been asked a question yet: is it there, which side of a bound
//! is it on, is it none to speak of, and how much more would have to be measured to tell?

use crate::compare::Basis;
use crate::differences::Differences;
use crate::error::{StatsError, check_fraction};
use crate::estimate::{mean, variance};
use crate::paired::constant_p;
use crate::power::{detectable, equivalence_power, smallest, two_sided_power};
use crate::tails::{student_two_sided, student_two_sided_quantile};

/// The difference of `a` and `b`, seeds x items each, with the tests of
/// [`compare_at`](crate::compare_at): its p and its interval are those.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contrast {
    /// Mean of `a` minus mean of `b`.
    pub mean: f64,
    /// Number of seeds.
    pub seeds: usize,
    /// Number of items; 1 when each seed has one value.
    pub items: usize,
    /// What the tests range over.
    pub basis: Basis,
    spread: Spread,
}

/// Variances of the parts of a difference: what a seed shifts on all items, what an item shifts
/// for all seeds, and the rest.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Spread {
    seed: f64,
    item: f64,
    rest: f64,
}

/// What a difference is to be told from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Target {
    /// From none, when it is this large.
    Difference(f64),
    /// From anything beyond `within`, when it is `truth`.
    Equivalence {
        /// Largest difference that counts as none.
        within: f64,
        /// The difference that there is.
        truth: f64,
    },
}

/// What would be enough; `None` where no number below a million is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Enough {
    /// Seeds, with the items that there are.
    pub seeds: Option<usize>,
    /// Items, with the seeds that there are; `None` as well where seeds have one value each.
    pub items: Option<usize>,
}

/// Share of the spread between items below which that between seeds is rounding.
const ROUNDING: f64 = 1e-9;

/// Standard error and degrees of freedom of a t statistic.
type Error = (f64, f64);

impl Contrast {
    /// The contrast of two tables of one shape, row k of both from the same seed and column i
    /// from the same item.
    ///
    /// # Errors
    /// Unequal numbers of seeds or items, ragged or empty tables, one seed with one item, values
    /// that are not finite.
    pub fn of(a: &[Vec<f64>], b: &[Vec<f64>]) -> Result<Self, StatsError> {
        Ok(Self::over(&Differences::of(a, b)?))
    }

    /// The contrast of differences that are there already.
    pub(crate) fn over(differences: &Differences) -> Self {
        let Differences { rows, by_seed, seeds, items } = differences;
        let (seeds, items) = (*seeds, *items);
        let (basis, spread) = match (seeds, items) {
            (1, _) => {
                let item = variance(&rows[0]);
                (Basis::ItemsOnly, Spread { seed: 0.0, item, rest: 0.0 })
            }
            (_, 1) => {
                let seed = variance(by_seed);
                (Basis::SeedsOnly, Spread { seed, item: 0.0, rest: 0.0 })
            }
            _ => (Basis::SeedsAndItems, Spread::of(rows, by_seed)),
        };
        Self { mean: mean(by_seed), seeds, items, basis, spread }
    }

    /// The t statistics that must agree.
    fn errors(&self) -> Vec<Error> {
        self.spread.errors(self.basis, self.seeds, self.items)
    }

    /// Interval at `level`; `None` without any spread around a mean other than zero.
    ///
    /// # Errors
    /// A level outside (0, 1).
    pub fn interval(&self, level: f64) -> Result<Option<(f64, f64)>, StatsError> {
        check_fraction("an interval", "level", level)?;
        let errors = self.errors();
        let reach = |(error, freedom): &Error| student_two_sided_quantile(level, *freedom) * error;
        let widest = errors.iter().map(reach).fold(0.0, f64::max);
        let known = widest > 0.0 || self.mean == 0.0;
        Ok(known.then_some((self.mean - widest, self.mean + widest)))
    }

    /// Two-sided p of no difference.
    pub fn p(&self) -> f64 {
        if self.mean == 0.0 { 1.0 } else { (2.0 * self.p_beyond(0.0, self.mean > 0.0)).min(1.0) }
    }

    /// One-sided p of "not above `bound`".
    pub fn p_above(&self, bound: f64) -> f64 {
        self.p_beyond(bound, true)
    }

    /// One-sided p of "not below `bound`".
    pub fn p_below(&self, bound: f64) -> f64 {
        self.p_beyond(bound, false)
    }

    /// p of "different by more than `within`": the larger of two one-sided p (TOST; Schuirmann
    /// 1987). Numbers that are all equal have none.
    pub fn equivalence(&self, within: f64) -> f64 {
        if self.mean == 0.0 && self.errors().iter().all(|(error, _)| *error == 0.0) {
            return 0.0;
        }
        self.p_above(-within).max(self.p_below(within))
    }

    fn p_beyond(&self, bound: f64, above: bool) -> f64 {
        let distance = if above { self.mean - bound } else { bound - self.mean };
        let errors = self.errors();
        if errors.iter().all(|(error, _)| *error == 0.0) {
            // Seeds are units, and so are items: n equal signs.
            let units = self.seeds.max(self.items);
            let tail = 0.5 * constant_p(units);
            return if distance > 0.0 { tail } else { 1.0 - tail };
        }
        let tail = |(error, freedom): &Error| {
            if *error == 0.0 {
                // Equal means of all seeds: nothing speaks against the other test.
                return 0.0;
            }
            let half = 0.5 * student_two_sided(distance / error, *freedom);
            if distance > 0.0 { half } else { 1.0 - half }
        };
        errors.iter().map(tail).fold(0.0, f64::max)
    }

    /// Standard error of the difference: that of the two-way model where there are seeds and items.
    pub fn standard_error(&self) -> f64 {
        self.errors().first().map_or(0.0, |(error, _)| *error)
    }

    /// The smallest true difference that would be told from none at two-sided `alpha` with
    /// probability `power`, by as many seeds and items as there are, if they vary as these do;
    /// `None` without any spread. With items the power is as in [`enough`](Self::enough).
    ///
    /// # Errors
    /// `alpha` or `power` outside (0, 1), or a power that does not exceed alpha.
    pub fn detectable(&self, alpha: f64, power: f64) -> Result<Option<f64>, StatsError> {
        let mut largest = None;
        for (error, freedom) in self.errors() {
            let found = detectable(error, freedom, alpha, power)?;
            if error > 0.0 {
                largest = Some(found.max(largest.unwrap_or(0.0)));
            }
        }
        Ok(largest)
    }

    /// How many seeds or items would tell `target` at `alpha` with probability `power`, if they
    /// vary as these do. `alpha` is two-sided for a difference and that of each one-sided test
    /// for an equivalence.
    ///
    /// Exact where each seed has one value (noncentral t). With items the two t statistics are
    /// taken for one: the power is the smaller of theirs, which is slightly too high.
    ///
    /// # Errors
    /// `alpha` or `power` outside (0, 1).
    pub fn enough(&self, target: Target, alpha: f64, power: f64) -> Result<Enough, StatsError> {
        const WHAT: &str = "a number of seeds";
        check_fraction(WHAT, "alpha", alpha)?;
        check_fraction(WHAT, "power", power)?;
        let reaches = |basis: Basis, seeds: usize, items: usize| {
            let errors = self.spread.errors(basis, seeds, items);
            errors.iter().all(|error| told(*error, target, alpha) >= power)
        };
        let seeds = match self.basis {
            Basis::ItemsOnly => None,
            basis => smallest(2, |seeds| reaches(basis, seeds, self.items)),
        };
        let items = match self.basis {
            Basis::SeedsOnly => None,
            basis => smallest(2, |items| reaches(basis, self.seeds, items)),
        };
        Ok(Enough { seeds, items })
    }
}

impl Spread {
    /// From the mean squares between seeds, between items and of the rest.
    fn of(rows: &[Vec<f64>], by_seed: &[f64]) -> Self {
        let (seeds, items) = (rows.len() as f64, rows[0].len() as f64);
        let by_item: Vec<f64> = (0..rows[0].len())
            .map(|item| rows.iter().map(|row| row[item]).sum::<f64>() / seeds)
            .collect();
        let centre = mean(by_seed);
        let squares: f64 = rows
            .iter()
            .zip(by_seed)
            .flat_map(|(row, seed)| {
                row.iter().zip(&by_item).map(move |(value, item)| (value, seed, item))
            })
            .map(|(value, seed, item)| (value - seed - item + centre).powi(2))
            .sum();
        let rest = squares / ((seeds - 1.0) * (items - 1.0));
        Self {
            seed: variance(by_seed) - rest / items,
            item: variance(&by_item) - rest / seeds,
            rest,
        }
    }

    /// The two-way t statistic and the one over seeds of a table of this size, or the only one.
    fn errors(self, basis: Basis, seeds: usize, items: usize) -> Vec<Error> {
        let (k, n) = (seeds as f64, items as f64);
        match basis {
            Basis::SeedsOnly => vec![((self.seed / k).sqrt(), k - 1.0)],
            Basis::ItemsOnly => vec![((self.item / n).sqrt(), n - 1.0)],
            Basis::SeedsAndItems => {
                // A component that comes out negative is kept here, so that the sizes that were
                // measured give the mean squares that were measured.
                let between_seeds = (n * self.seed + self.rest).max(0.0);
                let between_items = (k * self.item + self.rest).max(0.0);
                let (between_seeds, total) = if between_seeds > ROUNDING * between_items {
                    (between_seeds, between_seeds + (between_items - self.rest).max(0.0))
                } else {
                    // Seeds whose means agree, as those of few yes/no items may by chance, say
                    // nothing of their spread: items are all there is to go by.
                    (0.0, between_items.max(self.rest))
                };
                let error = (total / (k * n)).sqrt();
                let freedom = total.powi(2)
                    / (between_seeds.powi(2) / (k - 1.0)
                        + (total - between_seeds).powi(2) / (n - 1.0));
                let freedom = if freedom.is_finite() { freedom } else { k - 1.0 };
                vec![(error, freedom), ((between_seeds / (k * n)).sqrt(), k - 1.0)]
            }
        }
    }
}

/// Probability that a t statistic tells the target.
fn told((error, freedom): Error, target: Target, alpha: f64) -> f64 {
    if error <= 0.0 {
        return 1.0;
    }
    match target {
        Target::Difference(difference) => {
            let critical = student_two_sided_quantile(1.0 - alpha, freedom);
            two_sided_power(difference.abs() / error, critical, freedom)
        }
        Target::Equivalence { within, truth } => {
            let critical = student_two_sided_quantile(1.0 - 2.0 * alpha, freedom);
            let bounds = ((-within - truth) / error, (within - truth) / error);
            equivalence_power(bounds, critical, freedom)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare_at;

    fn table(seeds: usize, items: usize, shift: f64) -> Vec<Vec<f64>> {
        let noise = |k: usize| ((k * 7919 + 13) % 1009) as f64 / 1009.0 - 0.5;
        (0..seeds)
            .map(|seed| {
                let luck = 0.1 * noise(seed + 500);
                (0..items).map(|item| shift + luck + noise(seed * items + item)).collect()
            })
            .collect()
    }

    /// The same question gets the same answer as from `compare_at`.
    #[test]
    fn is_the_comparison_of_the_tables() {
        for (seeds, items) in [(3, 40), (5, 7), (4, 1), (1, 30), (2, 2)] {
            let (a, b) = (table(seeds, items, 0.2), table(seeds, items + 1, 0.0));
            let b: Vec<Vec<f64>> = b.iter().map(|row| row[1..].to_vec()).collect();
            for level in [0.9, 0.95, 0.99] {
                let expected = compare_at(&a, &b, level).unwrap();
                let found = Contrast::of(&a, &b).unwrap();
                assert!((found.p() - expected.p).abs() < 1e-9, "{seeds} {items}");
                let (low, high) = found.interval(level).unwrap().unwrap();
                assert!((low - expected.difference.low.unwrap()).abs() < 1e-9);
                assert!((high - expected.difference.high.unwrap()).abs() < 1e-9);
                assert_eq!((found.basis, found.mean), (expected.basis, expected.difference.mean));
            }
        }
    }

    /// TOST holds exactly when the interval at 1 - 2 alpha lies within the bounds.
    #[test]
    fn equivalence_is_the_interval_within_the_bounds() {
        let (a, b) = (table(4, 25, 0.05), table(4, 26, 0.0));
        let b: Vec<Vec<f64>> = b.iter().map(|row| row[1..].to_vec()).collect();
        let contrast = Contrast::of(&a, &b).unwrap();
        for alpha in [0.01, 0.05, 0.2] {
            let (low, high) = contrast.interval(1.0 - 2.0 * alpha).unwrap().unwrap();
            for within in [0.01, 0.05, 0.1, 0.2, 0.4, 0.8] {
                let inside = -within < low && high < within;
                assert_eq!(contrast.equivalence(within) < alpha, inside, "{alpha} {within}");
            }
        }
    }

    #[test]
    fn equal_numbers_are_equivalent_and_constant_ones_as_good_as_their_number() {
        let same = table(3, 20, 0.0);
        let contrast = Contrast::of(&same, &same).unwrap();
        assert_eq!((contrast.p(), contrast.equivalence(0.001)), (1.0, 0.0));
        assert_eq!(contrast.interval(0.95).unwrap(), Some((0.0, 0.0)));
        let contrast = Contrast::of(&[vec![1.0], vec![1.0]], &[vec![0.5], vec![0.5]]).unwrap();
        assert_eq!((contrast.p(), contrast.interval(0.95).unwrap()), (0.5, None));
        assert_eq!(contrast.p_below(0.0), 0.75);
    }

    /// With one value per seed, what is detectable is what a t test over seeds detects; with as many
    /// seeds as are enough for a difference, that difference is detectable.
    #[test]
    fn detectable_is_the_inverse_of_enough() {
        let contrast = Contrast::of(&table(6, 1, 0.2), &vec![vec![0.0]; 6]).unwrap();
        let sd = contrast.standard_error() * 6f64.sqrt();
        let expected = crate::minimum_detectable_effect(sd, 6, 0.05, 0.8).unwrap();
        let found = contrast.detectable(0.05, 0.8).unwrap().unwrap();
        assert!((found / expected - 1.0).abs() < 1e-9, "{found} {expected}");
        for contrast in [contrast, Contrast::of(&table(4, 30, 0.0), &table(4, 30, 0.3)).unwrap()] {
            let found = contrast.detectable(0.05, 0.8).unwrap();
            let Some(least) = found else { continue };
            let seeds = |effect| {
                contrast.enough(Target::Difference(effect), 0.05, 0.8).unwrap().seeds.unwrap()
            };
            assert_eq!(seeds(1.0001 * least), contrast.seeds);
            assert!(seeds(0.99 * least) > contrast.seeds);
        }
        let same = Contrast::of(&vec![vec![1.0; 3]; 2], &vec![vec![0.0; 3]; 2]).unwrap();
        assert_eq!(same.detectable(0.05, 0.8).unwrap(), None);
    }

    /// Items without an effect of their own leave the t test over seeds, which is exact then: the
    /// spread between items is not counted twice.
    #[test]
    fn items_without_an_effect_leave_the_test_over_seeds() {
        // Rows that are permutations of each other column by column: no item stands out.
        let pattern = [0.3, -0.2, 0.7, 0.1, -0.9];
        let a: Vec<Vec<f64>> = (0..5)
            .map(|k| (0..5).map(|i| pattern[(i + k) % 5] + 0.1 * k as f64).collect())
            .collect();
        let zeros = vec![vec![0.0; 5]; 5];
        let means: Vec<f64> = a.iter().map(|row| mean(row)).collect();
        let plain = crate::paired_t(&means, 0.95).unwrap();
        let found = Contrast::of(&a, &zeros).unwrap();
        assert!((found.p() - plain.p).abs() < 1e-9, "{} {}", found.p(), plain.p);
    }

    #[test]
    fn seeds_that_agree_by_chance_leave_the_items() {
        // Three seeds with equal means, whose items differ: t over the items' means, 3 - 1 = 2.
        let a = [vec![1.0, 0.0, 1.0, 0.0], vec![1.0, 1.0, 0.0, 0.0], vec![1.0, 0.0, 0.0, 1.0]];
        let found = Contrast::of(&a, &vec![vec![0.0; 4]; 3]).unwrap();
        assert_eq!(found.mean, 0.5);
        let by_item = [1.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0];
        let error = (variance(&by_item) / 4.0).sqrt();
        assert!((found.standard_error() - error).abs() < 1e-12, "{}", found.standard_error());
        assert!((found.p() - student_two_sided(0.5 / error, 3.0)).abs() < 1e-9);
    }

    #[test]
    fn more_is_needed_for_less() {
        let contrast = Contrast::of(&table(6, 1, 0.2), &vec![vec![0.0]; 6]).unwrap();
        let seeds = |target| contrast.enough(target, 0.05, 0.8).unwrap().seeds.unwrap();
        let of = |difference| seeds(Target::Difference(difference));
        assert!(of(0.05) > of(0.1) && of(0.1) > of(0.4), "{} {} {}", of(0.05), of(0.1), of(0.4));
        assert_eq!(of(-0.1), of(0.1));
        let same = |within| seeds(Target::Equivalence { within, truth: 0.0 });
        assert!(same(0.05) > same(0.2));
        // What lies beyond the bound is never found to be within.
        let beyond = Target::Equivalence { within: 0.1, truth: 0.2 };
        assert_eq!(contrast.enough(beyond, 0.05, 0.8).unwrap().seeds, None);
        assert_eq!(contrast.enough(Target::Difference(0.0), 0.05, 0.8).unwrap().seeds, None);
        // Items that vary limit what seeds can show, and the other way round.
        let rows: Vec<Vec<f64>> = (0..4).map(|k| table(1, 20, 0.1 * k as f64).remove(0)).collect();
        let contrast = Contrast::of(&rows, &vec![vec![0.0; 20]; 4]).unwrap();
        let small = contrast.enough(Target::Difference(0.02), 0.05, 0.8).unwrap();
        assert_eq!((small.seeds, small.items), (None, None));
    }

    #[test]
    fn bad_input_is_an_error() {
        let good = table(2, 3, 0.0);
        assert!(Contrast::of(&good, &table(3, 3, 0.0)).is_err());
        assert!(Contrast::of(&[vec![1.0]], &[vec![2.0]]).is_err());
        assert!(Contrast::of(&[], &[]).is_err());
        let contrast = Contrast::of(&good, &table(2, 3, 1.0)).unwrap();
        assert!(contrast.interval(1.0).is_err());
        assert!(contrast.enough(Target::Difference(1.0), 0.0, 0.8).is_err());
        assert!(contrast.enough(Target::Difference(1.0), 0.05, 1.0).is_err());
    }
}
