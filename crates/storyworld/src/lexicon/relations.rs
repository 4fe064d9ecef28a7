//! The relations between subjects and answers: how a fact is stated and how it is asked.
//! Templates see the subject as `{s}` (a noun or a person) and the answer as `{o}`. A table, and
//! therefore longer than other files.

use super::{Pair, p};

/// Which benchmark asks about a relation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// The four-choice exams: subject given, answer wanted.
    Exam,
    /// Easy science: subject given, answer wanted.
    Science,
    /// Easy science: answer given, subject wanted among four that are listed in the question.
    Which,
}

/// One relation. Pairs of lists are English and Chinese.
pub(crate) struct Relation {
    pub(crate) name: &'static str,
    pub(crate) asked: Asked,
    /// The exam subject, as printed above the question.
    pub(crate) field: Pair,
    /// Whether the answer reads well without a stem before it.
    pub(crate) bare: bool,
    /// Statements that the answer (or, for [`Asked::Which`], the subject) completes. They state
    /// the fact, and they may open the answer of a question.
    pub(crate) stems: (&'static [&'static str], &'static [&'static str]),
    /// Other statements.
    pub(crate) statements: (&'static [&'static str], &'static [&'static str]),
    pub(crate) questions: (&'static [&'static str], &'static [&'static str]),
}

// Positions in [`RELATIONS`].
pub(crate) const DIET: usize = 0;
pub(crate) const HABITAT: usize = 1;
pub(crate) const VOICE: usize = 2;
pub(crate) const COLOUR: usize = 3;
pub(crate) const TASTE: usize = 4;
pub(crate) const GROWS: usize = 5;
pub(crate) const REGION: usize = 6;
pub(crate) const RIVER: usize = 7;
pub(crate) const CRAFT: usize = 8;
pub(crate) const PURPOSE: usize = 9;
pub(crate) const WORKPLACE: usize = 10;
pub(crate) const TASK: usize = 11;
pub(crate) const OPPOSITE: usize = 12;
pub(crate) const JOB: usize = 13;
pub(crate) const HOME: usize = 14;
pub(crate) const ANIMAL_CLASS: usize = 15;
pub(crate) const PROPERTY: usize = 16;
pub(crate) const TREATMENT: usize = 17;
pub(crate) const GENERAL_FACT: usize = 18;

const BIOLOGY: Pair = p("biology", "生物");
const GEOGRAPHY: Pair = p("geography", "地理");
const DAILY: Pair = p("daily life", "生活常识");
const PEOPLE: Pair = p("people", "人物");
const SCIENCE: Pair = p("science", "科学");

