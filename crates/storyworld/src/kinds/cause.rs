//! Causes and effects explained.

use crate::Language;
use crate::draw::Draw;
use crate::lexicon::CAUSES;
use crate::sample::sentences;
use crate::template::Slots;

/// A training document: two to four explanations.
pub(crate) fn document(draw: &mut Draw, language: Language) -> String {
    let mut clauses = Vec::new();
    for _ in 0..draw.between(2, 4) {
        let cause = draw.pick(&CAUSES);
        let mut slots = Slots::new(language);
        slots.text("cause", cause.cause.get(language)).text("effect", cause.effect.get(language));
        clauses.push(slots.fill(draw, match language {
            Language::En => "[{effect} because {cause}|{cause}, so {effect}|why do people say that {effect}? Because {cause}|since {cause}, {effect}|{cause}. As a result, {effect}|when {cause}, it was no surprise that {effect}|{effect}. The reason is simple: {cause}|{cause}. That is why {effect}]",
            Language::Zh => "[因为{cause}，所以{effect}|{cause}，于是{effect}|为什么{effect}？因为{cause}|由于{cause}，{effect}|{cause}。结果，{effect}|{effect}，原因是{cause}|{cause}，难怪{effect}|之所以{effect}，是因为{cause}]",
        }));
    }
    sentences(language, &clauses)
}
