//! Any text comes back, and all routes of encoding agree with the `tokenizers` crate itself.

use std::path::Path;
use std::sync::LazyLock;

use ablate_tokenizer::{END_OF_TEXT, Tokenizer, bytes_per_token};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Our tokenizer and the crate's own reading of the same file.
struct Both {
    ours: Tokenizer,
    theirs: tokenizers::Tokenizer,
}

impl Both {
    fn of(json: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokenizer.json");
        std::fs::write(&path, json).unwrap();
        let mut theirs = tokenizers::Tokenizer::from_file(&path).unwrap();
        theirs.set_encode_special_tokens(true);
        Self { ours: Tokenizer::load(&path).unwrap(), theirs }
    }

    fn check(&self, text: &str) -> Result<(), TestCaseError> {
        let ids = self.ours.encode(text);
        prop_assert_eq!(self.ours.decode(&ids), text);
        prop_assert!(!ids.contains(&self.ours.end_of_text()), "{:?} ended its document", text);
        let bytes = self.ours.token_bytes();
        let length: u32 = ids.iter().map(|&id| bytes[id as usize]).sum();
        prop_assert_eq!(length as usize, text.len());
        let theirs = self.theirs.encode_fast(text, false).unwrap();
        prop_assert_eq!(ids.as_slice(), theirs.get_ids(), "{:?}", text);
        Ok(())
    }
}

fn file() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/trained.json");
    std::fs::read_to_string(path).unwrap()
}

static DIRECT: LazyLock<Both> = LazyLock::new(|| Both::of(&file()));

/// The same merges behind other pre-tokenizers: those with scanners of their own, a pattern that
/// has none, and one that is left to the crate.
static OTHERS: LazyLock<Vec<Both>> = LazyLock::new(|| {
    let bytes = |regex: bool| {
        json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true,
            "use_regex": regex})
    };
    let split = |pattern: &str| {
        json!({"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated",
            "invert": false})
    };
    let sequence =
        |first: Value, second: Value| json!({"type": "Sequence", "pretokenizers": [first, second]});
    let three_digits = ablate_tokenizer::SPLIT_PATTERN.replace(r"|\p{N}|", r"|\p{N}{1,3}|");
    let pre_tokenizers = [
        bytes(true),
        sequence(json!({"type": "Digits", "individual_digits": true}), bytes(true)),
        sequence(split(&three_digits), bytes(false)),
        sequence(split(r"\w+|[^\w\s]"), bytes(false)),
        sequence(json!({"type": "Digits", "individual_digits": false}), bytes(true)),
    ];
    let with = |pre_tokenizer: Value| {
        let mut json: Value = serde_json::from_str(&file()).unwrap();
        json["pre_tokenizer"] = pre_tokenizer;
        Both::of(&json.to_string())
    };
    let mut others: Vec<Both> = pre_tokenizers.into_iter().map(with).collect();
    // DeepSeek: three patterns one after the other, and added tokens that are text.
    let deepseek = with_json(|json| {
        json["pre_tokenizer"] = json!({"type": "Sequence", "pretokenizers": [
            split(r"\p{N}{1,3}"), split(r"[一-龥]+"), split(r" ?\p{L}+|\s+(?!\S)|\s+"),
            bytes(false)]});
        add(
            json,
            &[
                ("<t>", false, true),
                ("<t><u>", true, true),
                ("a<t>", true, true),
                ("the", false, true),
                ("灯笼", false, false),
                ("<u>", false, false),
            ],
        );
    });
    // Llama 3: words that are pieces whatever the merges say; special tokens are no pieces.
    let llama = with_json(|json| {
        json["model"]["ignore_merges"] = json!(true);
        json["model"]["vocab"].as_object_mut().unwrap().shift_remove("<|endoftext|>");
        json["model"]["vocab"]["ZeitZeit"] = json!(0);
        json["added_tokens"][0]["id"] = json!(600);
    });
    others.extend([deepseek, llama]);
    others
});

fn with_json(change: impl FnOnce(&mut Value)) -> Both {
    let mut json: Value = serde_json::from_str(&file()).unwrap();
    change(&mut json);
    Both::of(&json.to_string())
}

/// Adds tokens: their text, whether they are special, and whether they are normalised.
fn add(json: &mut Value, tokens: &[(&str, bool, bool)]) {
    let added = json["added_tokens"].as_array_mut().unwrap();
    for (id, (content, special, normalized)) in (600..).zip(tokens) {
        added.push(json!({"id": id, "content": content, "single_word": false, "lstrip": false,
            "rstrip": false, "normalized": normalized, "special": special}));
    }
}

fn check_all(text: &str) -> Result<(), TestCaseError> {
    DIRECT.check(text)?;
    OTHERS.iter().try_for_each(|both| both.check(text))
}

