//! Files of tiktoken, as Qwen's first generation has them, beside tiktoken itself
//! (fixtures/make_tiktoken.py).

use std::path::{Path, PathBuf};

use ablate_tokenizer::Tokenizer;
use serde_json::Value;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

#[test]
fn ids_are_those_of_tiktoken() {
    let tokenizer = Tokenizer::load(&fixture("small.tiktoken")).unwrap();
    let cases: Vec<Value> =
        serde_json::from_slice(&std::fs::read(fixture("tiktoken.json")).unwrap()).unwrap();
    assert!(cases.len() > 10);
    let mut merged = 0;
    for case in &cases {
        let text = case["text"].as_str().unwrap();
        let expected: Vec<u32> = serde_json::from_value(case["ids"].clone()).unwrap();
        assert_eq!(tokenizer.encode(text), expected, "{text:?}");
        merged += expected.iter().filter(|id| **id >= 256).count();
    }
    assert!(merged > 100, "{merged} merges say little");
}

/// 205 extra pieces and three with names follow those of the file; the first ends documents.
#[test]
fn special_pieces_follow() {
    let path = fixture("small.tiktoken");
    let tokenizer = Tokenizer::load(&path).unwrap();
    let lines = std::fs::read_to_string(&path).unwrap().lines().count();
    assert_eq!(tokenizer.vocabulary(), lines + 208);
    assert_eq!(tokenizer.end_of_text() as usize, lines);
    assert_eq!(tokenizer.id("<|extra_204|>"), Some(lines as u32 + 207));
    // It is written as what every program reads.
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join(tokenizer.file_name());
    tokenizer.save(&copy).unwrap();
    let again = Tokenizer::load(&copy).unwrap();
    let text = "The lantern, it's 12. 灯笼";
    assert_eq!(again.encode(text), tokenizer.encode(text));
    std::fs::copy(&path, folder.path().join("qwen.tiktoken")).unwrap();
    assert_eq!(Tokenizer::find(folder.path()), copy);
    std::fs::remove_file(&copy).unwrap();
    assert_eq!(Tokenizer::find(folder.path()), folder.path().join("qwen.tiktoken"));
}

#[test]
fn damaged_lines_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.tiktoken");
    let error = |text: &[u8]| {
        std::fs::write(&path, text).unwrap();
        Tokenizer::load(&path).err().unwrap().to_string()
    };
    for (text, words) in [
        (&b"YQ== 0\nYg 1\n"[..], "line 2 is not the base64"),
        (b"YQ== 0\nYg==\n", "line 2 is not the base64"),
        (b"YQ== 0\nYg== 2\n", "line 2 has the rank 2, where 1 follows"),
        (b"YQ== 0\nYQ== 1\n", "line 2 is there twice"),
        (b"YQ== -1\n", "line 1 is not the base64"),
        (b" 0\n", "line 1 is not the base64"),
        (b"\xff\xfe", "no text"),
        (b"YQ== 0\n", "byte"),
    ] {
        let said = error(text);
        assert!(said.contains(words), "{said}");
    }
}
