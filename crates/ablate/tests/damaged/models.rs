//! Models: configurations, weights, their index, GGUF, llama2.c.

use std::path::{Path, PathBuf};

use ablate_gguf::Gguf;
use ablate_model::{read_gguf, read_hugging_face, read_llama2c};

use crate::fixture;
use crate::reader::{Reader, lay, put};

pub(crate) const READERS: &[Reader] = &[
    Reader {
        name: "config.json",
        closed: true,
        whole: || family("llama/config.json"),
        read: |bytes, folder| in_folder(bytes, folder, "config.json", "llama"),
    },
    Reader {
        name: "safetensors",
        closed: true,
        whole: || family("llama/model.safetensors"),
        read: |bytes, folder| in_folder(bytes, folder, "model.safetensors", "llama"),
    },
    Reader {
        name: "index",
        closed: true,
        whole: || family("llama3/model.safetensors.index.json"),
        read: |bytes, folder| in_folder(bytes, folder, "model.safetensors.index.json", "llama3"),
    },
    Reader {
        name: "gguf",
        closed: true,
        whole: || family("llama.gguf"),
        read: |bytes, _| {
            let file = Gguf::parse(bytes.to_vec()).map_err(|error| error.to_string())?;
            read_gguf(Path::new("model.gguf"), &file).map(drop).map_err(|error| error.to_string())
        },
    },
    Reader {
        name: "llama2c",
        closed: true,
        whole: llama2c,
        read: |bytes, folder| {
            put(folder, "model.bin", bytes);
            read_llama2c(&folder.join("model.bin")).map(drop).map_err(|error| error.to_string())
        },
    },
];

fn families() -> PathBuf {
    fixture("model/tests/fixtures/families")
}

fn family(name: &str) -> Vec<u8> {
    std::fs::read(families().join(name)).unwrap()
}

/// A Hugging Face folder with these bytes as one of its files.
fn in_folder(bytes: &[u8], folder: &Path, name: &str, model: &str) -> Result<(), String> {
    for entry in std::fs::read_dir(families().join(model)).unwrap() {
        let path = entry.unwrap().path();
        let other = path.file_name().unwrap().to_str().unwrap();
        if other != name {
            lay(folder, other, &std::fs::read(&path).unwrap());
        }
    }
    put(folder, name, bytes);
    read_hugging_face(folder).map(drop).map_err(|error| error.to_string())
}

/// One layer, two heads of four channels, one key head, vocabulary 3, context 2.
fn llama2c() -> Vec<u8> {
    let header = [8, 5, 1, 2, 1, 3, 2];
    let count = 3 * 8 + 8 + 64 + 2 * 32 + 64 + 8 + 3 * 40 + 8 + 2 * 4;
    let numbers = (0..count).map(|n| (n as f32 * 0.01).to_le_bytes());
    header.map(i32::to_le_bytes).into_iter().chain(numbers).flatten().collect()
}
