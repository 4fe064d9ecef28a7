//! Keeps `docs/study-file.md` and `docs/study.schema.json` true: every table, key and default
//! of the schema is in the page, nothing else is, and every example can be read.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value as Json, json};

use crate::size::{self, Unit};
use crate::{Options, SourceText, load, render, schema};

const PAGE: &str = include_str!("../../../docs/study-file.md");

/// Tables of the schema by the path that the page uses, with the defaults of their keys. The
/// tables inside parents, deltas and profiles are those of the base.
fn tables() -> BTreeMap<String, BTreeMap<String, Option<Json>>> {
    fn walk(
        schema: &'static Json,
        path: &str,
        found: &mut BTreeMap<String, BTreeMap<String, Option<Json>>>,
    ) {
        let target = schema::resolve(schema);
        let at = |key: &str| if path.is_empty() { key.into() } else { format!("{path}.{key}") };
        if let Some(entries) = target.get("additionalProperties").filter(|e| e.is_object()) {
            return walk(entries, &at("NAME"), found);
        }
        if let Some(items) = target.get("items") {
            return walk(items, path, found);
        }
        let named = schema::properties(target).into_iter().flatten();
        let tags = schema::alternatives(target).map(|(_, tags)| tags).unwrap_or_default();
        let keys: Vec<_> = named.map(|(key, part)| (key.as_str(), part)).chain(tags).collect();
        let of_the_base = ["parents.NAME", "profile.NAME", "design.list.set", "design.ladder"];
        let repeats = of_the_base.iter().any(|part| path.starts_with(part) && path != *part);
        if keys.is_empty() || repeats || path == "design.ladder" || path == "design.list.set" {
            return;
        }
        let own = keys.iter().map(|(key, part)| (key.to_string(), part.get("default").cloned()));
        // These are described by their contents alone.
        if !["corpus.sources.from", "tokenizer.build", "init.inherit.width"].contains(&path) {
            found.insert(path.into(), own.collect());
        }
        for (key, part) in keys {
            walk(part, &at(key), found);
        }
    }
    let mut found = BTreeMap::new();
    walk(schema::root(), "", &mut found);
    // Axes are arrays by path, not tables with keys.
    found.retain(|path, _| !path.starts_with("design.grid"));
    found
}

/// Tables of the page: the default cell of each key.
fn described() -> BTreeMap<String, BTreeMap<String, String>> {
    let mut found: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    let mut path = None;
    for line in PAGE.lines() {
        if let Some(heading) = line.strip_prefix('#') {
            let heading = heading.trim_start_matches('#').trim();
            path = match heading {
                "Top level" => Some(String::new()),
                table if table.starts_with("`[") => Some(table.replace(['`', '[', ']'], "")),
                _ => None,
            };
        }
        let row = line.trim_matches('|');
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        if let (Some(path), [key, _, default, _]) = (&path, cells.as_slice())
            && key.starts_with('`')
        {
            let key = key.trim_matches('`').to_string();
            found.entry(path.clone()).or_default().insert(key, default.to_string());
        }
    }
    found
}

#[test]
fn page_has_every_key() {
    let keys = |table: Vec<&String>| table.into_iter().cloned().collect::<Vec<_>>();
    let (tables, described) = (tables(), described());
    assert_eq!(keys(tables.keys().collect()), keys(described.keys().collect()));
    for (path, table) in &tables {
        let in_page = &described[path];
        assert_eq!(keys(table.keys().collect()), keys(in_page.keys().collect()), "[{path}]");
    }
}

#[test]
fn page_has_every_default() {
    let described = described();
    let mut compared = 0;
    for (path, table) in tables() {
        for (key, default) in table {
            let Some(default) = default else { continue };
            let cell = &described[&path][&key];
            let said = cell.trim_matches('`').replace("8/3", &(8.0_f64 / 3.0).to_string());
            let said: Json = toml::from_str::<toml::Table>(&format!("x = {said}"))
                .map(|table| json!(table["x"]))
                .unwrap_or_else(|error| panic!("{path}.{key}: {cell}: {error}"));
            let number = |value: &Json| match value {
                Json::String(text) => size::parse(text, Unit::Bytes)
                    .map(|size| size as f64)
                    .or_else(|_| size::parse_share(text))
                    .map(Json::from)
                    .unwrap_or_else(|_| value.clone()),
                Json::Number(number) => json!(number.as_f64()),
                other => other.clone(),
            };
            let same = number(&said) == number(&default)
                || said.is_object() && contains(&default, &said)
                || said.is_array() && contains(&default, &said);
            assert!(same, "[{path}] {key}: the page says {cell}, the schema {default}");
            compared += 1;
        }
    }
    assert!(compared > 35, "only {compared} defaults compared");
}

/// Whether `whole` says everything that `part` says, sizes in any notation.
fn contains(whole: &Json, part: &Json) -> bool {
    match (whole, part) {
        (Json::Object(whole), Json::Object(part)) => part
            .iter()
            .all(|(key, value)| whole.get(key).is_some_and(|other| contains(other, value))),
        (Json::Array(whole), Json::Array(part)) => {
            whole.len() == part.len() && whole.iter().zip(part).all(|(w, p)| contains(w, p))
        }
        (Json::Number(whole), Json::String(part)) => {
            size::parse(part, Unit::Bytes).ok() == whole.as_u64()
        }
        (whole, part) => whole == part,
    }
}

#[test]
fn examples_can_be_read() {
    let base = "[corpus]\nbytes = \"1MB\"\n[tokenizer]\nvocabulary = 1000\n[model]\ndepth = 6\n\
                width = 64\nheads = 4\nffn.multiple = 16\n[train]\ntokens = \"400k\"\n\
                batch_tokens = 4096\nlearning_rate = 1e-3\n";
    let mut read_blocks = 0;
    for block in PAGE.split("```toml\n").skip(1) {
        let example = block.split("```").next().unwrap();
        let text = match example.starts_with("extends") {
            true => example.to_string(),
            false => format!("extends = \"small.toml\"\n{example}"),
        };
        let read = |path: &Path| match path.to_str() {
            Some("example.toml") => Ok(text.clone()),
            Some("small.toml") => Ok(base.to_string()),
            _ => Err(std::io::ErrorKind::NotFound.into()),
        };
        let loaded = load(Path::new("example.toml"), &read, &Options::default());
        let show = |failure: &crate::Failure| {
            let sources: &[SourceText] = &failure.sources;
            failure.diagnostics.iter().map(|d| render(d, sources)).collect::<String>()
        };
        let loaded = loaded.unwrap_or_else(|failure| panic!("{example}\n{}", show(&failure)));
        assert!(loaded.warnings.is_empty(), "{example}\n{:?}", loaded.warnings);
        read_blocks += 1;
    }
    assert!(read_blocks >= 9, "only {read_blocks} examples found");
}

/// `UPDATE_SCHEMA=1` writes the schema anew, to be read in the diff.
#[test]
fn schema_is_the_one_checked_in() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/study.schema.json");
    let now = serde_json::to_string_pretty(&crate::schema()).unwrap() + "\n";
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&path, &now).unwrap();
    }
    let then = std::fs::read_to_string(&path).unwrap();
    assert_eq!(now, then, "run with UPDATE_SCHEMA=1 if the change is meant");
    assert_eq!(crate::schema()["$schema"], "http://json-schema.org/draft-07/schema#");
    for wrong in ["\"null\"", "$defs", "anyOf"] {
        assert!(!now.contains(wrong), "{wrong}");
    }
}
