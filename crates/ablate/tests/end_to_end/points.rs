//! Scores at even intervals of the training, through all rounds.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use crate::outcome::{Row, lasting, number, of_stage, results, rows, text};
use crate::sandbox::{Sandbox, TINY, files};

/// One round and two, with a point every five of twenty steps.
fn study() -> String {
    let (base, _) = TINY.split_once("[[design.list]]").unwrap();
    let base = base.replace("seeds = [1, 2]", "seeds = [1]");
    format!(
        "{base}points = 4\n[[design.list]]\nname = \"one\"\n[[design.list]]\nname = \"two\"\n\
         set.rounds = {{ count = 2, rate = 0.5 }}\n"
    )
}

fn of<'a>(rows: &'a [Row], variant: &'a str) -> impl Iterator<Item = &'a Row> {
    rows.iter().filter(move |row| text(row, "variant") == variant)
}

/// Files of the results of a stage that end like this, sorted.
fn kept(sandbox: &Sandbox, stage: &str, end: &str) -> Vec<PathBuf> {
    let all = results(&sandbox.root()).into_iter().filter(|(name, _)| name.starts_with(stage));
    let mut found: Vec<PathBuf> = all.flat_map(|(_, folder)| files(&folder)).collect();
    found.retain(|path| path.to_string_lossy().ends_with(end));
    found.sort();
    found
}

#[test]
fn scores_during_the_training_reach_the_report() {
    let sandbox = Sandbox::with_study(&study());
    let plan = sandbox.json(&["plan", "tiny.toml", "--json", "--no-timing"]);
    // The first round is the same for both, and so are its scores.
    assert_eq!(plan["totals"]["by_stage"]["progress"], 2);
    assert_eq!(plan["totals"]["trainings"], 2);
    // Three points before the end of the first round, one before that of the second.
    let weights = 4 * plan["variants"][0]["params"]["total"].as_u64().unwrap();
    assert_eq!(plan["totals"]["snapshot_bytes"], 4 * weights);
    let shown = sandbox.succeed(&["plan", "tiny.toml", "--no-timing"]);
    assert!(shown.contains("on disk (weights for `eval.points`: "), "{shown}");

    sandbox.succeed(&["run", "tiny.toml", "--quiet"]);
    let snapshots = kept(&sandbox, "train/", ".safetensors");
    let before_the_end =
        snapshots.iter().filter(|path| path.to_string_lossy().contains("/snapshots/step-"));
    assert_eq!((snapshots.len(), before_the_end.count()), (6, 4), "{snapshots:?}");

    let progress = rows(&sandbox.report().join("progress.parquet"));
    let places = |variant: &str| -> Vec<(f64, f64, f64)> {
        let own = of(&progress, variant).filter(|row| text(row, "benchmark") == "boolq");
        own.map(|row| (number(row, "round"), number(row, "tokens"), number(row, "round_tokens")))
            .collect()
    };
    let first = [1280.0, 2560.0, 3840.0, 5120.0].map(|tokens| (1.0, tokens, tokens));
    assert_eq!(places("one"), first);
    let second = [1280.0, 2560.0].map(|tokens| (2.0, 5120.0 + tokens, tokens));
    assert_eq!(places("two"), [&first[..], &second[..]].concat());
    assert_eq!(progress.len(), 2 * (4 + 6));

    // The last point is the trained model, which was scored by another stage.
    let scores = rows(&sandbox.report().join("scores.parquet"));
    for (variant, last) in [("one", 5120.0), ("two", 5120.0 + 2560.0)] {
        for benchmark in ["boolq", "xsum"] {
            let own = |row: &&Row| text(row, "benchmark") == benchmark;
            let mut point = of(&progress, variant).filter(own);
            let point = point.find(|row| number(row, "tokens") == last).unwrap();
            let mut score = of(&scores, variant).filter(own);
            let metric = text(point, "metric");
            let score = score.find(|row| text(row, "metric") == metric).unwrap();
            for column in ["value", "items"] {
                assert_eq!(number(point, column), number(score, column), "{variant} {benchmark}");
            }
        }
    }
    let page = fs::read_to_string(sandbox.report().join("index.html")).unwrap();
    assert!(page.contains("id=\"figure-progress\"") && page.contains("id=\"table-progress\""));
    for name in of_stage(&sandbox.root(), "progress") {
        let key = &name[name.len() - 12..];
        assert!(page.contains(key), "{name} is named where the numbers come from");
    }
    let table = fs::read_to_string(sandbox.report().join("tables/progress.md")).unwrap();
    assert!(table.contains("Rounds of one are those of two."), "{table}");

    // Looking changes nothing: without points the weights are the same, and nothing is kept.
    sandbox.succeed(&["run", "tiny.toml", "--quiet", "--set", "eval.points=0"]);
    assert_eq!(of_stage(&sandbox.root(), "train").len(), 4);
    assert_eq!(of_stage(&sandbox.root(), "progress").len(), 2);
    let ends = kept(&sandbox, "train/", "/model.safetensors");
    let distinct: BTreeSet<Vec<u8>> = ends.iter().map(|path| fs::read(path).unwrap()).collect();
    assert_eq!((ends.len(), distinct.len()), (4, 2));
    assert_eq!(kept(&sandbox, "train/", ".safetensors").len(), 6 + 2);
    let page = fs::read_to_string(sandbox.report().join("index.html")).unwrap();
    assert!(!page.contains("figure-progress"));
}

/// What was scored before an interruption is not scored again.
#[test]
fn scoring_goes_on_at_the_point_where_it_was_interrupted() {
    let sandbox = Sandbox::with_study(&study());
    sandbox.succeed(&["run", "tiny.toml", "--quiet"]);
    let undisturbed = lasting(&sandbox.root());
    let points = |name: &str| kept(&sandbox, name, ".json");
    let first = of_stage(&sandbox.root(), "progress");
    let first = first.iter().find(|name| !name.contains("round-2")).unwrap();
    let times = || -> Vec<_> {
        let own = points(first).into_iter().filter(|path| !path.ends_with(".artifact.json"));
        own.map(|path| (fs::metadata(&path).unwrap().modified().unwrap(), path)).collect()
    };
    let before = times();
    assert_eq!(before.len(), 4);

    let place = sandbox.root().join("data/store").join(first);
    let partial =
        place.with_file_name(format!("{}.partial", place.file_name().unwrap().to_str().unwrap()));
    fs::rename(&place, &partial).unwrap();
    fs::remove_file(partial.join(".artifact.json")).unwrap();
    fs::remove_file(partial.join("step-000015.json")).unwrap();
    // The worker was killed while it wrote.
    fs::write(partial.join(".step-000015.json.tmp-999999"), "{").unwrap();
    sandbox.succeed(&["run", "tiny.toml", "--quiet"]);
    lasting(&sandbox.root()).assert_same(&undisturbed, "after an interruption");
    let after = times();
    let same: Vec<bool> = before.iter().zip(&after).map(|(a, b)| a == b).collect();
    assert_eq!(same, [true, true, false, true]);
}