pub(crate) static RELATIONS: [Relation; 19] = [
    Relation {
        name: "diet",
        asked: Asked::Exam,
        field: BIOLOGY,
        bare: true,
        stems: (
            &["{s.s} eat", "the {s} eats", "the favourite food of the {s} is"],
            &["{s}吃", "{s}爱吃", "{s}最爱吃的食物是"],
        ),
        statements: (
            &["{s.s} [live on|love] {o}", "when {a s} is hungry, it looks for {o}"],
            &["{s}靠吃{o}长大", "{s}饿了就去找{o}吃"],
        ),
        questions: (
            &[
                "what do {s.s} eat?",
                "what does the {s} eat?",
                "what is the favourite food of the {s}?",
                "which food do {s.s} like best?",
            ],
            &["{s}吃什么？", "{s}爱吃什么？", "{s}最爱吃的食物是什么？"],
        ),
    },
    Relation {
        name: "habitat",
        asked: Asked::Exam,
        field: BIOLOGY,
        bare: true,
        stems: (
            &["{s.s} live", "the {s} lives", "the home of the {s} is"],
            &["{s}生活在", "{s}住在", "{s}的家在"],
        ),
        statements: (
            &["you can find {s.s} {o}", "most {s.s} make their homes {o}"],
            &["在{o}可以看到{s}", "{o}有很多{s}"],
        ),
        questions: (
            &[
                "where do {s.s} live?",
                "where does the {s} live?",
                "where is the home of the {s}?",
                "where can you find {s.s}?",
            ],
            &["{s}生活在哪里？", "{s}住在哪里？", "{s}的家在哪里？"],
        ),
    },
    Relation {
        name: "voice",
        asked: Asked::Exam,
        field: BIOLOGY,
        bare: false,
        stems: (
            &["the {s}", "{a s}", "everyone knows that the {s}"],
            &["{s}", "{s}会", "大家都知道{s}"],
        ),
        statements: (&["when {a s} wants something, it {o}"], &["{s}高兴的时候{o}"]),
        questions: (
            &[
                "what sound does {a s} make?",
                "what does {a s} do with its voice?",
                "how does {a s} call?",
            ],
            &["{s}怎么叫？", "{s}的叫声是怎样的？"],
        ),
    },
    Relation {
        name: "colour",
        asked: Asked::Exam,
        field: DAILY,
        bare: true,
        stems: (
            &["{s.s} {s.are} usually", "the colour of {s.s} is"],
            &["{s}一般是", "{s}的颜色是"],
        ),
        statements: (&["a painter would paint {s.s} {o}"], &["画{s}要用{o}"]),
        questions: (
            &[
                "what colour {s.are} {s.s}?",
                "what is the colour of {s.s}?",
                "which colour {s.are} {s.s} usually?",
            ],
            &["{s}是什么颜色？", "{s}的颜色是什么？", "{s}一般是什么颜色？"],
        ),
    },
    Relation {
        name: "taste",
        asked: Asked::Exam,
        field: DAILY,
        bare: true,
        stems: (
            &["the taste of {s.s} is", "to the tongue, {s.s} {s.are}"],
            &["{s}的味道是", "{s}尝起来是"],
        ),
        statements: (&["everyone says that {s.s} taste{s.v} {o}"], &["大家都说{s}是{o}"]),
        questions: (
            &[
                "what is the taste of {s.s}?",
                "how {s.do} {s.s} taste?",
                "which taste do we expect from {s.s}?",
            ],
            &["{s}是什么味道？", "{s}的味道怎么样？", "{s}尝起来是什么味道？"],
        ),
    },
    Relation {
        name: "grows",
        asked: Asked::Exam,
        field: BIOLOGY,
        bare: true,
        stems: (&["{s.s} grow", "farmers find {s.s}"], &["{s}长在", "{s}生长在"]),
        statements: (&["we pick {s.s} that grow {o}"], &["农民在{o}收{s}", "成熟的{s}在{o}"]),
        questions: (
            &[
                "where do {s.s} grow?",
                "where do farmers find {s.s}?",
                "where are ripe {s.s} found?",
            ],
            &["{s}长在哪里？", "{s}生长在哪里？", "农民在哪里收{s}？"],
        ),
    },
    Relation {
        name: "region",
        asked: Asked::Exam,
        field: GEOGRAPHY,
        bare: true,
        stems: (
            &["{s} is a town in", "{s} lies in", "the town of {s} belongs to"],
            &["{s}位于", "{s}属于"],
        ),
        statements: (
            &["travellers reach {s} when they cross {o}"],
            &["去{s}要先到{o}", "{s}是{o}的一个城镇"],
        ),
        questions: (
            &[
                "in which region is {s}?",
                "in which region does {s} lie?",
                "which region does {s} belong to?",
            ],
            &["{s}在哪个省？", "{s}位于哪个省？", "{s}属于哪个省？"],
        ),
    },
    Relation {
        name: "river",
        asked: Asked::Exam,
        field: GEOGRAPHY,
        bare: true,
        stems: (
            &["{s} stands on", "the river at {s} is", "the people of {s} fish in"],
            &["{s}靠着", "流过{s}的河是"],
        ),
        statements: (&["{o} flows through {s}"], &["{o}流过{s}", "{s}的人在{o}里捕鱼"]),
        questions: (
            &[
                "which river flows through {s}?",
                "on which river does {s} stand?",
                "what is the river at {s}?",
            ],
            &["哪条河流过{s}？", "{s}靠着哪条河？", "流过{s}的河是哪一条？"],
        ),
    },
    Relation {
        name: "craft",
        asked: Asked::Exam,
        field: GEOGRAPHY,
        bare: true,
        stems: (&["{s} is famous for its", "people in {s} make"], &["{s}出产", "{s}最有名的是"]),
        statements: (&["visitors go to {s} to buy {o}"], &["{s}的{o}卖到全国", "游客去{s}买{o}"]),
        questions: (
            &[
                "what is {s} famous for?",
                "what do people in {s} make?",
                "what do visitors buy in {s}?",
            ],
            &["{s}什么最有名？", "{s}出产什么？", "游客去{s}买什么？"],
        ),
    },
    Relation {
        name: "purpose",
        asked: Asked::Exam,
        field: DAILY,
        bare: true,
        stems: (&["{a s} is used for", "we use {a s} for"], &["{s}可以用来", "人们用{s}"]),
        statements: (
            &["nothing is better than {a s} for {o}"],
            &["{s}是用来{o}的", "{o}的时候要用{s}"],
        ),
        questions: (
            &["what is {a s} used for?", "what do we use {a s} for?", "what is {a s} good for?"],
            &["{s}可以用来做什么？", "{s}有什么用？", "人们用{s}做什么？"],
        ),
    },
    Relation {
        name: "workplace",
        asked: Asked::Exam,
        field: DAILY,
        bare: true,
        stems: (&["{a s} works", "{s.s} work"], &["{s}工作的地方是", "{s}上班的地方是"]),
        statements: (&["you will find {a s} {o}"], &["{s}在{o}工作"]),
        questions: (
            &["where does {a s} work?", "where do {s.s} work?", "where will you find {a s}?"],
            &["{s}在哪里工作？", "{s}工作的地方是哪里？", "{s}在哪里上班？"],
        ),
    },
    Relation {
        name: "task",
        asked: Asked::Exam,
        field: DAILY,
        bare: false,
        stems: (&["every day, the {s}", "{a s} is a person who"], &["{s}的工作是", "{s}每天"]),
        statements: (&["the {s} is the one who {o}"], &["{s}负责{o}", "专门{o}的人叫{s}"]),
        questions: (
            &[
                "what does {a s} do?",
                "what is the work of {a s}?",
                "what does the {s} do every day?",
            ],
            &["{s}的工作是什么？", "{s}负责什么？", "{s}每天做什么？"],
        ),
    },
    Relation {
        name: "opposite",
        asked: Asked::Exam,
        field: p("language", "语文"),
        bare: true,
        stems: (
            &["the opposite of {s} is", "{s} is the opposite of"],
            &["{s}的反义词是", "和{s}相反的是"],
        ),
        statements: (&["{s} and {o} are opposites"], &["{s}和{o}意思相反", "{s}的反面是{o}"]),
        questions: (
            &[
                "what is the opposite of {s}?",
                "which word is the opposite of {s}?",
                "which word means the opposite of {s}?",
            ],
            &["{s}的反义词是什么？", "哪个词和{s}意思相反？", "和{s}相反的是什么？"],
        ),
    },
    Relation {
        name: "job",
        asked: Asked::Exam,
        field: PEOPLE,
        bare: true,
        stems: (&["{s} is", "{s} works as"], &["{s}是", "{s}的职业是"]),
        statements: (&["{s} became {a o}"], &["{s}当了{o}", "{s}靠当{o}生活"]),
        questions: (
            &[
                "what is the job of {s}?",
                "what does {s} work as?",
                "what does {s} do for a living?",
            ],
            &["{s}的职业是什么？", "{s}是做什么的？", "{s}当了什么？"],
        ),
    },
    Relation {
        name: "home",
        asked: Asked::Exam,
        field: PEOPLE,
        bare: true,
        stems: (&["{s} lives in", "{s} comes from"], &["{s}住在", "{s}来自"]),
        statements: (&["the home of {s} is in {o}"], &["{s}的家在{o}", "{s}在{o}长大"]),
        questions: (
            &[
                "where does {s} live?",
                "which town does {s} come from?",
                "in which town does {s} live?",
            ],
            &["{s}住在哪里？", "{s}的家在哪里？", "{s}来自哪里？"],
        ),
    },
    Relation {
        name: "class",
        asked: Asked::Which,
        field: SCIENCE,
        bare: true,
        stems: (
            &["one example of {a o} is", "{a o} that we know is"],
            &["我们知道的{o}有", "一种{o}是"],
        ),
        statements: (
            &["{a s} is {a o}", "the {s} is {a o}", "every {s} is {a o}"],
            &["{s}是{o}", "{s}属于{o}"],
        ),
        questions: (
            &["which of these is {a o}: {list}?", "{list}: which is {a o}?"],
            &["{list}，哪一个是{o}？", "下面哪一个是{o}：{list}？"],
        ),
    },
    Relation {
        name: "property",
        asked: Asked::Which,
        field: SCIENCE,
        bare: true,
        stems: (
            &["one thing that {o} is", "something that {o} is"],
            &["有一样东西{o}，就是", "{o}的东西有"],
        ),
        statements: (&["{a s} {o}", "every {s} {o}"], &["{s}{o}", "一{m}{s}{o}"]),
        questions: (
            &["which of these {o}: {list}?", "{list}: which one {o}?"],
            &["{list}，哪一样{o}？", "下面哪一样东西{o}：{list}？"],
        ),
    },
    Relation {
        name: "treatment",
        asked: Asked::Science,
        field: SCIENCE,
        bare: false,
        stems: (
            &["when {action}, {thing}", "if {action}, {thing}"],
            &["{thing}{action}，就会", "如果{thing}{action}，它会"],
        ),
        statements: (
            &["{thing} {o} when {action}", "{thing} {o} as soon as {action}"],
            &["{thing}{action}以后会{o}"],
        ),
        questions: (
            &[
                "what happens to {thing} when {action}?",
                "if {action}, what happens to {thing}?",
                "what does {thing} do when {action}?",
            ],
            &[
                "{thing}{action}会怎样？",
                "如果{thing}{action}，它会怎么样？",
                "{thing}{action}，会发生什么？",
            ],
        ),
    },
    Relation {
        name: "general",
        asked: Asked::Science,
        field: SCIENCE,
        bare: true,
        stems: (&["{s} is", "we call {s}"], &["{s}是", "{s}叫做"]),
        statements: (&["{o} is {s}"], &["{o}是{s}"]),
        questions: (
            &["what is {s}?", "what is the name of {s}?", "what do we call {s}?"],
            &["{s}是什么？", "{s}叫什么？", "你知道{s}是什么吗？"],
        ),
    },
];
