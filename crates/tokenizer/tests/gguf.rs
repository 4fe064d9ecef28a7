//! Tokenizers in GGUF files give the ids of the files that they were made of
//! (fixtures/make_gguf.py); those are compared with Python's in other tests.

use std::path::{Path, PathBuf};

use ablate_tokenizer::Tokenizer;
use proptest::prelude::*;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn open(name: &str) -> Tokenizer {
    Tokenizer::load(&fixture(name)).unwrap()
}

#[test]
fn both_kinds_are_what_they_were() {
    for (file, original) in [("gpt2.gguf", "trained.json"), ("llama.gguf", "plain.model")] {
        let (ours, theirs) = (open(file), open(original));
        assert_eq!(ours.vocabulary(), theirs.vocabulary());
        assert_eq!(ours.end_of_text(), theirs.end_of_text(), "{file}");
        for id in 0..ours.vocabulary() as u32 {
            assert_eq!(ours.piece(id), theirs.piece(id), "{file}");
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(ours.file_name());
        ours.save(&path).unwrap();
        let again = Tokenizer::load(&path).unwrap();
        for text in ["The lantern 灯笼, it's 12.", "", " a  b ", "<|endoftext|>", "x\u{2581}y\n\n"]
        {
            assert_eq!(ours.encode(text), theirs.encode(text), "{file}: {text}");
            assert_eq!(again.encode(text), ours.encode(text), "{file}: {text}");
        }
    }
}

fn load(bytes: &[u8]) -> Result<Tokenizer, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.gguf");
    std::fs::write(&path, bytes).unwrap();
    Tokenizer::load(&path).map_err(|error| error.to_string())
}

/// The file with one stretch of bytes replaced by another of its length.
fn replaced(name: &str, old: &str, new: &str) -> Vec<u8> {
    assert_eq!(old.len(), new.len());
    let mut bytes = std::fs::read(fixture(name)).unwrap();
    let at = bytes.windows(old.len()).position(|part| part == old.as_bytes()).unwrap();
    bytes[at..at + old.len()].copy_from_slice(new.as_bytes());
    bytes
}

#[test]
fn what_is_not_read_is_named() {
    let error = |bytes: &[u8]| load(bytes).unwrap_err();
    assert!(error(&replaced("gpt2.gguf", "qwen2", "tekkn")).contains("cuts text as `tekkn`"));
    assert!(error(&replaced("gpt2.gguf", "gpt2", "bert")).contains("of the kind `bert`"));
    let hidden = replaced("gpt2.gguf", "tokenizer.ggml.merges", "tokenizer.ggml.mergez");
    assert!(error(&hidden).contains("no list `tokenizer.ggml.merges`"));
    let hidden = replaced("llama.gguf", "tokenizer.ggml.scores", "tokenizer.ggml.scorez");
    assert!(error(&hidden).contains("no list `tokenizer.ggml.scores`"));
    let hidden = replaced("llama.gguf", "tokenizer.ggml.model", "tokenizer.ggml.modex");
    assert!(error(&hidden).contains("holds no tokenizer"));
    assert!(error(b"GGUF").contains("before the end"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn any_text(text in "\\PC{0,60}") {
        let (ours, theirs) = (open("llama.gguf"), open("plain.model"));
        prop_assert_eq!(ours.encode(&text), theirs.encode(&text));
    }

    #[test]
    fn bytes_that_were_changed(name in 0usize..2, changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5)) {
        let mut bytes = std::fs::read(fixture(["gpt2.gguf", "llama.gguf"][name])).unwrap();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(tokenizer) = load(&bytes) {
            let ids = tokenizer.encode("The lantern 灯笼, it's 12.");
            prop_assert!(ids.iter().all(|id| (*id as usize) < tokenizer.vocabulary()));
        }
    }
}
