//! Yes/no reading (BoolQ): a short passage about two people, and a question about one of them.

use crate::Language;
use crate::draw::Draw;
use crate::lexicon::{FEELING_EVENTS, FEELINGS, PEOPLE, TIMES, WEATHER};
use crate::sample::{Sample, sentences};
use crate::template::{Slots, sentence_case};
use crate::values::{ACT_CLASSES, Act, Class, Value};
use crate::world::World;

const LANGUAGE: Language = Language::En;

/// How the passage decides the question about (person, value).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    /// The person did it.
    Done,
    /// The passage says that the person did not.
    Denied,
    /// The other person did it; the person did something else.
    OtherDid,
    /// Nobody did it.
    NobodyDid,
    /// The event gives the feeling that is asked about.
    Felt,
    /// The event gives a feeling of the opposite sign.
    FeltOpposite,
}

/// The cases in the order in which items use them: yes and no take turns, over acts and over
/// feelings. A reader who only notices denials, or only whether the thing is mentioned at all,
/// gets part of the way.
pub(crate) const CASES: [Case; 20] = [
    Case::Done,
    Case::Denied,
    Case::Felt,
    Case::FeltOpposite,
    Case::Done,
    Case::OtherDid,
    Case::Done,
    Case::Denied,
    Case::Done,
    Case::NobodyDid,
    Case::Felt,
    Case::FeltOpposite,
    Case::Done,
    Case::Denied,
    Case::Done,
    Case::OtherDid,
    Case::Felt,
    Case::FeltOpposite,
    Case::Done,
    Case::Denied,
];

impl Case {
    pub(crate) fn yes(self) -> bool {
        matches!(self, Case::Done | Case::Felt)
    }

    pub(crate) fn about_feelings(self) -> bool {
        matches!(self, Case::Felt | Case::FeltOpposite)
    }
}

/// A passage with questions about it; the first is the one that the case is about.
struct Passage {
    text: String,
    questions: Vec<(String, bool)>,
}

impl Passage {
    fn context(&self, question: usize) -> String {
        format!("Question: {}\nAnswer:", self.questions[question].0)
    }
}

/// The passage and question for a case. `value` is an event for the cases about feelings, else
/// a value of an act class.
pub(crate) fn sample(draw: &mut Draw, case: Case, person: usize, value: Value) -> Sample {
    let passage = passage(draw, case, person, value);
    let context = format!("Passage: {}\n{}", passage.text, passage.context(0));
    Sample::fixed(context, [" yes", " no"], usize::from(!passage.questions[0].1))
}

fn passage(draw: &mut Draw, case: Case, person: usize, value: Value) -> Passage {
    let mut slots = Slots::new(LANGUAGE);
    slots.person("p", person).person("q", draw.other(PEOPLE.len(), &[person]));
    slots.text("t", draw.pick(&TIMES).en).text("weather", draw.pick(&WEATHER).en);
    let (clauses, questions) = if case.about_feelings() {
        feelings(draw, case, value, &mut slots)
    } else {
        acts(draw, case, value, &mut slots)
    };
    let clauses: Vec<String> = clauses.into_iter().map(|c| slots.fill(draw, c)).collect();
    let text = sentences(LANGUAGE, &clauses);
    let questions = questions
        .into_iter()
        .map(|(question, yes)| (sentence_case(LANGUAGE, slots.fill(draw, &question)), yes))
        .collect();
    Passage { text, questions }
}

