//! Items that were not drawn one by one: those of one subject or passage come together, and some
//! subjects or benchmarks count the same however many items they have.

use std::collections::BTreeMap;

use crate::error::{StatsError, check_same_length};

/// The sampling units of a row of items. Within each stratum (a benchmark of an average, a subject that
/// counts like the others) clusters of items are drawn independently; the score is the weighted sum of
/// the strata's means.
///
/// [`of`](Self::of) turns a row of item scores into one value per unit whose plain mean is the score and
/// whose plain standard error is that of the design: for one stratum
/// [`clustered_standard_error`](crate::clustered_standard_error) (Liang and Zeger 1986), for several the
/// root of the weighted sum of their squares (Cochran 1977, 5.9). It is linear in the scores, so that
/// units of two variants can be subtracted, and what is made for independent items holds for them.
#[derive(Debug, Clone, PartialEq)]
pub struct Units {
    /// Of every item.
    strata: Vec<usize>,
    clusters: Vec<usize>,
    /// Of every stratum.
    weights: Vec<f64>,
    items: Vec<f64>,
    units: Vec<f64>,
    /// Stratum and scale of every unit.
    places: Vec<(usize, f64)>,
}

impl Units {
    /// Of items by their strata (positions in `weights`) and their clusters; equal clusters of different
    /// strata are different ones. The weights add up to 1.
    ///
    /// # Errors
    /// Unequal lengths, fewer than two units, weights that do not add up to 1, a stratum without a weight
    /// or without items, or a single stratum of one unit, whose spread nothing tells.
    pub fn new(strata: &[usize], clusters: &[usize], weights: &[f64]) -> Result<Self, StatsError> {
        const WHAT: &str = "a mean over sampling units";
        check_same_length(WHAT, "items", strata.len(), clusters.len())?;
        let total: f64 = weights.iter().sum();
        if (total - 1.0).abs() > 1e-9 {
            let (name, range) = ("the sum of the weights", "1");
            return Err(StatsError::Parameter { what: WHAT, name, value: total, range });
        }
        let mut numbers = BTreeMap::<(usize, usize), usize>::new();
        for pair in strata.iter().copied().zip(clusters.iter().copied()) {
            let next = numbers.len();
            numbers.entry(pair).or_insert(next);
        }
        let (mut items, mut units) = (vec![0.0; weights.len()], vec![0.0; weights.len()]);
        for stratum in strata {
            match items.get_mut(*stratum) {
                Some(count) => *count += 1.0,
                None => {
                    let (left, right) = (weights.len(), stratum + 1);
                    return Err(StatsError::Shape { what: WHAT, unit: "strata", left, right });
                }
            }
        }
        let mut of_unit = vec![0; numbers.len()];
        for ((stratum, _), number) in &numbers {
            units[*stratum] += 1.0;
            of_unit[*number] = *stratum;
        }
        let alone = units.iter().filter(|count| **count == 1.0).count();
        if numbers.len() < 2 || alone == 1 || items.contains(&0.0) {
            return Err(StatsError::TooFew { what: WHAT, needed: 2, got: 1 });
        }
        let all = numbers.len() as f64;
        let scale = |stratum: usize| {
            // Strata of one unit are one group, in which the strata are what varies.
            let group = if units[stratum] == 1.0 { alone as f64 } else { units[stratum] };
            let correction = (group / (group - 1.0) * (all - 1.0) / all).sqrt();
            correction * all * weights[stratum] / items[stratum]
        };
        Ok(Self {
            strata: strata.to_vec(),
            clusters: strata.iter().zip(clusters).map(|(s, c)| numbers[&(*s, *c)]).collect(),
            places: of_unit.into_iter().map(|stratum| (stratum, scale(stratum))).collect(),
            weights: weights.to_vec(),
            items,
            units,
        })
    }

    /// Number of units.
    #[must_use]
    pub fn count(&self) -> usize {
        self.places.len()
    }

    /// Whether every item is a unit of its own and counts the same.
    #[must_use]
    pub fn are_items(&self) -> bool {
        self.weights.len() == 1 && self.count() == self.strata.len()
    }

