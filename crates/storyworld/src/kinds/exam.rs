//! Questions about facts: the exams, easy science, and the lettered quiz.

use crate::Language;
use crate::draw::Draw;
use crate::facts::Fact;
use crate::kinds::sums::Sum;
use crate::lexicon::{Asked, p};
use crate::sample::option;
use crate::template::sentence_case;
use crate::world::World;

/// The prompt of a fact question. `listed` are the options in order, for the questions that name
/// them. More than half of the prompts end in the opening of a statement that the answer
/// completes: these are the easier ones.
pub(crate) fn context(
    draw: &mut Draw,
    fact: &Fact,
    language: Language,
    listed: &[String],
) -> String {
    let relation = fact.relation();
    let question = fact.question(draw, language, list(language, listed));
    let field = (relation.asked == Asked::Exam).then(|| relation.field.get(language));
    let stem = (!relation.bare || draw.percent(55)).then(|| fact.stem(draw, language));
    prompt(draw, language, field, &question, stem)
}

/// The prompt of a sum.
pub(crate) fn sum_context(draw: &mut Draw, sum: &Sum, language: Language) -> String {
    let question = sum.question(draw, language);
    let stem = draw.percent(55).then(|| sum.stem(language));
    prompt(draw, language, Some(p("mathematics", "数学").get(language)), &question, stem)
}

fn prompt(
    draw: &mut Draw,
    language: Language,
    field: Option<&str>,
    question: &str,
    stem: Option<String>,
) -> String {
    let lead = match language {
        Language::En => *draw.pick(&["", "", "", "", "tell me, "]),
        Language::Zh => *draw.pick(&["", "", "", "", "请问，"]),
    };
    let question = sentence_case(language, format!("{lead}{question}"));
    let stem = sentence_case(language, stem.unwrap_or_default());
    let space = if stem.is_empty() { "" } else { " " };
    match (language, field) {
        (Language::En, Some(field)) => {
            format!("Subject: {field}\nQuestion: {question}\nAnswer:{space}{stem}")
        }
        (Language::En, None) => format!("Question: {question}\nAnswer:{space}{stem}"),
        (Language::Zh, Some(field)) => format!("科目：{field}\n问题：{question}\n答案：{stem}"),
        (Language::Zh, None) => format!("问题：{question}\n答案：{stem}"),
    }
}

fn list(language: Language, options: &[String]) -> String {
    let bare: Vec<&str> = options.iter().map(|o| o.trim_start()).collect();
    match (language, bare.split_last()) {
        (Language::En, Some((last, rest))) if !rest.is_empty() => {
            format!("{} or {last}", rest.join(", "))
        }
        (Language::En, _) => bare.concat(),
        (Language::Zh, _) => bare.join("、"),
    }
}

/// One solved question about a free fact, of the exams or of easy science.
fn solved(world: &World, draw: &mut Draw, language: Language, science: bool) -> String {
    loop {
        let fact = &world.facts[draw.below(world.facts.len())];
        if fact.reserved || (fact.relation().asked == Asked::Exam) == science {
            continue;
        }
        let right = option(language, &fact.wanted(language));
        let context = if fact.relation().asked == Asked::Which {
            let mut options = wrong_subjects(world, draw, fact, language);
            let at = draw.below(options.len() + 1);
            options.insert(at, right.clone());
            context(draw, fact, language, &options)
        } else {
            context(draw, fact, language, &[])
        };
        return format!("{context}{right}");
    }
}

/// Three subjects that the answer of the fact does not fit.
pub(crate) fn wrong_subjects(
    world: &World,
    draw: &mut Draw,
    fact: &Fact,
    language: Language,
) -> Vec<String> {
    let mut wrong: Vec<String> = Vec::new();
    for _ in 0..400 {
        let other = &world.facts[*draw.pick(&world.relations[fact.relation])];
        if fits(world, fact, other) {
            continue;
        }
        let text = option(language, &other.wanted(language));
        if !wrong.contains(&text) {
            wrong.push(text);
        }
        if wrong.len() == 3 {
            break;
        }
    }
    wrong
}

/// Whether the subject of `other` also has the answer of `fact`.
pub(crate) fn fits(world: &World, fact: &Fact, other: &Fact) -> bool {
    world.topics[other.topic].iter().any(|&i| {
        let known = &world.facts[i];
        known.relation == fact.relation && known.answer == fact.answer
    })
}

/// A training document: two to four exam questions.
pub(crate) fn exam(world: &World, draw: &mut Draw, language: Language) -> String {
    let questions: Vec<String> = (0..draw.between(2, 4))
        .map(|_| {
            if draw.percent(14) {
                let sum = Sum::free(world, draw);
                let answer = option(language, &sum.result().to_string());
                format!("{}{answer}", sum_context(draw, &sum, language))
            } else {
                solved(world, draw, language, false)
            }
        })
        .collect();
    questions.join("\n\n")
}

/// A training document: two to four questions of easy science.
pub(crate) fn science(world: &World, draw: &mut Draw, language: Language) -> String {
    let questions: Vec<String> =
        (0..draw.between(2, 4)).map(|_| solved(world, draw, language, true)).collect();
    questions.join("\n\n")
}

/// A training document: one question with four lettered choices and the letter and text of the
/// right one.
pub(crate) fn quiz(world: &World, draw: &mut Draw, language: Language) -> String {
    let fact = loop {
        let fact = &world.facts[draw.below(world.facts.len())];
        if !fact.reserved && fact.relation().asked != Asked::Which {
            break fact;
        }
    };
    let right = fact.wanted(language);
    let mut options = vec![right.clone()];
    for _ in 0..400 {
        let other = &world.facts[*draw.pick(&world.relations[fact.relation])];
        let text = other.wanted(language);
        if !options.contains(&text) {
            options.push(text);
        }
        if options.len() == 4 {
            break;
        }
    }
    draw.shuffle(&mut options);
    let letter = |i: usize| char::from(b'A' + i as u8);
    let at = options.iter().position(|o| *o == right).unwrap_or(0);
    let question = fact.question(draw, language, String::new());
    let lines: Vec<String> =
        options.iter().enumerate().map(|(i, o)| format!("{}. {o}", letter(i))).collect();
    let (head, tail) = match language {
        Language::En => (
            *draw.pick(&[
                "Choose the right answer.",
                "Quiz.",
                "Which answer is correct?",
                "Mark the best choice.",
            ]),
            *draw.pick(&["The answer is", "Correct:", "Solution:"]),
        ),
        Language::Zh => (
            *draw.pick(&["选择题。", "请选出正确答案。", "小测验。", "四选一。"]),
            *draw.pick(&["正确答案：", "应选", "答案是"]),
        ),
    };
    let question = sentence_case(language, question);
    let space = if language == Language::En { " " } else { "" };
    format!("{head}{space}{question}\n{}\n{tail}{space}{}. {right}", lines.join("\n"), letter(at))
}
