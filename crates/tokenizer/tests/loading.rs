//! Files from elsewhere: what is loaded and what is refused, with the reason.

use std::path::Path;

use ablate_tokenizer::Tokenizer;
use serde_json::{Value, json};

fn fixture() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/trained.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn load(bytes: &[u8]) -> Result<Tokenizer, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokenizer.json");
    std::fs::write(&path, bytes).unwrap();
    let start = format!("{}: ", path.display());
    Tokenizer::load(&path).map_err(|error| {
        let error = error.to_string();
        error.strip_prefix(&start).map_or(format!("no file named: {error}"), str::to_owned)
    })
}

fn changed(change: impl FnOnce(&mut Value)) -> Result<Tokenizer, String> {
    let mut json = fixture();
    change(&mut json);
    load(json.to_string().as_bytes())
}

#[test]
fn other_byte_level_files_are_loaded() {
    let text = "The lantern 灯笼, it's 12.";
    let ours = changed(|_| {}).unwrap().encode(text);
    // GPT-2: merges as strings, its own pattern, a post-processor, another end of text.
    let gpt = changed(|json| {
        let merges = json["model"]["merges"].as_array_mut().unwrap();
        for merge in merges {
            *merge =
                json!(format!("{} {}", merge[0].as_str().unwrap(), merge[1].as_str().unwrap()));
        }
        let bytes = json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true});
        json["pre_tokenizer"] = bytes.clone();
        json["post_processor"] = bytes;
        json["normalizer"] = json!({"type": "Sequence", "normalizers": []});
        json["truncation"] =
            json!({"direction": "Right", "max_length": 2, "strategy": "LongestFirst", "stride": 0});
    })
    .unwrap();
    assert_eq!(gpt.decode(&gpt.encode(text)), text);
    assert!(gpt.encode(text).len() > 2, "truncation is a model's affair");
    // SmolLM: digits first, then GPT-2's pattern.
    let smol = changed(|json| {
        json["pre_tokenizer"] = json!({"type": "Sequence", "pretokenizers": [
            {"type": "Digits", "individual_digits": true},
            {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true}]});
    })
    .unwrap();
    assert_eq!(smol.decode(&smol.encode(text)), text);
    // Qwen: Unicode's canonical form. A text that has it comes back as it is.
    let qwen = changed(|json| json["normalizer"] = json!({"type": "NFC"})).unwrap();
    assert_eq!(qwen.encode(text), ours);
    assert_eq!(qwen.encode("e\u{301}"), qwen.encode("é"));
    assert_eq!(qwen.decode(&qwen.encode("e\u{301}")), "é");
    assert_eq!(qwen.changes(), Some("Unicode's canonical form, NFC"));
    assert_eq!(gpt.changes(), None);
    // A Llama-3-like template that would add a special token.
    let llama = changed(|json| {
        json["post_processor"] = json!({"type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "<|endoftext|>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {"<|endoftext|>": {"id": "<|endoftext|>", "ids": [0], "tokens": ["<|endoftext|>"]}}});
    })
    .unwrap();
    assert_eq!(llama.encode(text), ours);
}

#[test]
fn other_kinds_are_refused_with_the_reason() {
    let refuse = |change: &dyn Fn(&mut Value), reason: &str| {
        let error = changed(change).unwrap_err();
        assert!(error.contains(reason), "{error} should contain {reason}");
    };
    refuse(
        &|j| j["model"]["type"] = json!("Unigram"),
        "it is a Unigram tokenizer; only byte-level BPE and SentencePiece-style BPE",
    );
    refuse(&|j| j["model"]["byte_fallback"] = json!(true), "its pre-tokenizer Split is none");
    refuse(&|j| j["model"]["dropout"] = json!(0.1), "BPE dropout");
    refuse(&|j| j["model"]["end_of_word_suffix"] = json!("</w>"), "`end_of_word_suffix`");
    refuse(&|j| j["normalizer"] = json!({"type": "NFKC"}), "its normaliser (NFKC) changes text");
    refuse(
        &|j| j["normalizer"] = json!({"type": "Sequence", "normalizers": [{"type": "Lowercase"}]}),
        "its normaliser (Lowercase) changes text",
    );
    refuse(&|j| j["pre_tokenizer"] = Value::Null, "its pre-tokenizer is not ByteLevel");
    refuse(
        &|j| j["pre_tokenizer"] = json!({"type": "Whitespace"}),
        "pre-tokenizer Whitespace adds or drops",
    );
    refuse(
        &|j| j["pre_tokenizer"]["pretokenizers"][1]["add_prefix_space"] = json!(true),
        "pre-tokenizer ByteLevel adds or drops",
    );
    refuse(
        &|j| j["pre_tokenizer"]["pretokenizers"][0]["behavior"] = json!("Removed"),
        "pre-tokenizer Split adds or drops",
    );
    refuse(&|j| j["added_tokens"] = json!([]), "no special token ends a document");
    refuse(&|j| j["added_tokens"][0]["content"] = json!("<|stop|>"), "both have id 0");
    refuse(&|j| j["added_tokens"][0]["special"] = json!(false), "no special token ends a document");
    let swallowing = json!({"id": 600, "content": "<a>", "special": false, "rstrip": true});
    refuse(&|j| j["added_tokens"].as_array_mut().unwrap().push(swallowing.clone()), "swallows");
}

