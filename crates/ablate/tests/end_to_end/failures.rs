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

#[test]
fn what_failed_is_tried_again_and_nothing_else() {
    // The first variant's seed is made, the second's diverges, the third is never started.
    let third = "\n[[design.list]]\nname = \"wide\"\nset.model.width = 24\n";
    let study = TINY
        .replace("seeds = [1, 2]", "seeds = [1]")
        .replace("set.model.depth = 2", "set.train.learning_rate = 1e6");
    let sandbox = Sandbox::with_study(&format!("{study}{third}"));
    let root = sandbox.root();
    let retry = ["run", "tiny.toml", "--quiet", "--retry-failed"];
    // Nothing has failed of what was never started.
    let ended = sandbox.ablate(&["run", "tiny.toml", "--retry-failed"]);
    assert_eq!(ended.code, Some(0), "{ended}");
    assert!(ended.stderr.contains("nothing of it has failed"), "{ended}");
    assert!(results(&root).is_empty());

    let only = ["run", "tiny.toml", "--quiet", "--only", "plain", "--only", "deep"];
    assert_eq!(sandbox.ablate(&only).code, Some(1));
    let (names, before) = (results(&root), snapshot(&root));
    let ended = sandbox.ablate(&retry);
    assert_eq!(ended.code, Some(1), "{ended}");
    assert!(ended.stderr.contains("deep") && !ended.stderr.contains("wide"), "{ended}");
    assert!(results(&root) == names && snapshot(&root) == before);

    // A failure that was the machine's: here the record of one, and what waits for it is made too.
    let status = sandbox.json(&["status", "tiny.toml", "--json"]);
    let stages = status["stages"].as_array().unwrap();
    let stage = stages.iter().find(|stage| stage["state"] == "failed").unwrap();
    let (name, key) = (stage["name"].as_str().unwrap(), stage["key"].as_str().unwrap());
    let record = root.join(format!("data/store/train/{name}-{}.failed", &key[..12]));
    assert!(record.exists());
    let wide = stages.iter().find(|stage| {
        stage["stage"] == "train" && stage["variants"] == serde_json::json!(["wide"])
    });
    let wide = wide.unwrap();
    assert_eq!(wide["state"], "missing");
    let (name, key) = (wide["name"].as_str().unwrap(), wide["key"].as_str().unwrap());
    let other = root.join(format!("data/store/train/{name}-{}.failed", &key[..12]));
    fs::write(&other, r#"{"kind":"machine","message":"the disk said no"}"#).unwrap();
    fs::remove_file(&record).unwrap();
    let ended = sandbox.ablate(&retry);
    // The training that diverged has no record any more, so it is not among what is tried again.
    assert_eq!(ended.code, Some(0), "{ended}");
    assert_eq!(of_stage(&root, "train").len(), 2);
    assert_eq!(of_stage(&root, "eval").len(), 2);
    assert!(!other.exists());
    // A plain run makes what is missing.
    assert_eq!(sandbox.ablate(&RUN).code, Some(1));
}

/// A name of a variant's list, and what it lacks there.
fn lacks(status: &serde_json::Value, name: &str) -> serde_json::Value {
    let variants = status["variants"].as_array().unwrap();
    variants.iter().find(|variant| variant["name"] == name).unwrap().clone()
}

#[test]
fn a_file_that_is_not_there_costs_the_variants_that_need_it() {
    let own = "set.model.depth = 2\nset.eval.files = [\"mine.jsonl\"]";
    let sandbox = Sandbox::with_study(&TINY.replace("set.model.depth = 2", own));
    let root = sandbox.root();
    let plan = sandbox.succeed(&["plan", "tiny.toml", "--no-timing"]);
    assert!(plan.contains("cannot run: deep: there are no items `mine.jsonl`"), "{plan}");
    assert!(plan.contains("(`eval.files`)"), "{plan}");
    // A check looks for what is wrong: that is.
    let check = sandbox.ablate(&["check", "tiny.toml"]);
    assert!(check.code == Some(2) && check.stderr.contains("mine.jsonl"), "{check}");

    let ended = sandbox.ablate(&RUN);
    assert_eq!(ended.code, Some(1), "{ended}");
    ended.assert_no_panic();
    for words in ["variant `deep` cannot run", "mine.jsonl", "`eval.files`", "the rest goes on"] {
        assert!(ended.stderr.contains(words), "{words}: {ended}");
    }
    assert_eq!(of_stage(&root, "eval").len(), 2);
    let status = sandbox.json(&["status", "tiny.toml", "--json"]);
    let deep = lacks(&status, "deep");
    assert_eq!((&deep["cause"], &deep["done"]), (&"missing-source".into(), &0.into()));
    assert!(deep["by_seed"].as_array().unwrap().iter().all(|seed| seed["state"] == "failed"));
    let missing = &deep["missing"][0];
    assert_eq!((&missing["key"], &missing["path"]), (&"eval.files".into(), &"mine.jsonl".into()));
    assert_eq!(lacks(&status, "plain")["done"], 2);
    let shown = sandbox.succeed(&["status", "tiny.toml"]);
    assert!(shown.contains("cause: missing source") && shown.contains("mine.jsonl"), "{shown}");
    let watched = sandbox.ablate(&["status", "tiny.toml", "--watch"]);
    assert_eq!(watched.code, Some(1), "{watched}");
    assert!(watched.stdout.contains("missing source"), "{watched}");
    let variants = rows(&sandbox.report().join("variants.parquet"));
    let deep = variants.iter().find(|row| text(row, "name") == "deep").unwrap();
    assert!(text(deep, "failed").contains("missing source: there are no items"), "{deep:?}");
    sandbox.succeed(&["report", "check", "tiny.toml"]);
    // What it needs in the store is not known, so nothing is thrown away.
    let gc = sandbox.ablate(&["gc"]);
    assert!(gc.stderr.contains("is not known: `deep`: missing source"), "{gc}");

    // It alone cannot be run; the other one is all there.
    let alone = sandbox.ablate(&["run", "tiny.toml", "--only", "deep"]);
    assert_eq!(alone.code, Some(2), "{alone}");
    assert!(alone.stderr.contains("nothing to run") && alone.stderr.contains("mine.jsonl"));
    let before = snapshot(&root);
    sandbox.succeed(&["run", "tiny.toml", "--quiet", "--only", "plain"]);
    assert!(snapshot(&root) == before);

    // Once it is there the same command makes what was missing, and only that.
    let item = serde_json::json!({
        "id": "q", "benchmark": "mine", "language": "en", "context": "Who sings? Answer:",
        "options": [" a fox", " the mill"], "key": 1,
    });
    sandbox.write("mine.jsonl", format!("{item}\n"));
    let plain = results(&root);
    sandbox.succeed(&RUN);
    let all = results(&root);
    assert!(plain.keys().all(|name| all.contains_key(name)));
    assert_eq!(of_stage(&root, "eval").len(), 4);
    let status = sandbox.json(&["status", "tiny.toml", "--json"]);
    let deep = lacks(&status, "deep");
    assert!(deep["cause"].is_null() && deep["done"] == 2, "{deep}");

    // What was made of it is kept when it goes away again.
    fs::remove_file(sandbox.desk("mine.jsonl")).unwrap();
    assert_eq!(sandbox.ablate(&RUN).code, Some(1));
    sandbox.succeed(&["gc", "--delete"]);
    assert_eq!(of_stage(&root, "eval").len(), 4);
}

#[test]
fn every_kind_of_source_may_be_missing() {
    let variant = |name: &str, set: &str| format!("\n[[design.list]]\nname = \"{name}\"\n{set}\n");
    let sources = "sources = [{ from.files = { paths = [\"gone/*.txt\"], language = \"en\" } }]";
    let study = [
        TINY,
        "\n[parents.grown]\npath = \"gone-model\"\n",
        &variant("text", &format!("set.corpus = {{ bytes = \"60kB\", {sources} }}")),
        &variant("pieces", "set.tokenizer = { build.file = { path = \"gone.json\" } }"),
        &variant("child", "set.init.inherit = { parent = \"grown\", first = 1, last = 0 }"),
        &variant("asked", "set.eval.benchmarks = [\"boolq\", \"mmlu\"]"),
    ];
    let sandbox = Sandbox::with_study(&study.concat());
    let lists = sandbox.ablate(&["run", "tiny.toml", "--dry-run"]);
    assert_eq!(lists.code, Some(0), "{lists}");
    let status = sandbox.json(&["status", "tiny.toml", "--json"]);
    for (name, key, path) in [
        ("text", "corpus.sources", "gone/*.txt"),
        ("pieces", "tokenizer.build.file.path", "gone.json"),
        ("child", "parents.grown.path", "gone-model"),
        ("asked", "eval.benchmarks", "mmlu"),
    ] {
        let lacks = lacks(&status, name);
        assert_eq!(lacks["cause"], "missing-source", "{lacks}");
        let missing = &lacks["missing"][0];
        assert_eq!(missing["key"], key, "{lacks}");
        assert!(missing["path"].as_str().unwrap().ends_with(path), "{lacks}");
        assert!(lists.stderr.contains(&format!("variant `{name}` cannot run")), "{lists}");
    }
    let names: Vec<_> = status["variants"].as_array().unwrap().iter().map(|v| &v["name"]).collect();
    assert_eq!(names, ["plain", "deep", "text", "pieces", "child", "asked"]);
    assert!(lacks(&status, "plain")["cause"].is_null());
    // Four variants were left out, and nothing else.
    assert_eq!(sandbox.ablate(&["run", "tiny.toml", "--until", "tokens", "--quiet"]).code, Some(1));
    assert_eq!(of_stage(&sandbox.root(), "shards").len(), 1);
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
