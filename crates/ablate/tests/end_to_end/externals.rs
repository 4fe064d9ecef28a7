//! Models of others beside the variants of a study, and by themselves.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::outcome::{Row, rows};
use crate::sandbox::{Ended, Sandbox, TINY};

/// The tiny study beside a model that is to lie in `theirs`, and one that is nowhere.
fn beside(more: &str) -> String {
    let (base, _) = TINY.split_once("[[design.list]]").unwrap();
    let base = base.replace("seeds = [1, 2]", "seeds = [1]");
    format!(
        "{base}[[external]]\nname = \"theirs\"\nlabel = \"Their model\"\npath = \"theirs\"\n{more}\n\
         [[external]]\nname = \"nowhere\"\npath = \"models/nowhere\"\n"
    )
}

/// A desk on which the tiny study's first variant lies as a folder of Hugging Face, `theirs`.
fn with_a_model() -> Sandbox {
    let sandbox = Sandbox::with_study(&TINY.replace("seeds = [1, 2]", "seeds = [1]"));
    sandbox.succeed(&["run", "tiny.toml", "--only", "plain", "--quiet"]);
    sandbox.succeed(&["export", "tiny.toml", "theirs", "--variant", "plain"]);
    sandbox
}

fn list<'a>(json: &'a Value, key: &str) -> &'a Vec<Value> {
    json[key].as_array().unwrap_or_else(|| panic!("no `{key}` in {json}"))
}

fn text(row: &Row, column: &str) -> String {
    row[column].to_string().trim_matches('"').to_owned()
}

/// Benchmark, language, metric and value of a variant's or a model's scores.
fn scores(report: &Path, name: &str) -> Vec<[String; 4]> {
    let all = rows(&report.join("scores.parquet"));
    let own = all.iter().filter(|row| text(row, "variant") == name);
    own.map(|row| ["benchmark", "language", "metric", "value"].map(|c| text(row, c))).collect()
}

fn table(report: &Path, name: &str) -> String {
    fs::read_to_string(report.join(format!("tables/{name}.md"))).unwrap()
}

fn said(ended: &Ended, code: i32, words: &[&str]) {
    assert_eq!(ended.code, Some(code), "{ended}");
    ended.assert_no_panic();
    for words in words {
        assert!(ended.stderr.contains(words), "`{words}` is not said: {ended}");
    }
}

