//! One question of a benchmark.

use serde::{Deserialize, Serialize};

use crate::fingerprint::fingerprint;
use crate::form::Form;

/// A question: either a choice (`options` and `key`) or one to be answered in free text
/// (`reference`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Unique within its benchmark and language.
    pub id: String,
    /// Name of the benchmark.
    pub benchmark: String,
    /// Language code: `en`, `zh`, ...
    pub language: String,
    /// The text before the option, or before what is to be generated.
    pub context: String,
    /// The texts that may follow the context, each with the space that belongs before it.
    #[serde(default)]
    pub options: Vec<String>,
    /// Position of the right option.
    #[serde(default)]
    pub key: Option<usize>,
    /// The answer that generated text is compared with.
    #[serde(default)]
    pub reference: Option<String>,
    /// What is known of an item of a published benchmark besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<Form>,
}

/// What is wrong with an item.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ItemProblem {
    /// Not UTF-8.
    #[error("byte {byte} of the line is not valid UTF-8; save the file as UTF-8")]
    Encoding {
        /// Byte of the line, from 1.
        byte: usize,
    },
    /// Not JSON.
    #[error("not a JSON object: {reason}")]
    Json {
        /// What the parser says, with the column.
        reason: String,
    },
    /// The last line stops in the middle.
    #[error("the last line is cut off; copy the file again")]
    CutOff,
    /// A field is missing.
    #[error("`{field}` is missing")]
    Missing {
        /// Name of the field.
        field: &'static str,
    },
    /// A field is of the wrong type.
    #[error("`{field}` must be {expected}, not {found}")]
    Type {
        /// Name of the field.
        field: &'static str,
        /// What it must be.
        expected: &'static str,
        /// What it is.
        found: String,
    },
    /// A field that names something is empty.
    #[error("`{field}` is empty")]
    Empty {
        /// Name of the field.
        field: &'static str,
    },
    /// An option without text.
    #[error("option {option} (counting from 0) is empty")]
    EmptyOption {
        /// Position of the option.
        option: usize,
    },
    /// Two options are the same.
    #[error("options {first} and {second} (counting from 0) are both {text:?}")]
    DuplicateOption {
        /// Position of the first.
        first: usize,
        /// Position of the second.
        second: usize,
        /// Their text.
        text: String,
    },
    /// A choice of one.
    #[error("a choice needs at least two options but there is one")]
    OneOption,
    /// Options without a key.
    #[error("`key` is missing: the position of the right option, counting from 0")]
    NoKey,
    /// The key is no option.
    #[error("`key` is {key} but the {options} options are counted from 0 to {}", options - 1)]
    KeyOutside {
        /// The key.
        key: usize,
        /// Number of options.
        options: usize,
    },
    /// Not a context for each option.
    #[error("there are {contexts} contexts for {options} options")]
    Contexts {
        /// Number of contexts.
        contexts: usize,
        /// Number of options.
        options: usize,
    },
    /// A key without options.
    #[error("`key` is given without `options`")]
    KeyWithoutOptions,
    /// Neither options nor reference.
    #[error("there are neither `options` (a choice) nor a `reference` (free text)")]
    NoQuestion,
    /// Both options and a reference.
    #[error("there are both `options` (a choice) and a `reference` (free text); keep one")]
    BothQuestions,
    /// The id was used before.
    #[error("`id` {id:?} was used on line {line} already; ids must be unique in a benchmark")]
    DuplicateId {
        /// The id.
        id: String,
        /// Line of its first use, or the item's position from 1.
        line: usize,
    },
}

impl Item {
    /// Whether options are to be ranked (rather than text generated).
    pub fn is_choice(&self) -> bool {
        !self.options.is_empty()
    }

    /// Checks that the item can be asked and scored.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<(), ItemProblem> {
        for (field, text) in
            [("id", &self.id), ("benchmark", &self.benchmark), ("language", &self.language)]
        {
            if text.trim().is_empty() {
                return Err(ItemProblem::Empty { field });
            }
        }
        if self.options.is_empty() {
            return match (&self.reference, self.key) {
                (_, Some(_)) => Err(ItemProblem::KeyWithoutOptions),
                (None, None) => Err(ItemProblem::NoQuestion),
                (Some(text), None) if text.trim().is_empty() => {
                    Err(ItemProblem::Empty { field: "reference" })
                }
                (Some(_), None) => Ok(()),
            };
        }
        if self.reference.is_some() {
            return Err(ItemProblem::BothQuestions);
        }
        // Spaces around an option decide how it is joined, not what it says.
        let texts: Vec<&str> = self.options.iter().map(|option| option.trim()).collect();
        if let Some(option) = texts.iter().position(|text| text.is_empty()) {
            return Err(ItemProblem::EmptyOption { option });
        }
        let mut seen = std::collections::BTreeMap::new();
        for (second, text) in texts.iter().enumerate() {
            // Published benchmarks are scored as they are, whatever is wrong with some of their items.
            if let Some(first) = seen.insert(text, second).filter(|_| self.form.is_none()) {
                let text = (*text).to_owned();
                return Err(ItemProblem::DuplicateOption { first, second, text });
            }
        }
        if let Some(form) = &self.form {
            let (contexts, options) = (form.contexts.len(), texts.len());
            if contexts > 0 && contexts != options {
                return Err(ItemProblem::Contexts { contexts, options });
            }
            if let Some(key) = form.keys.iter().copied().find(|key| *key >= options) {
                return Err(ItemProblem::KeyOutside { key, options });
            }
        }
        match self.key {
            _ if texts.len() == 1 && self.form.is_none() => Err(ItemProblem::OneOption),
            None => Err(ItemProblem::NoKey),
            Some(key) if key >= texts.len() => {
                Err(ItemProblem::KeyOutside { key, options: texts.len() })
            }
            Some(_) => Ok(()),
        }
    }

    /// The context of an option.
    pub fn context_of(&self, option: usize) -> &str {
        let own = self.form.as_ref().and_then(|form| form.contexts.get(option));
        own.unwrap_or(&self.context)
    }

    /// Fingerprint of the whole item: FNV-1a-128 of its JSON with the keys in alphabetical order
    /// and without spaces, absent fields as `null`, and `form` at the end where there is one.
    pub fn document_hash(&self) -> String {
        // The map keeps the order in which it is written here.
        let mut canonical = serde_json::json!({
            "benchmark": self.benchmark,
            "context": self.context,
            "id": self.id,
            "key": self.key,
            "language": self.language,
            "options": self.options,
            "reference": self.reference,
        });
        if let Some(form) = &self.form {
            canonical["form"] = serde_json::json!(form);
        }
        fingerprint(canonical.to_string().as_bytes())
    }

    /// Fingerprint of what the model reads: FNV-1a-128 of the JSON list of the context and the
    /// options, after the options' own contexts where they have some.
    pub fn prompt_hash(&self) -> String {
        let own = self.form.iter().flat_map(|form| form.contexts.iter().map(String::as_str));
        let texts: Vec<&str> = own
            .chain(std::iter::once(self.context.as_str()))
            .chain(self.options.iter().map(String::as_str))
            .collect();
        fingerprint(serde_json::json!(texts).to_string().as_bytes())
    }
}

