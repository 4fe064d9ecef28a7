//! The benchmarks of knowledge: exams and easy science, asked about reserved facts only.

use std::collections::BTreeMap;

use crate::Language;
use crate::balance::{distractors, positions};
use crate::benchmark::{Draft, Held, Seen, with_options};
use crate::draw::Draw;
use crate::facts::Fact;
use crate::kinds::exam;
use crate::kinds::sums::Sum;
use crate::lexicon::{Asked, RELATIONS};
use crate::sample::{Sample, option};
use crate::world::World;

/// `total` split as evenly as the capacities of the parts allow; less than `total`
/// when all are full.
fn fill(total: usize, capacities: &[usize]) -> Vec<usize> {
    let mut parts = vec![0; capacities.len()];
    let mut left = total;
    while left > 0 {
        let open: Vec<usize> = (0..parts.len()).filter(|&i| parts[i] < capacities[i]).collect();
        if open.is_empty() {
            break;
        }
        for i in open.into_iter().take(left) {
            parts[i] += 1;
            left -= 1;
        }
    }
    parts
}

/// What a knowledge question is about.
#[derive(Clone, Copy)]
enum About<'w> {
    Fact(usize, &'w Fact),
    Sum(Sum),
}

impl About<'_> {
    fn wanted(&self, language: Language) -> String {
        match self {
            About::Fact(_, fact) => fact.wanted(language),
            About::Sum(sum) => sum.result().to_string(),
        }
    }

    /// How many items may be made of it: wordings and wrong answers make them distinct, and the
    /// questions that list their options differ in those too.
    fn wordings(&self) -> usize {
        match self {
            About::Fact(_, fact) if fact.relation().asked == Asked::Which => 24,
            _ => 8,
        }
    }

    /// The value that must be spread evenly over the questions of a relation.
    fn spread(&self) -> String {
        match self {
            About::Fact(_, fact) => fact.spread().en.to_owned(),
            About::Sum(sum) => sum.result().to_string(),
        }
    }
}

/// Questions about reserved facts, an equal number of each relation.
pub(crate) fn items(
    world: &World,
    draw: &mut Draw,
    language: Language,
    items: usize,
    science: bool,
) -> Vec<Draft> {
    let mut groups: Vec<Vec<About<'_>>> = (0..RELATIONS.len())
        .filter(|&r| (RELATIONS[r].asked == Asked::Exam) != science)
        .map(|r| {
            let facts =
                world.facts.iter().enumerate().filter(|(_, f)| f.relation == r && f.reserved);
            facts.map(|(i, f)| About::Fact(i, f)).collect()
        })
        .collect();
    if !science {
        groups.push(Sum::reserved(world).into_iter().map(About::Sum).collect());
    }
    let mut keys = positions(draw, items, 4).into_iter();
    let mut seen = Seen::default();
    let mut drafts = Vec::with_capacity(items);
    let capacities: Vec<usize> =
        groups.iter().map(|g| g.iter().map(About::wordings).sum()).collect();
    for (group, share) in groups.iter().zip(fill(items, &capacities)) {
        let asked = evenly(draw, group, share);
        let mut labels: Vec<String> = asked.iter().map(|a| a.wanted(language)).collect();
        labels.sort_unstable();
        labels.dedup();
        let label = |a: &About<'_>| labels.binary_search(&a.wanted(language)).unwrap_or(0);
        let answers: Vec<usize> = asked.iter().map(label).collect();
        // For the questions that want a subject: the facts of every label's subject.
        let subject: Vec<Option<&Fact>> = labels
            .iter()
            .map(|l| {
                asked.iter().find_map(|a| match a {
                    About::Fact(_, f) if f.wanted(language) == *l => Some(*f),
                    _ => None,
                })
            })
            .collect();
        let forbidden = |i: usize, a: usize| match (asked[i], subject[a]) {
            (About::Fact(_, fact), Some(other)) if fact.relation().asked == Asked::Which => {
                exam::fits(world, fact, other)
            }
            _ => false,
        };
        let Some(wrong) = distractors(draw, &answers, 3, &forbidden) else { continue };
        for ((about, answer), wrong) in asked.iter().zip(&answers).zip(wrong) {
            let Some(key) = keys.next() else { break };
            let right = option(language, &labels[*answer]);
            let wrong: Vec<String> = wrong.iter().map(|&w| option(language, &labels[w])).collect();
            let sample = seen.fresh(
                || {
                    let mut sample =
                        Sample::choice(String::new(), right.clone(), wrong.clone(), key);
                    sample.context = match about {
                        About::Fact(_, fact) => {
                            exam::context(draw, fact, language, &sample.options)
                        }
                        About::Sum(sum) => exam::sum_context(draw, sum, language),
                    };
                    sample
                },
                with_options,
            );
            let held = match about {
                About::Fact(i, _) => Held::Fact(*i),
                About::Sum(sum) => Held::Sum(*sum),
            };
            drafts.push(Draft { sample, held });
        }
    }
    drafts
}

/// `count` of the group's entries, such that their answers are used equally often.
fn evenly<'w>(draw: &mut Draw, group: &[About<'w>], count: usize) -> Vec<About<'w>> {
    let mut by_answer: BTreeMap<String, Vec<About<'w>>> = BTreeMap::new();
    for about in group {
        by_answer.entry(about.spread()).or_default().push(*about);
    }
    let mut buckets: Vec<Vec<About<'w>>> = by_answer.into_values().collect();
    for bucket in &mut buckets {
        draw.shuffle(bucket);
    }
    draw.shuffle(&mut buckets);
    if buckets.is_empty() {
        return Vec::new();
    }
    (0..count)
        .map(|i| {
            let bucket = &buckets[i % buckets.len()];
            bucket[i / buckets.len() % bucket.len()]
        })
        .collect()
}
