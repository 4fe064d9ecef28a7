//! The template language of the text: `{key}` and `{key.field}` insert a slot, `{a key}` puts the
//! English article before it, `[one|another|]` chooses one alternative. Templates nest, and
//! inserted text is itself a template.

use std::borrow::Cow;

use crate::Language;
use crate::draw::Draw;
use crate::lexicon::{Noun, PEOPLE, article};

enum Value {
    Text(Cow<'static, str>),
    Noun(Noun),
    Person(usize),
}

/// The values that a template may name, in one language.
pub(crate) struct Slots {
    language: Language,
    values: Vec<(&'static str, Value)>,
}

impl Slots {
    pub(crate) fn new(language: Language) -> Slots {
        Slots { language, values: Vec::with_capacity(16) }
    }

    fn set(&mut self, key: &'static str, value: Value) {
        match self.values.iter_mut().find(|(k, _)| *k == key) {
            Some(entry) => entry.1 = value,
            None => self.values.push((key, value)),
        }
    }

    pub(crate) fn text(
        &mut self,
        key: &'static str,
        text: impl Into<Cow<'static, str>>,
    ) -> &mut Slots {
        self.set(key, Value::Text(text.into()));
        self
    }

    pub(crate) fn noun(&mut self, key: &'static str, noun: Noun) -> &mut Slots {
        self.set(key, Value::Noun(noun));
        self
    }

    pub(crate) fn person(&mut self, key: &'static str, person: usize) -> &mut Slots {
        self.set(key, Value::Person(person));
        self
    }

    /// The slot's text, or `None` for a name that is not set (the caller keeps the braces, which
    /// a test looks for in every kind of document).
    fn get(&self, key: &str) -> Option<Cow<'_, str>> {
        let (name, field) = key.split_once('.').unwrap_or((key, ""));
        let (_, value) = self.values.iter().find(|(k, _)| *k == name)?;
        Some(match value {
            Value::Text(text) if field.is_empty() => Cow::Borrowed(text.as_ref()),
            Value::Text(_) => return None,
            Value::Noun(noun) => match field {
                "" if self.language == Language::En => Cow::Borrowed(noun.en),
                "" => Cow::Borrowed(noun.zh),
                "s" => Cow::Borrowed(noun.many(self.language)),
                "a" => Cow::Owned(noun.counted(self.language)),
                "one" if self.language == Language::En => {
                    // A kind as such: "an owl", but "rice".
                    if noun.plural.is_empty() {
                        Cow::Borrowed(noun.en)
                    } else {
                        Cow::Owned(noun.counted(self.language))
                    }
                }
                "one" => Cow::Borrowed(noun.zh),
                "this" => Cow::Owned(format!("这{}{}", noun.measure, noun.zh)),
                "are" => Cow::Borrowed(if noun.plural.is_empty() { "is" } else { "are" }),
                "do" => Cow::Borrowed(if noun.plural.is_empty() { "does" } else { "do" }),
                "v" => Cow::Borrowed(if noun.plural.is_empty() { "s" } else { "" }),
                _ => return None,
            },
            Value::Person(index) => {
                let person = &PEOPLE[*index];
                let f = person.female;
                Cow::Borrowed(match (self.language, field) {
                    (Language::En, "") => person.en,
                    (Language::En, "he") => {
                        if f {
                            "she"
                        } else {
                            "he"
                        }
                    }
                    (Language::En, "him") => {
                        if f {
                            "her"
                        } else {
                            "him"
                        }
                    }
                    (Language::En, "his") => {
                        if f {
                            "her"
                        } else {
                            "his"
                        }
                    }
                    (Language::Zh, "") => person.zh,
                    (Language::Zh, "he" | "him" | "his") => {
                        if f {
                            "她"
                        } else {
                            "他"
                        }
                    }
                    _ => return None,
                })
            }
        })
    }

    /// Expands a template.
    pub(crate) fn fill(&self, draw: &mut Draw, template: &str) -> String {
        let mut out = String::with_capacity(template.len() * 2);
        self.expand(draw, template, &mut out);
        out
    }

    fn expand(&self, draw: &mut Draw, template: &str, out: &mut String) {
        let mut rest = template;
        while let Some(at) = rest.find(['{', '[']) {
            out.push_str(&rest[..at]);
            let opened = &rest[at..];
            if opened.starts_with('{') {
                let end = opened.find('}').map_or(opened.len(), |e| e + 1);
                self.insert(draw, &opened[..end], out);
                rest = &opened[end..];
            } else {
                let (end, bars) = alternatives(opened);
                let choice = draw.below(bars.len() - 1);
                self.expand(draw, &opened[bars[choice] + 1..bars[choice + 1]], out);
                rest = &opened[end..];
            }
        }
        out.push_str(rest);
    }

