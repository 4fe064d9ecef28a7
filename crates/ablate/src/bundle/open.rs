//! The bytes of a bundle to files, nothing of them believed.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use super::{BundleError, FORMAT, Lock, MANIFEST, Manifest};

/// Bytes of all files together, unpacked.
const MOST_BYTES: u64 = 4 << 30;
/// How many times its own size a bundle may become (rows and tables reach 10).
const MOST_GROWTH: u64 = 200;
/// Files of a bundle.
const MOST_FILES: usize = 20_000;
/// Power of two of the bytes that a decoder of zstd may look back; ours asks for less.
const MOST_WINDOW: u32 = 27;

/// The files of a bundle, in memory.
#[derive(Debug)]
pub struct Contents {
    manifest: Manifest,
    files: BTreeMap<String, Vec<u8>>,
}

/// Opens a bundle.
///
/// # Errors
/// What is no bundle, is damaged, or holds names that lead out of it, links, or far more than a bundle does.
pub fn open(path: &Path) -> Result<Contents, BundleError> {
    let io = |error: io::Error| BundleError(format!("cannot be read: {error}"));
    let file = File::open(path).map_err(io)?;
    let size = file.metadata().map_err(io)?.len();
    // Small bundles may grow more: a header of tar is 512 bytes, most of them zeros.
    let room = size.saturating_mul(MOST_GROWTH).clamp(16 << 20, MOST_BYTES);
    let mut decoder = zstd::stream::read::Decoder::new(file)
        .map_err(|error| BundleError(format!("it is no zstd file: {error}")))?;
    decoder.window_log_max(MOST_WINDOW).map_err(io)?;
    read(decoder, room)
}

fn read(from: impl Read, mut room: u64) -> Result<Contents, BundleError> {
    let damaged = |error: io::Error| BundleError(format!("it is damaged or cut off: {error}"));
    let mut files = BTreeMap::new();
    // Headers and what is skipped count as well.
    let mut archive = tar::Archive::new(from.take(2 * room));
    for entry in archive.entries().map_err(damaged)? {
        let entry = entry.map_err(damaged)?;
        let name = inside(&entry.path().map_err(damaged)?)?;
        let kind = entry.header().entry_type();
        if kind.is_dir() {
            continue;
        }
        if !kind.is_file() {
            return Err(BundleError(format!(
                "it holds `{name}`, a link or something else that is no file"
            )));
        }
        if files.len() >= MOST_FILES {
            return Err(BundleError(format!("it holds more than {MOST_FILES} files")));
        }
        let size = entry.size();
        let mut bytes = Vec::new();
        entry.take(room + 1).read_to_end(&mut bytes).map_err(damaged)?;
        room = room
            .checked_sub(bytes.len() as u64)
            .ok_or_else(|| BundleError("it is far larger unpacked than a bundle is".to_owned()))?;
        if bytes.len() as u64 != size {
            return Err(BundleError(format!(
                "`{name}` is cut off: {} of {size} bytes",
                bytes.len()
            )));
        }
        if files.insert(name.clone(), bytes).is_some() {
            return Err(BundleError(format!("it holds `{name}` twice")));
        }
    }
    let manifest = files.remove(MANIFEST).ok_or_else(|| {
        BundleError(format!("it has no `{MANIFEST}`: it is no bundle of `ablate bundle`"))
    })?;
    let manifest: Manifest = serde_json::from_slice(&manifest)
        .map_err(|error| BundleError(format!("`{MANIFEST}` is damaged: {error}")))?;
    if manifest.format != FORMAT {
        return Err(BundleError(format!(
            "it is of the format `{}`, this program reads `{FORMAT}`",
            manifest.format
        )));
    }
    Ok(Contents { manifest, files })
}

/// A name inside the bundle, with `/`.
fn inside(path: &Path) -> Result<String, BundleError> {
    let mut parts = Vec::new();
    for part in path.components() {
        match part {
            Component::Normal(part) => match part.to_str() {
                // What is no separator here may be one where it is unpacked.
                Some(text) if !text.contains(['\\', ':', '\0']) => parts.push(text.to_owned()),
                _ => {
                    return Err(BundleError(format!("it holds `{}`, an odd name", path.display())));
                }
            },
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                return Err(BundleError(format!(
                    "it holds `{}`, a name that leads out of its folder",
                    path.display()
                )));
            }
        }
    }
    Ok(parts.join("/"))
}

impl Contents {
    /// Name of the study.
    pub fn name(&self) -> &str {
        &self.manifest.name
    }

    /// Number of files.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Files that are not those of the list, in words.
    pub fn differences(&self) -> Vec<String> {
        let listed = &self.manifest.files;
        let mut wrong = Vec::new();
        for (name, wanted) in listed {
            match self.files.get(name) {
                None => wrong.push(format!("{name}: is not in the bundle")),
                Some(bytes) if blake3::hash(bytes).to_hex().as_str() != wanted => {
                    wrong.push(format!("{name}: its bytes are not those that were packed"));
                }
                Some(_) => {}
            }
        }
        let others = self.files.keys().filter(|name| !listed.contains_key(*name));
        wrong.extend(others.map(|name| format!("{name}: is not on the bundle's list")));
        wrong
    }

    /// The stages and their keys.
    ///
    /// # Errors
    /// Where they are missing or damaged.
    pub fn lock(&self) -> Result<Lock, BundleError> {
        let bytes = self.files.get("lock.json");
        let bytes = bytes.ok_or_else(|| BundleError("it has no `lock.json`".to_owned()))?;
        serde_json::from_slice(bytes)
            .map_err(|error| BundleError(format!("`lock.json` is damaged: {error}")))
    }

    /// Writes the report below a folder of our own, and says where it is.
    ///
    /// # Errors
    /// When the disk says no.
    pub fn unpack_report(&self, folder: &Path) -> io::Result<PathBuf> {
        for (name, bytes) in &self.files {
            if name.starts_with("report/") {
                let path = folder.join(name);
                fs::create_dir_all(path.parent().unwrap_or(folder))?;
                fs::write(&path, bytes)?;
            }
        }
        Ok(folder.join("report"))
    }
}

#[cfg(test)]
mod tests;
