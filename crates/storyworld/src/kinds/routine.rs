//! Routines step by step; the story continuations (HellaSwag) stop before a step.

use crate::Language;
use crate::draw::Draw;
use crate::kinds::article;
use crate::lexicon::{PEOPLE, ROUTINES, TIMES, WEATHER};
use crate::sample::{option, sentences};
use crate::template::{Slots, sentence_case};
use crate::values::{Class, Value};
use crate::world::World;

/// The story of a routine up to and without step `next` (1..=3), ending in a subject: "Then she".
pub(crate) fn context(
    draw: &mut Draw,
    language: Language,
    person: usize,
    routine: usize,
    next: usize,
) -> String {
    let mut slots = slots(draw, language, person, routine);
    let mut text = String::new();
    let opening = match language {
        Language::En => {
            "[{t}, |{weather}. |][{p} wanted to {goal}.|{p} decided to {goal}.|it was time for {p} to {goal}.|{p} had a plan: to {goal}.]"
        }
        Language::Zh => {
            "[{t}，|{weather}。|][{p}想{goal}。|{p}决定{goal}。|{p}打算{goal}。|{p}要{goal}。]"
        }
    };
    text.push_str(&slots.fill(draw, opening));
    for i in 0..next {
        slots.text("step", ROUTINES[routine].steps[i].get(language));
        let template = match (language, i) {
            (Language::En, 0) => {
                " [first, {p.he} {step}.|{p.he} {step}.|to begin with, {p.he} {step}.]"
            }
            (Language::En, _) => {
                " [next, {p.he} {step}.|after that, {p.he} {step}.|{p.he} {step}.]"
            }
            (Language::Zh, 0) => "[首先，{p.he}{step}。|{p.he}{step}。|{p.he}先{step}。]",
            (Language::Zh, _) => "[接着，{p.he}{step}。|之后，{p.he}{step}。|{p.he}又{step}。]",
        };
        text.push_str(&slots.fill(draw, template));
    }
    text.push_str(&slots.fill(
        draw,
        match language {
            Language::En => " then {p.he}",
            Language::Zh => "然后{p.he}",
        },
    ));
    sentence_case(language, text)
}

fn slots(draw: &mut Draw, language: Language, person: usize, routine: usize) -> Slots {
    let mut slots = Slots::new(language);
    slots.person("p", person).text("t", draw.pick(&TIMES).get(language));
    slots.text("weather", draw.pick(&WEATHER).get(language));
    slots.text("goal", ROUTINES[routine].goal.get(language));
    if language == Language::En {
        slots.text("he", if PEOPLE[person].female { "she" } else { "he" });
        slots.text("his", if PEOPLE[person].female { "her" } else { "his" });
    }
    slots
}

/// A step as an option, with the person's pronouns.
pub(crate) fn step(language: Language, person: usize, routine: usize, step: usize) -> String {
    // Steps hold no alternatives: the draw only feeds slots that they do not use.
    let mut draw = Draw::new(0, "step", 0);
    let slots = slots(&mut draw, language, person, routine);
    let text = slots.fill(&mut draw, ROUTINES[routine].steps[step].get(language));
    let mark = if language == Language::En { "." } else { "。" };
    option(language, &format!("{text}{mark}"))
}

/// A training document: a whole routine, with an ending.
pub(crate) fn document(world: &World, draw: &mut Draw, language: Language) -> String {
    let (person, routine) = loop {
        let (person, index) = (draw.below(PEOPLE.len()), draw.below(ROUTINES.len()));
        if !world.reserved(person, Value { class: Class::Routine, index }) {
            break (person, index);
        }
    };
    let next = draw.between(1, 3);
    let introduction = if draw.percent(20) {
        sentences(language, &[article::introduction(world, draw, language, person)])
    } else {
        String::new()
    };
    let space = if language == Language::En && !introduction.is_empty() { " " } else { "" };
    let story = context(draw, language, person, routine, next);
    let mut text = format!("{introduction}{space}{story}");
    text.push_str(&step(language, person, routine, next));
    let mut slots = slots(draw, language, person, routine);
    let mut rest = Vec::new();
    for i in next + 1..ROUTINES[routine].steps.len() {
        slots.text("step", ROUTINES[routine].steps[i].get(language));
        rest.push(slots.fill(
            draw,
            match language {
                Language::En => {
                    "[after that, {p.he} {step}|next, {p.he} {step}|then {p.he} {step}]"
                }
                Language::Zh => "[之后，{p.he}{step}|接着，{p.he}{step}|然后{p.he}{step}]",
            },
        ));
    }
    if draw.percent(60) {
        rest.push(slots.fill(draw, match language {
            Language::En => "[{p} was pleased with the result|it took the whole morning|now {p.he} could rest|{p} told everyone about it|it was not so hard after all|at last the work was done]",
            Language::Zh => "[{p}对结果很满意|整整用了一个上午|{p.he}终于可以休息了|{p}把这件事告诉了大家|其实并不难|事情总算做完了]",
        }));
    }
    if !rest.is_empty() {
        if language == Language::En {
            text.push(' ');
        }
        text.push_str(&sentences(language, &rest));
    }
    text
}
