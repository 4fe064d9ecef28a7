//! Values: the places, foods, objects, animals, activities, towns, routines and events that a
//! person can be combined with, and the acts that combine them.

use crate::Language;
use crate::draw::Draw;
use crate::lexicon::{
    ACTIVITIES, ANIMALS, DRINKS, FEELING_EVENTS, FOODS, Noun, OBJECTS, PLACES, Pair, ROUTINES,
    TOWNS, n, p,
};
use crate::template::Slots;

/// The classes of value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    Place,
    Food,
    Drink,
    Object,
    Animal,
    Activity,
    Town,
    Routine,
    Event,
}

pub(crate) const CLASSES: [Class; 9] = [
    Class::Place,
    Class::Food,
    Class::Drink,
    Class::Object,
    Class::Animal,
    Class::Activity,
    Class::Town,
    Class::Routine,
    Class::Event,
];

/// The classes that everyday acts are about.
pub(crate) const ACT_CLASSES: [Class; 6] =
    [Class::Place, Class::Food, Class::Drink, Class::Object, Class::Animal, Class::Activity];

impl Class {
    pub(crate) fn len(self) -> usize {
        match self {
            Class::Place => PLACES.len(),
            Class::Food => FOODS.len(),
            Class::Drink => DRINKS.len(),
            Class::Object => OBJECTS.len(),
            Class::Animal => ANIMALS.len(),
            Class::Activity => ACTIVITIES.len(),
            Class::Town => TOWNS.len(),
            Class::Routine => ROUTINES.len(),
            Class::Event => FEELING_EVENTS.len(),
        }
    }

    /// How many in a thousand (person, value) pairs of this class are reserved for benchmarks.
    pub(crate) fn reserved_per_mille(self) -> u64 {
        match self {
            Class::Place | Class::Food | Class::Object | Class::Animal | Class::Activity => 45,
            Class::Drink => 60,
            Class::Town => 80,
            Class::Routine => 120,
            Class::Event => 70,
        }
    }
}

/// One value of one class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Value {
    pub(crate) class: Class,
    pub(crate) index: usize,
}

impl Value {
    pub(crate) fn draw(draw: &mut Draw, class: Class) -> Value {
        Value { class, index: draw.below(class.len()) }
    }

    /// A value of the same class, other than itself and those given.
    pub(crate) fn other(self, draw: &mut Draw, taken: &[Value]) -> Value {
        let mut indices: Vec<usize> =
            taken.iter().filter(|t| t.class == self.class).map(|t| t.index).collect();
        indices.push(self.index);
        Value { class: self.class, index: draw.other(self.class.len(), &indices) }
    }

    pub(crate) fn noun(self) -> Noun {
        match self.class {
            Class::Place => PLACES[self.index],
            Class::Food => FOODS[self.index].noun,
            Class::Drink => DRINKS[self.index].noun,
            Class::Object => OBJECTS[self.index].noun,
            Class::Animal => ANIMALS[self.index].noun,
            Class::Activity => n(ACTIVITIES[self.index].ing, "", ACTIVITIES[self.index].zh, ""),
            Class::Town => Noun::named(TOWNS[self.index]),
            Class::Routine => Noun::named(ROUTINES[self.index].goal),
            Class::Event => Noun::named(FEELING_EVENTS[self.index].text),
        }
    }

    /// The strings by which a reader recognises this value in a text of the language.
    pub(crate) fn surfaces(self, language: Language) -> Vec<&'static str> {
        let noun = self.noun();
        match (language, self.class) {
            (Language::En, Class::Activity) => {
                let a = &ACTIVITIES[self.index];
                vec![a.base, a.past, a.ing]
            }
            (Language::Zh, Class::Activity) => {
                let a = &ACTIVITIES[self.index];
                vec![a.zh, a.zh_done]
            }
            (Language::En, _) if noun.plural.is_empty() || noun.plural == noun.en => vec![noun.en],
            (Language::En, _) => vec![noun.en, noun.plural],
            (Language::Zh, _) => vec![noun.zh],
        }
    }

    /// How the value is named as an answer: ` the library`, ` an apple`, ` played chess`;
    /// Chinese without a measure word.
    pub(crate) fn answer(self, language: Language) -> String {
        match (language, self.class) {
            (Language::En, Class::Place) => format!("the {}", self.noun().en),
            (Language::En, Class::Activity) => ACTIVITIES[self.index].past.to_owned(),
            (Language::En, Class::Food | Class::Drink | Class::Object | Class::Animal) => {
                self.noun().counted(language)
            }
            (Language::En, _) => self.noun().en.to_owned(),
            (Language::Zh, Class::Activity) => ACTIVITIES[self.index].zh_done.to_owned(),
            (Language::Zh, _) => self.noun().zh.to_owned(),
        }
    }
}

