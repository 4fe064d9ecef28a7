//! Trainings that fail, and results that are damaged.

use std::fs;
use std::path::PathBuf;

use crate::outcome::{lasting, of_stage, results, rows, snapshot, text};
use crate::sandbox::{Sandbox, TINY, files};

const RUN: [&str; 3] = ["run", "tiny.toml", "--quiet"];

#[test]
fn a_divergence_costs_its_own_variant() {
    let sandbox =
        Sandbox::with_study(&TINY.replace("set.model.depth = 2", "set.train.learning_rate = 1e6"));
    let root = sandbox.root();
    let failed = || -> Vec<PathBuf> {
        let failed = |path: &PathBuf| path.extension().is_some_and(|end| end == "failed");
        files(&root).into_iter().filter(failed).collect()
    };
    let changed = || -> Vec<_> {
        failed().iter().map(|path| fs::metadata(path).unwrap().modified().unwrap()).collect()
    };
    let first = sandbox.ablate(&RUN);
    assert_eq!(first.code, Some(1), "{first}");
    assert!(first.stderr.contains("diverged at step") && first.stderr.contains("deep"), "{first}");
    assert!(first.stderr.contains("lower the learning rate"), "{first}");
    first.assert_no_panic();
    assert_eq!(failed().len(), 2, "one for each seed: {:?}", failed());

    // The other variant is scored, and the report says what became of this one.
    assert_eq!(of_stage(&root, "eval").len(), 2);
    let scores = rows(&sandbox.report().join("scores.parquet"));
    assert!(!scores.is_empty() && scores.iter().all(|row| text(row, "variant") == "plain"));
    let variants = rows(&sandbox.report().join("variants.parquet"));
    let deep = variants.iter().find(|row| text(row, "name") == "deep").unwrap();
    assert!(text(deep, "failed").contains("diverged at step"), "{deep:?}");
    for place in ["index.html", "tables/main.md", "tables/main.tex"] {
        let shown = fs::read_to_string(sandbox.report().join(place)).unwrap();
        assert!(shown.contains("diverged at step"), "{place}");
    }
    let status = sandbox.json(&["status", "tiny.toml", "--json"]);
    assert!(status.to_string().contains("diverged at step"), "{status}");

    // It is an outcome: not tried again, unless asked for.
    let (store, times) = (snapshot(&root), changed());
    let second = sandbox.ablate(&RUN);
    assert_eq!(second.code, Some(1), "{second}");
    assert!(snapshot(&root) == store && changed() == times, "it was tried again");
    let third = sandbox.ablate(&["run", "tiny.toml", "--quiet", "--retry-failed"]);
    assert_eq!(third.code, Some(1), "{third}");
    assert!(snapshot(&root) == store);
    assert!(
        changed().iter().zip(&times).all(|(now, before)| now > before),
        "it was not tried again"
    );

    // `--fail-fast` ends what has not started.
    let sandbox =
        Sandbox::with_study(&TINY.replace("set.model.depth = 2", "set.train.learning_rate = 1e6"));
    let ended = sandbox.ablate(&["run", "tiny.toml", "--quiet", "--fail-fast", "--jobs", "1"]);
    assert_eq!(ended.code, Some(1), "{ended}");
}

#[test]
fn a_failed_parent_costs_its_children() {
    let parent =
        "[parents.teacher]\nmodel.width = 24\nmodel.heads = 3\ntrain.learning_rate = 1e6\n";
    let study = TINY.replacen("[[design.list]]", &format!("{parent}\n[[design.list]]"), 1);
    let inherit = "set.init.inherit = { parent = \"teacher\", first = 1, last = 0 }";
    let sandbox = Sandbox::with_study(&study.replace("set.model.depth = 2", inherit));
    let ended = sandbox.ablate(&RUN);
    assert_eq!(ended.code, Some(1), "{ended}");
    assert!(ended.stderr.contains("diverged at step"), "{ended}");
    assert!(ended.stderr.contains("deep"), "whom it costs: {ended}");
    assert_eq!(of_stage(&sandbox.root(), "eval").len(), 2);
    let variants = rows(&sandbox.report().join("variants.parquet"));
    let deep = variants.iter().find(|row| text(row, "name") == "deep").unwrap();
    assert!(text(deep, "failed").contains("diverged at step"), "{deep:?}");
}