/// Strings in which the parts of the split pattern meet.
fn tricky() -> impl Strategy<Value = String> {
    let parts = [
        "a",
        "<t>",
        "<u>",
        "the",
        "Zeit",
        "é",
        "e\u{301}",
        "ß",
        "ſ",
        "K",
        "中",
        "灯笼",
        "。",
        "，",
        "'",
        "'s",
        "'RE",
        "'ſ",
        "’",
        "\"",
        " ",
        "  ",
        "\t",
        "\n",
        "\r",
        "\r\n",
        "\u{a0}",
        "\u{3000}",
        "\u{85}",
        "\u{2028}",
        "\u{180e}",
        "\u{200b}",
        "\u{feff}",
        "0",
        "17",
        "½",
        "Ⅷ",
        "٣",
        "!",
        "--",
        "_",
        "<|",
        "|>",
        END_OF_TEXT,
        "<|endoftext",
        "\0",
        "\u{7f}",
        "😀",
        "\u{200d}",
        "\u{1f3fd}",
        "\u{10ffff}",
        "Ġ",
        "Ċ",
        "▁",
    ];
    prop::collection::vec(prop::sample::select(parts.to_vec()), 0..30)
        .prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn any_text(text in any::<String>()) {
        check_all(&text)?;
    }

    #[test]
    fn tricky_text(text in tricky()) {
        check_all(&text)?;
    }

    #[test]
    fn any_ids_decode(ids in prop::collection::vec(0u32..700, 0..40)) {
        let tokenizer = &DIRECT.ours;
        let text = tokenizer.decode(&ids);
        let bytes = tokenizer.decode_bytes(&ids);
        prop_assert_eq!(String::from_utf8_lossy(&bytes), text.as_str());
        let known: Vec<u32> = ids.into_iter().filter(|&id| id < 600).collect();
        let theirs = DIRECT.theirs.decode(&known, true).unwrap();
        prop_assert_eq!(tokenizer.decode(&known), theirs);
    }
}

#[test]
fn every_character_comes_back() {
    // Those of one plane in one text each, so that all kinds of neighbours meet.
    for plane in 0..17u32 {
        let text: String = (plane << 16..(plane + 1) << 16).filter_map(char::from_u32).collect();
        for both in std::iter::once(&*DIRECT).chain(OTHERS.iter()) {
            let ids = both.ours.encode(&text);
            assert!(both.ours.decode(&ids) == text, "plane {plane}");
            let theirs = both.theirs.encode_fast(text.as_str(), false).unwrap();
            assert!(ids == theirs.get_ids(), "plane {plane}");
        }
    }
}

#[test]
fn batches_keep_their_order() {
    let texts: Vec<String> =
        (0..500).map(|i| format!("text {i} 灯笼 {}", "x".repeat(i % 7))).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    for threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let batch = pool.install(|| DIRECT.ours.encode_batch(&texts));
        assert!(batch.iter().zip(&texts).all(|(ids, text)| *ids == DIRECT.ours.encode(text)));
    }
}

#[test]
fn long_words_and_words_seen_before() {
    // Around the lengths where caching and merging change their ways, and each word twice.
    for length in (1..40).chain([63, 64, 65, 127, 128, 129, 130, 1000]) {
        for unit in ["the", "lantern", "灯笼在河边", "éa", "ab中"] {
            let word: String = unit.chars().cycle().take(length).collect();
            check_all(&format!("{word} {word}\n{word}")).unwrap();
            check_all(&format!("x{word}，{word}")).unwrap();
        }
    }
}

#[test]
fn endless_white_space_neither_panics_nor_gets_lost() {
    // The regular expression alone gives up above ten million steps.
    let text = format!("a{}b", " ".repeat(11_000_000));
    let ids = DIRECT.ours.encode(&text);
    assert!(DIRECT.ours.decode(&ids) == text);
}

#[test]
fn special_tokens_and_strays_decode() {
    let tokenizer = &DIRECT.ours;
    let [mut ids, more] = ["灯", "b"].map(|text| tokenizer.encode(text));
    ids.push(tokenizer.end_of_text());
    ids.extend(more);
    assert_eq!(tokenizer.decode(&ids), "灯b");
    assert_eq!(tokenizer.decode(&[600, u32::MAX]), "\u{fffd}\u{fffd}");
    assert_eq!(tokenizer.token_bytes()[0], 0);
    assert_eq!(tokenizer.piece(0), Some(END_OF_TEXT));
    assert_eq!(tokenizer.piece(600), None);
}

#[test]
fn bytes_per_token_counts_bytes() {
    let tokenizer = &DIRECT.ours;
    let texts = ["The lantern", "", "灯笼在河边"];
    let tokens: usize = texts.iter().map(|text| tokenizer.encode(text).len()).sum();
    assert_eq!(bytes_per_token(tokenizer, &texts), 26.0 / tokens as f64);
    assert_eq!(bytes_per_token(tokenizer, &[""]), 0.0);
}