type Outline = (Vec<&'static str>, Vec<(String, bool)>);

fn acts(draw: &mut Draw, case: Case, value: Value, slots: &mut Slots) -> Outline {
    let act = Act::draw(draw, value.class);
    let first = value.other(draw, &[]);
    let second = value.other(draw, &[first]);
    let (mine, theirs) = match case {
        Case::Done | Case::Denied => (value, first),
        Case::OtherDid => (first, value),
        _ => (first, second),
    };
    let denied = case == Case::Denied;
    let ask = |who: &str, about: Value| {
        let forms = act.forms(LANGUAGE, about);
        let (base, past) = (forms.base, forms.past);
        format!("[did {who} {base}?|did {who} {base}?|is it true that {who} {past}?]")
    };
    let absent = value.other(draw, &[first, second]);
    let alone = case != Case::OtherDid && draw.percent(55);
    let mut questions = vec![(ask("{p}", value), case.yes())];
    let mut more = vec![(ask("{p}", mine), !denied), (ask("{p}", absent), false)];
    if !alone {
        more.extend([
            (ask("{q}", theirs), true),
            (ask("{q}", theirs), true),
            (ask("{q}", mine), false),
        ]);
    }
    draw.shuffle(&mut more);
    more.retain(|m| *m != questions[0]);
    questions.extend(more);
    let mine = act.forms(LANGUAGE, mine);
    slots.text("mine", if denied { format!("did not {}", mine.denied) } else { mine.past });
    slots.text("theirs", act.forms(LANGUAGE, theirs).past);
    let mut clauses = Vec::new();
    if draw.percent(20) {
        clauses.push(
            "[it was an ordinary day|{weather}|{p} and {q} are neighbours|{p} and {q} met {t}]",
        );
    }
    clauses.push(match (alone, draw.percent(50), draw.below(3)) {
        (true, ..) => "[{t}, {p} {mine}|{p} {mine} {t}|{p} {mine}]",
        (_, false, 0) => "[{t}, |]{p} {mine}, and {q} {theirs}",
        (_, false, 1) => "{p} {mine}[ {t}|]. {q} {theirs}",
        (_, false, _) => "while {p} {mine}, {q} {theirs}",
        (_, true, 0) => "[{t}, |]{q} {theirs}, and {p} {mine}",
        (_, true, 1) => "{q} {theirs}[ {t}|]. {p} {mine}",
        (_, true, _) => "while {q} {theirs}, {p} {mine}",
    });
    if draw.percent(20) {
        clauses.push("[both of them were tired in the evening|they talked about it in the evening|it was a good day|they will meet again soon]");
    }
    (clauses, questions)
}

fn feelings(draw: &mut Draw, case: Case, value: Value, slots: &mut Slots) -> Outline {
    let event = &FEELING_EVENTS[value.index];
    // The first half of the feelings is pleasant, the second is not.
    let half = FEELINGS.len() / 2;
    let mut opposite = || draw.below(half) + if event.feeling < half { half } else { 0 };
    let (wrong, wronger) = (opposite(), opposite());
    let ask = |feeling: usize| {
        let feeling = FEELINGS[feeling].en;
        format!("[was {{p}} {feeling}?|did {{p}} feel {feeling}?]")
    };
    let (yes, no) = ((ask(event.feeling), true), (ask(wrong), false));
    let mut questions = if case == Case::Felt { vec![yes, no] } else { vec![no, yes] };
    if wronger != wrong {
        questions.push((ask(wronger), false));
    }
    slots.text("event", event.text.en);
    slots.text("other", FEELING_EVENTS[value.other(draw, &[]).index].text.en);
    let mut clauses = Vec::new();
    if draw.percent(20) {
        clauses.push("[{weather}|{p} and {q} are old friends|{p} told {q} about the day|{p} left home early]");
    }
    clauses.push("[{t}, |][{p} {event}|{p} {event}|something happened to {p}: {p.he} {event}]");
    if draw.percent(20) {
        clauses.push("[{q} {other}|{p} talked about it for days|{q} heard about it|{p.he} called {q} at once]");
    }
    (clauses, questions)
}

/// A training document: a passage about a free pair with one to three questions, or two such
/// passages.
pub(crate) fn document(world: &World, draw: &mut Draw) -> String {
    let mut blocks = Vec::new();
    for _ in 0..draw.between(1, 2) {
        let case = *draw.pick(&CASES);
        let class = if case.about_feelings() { Class::Event } else { *draw.pick(&ACT_CLASSES) };
        let (person, value) = free_pair(world, draw, class);
        let passage = passage(draw, case, person, value);
        let mut block = format!("Passage: {}", passage.text);
        for i in 0..draw.between(1, 3).min(passage.questions.len()) {
            let answer = if passage.questions[i].1 { "yes" } else { "no" };
            block.push_str(&format!("\n{} {answer}", passage.context(i)));
        }
        blocks.push(block);
    }
    blocks.join("\n\n")
}

/// A person and a value of the class that training text may join.
pub(crate) fn free_pair(world: &World, draw: &mut Draw, class: Class) -> (usize, Value) {
    loop {
        let person = draw.below(PEOPLE.len());
        let value = Value::draw(draw, class);
        if !world.reserved(person, value) {
            return (person, value);
        }
    }
}
