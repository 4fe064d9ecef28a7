//! Batch sizes and learning rates that follow a rule, trainings that explode, rounds of every kind,
//! and what is forgotten.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::outcome::{Row, number};
use crate::outcome::{of_stage, results, rows, text};
use crate::sandbox::{Sandbox, TINY};

/// The tiny study without its design.
fn base() -> &'static str {
    TINY.split_once("[[design.list]]").unwrap().0
}

fn of<'a>(rows: &'a [Row], variant: &'a str) -> impl Iterator<Item = &'a Row> {
    rows.iter().filter(move |row| text(row, "variant") == variant)
}

/// Figure 8 in small: at the batch size where the rule begins all powers are one training, and one
/// corner explodes.
#[test]
fn a_grid_of_a_learning_rate_rule_with_a_divergence() {
    let base = base().replace(
        "learning_rate = 1e-2",
        "learning_rate = { base = 1e-2, batch = 256 }\npatience = 2",
    );
    let study = format!(
        "{base}\n[design.grid]\n\"train.batch_tokens\" = [256, 1024]\n\
         \"train.learning_rate.power\" = [0, 5]\n"
    );
    let sandbox = Sandbox::with_study(&study);
    let checked = sandbox.ablate(&["check", "tiny.toml"]);
    assert_eq!(checked.code, Some(0), "{checked}");
    assert!(!checked.to_string().contains("warning"), "{checked}");

    let plan = sandbox.json(&["plan", "tiny.toml", "--json", "--no-timing"]);
    assert_eq!(plan["totals"]["trainings"], 3 * 2, "shared where the powers make no difference");
    let variants = plan["variants"].as_array().unwrap();
    let rates: Vec<f64> = variants.iter().map(|v| v["learning_rate"].as_f64().unwrap()).collect();
    assert_eq!(rates[..3], [1e-2; 3]);
    assert!((rates[3] / 1e-2 / 4f64.powi(5) - 1.0).abs() < 1e-12, "{rates:?}");
    assert_eq!(variants[1]["same_as"], variants[0]["name"]);
    assert_eq!(variants[2]["same_as"], Value::Null);
    let shown = sandbox.succeed(&["plan", "tiny.toml", "--no-timing"]);
    assert!(shown.contains("learning rate") && shown.contains("trained once: "), "{shown}");

    let ended = sandbox.ablate(&["run", "tiny.toml", "--quiet"]);
    assert_eq!(ended.code, Some(1), "{ended}");
    assert!(ended.stderr.contains("diverged at step 2"), "{ended}");
    assert_eq!(of_stage(&sandbox.root(), "eval").len(), 2 * 2);

    let (exploded, fine) = ("batch-tokens-1024_power-5", "batch-tokens-1024_power-0");
    let variants = rows(&sandbox.report().join("variants.parquet"));
    let row = variants.iter().find(|row| text(row, "name") == exploded).unwrap();
    assert_eq!(text(row, "diverged"), "[[1,2],[2,2]]");
    assert_eq!(number(row, "batch_tokens"), 1024.0);
    // Its curve is there, up to the step at which it was given up.
    let curves = rows(&sandbox.report().join("curves.parquet"));
    let steps = |variant: &str| {
        let own = of(&curves, variant).filter(|row| text(row, "split") == "train");
        own.filter(|row| number(row, "seed") == 1.0).count()
    };
    assert_eq!((steps(exploded), steps(fine)), (3, 5));
    for table in ["main", "optimisation"] {
        let table =
            fs::read_to_string(sandbox.report().join(format!("tables/{table}.md"))).unwrap();
        assert!(table.contains("diverged at step 2"), "{table}");
    }
    let page = fs::read_to_string(sandbox.report().join("index.html")).unwrap();
    for figure in ["grid", "grid-curves"] {
        assert!(page.contains(&format!("id=\"figure-{figure}\"")), "{figure} is on the page");
    }
    assert!(page.contains("A cross at the edge"));

    // With more patience than there are steps, it is trained to its end.
    let ended = sandbox.ablate(&["run", "tiny.toml", "--quiet", "--set", "train.patience=0"]);
    assert!(ended.code == Some(0) || ended.stderr.contains("loss NaN"), "{ended}");
}

const ROUNDS: &str = r#"
parts = 4

[[design.list]]
name = "one"

[[design.list]]
name = "none"
set.rounds = { count = 3, rate = 0 }

[[design.list]]
name = "plain"
set.rounds = { count = 3 }

[[design.list]]
name = "other"
[design.list.set.rounds]
count = 3
parts = 2
normalisation = "part"
losses = "running"
optimiser = "kept"
schedule = "continue"
learning_rate_ratio = 1.0

[[design.list]]
name = "constant"
set.rounds = { count = 2, schedule = "constant", learning_rate_ratio = 0.1, budget = "within" }

[[design.list]]
name = "flops"
set.rounds = { count = 2, budget = "within-flops" }
"#;

/// Folders of the trainings of a variant with seed 1, round by round.
fn trainings(sandbox: &Sandbox, variant: &str) -> Vec<PathBuf> {
    let plan = sandbox.json(&["plan", "tiny.toml", "--json", "--no-timing"]);
    let stages = plan["stages"].as_array().unwrap().iter();
    let own = stages.filter(|stage| {
        stage["stage"] == "train"
            && stage["name"].as_str().unwrap().contains("-seed-1")
            && stage["variants"].as_array().unwrap().contains(&variant.into())
    });
    let results = results(&sandbox.root());
    own.map(|stage| {
        let (name, key) = (stage["name"].as_str().unwrap(), stage["key"].as_str().unwrap());
        let found = results
            .iter()
            .find(|(folder, _)| folder.starts_with(&format!("train/{name}-{}", &key[..12])));
        found.unwrap_or_else(|| panic!("{name} {key}")).1.clone()
    })
    .collect()
}

