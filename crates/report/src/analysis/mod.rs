//! What the rows say: one estimate per variant and measure, paired differences, and which benchmarks there are.
//!
//! polars groups the rows; [`ablate_stats`] does the statistics; tables, figures and findings only read from here.

mod aligned;
mod batches;
mod difference;
mod grid;
mod grouping;
mod items;
mod layers;
mod progress;
mod sampling;
mod sizes;
pub(crate) mod vocabulary;

pub(crate) use aligned::{Aligned, aligned};
pub(crate) use batches::{Remembered, remembered};
pub(crate) use difference::{Difference, Verdict};
pub(crate) use grid::Grid;
pub(crate) use grouping::{Line, LinePoint, Over, curve_lines, speeds};
pub(crate) use layers::{
    LayerLine, LayerPoint, end_against_middle, influence_lines, single_skips, skip_lines,
    skip_lines_of, spread_line,
};
pub(crate) use progress::{
    Course, Point as ProgressPoint, courses, estimate as estimate_of, progress, progress_benchmarks,
};
pub(crate) use sizes::{FEWEST, SIZES, Size};

use std::collections::{BTreeMap, BTreeSet};

use polars::prelude::PolarsResult;

use crate::rows::{AcceptedRow, StudyData, VariantRow};
use items::ItemIndex;

/// Confidence level of every interval in a report.
pub(crate) const LEVEL: f64 = 0.95;

/// Something that is measured once per variant and seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Measure {
    /// Mean of the primary metric over all benchmarks, in percent.
    Average,
    /// The primary metric of one benchmark, in percent.
    Benchmark(usize),
    /// Bits per byte of held-out text in one language.
    Bits(usize),
    /// Bits per byte of held-out text, mean over the languages.
    MeanBits,
}

impl Measure {
    /// Whether larger values are better.
    pub(crate) fn higher_is_better(self) -> bool {
        matches!(self, Self::Average | Self::Benchmark(_))
    }

    /// Decimals that values of this measure are written with.
    pub(crate) fn digits(self) -> usize {
        if self.higher_is_better() { 1 } else { 3 }
    }
}

/// A benchmark that counts towards the average.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Benchmark {
    pub(crate) name: String,
    pub(crate) language: String,
    pub(crate) metric: String,
    /// What a model that knows nothing scores, in percent.
    pub(crate) chance: Option<f64>,
    pub(crate) items: u64,
}

impl Benchmark {
    /// `name (language)`, without the language where there is none or the name ends in it.
    pub(crate) fn title(&self) -> String {
        let named = self.name.rsplit(['-', '_']).next() == Some(self.language.as_str());
        if self.language.is_empty() || named {
            self.name.clone()
        } else {
            format!("{} ({})", self.name, self.language)
        }
    }
}

/// A mean over seeds with its interval; no interval with a single seed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Estimate {
    pub(crate) mean: f64,
    pub(crate) interval: Option<(f64, f64)>,
    pub(crate) seeds: usize,
}

impl Estimate {
    /// Ends of the interval, or the mean twice.
    pub(crate) fn ends(&self) -> (f64, f64) {
        self.interval.unwrap_or((self.mean, self.mean))
    }
}

/// The rows of a study, digested.
#[derive(Debug)]
pub(crate) struct Analysis<'a> {
    pub(crate) data: &'a StudyData,
    /// Benchmarks in the order in which they first appear.
    pub(crate) benchmarks: Vec<Benchmark>,
    /// Languages of the held-out text.
    pub(crate) languages: Vec<String>,
    /// Value by seed, for each variant and measure; models of others are counted on after the
    /// variants.
    values: BTreeMap<(usize, Measure), BTreeMap<u64, f64>>,
    items: ItemIndex<'a>,
}

/// Variants by name, and after them models of others.
fn names(data: &StudyData) -> BTreeMap<&str, usize> {
    let variants = data.variants.iter().map(|v| v.name.as_str());
    let externals = data.externals.iter().map(|model| model.name.as_str());
    variants.chain(externals).zip(0..).collect()
}

