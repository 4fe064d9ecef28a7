//! Differences between two variants, paired over seeds and, where the items agree, over items.

use std::collections::BTreeMap;

use ablate_stats::{Basis, Contrast};

use super::aligned::{Aligned, Unaligned, aligned, mean_over, values};
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
    /// Whether p is that of McNemar's exact test.
    pub(crate) exact: bool,
    /// The parts of its spread.
    pub(crate) contrast: Option<Contrast>,
    /// Why items, or seeds, were not paired.
    pub(crate) note: Option<String>,
}

impl Difference {
    /// The verdict at another p, that of a table, say.
    pub(crate) fn verdict_at(&self, p: Option<f64>, measure: Measure) -> Verdict {
        match p {
            None => Verdict::Untested,
            Some(p) if p >= 1.0 - LEVEL => Verdict::Indistinct,
            Some(_) if (self.mean > 0.0) == measure.higher_is_better() => Verdict::Better,
            Some(_) => Verdict::Worse,
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
            exact: false,
            contrast: None,
            note: Some(note),
        }
    }
}

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
        let sides = [(self, a), (other, b)];
        let means = values(&sides, measure)?;
        let (seeds, grids, items, note) = match aligned(&sides, measure)? {
            Ok(Aligned { seeds, grids, items, note }) => (seeds, grids, items, note),
            Err(Unaligned { seeds, reason }) if seeds.is_empty() => {
                let mean = average(means[0]) - average(means[1]);
                let reason = format!("{reason}: the means are compared, nothing is tested");
                return Some(Difference::untested(mean, 0, reason));
            }
            Err(Unaligned { seeds, reason }) => {
                let mean = mean_over(means[0], &seeds) - mean_over(means[1], &seeds);
                return Some(Difference::untested(mean, seeds.len(), reason));
            }
        };
        let [x, y] = &grids[..] else { return None };
        let compared = ablate_stats::compare_at(x, y, LEVEL).ok();
        let mut found = Difference {
            mean: mean_over(means[0], &seeds) - mean_over(means[1], &seeds),
            interval: compared.and_then(|c| c.difference.low.zip(c.difference.high)),
            p: compared.map(|c| c.p),
            verdict: Verdict::Untested,
            basis: compared.map(|c| c.basis),
            seeds: seeds.len(),
            items,
            exact: compared.is_some_and(|c| c.exact),
            contrast: compared.map(|c| c.contrast),
            note,
        };
        if found.basis.is_some_and(|basis| basis != Basis::ItemsOnly) {
            found.verdict = found.verdict_at(found.p, measure);
        }
        Some(found)
    }

    /// Whether a variant's benchmark score cannot be told from chance: the interval over its seeds includes chance, or the test over seeds
    /// and items against a constant chance score does not reject. With one seed the items decide. `None` without a chance level or score.
    pub(crate) fn at_chance(&self, variant: usize, benchmark: usize) -> Option<bool> {
        let chance = self.benchmarks[benchmark].chance?;
        let estimate = self.estimate(variant, Measure::Benchmark(benchmark))?;
        if estimate.interval.is_some_and(|(low, high)| low <= chance && chance <= high) {
            return Some(true);
        }
        if let Some(Ok(Aligned { grids, items: 2.., .. })) =
            aligned(&[(self, variant)], Measure::Benchmark(benchmark))
        {
            let level: Vec<Vec<f64>> = grids[0].iter().map(|r| vec![chance; r.len()]).collect();
            if let Ok(found) = ablate_stats::compare_at(&grids[0], &level, LEVEL) {
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
}

fn average(values: &BTreeMap<u64, f64>) -> f64 {
    values.values().sum::<f64>() / values.len().max(1) as f64
}
