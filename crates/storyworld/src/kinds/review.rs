//! Reviews with a sentiment (EPRSTMT): plain praise or complaint, and the harder ones in which
//! one clause says the opposite and the last word counts.

use crate::Language;
use crate::draw::Draw;
use crate::lexicon::{GENERIC_OPINIONS, Opinions, PRODUCT_CLASSES, PRODUCTS, Pair};
use crate::sample::{Sample, sentences};
use crate::template::Slots;
use crate::world::World;

/// How the review is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Build {
    /// Two opinions and a verdict.
    Plain,
    /// One opinion only.
    Terse,
    /// An opposite opinion is conceded, then outweighed.
    Concession,
    /// An opposite expectation is disappointed.
    Surprise,
    /// Two opinions against one, in any order and without a word that weighs them.
    Mixed,
}

/// The builds in the order in which items use them; the harder ones more often.
pub(crate) const BUILDS: [Build; 6] =
    [Build::Plain, Build::Mixed, Build::Concession, Build::Terse, Build::Mixed, Build::Surprise];

fn side(opinions: &Opinions, good: bool) -> &[Pair; 10] {
    if good { &opinions.good } else { &opinions.bad }
}

/// The text of a review whose main opinion is given.
pub(crate) fn text(
    draw: &mut Draw,
    language: Language,
    build: Build,
    product: usize,
    good: bool,
    opinion: usize,
) -> String {
    let opinions = &PRODUCT_CLASSES[PRODUCTS[product].class];
    let mut slots = Slots::new(language);
    let second = draw.other(10, &[opinion]);
    slots.noun("v", PRODUCTS[product].noun);
    slots.text("main", side(opinions, good)[opinion].get(language));
    slots.text("second", side(opinions, good)[second].get(language));
    slots.text("against", draw.pick(side(opinions, !good)).get(language));
    slots.text("verdict", draw.pick(side(&GENERIC_OPINIONS, good)).get(language));
    let verbs: [(&str, &str); 5] = [
        ("tried", "去了"),
        ("bought", "买了"),
        ("bought", "买了"),
        ("got to know", "看了"),
        ("stayed at", "住了"),
    ];
    let (en, zh) = verbs[PRODUCTS[product].class];
    slots.text("did", if language == Language::En { en } else { zh });
    slots.text(
        "when",
        *draw.pick(match language {
            Language::En => &[
                "last week",
                "yesterday",
                "in spring",
                "on a friend's advice",
                "for the second time",
                "last month",
                "by chance",
            ],
            Language::Zh => {
                &["上周", "昨天", "春天的时候", "听朋友说以后", "第二次", "上个月", "偶然"]
            }
        }),
    );
    let template = match (language, build) {
        (Language::Zh, Build::Plain) => {
            "[{when}{did}{v.this}，|{v.this}，|关于{v.this}：|不得不说，{v.this}][{main}，{second}。{verdict}|{second}，而且{main}。{verdict}|{main}，{second}，{verdict}|{main}，{second}]"
        }
        (Language::Zh, Build::Terse) => {
            "[{when}{did}{v.this}，{main}|{v.this}{main}|说说{v.this}吧，{main}|{v.this}：{main}]"
        }
        (Language::Zh, Build::Concession) => {
            "[{v.this}虽然{against}，但是{main}|{v.this}，尽管{against}，不过{main}|{when}{did}{v.this}。虽说{against}，可是{main}，{verdict}]"
        }
        (Language::Zh, Build::Surprise) => {
            "[有人说{v.this}{against}，其实{main}|本来以为{v.this}{against}，没想到{main}|{when}{did}{v.this}，原以为{against}，结果{main}，{verdict}]"
        }
        (Language::Zh, Build::Mixed) => {
            "[{when}{did}{v.this}，|{v.this}，|说说{v.this}：][{main}，{second}，{against}|{against}，{main}，{second}|{main}，{against}，{second}|{second}，{against}，{main}]"
        }
        (Language::En, Build::Mixed) => {
            "[I {did} this {v} {when}: |about this {v}: ][{main}, {second}, {against}|{against}, {main}, {second}|{main}, {against}, {second}]"
        }
        (Language::En, Build::Plain) => {
            "[I {did} this {v} {when}: |about this {v}: |][{main}, and {second}. {verdict}|{second}, and {main}. {verdict}|{main} and {second}]"
        }
        (Language::En, Build::Terse) => "[I {did} this {v} {when}, and {main}|this {v}? {main}]",
        (Language::En, Build::Concession) => {
            "[I {did} this {v} {when}. Although {against}, {main}|as for this {v}: it is true that {against}, but {main}. {verdict}]"
        }
        (Language::En, Build::Surprise) => {
            "[I {did} this {v} {when}. People had told me that {against}, but no: {main}|about this {v}, some say that {against}, but in fact {main}. {verdict}]"
        }
    };
    sentences(language, &[slots.fill(draw, template)])
}