impl<'a> Analysis<'a> {
    /// Digests the rows of a study.
    pub(crate) fn of(data: &'a StudyData) -> PolarsResult<Self> {
        let grouped = grouping::group_scores(&data.scores)?;
        let names = names(data);
        let mut benchmarks = grouping::benchmarks(&data.scores);
        let languages = grouping::languages(&data.scores);
        let mut values: BTreeMap<(usize, Measure), BTreeMap<u64, f64>> = BTreeMap::new();
        for group in &grouped {
            let Some(&variant) = names.get(group.variant.as_str()) else { continue };
            let held_out = group.metric == grouping::BITS_PER_BYTE;
            let (measure, factor) = if held_out {
                match languages.iter().position(|l| *l == group.language) {
                    Some(language) => (Measure::Bits(language), 1.0),
                    None => continue,
                }
            } else {
                let found = benchmarks.iter().position(|b| {
                    b.name == group.benchmark
                        && b.language == group.language
                        && b.metric == group.metric
                });
                match found {
                    Some(index) => (Measure::Benchmark(index), 100.0),
                    None => continue,
                }
            };
            let by_seed = values.entry((variant, measure)).or_default();
            for (seed, value) in &group.values {
                if value.is_finite() {
                    by_seed.insert(*seed, value * factor);
                }
            }
        }
        // A benchmark that no listed variant was scored on does not count; nor does one that models
        // of others alone were, unless there is nothing else.
        let own = |v: &usize| *v < data.variants.len();
        let is_score = |m: &Measure| matches!(m, Measure::Benchmark(_));
        let others = !values.keys().any(|(v, m)| own(v) && is_score(m));
        let scored: Vec<bool> = (0..benchmarks.len())
            .map(|b| values.keys().any(|(v, m)| *m == Measure::Benchmark(b) && (others || own(v))))
            .collect();
        if scored.contains(&false) {
            let renumber: Vec<usize> = scored
                .iter()
                .scan(0, |n, s| {
                    *n += usize::from(*s);
                    Some(n.saturating_sub(1))
                })
                .collect();
            values = values
                .into_iter()
                .filter(|((_, m), _)| !matches!(m, Measure::Benchmark(b) if !scored[*b]))
                .map(|((v, m), by_seed)| match m {
                    Measure::Benchmark(b) => ((v, Measure::Benchmark(renumber[b])), by_seed),
                    other => ((v, other), by_seed),
                })
                .collect();
            let mut keep = scored.iter();
            benchmarks.retain(|_| *keep.next().unwrap_or(&true));
        }
        let items = ItemIndex::new(data, &benchmarks);
        let mut analysis = Self { data, benchmarks, languages, values, items };
        analysis.add_means(Measure::Average, analysis.all_benchmarks());
        analysis.add_means(
            Measure::MeanBits,
            (0..analysis.languages.len()).map(Measure::Bits).collect(),
        );
        Ok(analysis)
    }

    fn all_benchmarks(&self) -> Vec<Measure> {
        (0..self.benchmarks.len()).map(Measure::Benchmark).collect()
    }

    /// Adds the plain mean of several measures for every seed that has all of them.
    fn add_means(&mut self, target: Measure, parts: Vec<Measure>) {
        if parts.is_empty() {
            return;
        }
        for variant in 0..self.data.variants.len() + self.data.externals.len() {
            let columns: Vec<&BTreeMap<u64, f64>> =
                parts.iter().filter_map(|p| self.values.get(&(variant, *p))).collect();
            if columns.len() < parts.len() {
                continue;
            }
            let means: BTreeMap<u64, f64> = columns[0]
                .keys()
                .filter_map(|seed| {
                    let row: Vec<f64> =
                        columns.iter().filter_map(|c| c.get(seed).copied()).collect();
                    (row.len() == parts.len())
                        .then(|| (*seed, row.iter().sum::<f64>() / row.len() as f64))
                })
                .collect();
            if !means.is_empty() {
                self.values.insert((variant, target), means);
            }
        }
    }

