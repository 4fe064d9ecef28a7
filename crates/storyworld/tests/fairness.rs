//! No shortcut beats chance: not a position, not a length, not how common an answer is.

use std::collections::{BTreeMap, BTreeSet};

use ablate_storyworld::{Item, Language, Task, World, benchmarks};
use proptest::prelude::*;

const SEEDS: [u64; 3] = [1, 2, 3];
const ITEMS: usize = 600;

/// Chance plus and minus this many standard errors is tolerated: seven rules on nine benchmarks
/// are 63 comparisons.
const ERRORS: f64 = 3.3;

fn choices(item: &Item) -> usize {
    item.options.len()
}

/// The accuracy of a rule that scores every option, over all seeds; ties share the credit.
fn accuracy(items: &[Item], score: impl Fn(&Item, usize) -> f64) -> f64 {
    let credit: f64 = items
        .iter()
        .map(|item| {
            let scores: Vec<f64> = (0..choices(item)).map(|i| score(item, i)).collect();
            let best = scores.iter().copied().fold(f64::MIN, f64::max);
            let winners: Vec<usize> = (0..scores.len()).filter(|&i| scores[i] == best).collect();
            let key = item.key.expect("a choice has a key");
            if winners.contains(&key) { 1.0 / winners.len() as f64 } else { 0.0 }
        })
        .sum();
    credit / items.len() as f64
}

#[test]
fn constant_rules_stay_at_chance() {
    for info in benchmarks().iter().filter(|b| b.task != Task::Generation) {
        let mut items = Vec::new();
        let mut counts: BTreeMap<String, f64> = BTreeMap::new();
        for seed in SEEDS {
            let world = World::new(seed);
            let drawn = world.benchmark(info.name, ITEMS).expect("listed");
            assert_eq!(drawn.len(), ITEMS, "{}", info.name);
            items.extend(drawn);
        }
        // How often each option occurs in 1 MB of training text.
        let mut text = String::new();
        for document in World::new(SEEDS[0]).documents(0).filter(|d| d.language == info.language) {
            text.push_str(&document.text);
            text.push('\n');
            if text.len() > 1_000_000 {
                break;
            }
        }
        for option in items.iter().flat_map(|i| &i.options) {
            counts
                .entry(option.clone())
                .or_insert_with(|| text.matches(option.as_str()).count() as f64);
        }
        let chance = info.chance();
        let margin = ERRORS * (chance * (1.0 - chance) / items.len() as f64).sqrt();
        let length = |item: &Item, i: usize| item.options[i].chars().count() as f64;
        let mut rules = vec![
            ("longest", accuracy(&items, length)),
            ("shortest", accuracy(&items, |item, i| -length(item, i))),
            ("commonest", accuracy(&items, |item, i| counts[&item.options[i]])),
            ("rarest", accuracy(&items, |item, i| -counts[&item.options[i]])),
            (
                "first in the alphabet",
                accuracy(&items, |item, i| {
                    -(item.options.iter().filter(|o| **o < item.options[i]).count() as f64)
                }),
            ),
        ];
        for position in 0..choices(&items[0]) {
            rules.push(("position", accuracy(&items, |_, i| f64::from(i == position))));
        }
        for (rule, accuracy) in rules {
            assert!(
                (accuracy - chance).abs() <= margin,
                "{}: {rule} scores {accuracy:.3}",
                info.name
            );
        }
    }
}

#[test]
fn every_answer_is_as_often_wrong_as_fair() {
    // In a four-choice benchmark a string should be wrong three times as often as right.
    for info in benchmarks() {
        let Task::Choice(options) = info.task else { continue };
        let world = World::new(5);
        let items = world.benchmark(info.name, ITEMS).expect("listed");
        let mut uses: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        for item in &items {
            for (i, option) in item.options.iter().enumerate() {
                let (right, wrong) = uses.entry(option).or_default();
                if item.key == Some(i) { *right += 1 } else { *wrong += 1 }
            }
        }
        // Pronouns in steps split a label over two strings, so the balance is asked of the sum.
        let skew: usize =
            uses.values().map(|(right, wrong)| wrong.abs_diff(right * (options - 1))).sum();
        let share = skew as f64 / (items.len() * options) as f64;
        assert!(share < 0.06, "{}: {share:.3} of the options are unbalanced", info.name);
    }
}

