//! Children whose width is measured or learned on their parent.

use std::collections::BTreeSet;
use std::fs;

use ablate_inherit::InheritanceMap;
use ablate_model::{ModelConfig, Units, Weights};
use serde_json::Value;

use crate::outcome::{lasting, number, of_stage, results, rows, text};
use crate::sandbox::{Ended, Sandbox, TINY};

/// A grouped, tied parent with a larger vocabulary, and children by Taylor expansion and by masks:
/// tied and not, with its vocabulary and a compacted one, with its layers and learned ones.
fn study() -> String {
    let (base, _) = TINY.split_once("[[design.list]]").unwrap();
    let base = base
        .replace(
            "depth = 1\nwidth = 16\nheads = 2",
            "depth = 2\nwidth = 16\nheads = 4\nkv_heads = 2",
        )
        .replace("seeds = [1, 2]", "seeds = [1]");
    format!(
        r#"{base}
[parents.teacher]
model = {{ depth = 4, width = 24, heads = 6, kv_heads = 3, tied = true, ffn.size = 32 }}
train.tokens = 10240

[[design.list]]
name = "taylor"
set.init.inherit = {{ parent = "teacher", first = 1, last = 1, width = "taylor", calibration = 2048 }}

[[design.list]]
name = "taylor-compact"
set.tokenizer = {{ vocabulary = 280, build.compact = {{ from = 300 }} }}
set.model.tied = true
set.init.inherit = {{ parent = "teacher", first = 1, last = 1, width = "taylor", calibration = 2048 }}

[[design.list]]
name = "joint"
set.tokenizer = {{ vocabulary = 280, build.compact = {{ from = 300 }} }}
set.init.inherit = {{ parent = "teacher", layers = "influence", first = 1, last = 0, width.learned = {{ tokens = 5120, mask_learning_rate = 0.5 }} }}

[[design.list]]
name = "frozen"
set.model.tied = true
set.init.inherit = {{ parent = "teacher", layers = "learned", first = 1, last = 0, width.learned = {{ tokens = 5120, weights = "frozen", mask_learning_rate = 0.5 }} }}
"#
    )
}

#[test]
fn width_is_measured_and_learned() {
    let sandbox = Sandbox::with_study(&study());
    let plan = sandbox.json(&["plan", "tiny.toml", "--json", "--no-timing"]);
    for (stage, count) in [("importance", 1), ("masks", 2), ("skips", 1), ("inherit", 4)] {
        assert_eq!(plan["totals"]["by_stage"][stage], count, "{stage}");
    }
    let stages = plan["stages"].as_array().unwrap();
    for stage in stages.iter().filter(|s| s["stage"] == "masks" || s["stage"] == "importance") {
        assert!(stage["seconds"].as_f64().unwrap() > 0.0, "{stage}");
        assert!(stage["disk_bytes"].as_u64().unwrap() > 10_000, "{stage}");
    }
    sandbox.succeed(&["run", "tiny.toml"]);
    let root = sandbox.root();

    // Every child has its own shape, and a map that says where it is from in the parent itself.
    let parent: ModelConfig = {
        let trained = of_stage(&root, "train");
        let configs = trained.iter().map(|name| json(&sandbox, name, "model.json"));
        let configs = configs.map(|config| serde_json::from_value::<ModelConfig>(config).unwrap());
        configs.max_by_key(|config| config.shape.depth).unwrap()
    };
    assert_eq!(parent.shape.depth, 4);
    for name in of_stage(&root, "inherit") {
        let child: ModelConfig =
            serde_json::from_value(json(&sandbox, &name, "model.json")).unwrap();
        let folder = &results(&root)[&name];
        Weights::load(&folder.join("model.safetensors")).unwrap().check(&child).unwrap();
        let map: InheritanceMap =
            serde_json::from_value(json(&sandbox, &name, "inheritance.json")).unwrap();
        assert_eq!((map.layers.len(), map.hidden.len(), map.kv_heads[0].len()), (2, 16, 2));
        assert_eq!(map.layers[0], 0, "the first layer is kept in any case");
        assert!(map.layers.iter().all(|layer| *layer < 4));
        assert_eq!(map.vocabulary.len(), child.shape.vocabulary);
        assert!(map.vocabulary.iter().all(|id| (*id as usize) < parent.shape.vocabulary));
        let widest = map.ffn.iter().flatten().max().unwrap();
        assert!((24..32).contains(widest), "channels of the parent: {widest}");
    }

    // Masks of exactly the child's sizes, and a log of how they came to them.
    let mut shares = Vec::new();
    for name in of_stage(&root, "masks") {
        let summary = json(&sandbox, &name, "masks.json");
        let masks: Units = serde_json::from_value(summary["masks"].clone()).unwrap();
        let kept = |masks: &[f64]| masks.iter().filter(|mask| **mask > 0.0).count();
        assert_eq!((kept(&masks.layers), kept(&masks.hidden)), (2, 16));
        for (heads, ffn) in masks.heads.iter().zip(&masks.ffn) {
            assert_eq!((kept(heads), kept(ffn)), (2, 24));
        }
        assert_eq!(summary["tokens"], 5120);
        assert_eq!(summary["target"]["ffn"], 0.25);
        let log = fs::read_to_string(results(&root)[&name].join("metrics.jsonl")).unwrap();
        assert_eq!(log.lines().count(), 20);
        let last: Value = serde_json::from_str(log.lines().last().unwrap()).unwrap();
        assert_eq!((&last["tokens"], &last["target"]), (&5120.into(), &1.0.into()));
        assert!(last["sparsity"]["hidden"].as_f64().unwrap() > 0.0);
        shares.push((summary["sparsity"]["hidden"].clone(), summary["target"]["hidden"].clone()));
    }

    // What masks cost is part of their children's price.
    let variants = rows(&sandbox.report().join("variants.parquet"));
    for row in &variants {
        let learned = ["joint", "frozen"].contains(&text(row, "name"));
        assert_eq!(number(row, "mask_tokens"), if learned { 5120.0 } else { 0.0 });
        let told: Value = serde_json::from_str(text(row, "mask_shares")).unwrap();
        let hidden = told.as_array().unwrap().iter().find(|told| told["units"] == "hidden");
        let pair = hidden.map(|told| (told["shut"].clone(), told["target"].clone()));
        assert_eq!(pair.is_some(), learned);
        assert!(pair.is_none_or(|pair| shares.contains(&pair)), "{told} of {shares:?}");
    }
    let flops = |name: &str| {
        number(variants.iter().find(|row| text(row, "name") == name).unwrap(), "train_flops")
    };
    assert!(flops("frozen") > 1.5 * flops("taylor-compact"));
    let table = fs::read_to_string(sandbox.report().join("tables/cost.md")).unwrap();
    assert!(table.contains("Mask tokens"), "{table}");
}