#[test]
fn contradictions_are_refused() {
    let refuse = |change: &dyn Fn(&mut Value), reason: &str| {
        let error = changed(change).unwrap_err();
        assert!(error.contains(reason), "{error} should contain {reason}");
    };
    let vocabulary = |json: &mut Value, piece: &str, id: Value| json["model"]["vocab"][piece] = id;
    refuse(&|j| j["model"] = json!([]), "no `model`");
    refuse(&|j| j["model"]["vocab"] = json!(7), "no `model.vocab`");
    refuse(&|j| vocabulary(j, "new", json!(601)), "no entry has id 600");
    refuse(&|j| vocabulary(j, "new", json!(599)), "both have id 599");
    refuse(&|j| vocabulary(j, "new", json!(-1)), "`new` has no id");
    refuse(&|j| vocabulary(j, "new", json!(u64::MAX)), "`new` has no id");
    refuse(
        &|j| vocabulary(j, "a b", json!(600)),
        "piece `a b` is not written in the byte-level alphabet",
    );
    let merge = |json: &mut Value, merge: Value| {
        json["model"]["merges"].as_array_mut().unwrap().push(merge)
    };
    refuse(&|j| merge(j, json!(["a"])), "is not a pair of pieces");
    refuse(&|j| merge(j, json!("ab")), "is not a pair of pieces");
    refuse(&|j| merge(j, json!(7)), "is not a pair of pieces");
    // The crate itself panics here: the product is longer than every piece.
    let long = "x".repeat(50);
    refuse(
        &|j| {
            vocabulary(j, &long, json!(600));
            merge(j, json!([long, long]))
        },
        "which is no piece",
    );
    refuse(&|j| merge(j, json!(["q", "absent"])), "which is no piece");
    refuse(&|j| merge(j, json!(["<|endoftext|>", "a"])), "which is no piece");
    refuse(
        &|j| {
            let vocabulary = j["model"]["vocab"].as_object_mut().unwrap();
            let id = vocabulary.shift_remove("é").unwrap();
            vocabulary.insert("éé".to_owned(), id);
        },
        "no piece stands for byte 233",
    );
    refuse(&|j| j["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"] = json!("(("), "");
    refuse(&|j| j["version"] = json!("2.0"), "Unknown tokenizer version");
}

#[test]
fn damaged_files_never_panic() {
    assert!(load(b"").unwrap_err().starts_with("not a tokenizer.json"));
    assert!(load(b"\xff\xfe{}").unwrap_err().starts_with("not a tokenizer.json"));
    assert!(load(b"[1, 2]").unwrap_err().starts_with("no `model`"));
    let whole = fixture().to_string();
    for cut in (0..whole.len()).step_by(97) {
        assert!(load(&whole.as_bytes()[..cut]).unwrap_err().starts_with("not a tokenizer.json"));
    }
    let missing = Tokenizer::load(Path::new("no/such/tokenizer.json")).unwrap_err().to_string();
    assert!(missing.starts_with("no/such/tokenizer.json: "), "{missing}");
    // Whatever a byte turns into, it is a tokenizer or an error.
    let mut bytes = whole.into_bytes();
    for at in (0..bytes.len()).step_by(41) {
        let before = bytes[at];
        for byte in [b'9', b'"', b'x', b'{'] {
            bytes[at] = byte;
            if let Ok(tokenizer) = load(&bytes) {
                let text = "the lantern 灯笼 12";
                assert_eq!(tokenizer.decode(&tokenizer.encode(text)), text);
            }
        }
        bytes[at] = before;
    }
}

#[test]
fn control_characters_without_a_piece_are_left_out() {
    // As in SmolLM2's: pieces of bytes that its training text did not have are missing.
    let renamed = |json: &mut Value, pieces: &[&str]| {
        let vocabulary = json["model"]["vocab"].as_object_mut().unwrap();
        for (number, piece) in pieces.iter().enumerate() {
            let id = vocabulary.remove(*piece).unwrap();
            vocabulary.insert(format!("zqzq{number}"), id);
        }
    };
    // Bytes 4, 29, 0xc0 and 0xf5 in the byte-level alphabet.
    let gone = ["\u{104}", "\u{11d}", "\u{c0}", "\u{f5}"];
    let ours = changed(|json| renamed(json, &gone)).unwrap();
    assert!(ours.changes().unwrap().contains("control characters"));
    let mut json = fixture();
    renamed(&mut json, &gone);
    let theirs: tokenizers::Tokenizer = serde_json::from_value(json).unwrap();
    for text in
        ["a\u{4}b", "th\u{1d}e lantern", "\u{4}", "\u{4}\u{1d}\u{4}", "on\u{4} \u{4}on", "\u{3}x"]
    {
        let expected = theirs.encode_fast(text, false).unwrap().get_ids().to_vec();
        assert_eq!(ours.encode(text), expected, "{text:?}");
    }
    let invalid = changed(|json| renamed(json, &gone[2..])).unwrap();
    assert_eq!(invalid.changes(), None);
    // U+40000 is a character of Rust's, and begins with 0xf1.
    let plane = changed(|json| renamed(json, &["\u{f1}"])).unwrap();
    assert!(plane.changes().unwrap().contains("unassigned planes"));
    let error = changed(|json| renamed(json, &["a"])).unwrap_err();
    assert!(error.contains("no piece stands for byte 97"), "{error}");
}
