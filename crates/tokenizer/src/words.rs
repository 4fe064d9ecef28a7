//! How published tokenizers of bytes cut text into words, as their `tokenizer.json` says it.

use serde_json::{Value, json};

/// How Llama 3 and Qwen cut text; they differ in how many digits go together.
const WORDS: &str = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}DIGITS| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

/// A way to cut text.
pub(crate) struct Cutting {
    pub(crate) normalizer: Value,
    pub(crate) pre_tokenizer: Value,
    /// Whether a word that is a piece is that piece, whatever merges say.
    pub(crate) ignore_merges: bool,
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
pub(crate) fn byte_level(cuts: bool) -> Value {
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
