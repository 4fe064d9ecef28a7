//! Models go out and come in again: `export`, `generate`, `eval`.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::sandbox::{Ended, Sandbox, TINY, files};

/// The first variant of the tiny study with one seed, trained.
fn trained(more: &str) -> Sandbox {
    let study = TINY.replace("seeds = [1, 2]", "seeds = [1]") + more;
    let sandbox = Sandbox::with_study(&study);
    let ended = sandbox.ablate(&["run", "tiny.toml", "--only", "plain", "--quiet"]);
    assert_eq!(ended.code, Some(0), "{ended}");
    sandbox
}

fn export(sandbox: &Sandbox, more: &[&str]) -> Ended {
    sandbox.ablate(&[&["export", "tiny.toml", "out/model"], more].concat())
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn assert_said(ended: &Ended, code: i32, said: &[&str]) {
    assert_eq!(ended.code, Some(code), "{ended}");
    ended.assert_no_panic();
    for words in said {
        assert!(ended.stderr.contains(words), "`{words}` is not said: {ended}");
    }
}

#[test]
fn a_trained_variant_goes_out_and_comes_in() {
    let sandbox = trained("");
    fs::create_dir(sandbox.desk("out")).unwrap();
    let plain = ["--variant", "plain"];
    let ended = export(&sandbox, &plain);
    assert_eq!(ended.code, Some(0), "{ended}");
    let folder = sandbox.desk("out/model");
    let mut names: Vec<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let expected = [
        "README.md",
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "special_tokens_map.json",
        "tokenizer.json",
        "tokenizer_config.json",
    ];
    assert_eq!(names, expected);
    // Nothing is left beside it.
    assert_eq!(fs::read_dir(sandbox.desk("out")).unwrap().count(), 1);
    let config = json(&folder.join("config.json"));
    assert_eq!(config["architectures"][0], "LlamaForCausalLM");
    assert_eq!((&config["vocab_size"], &config["eos_token_id"]), (&300.into(), &0.into()));
    let card = fs::read_to_string(folder.join("README.md")).unwrap();
    for words in [
        "---\nlibrary_name: transformers",
        "- \"zh\"",
        "| layers | 1 |",
        "| train |",
        "[tokenizer]",
    ] {
        assert!(card.contains(words), "`{words}` is not in the card:\n{card}");
    }

    // It is not written over, unless that is asked for.
    assert_said(&export(&sandbox, &plain), 2, &["is not empty", "--force"]);
    fs::write(folder.join("mine.txt"), "mine").unwrap();
    assert_eq!(export(&sandbox, &["--variant", "plain", "--force"]).code, Some(0));
    assert!(!folder.join("mine.txt").exists());
    assert_eq!(fs::read_dir(sandbox.desk("out")).unwrap().count(), 1);
    let other = sandbox.desk("papers");
    fs::create_dir_all(&other).unwrap();
    fs::write(other.join("thesis.tex"), "mine").unwrap();
    let refused =
        sandbox.ablate(&["export", "tiny.toml", "papers", "--variant", "plain", "--force"]);
    assert_said(&refused, 2, &["holds something else"]);
    assert!(other.join("thesis.tex").exists());

    let generate = ["generate", "out/model", "--prompt", "The cat", "--max-new-tokens", "6"];
    let text = sandbox.ablate(&generate);
    assert_eq!(text.code, Some(0), "{text}");
    assert!(text.stdout.starts_with("The cat"));
    let ended = sandbox.ablate(&[&generate[..], &["--json"]].concat());
    let result: Value = serde_json::from_str(&ended.stdout).unwrap();
    let count = result["tokens"].as_array().unwrap().len();
    assert!(count <= 6 && text.stdout == format!("The cat{}\n", result["text"].as_str().unwrap()));

    let item = |id: u32, key: u32| {
        format!(
            "{{\"id\": \"q{id}\", \"benchmark\": \"mine\", \"language\": \"en\", \"context\": \"Is it {id}?\", \
             \"options\": [\" yes\", \" no\"], \"key\": {key}}}\n"
        )
    };
    sandbox.write("items.jsonl", &(item(1, 0) + &item(2, 1) + &item(3, 1)));
    let eval = ["eval", "out/model", "--items", "items.jsonl"];
    let table = sandbox.ablate(&eval);
    assert_eq!(table.code, Some(0), "{table}");
    assert!(table.stdout.contains("mine") && table.stdout.contains("acc_norm"), "{table}");
    let ended = sandbox.ablate(&[&eval[..], &["--json"]].concat());
    let result: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(result["items"].as_array().unwrap().len(), 3);
    assert_eq!(result["items"][0]["option_logliks"].as_array().unwrap().len(), 2);
    assert_said(
        &sandbox.ablate(&["eval", "out/model", "--items", "nothing.jsonl"]),
        2,
        &["nothing.jsonl"],
    );

    // The tokenizer of another model.
    let other = folder.join("tokenizer.json");
    let mut tokenizer = json(&other);
    let vocabulary = tokenizer["model"]["vocab"].as_object_mut().unwrap();
    for id in 300..320 {
        vocabulary.insert(format!("new{id}"), id.into());
    }
    fs::write(&other, tokenizer.to_string()).unwrap();
    assert_said(&sandbox.ablate(&generate), 2, &["320 pieces", "vocabulary of 300"]);
}

#[test]
fn what_cannot_be_exported_is_said() {
    let pi = "\n[[design.list]]\nname = \"pi\"\nset.model.pi = { activations = 2, shortcut = 8 }\n";
    let sandbox = trained(pi);
    let asked = |name: &str| export(&sandbox, &["--variant", name]);
    assert_said(&export(&sandbox, &[]), 2, &["choose one with `--variant`", "plain, deep, pi"]);
    assert_said(&asked("deep"), 2, &["is not trained (missing)", "ablate run tiny.toml"]);
    assert_said(&asked("flat"), 4, &["no variant or parent `flat`"]);
    let seed = export(&sandbox, &["--variant", "plain", "--seed", "7"]);
    assert_said(&seed, 4, &["no seed 7"]);
    let ended = sandbox.ablate(&["run", "tiny.toml", "--only", "pi", "--quiet"]);
    assert_eq!(ended.code, Some(0), "{ended}");
    assert_said(&asked("pi"), 2, &["PanGu-π", "2 activations"]);
    assert!(!sandbox.desk("out").exists());
}

#[test]
fn what_is_no_model_is_said() {
    let sandbox = Sandbox::with_study(TINY);
    let of = |model: &str| sandbox.ablate(&["generate", model, "--prompt", "x"]);
    assert_said(&of("nowhere"), 2, &["`nowhere` does not exist"]);
    sandbox.write("broken.gguf", "GGUF");
    assert_said(&of("broken.gguf"), 2, &["broken.gguf", "ends at byte 4"]);
    sandbox.write("broken.bin", "12345678");
    assert_said(&of("broken.bin"), 2, &["shorter than its first seven numbers"]);
    assert_said(&of("tiny.toml"), 2, &["is no model"]);
    assert!(files(&sandbox.root()).is_empty());
}

/// A child of a model of others: what `export` writes is one, whoever reads it.
#[test]
fn a_model_of_others_has_children() {
    let sandbox = trained("");
    fs::create_dir(sandbox.desk("out")).unwrap();
    assert_eq!(export(&sandbox, &["--variant", "plain"]).code, Some(0));
    let child = |change: &str, path: &str| {
        let (base, _) = TINY.split_once("[[design.list]]").unwrap();
        let base = base
            .replace("name = \"tiny\"", "name = \"child\"")
            .replace("seeds = [1, 2]", "seeds = [1]")
            .replace(
                "vocabulary = 300",
                "vocabulary = 280\nbuild.compact = { file = \"out/model/tokenizer.json\" }",
            )
            .replace("width = 16\nheads = 2", "width = 8\nheads = 1")
            .replace(change.split('>').next().unwrap(), change.split('>').nth(1).unwrap_or(change));
        let more =
            "[init.inherit]\nparent = \"grown\"\nfirst = 1\nlast = 0\n\n[parents.grown]\npath = ";
        sandbox.write("child.toml", format!("{base}{more}\"{path}\"\n"));
    };
    child("ffn.size = 24>ffn.size = 12", "out/model");
    let plan = sandbox.ablate(&["plan", "child.toml", "--no-timing"]);
    assert_eq!(plan.code, Some(0), "{plan}");
    let ended = sandbox.ablate(&["run", "child.toml", "--quiet"]);
    assert_eq!(ended.code, Some(0), "{ended}");
    let stages = sandbox.root().join("data/store");
    assert_eq!(fs::read_dir(stages.join("foreign")).unwrap().count(), 1);
    assert_eq!(fs::read_dir(stages.join("inherit")).unwrap().count(), 1);

    let refused = |change: &str, said: &[&str]| {
        child(change, "out/model");
        assert_said(&sandbox.ablate(&["plan", "child.toml"]), 2, said);
    };
    refused("ffn.size = 24>ffn.size = 48", &["`ffn` is 48", "only 24", "`grown`"]);
    refused("context = 32>context = 64", &["context is 64", "at most 32"]);
    refused(
        "ffn.size = 24>ffn.size = 24\nrope_theta = 5e4",
        &["base 50000", "rope_theta = 10000.0"],
    );
    refused("heads = 1>heads = 2", &["head of the parent 8"]);
    // A plan needs no model; a run does.
    child("ffn.size = 24>ffn.size = 12", "elsewhere");
    let plan = sandbox.ablate(&["plan", "child.toml", "--no-timing"]);
    assert!(plan.code == Some(0) && plan.to_string().contains("elsewhere"), "{plan}");
    assert_said(
        &sandbox.ablate(&["run", "child.toml"]),
        2,
        &["there is no model `elsewhere`", "parents.grown.path"],
    );
    // What exists is not trained.
    let text = fs::read_to_string(sandbox.desk("child.toml")).unwrap();
    sandbox.write("child.toml", text + "seed = 3\n");
    assert_said(&sandbox.ablate(&["check", "child.toml"]), 2, &["parent `grown` exists", "`seed`"]);
}
