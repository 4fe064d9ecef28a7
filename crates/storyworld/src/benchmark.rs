//! Builds the benchmarks out of reserved combinations.

use std::collections::{BTreeMap, BTreeSet};

use crate::Language;
use crate::balance::{distractors, positions};
use crate::draw::Draw;
use crate::item::{BenchmarkInfo, Item, benchmarks};
use crate::kinds::sums::Sum;
use crate::kinds::{dialogue, entailment, news, plausibility, reading, review, routine, setting};
use crate::knowledge;
use crate::lexicon::{GOALS, NEWS, PRODUCTS, ROUTINE_GROUP, ROUTINES};
use crate::sample::Sample;
use crate::values::{ACT_CLASSES, Class, Value};
use crate::world::World;

/// The reserved combination that an item is about.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Held {
    Pair(usize, Value),
    Opinion {
        product: usize,
        good: bool,
        opinion: usize,
    },
    Goal {
        goal: usize,
        thing: usize,
    },
    /// Position in the world's facts.
    Fact(usize),
    Sum(Sum),
}

/// An item to be, with what it holds out.
pub(crate) struct Draft {
    pub(crate) sample: Sample,
    /// Read by the tests only, which search the training text for it.
    #[cfg_attr(not(test), expect(dead_code))]
    pub(crate) held: Held,
}

impl World {
    /// The benchmark of that name with up to `items` distinct items; `None` for a name that
    /// [`benchmarks`] does not list. At most [`BenchmarkInfo::max_items`] items come back. The
    /// draw is deterministic in (seed, name, items); a smaller draw is not a prefix of a larger
    /// one, because balance is exact over the whole.
    #[must_use]
    pub fn benchmark(&self, name: &str, items: usize) -> Option<Vec<Item>> {
        let info = benchmarks().iter().find(|b| b.name == name)?;
        let drafts = self.drafts(info, items.min(info.max_items));
        Some(
            drafts
                .into_iter()
                .enumerate()
                .map(|(i, draft)| Item {
                    id: format!("{name}-{i:04}"),
                    benchmark: name.to_owned(),
                    language: info.language,
                    context: draft.sample.context,
                    options: draft.sample.options,
                    key: draft.sample.key,
                    reference: draft.sample.reference,
                })
                .collect(),
        )
    }

    /// The drafts of a benchmark in random order, all distinct.
    pub(crate) fn drafts(&self, info: &BenchmarkInfo, items: usize) -> Vec<Draft> {
        let mut draw = Draw::new(self.seed(), info.name, items as u64);
        let draw = &mut draw;
        let mut drafts = match info.name {
            "exam-zh" | "exam-en" => knowledge::items(self, draw, info.language, items, false),
            "arc-e" => knowledge::items(self, draw, info.language, items, true),
            "boolq" => boolq(self, draw, items),
            "axb" => axb(self, draw, items),
            "piqa" => piqa(self, draw, items),
            "eprstmt" => eprstmt(self, draw, items),
            "c3" => c3(self, draw, items),
            "xsum" => xsum(self, draw, items),
            "hellaswag" => hellaswag(self, draw, items),
            _ => Vec::new(),
        };
        draw.shuffle(&mut drafts);
        drafts
    }
}

/// Remembers prompts, so that every item is new.
#[derive(Default)]
pub(crate) struct Seen(BTreeSet<String>);

impl Seen {
    /// Draws until the text is new; gives up after a while and takes what comes.
    pub(crate) fn fresh<T>(
        &mut self,
        mut make: impl FnMut() -> T,
        text: impl Fn(&T) -> String,
    ) -> T {
        self.try_fresh(&mut make, text).unwrap_or_else(make)
    }

    /// Draws until the text is new; gives up after a while.
    fn try_fresh<T>(
        &mut self,
        mut make: impl FnMut() -> T,
        text: impl Fn(&T) -> String,
    ) -> Option<T> {
        (0..60).find_map(|_| Some(make()).filter(|made| self.0.insert(text(made))))
    }
}

pub(crate) fn with_options(sample: &Sample) -> String {
    let mut options = sample.options.clone();
    options.sort_unstable();
    format!("{}\n{}", sample.context, options.join("\n"))
}

/// `total` split over `parts` as evenly as possible.
fn shares(total: usize, parts: usize) -> Vec<usize> {
    (0..parts).map(|i| total / parts + usize::from(i < total % parts)).collect()
}

fn boolq(world: &World, draw: &mut Draw, items: usize) -> Vec<Draft> {
    let acts = world.reserved_pairs(draw, &ACT_CLASSES);
    let events = world.reserved_pairs(draw, &[Class::Event]);
    let mut seen = Seen::default();
    (0..items)
        .map(|i| {
            let case = reading::CASES[i % reading::CASES.len()];
            let pairs = if case.about_feelings() { &events } else { &acts };
            let (person, value) = pairs[i % pairs.len()];
            let sample = seen.fresh(|| reading::sample(draw, case, person, value), with_options);
            Draft { sample, held: Held::Pair(person, value) }
        })
        .collect()
}

