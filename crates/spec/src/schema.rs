//! The JSON Schema of the study file. It is derived from the tables' types and drives the
//! checks of this crate, so that editors and `ablate check` agree.

use std::sync::OnceLock;

use schemars::generate::SchemaSettings;
use schemars::{Schema, transform::Transform};
use serde_json::{Map, Value as Json};

use crate::file::StudyFile;

/// Where all references of draft 07 point to.
const DEFINITIONS: &str = "#/definitions/";

/// Draft-07 JSON Schema of the study file. The same for every call.
pub fn schema() -> Json {
    root().clone()
}

pub(crate) fn root() -> &'static Json {
    static ROOT: OnceLock<Json> = OnceLock::new();
    ROOT.get_or_init(|| {
        let settings = SchemaSettings::draft07().with(|settings| {
            settings.transforms.insert(0, Box::new(WithoutNull));
        });
        settings.into_generator().into_root_schema_for::<StudyFile>().to_value()
    })
}

/// The schema of a part of the base, as in a delta.
pub(crate) fn base() -> &'static Json {
    static MISSING: Json = Json::Null;
    root().pointer("/definitions/SetTable").unwrap_or(&MISSING)
}

/// Follows references.
pub(crate) fn resolve(mut schema: &'static Json) -> &'static Json {
    loop {
        let reference = match schema.get("allOf").and_then(|all| all.get(0)) {
            Some(first) => first.get("$ref"),
            None => schema.get("$ref"),
        };
        // By hand, for this runs for every key of every variant and a pointer is unescaped each time.
        let name = reference.and_then(Json::as_str).and_then(|at| at.strip_prefix(DEFINITIONS));
        match name.and_then(|name| root().get("definitions")?.get(name)) {
            Some(next) => schema = next,
            None => return schema,
        }
    }
}

/// The named keys of a table's schema.
pub(crate) fn properties(schema: &'static Json) -> Option<&'static Map<String, Json>> {
    resolve(schema).get("properties").and_then(Json::as_object)
}

/// Whether what has named keys can be a plain number instead.
pub(crate) fn is_number_too(schema: &'static Json) -> bool {
    let kinds = resolve(schema).get("type").and_then(Json::as_array);
    kinds.is_some_and(|kinds| kinds.iter().any(|kind| kind == "number"))
}

/// The strings that an enum takes.
type Words = Vec<&'static str>;

/// The tags that an enum takes, with the schemas of their contents.
type Tags = Vec<(&'static str, &'static Json)>;

/// The alternatives of an enum.
pub(crate) fn alternatives(schema: &'static Json) -> Option<(Words, Tags)> {
    let schema = resolve(schema);
    let mut words = Vec::new();
    let mut tags = Vec::new();
    let mut add = |part: &'static Json| {
        words.extend(part.get("const").and_then(Json::as_str));
        let several = part.get("enum").and_then(Json::as_array).into_iter().flatten();
        words.extend(several.filter_map(Json::as_str));
        let tagged = part.get("properties").and_then(Json::as_object).into_iter().flatten();
        tags.extend(tagged.map(|(tag, content)| (tag.as_str(), content)));
    };
    match schema.get("oneOf").and_then(Json::as_array) {
        Some(parts) => parts.iter().for_each(&mut add),
        None if schema.get("enum").is_some() => add(schema),
        None => return None,
    }
    Some((words, tags))
}

/// TOML has no null: what may be left out is simply not required.
#[derive(Clone, Debug)]
struct WithoutNull;

impl Transform for WithoutNull {
    fn transform(&mut self, schema: &mut Schema) {
        if let Some(object) = schema.as_object_mut() {
            strip(object);
        }
        schemars::transform::transform_subschemas(self, schema);
    }
}

fn strip(object: &mut Map<String, Json>) {
    if let Some(Json::Array(types)) = object.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".into(), only);
        }
    }
    let is_null = |part: &Json| part.get("type").is_some_and(|name| name == "null");
    if let Some(Json::Array(parts)) = object.get("anyOf")
        && let [part, null] = parts.as_slice()
        && is_null(null)
        && let Some(part) = part.as_object().cloned()
    {
        object.remove("anyOf");
        object.extend(part);
    }
    match object.get_mut("default") {
        Some(Json::Null) => {
            object.remove("default");
        }
        Some(default) => strip_nulls(default),
        None => {}
    }
}

fn strip_nulls(value: &mut Json) {
    match value {
        Json::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(strip_nulls);
        }
        Json::Array(items) => items.iter_mut().for_each(strip_nulls),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn references(schema: &'static Json, found: &mut Vec<&'static Json>) {
        if schema.get("$ref").is_some() {
            found.push(schema);
        }
        match schema {
            Json::Object(map) => map.values().for_each(|value| references(value, found)),
            Json::Array(list) => list.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }

    #[test]
    fn every_reference_is_followed() {
        let mut found = Vec::new();
        references(root(), &mut found);
        assert!(found.len() > 20, "{}", found.len());
        for reference in found {
            assert!(resolve(reference).get("$ref").is_none(), "{reference}");
        }
    }
}
