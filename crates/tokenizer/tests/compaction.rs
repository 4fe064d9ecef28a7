//! Compaction: exact sizes, reachable pieces, id maps.

use std::path::Path;
use std::sync::LazyLock;

use ablate_tokenizer::{Compacted, Frequencies, Tokenizer, TokenizerError, compact, coverage};
use proptest::prelude::*;

static TEXT: LazyLock<String> = LazyLock::new(|| {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/training.txt");
    std::fs::read_to_string(path).unwrap()
});

static PARENT: LazyLock<Tokenizer> =
    LazyLock::new(|| Tokenizer::train(TEXT.split("\n\n"), 600).unwrap());

static COUNTS: LazyLock<Frequencies> = LazyLock::new(|| {
    let parts: Vec<Vec<u32>> = TEXT.split("\n\n").map(|text| PARENT.encode(text)).collect();
    let parts: Vec<&[u32]> = parts.iter().map(Vec::as_slice).collect();
    Frequencies::count(600, &parts).unwrap()
});

/// A tokenizer with the 256 bytes and these merges, as Hugging Face would write it.
fn with_merges(merges: &[(&str, &str)], change: impl Fn(&mut serde_json::Value)) -> Tokenizer {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokenizer.json");
    Tokenizer::train(std::iter::empty(), 257).unwrap().save(&path).unwrap();
    let file = std::fs::read(&path).unwrap();
    let mut json: serde_json::Value = serde_json::from_slice(&file).unwrap();
    for (id, (left, right)) in (257..).zip(merges) {
        json["model"]["vocab"][format!("{left}{right}")] = serde_json::json!(id);
    }
    json["model"]["merges"] = serde_json::json!(merges);
    change(&mut json);
    std::fs::write(&path, json.to_string()).unwrap();
    Tokenizer::load(&path).unwrap()
}

/// Frequencies from counts of the pieces behind the bytes.
fn counts(of_merges: &[u64]) -> Frequencies {
    Frequencies([vec![0; 257], of_merges.to_vec()].concat())
}

fn check_invariants(parent: &Tokenizer, frequencies: &Frequencies, size: usize) -> Compacted {
    let compacted = compact(parent, frequencies, size).unwrap();
    let Compacted { tokenizer, new_to_old, .. } = &compacted;
    assert_eq!(tokenizer.vocabulary(), size);
    assert_eq!(new_to_old.len(), size);
    assert_eq!(tokenizer.end_of_text(), 0);
    assert_eq!(new_to_old[0], parent.end_of_text());
    assert!(new_to_old[1..].is_sorted_by(|a, b| a < b), "the parent's order is kept");
    for (new, &old) in new_to_old.iter().enumerate() {
        assert_eq!(tokenizer.piece(new as u32), parent.piece(old));
        assert_eq!(compacted.old_to_new()[old as usize], Some(new as u32));
        // Every kept piece that is text by itself is produced from that text.
        let bytes = tokenizer.decode_bytes(&[new as u32]);
        if let Ok(text) = String::from_utf8(bytes)
            && parent.encode(&text) == [old]
        {
            assert_eq!(tokenizer.encode(&text), [new as u32], "{text:?}");
        }
    }
    assert_eq!(compacted.old_to_new().iter().flatten().count(), size);
    let kept: u64 = new_to_old.iter().map(|&old| frequencies.0[old as usize]).sum();
    let share =
        if frequencies.total() == 0 { 0.0 } else { kept as f64 / frequencies.total() as f64 };
    assert!((compacted.coverage - share).abs() < 1e-12);
    assert!(compacted.coverage <= coverage(frequencies, &[size])[0].coverage + 1e-12);
    compacted
}

#[test]
fn every_size_is_met() {
    for size in 257..=600 {
        check_invariants(&PARENT, &COUNTS, size);
    }
}

#[test]
fn the_whole_vocabulary_is_the_parent() {
    let compacted = check_invariants(&PARENT, &COUNTS, 600);
    assert!(compacted.new_to_old.iter().copied().eq(0..600));
    assert_eq!(compacted.coverage, 1.0);
    for text in TEXT.split("\n\n") {
        assert_eq!(compacted.tokenizer.encode(text), PARENT.encode(text));
    }
}

#[test]
fn text_encodes_with_kept_pieces_and_comes_back() {
    let tokens = |tokenizer: &Tokenizer| -> usize {
        TEXT.split("\n\n").map(|text| tokenizer.encode(text).len()).sum()
    };
    let mut last = tokens(&PARENT);
    for size in [500, 400, 300, 257] {
        let small = compact(&PARENT, &COUNTS, size).unwrap().tokenizer;
        for text in TEXT.split("\n\n").chain(["never seen: ж 😀 \0", "<|endoftext|>"]) {
            assert_eq!(small.decode(&small.encode(text)), text);
        }
        assert!(tokens(&small) > last, "a smaller vocabulary needs more tokens");
        last = tokens(&small);
    }
    // Bytes alone.
    assert_eq!(last, TEXT.split("\n\n").map(str::len).sum::<usize>());
}