fn every_benchmark_is_full(seed: u64, items: usize) -> Result<(), TestCaseError> {
    let world = World::new(seed);
    for info in benchmarks() {
        let drawn = world.benchmark(info.name, items).expect("listed");
        prop_assert_eq!(drawn.len(), items, "{}", info.name);
        let mut ids = BTreeSet::new();
        let mut prompts = BTreeSet::new();
        let mut positions = BTreeMap::<usize, usize>::new();
        for item in &drawn {
            prop_assert!(ids.insert(item.id.clone()));
            prop_assert_eq!(item.language, info.language);
            let mut options = item.options.clone();
            options.sort();
            prop_assert!(prompts.insert((item.context.clone(), options.clone())), "{:?}", item);
            options.dedup();
            prop_assert_eq!(options.len(), item.options.len(), "{:?}", item);
            match info.task {
                Task::Choice(k) => {
                    prop_assert_eq!(item.options.len(), k);
                    prop_assert!(item.reference.is_none());
                    *positions.entry(item.key.expect("key")).or_default() += 1;
                }
                Task::Generation => {
                    prop_assert!(item.options.is_empty() && item.key.is_none());
                    prop_assert!(item.reference.as_deref().is_some_and(|r| !r.is_empty()));
                }
            }
            prop_assert!(!item.context.contains(['{', '}', '[', ']', '|']), "{}", item.context);
            prop_assert!(!item.context.ends_with(' '));
            if info.language == Language::En {
                let spaced = |o: &String| o.starts_with(' ') && o.trim().len() + 1 == o.len();
                prop_assert!(item.options.iter().all(spaced), "{:?}", item.options);
            }
        }
        if let Task::Choice(k) = info.task {
            let counts: Vec<usize> =
                (0..k).map(|p| positions.get(&p).copied().unwrap_or(0)).collect();
            let spread = counts.iter().max().unwrap() - counts.iter().min().unwrap();
            prop_assert!(spread <= 1, "{} {:?}", info.name, counts);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn every_world_gives_full_benchmarks(seed in any::<u64>(), items in 400usize..=1000) {
        every_benchmark_is_full(seed, items)?;
    }
}

/// One world in 700 reserves a routine for nobody, or asks of one goal so often that its wordings
/// with one wrong answer run out.
#[test]
fn scarce_worlds_give_full_benchmarks() {
    for (seed, items) in [
        (15_054_413_454_295_783_413, 829),
        (4_937_902_756_673_036_300, 827),
        (1_691_027_390_917_347_391, 857),
    ] {
        every_benchmark_is_full(seed, items).unwrap();
    }
}

#[test]
fn unknown_names_and_large_requests_are_answered() {
    let world = World::new(0);
    assert!(world.benchmark("hellaswg", 10).is_none());
    for info in benchmarks() {
        assert_eq!(world.benchmark(info.name, usize::MAX).expect("listed").len(), info.max_items);
        assert!(world.benchmark(info.name, 0).expect("listed").is_empty());
    }
}

#[test]
fn items_survive_json_and_repeat() {
    let world = World::new(9);
    for info in benchmarks() {
        let items = world.benchmark(info.name, 50).expect("listed");
        assert_eq!(items, World::new(9).benchmark(info.name, 50).expect("listed"));
        assert_ne!(items, World::new(10).benchmark(info.name, 50).expect("listed"));
        let text = serde_json::to_string(&items).expect("serialises");
        assert_eq!(serde_json::from_str::<Vec<Item>>(&text).expect("parses"), items);
        assert!(text.contains(&format!("\"language\":\"{}\"", info.language.code())));
    }
}
