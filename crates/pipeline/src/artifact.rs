//! The record that makes a folder a finished result.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::durable::write_atomic;
use crate::graph::Key;

/// Name of the record; its dot keeps it out of globs over results.
const RECORD: &str = ".artifact.json";

/// A file of a finished result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    /// Path below the result's folder, with forward slashes.
    pub path: String,
    /// Length in bytes.
    pub bytes: u64,
    /// blake3 of the content, hexadecimal.
    pub blake3: String,
}

/// What a finished result is, what it was made from and what it holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Artifact {
    /// Identity.
    pub key: Key,
    /// Kind of work.
    pub stage: String,
    /// Name for people.
    pub name: String,
    /// Version of the recipe.
    pub version: u32,
    /// The recipe.
    pub recipe: Value,
    /// Keys of the inputs by role.
    pub inputs: BTreeMap<String, Key>,
    /// Everything in the folder but this record.
    pub files: Vec<FileRecord>,
    /// When it was finished, RFC 3339.
    pub finished: String,
    /// Seconds of work, over all attempts as far as they are known.
    pub seconds: f64,
    /// How it was executed (program version, backend, threads, machine): facts, not identity.
    pub execution: Value,
    /// What it rests on of other keys than those that it names: the key that was wanted, somewhere among
    /// all that it was made of, and the key of what was accepted and read in its place.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub accepted: BTreeMap<Key, Key>,
}

impl Artifact {
    /// Reads the record of a folder; `None` when the folder is not a finished result.
    ///
    /// # Errors
    /// When the record cannot be read or is not valid.
    pub fn read(directory: &Path) -> io::Result<Option<Self>> {
        match fs::read(directory.join(RECORD)) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map(Some)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether a folder has a record, whatever stands in it.
    pub(crate) fn is_at(directory: &Path) -> bool {
        directory.join(RECORD).exists()
    }

    pub(crate) fn write(&self, directory: &Path) -> io::Result<()> {
        write_atomic(&directory.join(RECORD), &serde_json::to_vec_pretty(self)?)
    }

    /// Compares the folder with the record. Returns the first difference in words, or `None`
    /// when everything is as it was written.
    ///
    /// # Errors
    /// When a file cannot be read for another reason than being absent.
    pub fn difference(&self, directory: &Path) -> io::Result<Option<String>> {
        for file in &self.files {
            let path = directory.join(&file.path);
            let length = match fs::metadata(&path) {
                Ok(metadata) => metadata.len(),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return Ok(Some(format!("`{}` is missing", file.path)));
                }
                Err(error) => return Err(error),
            };
            if length != file.bytes {
                return Ok(Some(format!(
                    "`{}` has {length} bytes instead of {}",
                    file.path, file.bytes
                )));
            }
            if hash(&path)? != file.blake3 {
                return Ok(Some(format!(
                    "`{}` has another content than when it was made",
                    file.path
                )));
            }
        }
        Ok(None)
    }

    /// Bytes of all files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }
}

/// Records of all files below a folder, sorted by path.
pub(crate) fn inventory(directory: &Path) -> io::Result<Vec<FileRecord>> {
    let mut files = Vec::new();
    let mut open = vec![PathBuf::new()];
    while let Some(relative) = open.pop() {
        for entry in fs::read_dir(directory.join(&relative))? {
            let entry = entry?;
            let path = relative.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                open.push(path);
            } else if entry.file_name() != RECORD {
                let full = directory.join(&path);
                files.push(FileRecord {
                    path: path.to_string_lossy().replace('\\', "/"),
                    bytes: entry.metadata()?.len(),
                    blake3: hash(&full)?,
                });
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn hash(path: &Path) -> io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(fs::File::open(path)?)?;
    Ok(hasher.finalize().to_hex().to_string())
}
