//! The world: its map, its people, its facts, and what is reserved for the benchmarks.

use crate::Language;
use crate::draw::{Draw, hash};
use crate::facts::{self, Fact};
use crate::lexicon::{
    ANIMALS, CRAFTS, GOALS, JOBS, PEOPLE, PRODUCTS, Pair, REGIONS, RELATIONS, RIVERS,
};
use crate::values::{CLASSES, Class, Value};
use crate::watch::{Entity, Watch};

/// What is always true of a person.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Profile {
    pub(crate) job: usize,
    pub(crate) town: usize,
    pub(crate) food: Value,
    pub(crate) hobby: Value,
    /// A value of [`Class::Animal`] that can be kept at home.
    pub(crate) pet: Value,
}

/// A world built from a seed: the same seed gives the same map, people, corpus and benchmarks on
/// every machine.
pub struct World {
    seed: u64,
    pub(crate) profiles: Vec<Profile>,
    pub(crate) facts: Vec<Fact>,
    /// Facts by topic.
    pub(crate) topics: Vec<Vec<usize>>,
    /// Facts by relation.
    pub(crate) relations: Vec<Vec<usize>>,
    watch: Watch,
}

impl World {
    /// Builds the world of a seed. No I/O.
    #[must_use]
    pub fn new(seed: u64) -> World {
        let mut draw = Draw::new(seed, "map", 0);
        let towns: Vec<[Pair; 3]> = spread_over_towns(&mut draw);
        let mut draw = Draw::new(seed, "people", 0);
        let profiles: Vec<Profile> =
            (0..PEOPLE.len()).map(|person| profile(seed, person, &mut draw)).collect();
        let facts = facts::all(seed, &towns, &profiles);
        let count = facts.iter().map(|f| f.topic + 1).max().unwrap_or(0);
        let mut topics = vec![Vec::new(); count];
        let mut relations = vec![Vec::new(); RELATIONS.len()];
        for (i, fact) in facts.iter().enumerate() {
            topics[fact.topic].push(i);
            relations[fact.relation].push(i);
        }
        World { seed, profiles, facts, topics, relations, watch: Watch::new() }
    }

    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    /// A topic to write about. A third of the topics is popular and comes up almost five times as often
    /// as the others, so that facts are learned at different speeds.
    pub(crate) fn topic(&self, draw: &mut Draw) -> &[usize] {
        let popular = draw.percent(55);
        loop {
            let at = draw.below(self.topics.len());
            if !popular || hash(self.seed, &[0x70b1c, at as u64]).is_multiple_of(3) {
                return &self.topics[at];
            }
        }
    }

    /// Whether the pair of person and value belongs to the benchmarks.
    pub(crate) fn reserved(&self, person: usize, value: Value) -> bool {
        reserved_pair(self.seed, person, value)
    }

    /// All reserved (person, value) pairs of the classes, in random order.
    pub(crate) fn reserved_pairs(&self, draw: &mut Draw, classes: &[Class]) -> Vec<(usize, Value)> {
        let mut pairs = Vec::new();
        for &class in classes {
            for index in 0..class.len() {
                let value = Value { class, index };
                pairs.extend(
                    (0..PEOPLE.len()).filter(|&p| self.reserved(p, value)).map(|p| (p, value)),
                );
            }
        }
        draw.shuffle(&mut pairs);
        pairs
    }

    /// Whether the text joins a person with a value that is reserved for the benchmarks.
    pub(crate) fn refuses(&self, language: Language, text: &str) -> bool {
        let entities = self.watch.entities(language, text);
        let people =
            entities.iter().filter_map(|e| if let Entity::Person(p) = e { Some(*p) } else { None });
        people.into_iter().any(|person| {
            entities
                .iter()
                .any(|e| if let Entity::Value(v) = e { self.reserved(person, *v) } else { false })
        })
    }

    /// Whether the physical goal with this thing (positions in [`GOALS`]) belongs to the
    /// benchmarks: three things of the ten of every goal.
    pub(crate) fn reserved_goal(&self, goal: usize, thing: usize) -> bool {
        let rank = |t: usize| (hash(self.seed, &[0x60a1, goal as u64, t as u64]), t);
        (0..GOALS[goal].things.len()).filter(|&t| rank(t) < rank(thing)).count() < 3
    }

    /// Whether the product with this opinion of its class belongs to the benchmarks: two of the
    /// ten pleasant and two of the ten unpleasant opinions about every product.
    pub(crate) fn reserved_opinion(&self, product: usize, good: bool, opinion: usize) -> bool {
        debug_assert!(product < PRODUCTS.len());
        let rank =
            |o: usize| (hash(self.seed, &[0x0b10, product as u64, u64::from(good), o as u64]), o);
        (0..10).filter(|&o| rank(o) < rank(opinion)).count() < 2
    }

    /// Whether a sum of these operands, in either order, belongs to the benchmarks (one in five).
    pub(crate) fn reserved_sum(&self, a: usize, b: usize) -> bool {
        hash(self.seed, &[0x50b5, a.min(b) as u64, a.max(b) as u64]).is_multiple_of(5)
    }
}

fn reserved_pair(seed: u64, person: usize, value: Value) -> bool {
    let class = CLASSES.iter().position(|&c| c == value.class).unwrap_or(0) as u64;
    hash(seed, &[0x9a17, person as u64, class, value.index as u64]) % 1000
        < value.class.reserved_per_mille()
}

/// Region, river and craft of every town, each used equally often.
fn spread_over_towns(draw: &mut Draw) -> Vec<[Pair; 3]> {
    let count = crate::lexicon::TOWNS.len();
    let mut column = |values: &[Pair]| -> Vec<Pair> {
        let mut column: Vec<Pair> = (0..count).map(|i| values[i % values.len()]).collect();
        draw.shuffle(&mut column);
        column
    };
    let (regions, rivers, crafts) = (column(&REGIONS), column(&RIVERS), column(&CRAFTS));
    (0..count).map(|i| [regions[i], rivers[i], crafts[i]]).collect()
}

fn profile(seed: u64, person: usize, draw: &mut Draw) -> Profile {
    // Profiles are stated in training text, so they avoid reserved pairs.
    let mut free = |class: Class, allowed: &dyn Fn(usize) -> bool| loop {
        let value = Value::draw(draw, class);
        if allowed(value.index) && !reserved_pair(seed, person, value) {
            break value;
        }
    };
    let town = free(Class::Town, &|_| true).index;
    let food = free(Class::Food, &|_| true);
    let hobby = free(Class::Activity, &|_| true);
    let pet = free(Class::Animal, &|i| {
        matches!(
            ANIMALS[i].noun.en,
            "dog"
                | "cat"
                | "rabbit"
                | "hamster"
                | "parrot"
                | "turtle"
                | "goat"
                | "duck"
                | "mouse"
                | "lizard"
        )
    });
    Profile { job: draw.below(JOBS.len()), town, food, hobby, pet }
}
