//! The bilingual tables: every row is one language-neutral thing with its English and its
//! Chinese realisation. Nothing here draws at random; the world does that.

mod activities;
mod animals;
mod causes;
mod feelings;
mod foods;
mod goals;
mod jobs;
mod news;
mod objects;
mod opinions;
mod people;
mod places;
mod relations;
mod routines;
mod science;
mod settings;
mod words;

pub(crate) use activities::ACTIVITIES;
pub(crate) use animals::ANIMALS;
pub(crate) use causes::CAUSES;
pub(crate) use feelings::{FEELING_EVENTS, FEELINGS};
pub(crate) use foods::{DRINKS, FOODS};
pub(crate) use goals::GOALS;
pub(crate) use jobs::JOBS;
pub(crate) use news::NEWS;
pub(crate) use objects::OBJECTS;
pub(crate) use opinions::{GENERIC_OPINIONS, Opinions, PRODUCT_CLASSES, PRODUCTS};
pub(crate) use people::PEOPLE;
pub(crate) use places::{CRAFTS, PLACES, REGIONS, RIVERS, TOWNS};
pub(crate) use relations::{
    ANIMAL_CLASS, Asked, COLOUR, CRAFT, DIET, GENERAL_FACT, GROWS, HABITAT, HOME, JOB, OPPOSITE,
    PROPERTY, PURPOSE, REGION, RELATIONS, RIVER, Relation, TASK, TASTE, TREATMENT, VOICE,
    WORKPLACE,
};
pub(crate) use routines::{ROUTINE_GROUP, ROUTINES};
pub(crate) use science::{GENERAL, PROPERTIES, THINGS, TREATMENTS};
pub(crate) use settings::SETTINGS;
pub(crate) use words::{ANTONYMS, DAYS, TIMES, WEATHER};

use crate::Language;

/// One meaning in both languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) en: &'static str,
    pub(crate) zh: &'static str,
}

/// Shorthand for a [`Pair`].
pub(crate) const fn p(en: &'static str, zh: &'static str) -> Pair {
    Pair { en, zh }
}

impl Pair {
    pub(crate) fn get(self, language: Language) -> &'static str {
        match language {
            Language::En => self.en,
            Language::Zh => self.zh,
        }
    }
}

/// A thing with a name: `plural` is empty for mass nouns and proper names; `measure` is the
/// Chinese measure word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Noun {
    pub(crate) en: &'static str,
    pub(crate) plural: &'static str,
    pub(crate) zh: &'static str,
    pub(crate) measure: &'static str,
}

/// Shorthand for a [`Noun`].
pub(crate) const fn n(
    en: &'static str,
    plural: &'static str,
    zh: &'static str,
    measure: &'static str,
) -> Noun {
    Noun { en, plural, zh, measure }
}

impl Noun {
    /// A proper name: no plural, no measure word.
    pub(crate) const fn named(pair: Pair) -> Noun {
        n(pair.en, "", pair.zh, "")
    }

    pub(crate) const fn pair(self) -> Pair {
        p(self.en, self.zh)
    }

    /// `an apple`, `some rice`; `一个苹果`.
    pub(crate) fn counted(self, language: Language) -> String {
        match language {
            Language::En if self.plural.is_empty() => format!("some {}", self.en),
            Language::En => format!("{} {}", article(self.en), self.en),
            Language::Zh => format!("一{}{}", self.measure, self.zh),
        }
    }

    /// `apples`, `rice`; `苹果`.
    pub(crate) fn many(self, language: Language) -> &'static str {
        match language {
            Language::En if self.plural.is_empty() => self.en,
            Language::En => self.plural,
            Language::Zh => self.zh,
        }
    }
}

/// The English indefinite article of a word, by its first letter; the lexicon has few exceptions.
pub(crate) fn article(word: &str) -> &'static str {
    const SILENT: [&str; 2] = ["hour", "honest"];
    const CONSONANT: [&str; 4] = ["uni", "use", "eu", "one"];
    if SILENT.iter().any(|s| word.starts_with(s)) {
        return "an";
    }
    if CONSONANT.iter().any(|s| word.starts_with(s)) {
        return "a";
    }
    match word.as_bytes().first() {
        Some(b'a' | b'e' | b'i' | b'o' | b'u' | b'A' | b'E' | b'I' | b'O' | b'U') => "an",
        _ => "a",
    }
}
