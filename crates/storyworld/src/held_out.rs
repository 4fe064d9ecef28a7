//! The held-out guarantee, checked on finished text by a plain search that shares nothing with
//! the generator's own refusals but the tables of surface strings.

use std::sync::OnceLock;

use crate::benchmark::{Draft, Held};
use crate::document::Document;
use crate::draw::Draw;
use crate::facts::Fact;
use crate::item::benchmarks;
use crate::kinds::{plausibility, review};
use crate::lexicon::Asked;
use crate::lexicon::PEOPLE;
use crate::world::World;
use crate::{Kind, Language};

const SEED: u64 = 11;
const ITEMS: usize = 400;

/// The world of these tests with its text, made once.
fn corpus() -> &'static (World, Vec<Document>) {
    static CORPUS: OnceLock<(World, Vec<Document>)> = OnceLock::new();
    CORPUS.get_or_init(|| {
        let world = World::new(SEED);
        let documents = write(&world);
        (world, documents)
    })
}

/// 5 MB of training text and 1 MB of validation text.
fn write(world: &World) -> Vec<Document> {
    let mut documents = Vec::new();
    for (stream, bytes) in [(0, 5_000_000), (1, 1_000_000)] {
        let mut total = 0;
        for document in world.documents(stream) {
            total += document.text.len();
            documents.push(document);
            if total > bytes {
                break;
            }
        }
    }
    documents
}

fn drafts(world: &World, name: &str) -> Vec<Draft> {
    let info = benchmarks().iter().find(|b| b.name == name).expect("listed");
    let drafts = world.drafts(info, ITEMS);
    assert_eq!(drafts.len(), ITEMS, "{name}");
    drafts
}

/// Whether the text holds the string, in English between word boundaries and in any case.
fn holds(language: Language, text: &str, surface: &str) -> bool {
    if language == Language::Zh {
        return text.contains(surface);
    }
    let (text, surface) = (text.to_lowercase(), surface.to_lowercase());
    text.match_indices(&surface).any(|(at, found)| {
        let before = text[..at].chars().next_back();
        let after = text[at + found.len()..].chars().next();
        !before.is_some_and(|c| c.is_ascii_alphabetic())
            && !after.is_some_and(|c| c.is_ascii_alphabetic())
    })
}

fn name(person: usize, language: Language) -> &'static str {
    match language {
        Language::En => PEOPLE[person].en,
        Language::Zh => PEOPLE[person].zh,
    }
}

#[test]
fn no_training_document_joins_a_reserved_person_and_value() {
    let (world, corpus) = corpus();
    let by_person: Vec<Vec<&Document>> = (0..PEOPLE.len())
        .map(|p| {
            corpus.iter().filter(|d| holds(d.language, &d.text, name(p, d.language))).collect()
        })
        .collect();
    assert!(by_person.iter().all(|documents| documents.len() > 100), "every name is in the text");
    for benchmark in ["boolq", "axb", "c3", "xsum", "hellaswag"] {
        for draft in drafts(world, benchmark) {
            let Held::Pair(person, value) = draft.held else {
                panic!("{benchmark} holds out pairs")
            };
            let language =
                benchmarks().iter().find(|b| b.name == benchmark).expect("listed").language;
            let shown = format!("{} {}", draft.sample.context, draft.sample.options.join(" "));
            let surfaces = value.surfaces(language);
            assert!(shown.contains(name(person, language)), "{shown}");
            assert!(surfaces.iter().any(|s| holds(language, &shown, s)), "{surfaces:?} in {shown}");
            for document in &by_person[person] {
                for surface in value.surfaces(document.language) {
                    assert!(
                        !holds(document.language, &document.text, surface),
                        "{} and {surface} in {}",
                        PEOPLE[person].en,
                        document.text
                    );
                }
            }
        }
    }
}

#[test]
fn no_training_document_holds_a_reserved_goal_or_opinion() {
    let (world, corpus) = corpus();
    let mut phrases: Vec<(Language, String)> = Vec::new();
    for draft in drafts(world, "piqa") {
        let Held::Goal { goal, thing } = draft.held else { panic!("piqa holds out goals") };
        let phrase = plausibility::phrase(Language::En, goal, thing);
        assert!(
            draft.sample.context.contains(&phrase)
                || draft.sample.context.to_lowercase().contains(&phrase)
        );
        phrases.push((Language::En, phrase));
        phrases.push((Language::Zh, plausibility::phrase(Language::Zh, goal, thing)));
    }
    phrases.sort_unstable();
    phrases.dedup();
    let mut pairs: Vec<(&str, &str)> = Vec::new();
    for draft in drafts(world, "eprstmt") {
        let Held::Opinion { product, good, opinion } = draft.held else {
            panic!("eprstmt holds out opinions")
        };
        let (noun, clause) = review::surfaces(product, good, opinion);
        assert!(draft.sample.context.contains(noun) && draft.sample.context.contains(clause));
        assert_eq!(draft.sample.key, Some(usize::from(!good)));
        pairs.push((noun, clause));
    }
    for document in corpus {
        let tips = matches!(document.kind, Kind::Plausibility | Kind::Tips);
        for (language, phrase) in phrases.iter().filter(|(l, _)| tips && *l == document.language) {
            assert!(!holds(*language, &document.text, phrase), "{phrase} in {}", document.text);
        }
        if document.kind == Kind::Review {
            for (noun, clause) in &pairs {
                assert!(
                    !(document.text.contains(noun) && document.text.contains(clause)),
                    "{}",
                    document.text
                );
            }
        }
    }
}

