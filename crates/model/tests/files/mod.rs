//! Files of models, whole and damaged.
#![allow(dead_code, reason = "each test takes what it needs")]

use std::path::{Path, PathBuf};

use ablate_gguf::Gguf;
use ablate_model::{ModelError, read_gguf, read_hugging_face, read_llama2c};

/// Where the models lie.
pub(crate) fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/families")
}

/// A kind of file with bytes in it that can be damaged.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Config,
    Safetensors,
    Index,
    Gguf,
    Llama2c,
}

pub(crate) const KINDS: [Kind; 5] =
    [Kind::Config, Kind::Safetensors, Kind::Index, Kind::Gguf, Kind::Llama2c];

impl Kind {
    /// A file of this kind that is as it should be.
    pub(crate) fn whole(self) -> Vec<u8> {
        let read = |name: &str| std::fs::read(fixtures().join(name)).unwrap();
        match self {
            Self::Config => read("llama/config.json"),
            Self::Safetensors => read("llama/model.safetensors"),
            Self::Index => read("llama3/model.safetensors.index.json"),
            Self::Gguf => read("llama.gguf"),
            Self::Llama2c => llama2c(),
        }
    }

    /// Reads a file with these bytes; `folder` is scratch.
    pub(crate) fn read(self, bytes: &[u8], folder: &Path) -> Result<(), ModelError> {
        let folder_of = |name: &str, source: &str| {
            for entry in std::fs::read_dir(fixtures().join(source)).unwrap() {
                let path = entry.unwrap().path();
                std::fs::copy(&path, folder.join(path.file_name().unwrap())).unwrap();
            }
            std::fs::write(folder.join(name), bytes).unwrap();
            read_hugging_face(folder).map(|_| ())
        };
        match self {
            Self::Config => folder_of("config.json", "llama"),
            Self::Safetensors => folder_of("model.safetensors", "llama"),
            Self::Index => folder_of("model.safetensors.index.json", "llama3"),
            Self::Gguf => match Gguf::parse(bytes.to_vec()) {
                Ok(file) => read_gguf(Path::new("model.gguf"), &file).map(|_| ()),
                Err(error) => Err(ModelError::Encode { reason: error.to_string() }),
            },
            Self::Llama2c => {
                let path = folder.join("model.bin");
                std::fs::write(&path, bytes).unwrap();
                read_llama2c(&path).map(|_| ())
            }
        }
    }
}

/// One layer, two heads of four channels, one key head, vocabulary 3, context 2.
fn llama2c() -> Vec<u8> {
    let header = [8, 5, 1, 2, 1, 3, 2];
    let count = 3 * 8 + 8 + 64 + 2 * 32 + 64 + 8 + 3 * 40 + 8 + 2 * 4;
    let numbers = (0..count).map(|n| (n as f32 * 0.01).to_le_bytes());
    header.map(i32::to_le_bytes).into_iter().chain(numbers).flatten().collect()
}
