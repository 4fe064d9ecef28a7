//! The list of the paper's elements and their page, and profiles that have reports of their own.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::sandbox::{Sandbox, TINY, files};

/// Two variants beside Table 5 and Figure 6, in two sizes.
fn mirror() -> String {
    let study =
        TINY.replace("name = \"tiny\"", "name = \"tiny\"\nmirrors = [\"table-5\", \"figure-6\"]");
    let study = study.replace("name = \"plain\"", "name = \"base\"").replace("\"deep\"", "\"l1\"");
    format!("{study}\n[profile.paper]\ntrain.tokens = \"50B\"\n[profile.mini]\nstudy.seeds = [1]\n")
}

/// Its file and two others, in the folder that is looked in.
fn with_experiments() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("experiments/paper/tiny.toml", mirror());
    // What is covered there, this one does not cover again.
    let other =
        TINY.replace("name = \"tiny\"", "name = \"other\"\nmirrors = [\"table-5\", \"table-2\"]");
    sandbox.write("experiments/other.toml", other);
    let wrong = TINY.replace("name = \"tiny\"", "name = \"wrong\"\nmirrors = \"table-13\"");
    sandbox.write("experiments/paper/wrong.toml", wrong.replace("depth = 1", "depht = 1"));
    sandbox.write("experiments/paper/base.toml", "[study]\nname = \"base\"\n");
    sandbox
}

fn element<'a>(list: &'a Value, id: &str) -> &'a Value {
    let elements = list["elements"].as_array().unwrap();
    assert_eq!(elements.len(), 25);
    elements.iter().find(|element| element["id"] == id).unwrap()
}

/// State of the study of an element with a profile.
fn state(list: &Value, id: &str, profile: &str) -> (Value, Value) {
    let studies = element(list, id)["studies"].as_array().unwrap();
    let study = studies.iter().find(|study| study["profile"] == profile).unwrap();
    (study["state"].clone(), study["done"].clone())
}

#[test]
fn states_come_from_the_files_the_store_and_the_reports() {
    let sandbox = with_experiments();
    let list = || sandbox.json(&["paper", "--json"]);
    let before = list();
    assert!(files(&sandbox.root()).is_empty(), "a list makes nothing");
    for id in ["table-5", "figure-6"] {
        assert_eq!(element(&before, id)["state"], "planned");
        // The profiles, not the file without one.
        assert_eq!(element(&before, id)["studies"].as_array().unwrap().len(), 2);
    }
    let paper = element(&before, "table-5")["studies"].as_array().unwrap();
    let paper = paper.iter().find(|study| study["profile"] == "paper").unwrap();
    // 50 B in whole batches of 256.
    assert_eq!(paper["tokens"][0], 50_000_000_000_u64.div_ceil(256) * 256);
    assert_eq!(paper["file"], "experiments/paper/tiny.toml");
    assert_eq!(paper["runs"], 4);
    assert!(paper["finished"].is_null() && paper["report"].is_null());
    assert_eq!(element(&before, "table-2")["studies"][0]["file"], "experiments/other.toml");
    assert_eq!(element(&before, "table-2")["state"], "planned");
    let broken = &element(&before, "table-13")["studies"][0];
    assert_eq!(broken["state"], "broken");
    assert!(broken["problem"].as_str().unwrap().contains("depht"), "{broken}");
    assert_eq!(element(&before, "table-9")["state"], "not-covered");

    // One variant of two, then all, each with a report of the profile's name.
    let run = ["run", "experiments/paper/tiny.toml", "--profile", "mini", "--quiet"];
    sandbox.succeed(&[&run[..], &["--only", "base"]].concat());
    assert_eq!(state(&list(), "table-5", "mini"), ("started".into(), 1.into()));
    sandbox.succeed(&run);
    let reports = sandbox.root().join("reports");
    assert!(reports.join("tiny-mini/index.html").is_file() && !reports.join("tiny").exists());
    let after = list();
    for id in ["table-5", "figure-6"] {
        assert_eq!(state(&after, id, "mini"), ("rendered".into(), 2.into()));
        assert_eq!(state(&after, id, "paper"), ("planned".into(), 0.into()));
        assert_eq!(element(&after, id)["state"], "rendered");
    }
    let mini = &element(&after, "table-5")["studies"][0];
    assert_eq!((&mini["report"], &mini["seeds"]), (&"tiny-mini".into(), &Value::from(vec![1])));
    assert!(mini["finished"].as_str().unwrap().ends_with('Z'), "{mini}");
    // A report that is gone, and one of something else, are none of these results.
    fs::remove_dir_all(reports.join("tiny-mini")).unwrap();
    assert_eq!(state(&list(), "table-5", "mini"), ("run".into(), 2.into()));
}

fn page(root: &Path) -> String {
    fs::read_to_string(root.join("reports/paper/index.html")).unwrap()
}

#[test]
fn the_page_has_every_element_and_what_is_there() {
    let sandbox = with_experiments();
    let text = sandbox.succeed(&["paper"]);
    for words in ["table-1", "figure-12", "not covered", "planned", "broken", "depht"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let bare = page(&sandbox.root());
    assert!(!bare.contains("table-table-5-tiny"));
    for profile in ["mini", "mini"] {
        // The second run finds everything.
        let file = "experiments/paper/tiny.toml";
        sandbox.succeed(&["run", file, "--profile", profile, "--quiet"]);
    }
    let report = sandbox.root().join("reports/tiny-mini");
    fs::write(
        report.join("claims.json"),
        r#"{"claims": [{"id": "c", "statement": "L1 helps", "verdict": "held", "more": 1}]}"#,
    )
    .unwrap();
    sandbox.succeed(&["paper"]);
    let page = page(&sandbox.root());
    for n in 1..=13 {
        assert!(page.contains(&format!("<section id=\"table-{n}\">")));
    }
    for n in 1..=12 {
        assert!(page.contains(&format!("<section id=\"figure-{n}\">")));
        assert!(page.contains(&format!("id=\"figure-figure-{n}\"")), "the paper's is drawn");
    }
    for part in ["table-table-5-tiny-mini", "figure-figure-6-tiny-mini"] {
        assert!(page.contains(&format!("id=\"{part}\"")), "{part}");
    }
    assert!(page.contains("<strong>held</strong> L1 helps"));
    assert!(page.contains("href=\"../tiny-mini/index.html\""));
    // The study's own page lies beside both elements.
    let own = fs::read_to_string(report.join("index.html")).unwrap();
    assert!(own.contains("id=\"table-paper\"") && own.contains("id=\"figure-paper-figure-6\""));
}

#[test]
fn an_element_that_the_paper_has_not_is_said() {
    let sandbox = Sandbox::new();
    let odd = TINY.replace("name = \"tiny\"", "name = \"odd\"\nmirrors = [\"table-55\"]");
    sandbox.write("experiments/paper/odd.toml", odd);
    for command in [vec!["paper"], vec!["check", "experiments/paper/odd.toml"]] {
        let ended = sandbox.ablate(&command);
        assert_eq!(ended.code, Some(0), "{ended}");
        assert!(ended.stderr.contains("table-55") && ended.stderr.contains("table-13"), "{ended}");
    }
    // A study's report, from when studies could have that name, is kept.
    fs::write(sandbox.root().join("reports/paper/study.json"), "{}").unwrap();
    let ended = sandbox.ablate(&["paper"]);
    assert_eq!(ended.code, Some(2), "{ended}");
    assert!(ended.stderr.contains("another name"), "{ended}");
}
