//! Published benchmarks asked of a model: `eval --benchmarks`.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::outcome::{number, rows, text};
use crate::sandbox::{Sandbox, TINY};

/// A model in the sandbox's folder `out/model`, and two imported benchmarks: PIQA of six items, and an
/// exam of two subjects with solved examples.
fn prepared() -> Sandbox {
    let sandbox = Sandbox::with_study(&TINY.replace("seeds = [1, 2]", "seeds = [1]"));
    sandbox.succeed(&["run", "tiny.toml", "--only", "plain", "--quiet"]);
    fs::create_dir(sandbox.desk("out")).unwrap();
    sandbox.succeed(&["export", "tiny.toml", "out/model", "--variant", "plain"]);
    let line = |id: usize| {
        let right = format!("walk {}", "on ".repeat(id));
        let goal = format!("Go {id}");
        json!({ "id": format!("p{id}"), "goal": goal, "sol1": right, "sol2": "sit down" })
            .to_string()
            + "\n"
    };
    sandbox.write("piqa/dev.jsonl", (0..6).map(line).collect::<String>());
    sandbox.write("piqa/dev-labels.lst", "0\n1\n0\n0\n1\n0\n");
    sandbox.succeed(&["data", "import", "piqa", "piqa"]);
    let row =
        |number: usize| format!("What is {number}?,a{number},b,c,d,{}\n", ["A", "C"][number % 2]);
    for subject in ["anatomy", "law"] {
        for (split, count) in [("dev", 2), ("test", 5)] {
            let table: String = (0..count).map(row).collect();
            sandbox.write(&format!("mmlu/{split}/{subject}_{split}.csv"), table);
        }
    }
    sandbox.succeed(&["data", "import", "mmlu", "mmlu"]);
    sandbox
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The file whose name begins and ends so.
fn one(folder: &Path, start: &str, end: &str) -> PathBuf {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let fits = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        name.starts_with(start) && name.ends_with(end)
    };
    let found: Vec<PathBuf> = names.filter(fits).collect();
    assert_eq!(found.len(), 1, "{start}*{end}: {found:?}");
    found[0].clone()
}

const EVAL: [&str; 4] = ["eval", "out/model", "--benchmarks", "piqa,mmlu"];

