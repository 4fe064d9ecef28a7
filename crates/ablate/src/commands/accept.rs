//! `ablate accept`: a stored result may stand for one that was not made, because somebody says that both
//! are the same.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use ablate_pipeline::{Acceptance, Accepted, Artifact, Identity, Key, Kind, Store, Testimony};
use serde_json::{Value, json};

use super::{print, say};
use crate::cli::{AcceptArgs, StudyArgs};
use crate::environment;
use crate::exit::{CommandError, CommandResult, Exit};
use crate::graph::{self, StudyGraph};
use crate::references;
use crate::root::Root;
use crate::study;

pub fn run(root: &Root, args: &AcceptArgs) -> CommandResult {
    let store = root.store();
    if args.list {
        return list(&store, args.json);
    }
    if let Some(new) = &args.revoke {
        return revoke(&store, new, args.json);
    }
    let (Some(old), Some(new), Some(because)) = (&args.old, &args.new, &args.because) else {
        return Err(CommandError::bug("an acceptance without what is accepted"));
    };
    if because.trim().is_empty() {
        return Err(CommandError::usage(
            "`--because` is empty: say why both are the same, for whoever reads the report",
        ));
    }
    let (folder, old) = stored(&store, old)?;
    let graphs = graphs(root, args, new)?;
    let new = wanted(&graphs, &store, new)?;
    let refused = |error: ablate_pipeline::AcceptError| match error {
        ablate_pipeline::AcceptError::Store(_)
        | ablate_pipeline::AcceptError::Lease(_)
        | ablate_pipeline::AcceptError::Held { .. } => CommandError::machine(error),
        _ => CommandError::usage(error),
    };
    let testimony = Testimony {
        because: because.trim().to_owned(),
        by: who(),
        at: format!("{:.0}", jiff::Timestamp::now()),
    };
    let accepted = store.accept(new, (&folder, &old), &testimony).map_err(refused)?;
    let mut follow = Vec::new();
    for built in &graphs {
        follow.extend(store.accept_dependants(&built.graph, &testimony).map_err(refused)?);
    }
    if args.json {
        let json = json!({ "accepted": accepted, "follow": follow });
        let text = serde_json::to_string_pretty(&json).map_err(CommandError::bug)?;
        print(&(text + "\n"))?;
        return Ok(Exit::Ok);
    }
    let mut text = format!("{}\n", line(&accepted));
    for difference in differences(&accepted) {
        text += &format!("  {difference}\n");
    }
    text += &match follow.len() {
        0 => "nothing that is stored was made of it\n".to_owned(),
        _ => format!("what is stored as made of it is accepted with it: {}\n", by_stage(&follow)),
    };
    print(&text)?;
    Ok(Exit::Ok)
}

/// Who is at the keyboard.
fn who() -> String {
    let name = ["USER", "LOGNAME"].iter().find_map(|name| environment::read(name));
    let name = name.filter(|name| !name.is_empty()).unwrap_or_else(|| "somebody".to_owned());
    format!("{name}@{}", ablate_pipeline::Owner::current().host)
}

/// `stage/a stands for stage/b: because`.
fn line(accepted: &Acceptance) -> String {
    let (old, new) = (&accepted.folder, accepted.new.place());
    format!("{old} stands for {new}: {}", accepted.testimony.because)
}

/// `2 eval, 1 shards`.
fn by_stage(accepted: &[Acceptance]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for one in accepted {
        *counts.entry(&one.new.stage).or_default() += 1;
    }
    let parts: Vec<String> =
        counts.iter().map(|(stage, count)| format!("{count} {stage}")).collect();
    parts.join(", ")
}

/// What a user typed: a key's first digits, and the stage where it was a folder.
struct Asked<'a> {
    text: &'a str,
    digits: String,
    stage: Option<String>,
}

/// Reads a key, its first digits, or the name or path of a result's folder.
fn asked(text: &str) -> Result<Asked<'_>, CommandError> {
    let path = Path::new(text);
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let hex = |digits: &str| {
        (6..=64).contains(&digits.len())
            && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    if hex(&name) && path.components().count() == 1 {
        return Ok(Asked { text, digits: name, stage: None });
    }
    match name.rsplit_once('-') {
        Some((_, digits)) if hex(digits) && digits.len() == 12 => {
            let stage = path.parent().and_then(Path::file_name);
            let stage = stage.map(|stage| stage.to_string_lossy().into_owned());
            Ok(Asked { text, digits: digits.to_owned(), stage })
        }
        _ => Err(CommandError::usage(format!(
            "`{text}` is neither a key (at least its first 6 hexadecimal digits) nor a folder of the \
             store such as `train/NAME-0123456789ab`; `ablate plan STUDY --json` lists keys"
        ))),
    }
}

