//! A study in one file: what it asked for, the keys of its results with their recipes, its rows, and all that
//! was rendered of them. No weights.
//!
//! ```text
//! NAME.bundle.tar.zst
//!   bundle.json     the format, the name, and the checksum of every other file
//!   lock.json       every stage: recipe, inputs, version, and the key that follows from these
//!   report/...      the report as it lies in `reports/NAME`
//!   study.toml      the study file, with what it extends
//! ```
//!
//! The same inputs give the same bytes: names are sorted, and no entry has a time or an owner.

mod lock;
mod open;
mod pack;

use std::path::Path;

pub use lock::Lock;
pub use open::open;
pub use pack::pack;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How names of bundles end.
pub const ENDING: &str = ".bundle.tar.zst";
/// Name of the list of all other files.
const MANIFEST: &str = "bundle.json";
/// What [`MANIFEST`] says it is.
const FORMAT: &str = "ablate bundle 1";

/// The list of a bundle's files.
#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    format: String,
    /// Name of the study's report.
    name: String,
    /// blake3 by name.
    files: BTreeMap<String, String>,
}

/// Why a bundle cannot be opened.
#[derive(Debug)]
pub struct BundleError(String);

impl std::fmt::Display for BundleError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BundleError {}

/// Whether a path is that of a bundle, and not of a study file.
pub fn is_bundle(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.ends_with(".tar.zst") || name.ends_with(".tzst")
}