#[test]
fn benchmarks_are_scored_and_written_as_the_harness_does() {
    let sandbox = prepared();
    let table = sandbox.succeed(&[&EVAL[..], &["--shots", "0"]].concat());
    for words in ["piqa", "mmlu", "acc *", "acc_norm", "0.5000", "0.2500"] {
        assert!(table.contains(words), "`{words}` is not in\n{table}");
    }

    // A table of several benchmarks, with as many examples as there are.
    let more = ["--shots", "1", "--output", "scores", "--json"];
    let said = sandbox.json(&[&EVAL[..], &more].concat());
    let of = |name: &str| said["benchmarks"].as_array().unwrap().iter().find(|b| b["name"] == name);
    let (piqa, mmlu) = (of("piqa").unwrap(), of("mmlu").unwrap());
    assert_eq!(
        (&piqa["items"], &piqa["prompts"], &piqa["shots"]),
        (&6.into(), &12.into(), &1.into())
    );
    assert_eq!(
        (&mmlu["items"], &mmlu["prompts"], &mmlu["shots"]),
        (&10.into(), &40.into(), &1.into())
    );
    assert!(piqa["seconds"].as_f64().unwrap() > 0.0);
    let items = said["items"].as_array().unwrap();
    assert_eq!(items.len(), 16);

    let folder = sandbox.desk("scores/out__model");
    let results = read(&one(&folder, "results_", ".json"));
    assert_eq!(results["model_name"], "out/model");
    assert_eq!(results["config"]["limit"], Value::Null);
    for task in ["piqa", "mmlu_anatomy", "mmlu_law"] {
        let (scores, samples) = (
            &results["results"][task],
            lines(&one(&folder, &format!("samples_{task}_"), ".jsonl")),
        );
        assert_eq!(scores["alias"], task);
        assert_eq!(results["n-shot"][task], 1);
        assert_eq!(results["n-samples"][task]["effective"], samples.len());
        // The score is the mean of the samples', and each sample's follows from its likelihoods.
        let mut right = 0.0;
        for sample in &samples {
            let pairs = sample["filtered_resps"].as_array().unwrap();
            let logliks: Vec<f64> =
                pairs.iter().map(|pair| pair[0].as_str().unwrap().parse().unwrap()).collect();
            assert!(logliks.iter().all(|loglik| *loglik < 0.0));
            let best = (0..logliks.len()).rev().max_by(|a, b| logliks[*a].total_cmp(&logliks[*b]));
            let key: usize = sample["target"].as_str().unwrap().parse().unwrap();
            assert_eq!(sample["acc"], f64::from(best == Some(key)), "{sample}");
            right += sample["acc"].as_f64().unwrap();
            assert_eq!(sample["resps"][0][0], pairs[0]);
            assert_eq!(sample["arguments"].as_object().unwrap().len(), pairs.len());
            for key in ["doc_id", "doc", "doc_hash", "prompt_hash", "target_hash", "acc_norm"] {
                assert!(!sample[key].is_null(), "{key} is not in {sample}");
            }
        }
        let mean = right / samples.len() as f64;
        assert!((scores["acc,none"].as_f64().unwrap() - mean).abs() < 1e-12);
        assert_eq!(results["task_hashes"][task].as_str().unwrap().len(), 64);
    }
    assert_eq!(results["group_subtasks"]["mmlu"], json!(["mmlu_anatomy", "mmlu_law"]));
    assert_eq!(results["groups"]["mmlu"]["sample_count"]["acc,none"], 10);
    let law = lines(&one(&folder, "samples_mmlu_law_", ".jsonl"));
    let prompt = law[2]["arguments"]["gen_args_0"]["arg_0"].as_str().unwrap();
    assert!(prompt.contains("about law.") && prompt.ends_with("D. d\nAnswer:"), "{prompt}");
    assert_eq!(prompt.matches("Answer:").count(), 2);

    // Rows, as in a report.
    let written = rows(&one(&folder, "items_", ".parquet"));
    assert_eq!(written.len(), 16);
    assert_eq!(text(&written[0], "variant"), "out/model");
    let scores = rows(&one(&folder, "scores_", ".parquet"));
    let acc = scores.iter().find(|r| text(r, "benchmark") == "piqa" && text(r, "metric") == "acc");
    let expected = results["results"]["piqa"]["acc,none"].as_f64().unwrap();
    assert!((number(acc.unwrap(), "value") - expected).abs() < 1e-12);
    let files: Vec<&str> =
        said["files"].as_array().unwrap().iter().map(|file| file.as_str().unwrap()).collect();
    assert_eq!(files.len(), fs::read_dir(&folder).unwrap().count());
    assert!(files.iter().all(|file| sandbox.desk(file).is_file()), "{files:?}");
}

