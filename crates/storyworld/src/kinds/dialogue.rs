//! Dialogue comprehension (C3): two people talk about what they did; a question asks about one.

use crate::Language;
use crate::draw::Draw;
use crate::kinds::reading::free_pair;
use crate::lexicon::{PEOPLE, TIMES};
use crate::sample::sentences;
use crate::template::Slots;
use crate::values::{ACT_CLASSES, Act, Value};
use crate::world::World;

fn talk(draw: &mut Draw, person: usize, value: Value, theirs: Value, plan: Option<Value>) -> Talk {
    let language = Language::Zh;
    let act =
        if plan.is_some() { Act::willed(draw, value.class) } else { Act::draw(draw, value.class) };
    let other = draw.other(PEOPLE.len(), &[person]);
    let mut slots = Slots::new(language);
    let (mine, other_forms) = (act.forms(language, value), act.forms(language, theirs));
    slots.person("p", person).person("q", other);
    slots.text("t", draw.pick(&TIMES).get(language));
    slots.text("mine", mine.past).text("theirs", other_forms.past);
    let line_stem = mine.stem;
    let wh = mine.wh.trim_start_matches("{p}");
    slots.text("wh", wh);
    // A short reply is the bare value, as in the answers.
    slots.text("short", value.answer(language)).text("other", theirs.answer(language));
    if let Some(plan) = plan {
        slots.text("plan", act.forms(language, plan).base);
    }
    let mine = match plan {
        Some(_) => {
            "[我本来想{plan}，后来{mine}。|我原来打算{plan}，结果{mine}。|没有{plan}，我{mine}。]"
        }
        None => "[{short}。|{short}。|{short}。|我{mine}。|{t}我{mine}。|我和家人一起{mine}。]",
    };
    slots.text("mineline", mine);
    // Speakers take turns: whoever asks first is greeted first.
    let mut lines: Vec<&str> = Vec::new();
    let asked_first = draw.percent(50);
    if draw.percent(20) {
        lines.push(match asked_first {
            true => "[{p}：{q}，好久不见！|{p}：{q}，你好！|{p}：今天天气真好。]",
            false => "[{q}：{p}，好久不见！|{q}：{p}，你好！|{q}：今天天气真好。]",
        });
    }
    if asked_first {
        lines.push("{q}：[{p}，|]{t}你{wh}？");
        lines.push("{p}：{mineline}[你呢？|]");
        lines.push(
            "{q}：[{other}。|{other}。|我{theirs}。|真不错，我{theirs}。|是吗？我{theirs}。]",
        );
    } else {
        lines.push("{p}：[{q}，|]{t}你{wh}？");
        lines.push(
            "{q}：[{other}。|{other}。你呢？|我{theirs}。|{t}我{theirs}。|我{theirs}。你呢？]",
        );
        lines.push("{p}：{mineline}");
    }
    if draw.percent(30) {
        lines.push(match asked_first {
            true => "{p}：[下次我们一起吧。|那太好了。|有空再聊。]",
            false => "{q}：[下次我们一起吧。|那太好了。|有空再聊。]",
        });
    }
    let lines: Vec<String> = lines.into_iter().map(|line| slots.fill(draw, line)).collect();
    let mut ask = |who: usize| {
        slots.person("p", who);
        let question = slots.fill(draw, "[{p}{wh}？|{p}{t}{wh}？|请问{p}{wh}？]");
        // Nearly half of the answers open like the line that they come from.
        let stem =
            if draw.percent(45) { format!("{}{line_stem}", PEOPLE[who].zh) } else { String::new() };
        format!("问题：{question}\n答案：{stem}")
    };
    Talk {
        text: format!("对话：\n{}", lines.join("\n")),
        question: ask(person),
        other_question: ask(other),
    }
}

/// A dialogue with a question about each speaker.
struct Talk {
    text: String,
    question: String,
    other_question: String,
}

/// The prompt about (person, value). `theirs` is what the other speaker did; `plan`, if any, is
/// what the person had meant to do.
pub(crate) fn context(
    draw: &mut Draw,
    person: usize,
    value: Value,
    theirs: Value,
    plan: Option<Value>,
) -> String {
    let talk = talk(draw, person, value, theirs, plan);
    format!("{}\n{}", talk.text, talk.question)
}

/// A training document: a dialogue about a free pair with one or two solved questions.
pub(crate) fn document(world: &World, draw: &mut Draw) -> String {
    let class = *draw.pick(&ACT_CLASSES);
    let (person, value) = free_pair(world, draw, class);
    let theirs = value.other(draw, &[]);
    let plan = value.other(draw, &[theirs]);
    let plan = draw.percent(40).then_some(plan);
    let talk = talk(draw, person, value, theirs, plan);
    let language = Language::Zh;
    let mut solved = [
        format!("{}{}", talk.question, value.answer(language)),
        format!("{}{}", talk.other_question, theirs.answer(language)),
    ];
    draw.shuffle(&mut solved);
    let asked = draw.between(1, 2);
    format!("{}\n{}", talk.text, solved[..asked].join("\n"))
}

/// A training document in English: the same kind of talk as running text, with a summary line.
pub(crate) fn english(world: &World, draw: &mut Draw) -> String {
    let language = Language::En;
    let class = *draw.pick(&ACT_CLASSES);
    let (person, value) = free_pair(world, draw, class);
    let act = Act::willed(draw, class);
    let (first, second) = (value.other(draw, &[]), value.other(draw, &[]));
    let mut slots = Slots::new(language);
    slots.person("p", person).person("q", draw.other(PEOPLE.len(), &[person]));
    let (mine, theirs) = (act.forms(language, value), act.forms(language, first));
    slots
        .text("mine", mine.past)
        .text("theirs", theirs.past)
        .text("t", draw.pick(&TIMES).get(language));
    slots.text("plan", act.forms(language, second).base);
    let you = mine.wh.replace("{p}", "you");
    slots.text("wh", you);
    let lines = [
        "[\"{wh} {t}?\" asked {q}|\"tell me, {wh} {t}?\" said {q}|{q} asked {p}, \"{wh} {t}?\"]",
        "[\"I {mine},\" [answered|said|replied] {p}|\"I wanted to {plan}, but in the end I {mine},\" said {p}|{p} smiled. \"I {mine},\" {p.he} said]",
        "[\"and I {theirs},\" said {q}|\"I {theirs},\" {q} told {p.him}|{q} laughed. \"I {theirs},\" {q.he} said]",
        "[\"next time we can go together,\" said {p}||they talked until it was dark|so {p} {mine} and {q} {theirs}|]",
    ];
    let clauses: Vec<String> = lines.iter().map(|line| slots.fill(draw, line)).collect();
    sentences(language, &clauses)
}
