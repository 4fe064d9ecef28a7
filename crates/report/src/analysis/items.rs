//! Item outcomes of several sides brought into one shape: common seeds by common items. Items whose text differs are never paired.

use std::collections::BTreeMap;

use crate::analysis::Benchmark;
use crate::rows::StudyData;

/// Item id to the hash of what was asked and the score.
pub(crate) type Outcomes = BTreeMap<String, (String, f64)>;

/// Outcomes by seed.
pub(crate) type BySeed = BTreeMap<u64, Outcomes>;

/// Item outcomes by variant, benchmark and seed.
#[derive(Debug, Default)]
pub(crate) struct ItemIndex(BTreeMap<(usize, usize), BySeed>);

/// Scores, seeds by items, in percent.
pub(crate) type Scores = Vec<Vec<f64>>;

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
        let variants = super::names(data);
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

    /// Outcomes of a variant on a benchmark by seed.
    pub(crate) fn of(&self, variant: usize, benchmark: usize) -> Option<&BySeed> {
        self.0.get(&(variant, benchmark))
    }
}

/// Brings the outcomes of several sides on one benchmark into one shape over the given seeds: a table
/// of scores for each side.
pub(crate) fn align(sides: &[Option<&BySeed>], seeds: &[u64]) -> Result<Vec<Scores>, Unpaired> {
    if seeds.is_empty() {
        return Err(Unpaired::NoSeeds);
    }
    let rows: Vec<Vec<&Outcomes>> = sides
        .iter()
        .map(|side| {
            let side = side.ok_or(Unpaired::NoItems)?;
            seeds.iter().map(|seed| side.get(seed).ok_or(Unpaired::NoItems)).collect()
        })
        .collect::<Result<_, _>>()?;
    let mut items: Vec<&String> = Vec::new();
    let mut differing = 0;
    for (item, (hash, _)) in rows[0][0] {
        let mut everywhere = rows.iter().flatten().map(|outcomes| outcomes.get(item));
        if !everywhere.clone().all(|found| found.is_some()) {
            continue;
        }
        if everywhere.any(|found| found.is_some_and(|(other, _)| other != hash)) {
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
    let take = |outcomes: &&Outcomes| items.iter().map(|item| outcomes[*item].1).collect();
    Ok(rows.iter().map(|side| side.iter().map(take).collect()).collect())
}