#[test]
fn a_model_of_others_is_scored_as_a_variant_is() {
    let sandbox = with_a_model();
    let keys = |study: &str| -> Vec<Value> {
        let plan = sandbox.json(&["plan", study, "--json", "--no-timing"]);
        list(&plan, "stages").iter().map(|stage| stage["key"].clone()).collect()
    };
    let (before, _) = TINY.split_once("[[design.list]]").unwrap();
    sandbox.write("alone.toml", before.replace("seeds = [1, 2]", "seeds = [1]"));
    let alone = keys("alone.toml");
    sandbox.write("tiny.toml", beside(""));
    let together = keys("tiny.toml");
    assert!(alone.iter().all(|key| together.contains(key)), "keys of variants changed");
    // Their tokenizer, weights, held-out tokens and scores.
    assert_eq!(together.len(), alone.len() + 4);

    let plan = sandbox.json(&["plan", "tiny.toml", "--json", "--no-timing"]);
    assert_eq!((&plan["totals"]["variants"], &plan["totals"]["runs"]), (&1.into(), &1.into()));
    let models = list(&plan, "externals");
    assert_eq!(models.len(), 2);
    assert_eq!((&models[0]["name"], &models[0]["state"]), (&"theirs".into(), &"missing".into()));
    assert_eq!(models[0]["params"], plan["variants"][0]["params"]);
    assert_eq!(models[0]["vocabulary"], 300);
    assert!(models[0]["blocked"].is_null());
    assert_eq!(models[1]["state"], "absent");
    assert!(models[1]["blocked"].as_str().unwrap().contains("models/nowhere"), "{plan}");
    let shown = sandbox.succeed(&["plan", "tiny.toml", "--no-timing"]);
    assert!(shown.contains("left out: nowhere: there is no model `models/nowhere`"), "{shown}");

    let ended = sandbox.ablate(&["run", "tiny.toml"]);
    said(&ended, 0, &["external model `nowhere` is left out", "put it there or mend the path"]);
    let report = sandbox.report();
    // The exported model is the trained one, so every number is the same.
    let (own, theirs) = (scores(&report, "base"), scores(&report, "theirs"));
    assert!(own.len() >= 4 && own == theirs, "{own:?}\n{theirs:?}");
    assert!(own.iter().any(|score| score[2] == "bits_per_byte"), "{own:?}");
    assert!(scores(&report, "nowhere").is_empty());
    let seeds = rows(&report.join("scores.parquet"));
    let seeds = seeds.iter().filter(|row| text(row, "variant") == "theirs");
    assert!(seeds.map(|row| text(row, "seed")).all(|seed| seed == "0"));
    let variants = rows(&report.join("variants.parquet"));
    assert_eq!(variants.iter().map(|row| text(row, "name")).collect::<Vec<_>>(), ["base"]);
    let manifest: Value =
        serde_json::from_slice(&fs::read(report.join("study.json")).unwrap()).unwrap();
    let models = list(&manifest, "externals");
    assert_eq!(models[0]["shape"]["params"], plan["variants"][0]["params"]);
    assert!(models[1]["absent"].as_str().unwrap().contains("models/nowhere"));

    let main = table(&report, "main");
    let line = |name: &str| main.lines().find(|line| line.contains(name)).unwrap().to_owned();
    let cells = |line: &str| line.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let (own, theirs) = (cells(&line("| base")), cells(&line("Their model (external)")));
    let average = cells(&line("Average")).iter().position(|cell| cell.starts_with("Average"));
    let average = average.unwrap();
    assert_eq!((&own[2], &own[3], &own[average]), (&theirs[2], &theirs[3], &theirs[average]));
    assert!(line("nowhere (external)").contains("absent"), "{main}");
    assert!(main.contains("nothing is tested against them"), "{main}");
    assert!(table(&report, "benchmarks").contains("Their model (external)"));
    assert!(table(&report, "parameters").contains("Their model (external)"));
    let page = fs::read_to_string(report.join("index.html")).unwrap();
    assert!(page.contains("Their model (external)") && page.contains("2 external models"));

    let status = sandbox.json(&["status", "tiny.toml", "--json"]);
    let states: Vec<&Value> = list(&status, "externals").iter().map(|m| &m["state"]).collect();
    assert_eq!(states, ["done", "absent"]);
    assert!(sandbox.succeed(&["status", "tiny.toml"]).contains("models/nowhere"));
    // The same report without a run, and nothing is left to do.
    fs::remove_dir_all(&report).unwrap();
    sandbox.succeed(&["report", "tiny.toml"]);
    assert_eq!(table(&report, "main"), main);

    // One that is put there later is scored by the same command, where it is asked for by name too.
    fs::create_dir(sandbox.desk("models")).unwrap();
    fs::rename(sandbox.desk("theirs"), sandbox.desk("models/nowhere")).unwrap();
    let ended = sandbox.ablate(&["run", "tiny.toml", "--only", "nowhere"]);
    said(&ended, 0, &[]);
    assert_eq!(scores(&report, "nowhere"), scores(&report, "base"));
    said(
        &sandbox.ablate(&["run", "tiny.toml", "--only", "theirs"]),
        2,
        &["there is nothing to run", "there is no model `theirs`"],
    );
    said(&sandbox.ablate(&["run", "tiny.toml", "--only", "x"]), 4, &["base, theirs, nowhere"]);
}

