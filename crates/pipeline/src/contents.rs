//! Everything that lies in a store, whoever put it there.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::acceptance::Accepted;
use crate::artifact::Artifact;
use crate::lease::Lease;
use crate::owner::token;
use crate::store::{Store, StoreError, attempt, difference, quarantine, valid_record, with_suffix};

/// What an entry of a store is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A finished result.
    Result,
    /// An interrupted attempt.
    Attempt,
    /// Why an attempt failed.
    Failure,
    /// A result that was not what was made, set aside.
    Corrupt,
    /// What a worker wrote to standard error.
    Log,
    /// What could be followed while a result was made.
    Live,
    /// What somebody said may stand for what; not among [`Store::contents`].
    Acceptance,
    /// A lease of an owner that is gone, or what is left of a removal.
    Rest,
}

impl Kind {
    /// One word for tables.
    pub fn word(self) -> &'static str {
        match self {
            Self::Result => "result",
            Self::Attempt => "attempt",
            Self::Failure => "failure",
            Self::Corrupt => "corrupt",
            Self::Log => "log",
            Self::Live => "live",
            Self::Acceptance => "accepted",
            Self::Rest => "rest",
        }
    }
}

/// An entry of a store.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Where it is.
    pub path: PathBuf,
    /// What it is.
    pub kind: Kind,
    /// Bytes that it takes.
    pub bytes: u64,
    /// The first digits of the key of the result that it belongs to.
    pub short: String,
    /// Whether somebody may be at work on that result.
    pub in_use: bool,
}

impl Entry {
    /// Name below the store.
    pub fn name(&self) -> String {
        let stage = self.path.parent().and_then(Path::file_name).unwrap_or_default();
        let name = self.path.file_name().unwrap_or_default();
        format!("{}/{}", stage.to_string_lossy(), name.to_string_lossy())
    }

    /// Removes it: renamed first, so that no half of a result is ever seen. What is gone already, or was
    /// renamed by its owner, is nothing to remove.
    ///
    /// # Errors
    /// When the disk says no.
    pub fn remove(&self) -> Result<(), StoreError> {
        if !self.path.exists() {
            return Ok(());
        }
        if self.path.is_dir() {
            let aside = self.path.with_file_name(format!(".trash-{}", token()));
            attempt("remove", &self.path, fs::rename(&self.path, &aside))?;
            attempt("remove", &aside, fs::remove_dir_all(&aside))
        } else {
            attempt("remove", &self.path, fs::remove_file(&self.path))
        }
    }

    /// Compares a result with its record. Returns what differs.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn difference(&self) -> Result<Option<String>, StoreError> {
        difference(&self.path)
    }

    /// Moves a result that differs from its record out of the way.
    ///
    /// # Errors
    /// When it cannot be read or moved.
    pub fn quarantine(&self) -> Result<Option<String>, StoreError> {
        quarantine(&self.path)
    }
}

impl Accepted {
    /// Its file, as an entry of the store; nothing where it cannot be believed.
    pub fn entry(&self) -> Option<Entry> {
        let record = self.record.as_ref().ok()?;
        let bytes = fs::metadata(&self.path).map_or(0, |about| about.len());
        let short = record.new.key.short().to_owned();
        Some(Entry { path: self.path.clone(), kind: Kind::Acceptance, bytes, short, in_use: false })
    }
}

impl Store {
    /// Everything that belongs to results, by name. Other files (measured speeds) are not listed.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub fn contents(&self) -> Result<Vec<Entry>, StoreError> {
        let mut entries = Vec::new();
        for stage in children(self.root())? {
            if !stage.is_dir() {
                continue;
            }
            let logs = stage.file_name().is_some_and(|name| name == "logs");
            let live = stage.file_name().is_some_and(|name| name == "live");
            for path in children(&stage)? {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let Some(short) = short_key(&name) else {
                    if name.starts_with(".trash-") {
                        entries.push(entry(path, Kind::Rest, String::new(), false)?);
                    }
                    continue;
                };
                let end = name.rfind(short).map_or(0, |at| at + short.len());
                let result = match name[..end].split_once('-') {
                    Some((of, name)) if live => self.root().join(of).join(name),
                    _ => path.with_file_name(&name[..end]),
                };
                let in_use = !logs && Lease::holder(&with_suffix(&result, ".lease")).is_some();
                let kind = match &name[end..] {
                    ".log" if logs => Kind::Log,
                    "" if live => Kind::Live,
                    "" => match Artifact::read(&path) {
                        Ok(None) => Kind::Rest,
                        _ => Kind::Result,
                    },
                    ".failed" => Kind::Failure,
                    rest if rest.starts_with(".partial") => Kind::Attempt,
                    rest if rest.starts_with(".corrupt") => Kind::Corrupt,
                    ".lease" if in_use => continue,
                    rest if rest == ".lease" || rest.starts_with(".stale-") => Kind::Rest,
                    _ => continue,
                };
                entries.push(entry(path, kind, short.to_owned(), in_use)?);
            }
        }
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(entries)
    }

    /// Finished results of a stage whose keys begin with these digits.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub fn find(&self, stage: &str, digits: &str) -> Result<Vec<(PathBuf, Artifact)>, StoreError> {
        let short = digits.get(..12).unwrap_or(digits);
        let mut found = Vec::new();
        for path in children(&self.root().join(stage))? {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let same = name.rsplit_once('-').is_some_and(|(_, key)| {
                // Longer ends are those of attempts and failures.
                key.len() == 12 && key.starts_with(short)
            });
            if !same {
                continue;
            }
            if let Some(artifact) = attempt("read", &path, valid_record(&path))?
                && artifact.key.as_str().starts_with(digits)
            {
                found.push((path, artifact));
            }
        }
        found.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(found)
    }
}