/// A parent that was trained here and goes out as files is worth the same when it comes in again: what is
/// measured and learned on it, on the same text, is the same to the last bit.
#[test]
fn a_given_parent_is_worth_what_a_trained_one_is() {
    let sandbox = Sandbox::with_study(&study());
    let root = sandbox.root();
    sandbox.succeed(&["run", "tiny.toml", "--quiet"]);
    fs::create_dir(sandbox.desk("out")).unwrap();
    sandbox.succeed(&["export", "tiny.toml", "out/teacher", "--variant", "teacher"]);
    let file = "out/teacher/tokenizer.json";
    let (head, tail) = study().split_once("[parents.teacher]").map(own).unwrap();
    let (_, variants) = tail.split_once("[[design.list]]").map(own).unwrap();
    let given = head
        .replace("name = \"tiny\"", "name = \"given\"")
        .replace("vocabulary = 300", &format!("vocabulary = 300\nbuild.file.path = \"{file}\""))
        + "[parents.teacher]\npath = \"out/teacher\"\n\n[[design.list]]"
        + &variants.replace("from = 300", &format!("file = \"{file}\""));
    sandbox.write("given.toml", given);

    let before = results(&root);
    let plan = sandbox.json(&["plan", "given.toml", "--json", "--no-timing"]);
    let measuring = |stage: &Value| stage["stage"] == "importance";
    let measured =
        plan["stages"].as_array().unwrap().iter().find(|stage| measuring(stage)).unwrap();
    assert!(measured["seconds"].as_f64().unwrap() > 0.0, "{measured}");
    sandbox.succeed(&["run", "given.toml", "--quiet"]);
    // All of it was made anew, and comes to the same.
    let bytes = |name: &String, file: &str| fs::read(results(&root)[name].join(file)).unwrap();
    for (stage, count, files) in [
        ("importance", 1, &["saliency.safetensors", "importance.json"][..]),
        ("masks", 2, &["model.safetensors", "masks.json", "trunk.json"]),
        ("inherit", 4, &["model.safetensors", "model.json", "inheritance.json"]),
    ] {
        let (trained, given): (Vec<_>, Vec<_>) =
            of_stage(&root, stage).into_iter().partition(|name| before.contains_key(name));
        assert_eq!((trained.len(), given.len()), (count, count), "{stage}");
        let content = |names: &[String]| -> BTreeSet<Vec<Vec<u8>>> {
            names.iter().map(|name| files.iter().map(|file| bytes(name, file)).collect()).collect()
        };
        let (trained, given) = (content(&trained), content(&given));
        assert_eq!(trained.len(), count, "{stage}: some are the same");
        assert!(trained == given, "{stage}: a given parent makes other ones");
    }
}

fn own((a, b): (&str, &str)) -> (String, String) {
    (a.to_owned(), b.to_owned())
}

fn json(sandbox: &Sandbox, name: &str, file: &str) -> Value {
    let folder = &results(&sandbox.root())[name];
    serde_json::from_str(&fs::read_to_string(folder.join(file)).unwrap()).unwrap()
}

/// The same bytes whatever the number of threads.
#[test]
fn threads_change_nothing_in_what_is_learned() {
    let sandbox = Sandbox::with_study(&study());
    let [one, three] = ["1", "3"].map(|threads| {
        let root = sandbox.desk("..").join(format!("threads-{threads}"));
        let arguments = ["run", "tiny.toml", "--quiet", "--threads", threads, "--jobs", "1"];
        let ended = Ended::of(sandbox.command_in(&root, &arguments));
        assert_eq!(ended.code, Some(0), "{ended}");
        lasting(&root)
    });
    one.assert_same(&three, "3 threads instead of 1");
}
