//! The trainings of a study by variant, seed and round: links to where they are.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use ablate_pipeline::{Artifact, Node, State, Store};

use super::{Feed, lines};
use crate::commands::say;
use crate::graph::{RoundNodes, StudyGraph};
use crate::root::Root;
use crate::stages::masks;
use crate::stages::train::METRICS;

/// How often a link is tried that others make or remove at the same time.
const TRIES: usize = 5;

/// Lays out where the trainings of a study can be followed, those that are finished included. What cannot
/// be laid out is said, and stops nothing.
pub fn lay_out(root: &Root, study: &str, built: &StudyGraph) {
    let folder = root.live(study);
    let store = root.store();
    let mut links = BTreeMap::new();
    let mut add = |place: PathBuf, rounds: &[RoundNodes]| {
        for (number, round) in (1..).zip(rounds) {
            let place = match rounds {
                [_] => place.clone(),
                _ => place.join(format!("round-{number}")),
            };
            links.insert(place, built.graph.node(round.train));
        }
    };
    for (name, rounds) in &built.parents {
        add(Path::new("parents").join(part(name)), rounds);
    }
    for variant in &built.variants {
        for seed in &variant.seeds {
            let place = Path::new(&part(&variant.name)).join(format!("seed-{}", seed.seed));
            add(place, &seed.rounds);
        }
    }
    for variant in &built.variants {
        if let Some(masks) = built.masks(variant) {
            links.insert(Path::new(&part(&variant.name)).join("masks"), built.graph.node(masks));
        }
    }
    let laid = links.values().try_for_each(|node| fill(&store, node));
    if let Err(error) = laid.and_then(|()| link_all(&folder, &store, &links)) {
        let folder = folder.display();
        say(&format!(
            "`{folder}` cannot be written, so trainings cannot be followed there: {error}"
        ));
    }
}

/// A folder for what is going to be trained; the feed of what was trained before there were feeds.
fn fill(store: &Store, node: &Node) -> io::Result<()> {
    let live = store.live(node);
    if live.join(METRICS).exists() {
        return Ok(());
    }
    match store.state(node) {
        Ok(State::Done(artifact)) => {
            let path = store.path(node).join(METRICS);
            let own =
                if node.stage == masks::STAGE { masks::followed(&path) } else { lines(&path) };
            Feed::write(&live, own?, finished(&artifact))
        }
        _ => fs::create_dir_all(&live),
    }
}

/// When a result was there, in seconds since 1970.
fn finished(artifact: &Artifact) -> f64 {
    artifact
        .finished
        .parse::<jiff::Timestamp>()
        .map_or(0.0, |time| time.as_millisecond() as f64 / 1e3)
}

/// Makes the links, and removes those of variants that the study no longer has.
fn link_all(folder: &Path, store: &Store, links: &BTreeMap<PathBuf, &Node>) -> io::Result<()> {
    for (place, node) in links {
        // Below the root, `data/live/<study>/<place>` and `data/store/live/<name>`.
        let up: PathBuf = (0..place.components().count() + 1).map(|_| "..").collect();
        let name = store.live(node).file_name().unwrap_or_default().to_owned();
        link(&up.join("store").join("live").join(name), &folder.join(place))?;
    }
    remove_others(folder, folder, links).map(|_| ())
}

/// Makes a link, in place of another one. Several launchers may do the same at the same time.
fn link(target: &Path, place: &Path) -> io::Result<()> {
    if fs::read_link(place).is_ok_and(|there| there == target) {
        return Ok(());
    }
    if let Some(parent) = place.parent() {
        // What was a training is now several rounds.
        if fs::read_link(parent).is_ok() {
            fs::remove_file(parent)?;
        }
        fs::create_dir_all(parent)?;
    }
    if fs::symlink_metadata(place).is_ok_and(|found| found.is_dir()) {
        // What was several rounds is now one: links only.
        remove_others(place, place, &BTreeMap::new())?;
    }
    // Others may be between the same two steps.
    for _ in 0..TRIES {
        if fs::read_link(place).is_ok() {
            gone(fs::remove_file(place))?;
        }
        match symlink(target, place) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                if fs::read_link(place).is_ok_and(|there| there == target) {
                    return Ok(());
                }
            }
            made => return made,
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

/// Removes links that are not among the wanted ones, and folders without anything else. Says whether the
/// folder is gone.
fn remove_others(
    root: &Path,
    folder: &Path,
    wanted: &BTreeMap<PathBuf, &Node>,
) -> io::Result<bool> {
    let mut empty = true;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        let known = path.strip_prefix(root).is_ok_and(|place| wanted.contains_key(place));
        if kind.is_dir() {
            empty &= remove_others(root, &path, wanted)?;
        } else if kind.is_symlink() && !known {
            gone(fs::remove_file(&path))?;
        } else {
            empty = false;
        }
    }
    // One that somebody has put something into meanwhile stays.
    Ok(empty && fs::remove_dir(folder).is_ok())
}

