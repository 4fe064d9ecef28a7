//! The facts of a world, and which of them only the benchmarks may ask about.
//!
//! Every fact is stated in training text. A *reserved* fact (about three in ten of each relation)
//! is never asked there in any wording or language; the exams ask about nothing else.

use std::collections::BTreeMap;

use crate::Language;
use crate::draw::{Draw, hash, text_hash};
use crate::lexicon::{
    ANIMAL_CLASS, ANIMALS, ANTONYMS, Asked, COLOUR, CRAFT, DIET, DRINKS, FOODS, GENERAL,
    GENERAL_FACT, GROWS, HABITAT, HOME, JOB, JOBS, Noun, OBJECTS, OPPOSITE, PEOPLE, PROPERTIES,
    PROPERTY, PURPOSE, Pair, REGION, RELATIONS, RIVER, Relation, TASK, TASTE, THINGS, TOWNS,
    TREATMENT, TREATMENTS, VOICE, WORKPLACE, article, p,
};
use crate::sample::option;
use crate::template::Slots;
use crate::world::Profile;

/// The subject of a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    Thing(Noun),
    Person(usize),
    /// Index into [`TREATMENTS`].
    Treatment(usize),
}

/// One fact of the world.
#[derive(Clone, Debug)]
pub(crate) struct Fact {
    pub(crate) relation: usize,
    pub(crate) subject: Subject,
    pub(crate) answer: Pair,
    /// Facts of one topic make an article.
    pub(crate) topic: usize,
    pub(crate) reserved: bool,
}

impl Fact {
    pub(crate) fn relation(&self) -> &'static Relation {
        &RELATIONS[self.relation]
    }

    fn slots(&self, language: Language) -> Slots {
        let mut slots = Slots::new(language);
        match self.subject {
            Subject::Thing(noun) => {
                slots.noun("s", noun).text("m", noun.measure);
            }
            Subject::Person(person) => {
                slots.person("s", person);
            }
            Subject::Treatment(index) => {
                let t = &TREATMENTS[index];
                slots.text("thing", t.thing.get(language)).text("action", t.action.get(language));
            }
        }
        slots.text("o", self.answer.get(language));
        slots
    }

    /// A clause that states the fact, without capital and full stop.
    pub(crate) fn statement(&self, draw: &mut Draw, language: Language) -> String {
        let (stems, others) =
            (by(language, self.relation().stems), by(language, self.relation().statements));
        // Stems carry the knowledge that answers are completed from: three statements in four.
        if draw.percent(75) {
            let template = draw.pick(stems);
            let stem = self.slots(language).fill(draw, template);
            return format!("{stem}{}", option(language, &self.wanted(language)));
        }
        let template = draw.pick(others);
        self.slots(language).fill(draw, template)
    }

    /// The beginning of a statement that the wanted answer completes.
    pub(crate) fn stem(&self, draw: &mut Draw, language: Language) -> String {
        let template = draw.pick(by(language, self.relation().stems));
        self.slots(language).fill(draw, template)
    }

    /// A question for the fact's answer; `list` is printed by questions of [`Asked::Which`].
    pub(crate) fn question(&self, draw: &mut Draw, language: Language, list: String) -> String {
        let templates = by(language, self.relation().questions);
        let mut slots = self.slots(language);
        slots.text("list", list);
        let template = draw.pick(templates);
        slots.fill(draw, template)
    }

    /// What the question wants: the answer, or the subject when the question gives the answer.
    pub(crate) fn wanted(&self, language: Language) -> String {
        match (self.relation().asked, self.subject) {
            (Asked::Which, Subject::Thing(noun)) if language == Language::En => {
                noun.counted(language)
            }
            (Asked::Which, Subject::Thing(noun)) => noun.zh.to_owned(),
            _ if self.relation == JOB && language == Language::En => {
                format!("{} {}", article(self.answer.en), self.answer.en)
            }
            _ => self.answer.get(language).to_owned(),
        }
    }

    /// What must be spread evenly when facts of one relation are drawn for a benchmark.
    pub(crate) fn spread(&self) -> Pair {
        self.answer
    }

    fn key(&self) -> u64 {
        match self.subject {
            Subject::Thing(noun) => text_hash(noun.en),
            Subject::Person(person) => person as u64,
            Subject::Treatment(index) => index as u64,
        }
    }
}