    /// One value per unit.
    ///
    /// # Errors
    /// Another number of items.
    pub fn of(&self, row: &[f64]) -> Result<Vec<f64>, StatsError> {
        check_same_length("a mean over sampling units", "items", self.strata.len(), row.len())?;
        if self.are_items() {
            return Ok(row.to_vec());
        }
        let mut means = vec![0.0; self.weights.len()];
        for (stratum, value) in self.strata.iter().zip(row) {
            means[*stratum] += value / self.items[*stratum];
        }
        let weighted = |keep: &dyn Fn(usize) -> bool| {
            let kept = (0..means.len()).filter(|stratum| keep(*stratum));
            kept.fold((0.0, 0.0), |(sum, weight), stratum| {
                (sum + self.weights[stratum] * means[stratum], weight + self.weights[stratum])
            })
        };
        let score = weighted(&|_| true).0;
        let (sum, weight) = weighted(&|stratum| self.units[stratum] == 1.0);
        let alone = if weight > 0.0 { sum / weight } else { 0.0 };
        let centre =
            |stratum: usize| if self.units[stratum] == 1.0 { alone } else { means[stratum] };
        let mut deviations = vec![0.0; self.count()];
        for ((stratum, unit), value) in self.strata.iter().zip(&self.clusters).zip(row) {
            deviations[*unit] += value - centre(*stratum);
        }
        let scaled = deviations.iter().zip(&self.places);
        Ok(scaled.map(|(deviation, (_, scale))| score + scale * deviation).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimate::{clustered_standard_error, mean, standard_error, variance};

    fn values(n: usize) -> Vec<f64> {
        (0..n).map(|k| ((k * 7919 + 13) % 1009) as f64 / 1009.0).collect()
    }

    #[test]
    fn items_of_their_own_stay_as_they_are() {
        let units = Units::new(&[0; 5], &[4, 3, 2, 1, 0], &[1.0]).unwrap();
        assert!(units.are_items());
        assert_eq!(units.of(&values(5)).unwrap(), values(5));
    }

    #[test]
    fn clusters_have_the_clustered_standard_error() {
        let clusters: Vec<usize> = (0..40).map(|item| item * item % 7).collect();
        let row = values(40);
        let found = Units::new(&[0; 40], &clusters, &[1.0]).unwrap().of(&row).unwrap();
        assert!((mean(&found) - mean(&row)).abs() < 1e-12);
        let expected = clustered_standard_error(&row, &clusters).unwrap();
        assert!((standard_error(&found).unwrap() - expected).abs() < 1e-12);
    }

    /// The score is the weighted mean, its squared error the weighted sum of the strata's.
    #[test]
    fn strata_add_up() {
        let strata: Vec<usize> = (0..30).map(|item| usize::from(item >= 10)).collect();
        let clusters: Vec<usize> = (0..30).collect();
        let row = values(30);
        let units = Units::new(&strata, &clusters, &[0.7, 0.3]).unwrap();
        let found = units.of(&row).unwrap();
        let score = 0.7 * mean(&row[..10]) + 0.3 * mean(&row[10..]);
        assert!((mean(&found) - score).abs() < 1e-12);
        let squared = 0.49 * variance(&row[..10]) / 10.0 + 0.09 * variance(&row[10..]) / 20.0;
        assert!((standard_error(&found).unwrap() - squared.sqrt()).abs() < 1e-12);
        // A shift of one benchmark is no spread between items.
        let shifted: Vec<f64> = row.iter().zip(&strata).map(|(v, s)| v + 5.0 * *s as f64).collect();
        let again = standard_error(&units.of(&shifted).unwrap()).unwrap();
        assert!((again - squared.sqrt()).abs() < 1e-12);
    }

    #[test]
    fn strata_of_one_unit_vary_among_each_other() {
        let units = Units::new(&[0, 1, 2, 2], &[0, 1, 2, 3], &[0.25, 0.25, 0.5]).unwrap();
        let found = units.of(&[1.0, 0.0, 0.6, 0.2]).unwrap();
        assert!((mean(&found) - 0.45).abs() < 1e-12);
        // 0.0625 * (0.25 + 0.25) * 2 of the singles, 0.25 * 0.08 / 2 of the pair.
        let error = (0.0625 * 0.5 * 2.0 + 0.25 * 0.08 / 2.0_f64).sqrt();
        assert!((standard_error(&found).unwrap() - error).abs() < 1e-12);
    }

    #[test]
    fn units_are_linear() {
        let strata = [0, 0, 0, 1, 1, 1, 1];
        let units = Units::new(&strata, &[0, 0, 1, 2, 3, 3, 4], &[0.5, 0.5]).unwrap();
        let (x, y) = (values(7), values(14).split_off(7));
        let sum: Vec<f64> = x.iter().zip(&y).map(|(x, y)| 2.0 * x - y).collect();
        let (of_x, of_y) = (units.of(&x).unwrap(), units.of(&y).unwrap());
        for ((x, y), sum) in of_x.iter().zip(&of_y).zip(units.of(&sum).unwrap()) {
            assert!((2.0 * x - y - sum).abs() < 1e-12);
        }
    }

    #[test]
    fn bad_input_is_an_error() {
        let cases: [(&[usize], &[usize], &[f64]); 6] = [
            (&[0, 0], &[0], &[1.0]),
            (&[0, 0], &[3, 3], &[1.0]),
            (&[0, 0, 1], &[0, 1, 2], &[0.5, 0.5]),
            (&[0, 0], &[0, 1], &[0.5]),
            (&[0, 0, 2], &[0, 1, 2], &[0.5, 0.5]),
            (&[0, 0], &[0, 1], &[0.5, 0.5]),
        ];
        for (strata, clusters, weights) in cases {
            assert!(Units::new(strata, clusters, weights).is_err(), "{strata:?}");
        }
        let units = Units::new(&[0, 0], &[0, 1], &[1.0]).unwrap();
        assert!(units.of(&[1.0]).is_err());
    }
}
