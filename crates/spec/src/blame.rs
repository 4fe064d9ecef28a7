//! Points errors about resolved values at the place where the value was written.

use std::path::{Path, PathBuf};

use crate::layers::joined;
use crate::reporter::Reporter;
use crate::tree::{At, Node, Table};

/// Where the values of one variant were written.
pub(crate) struct Blame<'a> {
    /// What the variant's own delta wrote.
    pub(crate) delta: &'a Table,
    /// Everything that was written for the variant, without defaults.
    pub(crate) written: &'a Table,
    /// The place of what was written nowhere.
    pub(crate) fallback: &'a At,
    /// "variant `x`", "parent `y`".
    pub(crate) who: String,
    /// Folders of the sources.
    pub(crate) folders: &'a [PathBuf],
    /// How many of the sources are files; the others are arguments.
    pub(crate) files: usize,
}

impl Blame<'_> {
    /// Reports an error about the values at these paths. It points at the first of them that
    /// the delta wrote and names the variant, else at the one of the uppermost layer, else at
    /// the innermost table that would hold the first path.
    pub(crate) fn error(
        &self,
        report: &mut Reporter,
        paths: &[&str],
        what: String,
        why: &str,
        help: Option<String>,
    ) {
        let find = |table: &Table| {
            let found = paths.iter().rev().filter_map(|path| Some(&table.at(path)?.at));
            found.max_by_key(|at| self.layer(at.source)).cloned()
        };
        match (find(self.delta), find(self.written)) {
            (Some(at), _) => report.error(&at, what, format!("{why}, in {}", self.who), help),
            (None, Some(at)) => report.error(&at, what, why.into(), help),
            (None, None) => {
                let at = paths.first().map_or(self.fallback.clone(), |path| self.table_of(path));
                report.error(&at, what, why.into(), help);
            }
        }
    }

    /// Arguments lie over the study file, which lies over the files that it extends.
    fn layer(&self, source: usize) -> usize {
        if source < self.files { self.files - source } else { source + 1 }
    }

    /// Reports that a required key is not there.
    pub(crate) fn missing(&self, report: &mut Reporter, path: &str, add: &str) {
        let (table, key) = path.rsplit_once('.').unwrap_or(("", path));
        let what = format!("[{table}] has no `{key}`");
        let why = format!("`{path}` is required");
        report.error(&self.table_of(path), what, why, Some(format!("add {add}")));
    }

    /// The innermost table that was written on the way to a path.
    fn table_of(&self, mut path: &str) -> At {
        while let Some((parent, _)) = path.rsplit_once('.') {
            if let Some(node) = self.written.at(parent) {
                return node.at.clone();
            }
            path = parent;
        }
        self.fallback.clone()
    }

    /// A path written at `node`, joined with the folder of the file that wrote it.
    pub(crate) fn path(&self, node: Option<&Node>, text: &str) -> String {
        let folder = node.and_then(|node| self.folders.get(node.at.source));
        joined(folder.map_or(Path::new(""), PathBuf::as_path), text).to_string_lossy().into_owned()
    }
}