/// A Chinese review with the two labels.
pub(crate) fn sample(
    draw: &mut Draw,
    build: Build,
    product: usize,
    good: bool,
    opinion: usize,
) -> Sample {
    let language = Language::Zh;
    let review = text(draw, language, build, product, good, opinion);
    Sample::fixed(format!("评论：{review}\n情感："), ["积极", "消极"], usize::from(!good))
}

fn free(world: &World, draw: &mut Draw) -> (usize, bool, usize) {
    loop {
        let (product, good, opinion) =
            (draw.below(PRODUCTS.len()), draw.percent(50), draw.below(10));
        if !world.reserved_opinion(product, good, opinion) {
            return (product, good, opinion);
        }
    }
}

/// Whether the text joins a product with an opinion that is reserved for it. The second opinions
/// are drawn freely, so the finished text is what counts.
pub(crate) fn refuses(world: &World, language: Language, product: usize, text: &str) -> bool {
    let opinions = &PRODUCT_CLASSES[PRODUCTS[product].class];
    let lower = text.to_lowercase();
    [true, false].into_iter().any(|good| {
        (0..10).any(|o| {
            world.reserved_opinion(product, good, o)
                && lower.contains(&side(opinions, good)[o].get(language).to_lowercase())
        })
    })
}

/// A training document: two to four labelled Chinese reviews, or one English review in a frame.
pub(crate) fn document(world: &World, draw: &mut Draw, language: Language) -> String {
    let count = if language == Language::Zh { draw.between(2, 4) } else { draw.between(1, 2) };
    // One product per document: an opinion about one must not stand beside another.
    let (product, ..) = free(world, draw);
    let mut reviews = Vec::new();
    while reviews.len() < count {
        let (_, good, opinion) = free(world, draw);
        if world.reserved_opinion(product, good, opinion) {
            continue;
        }
        let build = if draw.percent(25) { Build::Terse } else { *draw.pick(&BUILDS) };
        let review = match language {
            Language::Zh => sample(draw, build, product, good, opinion).solved(language),
            Language::En => {
                let body = text(draw, language, build, product, good, opinion);
                let stars = match (good, draw.percent(50)) {
                    (true, true) => "five stars",
                    (true, false) => "four stars",
                    (false, true) => "one star",
                    (false, false) => "two stars",
                };
                format!("Review: {body} Rating: {stars}.")
            }
        };
        if !refuses(world, language, product, &review) {
            reviews.push(review);
        }
    }
    reviews.join("\n\n")
}

/// The strings of a product and an opinion, for the search of the held-out test.
#[cfg(test)]
pub(crate) fn surfaces(product: usize, good: bool, opinion: usize) -> (&'static str, &'static str) {
    let noun = PRODUCTS[product].noun;
    (noun.zh, side(&PRODUCT_CLASSES[PRODUCTS[product].class], good)[opinion].zh)
}
