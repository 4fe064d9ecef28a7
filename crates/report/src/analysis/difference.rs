//! Differences between two variants, paired over seeds and, where the items agree, over items.

use std::collections::BTreeMap;

use ablate_stats::Basis;

use super::items::Unpaired;
use super::{Analysis, LEVEL, Measure};

/// What a difference says about the first of two variants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Better, and noise of this size would rarely show that.
    Better,
    /// Worse, and noise of this size would rarely show that.
    Worse,
    /// The two cannot be told apart.
    Indistinct,
    /// There is one seed, or none in common: nothing was tested.
    Untested,
}

/// First variant minus second, in the unit of the measure.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Difference {
    pub(crate) mean: f64,
    pub(crate) interval: Option<(f64, f64)>,
    pub(crate) p: Option<f64>,
    pub(crate) verdict: Verdict,
    /// What the interval ranges over; `None` when there is none.
    pub(crate) basis: Option<Basis>,
    pub(crate) seeds: usize,
    /// Items behind each seed's value; 1 where only the values themselves were paired.
    pub(crate) items: usize,
    /// Why items, or seeds, were not paired.
    pub(crate) note: Option<String>,
}

impl Difference {
    /// The verdict, with a test over the items of a single seed counted as one.
    pub(crate) fn verdict_over_items(&self, measure: Measure) -> Verdict {
        match (self.basis, self.p) {
            (Some(Basis::ItemsOnly), Some(p)) if p >= 1.0 - LEVEL => Verdict::Indistinct,
            (Some(Basis::ItemsOnly), Some(_))
                if (self.mean > 0.0) == measure.higher_is_better() =>
            {
                Verdict::Better
            }
            (Some(Basis::ItemsOnly), Some(_)) => Verdict::Worse,
            _ => self.verdict,
        }
    }

    /// What the interval ranges over.
    pub(crate) fn basis_words(&self) -> &'static str {
        match self.basis {
            Some(Basis::SeedsAndItems) => "seeds and items",
            Some(Basis::SeedsOnly) => "seeds",
            Some(Basis::ItemsOnly) => "items",
            None => "nothing",
        }
    }

    fn untested(mean: f64, seeds: usize, note: String) -> Self {
        Self {
            mean,
            interval: None,
            p: None,
            verdict: Verdict::Untested,
            basis: None,
            seeds,
            items: 0,
            note: Some(note),
        }
    }
}

/// Values of two sides, seeds by items, each row of one seed and each column of one item.
#[derive(Clone, Debug)]
pub(crate) struct Paired {
    /// First minus second.
    pub(crate) mean: f64,
    pub(crate) seeds: usize,
    pub(crate) x: Grid,
    pub(crate) y: Grid,
    /// Why items were not paired.
    pub(crate) note: Option<String>,
}

/// Scores, seeds by items.
type Grid = Vec<Vec<f64>>;

/// Largest disagreement, in percentage points, between a benchmark's score and the mean of its item scores.
const SAME_SCORE: f64 = 1e-6;

