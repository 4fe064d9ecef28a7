//! Item outcomes of several sides brought into one shape: common seeds by common items. Items whose
//! document or prompt differs are never paired.

use std::collections::BTreeMap;

use crate::analysis::Benchmark;
use crate::rows::StudyData;

/// An item as one trained model answered it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome<'a> {
    document: &'a str,
    /// Empty where a report of an earlier version does not tell.
    prompt: &'a str,
    subject: Option<&'a str>,
    by_subject: bool,
    /// In percent.
    score: f64,
}

/// Outcomes by item id.
pub(crate) type Outcomes<'a> = BTreeMap<&'a str, Outcome<'a>>;

/// Outcomes by seed.
pub(crate) type BySeed<'a> = BTreeMap<u64, Outcomes<'a>>;

/// Item outcomes by variant, benchmark and seed.
#[derive(Debug, Default)]
pub(crate) struct ItemIndex<'a>(BTreeMap<(usize, usize), BySeed<'a>>);

/// Scores, seeds by items, in percent.
pub(crate) type Scores = Vec<Vec<f64>>;

/// The items that several sides share, in one shape.
#[derive(Clone, Debug)]
pub(crate) struct Items<'a> {
    /// For each side, seeds by items.
    pub(crate) scores: Vec<Scores>,
    /// The subject or passage of every item, where all have one.
    pub(crate) subjects: Option<Vec<&'a str>>,
    /// Whether every subject counts the same.
    pub(crate) by_subject: bool,
}

/// Why items were not paired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unpaired {
    /// One side has no item rows of some seed.
    NoItems,
    /// Items of the same name are different documents.
    Documents { differing: usize, items: usize },
    /// The same documents were asked with different prompts.
    Prompts { differing: usize, items: usize },
    /// The sides share no item.
    NoCommonItems,
}

impl Unpaired {
    /// Why rows that exist are not paired; `None` where there are none.
    pub(crate) fn reason(&self) -> Option<String> {
        match self {
            Self::NoItems => None,
            Self::NoCommonItems => {
                Some("no item in common, so nothing is paired or tested".to_owned())
            }
            Self::Documents { differing, items } => Some(format!(
                "{differing} of {items} items of the same name ask different things, so nothing is paired or tested"
            )),
            Self::Prompts { differing, items } => Some(format!(
                "{differing} of {items} items were asked with different prompts, so nothing is paired or tested; score both sides with the same prompts"
            )),
        }
    }
}

impl<'a> ItemIndex<'a> {
    /// Sorts the item rows of a study by variant and benchmark.
    pub(crate) fn new(data: &'a StudyData, benchmarks: &[Benchmark]) -> Self {
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
                let outcome = Outcome {
                    document: &row.document_hash,
                    prompt: &row.prompt_hash,
                    subject: row.subject.as_deref(),
                    by_subject: row.by_subject,
                    score: row.score * 100.0,
                };
                let by_seed = index.0.entry((variant, benchmark)).or_default();
                by_seed.entry(row.seed).or_default().insert(&row.item, outcome);
            }
        }
        index
    }

    /// Outcomes of a variant on a benchmark by seed.
    pub(crate) fn of(&self, variant: usize, benchmark: usize) -> Option<&BySeed<'a>> {
        self.0.get(&(variant, benchmark))
    }
}

/// Brings the outcomes of several sides on one benchmark into one shape over the given seeds.
pub(crate) fn align<'a>(
    sides: &[Option<&BySeed<'a>>],
    seeds: &[u64],
) -> Result<Items<'a>, Unpaired> {
    let rows: Vec<Vec<&Outcomes<'a>>> = sides
        .iter()
        .map(|side| {
            let side = side.ok_or(Unpaired::NoItems)?;
            seeds.iter().map(|seed| side.get(seed).ok_or(Unpaired::NoItems)).collect()
        })
        .collect::<Result<_, _>>()?;
    let first = rows.first().and_then(|side| side.first()).ok_or(Unpaired::NoItems)?;
    let mut items: Vec<(&'a str, Outcome<'a>)> = Vec::new();
    let (mut documents, mut prompts) = (0, 0);
    for (item, known) in *first {
        let found: Vec<Outcome<'a>> =
            rows.iter().flatten().filter_map(|outcomes| outcomes.get(item).copied()).collect();
        if found.len() < sides.len() * seeds.len() {
            continue;
        }
        let mut asked = found.iter().map(|other| other.prompt).filter(|prompt| !prompt.is_empty());
        let prompt = asked.next();
        if found.iter().any(|other| other.document != known.document) {
            documents += 1;
        } else if asked.any(|other| Some(other) != prompt) {
            prompts += 1;
        } else {
            // A report of an earlier version does not tell the subject.
            let telling = found.iter().find(|other| other.subject.is_some());
            items.push((*item, *telling.unwrap_or(known)));
        }
    }
    let common = items.len() + documents + prompts;
    if documents > 0 {
        return Err(Unpaired::Documents { differing: documents, items: common });
    }
    if prompts > 0 {
        return Err(Unpaired::Prompts { differing: prompts, items: common });
    }
    if items.is_empty() {
        return Err(Unpaired::NoCommonItems);
    }
    let take =
        |outcomes: &&Outcomes<'a>| items.iter().map(|(item, _)| outcomes[item].score).collect();
    let subjects: Option<Vec<&'a str>> = items.iter().map(|(_, outcome)| outcome.subject).collect();
    Ok(Items {
        scores: rows.iter().map(|side| side.iter().map(take).collect()).collect(),
        by_subject: subjects.is_some() && items.iter().all(|(_, outcome)| outcome.by_subject),
        subjects,
    })
}