/// A verb with a place for a value: templates over `{v}` and `{p}`.
pub(crate) struct Act {
    class: Class,
    base: Pair,
    past: Pair,
    wh: Pair,
}

const fn act(class: Class, base: Pair, past: Pair, wh: Pair) -> Act {
    Act { class, base, past, wh }
}

/// `past` in Chinese is the completed form.
static ACTS: [Act; 23] = [
    act(
        Class::Place,
        p("go to the {v}", "去{v}"),
        p("went to the {v}", "去了{v}"),
        p("where did {p} go", "{p}去了哪里"),
    ),
    act(
        Class::Place,
        p("go to the {v}", "去{v}"),
        p("went to the {v}", "去了{v}"),
        p("where did {p} go", "{p}去了哪里"),
    ),
    act(
        Class::Place,
        p("walk to the {v}", "走路去{v}"),
        p("walked to the {v}", "走路去了{v}"),
        p("where did {p} walk to", "{p}走路去了哪里"),
    ),
    act(
        Class::Place,
        p("meet a friend at the {v}", "在{v}见朋友"),
        p("met a friend at the {v}", "在{v}见了朋友"),
        p("where did {p} meet a friend", "{p}在哪里见了朋友"),
    ),
    act(
        Class::Place,
        p("take photos at the {v}", "在{v}拍照"),
        p("took photos at the {v}", "在{v}拍了照"),
        p("where did {p} take photos", "{p}在哪里拍了照"),
    ),
    act(
        Class::Food,
        p("eat {v.a}", "吃{v}"),
        p("ate {v.a}", "吃了{v}"),
        p("what did {p} eat", "{p}吃了什么"),
    ),
    act(
        Class::Food,
        p("eat {v.a}", "吃{v}"),
        p("ate {v.a}", "吃了{v}"),
        p("what did {p} eat", "{p}吃了什么"),
    ),
    act(
        Class::Food,
        p("order {v.a}", "点{v}"),
        p("ordered {v.a}", "点了{v}"),
        p("what did {p} order", "{p}点了什么"),
    ),
    act(
        Class::Food,
        p("bring {v.a}", "带{v}来"),
        p("brought {v.a}", "带来了{v}"),
        p("what did {p} bring", "{p}带来了什么"),
    ),
    act(
        Class::Drink,
        p("drink {v.a}", "喝{v}"),
        p("drank {v.a}", "喝了{v}"),
        p("what did {p} drink", "{p}喝了什么"),
    ),
    act(
        Class::Drink,
        p("order {v.a}", "点{v}"),
        p("ordered {v.a}", "点了{v}"),
        p("what did {p} order", "{p}点了什么"),
    ),
    act(
        Class::Drink,
        p("ask for {v.a}", "要{v}"),
        p("asked for {v.a}", "要了{v}"),
        p("what did {p} ask for", "{p}要了什么"),
    ),
    act(
        Class::Object,
        p("buy {v.a}", "买{v}"),
        p("bought {v.a}", "买了{v}"),
        p("what did {p} buy", "{p}买了什么"),
    ),
    act(
        Class::Object,
        p("buy {v.a}", "买{v}"),
        p("bought {v.a}", "买了{v}"),
        p("what did {p} buy", "{p}买了什么"),
    ),
    act(
        Class::Object,
        p("lose {v.a}", "弄丢{v}"),
        p("lost {v.a}", "弄丢了{v}"),
        p("what did {p} lose", "{p}弄丢了什么"),
    ),
    act(
        Class::Object,
        p("borrow {v.a}", "借{v}"),
        p("borrowed {v.a}", "借了{v}"),
        p("what did {p} borrow", "{p}借了什么"),
    ),
    act(
        Class::Object,
        p("find {v.a}", "找到{v}"),
        p("found {v.a}", "找到了{v}"),
        p("what did {p} find", "{p}找到了什么"),
    ),
    act(
        Class::Animal,
        p("see {v.a}", "看见{v}"),
        p("saw {v.a}", "看见了{v}"),
        p("which animal did {p} see", "{p}看见了什么动物"),
    ),
    act(
        Class::Animal,
        p("draw {v.a}", "画{v}"),
        p("drew {v.a}", "画了{v}"),
        p("which animal did {p} draw", "{p}画了什么动物"),
    ),
    act(
        Class::Animal,
        p("dream of {v.a}", "梦见{v}"),
        p("dreamed of {v.a}", "梦见了{v}"),
        p("which animal did {p} dream of", "{p}梦见了什么动物"),
    ),
    act(
        Class::Animal,
        p("photograph {v.a}", "拍{v}"),
        p("photographed {v.a}", "拍到了{v}"),
        p("which animal did {p} photograph", "{p}拍到了什么动物"),
    ),
    act(Class::Activity, p("", ""), p("", ""), p("what did {p} do", "{p}做了什么")),
    act(Class::Activity, p("", ""), p("", ""), p("what did {p} do", "{p}做什么了")),
];