fn learning_rates(folder: &Path) -> Vec<f64> {
    let metrics = fs::read_to_string(folder.join("metrics.jsonl")).unwrap();
    let lines = metrics.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter_map(|line| line["learning_rate"].as_f64()).collect()
}

#[test]
fn rounds_of_every_kind_and_what_is_forgotten() {
    let study = format!("{}{ROUNDS}", base().replace("seeds = [1, 2]", "seeds = [1]"));
    let sandbox = Sandbox::with_study(&study);
    sandbox.succeed(&["run", "tiny.toml", "--quiet"]);
    let report = |table: &str| rows(&sandbox.report().join(format!("{table}.parquet")));
    let rounds = report("rounds");
    let ledger = |variant: &'static str, column: &'static str| -> Vec<f64> {
        of(&rounds, variant).map(|row| number(row, column)).collect()
    };
    // 20 batches; a rate of 0 is one round, and shares everything with it.
    assert!(ledger("one", "round").is_empty() && ledger("none", "round").is_empty());
    assert_eq!(trainings(&sandbox, "none"), trainings(&sandbox, "one"));
    assert_eq!(ledger("plain", "kept"), [10.0, 10.0]);
    assert_eq!(ledger("plain", "scored_tokens"), [5120.0; 2]);
    assert_eq!(ledger("other", "scored_tokens"), [0.0; 2], "running losses cost nothing");
    assert!(ledger("other", "effective_share").iter().all(|share| (0.1..=1.0).contains(share)));
    let second = of(&rounds, "plain").find(|row| number(row, "round") == 3.0).unwrap();
    assert_eq!(number(second, "overlap_expected"), 5.0);
    assert!((0.0..=10.0).contains(&number(second, "overlap")));
    // Within the tokens of one round: 13 batches and 7; within the operations: 5120 / (1 + 1/2 + 1/3)
    // tokens are nearest to 11 batches.
    assert_eq!(
        (ledger("constant", "batches"), ledger("constant", "kept")),
        (vec![13.0], vec![7.0])
    );
    assert_eq!(ledger("flops", "batches"), [11.0]);

    // Every batch is visited, and as often as the rounds say.
    let visits = report("visits");
    for (variant, batches, tokens) in [("plain", 20.0, 40.0), ("other", 20.0, 40.0)] {
        let sum = |column: &str| of(&visits, variant).map(|row| number(row, column)).sum::<f64>();
        assert_eq!((sum("batches"), sum("tokens")), (batches, 256.0 * tokens), "{variant}");
    }
    assert_eq!(of(&visits, "one").count(), 0);

    // Moments are counted on, and one schedule ends where the last round does.
    let folders = trainings(&sandbox, "other");
    assert_eq!(folders.len(), 3);
    let updates: Vec<u64> = folders
        .iter()
        .map(|folder| {
            let summary = fs::read_to_string(folder.join("train.json")).unwrap();
            let summary: Value = serde_json::from_str(&summary).unwrap();
            summary["updates"].as_u64().unwrap()
        })
        .collect();
    assert_eq!(updates, [20, 30, 40]);
    let rates: Vec<f64> = folders.iter().flat_map(|folder| learning_rates(folder)).collect();
    assert_eq!(rates.len(), 40);
    // 3% of 40 steps are 2 steps of warm-up; from there it falls to a tenth.
    assert!((rates[0] - 5e-3).abs() < 1e-12 && (rates[1] - 1e-2).abs() < 1e-12);
    assert!(rates[1..].windows(2).all(|pair| pair[1] < pair[0]), "{rates:?}");
    assert!((rates[39] - 1e-3).abs() < 1e-12);
    let constant = learning_rates(&trainings(&sandbox, "constant")[1]);
    assert!(constant.iter().all(|rate| (rate - 1e-3).abs() < 1e-15), "{constant:?}");

    // Losses of all batches of the first round, in four parts.
    let losses = report("batch_losses");
    for (variant, batches) in [("one", 20), ("plain", 20), ("constant", 13)] {
        let own: Vec<_> = of(&losses, variant).collect();
        assert_eq!(own.len(), batches);
        assert_eq!(own.iter().map(|row| number(row, "part")).fold(0.0, f64::max), 3.0);
        // Trained: better than guessing out of 300.
        assert!(own.iter().all(|row| (0.5..300f64.ln()).contains(&number(row, "loss"))));
    }
    // The last draw of `plain` saw the weights of its second round, this table those of the third.
    let page = fs::read_to_string(sandbox.report().join("index.html")).unwrap();
    for part in ["id=\"figure-forgetting\"", "p over each of 2 parts", "optimiser carried over"] {
        assert!(page.contains(part), "{part}");
    }
    let table = fs::read_to_string(sandbox.report().join("tables/rounds-budget.md")).unwrap();
    let row = |name: &str| {
        let row = table.lines().find(|line| line.starts_with(&format!("| {name} "))).unwrap();
        row.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>()
    };
    // 20 batches are as many tokens as one round has; with one seed the difference stands alone.
    assert_ne!(row("constant")[8], "–", "{table}");
    assert_eq!(row("plain")[8], "–", "{table}");

    // What is not asked for is not made.
    sandbox.succeed(&["run", "tiny.toml", "--quiet", "--only", "one"]);
    let plan = sandbox.json(&["plan", "tiny.toml", "--json", "--no-timing"]);
    assert_eq!(plan["totals"]["by_stage"]["losses"], 5);
}
