//! `ablate bench`.

use std::fs;

use serde_json::Value;

use crate::sandbox::{Sandbox, TINY, files};

fn numbers(row: &Value, key: &str) -> Vec<f64> {
    let values = row[key].as_array().unwrap_or_else(|| panic!("{row}"));
    values.iter().map(|value| value.as_f64().unwrap()).collect()
}

#[test]
fn every_variant_is_timed_in_a_process_of_its_own() {
    let sandbox = Sandbox::with_study(TINY);
    let bench = |more: &[&str]| {
        let mut words = vec!["bench", "tiny.toml", "--steps", "3", "--threads", "1", "--json"];
        // Timings are kept for `plan` of the default alone.
        words.extend(["--backend", "flex"].iter().chain(more));
        sandbox.json(&words)
    };
    let cores = std::thread::available_parallelism().unwrap().get();
    let report = bench(&["--jobs", &(cores + 1).to_string()]);
    assert_eq!(report["jobs"], cores + 1);
    let plan = sandbox.json(&["plan", "tiny.toml", "--json", "--no-timing"]);
    let rows = report["variants"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    for row in rows {
        let planned = plan["variants"].as_array().unwrap();
        let planned = planned.iter().find(|variant| variant["name"] == row["name"]).unwrap();
        assert_eq!(row["parameters"], planned["params"]["total"]);
        assert_eq!(row["tokens_per_step"], 256);
        assert_eq!((&row["threads"], &row["precision"]), (&1.into(), &"f32".into()));
        let mut seconds = numbers(row, "step_seconds");
        assert!(seconds.len() == 3 && seconds.iter().all(|second| *second > 0.0), "{row}");
        seconds.sort_by(f64::total_cmp);
        let rate = row["tokens_per_second"].as_f64().unwrap();
        assert!((rate * seconds[1] / 256.0 - 1.0).abs() < 1e-9, "{row}");
        assert!(row["peak_memory_bytes"].as_u64().unwrap() > 1_000_000, "{row}");
    }
    // The deeper one has more to do for each token and comes first.
    assert_eq!(rows[0]["name"], "deep");
    assert!(files(&sandbox.root()).is_empty(), "more at once than there are cores is not kept");

    let one = bench(&["--variant", "pl*"]);
    assert_eq!(one["variants"].as_array().unwrap().len(), 1);
    assert_eq!(one["variants"][0]["name"], "plain");

    // As many at once as a plan is of.
    assert_eq!(bench(&["--jobs", &cores.to_string()])["jobs"], cores);
    let kept = files(&sandbox.root());
    assert!(kept.iter().all(|path| path.ends_with("timings.json")) && kept.len() == 1, "{kept:?}");
}

#[test]
fn a_variant_that_is_not_there_is_no_match() {
    let sandbox = Sandbox::with_study(TINY);
    let ended = sandbox.ablate(&["bench", "tiny.toml", "--variant", "wide"]);
    assert_eq!(ended.code, Some(4), "{ended}");
    assert!(ended.stderr.contains("there are plain, deep"), "{ended}");
    assert!(ended.stdout.is_empty());
}

/// Decoding is timed for every variant, and the report of the study shows it.
#[test]
fn decoding_is_measured_and_shown() {
    let sandbox = Sandbox::with_study(TINY);
    let measured = sandbox.json(&["bench", "tiny.toml", "--decode", "--json", "--backend", "flex"]);
    let variants = measured["variants"].as_array().unwrap();
    assert_eq!(variants.len(), 2);
    for variant in variants {
        let mut seconds = numbers(variant, "seconds");
        assert_eq!((&variant["batch"], &variant["new_tokens"]), (&20.into(), &510.into()));
        assert_eq!(seconds.len(), 3);
        seconds.sort_by(f64::total_cmp);
        let speed = variant["tokens_per_second"].as_f64().unwrap();
        assert!((speed * seconds[1] / 510.0 - 1.0).abs() < 1e-9, "{variant}");
    }
    sandbox.succeed(&["run", "tiny.toml"]);
    let table = fs::read_to_string(sandbox.report().join("tables/cost.csv")).unwrap();
    let mut lines = table.lines();
    let column = lines.next().unwrap().split(',').position(|title| title.starts_with("Decoding"));
    let shown: Vec<f64> =
        lines.map(|line| line.split(',').nth(column.unwrap()).unwrap().parse().unwrap()).collect();
    assert_eq!(shown.len(), 2);
    for (shown, variant) in shown.iter().zip(variants) {
        let speed = variant["tokens_per_second"].as_f64().unwrap();
        assert!((shown - speed).abs() <= 0.0501, "{shown}, {variant}");
    }
}