fn axb(world: &World, draw: &mut Draw, items: usize) -> Vec<Draft> {
    let pairs: Vec<Vec<(usize, Value)>> =
        entailment::CHANGES.iter().map(|c| world.reserved_pairs(draw, c.classes())).collect();
    let mut seen = Seen::default();
    (0..items)
        .map(|i| {
            let at = i / 2 % entailment::CHANGES.len();
            let (person, value) = pairs[at][i % pairs[at].len()];
            let make =
                || entailment::sample(draw, entailment::CHANGES[at], i % 2 == 0, person, value);
            Draft { sample: seen.fresh(make, with_options), held: Held::Pair(person, value) }
        })
        .collect()
}

fn piqa(world: &World, draw: &mut Draw, items: usize) -> Vec<Draft> {
    let language = Language::En;
    let mut order: Vec<usize> = (0..GOALS.len()).collect();
    draw.shuffle(&mut order);
    let asked: Vec<(usize, usize, usize)> = (0..items)
        .map(|i| {
            let goal = order[i % order.len()];
            let things: Vec<usize> = (0..10).filter(|&t| world.reserved_goal(goal, t)).collect();
            let round = i / order.len();
            (goal, things[round % things.len()], goal * 2 + round / things.len() % 2)
        })
        .collect();
    let answers: Vec<usize> = asked.iter().map(|a| a.2).collect();
    let forbidden = |i: usize, method: usize| plausibility::reaches(asked[i].0, method);
    let Some(wrong) = distractors(draw, &answers, 1, &forbidden) else { return Vec::new() };
    let keys = positions(draw, items, 2);
    let mut seen = Seen::default();
    let mut drafts = Vec::with_capacity(items);
    for ((&(goal, thing, method), wrong), key) in asked.iter().zip(wrong).zip(keys) {
        let right = plausibility::method(language, method);
        let mut sample = |draw: &mut Draw, wrong: usize| {
            let wrong = vec![plausibility::method(language, wrong)];
            let make = || {
                let context = plausibility::context(draw, language, goal, thing);
                Sample::choice(context, right.clone(), wrong.clone(), key)
            };
            seen.try_fresh(make, with_options)
        };
        // A goal of which a single thing is reserved is asked so often that a pair of options may
        // have had every wording. It gets another wrong answer then, which costs the balance one.
        let made = wrong.iter().find_map(|&w| sample(draw, w)).or_else(|| {
            let mut others: Vec<usize> =
                (0..2 * GOALS.len()).filter(|&m| !plausibility::reaches(goal, m)).collect();
            draw.shuffle(&mut others);
            others.into_iter().find_map(|w| sample(draw, w))
        });
        let Some(sample) = made else { continue };
        drafts.push(Draft { sample, held: Held::Goal { goal, thing } });
    }
    drafts
}

fn eprstmt(world: &World, draw: &mut Draw, items: usize) -> Vec<Draft> {
    let mut combos: [Vec<(usize, usize)>; 2] = [Vec::new(), Vec::new()];
    for product in 0..PRODUCTS.len() {
        for opinion in 0..10 {
            for (side, good) in [(0, true), (1, false)] {
                if world.reserved_opinion(product, good, opinion) {
                    combos[side].push((product, opinion));
                }
            }
        }
    }
    for side in &mut combos {
        draw.shuffle(side);
    }
    let mut seen = Seen::default();
    (0..items)
        .map(|i| {
            let good = i % 2 == 0;
            let side = &combos[i % 2];
            let (product, opinion) = side[i / 2 % side.len()];
            let build = review::BUILDS[i / 2 % review::BUILDS.len()];
            let sample =
                seen.fresh(|| review::sample(draw, build, product, good, opinion), with_options);
            Draft { sample, held: Held::Opinion { product, good, opinion } }
        })
        .collect()
}

