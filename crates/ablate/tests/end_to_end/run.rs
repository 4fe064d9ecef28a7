//! A study from the file to the report: what is made, what is made again, what is printed.

use std::collections::BTreeSet;
use std::fs;

use parquet::record::Field;

use crate::outcome::{self, number, of_stage, results, rows, snapshot, text};
use crate::sandbox::{Sandbox, TINY, files, ladder};

#[test]
fn a_study_is_run_once() {
    let sandbox = Sandbox::with_study(TINY);
    let outside = sandbox.outside();
    let first = sandbox.ablate(&["run", "tiny.toml"]);
    assert_eq!(first.code, Some(0), "{first}");
    for shown in ["plain", "deep"] {
        assert!(first.stdout.contains(shown), "{first}");
    }

    // Shared stages once, trainings for each variant and seed.
    for (stage, count) in [
        ("corpus", 1),
        ("tokenizer", 1),
        ("shards", 1),
        ("benchmarks", 1),
        ("train", 4),
        ("eval", 4),
    ] {
        assert_eq!(of_stage(&sandbox.root(), stage).len(), count, "{stage}");
    }

    let report = sandbox.report();
    for name in ["scores", "items", "curves", "variants"] {
        assert!(!rows(&report.join(format!("{name}.parquet"))).is_empty(), "{name}");
    }
    for name in ["main", "benchmarks", "parameters"] {
        for end in ["md", "tex", "csv"] {
            let table = fs::read_to_string(report.join(format!("tables/{name}.{end}"))).unwrap();
            assert!(table.contains("deep"), "{name}.{end}: {table}");
        }
    }
    let drawn: Vec<_> = files(&report.join("figures"));
    let count = |end: &str| {
        drawn.iter().filter(|path| path.extension().is_some_and(|found| found == end)).count()
    };
    assert!(count("svg") > 2 && count("svg") == count("png"), "{drawn:?}");
    let page = fs::read_to_string(report.join("index.html")).unwrap();
    assert!(page.contains("<svg") && page.contains("plain") && page.contains("deep"));

    // The second run finds everything.
    let (store, lasting) = (snapshot(&sandbox.root()), outcome::lasting(&sandbox.root()));
    let second = sandbox.ablate(&["run", "tiny.toml"]);
    assert_eq!(second.code, Some(0), "{second}");
    assert!(snapshot(&sandbox.root()) == store, "the second run made something");
    lasting.assert_same(&outcome::lasting(&sandbox.root()), "after a second run");
    assert_eq!(first.stdout, second.stdout);
    let quiet = sandbox.ablate(&["run", "tiny.toml", "--quiet"]);
    assert!(quiet.stdout.is_empty() && quiet.stderr.is_empty(), "{quiet}");

    // Nothing lies anywhere else, and nothing unfinished is left.
    assert!(sandbox.outside() == outside, "files outside of the root");
    let tops = fs::read_dir(sandbox.root()).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(tops.collect::<BTreeSet<_>>(), ["data".into(), "reports".into()].into());
    let left =
        |path: &str| [".partial", ".lease", ".tmp", ".probe"].iter().any(|s| path.contains(s));
    let left: Vec<_> =
        files(&sandbox.root()).into_iter().filter(|p| left(&p.to_string_lossy())).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn rows_say_what_happened() {
    let sandbox = Sandbox::with_study(TINY);
    sandbox.succeed(&["run", "tiny.toml", "--quiet"]);
    let report = sandbox.report();

    // One row for every variant, seed, benchmark, language and metric.
    let scores = rows(&report.join("scores.parquet"));
    let cell = |row: &outcome::Row| {
        let words = ["variant", "benchmark", "language", "metric"].map(|c| text(row, c).to_owned());
        (words, number(row, "seed") as u64)
    };
    let cells: BTreeSet<_> = scores.iter().map(cell).collect();
    assert_eq!(cells.len(), scores.len());
    for variant in ["plain", "deep"] {
        for seed in [1, 2] {
            for (benchmark, language, metric) in [
                ("boolq", "en", "acc_ppl"),
                ("boolq", "en", "acc"),
                ("boolq", "en", "acc_norm"),
                ("xsum", "en", "rouge1"),
                ("validation", "en", "bits_per_byte"),
                ("validation", "zh", "bits_per_byte"),
            ] {
                let words = [variant, benchmark, language, metric].map(str::to_owned);
                assert!(cells.contains(&(words, seed)), "{variant} {seed} {benchmark} {metric}");
            }
        }
    }
    for row in scores.iter().filter(|row| text(row, "benchmark") == "boolq") {
        assert_eq!((number(row, "items"), number(row, "chance")), (4.0, 0.5));
        assert!((0.0..=1.0).contains(&number(row, "value")));
    }

    // Items add up to the scores, and their choices follow from their likelihoods.
    let items = rows(&report.join("items.parquet"));
    assert_eq!(items.len(), 2 * 2 * (4 + 4));
    let primary = |row: &&outcome::Row| {
        row["primary"] == Field::Bool(true) && text(row, "benchmark") != "validation"
    };
    for score in scores.iter().filter(primary) {
        let same = |item: &&outcome::Row| {
            ["variant", "benchmark", "language"].iter().all(|c| text(item, c) == text(score, c))
                && item["seed"] == score["seed"]
        };
        let values: Vec<f64> = items.iter().filter(same).map(|row| number(row, "score")).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        assert!((mean - number(score, "value")).abs() < 1e-12, "{score:?}");
    }
    for item in items.iter().filter(|row| text(row, "benchmark") == "boolq") {
        let Field::ListInternal(logliks) = &item["option_logliks"] else { panic!("{item:?}") };
        assert_eq!(logliks.len(), 2);
        let right = item["choice"] == item["key"];
        assert_eq!(number(item, "score"), f64::from(right), "{item:?}");
        assert!(text(item, "document_hash").len() >= 16);
        assert!(text(item, "prompt_hash").len() >= 16);
    }

    // Curves: 20 steps of 256 tokens, validation in two languages at the start, half-way and at
    // the end, and a model that has learnt something.
    let curves = rows(&report.join("curves.parquet"));
    for variant in ["plain", "deep"] {
        for seed in [1.0, 2.0] {
            let of = |split: &str| -> Vec<&outcome::Row> {
                let mine = |row: &&outcome::Row| {
                    text(row, "variant") == variant
                        && number(row, "seed") == seed
                        && text(row, "split") == split
                };
                curves.iter().filter(mine).collect()
            };
            let steps: Vec<f64> = of("train").iter().map(|row| number(row, "step")).collect();
            assert_eq!(steps, (1..=20).map(f64::from).collect::<Vec<_>>());
            assert_eq!(number(of("train")[19], "tokens"), 5120.0);
            assert!(number(of("train")[19], "bytes") > 5120.0);
            for language in ["en", "zh"] {
                let validation = of("validation");
                let mine: Vec<_> =
                    validation.iter().filter(|row| text(row, "language") == language).collect();
                let steps: Vec<f64> = mine.iter().map(|row| number(row, "step")).collect();
                assert_eq!(steps, [0.0, 10.0, 20.0]);
                let bits: Vec<f64> = mine.iter().map(|row| number(row, "bits_per_byte")).collect();
                assert!(bits[2] < bits[0] - 0.1, "{variant} {seed} {language}: {bits:?}");
            }
        }
    }
}

#[test]
fn a_ladder_with_every_axis() {
    let sandbox = Sandbox::with_study(&ladder());
    sandbox.succeed(&["run", "tiny.toml"]);
    let root = sandbox.root();
    // One parent, one inheritance and one draw per seed; rounds train on from the rung below.
    for (stage, count) in [
        ("corpus", 1),
        ("tokenizer", 1),
        ("compact", 1),
        ("shards", 2),
        ("inherit", 1),
        ("select", 2),
        ("train", 1 + 4 * 2 + 2),
        ("eval", 10),
    ] {
        assert_eq!(of_stage(&root, stage).len(), count, "{stage}");
    }
    let report = sandbox.report();
    let ledger = rows(&report.join("rounds.parquet"));
    assert_eq!(ledger.len(), 2);
    for row in &ledger {
        assert_eq!((number(row, "batches"), number(row, "kept")), (20.0, 10.0));
        assert!(number(row, "mean_loss_all").is_finite());
        assert!((0.0..=1.0).contains(&number(row, "effective_share")));
    }
    let coverage = rows(&report.join("coverage.parquet"));
    let curve: Vec<f64> = coverage.iter().map(|row| number(row, "coverage")).collect();
    assert!(curve.is_sorted() && curve.last() == Some(&1.0), "{curve:?}");

    // The child starts far below a random start, and its first round is the rung's below.
    let curves = rows(&report.join("curves.parquet"));
    let at_start = |variant: &str| -> f64 {
        let found = curves.iter().find(|row| {
            text(row, "variant") == variant
                && text(row, "split") == "validation"
                && text(row, "language") == "en"
                && number(row, "seed") == 1.0
                && number(row, "step") == 0.0
        });
        number(found.unwrap(), "bits_per_byte")
    };
    assert!(at_start("inherited") < at_start("deep") - 0.2);
    assert_eq!(at_start("inherited"), at_start("rounds"));
    let rounds: BTreeSet<u64> = curves
        .iter()
        .filter(|row| text(row, "variant") == "rounds")
        .map(|row| number(row, "round") as u64)
        .collect();
    assert_eq!(rounds, [1, 2].into());
    let last = curves.iter().filter(|row| text(row, "variant") == "rounds");
    assert_eq!(last.map(|row| number(row, "step")).fold(0.0, f64::max), 30.0);
}

#[test]
fn a_changed_key_makes_what_depends_on_it() {
    let sandbox = Sandbox::with_study(TINY);
    sandbox.succeed(&["run", "tiny.toml", "--quiet"]);
    let (names, store) = (results(&sandbox.root()), snapshot(&sandbox.root()));
    let new_stages = |arguments: &[&str]| -> Vec<String> {
        let before = results(&sandbox.root());
        sandbox.succeed(arguments);
        let after = results(&sandbox.root()).into_keys();
        let new = after.filter(|name| !before.contains_key(name));
        let mut stages: Vec<String> =
            new.map(|name| name.split('/').next().unwrap().to_owned()).collect();
        stages.dedup();
        stages
    };
    let run = |set: &str| new_stages(&["run", "tiny.toml", "--quiet", "--set", set]);
    assert_eq!(run("train.learning_rate=5e-3"), ["eval", "train"]);
    assert_eq!(run("eval.items=2"), ["benchmarks", "eval"]);
    assert_eq!(run("train.micro_tokens=64"), ["eval", "train"]);
    assert_eq!(run("tokenizer.vocabulary=320"), ["eval", "shards", "tokenizer", "train"]);
    // How it is run is no part of what it is.
    assert_eq!(
        new_stages(&["run", "tiny.toml", "--quiet", "--threads", "1", "--jobs", "3"]),
        Vec::<String>::new()
    );
    // What was there before was not touched.
    let after = snapshot(&sandbox.root());
    for (path, before) in &store {
        assert!(after.get(path) == Some(before), "{} changed", path.display());
    }
    assert!(names.keys().all(|name| results(&sandbox.root()).contains_key(name)));
}

#[test]
fn seeds_are_shared_by_variants() {
    let sandbox = Sandbox::with_study(TINY);
    let study = TINY.replace("set.model.depth = 2", "set.train.learning_rate = 2e-2");
    sandbox.write("tiny.toml", study);
    sandbox.succeed(&["run", "tiny.toml", "--quiet"]);
    let curves = rows(&sandbox.report().join("curves.parquet"));
    let first_loss = |variant: &str, seed: f64| -> f64 {
        let found = curves.iter().find(|row| {
            text(row, "variant") == variant
                && number(row, "seed") == seed
                && text(row, "split") == "train"
        });
        number(found.unwrap(), "loss")
    };
    // Same first weights, same first batch.
    assert_eq!(first_loss("plain", 1.0), first_loss("deep", 1.0));
    assert_eq!(first_loss("plain", 2.0), first_loss("deep", 2.0));
    assert_ne!(first_loss("plain", 1.0), first_loss("plain", 2.0));
}

#[test]
fn only_makes_what_was_asked_for() {
    let sandbox = Sandbox::with_study(TINY);
    sandbox.succeed(&["run", "tiny.toml", "--quiet", "--only", "pl*"]);
    assert_eq!(of_stage(&sandbox.root(), "train").len(), 2);
    let scored: BTreeSet<String> = rows(&sandbox.report().join("scores.parquet"))
        .iter()
        .map(|row| text(row, "variant").to_owned())
        .collect();
    assert_eq!(scored, ["plain".to_owned()].into());

    let nothing = sandbox.ablate(&["run", "tiny.toml", "--only", "wide*"]);
    assert_eq!(nothing.code, Some(4), "{nothing}");
    assert!(nothing.stderr.contains("plain, deep"), "{nothing}");

    let store = snapshot(&sandbox.root());
    sandbox.succeed(&["run", "tiny.toml", "--quiet"]);
    assert_eq!(of_stage(&sandbox.root(), "train").len(), 4);
    let after = snapshot(&sandbox.root());
    assert!(store.iter().all(|(path, before)| after.get(path) == Some(before)));
}

#[test]
fn a_report_is_rendered_again_to_the_byte() {
    let sandbox = Sandbox::with_study(TINY);
    sandbox.succeed(&["run", "tiny.toml", "--quiet"]);
    let read = || -> Vec<_> {
        let paths = files(&sandbox.report());
        paths.into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
    };
    let before = read();
    fs::write(sandbox.report().join("notes.md"), "mine").unwrap();
    sandbox.succeed(&["report", "tiny.toml"]);
    assert_eq!(fs::read_to_string(sandbox.report().join("notes.md")).unwrap(), "mine");
    fs::remove_file(sandbox.report().join("notes.md")).unwrap();
    let differing: Vec<_> = read()
        .iter()
        .zip(&before)
        .filter(|(now, before)| now != before)
        .map(|(now, _)| now.0.clone())
        .collect();
    assert!(differing.is_empty() && read().len() == before.len(), "{differing:?}");
}

#[test]
fn comparisons_are_paired() {
    let sandbox = Sandbox::with_study(TINY);
    sandbox.succeed(&["run", "tiny.toml", "--quiet"]);
    sandbox.write("other.toml", TINY.replace("\"tiny\"", "\"other\"").replace("1e-2", "5e-3"));
    sandbox.succeed(&["run", "other.toml", "--quiet"]);
    // Studies share what they have in common.
    for (stage, count) in [("corpus", 1), ("tokenizer", 1), ("shards", 1), ("train", 8)] {
        assert_eq!(of_stage(&sandbox.root(), stage).len(), count, "{stage}");
    }

    let text = sandbox.succeed(&["compare", "tiny:plain", "tiny:deep"]);
    assert!(text.contains("boolq") && text.contains("plain") && text.contains("deep"), "{text}");
    let variants = sandbox.json(&["compare", "tiny:plain", "tiny:deep", "--json"]);
    let scores = variants["pairs"][0]["scores"].as_array().unwrap();
    assert!(variants["adjustment"] == "holm" && scores[0]["headline"] == true, "{variants}");
    for score in scores {
        assert!(score["p_adjusted"].as_f64().unwrap() >= score["p"].as_f64().unwrap(), "{score}");
        assert!(score.get("other_tests").is_none(), "{score}");
    }
    let more = ["compare", "tiny:plain", "tiny:deep", "--adjust", "bh", "--tests"];
    let text = sandbox.succeed(&more);
    assert!(text.contains("Benjamini and Hochberg") && text.contains("Sign flips"), "{text}");
    let more = sandbox.json(&[&more[..], &["--json"]].concat());
    assert_eq!(more["adjustment"], "benjamini-hochberg");
    // Two seeds: the smallest p of sign flips is one half.
    let flips = &more["pairs"][0]["scores"][0]["other_tests"]["sign_flip"];
    assert!(flips.as_f64().unwrap() >= 0.5, "{more}");
    sandbox.json(&["compare", "tiny", "other", "--json"]);
    sandbox.json(&["compare", "tiny:deep", "other:deep", "--json"]);
    let folder = sandbox.report();
    sandbox.json(&["compare", folder.to_str().unwrap(), "other", "--json"]);

    for (a, b, said) in [
        ("tiny:plain", "tiny", "compare two variants"),
        ("tiny:plain", "tiny:wide", "wide"),
        ("tiny", "nowhere", "nowhere"),
    ] {
        let ended = sandbox.ablate(&["compare", a, b]);
        assert_eq!(ended.code, Some(2), "{a} {b}: {ended}");
        assert!(ended.stderr.contains(said), "{ended}");
    }
}