/// Nothing is trained: the paper's rows stand beside the models that name them.
#[test]
fn models_of_others_alone() {
    let sandbox = with_a_model();
    let item = |id: u32| {
        format!(
            "{{\"id\": \"q{id}\", \"benchmark\": \"piqa\", \"language\": \"en\", \"context\": \"Is it {id}?\", \
             \"options\": [\" yes\", \" no\"], \"key\": {}}}\n",
            id % 2
        )
    };
    sandbox.write("items.jsonl", (0..8).map(item).collect::<String>());
    let study = |more: &str| {
        let head = "[study]\nname = \"tiny\"\nmirrors = \"table-8\"\n[eval]\nbenchmarks = []\n\
                    files = [\"items.jsonl\"]\nscoring = \"continuation\"\n";
        let model =
            "[[external]]\nname = \"theirs\"\npath = \"theirs\"\npaper = \"TinyLLaMA-1.1B\"\n";
        sandbox.write("tiny.toml", format!("{head}{more}{model}"));
    };
    study("");
    let check = sandbox.ablate(&["check", "tiny.toml"]);
    said(&check, 0, &[]);
    assert!(check.stdout.contains("0 variants") && check.stdout.contains("1 external models"));
    let plan = sandbox.json(&["plan", "tiny.toml", "--json", "--no-timing"]);
    assert_eq!((&plan["totals"]["trainings"], &plan["totals"]["stages"]), (&0.into(), &4.into()));
    let ended = sandbox.ablate(&["run", "tiny.toml"]);
    said(&ended, 0, &["report: "]);
    let report = sandbox.report();
    let found = scores(&report, "theirs");
    assert!(found.iter().any(|score| score[0] == "piqa" && score[2] == "acc"), "{found:?}");
    assert!(found.iter().all(|score| score[2] != "bits_per_byte"), "{found:?}");
    // The number of `ablate eval` on the same items.
    let eval = ["eval", "theirs", "--items", "items.jsonl", "--json"];
    let direct = sandbox.json(&[&eval[..], &["--scoring", "continuation"]].concat());
    for score in list(&direct, "scores") {
        let value = score["value"].as_f64().unwrap();
        let ours = found.iter().find(|s| s[2] == score["metric"].as_str().unwrap()).unwrap();
        assert!((ours[3].parse::<f64>().unwrap() - value).abs() < 1e-12, "{ours:?} {score}");
    }
    let paper = table(&report, "paper");
    let line = paper.lines().find(|line| line.contains("theirs (external)")).unwrap();
    assert!(line.contains("TinyLLaMA-1.1B") && line.contains("37.20"), "{paper}");
    assert_eq!(paper.matches("TinyLLaMA-1.1B").count(), 1, "a row stands once: {paper}");
    assert!(paper.contains("Phi2-2.7B"));
    let tasks = table(&report, "paper-tasks");
    assert!(tasks.contains("PIQA, paper") && tasks.contains("70.62"), "{tasks}");
    assert_eq!(rows(&report.join("variants.parquet")).len(), 0);
    said(&sandbox.ablate(&["status", "tiny.toml"]), 0, &[]);

    // With text there are bits per byte as well, of the held-out part alone.
    study("[corpus]\nbytes = \"60kB\"\nvalidation_bytes = \"2kB\"\n");
    sandbox.succeed(&["run", "tiny.toml", "--quiet"]);
    let found = scores(&report, "theirs");
    assert_eq!(found.iter().filter(|score| score[2] == "bits_per_byte").count(), 2, "{found:?}");

    // A model whose files are not there, and one that is none.
    fs::rename(sandbox.desk("theirs"), sandbox.desk("away")).unwrap();
    let ended = sandbox.ablate(&["run", "tiny.toml"]);
    said(&ended, 2, &["there is nothing to run", "external model `theirs` is left out"]);
    fs::create_dir(sandbox.desk("theirs")).unwrap();
    said(&sandbox.ablate(&["plan", "tiny.toml"]), 2, &["external model `theirs`: ", "config.json"]);
}

/// Rows that the paper does not have, and files of tokenizers.
#[test]
fn what_is_wrong_with_a_model_is_said_early() {
    let sandbox = with_a_model();
    sandbox.write("tiny.toml", beside("tokenizer = \"pieces/tokenizer.json\"\npaper = \"GPT-9\""));
    let check = sandbox.ablate(&["check", "tiny.toml"]);
    said(&check, 0, &["`GPT-9`", "there is no tokenizer `pieces/tokenizer.json`"]);
    let path = sandbox.desk("theirs/tokenizer.json");
    let mut tokenizer: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let vocabulary = tokenizer["model"]["vocab"].as_object_mut().unwrap();
    for id in 300..320 {
        vocabulary.insert(format!("new{id}"), id.into());
    }
    sandbox.write("pieces/tokenizer.json", tokenizer.to_string());
    said(
        &sandbox.ablate(&["run", "tiny.toml"]),
        2,
        &["external model `theirs`", "320 pieces", "`tokenizer = \"FILE\"`"],
    );
    fs::rename(&path, sandbox.desk("pieces/tokenizer.json")).unwrap();
    sandbox.succeed(&["run", "tiny.toml", "--quiet"]);
    let report = sandbox.report();
    assert_eq!(scores(&report, "theirs"), scores(&report, "base"));
}