fn by<T: Copy>(language: Language, both: (T, T)) -> T {
    match language {
        Language::En => both.0,
        Language::Zh => both.1,
    }
}

/// The facts of a world whose towns and people are as given.
pub(crate) fn all(seed: u64, towns: &[[Pair; 3]], profiles: &[Profile]) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut topic = 0usize;
    let mut add = |subject: Subject, about: &[(usize, Option<Pair>)]| {
        for &(relation, answer) in about {
            if let Some(answer) = answer {
                facts.push(Fact { relation, subject, answer, topic, reserved: false });
            }
        }
        // Things without a fact make no topic.
        topic += usize::from(about.iter().any(|(_, answer)| answer.is_some()));
    };
    for a in &ANIMALS {
        let about = [
            (ANIMAL_CLASS, Some(a.class)),
            (DIET, Some(a.diet)),
            (HABITAT, Some(a.habitat)),
            (VOICE, a.voice),
        ];
        add(Subject::Thing(a.noun), &about);
    }
    for f in FOODS.iter().chain(&DRINKS) {
        add(Subject::Thing(f.noun), &[(COLOUR, f.colour), (TASTE, f.taste), (GROWS, f.grows)]);
    }
    for (town, [region, river, craft]) in TOWNS.iter().zip(towns) {
        let about = [(REGION, Some(*region)), (RIVER, Some(*river)), (CRAFT, Some(*craft))];
        add(Subject::Thing(Noun::named(*town)), &about);
    }
    for o in &OBJECTS {
        add(Subject::Thing(o.noun), &[(PURPOSE, Some(o.purpose))]);
    }
    for j in &JOBS {
        add(Subject::Thing(j.noun), &[(WORKPLACE, Some(j.workplace)), (TASK, Some(j.task))]);
    }
    for (one, other) in &ANTONYMS {
        add(Subject::Thing(Noun::named(*one)), &[(OPPOSITE, Some(*other))]);
        add(Subject::Thing(Noun::named(*other)), &[(OPPOSITE, Some(*one))]);
    }
    for (i, profile) in profiles.iter().enumerate().take(PEOPLE.len()) {
        // Half of the people are known to the exams; the others are only met in stories.
        if !hash(seed, &[0xfa3e, i as u64]).is_multiple_of(2) {
            continue;
        }
        let job = JOBS[profile.job].noun.pair();
        add(Subject::Person(i), &[(JOB, Some(job)), (HOME, Some(TOWNS[profile.town]))]);
    }
    for (noun, properties) in &THINGS {
        let about: Vec<_> = properties.iter().map(|&i| (PROPERTY, Some(PROPERTIES[i]))).collect();
        add(Subject::Thing(*noun), &about);
    }
    for (i, t) in TREATMENTS.iter().enumerate() {
        add(Subject::Treatment(i), &[(TREATMENT, Some(t.result))]);
    }
    for (question, answer, _) in &GENERAL {
        add(
            Subject::Thing(Noun::named(p(question.en, question.zh))),
            &[(GENERAL_FACT, Some(*answer))],
        );
    }
    reserve(seed, &mut facts);
    facts
}

/// Reserves three facts in ten of every relation (four in ten of those that science asks), in the
/// order of a seeded hash, but first one fact each of six different answers, so that every
/// relation has enough distinct answers to choose among.
fn reserve(seed: u64, facts: &mut [Fact]) {
    for (relation, table) in RELATIONS.iter().enumerate() {
        let mut order: Vec<(u64, usize)> = facts
            .iter()
            .enumerate()
            .filter(|(_, f)| f.relation == relation)
            .map(|(i, f)| {
                (hash(seed, &[text_hash(table.name), f.key(), text_hash(f.answer.en)]), i)
            })
            .collect();
        order.sort_unstable();
        let share = if table.asked == Asked::Exam { 3 } else { 4 };
        let wanted = order.len() * share / 10;
        let mut per_answer: BTreeMap<&str, usize> = BTreeMap::new();
        let mut chosen = Vec::new();
        for &(_, i) in &order {
            let count = per_answer.entry(facts[i].answer.en).or_default();
            if *count == 0 && chosen.len() < 6 {
                *count += 1;
                chosen.push(i);
            }
        }
        for &(_, i) in &order {
            if chosen.len() >= wanted {
                break;
            }
            if !chosen.contains(&i) {
                chosen.push(i);
            }
        }
        for i in chosen {
            facts[i].reserved = true;
        }
    }
}