#[test]
fn scores_depend_on_neither_batches_nor_company() {
    let sandbox = prepared();
    let asked = |arguments: &[&str], more: &[&str]| -> Vec<(String, Vec<f64>)> {
        let said = sandbox.json(&[arguments, more, &["--json"]].concat());
        let of = |item: &Value| {
            let all = item["option_logliks"].as_array().unwrap();
            let name = format!("{} {}", item["benchmark"], item["item"]);
            (name, all.iter().map(|loglik| loglik.as_f64().unwrap()).collect())
        };
        said["items"].as_array().unwrap().iter().map(of).collect()
    };
    let likelihoods = |more: &[&str]| asked(&[&EVAL[..], &["--shots", "1"]].concat(), more);
    // Longer prompts lose their beginning in a context of 32 tokens, and with it the separator.
    let short = |more: &[&str]| asked(&["eval", "out/model", "--benchmarks", "piqa"], more);
    let all = likelihoods(&[]);
    let near = |found: &[(String, Vec<f64>)]| {
        for (name, logliks) in found {
            let (_, expected) = all.iter().find(|(known, _)| known == name).unwrap();
            for (a, b) in logliks.iter().zip(expected) {
                assert!((a - b).abs() < 1e-4, "{name}: {a} is not {b}");
            }
        }
    };
    let single = likelihoods(&["--batch-tokens", "1"]);
    assert_eq!(single.len(), 16);
    near(&single);
    // Every third item of ten, every second of six.
    let few = likelihoods(&["--limit", "3"]);
    assert_eq!(few.len(), 6);
    near(&few);
    // The separator before every prompt is another question.
    let (plain, other) = (short(&[]), short(&["--separator"]));
    assert!(other.iter().zip(&plain).any(|(a, b)| (a.1[0] - b.1[0]).abs() > 1e-3));

    let law = ["eval", "out/model", "--benchmarks", "mmlu", "--subject", "law", "--shots", "2"];
    let more = ["--limit", "2", "--output", "scores", "--json"];
    let said = sandbox.json(&[&law[..], &more].concat());
    assert_eq!(said["benchmarks"][0]["items"], 2);
    let folder = sandbox.desk("scores/out__model");
    let results = read(&one(&folder, "results_", ".json"));
    assert_eq!(results["n-samples"]["mmlu_law"], json!({ "original": 5, "effective": 2 }));
    assert_eq!(results["config"]["limit"], 2);

    // Of a group, every task has its own numbers.
    let group = ["eval", "out/model", "--benchmarks", "mmlu", "--shots", "2"];
    sandbox.succeed(&[&group[..], &["--limit", "3", "--output", "few"]].concat());
    let results = read(&one(&sandbox.desk("few/out__model"), "results_", ".json"));
    let counts = |task: &str| {
        let counts = &results["n-samples"][task];
        (counts["original"].as_u64().unwrap(), counts["effective"].as_u64().unwrap())
    };
    // Items 0, 3 and 6 of ten.
    assert_eq!([counts("mmlu_anatomy"), counts("mmlu_law")], [(5, 2), (5, 1)]);
}

#[test]
fn other_scorings_have_their_own_prompts() {
    let sandbox = prepared();
    let ppl = ["--scoring", "ppl", "--shots", "0", "--json"];
    let said = sandbox.json(&[&EVAL[..], &ppl].concat());
    let primary: Vec<&str> = said["scores"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|score| score["primary"] == true)
        .map(|score| score["metric"].as_str().unwrap())
        .collect();
    assert_eq!(primary, ["acc_ppl", "acc_ppl"]);
    assert_eq!(said["benchmarks"][0]["scoring"], json!(["ppl"]));
    assert_eq!(said["items"][0]["prompt_losses"].as_array().unwrap().len(), 2);
}

#[test]
fn what_cannot_be_evaluated_is_said_before_a_model_is_read() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "piqa/dev.jsonl",
        "{\"id\": \"p\", \"goal\": \"g\", \"sol1\": \"a\", \"sol2\": \"b\"}\n",
    );
    sandbox.write("piqa/dev-labels.lst", "0\n");
    sandbox.succeed(&["data", "import", "piqa", "piqa"]);
    sandbox.write("taken", "a file");
    let refused = |benchmarks: &str, more: &[&str], said: &[&str]| {
        let ended =
            sandbox.ablate(&[&["eval", "nowhere", "--benchmarks", benchmarks], more].concat());
        assert_eq!(ended.code, Some(2), "{ended}");
        ended.assert_no_panic();
        for words in said {
            assert!(ended.stderr.contains(words), "`{words}` is not said: {ended}");
        }
    };
    // Everything at once.
    let both = ["no benchmark `pika`; did you mean `piqa`?", "say `ablate data import mmlu PATH`"];
    refused("pika,mmlu,piqa", &[], &both);
    refused("piqa", &["--output", "taken/here"], &["cannot write results into", "--output DIR"]);
    refused("piqa", &["--subject", "law"], &["`piqa` has no subject `law`"]);
    refused("piqa", &["--shots", "1"], &["1 examples are wanted", "has 1"]);
    refused("piqa", &["--limit", "0"], &["--limit", "0"]);
    refused("piqa", &["--items", "x.jsonl"], &["--items", "--benchmarks"]);
    refused("piqa", &[], &["`nowhere` does not exist"]);
    let ended = sandbox.ablate(&["eval", "nowhere"]);
    assert_eq!(ended.code, Some(2), "{ended}");
    assert!(ended.stderr.contains("--benchmarks"), "{ended}");
}