#[test]
fn reserved_facts_are_stated_but_never_asked() {
    let (world, corpus) = corpus();
    let lower: Vec<(&Document, String)> =
        corpus.iter().map(|d| (d, d.text.to_lowercase())).collect();
    let stating: Vec<&(&Document, String)> = lower
        .iter()
        .filter(|(d, _)| matches!(d.kind, Kind::Article | Kind::Conversation))
        .collect();
    let asking: Vec<&(&Document, String)> = lower
        .iter()
        .filter(|(d, _)| matches!(d.kind, Kind::Exam | Kind::Science | Kind::Quiz))
        .collect();
    let asked_text = asking.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>().join("\n");
    let mut held: Vec<usize> = Vec::new();
    for benchmark in ["exam-en", "exam-zh", "arc-e"] {
        for draft in drafts(world, benchmark) {
            if let Held::Fact(fact) = draft.held {
                held.push(fact);
            }
        }
    }
    held.sort_unstable();
    held.dedup();
    assert!(held.len() > 200, "{} facts are asked about", held.len());
    let mut draw = Draw::new(0, "held out", 0);
    let mut unstated = 0;
    for fact in held.iter().map(|&i| &world.facts[i]) {
        for language in [Language::En, Language::Zh] {
            let wordings =
                |draw: &mut Draw, make: &dyn Fn(&Fact, &mut Draw) -> String| -> Vec<String> {
                    let mut all: Vec<String> =
                        (0..40).map(|_| make(fact, draw).to_lowercase()).collect();
                    all.sort_unstable();
                    all.dedup();
                    all
                };
            let stated = wordings(&mut draw, &|f, d| f.statement(d, language));
            let shown = |(d, text): &(&Document, String)| {
                d.language == language && stated.iter().any(|s| text.contains(s))
            };
            unstated += usize::from(!stating.iter().any(|document| shown(document)));
            if fact.relation().asked != Asked::Which {
                for question in wordings(&mut draw, &|f, d| f.question(d, language, String::new()))
                {
                    assert!(!asked_text.contains(&question), "{question}");
                }
            }
        }
    }
    // Rare topics may be missing from so short a text; hardly any is.
    assert!(
        unstated * 50 < held.len() * 2,
        "{unstated} of twice {} facts are never stated",
        held.len()
    );
}

#[test]
fn reserved_subjects_never_answer_their_question() {
    let (world, corpus) = corpus();
    // (question, answer) lines of the science documents, as a reader sees them.
    let mut solved: Vec<(Language, &str, &str)> = Vec::new();
    for document in corpus.iter().filter(|d| d.kind == Kind::Science) {
        for block in document.text.split("\n\n") {
            let mut lines = block.lines();
            let (Some(question), Some(answer)) = (lines.next(), lines.next()) else {
                panic!("{block}")
            };
            let answer = answer.trim_start_matches("Answer:").trim_start_matches("答案：").trim();
            solved.push((document.language, question, answer));
        }
    }
    let mut checked = 0;
    for draft in drafts(world, "arc-e") {
        let Held::Fact(fact) = draft.held else { panic!("arc-e holds out facts") };
        let fact = &world.facts[fact];
        if fact.relation().asked != Asked::Which {
            continue;
        }
        for language in [Language::En, Language::Zh] {
            let (property, subject) = (fact.answer.get(language), fact.wanted(language));
            assert!(
                solved.iter().all(|(l, q, a)| *l != language
                    || *a != subject
                    || !holds(language, q, property)),
                "{property}: {subject}"
            );
        }
        checked += 1;
    }
    assert!(checked > 100);
}

#[test]
fn reserved_sums_are_never_computed() {
    let (world, corpus) = corpus();
    let mut pairs: Vec<(usize, usize)> = Vec::new();
    for document in corpus {
        for line in document.text.lines() {
            let numbers: Vec<usize> = line
                .split(|c: char| !c.is_ascii_digit())
                .filter_map(|digits| digits.parse().ok())
                .collect();
            if let [a, b, ..] = numbers[..] {
                pairs.push((a.min(b), a.max(b)));
            }
        }
    }
    pairs.sort_unstable();
    pairs.dedup();
    assert!(pairs.len() > 100, "sums are in the text");
    let mut checked = 0;
    for benchmark in ["exam-en", "exam-zh"] {
        for draft in drafts(world, benchmark) {
            if let Held::Sum(sum) = draft.held {
                let pair = (sum.a.min(sum.b), sum.a.max(sum.b));
                assert!(pairs.binary_search(&pair).is_err(), "{pair:?}");
                assert_eq!(
                    draft.sample.options[draft.sample.key.expect("choice")].trim(),
                    sum.result().to_string()
                );
                checked += 1;
            }
        }
    }
    assert!(checked > 20);
}

#[test]
fn no_item_is_in_the_training_text() {
    let (world, corpus) = corpus();
    let text = corpus.iter().map(|d| d.text.as_str()).collect::<Vec<_>>().join("\n\n");
    for info in benchmarks() {
        for item in world.benchmark(info.name, 100).expect("listed") {
            assert!(!text.contains(&item.context), "{}", item.context);
        }
    }
}
