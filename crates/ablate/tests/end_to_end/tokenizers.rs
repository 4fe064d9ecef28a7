//! Tokenizers of other makers: used whole, compacted, reported.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::outcome::{number, of_stage, rows, text};
use crate::sandbox::{Sandbox, TINY};

/// A file of the tokenizer crate's tests: 640 pieces, of which 260 always stay.
fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tokenizer/tests/fixtures").join(name)
}

/// The tiny study with one seed, and with these variants.
fn study(variants: &str) -> String {
    let (base, _) = TINY.split_once("[[design.list]]").unwrap();
    let base = base.replace("seeds = [1, 2]", "seeds = [1]");
    format!("{base}{variants}")
}

fn sandbox(variants: &str) -> Sandbox {
    let sandbox = Sandbox::with_study(&study(variants));
    for name in ["plain.model", "plain.json"] {
        sandbox.write(name, fs::read(fixture(name)).unwrap());
    }
    sandbox
}

fn store(sandbox: &Sandbox, name: &str) -> PathBuf {
    sandbox.root().join("data/store").join(name)
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn a_sentencepiece_model_is_compacted_to_several_sizes() {
    let sandbox = sandbox(
        "[[design.list]]\nname = \"whole\"\n\
         set.tokenizer = { vocabulary = 640, build.file.path = \"plain.model\" }\n\
         [[design.list]]\nname = \"half\"\n\
         set.tokenizer = { vocabulary = 400, build.compact = { file = \"plain.model\" } }\n\
         [[design.list]]\nname = \"small\"\n\
         set.tokenizer = { vocabulary = 300, build.compact = { file = \"plain.model\" } }\n",
    );
    sandbox.succeed(&["run", "tiny.toml", "--quiet"]);
    let root = sandbox.root();
    // One larger tokenizer and one count of its tokens serve both, and the whole.
    for (stage, count) in [("tokenizer", 1), ("compact", 2), ("shards", 3), ("train", 3)] {
        assert_eq!(of_stage(&root, stage).len(), count, "{stage}");
    }
    for (name, size) in [("compact-300", 300), ("compact-400", 400)] {
        let made = of_stage(&root, "compact").into_iter().find(|made| made.contains(name)).unwrap();
        let folder = store(&sandbox, &made);
        // Written as what it came from.
        assert!(folder.join("tokenizer.model").exists() && !folder.join("tokenizer.json").exists());
        let new_to_old: Vec<u32> =
            serde_json::from_value(json(&folder.join("id_map.json"))).unwrap();
        assert_eq!(new_to_old.len(), size);
        assert!(new_to_old.iter().copied().take(259).eq(0..259));
    }
    let report = sandbox.report();
    let tokenizers = rows(&report.join("tokenizers.parquet"));
    let names: Vec<&str> = tokenizers.iter().map(|row| text(row, "name")).collect();
    assert_eq!(names, ["file-640", "compact-400-of-640", "compact-300-of-640"]);
    let shares: Vec<f64> = tokenizers[1..].iter().map(|row| number(row, "coverage")).collect();
    assert!(1.0 > shares[0] && shares[0] > shares[1], "{shares:?}");
    // The counts that the store keeps say the same.
    let whole = of_stage(&root, "shards").into_iter().find(|made| made.contains("640")).unwrap();
    let counts: Vec<u64> =
        serde_json::from_value(json(&store(&sandbox, &whole).join("counts.json"))).unwrap();
    let total: u64 = counts.iter().sum();
    assert_eq!(total as f64, number(&tokenizers[0], "tokens"));
    let mut sorted = counts;
    sorted.sort_unstable_by(|a, b| b.cmp(a));
    for row in rows(&report.join("coverage.parquet")) {
        let kept: u64 = sorted[..number(&row, "vocabulary") as usize].iter().sum();
        assert!((number(&row, "coverage") - kept as f64 / total as f64).abs() < 1e-12);
    }
    // Fewer pieces, more tokens: the table says so for both languages.
    let table = fs::read_to_string(report.join("tables/tokenizers.md")).unwrap();
    assert!(table.contains("Before, en") && table.contains("Before, zh"), "{table}");
    for language in ["en", "zh"] {
        let bytes = |row: usize| -> f64 {
            let all: Value =
                serde_json::from_str(text(&tokenizers[row], "bytes_per_token")).unwrap();
            all[language].as_f64().unwrap()
        };
        assert!(bytes(0) > bytes(1) && bytes(1) > bytes(2), "{language}");
    }
}

#[test]
fn tokenizers_can_be_compared_before_anything_is_trained() {
    let sandbox = sandbox(
        "[[design.list]]\nname = \"model\"\n\
         set.tokenizer = { vocabulary = 400, build.compact = { file = \"plain.model\" } }\n\
         [[design.list]]\nname = \"json\"\n\
         set.tokenizer = { vocabulary = 400, build.compact = { file = \"plain.json\" } }\n",
    );
    let shown = sandbox.succeed(&["run", "tiny.toml", "--no-progress", "--until", "tokens"]);
    assert!(shown.contains("Compacted from") && shown.contains("640"), "{shown}");
    let root = sandbox.root();
    for (stage, count) in [("tokenizer", 2), ("compact", 2), ("shards", 4), ("train", 0)] {
        assert_eq!(of_stage(&root, stage).len(), count, "{stage}");
    }
    // Two files of one size are told apart, and come to the same.
    let tokenizers = rows(&sandbox.report().join("tokenizers.parquet"));
    let larger: Vec<&str> = [1, 3].map(|row| text(&tokenizers[row], "larger")).into();
    assert_eq!(larger, [0, 2].map(|row| text(&tokenizers[row], "name")));
    assert_ne!(larger[0], larger[1]);
    for column in ["coverage", "tokens", "vocabulary"] {
        assert_eq!(number(&tokenizers[1], column), number(&tokenizers[3], column), "{column}");
    }
    let page = fs::read_to_string(sandbox.report().join("index.html")).unwrap();
    assert!(page.contains("cover more than 90% of its tokens"));
    assert!(sandbox.report().join("figures/coverage.svg").exists());
}

#[test]
fn a_file_that_cannot_be_compacted_so_far() {
    let sandbox = sandbox("");
    let run = |vocabulary: u32| {
        let set = format!(
            "tokenizer={{ vocabulary = {vocabulary}, build.compact = {{ file = \"plain.json\" }} }}"
        );
        sandbox.ablate(&["plan", "tiny.toml", "--no-timing", "--set", &set])
    };
    for (vocabulary, reason) in [
        (641, "cannot be compacted to 641; set `tokenizer.vocabulary` to 260 to 640"),
        (259, "cannot be compacted to 259; set `tokenizer.vocabulary` to 260 to 640"),
    ] {
        let ended = run(vocabulary);
        assert_eq!(ended.code, Some(2), "{ended}");
        assert!(ended.stderr.contains(reason), "{ended}");
    }
    assert_eq!(run(640).code, Some(0));
    assert_eq!(run(260).code, Some(0));
}