/// The stored result that is meant.
fn stored(store: &Store, text: &str) -> Result<(PathBuf, Artifact), CommandError> {
    let asked = asked(text)?;
    let contents = store.contents().map_err(CommandError::machine)?;
    let short = asked.digits.get(..12).unwrap_or(&asked.digits);
    let stages: BTreeSet<String> = contents
        .iter()
        .filter(|entry| entry.kind == Kind::Result && entry.short.starts_with(short))
        .filter_map(|entry| entry.path.parent().and_then(Path::file_name))
        .map(|stage| stage.to_string_lossy().into_owned())
        .filter(|stage| asked.stage.as_ref().is_none_or(|asked| asked == stage))
        .collect();
    let mut found = Vec::new();
    for stage in stages {
        found.extend(store.find(&stage, &asked.digits).map_err(CommandError::machine)?);
    }
    if found.len() > 1 {
        return Err(several(text, found.iter().map(|(_, one)| Identity::from(one).place())));
    }
    if let Some(found) = found.pop() {
        return Ok(found);
    }
    // It may itself be one that another stands for.
    let all = store.acceptances().map_err(CommandError::machine)?;
    let mut others = all.iter().filter(|one| one.counts).filter_map(|one| one.record.as_ref().ok());
    if let Some(one) = others.find(|one| one.new.key.as_str().starts_with(&asked.digits)) {
        return Err(CommandError::usage(format!(
            "`{text}` is not stored itself, `{}` stands for it: accept that one in its place",
            one.folder
        )));
    }
    Err(CommandError::usage(format!(
        "nothing in `{}` is stored as `{text}`; only a finished result can stand for another",
        store.root().display()
    )))
}

fn several(text: &str, places: impl Iterator<Item = String>) -> CommandError {
    let places: Vec<String> = places.collect();
    CommandError::usage(format!("`{text}` may be {}: say more digits", places.join(" or ")))
}

/// Graphs with the result that is to be stood for.
fn graphs(root: &Root, args: &AcceptArgs, new: &str) -> Result<Vec<StudyGraph>, CommandError> {
    let digits = asked(new)?.digits;
    let mut found = Vec::new();
    let mut keep = |built: StudyGraph| {
        if built.graph.iter().any(|(_, node)| node.key().as_str().starts_with(&digits)) {
            found.push(built);
        }
    };
    match &args.study {
        Some(path) => {
            let of = StudyArgs {
                study: path.clone(),
                profile: args.profile.clone(),
                set: args.set.clone(),
            };
            keep(graph::build(&study::load(&of)?.study, &root.benchmarks())?);
        }
        None => {
            references::graphs(root, &[PathBuf::from("."), root.path().to_owned()], &mut keep);
        }
    }
    Ok(found)
}

/// The result that is to be stood for.
fn wanted(graphs: &[StudyGraph], store: &Store, text: &str) -> Result<Identity, CommandError> {
    let asked = asked(text)?;
    let mut found: BTreeMap<Key, Identity> = BTreeMap::new();
    for built in graphs {
        for (id, node) in built.graph.iter() {
            let same_stage = asked.stage.as_deref().is_none_or(|stage| stage == node.stage);
            if same_stage && node.key().as_str().starts_with(&asked.digits) {
                found.insert(node.key().clone(), Identity::of(&built.graph, id));
            }
        }
    }
    if found.len() > 1 {
        return Err(several(asked.text, found.values().map(Identity::place)));
    }
    match found.into_values().next() {
        Some(new) => Ok(new),
        None => Err(CommandError::usage(format!(
            "no study needs `{text}`, neither here, in `{}`, nor one that was run: name the study with \
             `--study` (and `--profile`, `--set`); `ablate plan STUDY --json` lists its keys",
            store.root().display()
        ))),
    }
}

/// What differs between the two, field by field.
fn differences(accepted: &Acceptance) -> Vec<String> {
    let (old, new) = (&accepted.old, &accepted.new);
    let mut found = Vec::new();
    let whole = |identity: &Identity| {
        let inputs: BTreeMap<&String, &str> =
            identity.inputs.iter().map(|(role, key)| (role, key.short())).collect();
        json!({ "version": identity.version, "recipe": identity.recipe, "inputs": inputs })
    };
    compare("", Some(&whole(old)), Some(&whole(new)), &mut found);
    found
}

fn compare(path: &str, old: Option<&Value>, new: Option<&Value>, found: &mut Vec<String>) {
    if old == new {
        return;
    }
    if let (Some(Value::Object(a)), Some(Value::Object(b))) = (old, new) {
        let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
        for name in names {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            compare(&path, a.get(name), b.get(name), found);
        }
        return;
    }
    let shown = |value: Option<&Value>| value.map_or_else(|| "absent".to_owned(), Value::to_string);
    found.push(format!("{path} is {}, stored {}", shown(new), shown(old)));
}

