//! Files of a folder or an archive, all in memory.
//!
//! An archive is never unpacked to the disk: its files are read where they are. Names that lead out
//! of a folder, links, and archives that are too large are refused before their content is kept.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::{Component, Path, PathBuf};

use crate::BenchmarkError;

/// Bytes of all files of an archive together, unpacked.
const MOST_BYTES: u64 = 4 << 30;
/// Files of an archive, and of a folder.
const MOST_FILES: usize = 200_000;
/// How many times its own size an archive may become (text and JSON reach 20).
const MOST_GROWTH: u64 = 200;
/// KiB that a decoder of xz may take; its own strongest setting takes 65 MiB.
const MOST_DICTIONARY: u32 = 128 << 10;

const TOO_LARGE: &str = "it is far larger unpacked than a benchmark is";

/// Names (with `/`, relative to the folder or archive) of files, and what is in those that are wanted.
#[derive(Debug, Default)]
pub(crate) struct Files {
    names: Vec<String>,
    source: Source,
}

#[derive(Debug, Default)]
enum Source {
    #[default]
    Nothing,
    Folder(PathBuf),
    Archive(BTreeMap<String, Vec<u8>>),
}

impl Files {
    /// All files of a folder or of an archive (`.tar`, `.tar.gz`, `.tgz`, `.tar.xz`, `.zip`), or one
    /// file by itself.
    ///
    /// # Errors
    /// What cannot be read, and archives that are refused.
    pub(crate) fn open(path: &Path) -> Result<Self, BenchmarkError> {
        let io = |source| BenchmarkError::Io { doing: "read", path: path.to_owned(), source };
        let about = std::fs::metadata(path).map_err(io)?;
        if about.is_dir() {
            let mut names = Vec::new();
            walk(path, String::new(), &mut names)?;
            names.sort();
            return Ok(Self { names, source: Source::Folder(path.to_owned()) });
        }
        let file_name = path.file_name().map(|name| name.to_string_lossy().to_lowercase());
        let name = file_name.unwrap_or_default();
        let file = BufReader::new(File::open(path).map_err(io)?);
        let limit = about.len().saturating_mul(MOST_GROWTH).clamp(1 << 20, MOST_BYTES);
        let found = if name.ends_with(".tar") {
            tar(file, limit)
        } else if name.ends_with(".tar.gz") || name.ends_with(".tgz") {
            tar(flate2::read::MultiGzDecoder::new(file), limit)
        } else if name.ends_with(".tar.xz") || name.ends_with(".txz") {
            tar(lzma_rust2::XzReader::new_mem_limit(file, true, MOST_DICTIONARY), limit)
        } else if name.ends_with(".zip") {
            zip(file, limit)
        } else {
            let folder = path.parent().unwrap_or(Path::new("")).to_owned();
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
            return Ok(Self { names: name.into_iter().collect(), source: Source::Folder(folder) });
        };
        let files =
            found.map_err(|problem| BenchmarkError::Archive { path: path.to_owned(), problem })?;
        Ok(Self { names: files.keys().cloned().collect(), source: Source::Archive(files) })
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// The content of one of the files.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn read(&self, name: &str) -> Result<Vec<u8>, BenchmarkError> {
        let path = match &self.source {
            Source::Folder(folder) => folder.join(name),
            Source::Archive(files) => match files.get(name) {
                Some(bytes) => return Ok(bytes.clone()),
                None => PathBuf::from(name),
            },
            Source::Nothing => PathBuf::from(name),
        };
        std::fs::read(&path).map_err(|source| BenchmarkError::Io { doing: "read", path, source })
    }
}

/// Files of a folder and the folders in it; links to folders are not followed.
fn walk(folder: &Path, prefix: String, names: &mut Vec<String>) -> Result<(), BenchmarkError> {
    let io = |source| BenchmarkError::Io { doing: "read", path: folder.to_owned(), source };
    for entry in std::fs::read_dir(folder).map_err(io)? {
        let entry = entry.map_err(io)?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type().map_err(io)?;
        if kind.is_dir() {
            walk(&entry.path(), name + "/", names)?;
        } else if names.len() >= MOST_FILES {
            let problem = format!("it holds more than {MOST_FILES} files");
            return Err(BenchmarkError::Archive { path: folder.to_owned(), problem });
        } else {
            names.push(name);
        }
    }
    Ok(())
}

/// A name inside the archive, or why it is refused.
fn inside(path: &Path) -> Result<String, String> {
    let mut parts = Vec::new();
    for part in path.components() {
        match part {
            Component::Normal(part) => parts.push(part.to_string_lossy().into_owned()),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                return Err(format!(
                    "it holds `{}`, a name that leads out of its folder",
                    path.display()
                ));
            }
        }
    }
    Ok(parts.join("/"))
}

/// Reads what an archive says is one file, but no more than is left of `room`.
fn content(from: impl Read, name: &str, room: &mut u64) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    from.take(*room + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("`{name}` is damaged or cut off: {error}"))?;
    match room.checked_sub(bytes.len() as u64) {
        Some(left) => *room = left,
        None => return Err(TOO_LARGE.to_owned()),
    }
    Ok(bytes)
}

type Contents = BTreeMap<String, Vec<u8>>;

fn tar(from: impl Read, mut room: u64) -> Result<Contents, String> {
    let mut files = Contents::new();
    // Long names and what is skipped count as well: they are read before anybody can look at them.
    let mut archive = tar::Archive::new(from.take(2 * room));
    let damaged = |error: std::io::Error| format!("it is damaged or cut off: {error}");
    for entry in archive.entries().map_err(damaged)? {
        let entry = entry.map_err(damaged)?;
        let path = entry.path().map_err(damaged)?.into_owned();
        let name = inside(&path)?;
        let kind = entry.header().entry_type();
        if kind.is_symlink() || kind.is_hard_link() {
            return Err(format!("it holds `{name}`, a link"));
        }
        if !kind.is_file() {
            continue;
        }
        let size = entry.size();
        keep(&mut files, (name, size), entry, &mut room)?;
    }
    // To the end, where what it was packed with has its checksum.
    let mut rest = archive.into_inner();
    std::io::copy(&mut rest, &mut std::io::sink()).map_err(damaged)?;
    match rest.limit() {
        0 => Err(TOO_LARGE.to_owned()),
        _ => Ok(files),
    }
}

fn zip(from: impl Read + Seek, mut room: u64) -> Result<Contents, String> {
    let damaged = |error: zip::result::ZipError| format!("it is damaged or cut off: {error}");
    let mut files = Contents::new();
    let mut archive = zip::ZipArchive::new(from).map_err(damaged)?;
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(damaged)?;
        let name = entry.name().map_err(damaged)?.replace('\\', "/");
        let name = inside(Path::new(&name))?;
        if entry.is_symlink() {
            return Err(format!("it holds `{name}`, a link"));
        }
        if !entry.is_file() {
            continue;
        }
        let size = entry.size();
        keep(&mut files, (name, size), entry, &mut room)?;
    }
    Ok(files)
}

/// Adds a file of `size` bytes.
fn keep(
    files: &mut Contents,
    (name, size): (String, u64),
    from: impl Read,
    room: &mut u64,
) -> Result<(), String> {
    if files.len() >= MOST_FILES {
        return Err(format!("it holds more than {MOST_FILES} files"));
    }
    let bytes = content(from, &name, room)?;
    if bytes.len() as u64 != size {
        return Err(format!("`{name}` is damaged or cut off: {} of {size} bytes", bytes.len()));
    }
    if files.insert(name.clone(), bytes).is_some() {
        return Err(format!("it holds `{name}` twice"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
