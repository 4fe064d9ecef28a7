//! Results that stand for others.

use std::fs;

use serde_json::Value;

use crate::outcome::{of_stage, results, rows, text};
use crate::sandbox::{Sandbox, TINY};

const RUN: [&str; 3] = ["run", "tiny.toml", "--quiet"];
const WHY: &str = "rounding of the size";

/// Stages of a study by name, with their keys and states.
fn stages(sandbox: &Sandbox) -> Vec<Value> {
    let plan = sandbox.json(&["plan", "tiny.toml", "--json", "--no-timing"]);
    plan["stages"].as_array().unwrap().clone()
}

fn key(sandbox: &Sandbox, stage: &str) -> String {
    let stages = stages(sandbox);
    let found = stages.iter().find(|one| one["stage"] == stage).unwrap();
    found["key"].as_str().unwrap().to_owned()
}

fn not_done(sandbox: &Sandbox) -> Vec<String> {
    let stages = stages(sandbox).into_iter().filter(|stage| stage["state"] != "done");
    stages.map(|stage| stage["stage"].as_str().unwrap().to_owned()).collect()
}

/// The study with one byte more of text: whoever says that this changes nothing is believed.
fn changed() -> String {
    let changed = TINY.replace("bytes = \"60kB\"", "bytes = 60001");
    assert_ne!(changed, TINY);
    changed
}

#[test]
fn an_accepted_text_brings_all_that_was_made_of_it() {
    let sandbox = Sandbox::with_study(TINY);
    let root = sandbox.root();
    sandbox.succeed(&RUN);
    let old = key(&sandbox, "corpus");
    let before = results(&root);
    sandbox.write("tiny.toml", changed());
    let new = key(&sandbox, "corpus");
    assert_ne!(old, new);
    let said = sandbox.succeed(&["accept", &old[..12], &new[..12], "--because", WHY]);
    assert!(said.contains("recipe.bytes is 60001, stored 60000"), "{said}");
    assert!(said.contains("4 eval") && said.contains("4 train"), "{said}");

    // Everything is there, nothing is made, and everybody says so.
    assert_eq!(not_done(&sandbox), [""; 0]);
    let ended = sandbox.ablate(&["run", "tiny.toml", "--no-progress"]);
    assert_eq!(ended.code, Some(0), "{ended}");
    assert!(ended.stderr.contains("accepted in their place"), "{ended}");
    assert_eq!(results(&root), before);
    let status = sandbox.succeed(&["status", "tiny.toml"]);
    assert!(status.contains(WHY) && status.contains("accepted, see below"), "{status}");
    let status = sandbox.json(&["status", "tiny.toml", "--json"]);
    let stages = status["stages"].as_array().unwrap();
    let corpus = stages.iter().find(|stage| stage["stage"] == "corpus").unwrap();
    assert_eq!(corpus["accepted"]["because"], WHY);
    assert_eq!(corpus["accepted"]["old"]["key"], *old);
    let plan = sandbox.succeed(&["plan", "tiny.toml", "--no-timing"]);
    assert!(plan.contains("accepted in place of others)"), "{plan}");
    for place in ["index.html", "tables/main.md"] {
        let shown = fs::read_to_string(sandbox.report().join(place)).unwrap();
        assert!(shown.contains(WHY), "{place}");
    }
    for row in rows(&sandbox.report().join("variants.parquet")) {
        let keys: Vec<(u64, String)> = serde_json::from_str(text(&row, "accepted")).unwrap();
        assert_eq!(keys, [(1, new.clone()), (2, new.clone())]);
    }

    // So do comparisons, checks and bundles, wherever they are looked at.
    let compared = sandbox.succeed(&["compare", "tiny:plain", "tiny:deep"]);
    assert_eq!(compared.matches(WHY).count(), 2, "both sides rest on it: {compared}");
    let compared = sandbox.json(&["compare", "tiny:plain", "tiny:deep", "--json"]);
    assert!(compared["accepted"][0].as_str().unwrap().contains("rests on accepted results"));
    let bundled = sandbox.succeed(&["bundle", "tiny.toml", "-o", "tiny.bundle.tar.zst"]);
    assert!(bundled.contains("blake3"), "{bundled}");
    let verified = sandbox.ablate(&["verify", "tiny.bundle.tar.zst"]);
    assert_eq!(verified.code, Some(0), "{verified}");
    let said = format!("{}{}", verified.stdout, verified.stderr);
    assert!(said.contains(WHY) && said.contains("rests on accepted results"), "{said}");
    fs::remove_file(sandbox.desk("tiny.bundle.tar.zst")).unwrap();

    // What stands for something that is needed is no garbage, even when no study names it any more.
    let shown = sandbox.succeed(&["gc", "--delete"]);
    assert!(shown.contains("0 of "), "{shown}");
    let shown = sandbox.succeed(&["verify", "tiny.toml"]);
    assert!(shown.contains("accepted in place of others: 0 damaged"), "{shown}");
    let shown = sandbox.succeed(&["accept", "--list"]);
    assert!(shown.contains(WHY) && shown.contains("said by"), "{shown}");

    // Only what was said can be taken back, and takes along what follows.
    let eval = key(&sandbox, "eval");
    let ended = sandbox.ablate(&["accept", "--revoke", &eval]);
    assert_eq!(ended.code, Some(2), "{ended}");
    assert!(ended.stderr.contains(&format!("--revoke {}", &new[..12])), "{ended}");
    let said = sandbox.succeed(&["accept", "--revoke", &new]);
    assert!(said.contains("no longer stands for") && said.contains("4 eval"), "{said}");
    assert!(sandbox.json(&["accept", "--list", "--json"]).as_array().unwrap().is_empty());
    assert!(not_done(&sandbox).len() > 10);
    assert_eq!(results(&root), before);
}