fn list(store: &Store, as_json: bool) -> CommandResult {
    let all = store.acceptances().map_err(CommandError::machine)?;
    if as_json {
        let one = |one: &Accepted| match &one.record {
            Ok(record) => json!({ "record": record, "counts": one.counts }),
            Err(why) => json!({ "file": one.path, "fault": why, "counts": false }),
        };
        let text = serde_json::to_string_pretty(&all.iter().map(one).collect::<Vec<_>>());
        print(&(text.map_err(CommandError::bug)? + "\n"))?;
        return Ok(Exit::Ok);
    }
    let records: Vec<&Acceptance> = all.iter().filter_map(|one| one.record.as_ref().ok()).collect();
    let mut text = String::new();
    for one in &all {
        let record = match &one.record {
            Ok(record) if record.follows.is_empty() => record,
            Ok(_) => continue,
            Err(why) => {
                text += &format!("{}: {why}; it counts for nothing\n", one.path.display());
                continue;
            }
        };
        text += &format!(
            "{}\n  said by {} at {}\n",
            line(record),
            record.testimony.by,
            record.testimony.at
        );
        for difference in differences(record) {
            text += &format!("  {difference}\n");
        }
        let follow: Vec<Acceptance> = records
            .iter()
            .filter(|other| other.follows.contains(&record.new.key))
            .map(|other| (*other).clone())
            .collect();
        if !follow.is_empty() {
            text += &format!("  with it: {}\n", by_stage(&follow));
        }
        if !one.counts {
            text += "  it does not count now: the one is stored itself, or the other no longer\n";
        }
    }
    if all.is_empty() {
        text = "nothing was accepted in the place of anything\n".to_owned();
    }
    print(&text)?;
    Ok(Exit::Ok)
}

fn revoke(store: &Store, text: &str, as_json: bool) -> CommandResult {
    let asked = asked(text)?;
    let all = store.acceptances().map_err(CommandError::machine)?;
    // A damaged record is known by its name alone.
    let mut keys: Vec<String> = Vec::new();
    for one in &all {
        let name = one.path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let stage = one.record.as_ref().ok().map(|record| record.new.stage.clone());
        let same_stage = asked.stage.is_none() || stage.is_none() || asked.stage == stage;
        if same_stage && name.starts_with(&asked.digits) {
            keys.push(name);
        }
    }
    if keys.len() > 1 {
        return Err(several(text, keys.into_iter()));
    }
    let key = keys.pop().unwrap_or(asked.digits);
    let key: Key = serde_json::from_value(Value::from(key)).map_err(CommandError::bug)?;
    let revoked = store.revoke(&key).map_err(CommandError::usage)?;
    let mut gone: BTreeSet<Key> = revoked.iter().map(|one| one.new.key.clone()).collect();
    gone.insert(key);
    let made = made_of(store, &gone)?;
    if as_json {
        let json = json!({ "revoked": revoked, "made_of_it": made });
        let text = serde_json::to_string_pretty(&json).map_err(CommandError::bug)?;
        print(&(text + "\n"))?;
        return Ok(Exit::Ok);
    }
    let mut text = String::new();
    match revoked.split_first() {
        Some((own, follow)) => {
            text += &format!("{} no longer stands for {}\n", own.folder, own.new.place());
            if !follow.is_empty() {
                text += &format!("nor what was accepted with it: {}\n", by_stage(follow));
            }
        }
        None => text += "a record that could not be believed is gone\n",
    }
    print(&text)?;
    if !made.is_empty() {
        say(&format!(
            "made of it in the meantime, and still stored (reports say so; remove what you do not \
             believe, and it is made again):\n  {}",
            made.join("\n  ")
        ));
    }
    Ok(Exit::Ok)
}

/// Stored results that were made of what stood for any of these keys.
fn made_of(store: &Store, keys: &BTreeSet<Key>) -> Result<Vec<String>, CommandError> {
    let mut made = Vec::new();
    for entry in store.contents().map_err(CommandError::machine)? {
        if entry.kind == Kind::Result
            && let Ok(Some(artifact)) = Artifact::read(&entry.path)
            && artifact.accepted.keys().any(|key| keys.contains(key))
        {
            made.push(entry.name());
        }
    }
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_folders_are_told_from_each_other() {
        let key = "0123456789abcdef";
        assert_eq!(asked(key).unwrap().digits, key);
        for (text, stage) in [
            ("v300-l1-0123456789ab", None),
            ("train/v300-l1-0123456789ab", Some("train")),
            ("some/data/store/train/v300-l1-0123456789ab/", Some("train")),
        ] {
            let asked = asked(text).unwrap();
            assert_eq!((asked.digits.as_str(), asked.stage.as_deref()), ("0123456789ab", stage));
        }
        for wrong in ["", "01234", "train", "train/x-012345", "0123456789AB", "../.."] {
            let error = asked(wrong).err().unwrap_or_else(|| panic!("{wrong}"));
            assert!(error.message.contains("neither a key"), "{}", error.message);
        }
    }

    #[test]
    fn differences_name_fields() {
        let mut found = Vec::new();
        let old = json!({"recipe": {"rate": 0.1, "gone": 1, "same": [1]}, "version": 1});
        let new = json!({"recipe": {"rate": 0.2, "same": [1], "kind": {"a": "b"}}, "version": 2});
        compare("", Some(&old), Some(&new), &mut found);
        assert_eq!(
            found,
            [
                "recipe.gone is absent, stored 1",
                "recipe.kind is {\"a\":\"b\"}, stored absent",
                "recipe.rate is 0.2, stored 0.1",
                "version is 2, stored 1",
            ]
        );
    }
}
