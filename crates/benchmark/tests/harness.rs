//! Equality with what lm-evaluation-harness writes of the same documents and likelihoods;
//! `fixtures/make_harness.py` made its files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use ablate_benchmark::harness::{Evaluated, Run, write};
use ablate_benchmark::{Ask, Definition, Imported, Question, import};
use ablate_eval::ItemResult;
use serde_json::{Value, json};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/harness")
}

fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn imported(name: &str, to: &Path) -> Imported {
    let text = fs::read_to_string(folder().join(format!("{name}.toml"))).unwrap();
    let definition = Definition::parse(&text, name).unwrap();
    import(&definition, (&text, false), &folder().join("upstream"), to).unwrap();
    Imported::open(&to.join(name), definition).unwrap()
}

/// The results that follow from the likelihoods in the harness's samples.
fn results(questions: &[Question<'_>]) -> Vec<ItemResult> {
    let mut samples = BTreeMap::<String, std::vec::IntoIter<Value>>::new();
    let of = |question: &Question<'_>| {
        let path = folder().join(format!("samples_{}.jsonl", question.task));
        let sample = samples
            .entry(question.task.clone())
            .or_insert_with(|| lines(&path).into_iter())
            .next()
            .unwrap();
        let pairs = sample["filtered_resps"].as_array().unwrap();
        let logliks = pairs.iter().map(|pair| pair[0].as_str().unwrap().parse().unwrap());
        let greedy = pairs.iter().map(|pair| pair[1] == json!("True"));
        ItemResult::of_likelihoods(
            &question.item,
            &logliks.collect::<Vec<f64>>(),
            &greedy.collect::<Vec<bool>>(),
        )
    };
    questions.iter().map(of).collect()
}

fn by_task(questions: &[Question<'_>]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for question in questions {
        *counts.entry(question.task.clone()).or_insert(0) += 1;
    }
    counts
}

/// Equal, numbers to 1e-12 and whatever their kind.
#[track_caller]
fn same(found: &Value, expected: &Value, what: &str) {
    match (found.as_f64(), expected.as_f64()) {
        (Some(found), Some(expected)) => {
            assert!((found - expected).abs() < 1e-12, "{what}: {found} is not {expected}");
        }
        _ => assert_eq!(found, expected, "{what}"),
    }
}

#[test]
fn files_are_the_harness_s() {
    let temporary = tempfile::tempdir().unwrap();
    let all: Vec<Imported> = ["pairs", "blanks", "words", "exam"]
        .iter()
        .map(|name| imported(name, &temporary.path().join("imported")))
        .collect();
    let questions: Vec<Vec<Question<'_>>> =
        all.iter().map(|imported| imported.ask(&Ask::default()).unwrap()).collect();
    let results: Vec<Vec<ItemResult>> = questions.iter().map(|q| results(q)).collect();
    let available: Vec<BTreeMap<String, usize>> =
        questions.iter().map(|questions| by_task(questions)).collect();
    let evaluated: Vec<Evaluated<'_>> = (0..all.len())
        .map(|index| Evaluated {
            definition: &all[index].definition,
            questions: &questions[index],
            results: &results[index],
            available: &available[index],
        })
        .collect();
    let run = Run {
        model: "somebody/hashed",
        config: serde_json::Map::new(),
        benchmarks: &evaluated,
        started: 1.5e9,
        date: "2026-01-31T12:00:00.123456",
        seconds: 12.0,
        commit: None,
    };
    let written = write(temporary.path(), &run).unwrap();
    assert!(written.results.ends_with("somebody__hashed/results_2026-01-31T12-00-00.123456.json"));
    assert_eq!(written.samples.len(), 5);

    let text = fs::read_to_string(&written.results).unwrap();
    let found: Value = serde_json::from_str(&text).unwrap();
    let expected: Value =
        serde_json::from_str(&fs::read_to_string(folder().join("results.json")).unwrap()).unwrap();
    for key in ["results", "groups"] {
        let tasks = expected[key].as_object().unwrap();
        for (task, metrics) in tasks {
            for (metric, value) in metrics.as_object().unwrap() {
                // The harness draws that of the perplexity at random.
                if metric == "sample_count" {
                    assert_eq!(found[key][task][metric]["acc,none"], value["acc,none"]);
                } else if metric != "perplexity_stderr,none" {
                    let what = format!("{key} {task} {metric}");
                    same(&found[key][task][metric], value, &what);
                }
            }
        }
        assert_eq!(tasks.len(), found[key].as_object().unwrap().len());
    }
    for key in ["group_subtasks", "n-shot", "n-samples", "task_hashes"] {
        for (task, value) in expected[key].as_object().unwrap() {
            assert_eq!(&found[key][task], value, "{key} {task}");
        }
    }
    assert_eq!(found["higher_is_better"]["words"], expected["higher_is_better"]["words"]);
    assert!(found["groups"]["exam"]["acc_stderr_clustered,none"].as_f64().unwrap() > 0.0);
    // What its readers look for at the top is there, but for facts of its own environment.
    let own = ["pretty_env_info", "transformers_version", "upper_git_hash", "lm_eval_version"];
    let chat = ["system_instruction", "system_instruction_sha", "fewshot_as_multiturn"];
    for key in expected["keys"].as_array().unwrap() {
        let key = key.as_str().unwrap();
        if !own.contains(&key) && !chat.contains(&key) && !key.starts_with("chat_template") {
            assert!(!key.contains("token") && found.get(key).is_some(), "{key} is missing");
        }
    }

    for path in written.samples {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let task = name.strip_prefix("samples_").unwrap().rsplit_once('_').unwrap().0;
        let expected = lines(&folder().join(format!("samples_{task}.jsonl")));
        let found = lines(&path);
        assert_eq!(found.len(), expected.len(), "{task}");
        for (found, expected) in found.iter().zip(&expected) {
            for (key, value) in expected.as_object().unwrap() {
                if key != "metrics" {
                    same(&found[key], value, &format!("{task} {key}"));
                }
            }
            let metrics = found["metrics"].as_array().unwrap();
            for metric in expected["metrics"].as_array().unwrap() {
                assert!(metrics.contains(metric), "{task} {metric}");
            }
        }
    }
}