#[test]
fn a_file_that_changes_or_goes_during_a_run_is_its_stages_failure() {
    let line = |key: usize| {
        let options = [" a fox", " the mill", " my aunt"];
        let (benchmark, context) = ("mine", "Who sings? Answer:");
        let item = serde_json::json!({
            "id": "q", "benchmark": benchmark, "language": "en",
            "context": context, "options": options, "key": key,
        });
        format!("{item}\n")
    };
    assert!(TINY.contains("[eval]\n"));
    let sandbox =
        Sandbox::with_study(&TINY.replace("[eval]\n", "[eval]\nfiles = [\"mine.jsonl\"]\n"));
    let root = sandbox.root();
    let (mine, planned) = (sandbox.desk("mine.jsonl"), line(0));
    // One worker at a time takes the longest chain first: benchmarks come after the text.
    let during = |change: &dyn Fn()| {
        fs::write(&mine, &planned).unwrap();
        let log = sandbox.desk("../run.log");
        let mut child = sandbox
            .command(&["run", "tiny.toml", "--no-progress", "--jobs", "1"])
            .stdout(std::process::Stdio::null())
            .stderr(fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let started = || {
            let made = |path: &PathBuf| path.to_string_lossy().contains("/corpus/");
            files(&root).iter().any(made)
        };
        while !started() {
            assert!(child.try_wait().unwrap().is_none(), "{}", fs::read_to_string(&log).unwrap());
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        change();
        (child.wait().unwrap().code(), fs::read_to_string(&log).unwrap())
    };
    let recorded = || -> serde_json::Value {
        fs::write(&mine, &planned).unwrap();
        let status = sandbox.json(&["status", "tiny.toml", "--json"]);
        let stages = status["stages"].as_array().unwrap();
        stages.iter().find(|stage| stage["state"] == "failed").expect("a record").clone()
    };
    let (code, said) = during(&|| fs::write(&mine, line(1)).unwrap());
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("mine.jsonl` was changed since the run was planned"), "{said}");
    // The rest went on: everything but the scores is there.
    assert!(!of_stage(&root, "train").is_empty() && of_stage(&root, "eval").is_empty(), "{said}");
    let failed = recorded();
    assert_eq!((&failed["stage"], &failed["cause"]), (&"benchmarks".into(), &"input".into()));

    fs::remove_dir_all(root.join("data/store")).unwrap();
    let (code, said) = during(&|| fs::remove_file(&mine).unwrap());
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("No such file or directory"), "{said}");
    assert_eq!(recorded()["cause"], "input");

    // What comes from outside is mended: the next run makes what failed, and the record goes.
    sandbox.succeed(&RUN);
    let left = files(&root);
    assert!(!left.iter().any(|path| path.extension().is_some_and(|end| end == "failed")));
}

/// Changes one byte in the middle of a file.
fn flip(path: &PathBuf) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}

/// Cuts a file in half.
fn cut(path: &PathBuf) {
    let bytes = fs::read(path).unwrap();
    fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
}

#[test]
fn damaged_results_are_made_again() {
    let sandbox = Sandbox::with_study(TINY);
    let root = sandbox.root();
    sandbox.succeed(&RUN);
    let (names, before) = (results(&root), lasting(&root));
    let file = |stage: &str, name: &str| -> PathBuf {
        let name = root.join("data/store").join(&of_stage(&root, stage)[0]).join(name);
        assert!(name.exists(), "{}", name.display());
        name
    };
    let discard = |stage: &str| {
        for name in of_stage(&root, stage) {
            fs::remove_dir_all(&names[&name]).unwrap();
        }
    };
    type Damage = fn(&PathBuf);
    let cases: [(&str, &str, Damage, &[&str]); 8] = [
        // Stage and file that are damaged, how, and what is thrown away so that it is needed.
        ("tokenizer", "tokenizer.json", flip, &["train", "eval"]),
        ("tokenizer", "token_bytes.json", cut, &["train", "eval"]),
        ("shards", "train.shard", flip, &["train", "eval"]),
        ("train", "model.safetensors", cut, &["eval"]),
        ("eval", "scores.json", flip, &[]),
        ("eval", "items.json", |path| fs::remove_file(path).unwrap(), &[]),
        ("eval", ".artifact.json", cut, &[]),
        ("train", ".artifact.json", |path| fs::write(path, "").unwrap(), &["eval"]),
    ];
    for (stage, name, damage, discarded) in cases {
        damage(&file(stage, name));
        for stage in discarded {
            discard(stage);
        }
        let ended = sandbox.ablate(&["run", "tiny.toml", "--no-progress"]);
        assert_eq!(ended.code, Some(0), "{stage} {name}: {ended}");
        assert!(ended.stderr.contains(stage), "{stage} {name} is not spoken of: {ended}");
        assert_eq!(results(&root), names);
        lasting(&root).assert_same(&before, &format!("after damage to {stage}/{name}"));
    }
}