fn c3(world: &World, draw: &mut Draw, items: usize) -> Vec<Draft> {
    let language = Language::Zh;
    let mut keys = positions(draw, items, 4).into_iter();
    let mut seen = Seen::default();
    let mut drafts = Vec::with_capacity(items);
    // Two items in five are about the setting, the others about what a speaker did.
    let told = items - items * 2 / 5;
    let settings: Vec<(usize, Value)> = world
        .reserved_pairs(draw, &[Class::Place])
        .into_iter()
        .filter(|(_, place)| setting::of(*place).is_some())
        .collect();
    let settings = evenly_by(&settings, items - told);
    let answers: Vec<usize> = settings.iter().map(|(_, place)| place.index).collect();
    let wrong = distractors(draw, &answers, 3, &|_, _| false).unwrap_or_default();
    for (&(person, place), wrong) in settings.iter().zip(wrong) {
        let (Some(key), Some(at)) = (keys.next(), setting::of(place)) else { break };
        let answer = |index: usize| Value { class: Class::Place, index }.answer(language);
        let texts: Vec<String> = wrong.iter().map(|&w| answer(w)).collect();
        let make = || {
            let context = setting::context(draw, person, at);
            Sample::choice(context, place.answer(language), texts.clone(), key)
        };
        drafts.push(Draft {
            sample: seen.fresh(make, with_options),
            held: Held::Pair(person, place),
        });
    }
    for (class, share) in ACT_CLASSES.iter().zip(shares(told, ACT_CLASSES.len())) {
        let pairs = world.reserved_pairs(draw, &[*class]);
        let pairs: Vec<(usize, Value)> = evenly_by(&pairs, share);
        let answers: Vec<usize> = pairs.iter().map(|(_, v)| v.index).collect();
        let Some(wrong) = distractors(draw, &answers, 3, &|_, _| false) else { continue };
        for (&(person, value), wrong) in pairs.iter().zip(wrong) {
            let Some(key) = keys.next() else { break };
            let wrong: Vec<Value> =
                wrong.iter().map(|&index| Value { class: *class, index }).collect();
            let plan = draw.percent(40).then_some(wrong[1]);
            let texts: Vec<String> = wrong.iter().map(|w| w.answer(language)).collect();
            let make = || {
                let context = dialogue::context(draw, person, value, wrong[0], plan);
                Sample::choice(context, value.answer(language), texts.clone(), key)
            };
            drafts.push(Draft {
                sample: seen.fresh(make, with_options),
                held: Held::Pair(person, value),
            });
        }
    }
    drafts
}

/// `count` of the pairs, such that their values are used equally often.
fn evenly_by(pairs: &[(usize, Value)], count: usize) -> Vec<(usize, Value)> {
    let mut by_value: BTreeMap<Value, Vec<usize>> = BTreeMap::new();
    for &(person, value) in pairs {
        by_value.entry(value).or_default().push(person);
    }
    let buckets: Vec<(Value, Vec<usize>)> = by_value.into_iter().collect();
    if buckets.is_empty() {
        return Vec::new();
    }
    (0..count)
        .map(|i| {
            let (value, people) = &buckets[i % buckets.len()];
            (people[i / buckets.len() % people.len()], *value)
        })
        .collect()
}

fn xsum(world: &World, draw: &mut Draw, items: usize) -> Vec<Draft> {
    let pairs = world.reserved_pairs(draw, &[Class::Town]);
    let mut seen = Seen::default();
    (0..items)
        .map(|i| {
            let (person, value) = pairs[i % pairs.len()];
            let event = (i + i / pairs.len()) % NEWS.len();
            let make = || news::sample(world, draw, Language::En, person, value.index, event);
            Draft {
                sample: seen.fresh(make, |s| s.context.clone()),
                held: Held::Pair(person, value),
            }
        })
        .collect()
}

fn hellaswag(world: &World, draw: &mut Draw, items: usize) -> Vec<Draft> {
    /// Steps that a story may stop before: all but the first.
    const STEPS: usize = 3;
    let language = Language::En;
    let groups = ROUTINES.len() / ROUTINE_GROUP;
    let mut keys = positions(draw, items, 4).into_iter();
    let mut seen = Seen::default();
    let mut drafts = Vec::with_capacity(items);
    for (group, share) in shares(items, groups).into_iter().enumerate() {
        let pairs = world.reserved_pairs(draw, &[Class::Routine]);
        // Every (routine, step) of the group equally often, but for the routines that the world
        // reserves for nobody; wrong answers stay in the group.
        let reserved: Vec<(usize, Vec<usize>)> = (0..ROUTINE_GROUP)
            .map(|i| group * ROUTINE_GROUP + i)
            .map(|r| (r, pairs.iter().filter(|(_, v)| v.index == r).map(|(p, _)| *p).collect()))
            .filter(|(_, people): &(usize, Vec<usize>)| !people.is_empty())
            .collect();
        if reserved.is_empty() {
            continue;
        }
        let labels = reserved.len() * STEPS;
        let asked: Vec<(usize, usize, usize)> = (0..share)
            .map(|i| {
                let (routine, people) = &reserved[i % labels / STEPS];
                (people[i / labels % people.len()], *routine, 1 + i % STEPS)
            })
            .collect();
        let answers: Vec<usize> =
            asked.iter().map(|&(_, routine, step)| routine * 4 + step).collect();
        // An earlier step of the same routine is a fair wrong answer; a later one is not.
        let forbidden = |i: usize, a: usize| a / 4 == asked[i].1 && a % 4 > asked[i].2;
        let Some(wrong) = distractors(draw, &answers, 3, &forbidden) else { continue };
        for (&(person, routine, step), wrong) in asked.iter().zip(wrong) {
            let Some(key) = keys.next() else { break };
            let wrong: Vec<String> =
                wrong.iter().map(|&w| routine::step(language, person, w / 4, w % 4)).collect();
            let make = || {
                let context = routine::context(draw, language, person, routine, step);
                Sample::choice(
                    context,
                    routine::step(language, person, routine, step),
                    wrong.clone(),
                    key,
                )
            };
            let held = Held::Pair(person, Value { class: Class::Routine, index: routine });
            drafts.push(Draft { sample: seen.fresh(make, with_options), held });
        }
    }
    drafts
}