/// Removes the links of all studies to trainings that are gone, and folders without anything else.
pub fn sweep(root: &Root) {
    fn below(folder: &Path) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => below(&path),
                // What cannot be removed is in nobody's way.
                Ok(kind) if kind.is_symlink() && !path.exists() => drop(fs::remove_file(&path)),
                _ => {}
            }
        }
        // Succeeds where it is empty.
        let _ = fs::remove_dir(folder);
    }
    below(&root.live(""));
}

fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// A name as a part of a path.
fn part(name: &str) -> String {
    let clean = |c: char| if c == '/' || c.is_control() { '-' } else { c };
    let name: String = name.chars().map(clean).collect();
    if name.starts_with('.') || name.is_empty() { format!("-{name}") } else { name }
}

#[cfg(test)]
mod tests {
    use ablate_pipeline::Graph;
    use serde_json::json;

    use super::*;

    #[test]
    fn links_follow_the_study() {
        let root = tempfile::tempdir().unwrap();
        let store = Store::new(root.path().join("data/store"));
        let folder = root.path().join("data/live/tiny");
        let mut graph = Graph::new();
        let mut node = |name: &str| graph.add("train", 1, name, json!({"name": name}), []).unwrap();
        let (a, b) = (node("a"), node("b"));
        let check = |wanted: &[(&str, _)]| {
            let links: BTreeMap<PathBuf, &Node> =
                wanted.iter().map(|(place, id)| (PathBuf::from(place), graph.node(*id))).collect();
            links.values().for_each(|node| fs::create_dir_all(store.live(node)).unwrap());
            link_all(&folder, &store, &links).unwrap();
            for (place, node) in &links {
                let to = fs::canonicalize(folder.join(place)).unwrap();
                assert_eq!(to, fs::canonicalize(store.live(node)).unwrap(), "{}", place.display());
            }
            let mut found = Vec::new();
            let mut open = vec![folder.clone()];
            while let Some(folder) = open.pop() {
                for entry in fs::read_dir(folder).unwrap() {
                    let entry = entry.unwrap();
                    match entry.file_type().unwrap().is_dir() {
                        true => open.push(entry.path()),
                        false => found.push(entry.path()),
                    }
                }
            }
            assert_eq!(found.len(), links.len(), "{found:?}");
        };
        check(&[("plain/seed-1", a), ("deep/seed-1", b)]);
        // Twice the same; another training; one round becomes two, and two one; a variant less.
        check(&[("plain/seed-1", a), ("deep/seed-1", b)]);
        check(&[("plain/seed-1", b), ("deep/seed-1", a)]);
        check(&[("plain/seed-1/round-1", a), ("plain/seed-1/round-2", b)]);
        check(&[("plain/seed-1", a)]);
        assert!(!folder.join("deep").exists());

        // Links to what is gone go with it.
        check(&[("plain/seed-1", a), ("deep/seed-1", b)]);
        fs::remove_dir_all(store.live(graph.node(b))).unwrap();
        let root = Root::new(root.path().to_owned());
        sweep(&root);
        assert!(!folder.join("deep").exists() && folder.join("plain/seed-1").exists());
        fs::remove_dir_all(store.live(graph.node(a))).unwrap();
        sweep(&root);
        assert!(!root.live("tiny").exists());
    }

    #[test]
    fn names_become_parts_of_paths() {
        for (name, expect) in [("depth-4", "depth-4"), ("a/b", "a-b"), ("..", "-.."), ("é", "é")]
        {
            assert_eq!(part(name), expect);
        }
    }
}