impl Analysis<'_> {
    /// The difference of two variants of this study; `None` when one of them has no value.
    pub(crate) fn difference(&self, a: usize, b: usize, measure: Measure) -> Option<Difference> {
        self.difference_to(a, self, b, measure)
    }

    /// The difference of a variant of this study and one of another. A measure of this study is looked up by name in the other.
    pub(crate) fn difference_to(
        &self,
        a: usize,
        other: &Analysis<'_>,
        b: usize,
        measure: Measure,
    ) -> Option<Difference> {
        let Paired { mean, seeds, x, y, note } = match self.paired(a, other, b, measure)? {
            Ok(paired) => paired,
            Err(untested) => return Some(untested),
        };
        let compared = ablate_stats::compare_at(&x, &y, LEVEL).ok();
        let verdict = match compared.map(|c| (c.basis, c.verdict)) {
            None | Some((Basis::ItemsOnly, _)) => Verdict::Untested,
            Some((_, verdict)) => {
                let verdict =
                    if measure.higher_is_better() { verdict } else { verdict.lower_is_better() };
                match verdict {
                    ablate_stats::Verdict::Better => Verdict::Better,
                    ablate_stats::Verdict::Worse => Verdict::Worse,
                    ablate_stats::Verdict::NotDistinguishable => Verdict::Indistinct,
                }
            }
        };
        Some(Difference {
            mean,
            interval: compared.and_then(|c| c.difference.low.zip(c.difference.high)),
            p: compared.map(|c| c.p),
            verdict,
            basis: compared.map(|c| c.basis),
            seeds,
            items: x.first().map_or(1, Vec::len),
            note,
        })
    }

    /// Both sides brought into one shape. `None` when one of them has no value, `Err` when nothing can be paired.
    pub(crate) fn paired(
        &self,
        a: usize,
        other: &Analysis<'_>,
        b: usize,
        measure: Measure,
    ) -> Option<Result<Paired, Difference>> {
        let theirs = other.same_measure(self, measure)?;
        let (left, right) = (self.by_seed(a, measure)?, other.by_seed(b, theirs)?);
        let seeds: Vec<u64> = left.keys().filter(|s| right.contains_key(*s)).copied().collect();
        if seeds.is_empty() {
            let reason = "no seed in common: the means are compared, nothing is tested";
            let mean = average(left) - average(right);
            return Some(Err(Difference::untested(mean, 0, reason.into())));
        }
        let mean = seeds.iter().map(|s| left[s] - right[s]).sum::<f64>() / seeds.len() as f64;
        let mut note = None;
        let mut tables = None;
        match self.item_tables(a, other, b, measure, &seeds) {
            Ok(Some((x, y))) => {
                let found = grand_mean(&x) - grand_mean(&y);
                if (found - mean).abs() <= SAME_SCORE {
                    tables = Some((x, y));
                } else {
                    note = Some(
                        "the saved items do not add up to the scores: paired over seeds only"
                            .into(),
                    );
                }
            }
            Ok(None) => {}
            Err(reason) => return Some(Err(Difference::untested(mean, seeds.len(), reason))),
        }
        let (x, y) = tables.unwrap_or_else(|| {
            let column = |side: &BTreeMap<u64, f64>| seeds.iter().map(|s| vec![side[s]]).collect();
            (column(left), column(right))
        });
        Some(Ok(Paired { mean, seeds: seeds.len(), x, y, note }))
    }

    /// Whether a variant's benchmark score cannot be told from chance: the interval over its seeds includes chance, or the test over seeds
    /// and items against a constant chance score does not reject. With one seed the items decide. `None` without a chance level or score.
    pub(crate) fn at_chance(&self, variant: usize, benchmark: usize) -> Option<bool> {
        let chance = self.benchmarks[benchmark].chance?;
        let estimate = self.estimate(variant, Measure::Benchmark(benchmark))?;
        if estimate.interval.is_some_and(|(low, high)| low <= chance && chance <= high) {
            return Some(true);
        }
        if let Some(table) = self.items.table(variant, benchmark) {
            let level: Vec<Vec<f64>> = table.iter().map(|r| vec![chance; r.len()]).collect();
            if let Ok(found) = ablate_stats::compare_at(&table, &level, LEVEL) {
                return Some(found.verdict == ablate_stats::Verdict::NotDistinguishable);
            }
        }
        if estimate.interval.is_some() {
            return Some(false);
        }
        // One seed without item rows: the score itself and its number of items.
        let items = self.benchmarks[benchmark].items;
        let right = (estimate.mean / 100.0 * items as f64).round() as u64;
        let found = ablate_stats::wilson(right, items, LEVEL).ok()?;
        let (low, high) = found.low.zip(found.high)?;
        Some(low * 100.0 <= chance && chance <= high * 100.0)
    }

    /// The measure of this study that another study's measure names.
    pub(crate) fn same_measure(&self, other: &Analysis<'_>, measure: Measure) -> Option<Measure> {
        match measure {
            Measure::Average => {
                let names = |a: &Analysis<'_>| {
                    let mut names: Vec<(String, String, String)> = a
                        .benchmarks
                        .iter()
                        .map(|b| (b.name.clone(), b.language.clone(), b.metric.clone()))
                        .collect();
                    names.sort();
                    names
                };
                (names(self) == names(other)).then_some(measure)
            }
            Measure::MeanBits => {
                let mut ours = self.languages.clone();
                let mut theirs = other.languages.clone();
                ours.sort();
                theirs.sort();
                (ours == theirs).then_some(measure)
            }
            Measure::Benchmark(b) => {
                let wanted = &other.benchmarks[b];
                self.benchmarks
                    .iter()
                    .position(|x| {
                        x.name == wanted.name
                            && x.language == wanted.language
                            && x.metric == wanted.metric
                    })
                    .map(Measure::Benchmark)
            }
            Measure::Bits(l) => {
                self.languages.iter().position(|x| *x == other.languages[l]).map(Measure::Bits)
            }
        }
    }

    /// Seeds by items of both sides; `Ok(None)` where the measure has no items at all, `Err` where items exist but cannot be paired.
    fn item_tables(
        &self,
        a: usize,
        other: &Analysis<'_>,
        b: usize,
        measure: Measure,
        seeds: &[u64],
    ) -> Result<Option<(Grid, Grid)>, String> {
        let wanted: Vec<usize> = match measure {
            Measure::Average => (0..self.benchmarks.len()).collect(),
            Measure::Benchmark(index) => vec![index],
            Measure::Bits(_) | Measure::MeanBits => return Ok(None),
        };
        let mut parts = Vec::new();
        for index in wanted {
            let Some(Measure::Benchmark(theirs)) =
                other.same_measure(self, Measure::Benchmark(index))
            else {
                return Ok(None);
            };
            match self.items.pair(a, &other.items, b, (index, theirs), seeds) {
                Ok(pairs) => parts.push(pairs),
                Err(Unpaired::NoItems | Unpaired::NoSeeds) => return Ok(None),
                Err(Unpaired::NoCommonItems) => {
                    return Err(format!(
                        "{}: no item in common, so nothing is paired or tested",
                        self.benchmarks[index].title()
                    ));
                }
                Err(Unpaired::Hashes { differing, items }) => {
                    return Err(format!(
                        "{}: {differing} of {items} items of the same name ask different things, so nothing is paired or tested",
                        self.benchmarks[index].title()
                    ));
                }
            }
        }
        // Every benchmark counts the same in the average however many items it has.
        let total: usize = parts.iter().map(|p| p.a[0].len()).sum();
        let join = |side: fn(&super::items::Pairs) -> &Vec<Vec<f64>>| -> Vec<Vec<f64>> {
            (0..seeds.len())
                .map(|s| {
                    parts
                        .iter()
                        .flat_map(|p| {
                            let row = &side(p)[s];
                            let weight = total as f64 / (parts.len() * row.len()) as f64;
                            row.iter().map(move |v| v * weight)
                        })
                        .collect()
                })
                .collect()
        };
        Ok(Some((join(|p| &p.a), join(|p| &p.b))))
    }
}

fn average(values: &BTreeMap<u64, f64>) -> f64 {
    values.values().sum::<f64>() / values.len().max(1) as f64
}

/// Mean of a full table.
fn grand_mean(rows: &[Vec<f64>]) -> f64 {
    let count = rows.iter().map(Vec::len).sum::<usize>().max(1);
    rows.iter().flatten().sum::<f64>() / count as f64
}
