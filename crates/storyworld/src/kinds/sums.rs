//! Sums and word problems. Operands are 2 to 20; a reserved pair of operands is never computed in
//! training text, neither added nor subtracted.

use crate::Language;
use crate::draw::Draw;
use crate::lexicon::{FOODS, OBJECTS, PEOPLE};
use crate::template::{Slots, sentence_case};
use crate::world::World;

/// `a + b`, or `a - b` with `a > b`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sum {
    pub(crate) a: usize,
    pub(crate) b: usize,
    pub(crate) plus: bool,
}

/// The largest operand.
pub(crate) const LARGEST: usize = 20;

impl Sum {
    pub(crate) fn result(&self) -> usize {
        if self.plus { self.a + self.b } else { self.a - self.b }
    }

    /// A sum that training text may contain.
    pub(crate) fn free(world: &World, draw: &mut Draw) -> Sum {
        loop {
            let (a, b) = (draw.between(2, LARGEST), draw.between(2, LARGEST));
            let plus = draw.percent(60);
            let (a, b) = if plus { (a, b) } else { (a.max(b), a.min(b)) };
            if !world.reserved_sum(a, b) && (plus || a > b) {
                return Sum { a, b, plus };
            }
        }
    }

    /// Every sum that belongs to the benchmarks.
    pub(crate) fn reserved(world: &World) -> Vec<Sum> {
        let mut sums = Vec::new();
        for a in 2..=LARGEST {
            for b in 2..=LARGEST {
                if world.reserved_sum(a, b) {
                    sums.push(Sum { a, b, plus: true });
                    if a > b {
                        sums.push(Sum { a, b, plus: false });
                    }
                }
            }
        }
        sums
    }

    fn slots(&self, language: Language) -> Slots {
        let mut slots = Slots::new(language);
        slots
            .text("a", self.a.to_string())
            .text("b", self.b.to_string())
            .text("c", self.result().to_string());
        slots
    }

    pub(crate) fn question(&self, draw: &mut Draw, language: Language) -> String {
        let template = match (language, self.plus) {
            (Language::En, true) => "[what is|how much is] {a} + {b}?",
            (Language::En, false) => "[what is|how much is] {a} - {b}?",
            (Language::Zh, true) => "[{a} + {b} 等于几|{a} + {b} 是多少]？",
            (Language::Zh, false) => "[{a} - {b} 等于几|{a} - {b} 是多少]？",
        };
        self.slots(language).fill(draw, template)
    }

    /// The sum up to its result.
    pub(crate) fn stem(&self, language: Language) -> String {
        let equals = if language == Language::En { " =" } else { " 等于" };
        format!("{} {} {}{equals}", self.a, if self.plus { '+' } else { '-' }, self.b)
    }

    /// A word problem with its solution.
    fn problem(&self, draw: &mut Draw, language: Language) -> String {
        let mut slots = self.slots(language);
        let countable: Vec<_> = FOODS
            .iter()
            .map(|f| f.noun)
            .chain(OBJECTS.iter().map(|o| o.noun))
            .filter(|n| !n.plural.is_empty())
            .collect();
        let thing = *draw.pick(&countable);
        let p = draw.below(PEOPLE.len());
        let q = draw.other(PEOPLE.len(), &[p]);
        slots.noun("v", thing).person("p", p).person("q", q).text("m", thing.measure);
        let template = match (language, self.plus) {
            (Language::En, true) => {
                "[{p} has {a} {v.s}. {q} gives {p.him} {b} more. How many {v.s} does {p} have now?|there are {a} {v.s} on the table and {b} {v.s} in the box. How many {v.s} are there in all?|{p} collected {a} {v.s} in spring and {b} in summer. How many is that together?] [We add: |]{a} + {b} = {c}. [The answer is {c}.|So there are {c} {v.s}.|That makes {c}.]"
            }
            (Language::En, false) => {
                "[{p} had {a} {v.s} and gave {b} of them to {q}. How many {v.s} are left?|there were {a} {v.s} in the shop. {p} took {b}. How many remain?|{p} needs {a} {v.s} but has only {b}. How many are missing?] [We subtract: |]{a} - {b} = {c}. [The answer is {c}.|So it is {c} {v.s}.|That leaves {c}.]"
            }
            (Language::Zh, true) => {
                "[{p}有{a}{m}{v}，{q}又给了{p.he}{b}{m}，{p}现在一共有多少{m}{v}？|桌上有{a}{m}{v}，箱子里有{b}{m}{v}，一共有多少{m}？|{p}春天收集了{a}{m}{v}，夏天收集了{b}{m}，加起来是多少{m}？][用加法：|]{a} + {b} = {c}。[答案是{c}。|一共有{c}{m}{v}。|所以是{c}{m}。]"
            }
            (Language::Zh, false) => {
                "[{p}有{a}{m}{v}，送给{q}{b}{m}，还剩多少{m}{v}？|店里有{a}{m}{v}，{p}拿走了{b}{m}，还剩多少{m}？|{p}需要{a}{m}{v}，现在只有{b}{m}，还差多少{m}？][用减法：|]{a} - {b} = {c}。[答案是{c}。|结果是{c}{m}{v}。|所以是{c}{m}。]"
            }
        };
        sentence_case(language, slots.fill(draw, template))
    }
}

/// A training document: sums, then one or two word problems.
pub(crate) fn document(world: &World, draw: &mut Draw, language: Language) -> String {
    let mut lines = Vec::new();
    for _ in 0..draw.between(0, 4) {
        let sum = Sum::free(world, draw);
        let sign = if sum.plus { '+' } else { '-' };
        lines.push(format!("{} {sign} {} = {}", sum.a, sum.b, sum.result()));
    }
    for _ in 0..draw.between(1, 2) {
        lines.push(Sum::free(world, draw).problem(draw, language));
    }
    lines.join("\n")
}