fn entry(path: PathBuf, kind: Kind, short: String, in_use: bool) -> Result<Entry, StoreError> {
    let bytes = attempt("read", &path, size(&path))?;
    Ok(Entry { path, kind, bytes, short, in_use })
}

/// The twelve digits of a key at the end of a name, before any suffix.
fn short_key(name: &str) -> Option<&str> {
    let hex = |text: &str| {
        text.len() == 12 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    };
    let mut found = None;
    for (at, _) in name.match_indices('-') {
        let Some(digits) = name.get(at + 1..at + 13) else { break };
        let rest = &name[at + 13..];
        if hex(digits) && (rest.is_empty() || rest.starts_with('.')) {
            found = Some(digits);
            break;
        }
    }
    found
}

fn children(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => attempt("read", folder, entries)?,
    };
    Ok(entries.flatten().map(|entry| entry.path()).collect())
}

/// Bytes of all files; what goes away in the meantime counts nothing.
fn size(path: &Path) -> io::Result<u64> {
    let metadata = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        metadata => metadata?,
    };
    if !metadata.is_dir() {
        return Ok(metadata.len());
    }
    let mut sum = 0;
    let entries = match fs::read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        entries => entries?,
    };
    for entry in entries {
        sum += size(&entry?.path())?;
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_in_names() {
        assert_eq!(short_key("v300-l1-0123456789ab"), Some("0123456789ab"));
        assert_eq!(short_key("a.b-0123456789ab.partial"), Some("0123456789ab"));
        assert_eq!(short_key("train-x-0123456789ab.log"), Some("0123456789ab"));
        assert_eq!(short_key("abcdef012345-0123456789ab.corrupt-1"), Some("0123456789ab"));
        assert_eq!(short_key("threads.json"), None);
        assert_eq!(short_key("x-0123456789abc"), None);
    }

    #[test]
    fn everything_is_listed_as_what_it_is() {
        let root = tempfile::tempdir().unwrap();
        let key = "0123456789ab";
        let place = |name: &str| root.path().join("train").join(name);
        fs::create_dir_all(place("x")).unwrap();
        for name in ["", ".partial", ".corrupt", ".corrupt-1"] {
            let folder = place(&format!("a-{key}{name}"));
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("file"), "12345").unwrap();
        }
        for name in [".lease", ".failed"] {
            fs::write(place(&format!("b-{key}{name}")), "{}").unwrap();
        }
        fs::create_dir_all(root.path().join("logs")).unwrap();
        fs::write(root.path().join(format!("logs/train-a-{key}.log")), "").unwrap();
        let live = root.path().join(format!("live/train-b-{key}"));
        fs::create_dir_all(&live).unwrap();
        fs::write(live.join("metrics.jsonl"), "{}\n").unwrap();
        fs::write(root.path().join("threads.json"), "").unwrap();
        let found = Store::new(root.path()).contents().unwrap();
        let kinds: Vec<_> = found.iter().map(|e| (e.name(), e.kind, e.bytes)).collect();
        let name = |rest: &str| format!("train/{rest}");
        assert_eq!(
            kinds,
            [
                (format!("live/train-b-{key}"), Kind::Live, 3),
                (format!("logs/train-a-{key}.log"), Kind::Log, 0),
                // A folder without a record.
                (name(&format!("a-{key}")), Kind::Rest, 5),
                (name(&format!("a-{key}.corrupt")), Kind::Corrupt, 5),
                (name(&format!("a-{key}.corrupt-1")), Kind::Corrupt, 5),
                (name(&format!("a-{key}.partial")), Kind::Attempt, 5),
                (name(&format!("b-{key}.failed")), Kind::Failure, 2),
            ],
            "a lease without an owner may be somebody's"
        );
        // The lease of `b` is that of what is followed as well.
        for kind in [Kind::Failure, Kind::Live] {
            assert!(found.iter().any(|entry| entry.in_use && entry.kind == kind));
        }
        for entry in &found {
            entry.remove().unwrap();
        }
        assert_eq!(Store::new(root.path()).contents().unwrap().len(), 0);
    }
}
