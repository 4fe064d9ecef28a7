//! Talk about facts and feelings, and letters.

use crate::Language;
use crate::draw::Draw;
use crate::facts::Subject;
use crate::lexicon::{CAUSES, DAYS, FEELING_EVENTS, FEELINGS, PEOPLE, WEATHER};
use crate::sample::sentences;
use crate::template::Slots;
use crate::values::{ACT_CLASSES, Act, Value};
use crate::world::World;

/// A training document: a child and an elder talk about a fact, or somebody writes a letter.
pub(crate) fn document(world: &World, draw: &mut Draw, language: Language) -> String {
    if draw.percent(45) { letter(draw, language) } else { talk(world, draw, language) }
}

fn talk(world: &World, draw: &mut Draw, language: Language) -> String {
    let p = draw.below(PEOPLE.len());
    let q = draw.other(PEOPLE.len(), &[p]);
    let fact = loop {
        let topic = world.topic(draw);
        let fact = &world.facts[*draw.pick(topic)];
        if !matches!(fact.subject, Subject::Person(_)) {
            break fact;
        }
    };
    let second = {
        let topic = &world.topics[fact.topic];
        &world.facts[*draw.pick(topic)]
    };
    let cause = draw.pick(&CAUSES);
    let mut slots = Slots::new(language);
    slots.person("p", p).person("q", q);
    slots
        .text("fact", fact.statement(draw, language))
        .text("second", second.statement(draw, language));
    slots.text("cause", cause.cause.get(language)).text("effect", cause.effect.get(language));
    slots.text("they", if PEOPLE[p].female && PEOPLE[q].female { "她们" } else { "他们" });
    let templates: &[&str] = match language {
        Language::En => &[
            "[{p} and {q} were reading together|{p} asked {q} many questions|{q} was showing {p} a book with pictures|after the lesson, {p} stayed with {q}]",
            "[\"did you know that {fact}?\" asked {q}|{q} said, \"{fact}.\"|\"listen,\" said {q}, \"{fact}.\"]",
            "[\"yes, and {second},\" said {p}|\"is it so?\" asked {p}. \"I only knew that {cause}.\"|\"I did not know that,\" said {p}|\"then I will write it down,\" said {p}]",
            "[\"{effect} because {cause},\" {q} added|they read on until the evening||both of them laughed|{p} never forgot it]",
        ],
        Language::Zh => &[
            "[{p}和{q}一起看书|{p}问了{q}很多问题|{q}给{p}看一本图画书|下课以后，{p}留下来找{q}]",
            "[“你知道吗？{fact}。”{q}说|{q}说：“{fact}。”|{q}告诉{p}：“{fact}。”]",
            "[“对，而且{second}。”{p}说|“真的吗？”{p}问|“我以前不知道。”{p}说|“那我要记下来。”{p}说]",
            "[“因为{cause}，所以{effect}。”{q}又说|{they}一直看到天黑||两个人都笑了|{p}一直记得这句话]",
        ],
    };
    let clauses: Vec<String> = templates.iter().map(|t| slots.fill(draw, t)).collect();
    sentences(language, &clauses)
}

fn letter(draw: &mut Draw, language: Language) -> String {
    let p = draw.below(PEOPLE.len());
    let q = draw.other(PEOPLE.len(), &[p]);
    let class = *draw.pick(&ACT_CLASSES);
    let value = Value::draw(draw, class);
    let other = value.other(draw, &[]);
    let act = Act::willed(draw, class);
    let (done, plan) = (act.forms(language, value), act.forms(language, other));
    let event = draw.pick(&FEELING_EVENTS);
    let mut slots = Slots::new(language);
    slots.person("p", p).person("q", q).text("done", done.past).text("plan", plan.base);
    slots
        .text("day", draw.pick(&DAYS).get(language))
        .text("weather", draw.pick(&WEATHER).get(language));
    slots
        .text("event", event.text.get(language))
        .text("feeling", FEELINGS[event.feeling].get(language));
    match language {
        Language::En => {
            let body = [
                "[how are you?|thank you for your letter.|I hope you are well.|it has been a long time.]",
                "[on {day} I {done}|last {day} {weather}, so I {done}|guess what: on {day} I {done}]",
                "[after that I {event} and felt {feeling}|later I {event}, and I was {feeling}|I also {event}. I am still {feeling}]",
                "[next {day} I want to {plan}|will you {plan} with me?|please write soon|I hope to {plan} one day]",
            ];
            let clauses: Vec<String> = body.iter().map(|t| slots.fill(draw, t)).collect();
            let close = slots.fill(draw, "[Your friend|Yours|With love|Best wishes],\n{p}");
            format!("Dear {},\n{}\n{close}", PEOPLE[q].en, sentences(language, &clauses))
        }
        Language::Zh => {
            let body = [
                "[你好吗？|谢谢你的来信。|希望你一切都好。|好久没有给你写信了。]",
                "[{day}我{done}|上{day}{weather}，我{done}|告诉你，{day}我{done}]",
                "[后来我{event}，觉得很{feeling}|之后我{event}，心里很{feeling}|我还{event}，到现在还很{feeling}]",
                "[下{day}我想{plan}|你愿意和我一起{plan}吗？|请早点回信|希望有一天能{plan}]",
            ];
            let clauses: Vec<String> = body.iter().map(|t| slots.fill(draw, t)).collect();
            let close = slots.fill(draw, "[你的朋友|想念你的|祝好]，{p}");
            format!("亲爱的{}：\n{}\n{close}", PEOPLE[q].zh, sentences(language, &clauses))
        }
    }
}
