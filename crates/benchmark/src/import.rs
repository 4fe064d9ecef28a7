//! Upstream files, checked once and kept.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::BenchmarkError;
use crate::definition::Definition;
use crate::files::Files;
use crate::record::{FileRead, Record, records};

/// One record per line.
pub(crate) const RECORDS: &str = "records.jsonl";
/// Where they come from.
pub(crate) const PROVENANCE: &str = "import.json";
/// The definition that they were read with.
pub(crate) const DEFINITION: &str = "definition.toml";

/// A benchmark that was imported.
#[derive(Clone, Debug)]
pub struct Imported {
    /// How it is asked.
    pub definition: Definition,
    /// Where it comes from.
    pub about: Provenance,
    /// All records, in upstream's order.
    pub records: Vec<Record>,
}

/// Where records come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// Name of the benchmark.
    pub name: String,
    /// What was imported: the name of the folder or archive.
    pub source: String,
    /// Version of the program.
    pub program: String,
    /// The blake3 of the definition that they were read with.
    pub definition: String,
    /// Whether the program brings the definition.
    pub shipped: bool,
    /// Records of each split.
    pub splits: BTreeMap<String, usize>,
    /// Number of subjects, 0 where there are none.
    pub subjects: usize,
    /// The blake3 of the records' file.
    pub records: String,
    /// Every file that was read.
    pub files: Vec<FileRead>,
}

/// Reads the files of a benchmark from a folder or an archive, checks them, and writes the records
/// with their provenance into a folder of its name in `to`, in place of what was there.
///
/// `text` is the text of the definition, and `shipped` says whether the program brings it.
///
/// # Errors
/// Files that are missing, every line that cannot be used, a folder that cannot be written.
pub fn import(
    definition: &Definition,
    (text, shipped): (&str, bool),
    from: &Path,
    to: &Path,
) -> Result<Provenance, BenchmarkError> {
    let files = Files::open(from)?;
    let (records, files) = records(definition, &files, from)?;
    let mut lines = Vec::new();
    let mut splits = BTreeMap::<String, usize>::new();
    let mut subjects = std::collections::BTreeSet::new();
    let folder = to.join(&definition.name);
    let io =
        |path: &Path, source| BenchmarkError::Io { doing: "write", path: path.to_owned(), source };
    for record in &records {
        serde_json::to_writer(&mut lines, record)
            .map_err(|error| io(&folder, std::io::Error::other(error)))?;
        lines.push(b'\n');
        *splits.entry(record.split.clone()).or_default() += 1;
        subjects.insert(&record.subject);
    }
    subjects.remove(&String::new());
    let about = Provenance {
        name: definition.name.clone(),
        source: std::path::absolute(from)
            .ok()
            .and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
            .unwrap_or_default(),
        program: env!("CARGO_PKG_VERSION").to_owned(),
        definition: definition.digest.clone(),
        shipped,
        splits,
        subjects: subjects.len(),
        records: blake3::hash(&lines).to_hex().to_string(),
        files,
    };
    let mut json = serde_json::to_string_pretty(&about)
        .map_err(|error| io(&folder, std::io::Error::other(error)))?;
    json.push('\n');
    // Beside, then renamed: what is there is whole.
    let beside = to.join(format!(".{}.{}", definition.name, std::process::id()));
    let write = |name: &str, content: &[u8]| {
        let path = beside.join(name);
        fs::write(&path, content).map_err(|error| io(&path, error))
    };
    fs::create_dir_all(&beside).map_err(|error| io(&beside, error))?;
    write(RECORDS, &lines)?;
    write(DEFINITION, text.as_bytes())?;
    write(PROVENANCE, json.as_bytes())?;
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|error| io(&folder, error))?;
    }
    fs::rename(&beside, &folder).map_err(|error| io(&folder, error))?;
    Ok(about)
}

impl Provenance {
    /// Of what was imported into a folder.
    ///
    /// # Errors
    /// A file that is missing or damaged.
    pub fn read(folder: &Path) -> Result<Self, BenchmarkError> {
        let path = folder.join(PROVENANCE);
        let bytes = read(&path)?;
        serde_json::from_slice(&bytes)
            .map_err(|error| BenchmarkError::Changed { path, problem: error.to_string() })
    }
}

impl Imported {
    /// Opens what was imported into a folder, asked as `definition` says.
    ///
    /// # Errors
    /// Files that are missing, or not what was imported.
    pub fn open(folder: &Path, definition: Definition) -> Result<Self, BenchmarkError> {
        let about = Provenance::read(folder)?;
        let path = folder.join(RECORDS);
        let bytes = read(&path)?;
        let changed = |problem: String| BenchmarkError::Changed { path: path.clone(), problem };
        if blake3::hash(&bytes).to_hex().to_string() != about.records {
            return Err(changed("its content is different".to_owned()));
        }
        let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let records = lines.map(serde_json::from_slice).collect::<Result<_, _>>();
        let records = records.map_err(|error| changed(error.to_string()))?;
        Ok(Self { definition, about, records })
    }
}

pub(crate) fn read(path: &Path) -> Result<Vec<u8>, BenchmarkError> {
    let path: PathBuf = path.to_owned();
    fs::read(&path).map_err(|source| BenchmarkError::Io { doing: "read", path, source })
}
