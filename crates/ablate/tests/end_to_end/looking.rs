//! Commands that look and make nothing: `plan`, `status`, `check`, `schema`, `run --dry-run`.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::outcome::{self, results};
use crate::sandbox::{Sandbox, TINY, files, ladder};

/// The keys of an object, which must be an object.
fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap_or_else(|| panic!("{value}")).keys().map(String::as_str).collect()
}

#[test]
fn plan_keeps_its_contract() {
    let sandbox = Sandbox::with_study(&ladder());
    let plan = || sandbox.json(&["plan", "tiny.toml", "--json", "--no-timing"]);
    let before = plan();
    assert!(before["stages"].as_array().unwrap().iter().all(|stage| stage["state"] == "missing"));
    assert!(files(&sandbox.root()).is_empty(), "a plan makes nothing");

    sandbox.succeed(&["run", "tiny.toml", "--quiet"]);
    let plan = plan();
    assert_eq!(plan["study"], "tiny");
    let names: Vec<&str> =
        plan["variants"].as_array().unwrap().iter().map(|v| v["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["baseline", "compact", "deep", "inherited", "rounds"]);
    for variant in plan["variants"].as_array().unwrap() {
        let wanted = [
            "name",
            "delta",
            "params",
            "embedding_head_share",
            "train_tokens",
            "train_flops",
            "peak_memory_bytes",
            "seconds",
        ];
        assert!(wanted.iter().all(|key| keys(variant).contains(key)), "{variant}");
        let count = |key: &str| variant["params"][key].as_u64().unwrap();
        assert_eq!(count("total"), count("embedding") + count("head") + count("non_embedding"));
        let share = (count("embedding") + count("head")) as f64 / count("total") as f64;
        assert!((variant["embedding_head_share"].as_f64().unwrap() - share).abs() < 1e-12);
        for key in ["train_flops", "peak_memory_bytes", "seconds"] {
            assert!(variant[key].as_f64().unwrap() > 0.0, "{variant}");
        }
        let rounds = if variant["name"] == "rounds" { 30 } else { 20 };
        assert_eq!(variant["train_tokens"], rounds * 256);
    }

    // The counts are those of the weights that were trained.
    for stage in plan["stages"].as_array().unwrap() {
        let wanted = ["stage", "name", "key", "state", "variants", "seconds"];
        assert!(wanted.iter().all(|key| keys(stage).contains(key)), "{stage}");
        assert_eq!(stage["state"], "done", "{stage}");
        if stage["stage"] != "train" {
            continue;
        }
        let key = stage["key"].as_str().unwrap();
        assert_eq!(key.len(), 64);
        let folder = format!("train/{}-{}", stage["name"].as_str().unwrap(), &key[..12]);
        let path = sandbox.root().join("data/store").join(folder).join("model.safetensors");
        let sizes: Vec<(String, u64)> = outcome::tensors(&path)
            .into_iter()
            .map(|(name, shape)| (name, shape.iter().product()))
            .collect();
        let sum = |part: &str| -> u64 {
            sizes.iter().filter(|(name, _)| name.contains(part)).map(|(_, size)| size).sum()
        };
        for name in stage["variants"].as_array().unwrap() {
            let variants = plan["variants"].as_array().unwrap();
            let variant = variants.iter().find(|variant| variant["name"] == *name).unwrap();
            // The parent is wanted by variants too, and is larger than they are.
            if stage["name"].as_str().unwrap().contains("l3-d24") {
                continue;
            }
            assert_eq!(
                variant["params"]["total"],
                sum(""),
                "{name} {folder}",
                folder = stage["name"]
            );
            assert_eq!(variant["params"]["embedding"], sum("embed_tokens"), "{name}");
            assert_eq!(variant["params"]["head"], sum("lm_head"), "{name}");
        }
    }
    let done: usize = results(&sandbox.root()).len();
    assert_eq!(plan["stages"].as_array().unwrap().len(), done);

    // For people: the same numbers.
    let text = sandbox.succeed(&["plan", "tiny.toml", "--no-timing"]);
    assert!(names.iter().all(|name| text.contains(name)), "{text}");

    // What two seeds and the items of its benchmarks can tell apart.
    let detectable = &plan["detectable"];
    assert!(detectable["seeds"] == 2 && detectable["deviations"].as_f64().unwrap() > 10.0);
    let boolq = &detectable["benchmarks"][0];
    assert_eq!((&boolq["name"], &boolq["items"]), (&"boolq".into(), &4.into()));
    assert!(text.contains("2 seeds tell two variants apart (p < 5%, 80% power)"), "{text}");
    assert!(text.contains("points of boolq (4 items)"), "{text}");
}

#[test]
fn status_before_and_after() {
    let sandbox = Sandbox::with_study(TINY);
    let states = || -> BTreeSet<String> {
        let status = sandbox.json(&["status", "tiny.toml", "--json"]);
        assert_eq!(status["study"], "tiny");
        let stages = status["stages"].as_array().unwrap();
        assert_eq!(stages.len(), 4 + 4 + 4);
        stages.iter().map(|stage| stage["state"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(states(), ["missing".to_owned()].into());
    assert!(files(&sandbox.root()).is_empty(), "asking makes nothing");
    sandbox.succeed(&["run", "tiny.toml", "--quiet", "--only", "plain"]);
    assert_eq!(states(), ["done".to_owned(), "missing".to_owned()].into());
    sandbox.succeed(&["run", "tiny.toml", "--quiet"]);
    assert_eq!(states(), ["done".to_owned()].into());
    let text = sandbox.succeed(&["status", "tiny.toml"]);
    assert!(text.contains("plain") && text.contains("deep"), "{text}");
}

#[test]
fn looking_makes_nothing() {
    let sandbox = Sandbox::with_study(TINY);
    let checked = sandbox.succeed(&["check", "tiny.toml"]);
    assert!(checked.contains("2 variants, 2 seeds"), "{checked}");
    let planned = sandbox.succeed(&["run", "tiny.toml", "--dry-run"]);
    assert_eq!(planned.lines().filter(|line| line.contains("train")).count(), 4, "{planned}");
    let schema = sandbox.json(&["schema"]);
    assert!(schema["properties"]["corpus"].is_object());
    assert!(files(&sandbox.root()).is_empty());
}