    /// The variants of the study.
    pub(crate) fn variants(&self) -> &'a [VariantRow] {
        &self.data.variants
    }

    /// The measure that the study is about: the average score, or bits per byte where nothing was scored.
    pub(crate) fn headline(&self) -> Measure {
        if self.values.keys().any(|(_, m)| *m == Measure::Average) {
            Measure::Average
        } else {
            Measure::MeanBits
        }
    }

    /// Name and unit of a measure.
    pub(crate) fn name_of(&self, measure: Measure) -> (String, &'static str) {
        match measure {
            Measure::Average => ("Average score".to_string(), "%"),
            Measure::Benchmark(b) => (self.benchmarks[b].title(), "%"),
            Measure::Bits(l) if self.languages[l].is_empty() => {
                ("Held-out text".into(), "bits/byte")
            }
            Measure::Bits(l) => (format!("Held-out text, {}", self.languages[l]), "bits/byte"),
            Measure::MeanBits => ("Held-out text".to_string(), "bits/byte"),
        }
    }

    /// The name of a measure in a narrow table: the language alone for held-out text.
    pub(crate) fn short_name_of(&self, measure: Measure) -> String {
        match measure {
            Measure::Bits(l) if !self.languages[l].is_empty() => {
                format!("Text, {}", self.languages[l])
            }
            _ => self.name_of(measure).0,
        }
    }

    /// Values of a measure by seed.
    pub(crate) fn by_seed(&self, variant: usize, measure: Measure) -> Option<&BTreeMap<u64, f64>> {
        self.values.get(&(variant, measure)).filter(|v| !v.is_empty())
    }

    /// Mean over the seeds that finished, with a Student interval from two seeds on.
    pub(crate) fn estimate(&self, variant: usize, measure: Measure) -> Option<Estimate> {
        let values: Vec<f64> = self.by_seed(variant, measure)?.values().copied().collect();
        let found = ablate_stats::mean_interval(&values, LEVEL).ok()?;
        Some(Estimate {
            mean: found.mean,
            interval: found.low.zip(found.high),
            seeds: values.len(),
        })
    }

    /// Mean chance level of the benchmarks, in percent; a benchmark without one (generation) counts as zero.
    pub(crate) fn average_chance(&self) -> f64 {
        let levels: Vec<f64> = self.benchmarks.iter().map(|b| b.chance.unwrap_or(0.0)).collect();
        if levels.is_empty() { 0.0 } else { levels.iter().sum::<f64>() / levels.len() as f64 }
    }

    /// The variant that another is compared with: the rung below in a ladder, else the first.
    pub(crate) fn reference(&self, variant: usize) -> Option<usize> {
        match variant {
            0 => None,
            _ if self.data.study.is_ladder() => Some(variant - 1),
            _ => Some(0),
        }
    }

    /// Seeds that any variant has a headline value for.
    pub(crate) fn seeds(&self) -> BTreeSet<u64> {
        let measure = self.headline();
        (0..self.data.variants.len())
            .filter_map(|v| self.by_seed(v, measure))
            .flat_map(|by_seed| by_seed.keys().copied())
            .collect()
    }

    /// Why a variant has no numbers, or fewer seeds than meant; `None` when all is well.
    pub(crate) fn failure(&self, variant: usize) -> Option<String> {
        let row = &self.data.variants[variant];
        if !row.failed.is_empty() {
            let mut reasons: Vec<(&str, Vec<String>)> = Vec::new();
            for (seed, reason) in &row.failed {
                match reasons.iter_mut().find(|(r, _)| r == reason) {
                    Some((_, seeds)) => seeds.push(seed.to_string()),
                    None => reasons.push((reason, vec![seed.to_string()])),
                }
            }
            let parts: Vec<String> = reasons
                .iter()
                .map(|(reason, seeds)| {
                    let word = if seeds.len() == 1 { "seed" } else { "seeds" };
                    format!("{word} {} failed: {reason}", seeds.join(", "))
                })
                .collect();
            return Some(format!("{}: {}", row.title(), parts.join("; ")));
        }
        self.estimate(variant, self.headline())
            .is_none()
            .then(|| format!("{} has no complete set of scores", row.title()))
    }

    /// What the scores of a variant rest on that was accepted in the place of something else.
    pub(crate) fn accepted(&self, variant: usize) -> Option<String> {
        let row = &self.data.variants[variant];
        let mut by_key: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (seed, key) in &row.accepted {
            by_key.entry(key).or_default().push(seed.to_string());
        }
        let parts: Vec<String> = by_key
            .iter()
            .map(|(key, seeds)| {
                let found = self.data.provenance.accepted.iter().find(|one| one.key == **key);
                let words = found.map_or_else(|| (*key).to_owned(), AcceptedRow::words);
                let word = if seeds.len() == 1 { "seed" } else { "seeds" };
                format!("{words}, {word} {}", seeds.join(", "))
            })
            .collect();
        (!parts.is_empty())
            .then(|| format!("{} rests on accepted results: {}", row.title(), parts.join("; ")))
    }

    /// Which of a variant's masks did not come to the share of units that they were to shut.
    pub(crate) fn missed(&self, variant: usize) -> Option<String> {
        let row = &self.data.variants[variant];
        let percent = |share| crate::number::fixed(100.0 * share, 0);
        let parts: Vec<String> = row
            .mask_shares
            .iter()
            .filter(|masks| masks.missed())
            .map(|m| format!("{} {}% (target {}%)", m.units, percent(m.shut), percent(m.target)))
            .collect();
        (!parts.is_empty()).then(|| {
            let parts = parts.join(", ");
            format!("{}: when their learning ended, masks shut {parts}", row.title())
        })
    }

    /// Where the trainings of a variant diverged: `diverged at step 12`, with the range of several
    /// seeds.
    pub(crate) fn diverged(&self, variant: usize) -> Option<String> {
        let steps = self.data.variants[variant].diverged.iter().map(|(_, step)| *step);
        let (first, last) = (steps.clone().min()?, steps.max()?);
        Some(match first == last {
            true => format!("diverged at step {first}"),
            false => format!("diverged at steps {first} to {last}"),
        })
    }

    /// The variant with the best mean, and whether the paired test separates it from all the rest.
    pub(crate) fn best(&self, measure: Measure) -> Option<(usize, bool)> {
        let sign = if measure.higher_is_better() { 1.0 } else { -1.0 };
        let scored: Vec<(usize, f64)> = (0..self.data.variants.len())
            .filter_map(|v| self.estimate(v, measure).map(|e| (v, sign * e.mean)))
            .collect();
        let best = scored.iter().max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)))?.0;
        let separated = scored.len() > 1
            && scored.iter().filter(|(v, _)| *v != best).all(|(v, _)| {
                self.difference(best, *v, measure).is_some_and(|d| d.verdict == Verdict::Better)
            });
        Some((best, separated))
    }
}