#[test]
fn pieces_bring_their_parts() {
    let merges = [("a", "b"), ("ab", "c"), ("d", "e"), ("abc", "de")];
    let parent = with_merges(&merges, |_| {});
    let kept = |counts_of_merges: &[u64], room: usize| -> Vec<String> {
        let frequencies = counts(counts_of_merges);
        let compacted = check_invariants(&parent, &frequencies, 257 + room);
        (257..257 + room as u32)
            .map(|id| compacted.tokenizer.piece(id).unwrap().to_owned())
            .collect()
    };
    // `abc` is the most frequent but needs `ab`, which was always absorbed.
    assert_eq!(kept(&[0, 10, 9, 0], 2), ["ab", "abc"]);
    // One place is too few for both: the next piece that fits takes it.
    assert_eq!(kept(&[0, 10, 9, 0], 1), ["de"]);
    assert_eq!(kept(&[0, 10, 9, 0], 3), ["ab", "abc", "de"]);
    // `abcde` needs all the others.
    assert_eq!(kept(&[1, 2, 3, 50], 3), ["ab", "abc", "de"]);
    assert_eq!(kept(&[1, 2, 3, 50], 4), ["ab", "abc", "de", "abcde"]);
    // Ties go to the lower id.
    assert_eq!(kept(&[5, 0, 5, 0], 1), ["ab"]);
    assert_eq!(kept(&[0, 0, 0, 0], 2), ["ab", "abc"]);
    // Merges between kept pieces stay, and only those.
    let small = compact(&parent, &counts(&[0, 0, 9, 0]), 258).unwrap().tokenizer;
    assert_eq!(small.decode(&small.encode("abcde")), "abcde");
    assert_eq!(small.encode("abcde").len(), 4);
}

#[test]
fn unreachable_pieces_come_last() {
    // `bc` always merges before `ab`, so nothing ever becomes `abc` through `ab`.
    let parent = with_merges(&[("b", "c"), ("a", "b"), ("ab", "c")], |_| {});
    assert_eq!(parent.encode("abc").len(), 2);
    let compacted = compact(&parent, &counts(&[1, 1, 100]), 259).unwrap();
    assert_eq!(compacted.new_to_old[257..], [257, 258]);
    check_invariants(&parent, &counts(&[1, 1, 100]), 260);
    // Where whole words are pieces whatever the merges, it does occur, and needs no parts.
    let whole = with_merges(&[("b", "c"), ("a", "b"), ("ab", "c")], |json| {
        json["model"]["ignore_merges"] = serde_json::json!(true);
    });
    assert_eq!(whole.encode("abc"), [259]);
    let compacted = check_invariants(&whole, &counts(&[1, 1, 100]), 258);
    assert_eq!(compacted.new_to_old[257..], [259]);
    assert_eq!(compacted.tokenizer.encode("abc"), [257]);
}

#[test]
fn added_tokens_stay_and_the_separator_moves_to_0() {
    let parent = with_merges(&[("a", "b"), ("c", "d")], |json| {
        let token = |content: &str, id: u32, special: bool| {
            serde_json::json!({"id": id, "content": content, "single_word": false, "lstrip": false,
                "rstrip": false, "normalized": false, "special": special})
        };
        json["model"]["vocab"].as_object_mut().unwrap().shift_remove("<|endoftext|>");
        json["model"]["vocab"]["ef"] = serde_json::json!(0);
        json["model"]["merges"].as_array_mut().unwrap().push(serde_json::json!(["e", "f"]));
        json["added_tokens"] = serde_json::json!([
            token("<tool>", 259, false),
            token("<|pad|>", 260, true),
            token("<|endoftext|>", 261, true),
        ]);
    });
    assert_eq!(parent.end_of_text(), 261);
    let frequencies = Frequencies((0..262).map(|id| u64::from(id == 258) * 7).collect());
    let compacted = check_invariants(&parent, &frequencies, 260);
    assert_eq!(compacted.new_to_old[0], 261);
    assert_eq!(compacted.new_to_old[257..], [258, 259, 260]);
    assert_eq!(compacted.tokenizer.token_bytes()[257..], [2, 6, 0]);
    assert_eq!(compacted.tokenizer.encode("cd<tool><|pad|>")[..2], [257, 258]);
    let error = compact(&parent, &frequencies, 258).unwrap_err().to_string();
    assert!(error.contains("3 special tokens and 256 byte pieces need at least 259"), "{error}");
}

#[test]
fn what_cannot_be_compacted() {
    let error = compact(&PARENT, &COUNTS, 256).unwrap_err();
    assert!(matches!(error, TokenizerError::VocabularyTooSmall { asked: 256, special: 1 }));
    let error = compact(&PARENT, &COUNTS, 601).unwrap_err().to_string();
    assert_eq!(error, "cannot compact a tokenizer of 600 entries to 601: ask for at most 600");
    let error = compact(&PARENT, &Frequencies(vec![1; 599]), 300).unwrap_err();
    assert!(matches!(
        error,
        TokenizerError::FrequenciesDoNotFit { frequencies: 599, vocabulary: 600 }
    ));
}

#[test]
fn a_saved_compaction_is_a_parent_again() {
    let first = compact(&PARENT, &COUNTS, 500).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokenizer.json");
    first.tokenizer.save(&path).unwrap();
    let loaded = Tokenizer::load(&path).unwrap();
    for text in TEXT.split("\n\n") {
        assert_eq!(loaded.encode(text), first.tokenizer.encode(text));
    }
    let counts: Vec<u64> = first.new_to_old.iter().map(|&old| COUNTS.0[old as usize]).collect();
    check_invariants(&loaded, &Frequencies(counts), 350);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_frequencies(counts in prop::collection::vec(0u64..20, 600), size in 257usize..=600) {
        check_invariants(&PARENT, &Frequencies(counts), size);
    }
}
