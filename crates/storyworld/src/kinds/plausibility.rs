//! Physical plausibility (PIQA): a goal and a method that reaches it, and general tips.

use crate::Language;
use crate::draw::Draw;
use crate::lexicon::GOALS;
use crate::sample::{option, sentences};
use crate::template::{Slots, sentence_case};
use crate::world::World;

/// The goal phrase, such as `keep the milk cold`.
pub(crate) fn phrase(language: Language, goal: usize, thing: usize) -> String {
    let mut slots = Slots::new(language);
    slots.noun("o", GOALS[goal].things[thing]);
    // The goals hold no alternatives: the draw is never consulted.
    slots.fill(&mut Draw::new(0, "goal", 0), GOALS[goal].goal.get(language))
}

/// The prompt of a goal.
pub(crate) fn context(draw: &mut Draw, language: Language, goal: usize, thing: usize) -> String {
    let mut slots = Slots::new(language);
    slots.text("goal", phrase(language, goal, thing));
    let template = match language {
        Language::En => {
            "Goal: [{goal}.|{goal}.|how to {goal}?|how to {goal}?|I want to {goal}.|the task is to {goal}.]\nSolution:"
        }
        Language::Zh => "目标：[{goal}。|{goal}。|怎样{goal}？]\n办法：",
    };
    let text = slots.fill(draw, template);
    match language {
        // The label's colon does not open a sentence, the goal after it does.
        Language::En => {
            let (label, goal) = text.split_at("Goal: ".len());
            format!("{label}{}", sentence_case(language, goal.to_owned()))
        }
        Language::Zh => text,
    }
}

/// One wording of a method (two for every goal, in the order of the table) as an option.
pub(crate) fn method(language: Language, method: usize) -> String {
    let text = GOALS[method / 2].methods[method % 2].get(language);
    let text = sentences(language, &[text.to_owned()]);
    option(language, &text)
}

/// Whether the method reaches the goal, so that it cannot be a wrong answer.
pub(crate) fn reaches(goal: usize, method: usize) -> bool {
    method / 2 == goal
        || GOALS[goal].also.contains(&(method / 2))
        || GOALS[method / 2].also.contains(&goal)
}

fn free(world: &World, draw: &mut Draw) -> (usize, usize) {
    loop {
        let goal = draw.below(GOALS.len());
        let thing = draw.below(GOALS[goal].things.len());
        if !world.reserved_goal(goal, thing) {
            return (goal, thing);
        }
    }
}

/// A training document: three or four goals with their solutions.
pub(crate) fn document(world: &World, draw: &mut Draw, language: Language) -> String {
    let solved: Vec<String> = (0..draw.between(3, 5))
        .map(|_| {
            let (goal, thing) = free(world, draw);
            let chosen = goal * 2 + draw.below(2);
            format!("{}{}", context(draw, language, goal, thing), method(language, chosen))
        })
        .collect();
    solved.join("\n\n")
}

/// A training document: household tips in running text.
pub(crate) fn tips(world: &World, draw: &mut Draw, language: Language) -> String {
    let mut clauses = Vec::new();
    for i in 0..draw.between(3, 4) {
        let (goal, thing) = free(world, draw);
        let mut slots = Slots::new(language);
        slots.text("goal", phrase(language, goal, thing));
        slots.text("method", GOALS[goal].methods[draw.below(2)].get(language));
        let template = match (language, i) {
            (Language::En, 0) => {
                "[here is a useful tip: if you want to {goal}, {method}|grandmother always said: to {goal}, {method}|some advice for the house. To {goal}, {method}]"
            }
            (Language::En, _) => {
                "[to {goal}, {method}|if you need to {goal}, you can {method}|how do you {goal}? Just {method}|whoever wants to {goal} should {method}]"
            }
            (Language::Zh, 0) => {
                "[生活小窍门：想要{goal}，可以{method}|奶奶常说：要{goal}，就{method}|居家建议：{goal}的时候，{method}]"
            }
            (Language::Zh, _) => {
                "[想{goal}，可以{method}|如果要{goal}，就{method}|怎么{goal}呢？{method}就行|{goal}的好办法是{method}]"
            }
        };
        clauses.push(slots.fill(draw, template));
    }
    sentences(language, &clauses)
}
