//! One question with its options, before it becomes a benchmark item or a training document.

use crate::Language;
use crate::template::sentence_case;

/// A prompt with the strings that may follow it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sample {
    pub(crate) context: String,
    pub(crate) options: Vec<String>,
    /// Position of the right option; `None` for generation.
    pub(crate) key: Option<usize>,
    pub(crate) reference: Option<String>,
}

impl Sample {
    /// A choice: `right` is put at position `key` among the wrong options.
    pub(crate) fn choice(context: String, right: String, wrong: Vec<String>, key: usize) -> Sample {
        let mut options = wrong;
        let key = key.min(options.len());
        options.insert(key, right);
        Sample { context, options, key: Some(key), reference: None }
    }

    /// A fixed set of options.
    pub(crate) fn fixed(context: String, options: [&str; 2], key: usize) -> Sample {
        let options = options.map(str::to_owned).to_vec();
        Sample { context, options, key: Some(key), reference: None }
    }

    /// The sample solved: what training text shows.
    pub(crate) fn solved(&self, language: Language) -> String {
        let answer = match (self.key, &self.reference) {
            (Some(key), _) => self.options[key].clone(),
            (None, Some(reference)) if language == Language::En => format!(" {reference}"),
            (None, Some(reference)) => reference.clone(),
            (None, None) => String::new(),
        };
        format!("{}{answer}", self.context)
    }
}

/// An English option starts with a space; a Chinese one does not.
pub(crate) fn option(language: Language, text: &str) -> String {
    match language {
        Language::En => format!(" {text}"),
        Language::Zh => text.to_owned(),
    }
}

/// Joins clauses into sentences with capitals and full stops.
pub(crate) fn sentences(language: Language, clauses: &[String]) -> String {
    let mut text = String::new();
    for clause in clauses.iter().filter(|c| !c.is_empty()) {
        if !text.is_empty() && language == Language::En {
            text.push(' ');
        }
        text.push_str(&sentence_case(language, clause.clone()));
        if !clause.ends_with(['.', '!', '?', '。', '！', '？', '"', '”', '：']) {
            text.push_str(match language {
                Language::En => ".",
                Language::Zh => "。",
            });
        }
    }
    text
}