/// An act with its value filled in, in one language.
pub(crate) struct Forms {
    /// `go to the park`; `去公园`.
    pub(crate) base: String,
    /// `went to the park`; `去了公园`.
    pub(crate) past: String,
    /// `eat any rice` after a denial; Chinese as `base`.
    pub(crate) denied: String,
    /// The question for the value, over `{p}`, without its mark.
    pub(crate) wh: &'static str,
    /// The completed form up to the value: `去了`.
    pub(crate) stem: String,
}

impl Act {
    /// An act about values of the class ([`ACT_CLASSES`] only).
    pub(crate) fn draw(draw: &mut Draw, class: Class) -> &'static Act {
        let count = ACTS.iter().filter(|a| a.class == class).count();
        let nth = draw.below(count);
        ACTS.iter().filter(|a| a.class == class).nth(nth).unwrap_or(&ACTS[0])
    }

    /// An act that one can plan, hope for or refuse: not losing, finding, seeing or dreaming.
    pub(crate) fn willed(draw: &mut Draw, class: Class) -> &'static Act {
        loop {
            let act = Act::draw(draw, class);
            if !["lose", "find", "see", "dream"].iter().any(|verb| act.base.en.starts_with(verb)) {
                return act;
            }
        }
    }

    pub(crate) fn forms(&self, language: Language, value: Value) -> Forms {
        let wh = self.wh.get(language);
        if self.class == Class::Activity {
            let a = &ACTIVITIES[value.index];
            let (base, past) = match language {
                Language::En => (a.base.to_owned(), a.past.to_owned()),
                Language::Zh => (a.zh.to_owned(), a.zh_done.to_owned()),
            };
            return Forms { denied: base.clone(), base, past, wh, stem: String::new() };
        }
        self.about(language, value.noun())
    }

    /// The act about any noun that its verb can take; not for activities.
    pub(crate) fn about(&self, language: Language, noun: Noun) -> Forms {
        let wh = self.wh.get(language);
        let mut slots = Slots::new(language);
        slots.noun("v", noun);
        let stem = self.past.get(language).split('{').next().unwrap_or_default().to_owned();
        // No alternatives in these templates: the draw is never consulted.
        let mut draw = Draw::new(0, "forms", 0);
        let mut fill = |pair: Pair| slots.fill(&mut draw, pair.get(language));
        let base = fill(self.base);
        Forms { denied: base.replace(" some ", " any "), base, past: fill(self.past), wh, stem }
    }
}
