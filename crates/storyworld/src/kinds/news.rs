//! Short news with a one-line summary (XSum).

use crate::Language;
use crate::draw::Draw;
use crate::lexicon::{DAYS, JOBS, NEWS, PEOPLE, TOWNS, WEATHER};
use crate::sample::{Sample, sentences};
use crate::template::Slots;
use crate::values::{Class, Value};
use crate::world::World;

/// The report and its summary.
pub(crate) fn sample(
    world: &World,
    draw: &mut Draw,
    language: Language,
    person: usize,
    town: usize,
    event: usize,
) -> Sample {
    let event = &NEWS[event];
    let mut slots = Slots::new(language);
    let day = draw.pick(&DAYS).get(language);
    slots.person("p", person).text("t", TOWNS[town].get(language));
    slots.text(
        "day",
        match language {
            Language::En => format!("on {day}"),
            Language::Zh => day.to_owned(),
        },
    );
    slots.noun("job", JOBS[world.profiles[person].job].noun);
    slots.text("weather", draw.pick(&WEATHER).get(language));
    let mut order = [0, 1, 2];
    draw.shuffle(&mut order);
    let mut clauses = Vec::new();
    clauses.push(slots.fill(draw, event.opening.get(language)));
    if draw.percent(35) {
        clauses.push(slots.fill(draw, match language {
            Language::En => "[{p} works as {a job}|{p} works as {a job}|although {weather}, many people came|\"it was a big surprise,\" said {p}|the town will remember this day|{p} is {a job}]",
            Language::Zh => "[{p}是一位{job}|虽然{weather}，还是来了很多人|“真是没想到。”{p}说|大家会记住这一天|{p}平时的工作是{job}]",
        }));
    }
    for &i in order.iter().take(draw.between(1, 3)) {
        clauses.push(slots.fill(draw, event.details[i].get(language)));
    }
    let body = sentences(language, &clauses);
    let reference = sentences(language, &[slots.fill(draw, event.summary.get(language))]);
    let context = match language {
        Language::En => format!("News: {body}\nSummary:"),
        Language::Zh => format!("新闻：{body}\n摘要："),
    };
    Sample { context, options: Vec::new(), key: None, reference: Some(reference) }
}

/// A training document: one report with its summary.
pub(crate) fn document(world: &World, draw: &mut Draw, language: Language) -> String {
    let (person, town) = loop {
        let (person, index) = (draw.below(PEOPLE.len()), draw.below(TOWNS.len()));
        if !world.reserved(person, Value { class: Class::Town, index }) {
            break (person, index);
        }
    };
    let event = draw.below(NEWS.len());
    sample(world, draw, language, person, town, event).solved(language)
}
