//! Parents that exist as files.

use std::path::{Path, PathBuf};

use crate::GivenParent;
use crate::layers::joined;
use crate::reporter::Reporter;
use crate::tree::{Entry, Table, Value};

/// Reads a table of `parents` with a path; it has nothing to be trained by.
pub(crate) fn read(
    entry: &Entry,
    own: &Table,
    folders: &[PathBuf],
    report: &mut Reporter,
) -> Option<GivenParent> {
    for other in own.entries.iter().filter(|other| other.key != "path") {
        let what = format!("parent `{}` exists, so that `{}` says nothing", entry.key, other.key);
        let why = "its files say what it is".to_owned();
        let help = Some("leave `path` alone, or train the parent without it".to_owned());
        report.error(&other.key_at, what, why, help);
    }
    let node = own.get("path")?;
    let Value::String(path) = &node.value else { return None };
    let folder = folders.get(node.at.source).map_or(Path::new(""), PathBuf::as_path);
    let path = joined(folder, path).to_string_lossy().into_owned();
    Some(GivenParent { name: entry.key.clone(), path })
}