/// The items of one benchmark in one language.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Benchmark {
    /// Name of the benchmark.
    pub name: String,
    /// Language code.
    pub language: String,
    /// Its questions.
    pub items: Vec<Item>,
}

impl Benchmark {
    /// Sorts items into benchmarks by name and language, in the order of their first item.
    pub fn group(items: Vec<Item>) -> Vec<Self> {
        let mut places = std::collections::BTreeMap::new();
        let mut benchmarks = Vec::<Self>::new();
        for item in items {
            let key = (item.benchmark.clone(), item.language.clone());
            let place = *places.entry(key).or_insert(benchmarks.len());
            if place == benchmarks.len() {
                let (name, language) = (item.benchmark.clone(), item.language.clone());
                benchmarks.push(Self { name, language, items: Vec::new() });
            }
            benchmarks[place].items.push(item);
        }
        benchmarks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item() -> Item {
        Item {
            id: "q1".into(),
            benchmark: "exam".into(),
            language: "en".into(),
            context: "Is it?".into(),
            options: vec![" yes".into(), " no".into()],
            key: Some(1),
            ..Item::default()
        }
    }

    #[test]
    fn published_items_may_be_odd() {
        let form = Some(Form::default());
        let same = Item { options: vec!["a".into(), " a".into()], ..item() };
        assert!(same.check().is_err());
        assert_eq!(Item { form: form.clone(), ..same.clone() }.check(), Ok(()));
        let single = Item { options: vec!["a".into()], key: Some(0), form, ..item() };
        assert_eq!(single.check(), Ok(()));
        let with = |form| Item { form: Some(form), ..item() };
        let contexts = with(Form { contexts: vec!["a".into()], ..Form::default() });
        assert_eq!(contexts.check(), Err(ItemProblem::Contexts { contexts: 1, options: 2 }));
        let keys = with(Form { keys: vec![0, 2], ..Form::default() });
        assert_eq!(keys.check(), Err(ItemProblem::KeyOutside { key: 2, options: 2 }));
        let own = with(Form { contexts: vec!["x".into(), "y".into()], ..Form::default() });
        assert_eq!((own.context_of(1), item().context_of(1)), ("y", "Is it?"));
        assert_ne!(own.prompt_hash(), item().prompt_hash());
        assert_ne!(own.document_hash(), item().document_hash());
    }

    #[test]
    fn fingerprints_stay_what_they_are() {
        // Stored rows carry them: a change makes old rows unpairable.
        // python3: fnv1a_128('{"benchmark":"exam","context":"Is it?","id":"q1","key":1,
        // "language":"en","options":[" yes"," no"],"reference":null}') and of
        // '["Is it?"," yes"," no"]'.
        assert_eq!(item().document_hash(), "964dca7bee995a9d5f3be79400d262da");
        assert_eq!(item().prompt_hash(), "df71e78a48cc9eb1bf800905c250e4fb");
    }

    #[test]
    fn every_field_enters_the_document_hash() {
        let changes: [fn(&mut Item); 7] = [
            |item| item.id.push('x'),
            |item| item.benchmark.push('x'),
            |item| item.language.push('x'),
            |item| item.context.push('x'),
            |item| item.options[0].push('x'),
            |item| item.key = Some(0),
            |item| item.reference = Some("x".into()),
        ];
        for change in changes {
            let mut changed = item();
            change(&mut changed);
            assert_ne!(changed.document_hash(), item().document_hash());
        }
        let moved = Item { context: "Is it? yes".into(), options: vec![" no".into()], ..item() };
        assert_ne!(moved.prompt_hash(), item().prompt_hash());
    }

    #[test]
    fn groups_keep_the_order_of_first_items() {
        let named = |benchmark: &str, language: &str, id: &str| Item {
            benchmark: benchmark.into(),
            language: language.into(),
            id: id.into(),
            ..item()
        };
        let groups = Benchmark::group(vec![
            named("b", "zh", "1"),
            named("a", "en", "2"),
            named("b", "en", "3"),
            named("b", "zh", "4"),
        ]);
        let summary: Vec<_> = groups
            .iter()
            .map(|group| (group.name.as_str(), group.language.as_str(), group.items.len()))
            .collect();
        assert_eq!(summary, [("b", "zh", 2), ("a", "en", 1), ("b", "en", 1)]);
    }
}