#[test]
fn what_is_made_of_the_accepted_remembers_it() {
    // One variant was never made: it is made of the accepted text.
    let (shorter, _) = TINY.split_once("\n[[design.list]]\nname = \"deep\"").unwrap();
    let sandbox = Sandbox::with_study(&shorter.replace("seeds = [1, 2]", "seeds = [1]"));
    let root = sandbox.root();
    sandbox.succeed(&RUN);
    let (old, count) = (key(&sandbox, "corpus"), results(&root).len());
    sandbox.write("tiny.toml", changed().replace("seeds = [1, 2]", "seeds = [1]"));
    let new = key(&sandbox, "corpus");
    // By the name of the folder, and with the study named.
    let folder = of_stage(&root, "corpus")[0].clone();
    let accept = ["accept", &folder, &new, "--because", WHY, "--study", "tiny.toml"];
    sandbox.succeed(&accept);
    sandbox.succeed(&accept);
    sandbox.succeed(&RUN);
    assert_eq!(results(&root).len(), count + 2, "one training and its score");
    let of_others = |key: &str| {
        let made = results(&root).into_values().filter(|folder| {
            let record = fs::read_to_string(folder.join(".artifact.json")).unwrap();
            let record: Value = serde_json::from_str(&record).unwrap();
            record["accepted"].as_object().is_some_and(|all| all.contains_key(key))
        });
        made.count()
    };
    let shards = stages(&sandbox).into_iter().find(|one| one["stage"] == "shards").unwrap();
    assert_eq!(of_others(shards["key"].as_str().unwrap()), 2);

    // It says so even after that was taken back.
    let ended = sandbox.ablate(&["accept", "--revoke", &new]);
    assert_eq!(ended.code, Some(0), "{ended}");
    sandbox.succeed(&["report", "tiny.toml"]);
    let page = fs::read_to_string(sandbox.report().join("index.html")).unwrap();
    assert!(page.contains("taken back since"), "the deep variant rests on it");
    let variants = rows(&sandbox.report().join("variants.parquet"));
    let deep = variants.iter().find(|row| text(row, "name") == "deep").unwrap();
    assert_ne!(text(deep, "accepted"), "[]");

    // Damage to what stands for another: that one is made after all.
    sandbox.succeed(&accept);
    let corpus = root.join("data/store").join(&folder);
    let file = fs::read_dir(&corpus).unwrap().flatten().map(|entry| entry.path());
    let file = file.filter(|path| !path.ends_with(".artifact.json")).max().unwrap();
    fs::write(&file, "short").unwrap();
    let ended = sandbox.ablate(&accept);
    assert_eq!(ended.code, Some(0), "it was said before: {ended}");
    assert_eq!(sandbox.ablate(&["verify", "--quarantine"]).code, Some(1));
    let ended = sandbox.ablate(&accept);
    assert_eq!(ended.code, Some(2), "{ended}");
    assert!(ended.stderr.contains("nothing in") && ended.stderr.contains(&old[..12]), "{ended}");
    assert!(not_done(&sandbox).contains(&"corpus".to_owned()));
    let verified = sandbox.ablate(&["verify"]);
    assert!(verified.stderr.contains("nothing stands for"), "{verified}");
}