    fn insert(&self, draw: &mut Draw, braced: &str, out: &mut String) {
        let inner = braced.trim_start_matches('{').trim_end_matches('}');
        let (with_article, key) = match inner.strip_prefix("a ") {
            Some(key) => (true, key),
            None => (false, inner),
        };
        let Some(text) = self.get(key) else {
            out.push_str(braced);
            return;
        };
        if with_article && self.language == Language::En {
            out.push_str(article(&text));
            out.push(' ');
        }
        if text.contains(['{', '[']) {
            self.expand(draw, &text, out);
        } else {
            out.push_str(&text);
        }
    }
}

/// For text that starts with `[`: the byte length up to and with the matching `]`, and the
/// positions of the bracket, of each top-level bar, and of the closing bracket.
fn alternatives(opened: &str) -> (usize, Vec<usize>) {
    let mut depth = 0usize;
    let mut marks = Vec::with_capacity(6);
    for (i, byte) in opened.bytes().enumerate() {
        match byte {
            b'[' => {
                depth += 1;
                if depth == 1 {
                    marks.push(i);
                }
            }
            b'|' if depth == 1 => marks.push(i),
            b']' => {
                depth -= 1;
                if depth == 0 {
                    marks.push(i);
                    return (i + 1, marks);
                }
            }
            _ => {}
        }
    }
    marks.push(opened.len());
    (opened.len(), marks)
}

/// Capitalises English text: its first letter, and the letters that open a sentence, a line or a
/// quotation. Chinese text comes back unchanged.
pub(crate) fn sentence_case(language: Language, text: String) -> String {
    if language == Language::Zh {
        return text;
    }
    let mut bytes = text.into_bytes();
    let mut open = true;
    for i in 0..bytes.len() {
        let byte = bytes[i];
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' if open => {
                bytes[i] = byte.to_ascii_uppercase();
                open = false;
            }
            b'.' | b'!' | b'?' | b'\n' => open = true,
            b'"' if i == 0 || matches!(bytes[i - 1], b' ' | b'\n') => open = true,
            // A question inside a sentence: "is it so?" asked Tom.
            b'"' if matches!(bytes[i - 1], b'?' | b'!') => open = false,
            b' ' | b'"' => {}
            _ => open = false,
        }
    }
    // Only ASCII letters changed case, so the bytes are still UTF-8.
    String::from_utf8(bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lexicon::n;

    fn check(language: Language, template: &str, expect: &str) {
        let mut slots = Slots::new(language);
        slots
            .person("p", 0)
            .noun("v", n("owl", "owls", "猫头鹰", "只"))
            .noun("m", n("rice", "", "米饭", "碗"));
        slots.text("nested", "saw {v.a}");
        assert_eq!(slots.fill(&mut Draw::new(0, "t", 0), template), expect);
    }

    #[test]
    fn slots_fill_in_both_languages() {
        check(
            Language::En,
            "{p} {nested}, then {p.he} ate {m.a}",
            "Emma saw an owl, then she ate some rice",
        );
        check(Language::Zh, "{p}看见{v.a}，{p.he}吃了{m.a}", "王芳看见一只猫头鹰，她吃了一碗米饭");
        check(Language::En, "{a v} and [[the]] {v.s} {v.are}", "an owl and the owls are");
        check(Language::En, "{missing}", "{missing}");
    }

    #[test]
    fn alternatives_are_all_reached() {
        let slots = Slots::new(Language::En);
        let mut draw = Draw::new(3, "t", 0);
        let mut seen: Vec<String> =
            (0..200).map(|_| slots.fill(&mut draw, "x[a|b[1|2]|]")).collect();
        seen.sort();
        seen.dedup();
        assert_eq!(seen, ["x", "xa", "xb1", "xb2"]);
    }

    #[test]
    fn sentences_start_with_capitals() {
        let text = "he ran. \"come here!\" said Ann. \"no.\" then\nit rained";
        let cased = sentence_case(Language::En, text.to_owned());
        assert_eq!(cased, "He ran. \"Come here!\" said Ann. \"No.\" Then\nIt rained");
    }
}
