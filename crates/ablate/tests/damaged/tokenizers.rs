//! Tokenizers of every kind; one that is read is used as well.

use std::path::Path;

use ablate_tokenizer::Tokenizer;

use crate::fixture;
use crate::reader::{Reader, put};

pub(crate) const READERS: &[Reader] = &[
    Reader {
        name: "tokenizer.json",
        closed: true,
        whole: || file("trained.json"),
        read: |bytes, folder| load(bytes, folder, "tokenizer.json"),
    },
    Reader {
        name: "tokenizer.json-fallback",
        closed: true,
        whole: || file("plain.json"),
        read: |bytes, folder| load(bytes, folder, "tokenizer.json"),
    },
    // A message of protobuf is whole wherever a field ends.
    Reader {
        name: "tokenizer.model",
        closed: false,
        whole: || file("plain.model"),
        read: |bytes, folder| load(bytes, folder, "tokenizer.model"),
    },
    Reader {
        name: "tokenizer.model-nfkc",
        closed: false,
        whole: || file("nfkc.model"),
        read: |bytes, folder| load(bytes, folder, "tokenizer.model"),
    },
    // As is the file of llama2.c wherever a piece does: it does not say how many there are.
    Reader {
        name: "tokenizer.bin",
        closed: false,
        whole: || file("plain.bin"),
        read: |bytes, folder| load(bytes, folder, "tokenizer.bin"),
    },
    Reader {
        name: "tiktoken",
        closed: false,
        whole: || file("small.tiktoken"),
        read: |bytes, folder| load(bytes, folder, "qwen.tiktoken"),
    },
    Reader {
        name: "tokenizer.gguf",
        closed: true,
        whole: || values("gpt2.gguf"),
        read: |bytes, folder| load(bytes, folder, "tokenizer.gguf"),
    },
    Reader {
        name: "tokenizer.gguf-fallback",
        closed: true,
        whole: || values("llama.gguf"),
        read: |bytes, folder| load(bytes, folder, "tokenizer.gguf"),
    },
];

fn file(name: &str) -> Vec<u8> {
    std::fs::read(fixture("tokenizer/tests/fixtures").join(name)).unwrap()
}

/// A file of values alone, which ends with an identifier of four bytes: after it, zeros fill up to
/// where tensors would start, and nothing is lost with them.
fn values(name: &str) -> Vec<u8> {
    let mut bytes = file(name);
    let last = b"eos_token_id";
    let at = bytes.windows(last.len()).rposition(|window| window == last).unwrap();
    let kind = 4;
    let filled = bytes.split_off(at + last.len() + kind + 4);
    assert!(filled.len() < 32 && filled.iter().all(|byte| *byte == 0));
    bytes
}

fn load(bytes: &[u8], folder: &Path, name: &str) -> Result<(), String> {
    put(folder, name, bytes);
    let tokenizer = Tokenizer::load(&folder.join(name)).map_err(|error| error.to_string())?;
    let ids = tokenizer.encode("The lantern 灯笼, it's 12.\n\n <|endoftext|>\u{2581} x");
    assert!(ids.iter().all(|id| (*id as usize) < tokenizer.vocabulary()));
    let _ = tokenizer.decode(&ids);
    let _ = tokenizer.token_bytes();
    let _ = tokenizer.decode(&[tokenizer.end_of_text(), tokenizer.start_of_text(), u32::MAX]);
    Ok(())
}