#[test]
fn what_was_said_of_results_that_nobody_needs_goes_with_them() {
    let sandbox = Sandbox::with_study(TINY);
    let until = ["run", "tiny.toml", "--quiet", "--until", "tokens"];
    sandbox.succeed(&until);
    let old = key(&sandbox, "corpus");
    sandbox.write("tiny.toml", changed());
    let new = key(&sandbox, "corpus");
    sandbox.succeed(&["accept", &old, &new, "--because", WHY]);
    let said = || sandbox.json(&["accept", "--list", "--json"]).as_array().unwrap().len();
    let all = said();
    assert!(all >= 1);
    // The new one is needed.
    sandbox.succeed(&["gc", "--delete"]);
    assert_eq!(said(), all);
    // Neither is: the study is about another text by now, and its report and runs are gone.
    sandbox.write("tiny.toml", TINY.replace("bytes = \"60kB\"", "bytes = 60002"));
    for folder in ["reports", "data/references"] {
        fs::remove_dir_all(sandbox.root().join(folder)).unwrap();
    }
    let shown = sandbox.succeed(&["gc"]);
    let lines = shown.lines().filter(|line| line.trim_start().starts_with("accepted"));
    assert_eq!(lines.count(), all, "{shown}");
    assert!(shown.contains(&new), "{shown}");
    assert_eq!(said(), all, "nothing was to be removed yet");
    sandbox.succeed(&["gc", "--delete"]);
    assert_eq!(said(), 0);
    assert!(!results(&sandbox.root()).keys().any(|name| name.contains(&old[..12])));
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let sandbox = Sandbox::with_study(TINY);
    sandbox.succeed(&["run", "tiny.toml", "--quiet", "--until", "tokens"]);
    let (old, shards) = (key(&sandbox, "corpus"), key(&sandbox, "shards"));
    sandbox.write("tiny.toml", changed());
    let new = key(&sandbox, "corpus");
    let refused = |old: &str, new: &str, because: &str, says: &str| {
        let ended = sandbox.ablate(&["accept", old, new, "--because", because]);
        assert_eq!(ended.code, Some(2), "{ended}");
        assert!(ended.stderr.contains(says), "{says}: {ended}");
        ended.assert_no_panic();
    };
    refused(&old, &new, " ", "is empty");
    refused("corpus", &new, WHY, "neither a key");
    refused(&new, &new, WHY, "is stored as");
    refused(&old, "0123456789ab", WHY, "no study needs");
    refused(&shards, &new, WHY, "another stage");
    let missing = sandbox.ablate(&["accept", &old, &new]);
    assert_eq!(missing.code, Some(2), "{missing}");
    assert!(missing.stderr.contains("--because"), "{missing}");
    assert!(sandbox.succeed(&["accept", "--list"]).contains("nothing was accepted"));

    // A record that nobody can believe counts for nothing, and nothing is removed for it.
    sandbox.succeed(&["accept", &old, &new, "--because", WHY]);
    let folder = sandbox.root().join("data/store/accepted");
    let path = folder.join(format!("{new}.json"));
    let record = fs::read_to_string(&path).unwrap();
    fs::write(&path, record.replace("60001", "60002")).unwrap();
    assert!(not_done(&sandbox).contains(&"corpus".to_owned()));
    let ended = sandbox.ablate(&["verify"]);
    assert_eq!(ended.code, Some(1), "{ended}");
    assert!(ended.stdout.contains("not the one of its key"), "{ended}");
    let ended = sandbox.ablate(&["gc", "--delete"]);
    assert!(ended.stderr.contains("is not known") && ended.stderr.contains(&new), "{ended}");
    assert!(results(&sandbox.root()).values().all(|folder| folder.exists()));
    sandbox.succeed(&["accept", "--revoke", &new]);
    assert!(!path.exists());
}
