//! Entailment (AX-b): a premise and a hypothesis that follows from it or does not.

use crate::Language;
use crate::draw::Draw;
use crate::kinds::reading::free_pair;
use crate::lexicon::{ANIMALS, FOODS, Noun, OBJECTS, PEOPLE, Pair, n};
use crate::sample::{Sample, sentences};
use crate::template::Slots;
use crate::values::{Act, Class, Value};
use crate::world::World;

/// What the hypothesis changes; each has an entailed and an unproven form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// Wording, or the value.
    Value,
    /// Nothing, or who did it.
    Person,
    /// A negation is kept, or dropped.
    Negation,
    /// The right kind of the thing, or a wrong one.
    Kind,
    /// A verb that implies the act, or one that does not.
    Implication,
    /// Some out of all, or all out of some.
    Quantity,
}

/// The changes in the order in which items use them; those that a single word decides come up
/// more often.
pub(crate) const CHANGES: [Change; 9] = [
    Change::Implication,
    Change::Value,
    Change::Quantity,
    Change::Negation,
    Change::Implication,
    Change::Person,
    Change::Quantity,
    Change::Negation,
    Change::Kind,
];

impl Change {
    /// The classes of value that the change can be about.
    pub(crate) fn classes(self) -> &'static [Class] {
        match self {
            Change::Kind => &[Class::Food, Class::Object, Class::Animal],
            Change::Quantity => &[Class::Object, Class::Animal],
            _ => &[
                Class::Place,
                Class::Food,
                Class::Drink,
                Class::Object,
                Class::Animal,
                Class::Activity,
            ],
        }
    }
}

/// A premise with a hypothesis that follows and one that does not, or two premises, each with
/// the hypothesis.
struct Pairs {
    entailed: (String, String),
    unproven: (String, String),
}

/// The pair of sentences about (person, value).
pub(crate) fn sample(
    draw: &mut Draw,
    change: Change,
    entailed: bool,
    person: usize,
    value: Value,
) -> Sample {
    let pairs = pairs(draw, change, person, value);
    let (premise, hypothesis) = if entailed { pairs.entailed } else { pairs.unproven };
    let context = format!("Premise: {premise}\n{}", prompt(&hypothesis));
    Sample::fixed(context, LABELS, usize::from(!entailed))
}

/// One word each, because scores that average over the whole prompt would prefer a longer label
/// whatever it says; and the words of the reading questions, because the skill is shared.
const LABELS: [&str; 2] = [" yes", " no"];

fn prompt(hypothesis: &str) -> String {
    format!("Hypothesis: {hypothesis}\nEntailed:")
}

fn pairs(draw: &mut Draw, change: Change, person: usize, value: Value) -> Pairs {
    let language = Language::En;
    let other_value = value.other(draw, &[]);
    let act = if change == Change::Implication {
        Act::willed(draw, value.class)
    } else {
        Act::draw(draw, value.class)
    };
    let (it, other) = (act.forms(language, value), act.forms(language, other_value));
    let mut slots = Slots::new(language);
    slots.person("p", person).person("q", draw.other(PEOPLE.len(), &[person]));
    slots.text("denied", it.denied).text("base", it.base).text("past", it.past);
    slots.text("past2", other.past).noun("v", value.noun());
    if change == Change::Kind {
        let (own, wrong) = kinds(draw, value);
        slots
            .text("kind", act.about(language, own).past)
            .text("wrong", act.about(language, wrong).past);
    }
    slots.text(
        "adj",
        *draw.pick(&["old", "big", "brown", "clean", "new", "small", "pretty", "dirty"]),
    );
    // Where one premise serves both hypotheses it is filled once, so that a document can ask both.
    let (yes, no) = match change {
        Change::Value => (("{p} {past}[ with {q}|]", "{p} {past}"), ("", "{p} {past2}")),
        Change::Person => (
            ("[{p} {past}, but {q} {past2}|{q} {past2}, but {p} {past}]", "{p} {past}"),
            ("", "{q} {past}"),
        ),
        Change::Negation if draw.percent(50) => {
            (("{p} did not {denied}", "{p} did not {denied}"), ("", "{p} {past}"))
        }
        Change::Negation => {
            (("{p} {past}[ with {q}|]", "{p} {past}"), ("", "{p} did not {denied}"))
        }
        Change::Kind => (("{p} {past}[ with {q}|]", "{p} {kind}"), ("", "{p} {wrong}")),
        Change::Implication => (
            ("{p} [managed to|remembered to|was able to|was made to] {base}", "{p} {past}"),
            ("{p} [hoped to|forgot to|refused to|was afraid to] {base}", "{p} {past}"),
        ),
        Change::Quantity => (
            (
                "[all of the|all the] {v.s} that {p} [saw|drew|described] were {adj}",
                "some of the {v.s} of {p} were {adj}",
            ),
            (
                "[some of the|a few of the] {v.s} that {p} [saw|drew|described] were {adj}",
                "all of the {v.s} of {p} were {adj}",
            ),
        ),
    };
    let mut fill = |template: &str| sentences(language, &[slots.fill(draw, template)]);
    let premise = fill(yes.0);
    let other_premise = if no.0.is_empty() { premise.clone() } else { fill(no.0) };
    Pairs { entailed: (premise, fill(yes.1)), unproven: (other_premise, fill(no.1)) }
}

/// The kind of the value, and another kind of the same class.
fn kinds(draw: &mut Draw, value: Value) -> (Noun, Noun) {
    let classes: Vec<Pair> = match value.class {
        Class::Food => FOODS.iter().map(|f| f.class).collect(),
        Class::Animal => ANIMALS.iter().map(|a| a.class).collect(),
        _ => OBJECTS.iter().map(|o| o.class).collect(),
    };
    let own = classes[value.index % classes.len()];
    // Every kind equally often, whatever the size of its class.
    let mut others = classes;
    others.sort_unstable_by_key(|c| c.en);
    others.dedup();
    others.retain(|c| *c != own);
    let wrong = *draw.pick(&others);
    // Only the counted form is used, so the plural never shows.
    (n(own.en, own.en, own.zh, "种"), n(wrong.en, wrong.en, wrong.zh, "种"))
}

/// A training document: two to four premises with one or two judged hypotheses each.
pub(crate) fn document(world: &World, draw: &mut Draw) -> String {
    let mut blocks = Vec::new();
    for _ in 0..draw.between(2, 4) {
        // A premise that serves one hypothesis only comes up more often, so that the labels that a
        // single word decides are the commonest.
        let change = match *draw.pick(&CHANGES) {
            Change::Value | Change::Person | Change::Kind if draw.percent(60) => {
                *draw.pick(&[Change::Implication, Change::Quantity])
            }
            change => change,
        };
        let class = *draw.pick(change.classes());
        let (person, value) = free_pair(world, draw, class);
        let Pairs { entailed, unproven } = pairs(draw, change, person, value);
        let mut judged = [(entailed, LABELS[0]), (unproven, LABELS[1])];
        draw.shuffle(&mut judged);
        let [first, second] = judged;
        let mut block = format!("Premise: {}\n{}{}", first.0.0, prompt(&first.0.1), first.1);
        if second.0.0 == first.0.0 {
            block.push_str(&format!("\n{}{}", prompt(&second.0.1), second.1));
        }
        blocks.push(block);
    }
    blocks.join("\n\n")
}
