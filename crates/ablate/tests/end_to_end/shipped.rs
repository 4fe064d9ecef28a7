//! The studies that ship with the program.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::sandbox::Sandbox;

fn shipped() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../experiments");
    let folder = folder.canonicalize().unwrap();
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut studies: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|end| end == "toml")).collect();
    studies.sort();
    studies
}

fn plan(sandbox: &Sandbox, study: &Path) -> Value {
    sandbox.json(&["plan", study.to_str().unwrap(), "--json", "--no-timing"])
}

#[test]
fn every_study_can_be_planned() {
    let sandbox = Sandbox::new();
    let studies = shipped();
    assert!(studies.len() >= 2, "{studies:?}");
    for study in studies {
        let path = study.to_str().unwrap();
        let ended = sandbox.ablate(&["check", path]);
        assert_eq!(ended.code, Some(0), "{path}: {ended}");
        assert!(ended.stderr.is_empty(), "{path}: {ended}");
        let stem = study.file_stem().unwrap().to_str().unwrap();
        assert_eq!(plan(&sandbox, &study)["study"], stem);
    }
}

/// All steps of the ladder have the same number of parameters, within three per cent.
#[test]
fn the_quickstart_holds_its_parameters() {
    let sandbox = Sandbox::new();
    let studies = shipped();
    let study = studies.iter().find(|path| path.ends_with("quickstart.toml")).unwrap();
    let plan = plan(&sandbox, study);
    let variants = plan["variants"].as_array().unwrap();
    let names: Vec<&str> = variants.iter().map(|v| v["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["baseline", "tokenizer", "architecture", "inheritance", "rounds"]);
    let sizes: Vec<f64> = variants.iter().map(|v| v["params"]["total"].as_f64().unwrap()).collect();
    let largest = sizes.iter().copied().fold(0.0, f64::max);
    let smallest = sizes.iter().copied().fold(f64::INFINITY, f64::min);
    assert!(largest / smallest <= 1.03, "{sizes:?}");
}
