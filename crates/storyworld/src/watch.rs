//! Finds people and values in finished text, and refuses training text in which a reserved pair
//! of them occurs together. It reads the text itself, not the generator's intentions, so a value
//! that slipped in through a template or a routine counts too.

use std::collections::HashMap;

use crate::Language;
use crate::lexicon::PEOPLE;
use crate::values::{CLASSES, Value};

/// Looks up surface strings. The hash maps are only ever probed, never iterated.
pub(crate) struct Watch {
    /// First word (lower case) to the full word sequences.
    english: HashMap<&'static str, Vec<(Vec<&'static str>, Entity)>>,
    /// First character to the full strings.
    chinese: HashMap<char, Vec<(&'static str, Entity)>>,
    names: HashMap<&'static str, usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Entity {
    Person(usize),
    Value(Value),
}

impl Watch {
    pub(crate) fn new() -> Watch {
        let mut watch =
            Watch { english: HashMap::new(), chinese: HashMap::new(), names: HashMap::new() };
        for (i, person) in PEOPLE.iter().enumerate() {
            watch.names.insert(person.en, i);
            watch.add_chinese(person.zh, Entity::Person(i));
        }
        for class in CLASSES {
            for index in 0..class.len() {
                let value = Value { class, index };
                for surface in value.surfaces(Language::En) {
                    let words: Vec<&'static str> = words(surface).collect();
                    if let Some(first) = words.first() {
                        watch
                            .english
                            .entry(first)
                            .or_default()
                            .push((words.clone(), Entity::Value(value)));
                    }
                }
                for surface in value.surfaces(Language::Zh) {
                    watch.add_chinese(surface, Entity::Value(value));
                }
            }
        }
        watch
    }

    fn add_chinese(&mut self, surface: &'static str, entity: Entity) {
        if let Some(first) = surface.chars().next() {
            self.chinese.entry(first).or_default().push((surface, entity));
        }
    }

    /// The people and values that the text names, each once.
    pub(crate) fn entities(&self, language: Language, text: &str) -> Vec<Entity> {
        let mut found = match language {
            Language::En => self.english_entities(text),
            Language::Zh => self.chinese_entities(text),
        };
        found.sort_unstable();
        found.dedup();
        found
    }

    fn english_entities(&self, text: &str) -> Vec<Entity> {
        let mut found = Vec::new();
        let tokens: Vec<&str> = words(text).collect();
        let mut lower = String::new();
        for (at, token) in tokens.iter().enumerate() {
            if let Some(&person) = self.names.get(token) {
                found.push(Entity::Person(person));
            }
            // Table entries keep the case of town names; running text may capitalise any word.
            lower.clear();
            lower.extend(token.chars().map(|c| c.to_ascii_lowercase()));
            for first in [*token, lower.as_str()] {
                for (sequence, entity) in self.english.get(first).into_iter().flatten() {
                    let rest = &tokens[at + 1..];
                    if rest.len() + 1 >= sequence.len()
                        && rest.iter().zip(&sequence[1..]).all(|(a, b)| a == b)
                    {
                        found.push(*entity);
                    }
                }
            }
        }
        found
    }

    fn chinese_entities(&self, text: &str) -> Vec<Entity> {
        let mut found = Vec::new();
        for (at, first) in text.char_indices() {
            for (surface, entity) in self.chinese.get(&first).into_iter().flatten() {
                if text[at..].starts_with(surface) {
                    found.push(*entity);
                }
            }
        }
        found
    }
}

/// Maximal runs of ASCII letters.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphabetic()).filter(|w| !w.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::Class;

    #[test]
    fn entities_are_found_by_their_surface() {
        let watch = Watch::new();
        let found = watch.entities(
            Language::En,
            "Libraries are quiet, said Emma. She went to the train station.",
        );
        assert!(found.contains(&Entity::Person(0)));
        assert!(found.contains(&Entity::Value(Value { class: Class::Place, index: 1 })));
        assert!(found.contains(&Entity::Value(Value { class: Class::Place, index: 5 })));
        assert!(!found.contains(&Entity::Value(Value { class: Class::Place, index: 0 })));
        let found = watch.entities(Language::Zh, "王芳去了图书馆。");
        assert_eq!(
            found,
            [Entity::Person(0), Entity::Value(Value { class: Class::Place, index: 1 })]
        );
    }
}
