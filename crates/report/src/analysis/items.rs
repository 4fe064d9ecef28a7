//! Item outcomes of two sides brought into one shape: common seeds by common items. Items whose text differs are never paired.

use std::collections::BTreeMap;

use crate::analysis::Benchmark;
use crate::rows::StudyData;

/// Item id to the hash of what was asked and the score.
type Outcomes = BTreeMap<String, (String, f64)>;

/// Item outcomes by variant, benchmark and seed.
#[derive(Debug, Default)]
pub(crate) struct ItemIndex(BTreeMap<(usize, usize), BTreeMap<u64, Outcomes>>);

/// Scores of both sides, seeds by items, in percent.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pairs {
    pub(crate) a: Vec<Vec<f64>>,
    pub(crate) b: Vec<Vec<f64>>,
}

/// Why items were not paired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unpaired {
    /// One side has no item rows.
    NoItems,
    /// The sides share no seed.
    NoSeeds,
    /// Items of the same name ask different things.
    Hashes { differing: usize, items: usize },
    /// The sides share no item.
    NoCommonItems,
}

impl ItemIndex {
    /// Sorts the item rows of a study by variant and benchmark.
    pub(crate) fn new(data: &StudyData, benchmarks: &[Benchmark]) -> Self {
        let variants: BTreeMap<&str, usize> =
            data.variants.iter().enumerate().map(|(i, v)| (v.name.as_str(), i)).collect();
        let known: BTreeMap<(&str, &str), usize> = benchmarks
            .iter()
            .enumerate()
            .map(|(i, b)| ((b.name.as_str(), b.language.as_str()), i))
            .collect();
        let mut index = Self::default();
        for row in data.items.iter().filter(|r| r.score.is_finite()) {
            let variant = variants.get(row.variant.as_str());
            let benchmark = known.get(&(row.benchmark.as_str(), row.language.as_str()));
            if let (Some(&variant), Some(&benchmark)) = (variant, benchmark) {
                index
                    .0
                    .entry((variant, benchmark))
                    .or_default()
                    .entry(row.seed)
                    .or_default()
                    .insert(row.item.clone(), (row.document_hash.clone(), row.score * 100.0));
            }
        }
        index
    }

    /// Seeds by items of one variant on one benchmark: the items that every seed answered.
    pub(crate) fn table(&self, variant: usize, benchmark: usize) -> Option<Vec<Vec<f64>>> {
        let seeds = self.0.get(&(variant, benchmark))?;
        let first = seeds.values().next()?;
        let items: Vec<&String> =
            first.keys().filter(|i| seeds.values().all(|s| s.contains_key(*i))).collect();
        (!items.is_empty())
            .then(|| seeds.values().map(|s| items.iter().map(|i| s[*i].1).collect()).collect())
    }

    /// Pairs a benchmark of two sides over the given seeds.
    pub(crate) fn pair(
        &self,
        variant: usize,
        other: &Self,
        other_variant: usize,
        benchmark: (usize, usize),
        seeds: &[u64],
    ) -> Result<Pairs, Unpaired> {
        let a = self.0.get(&(variant, benchmark.0)).ok_or(Unpaired::NoItems)?;
        let b = other.0.get(&(other_variant, benchmark.1)).ok_or(Unpaired::NoItems)?;
        if seeds.is_empty() {
            return Err(Unpaired::NoSeeds);
        }
        let mut sides: Vec<(&Outcomes, &Outcomes)> = Vec::new();
        for seed in seeds {
            sides.push((
                a.get(seed).ok_or(Unpaired::NoItems)?,
                b.get(seed).ok_or(Unpaired::NoItems)?,
            ));
        }
        let mut items: Vec<&String> = Vec::new();
        let mut differing = 0;
        for (item, (hash, _)) in sides[0].0 {
            let everywhere: Vec<&(String, f64)> =
                sides.iter().flat_map(|(x, y)| [x.get(item), y.get(item)]).flatten().collect();
            if everywhere.len() < 2 * sides.len() {
                continue;
            }
            if everywhere.iter().any(|(h, _)| h != hash) {
                differing += 1;
            } else {
                items.push(item);
            }
        }
        if differing > 0 {
            return Err(Unpaired::Hashes { differing, items: items.len() + differing });
        }
        if items.is_empty() {
            return Err(Unpaired::NoCommonItems);
        }
        let take = |side: &Outcomes| items.iter().map(|i| side[*i].1).collect::<Vec<f64>>();
        Ok(Pairs {
            a: sides.iter().map(|(x, _)| take(x)).collect(),
            b: sides.iter().map(|(_, y)| take(y)).collect(),
        })
    }
}
