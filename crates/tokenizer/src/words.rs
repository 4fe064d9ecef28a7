//! How published tokenizers of bytes cut text into words, and the `tokenizer.json` of one that does.

use serde_json::{Map, Value, json};

/// How Llama 3 and Qwen cut text; they differ in how many digits go together.
const WORDS: &str = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}DIGITS| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

/// A way to cut text.
pub(crate) struct Cutting {
    pub(crate) normalizer: Value,
    pub(crate) pre_tokenizer: Value,
    /// Whether a word that is a piece is that piece, whatever merges say.
    pub(crate) ignore_merges: bool,
}

impl Cutting {
    /// The whole file, from its added tokens ([`added`]), pieces by id and merges.
    pub(crate) fn file<Merge: Into<Value>>(
        self,
        added: Vec<Value>,
        vocabulary: Map<String, Value>,
        merges: Vec<Merge>,
    ) -> Value {
        json!({
            "version": "1.0",
            "truncation": null,
            "padding": null,
            "added_tokens": added,
            "normalizer": self.normalizer,
            "pre_tokenizer": self.pre_tokenizer,
            "post_processor": null,
            "decoder": byte_level(true),
            "model": {
                "type": "BPE",
                "dropout": null,
                "unk_token": null,
                "continuing_subword_prefix": null,
                "end_of_word_suffix": null,
                "fuse_unk": false,
                "byte_fallback": false,
                "ignore_merges": self.ignore_merges,
                "vocab": vocabulary,
                "merges": merges.into_iter().map(Into::into).collect::<Vec<Value>>(),
            },
        })
    }
}

/// An entry of the file's added tokens.
pub(crate) fn added(id: usize, content: &str, special: bool) -> Value {
    json!({
        "id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
        "normalized": false, "special": special,
    })
}

/// The cuts under llama.cpp's name for them; `None` for one that is not known here.
pub(crate) fn cutting(name: &str) -> Option<Cutting> {
    let plain = |pre_tokenizer, ignore_merges| Cutting {
        normalizer: Value::Null,
        pre_tokenizer,
        ignore_merges,
    };
    Some(match name {
        "gpt-2" => plain(byte_level(true), false),
        "smollm" | "starcoder" => {
            let digits = json!({ "type": "Digits", "individual_digits": true });
            plain(sequence([digits, byte_level(true)]), false)
        }
        "llama-bpe" | "llama3" => plain(sequence([split("{1,3}"), byte_level(false)]), true),
        "qwen2" | "deepseek-r1-qwen" => Cutting {
            normalizer: json!({ "type": "NFC" }),
            ..plain(sequence([split(""), byte_level(false)]), false)
        },
        _ => return None,
    })
}

/// Bytes written in the byte-level alphabet, after GPT-2's own cuts or without any.
fn byte_level(cuts: bool) -> Value {
    json!({
        "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": cuts,
    })
}

fn sequence(steps: [Value; 2]) -> Value {
    json!({ "type": "Sequence", "pretokenizers": steps })
}

fn split(digits: &str) -> Value {
    let pattern = WORDS.replace("DIGITS", digits);
    json!({
        "type": "Split", "pattern": { "Regex": pattern }, "behavior": "Isolated", "invert": false,
    })
}
