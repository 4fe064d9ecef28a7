//! Python's `tokenizers` loads our files and encodes identically.

use std::path::{Path, PathBuf};

use ablate_tokenizer::{Frequencies, Tokenizer, compact};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// The tokenizers that the fixtures hold, made anew.
fn made() -> [(&'static str, Tokenizer); 2] {
    let text = std::fs::read_to_string(fixture("training.txt")).unwrap();
    let documents: Vec<&str> = text.split("\n\n").collect();
    let trained = Tokenizer::train(documents.iter().copied(), 600).unwrap();
    let tokens = trained.encode_batch(&documents).concat();
    let frequencies = Frequencies::count(600, &[&tokens]).unwrap();
    let compacted = compact(&trained, &frequencies, 400).unwrap().tokenizer;
    [("trained", trained), ("compacted", compacted)]
}

#[test]
fn the_same_tokenizers_are_made_again() {
    for (name, tokenizer) in made() {
        let path = fixture(&format!("{name}.json"));
        if std::env::var_os("ABLATE_BLESS").is_some() {
            tokenizer.save(&path).unwrap();
        }
        let folder = tempfile::tempdir().unwrap();
        let again = folder.path().join("tokenizer.json");
        tokenizer.save(&again).unwrap();
        assert!(
            std::fs::read(path).unwrap() == std::fs::read(again).unwrap(),
            "{name}.json changed: if that is meant, bless it and run make_parity.py again"
        );
    }
}

#[test]
fn python_encodes_identically() {
    let parity = std::fs::read_to_string(fixture("parity.json")).unwrap();
    let parity: serde_json::Value = serde_json::from_str(&parity).unwrap();
    let lines: Vec<&str> =
        parity["lines"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    assert_eq!(lines.len(), 200);
    for name in ["trained", "compacted"] {
        let tokenizer = Tokenizer::load(&fixture(&format!("{name}.json"))).unwrap();
        let expected: Vec<Vec<u32>> = serde_json::from_value(parity[name].clone()).unwrap();
        assert_eq!(expected.len(), lines.len());
        for ((line, expected), batched) in
            lines.iter().zip(&expected).zip(tokenizer.encode_batch(&lines))
        {
            let ids = tokenizer.encode(line);
            assert_eq!(&ids, expected, "{name} {line:?}");
            assert_eq!(&batched, expected, "{name} {line:?}");
            assert_eq!(&tokenizer.decode(&ids), line, "{name}");
        }
    }
}
