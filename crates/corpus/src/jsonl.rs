//! JSON lines: one object a line, the text in one of its fields.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::CorpusError;
use crate::clean::clean;
use crate::lines::Lines;

/// Documents of one jsonl file.
pub(crate) struct JsonReader {
    pub(crate) lines: Lines,
    pub(crate) field: String,
}

impl JsonReader {
    pub(crate) fn next_document(&mut self) -> Result<Option<String>, CorpusError> {
        while let Some(line) = self.lines.next_line()? {
            let line = line.trim_start_matches('\u{feff}');
            if line.trim().is_empty() {
                continue;
            }
            let text = text_of(line, &self.field).map_err(|reason| CorpusError::Json {
                path: self.lines.path().to_owned(),
                line: self.lines.line(),
                reason,
            })?;
            let text = clean(&text);
            if !text.is_empty() {
                return Ok(Some(text));
            }
        }
        Ok(None)
    }
}

/// The string in `field` of the object in `line`.
fn text_of(line: &str, field: &str) -> Result<String, String> {
    let mut json = serde_json::Deserializer::from_str(line);
    let text = TextField(field).deserialize(&mut json);
    match text.and_then(|text| json.end().map(|()| text)) {
        Ok(Some(text)) => Ok(text),
        Ok(None) => Err(format!(
            "the object has no field `{field}`: name the one with the text in `text_field`"
        )),
        // serde_json counts lines inside this one: only its column means something here.
        Err(error) => {
            let message = error.to_string();
            let message = message.split(" at line ").next().unwrap_or_default();
            Err(format!("column {}: {message}", error.column()))
        }
    }
}

/// Reads one string field of an object and skips the others without building them.
struct TextField<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for TextField<'_> {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for TextField<'_> {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with a string in `{}`", self.0)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut text = None;
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            if key == self.0 {
                text = Some(map.next_value::<String>()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(text)
    }
}
