//! Fact articles ("About foxes"), portraits of people, and plain questions with answers.

use crate::Language;
use crate::draw::Draw;
use crate::facts::{Fact, Subject};
use crate::lexicon::{JOBS, TOWNS};
use crate::sample::sentences;
use crate::template::{Slots, sentence_case};
use crate::world::World;

/// A training document: all facts of one topic in several wordings, or some of several topics.
/// Reserved facts are stated here like all others.
pub(crate) fn document(world: &World, draw: &mut Draw, language: Language) -> String {
    let topic = world.topic(draw);
    let first = &world.facts[topic[0]];
    match first.subject {
        Subject::Thing(noun) if topic.len() > 1 => {
            let mut clauses = stated(world, draw, topic, language);
            if clauses.len() < 5 && draw.percent(80) {
                let extra = stated(world, draw, topic, language);
                clauses.extend(extra);
            }
            // What the thing is like beside another of its kind.
            if draw.percent(40) {
                let other = alike(world, draw, first);
                clauses.push(other.statement(draw, language));
            }
            let mut slots = Slots::new(language);
            slots.noun("s", noun);
            let title = match language {
                Language::En => {
                    "[About {s.s}\n|{s.s}\n|some facts about {s.s}. |what do we know about {s.s}? |]"
                }
                Language::Zh => "[关于{s}\n|{s}\n|认识{s}。|你了解{s}吗？|]",
            };
            let title = sentence_case(language, slots.fill(draw, title));
            format!("{title}{}", sentences(language, &clauses))
        }
        Subject::Person(person) => portrait(world, draw, language, person),
        _ => {
            let mut clauses = Vec::new();
            for _ in 0..draw.between(3, 5) {
                let fact = alike(world, draw, first);
                clauses.push(fact.statement(draw, language));
            }
            sentences(language, &clauses)
        }
    }
}

/// Any fact of the same relation, of a popular topic more often.
fn alike<'w>(world: &'w World, draw: &mut Draw, fact: &Fact) -> &'w Fact {
    loop {
        let topic = world.topic(draw);
        if let Some(&at) = topic.iter().find(|&&at| world.facts[at].relation == fact.relation) {
            return &world.facts[at];
        }
    }
}

/// The statements of a topic in random order.
fn stated(world: &World, draw: &mut Draw, topic: &[usize], language: Language) -> Vec<String> {
    let mut order = topic.to_vec();
    draw.shuffle(&mut order);
    let mut clauses: Vec<String> =
        order.iter().map(|&i| world.facts[i].statement(draw, language)).collect();
    // Some neighbours become one sentence.
    if language == Language::En && clauses.len() > 2 && draw.percent(40) {
        let second = clauses.remove(1);
        clauses[0] = format!("{}, and {second}", clauses[0]);
    }
    clauses
}

/// A document about one person: job, home, food, hobby, pet.
fn portrait(world: &World, draw: &mut Draw, language: Language, person: usize) -> String {
    let profile = &world.profiles[person];
    let facts: Vec<&Fact> =
        world.facts.iter().filter(|f| f.subject == Subject::Person(person)).collect();
    let mut slots = Slots::new(language);
    slots.person("p", person).noun("food", profile.food.noun()).noun("pet", profile.pet.noun());
    slots.text("hobby", profile.hobby.noun().pair().get(language));
    slots.text("task", JOBS[profile.job].task.get(language)).noun("job", JOBS[profile.job].noun);
    let mut clauses: Vec<String> = facts.iter().map(|f| f.statement(draw, language)).collect();
    let templates: &[&str] = match language {
        Language::En => &[
            "{p.he} [likes|loves|enjoys] {hobby}",
            "[in {p.his} free time, {p.he} is often {hobby}|on Sundays {p.he} spends hours {hobby}]",
            "{p.his} favourite food is {food.s}",
            "[{p.he} keeps {pet.a} at home|{p} has {pet.a} as a pet]",
            "as {a job}, {p.he} {task}",
        ],
        Language::Zh => &[
            "{p.he}[喜欢|爱|最喜欢]{hobby}",
            "[空闲的时候，{p.he}常常{hobby}|一到星期天，{p.he}就去{hobby}]",
            "{p.he}最爱吃的东西是{food}",
            "[{p.he}家里养着{pet.a}|{p}的宠物是{pet.a}]",
            "作为{job}，{p.he}{task}",
        ],
    };
    for template in templates {
        if draw.percent(65) {
            clauses.push(slots.fill(draw, template));
        }
    }
    if draw.percent(50) {
        draw.shuffle(&mut clauses[2..]);
    }
    sentences(language, &clauses)
}

/// A sentence that introduces a person by job and home, for the openings of other documents.
pub(crate) fn introduction(
    world: &World,
    draw: &mut Draw,
    language: Language,
    person: usize,
) -> String {
    let profile = &world.profiles[person];
    let mut slots = Slots::new(language);
    slots.person("p", person).noun("job", JOBS[profile.job].noun);
    slots.text("town", TOWNS[profile.town].get(language));
    slots.fill(draw, match language {
        Language::En => "[{p} is {a job} from {town}|{p} is {a job}|{p} lives in {town}|{p} works as {a job} and lives in {town}|{p} comes from {town}]",
        Language::Zh => "[{p}是{town}的{job}|{p}是{job}|{p}住在{town}|{p}是{job}，住在{town}|{p}来自{town}]",
    })
}
