//! What was asked of every model: how many items, and which, by a fingerprint.

use std::collections::{BTreeMap, BTreeSet};

use super::short;
use crate::rows::StudyData;

/// What a model was asked in one benchmark.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    /// Number of items.
    pub(crate) items: u64,
    /// Of their ids and of what was asked, whatever their order.
    pub(crate) digest: String,
}

/// Variant, seed, benchmark and language.
pub(crate) type Place<'a> = (&'a str, u64, &'a str, &'a str);

/// The rows of a study by what cells ask for.
pub(crate) struct Evidence<'a> {
    pub(crate) data: &'a StudyData,
    /// Variant, seed, benchmark and language to what was asked.
    asked: BTreeMap<Place<'a>, Fingerprint>,
    /// File, variant and seed to the number of rows; files without seeds have none.
    rows: BTreeMap<(&'static str, &'a str, Option<u64>), u64>,
    /// The seeds of every variant with scores.
    seeds: BTreeMap<&'a str, BTreeSet<u64>>,
    /// Variant, seed, benchmark, language and metric of every score.
    scores: BTreeSet<(&'a str, u64, &'a str, &'a str, &'a str)>,
}

impl<'a> Evidence<'a> {
    pub(crate) fn of(data: &'a StudyData) -> Self {
        let mut items: BTreeMap<_, Vec<(&str, &str)>> = BTreeMap::new();
        for row in &data.items {
            let place =
                (row.variant.as_str(), row.seed, row.benchmark.as_str(), row.language.as_str());
            items.entry(place).or_default().push((row.item.as_str(), row.document_hash.as_str()));
        }
        let asked = items
            .into_iter()
            .map(|(place, mut items)| {
                items.sort_unstable();
                let text: String =
                    items.iter().map(|(item, hash)| format!("{item}\t{hash}\n")).collect();
                (place, Fingerprint { items: items.len() as u64, digest: short(&text) })
            })
            .collect();
        let mut rows: BTreeMap<(&'static str, &str, Option<u64>), u64> = BTreeMap::new();
        let mut count = |file, variant: &'a str, seed| {
            *rows.entry((file, variant, seed)).or_default() += 1;
        };
        data.variants.iter().for_each(|r| count("variants", &r.name, None));
        data.curves.iter().for_each(|r| count("curves", &r.variant, Some(r.seed)));
        data.rounds.iter().for_each(|r| count("rounds", &r.variant, Some(r.seed)));
        data.visits.iter().for_each(|r| count("visits", &r.variant, Some(r.seed)));
        data.batch_losses.iter().for_each(|r| count("batch_losses", &r.variant, Some(r.seed)));
        data.progress.iter().for_each(|r| count("progress", &r.variant, Some(r.seed)));
        let tokenizers = data.tokenizers.iter().flat_map(|r| &r.variants);
        tokenizers.for_each(|variant| count("tokenizers", variant, None));
        let mut seeds: BTreeMap<&str, BTreeSet<u64>> = BTreeMap::new();
        for row in &data.scores {
            seeds.entry(&row.variant).or_default().insert(row.seed);
        }
        let scores = data
            .scores
            .iter()
            .map(|r| {
                let (variant, benchmark) = (r.variant.as_str(), r.benchmark.as_str());
                (variant, r.seed, benchmark, r.language.as_str(), r.metric.as_str())
            })
            .collect();
        Self { data, asked, rows, seeds, scores }
    }

    /// Everything that was asked, by variant, seed, benchmark and language.
    pub(crate) fn asked(&self) -> impl Iterator<Item = (&Place<'a>, &Fingerprint)> {
        self.asked.iter()
    }

    /// What a variant with a seed was asked.
    pub(crate) fn fingerprint(
        &self,
        variant: &str,
        seed: u64,
        (benchmark, language): (&str, &str),
    ) -> Option<Fingerprint> {
        self.asked.get(&(variant, seed, benchmark, language)).cloned()
    }

    /// The seeds for which a variant has every one of these scores.
    pub(crate) fn seeds(&self, variant: &str, scores: &[(String, String, String)]) -> Vec<u64> {
        let Some(seeds) = self.seeds.get(variant) else { return Vec::new() };
        let whole = |seed: &u64| {
            scores.iter().all(|(benchmark, language, metric)| {
                let row = (variant, *seed, benchmark.as_str(), language.as_str(), metric.as_str());
                self.scores.contains(&row)
            })
        };
        seeds.iter().copied().filter(whole).collect()
    }

    /// Seeds and number of the rows of a variant in a file other than the scores.
    pub(crate) fn rows(&self, file: &str, variant: &str) -> (Vec<u64>, u64) {
        let own = self.rows.iter().filter(|((of, name, _), _)| *of == file && *name == variant);
        let mut found = (Vec::new(), 0);
        for ((_, _, seed), count) in own {
            found.0.extend(*seed);
            found.1 += count;
        }
        found
    }
}
