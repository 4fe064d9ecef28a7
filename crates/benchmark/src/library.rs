//! Which benchmarks there are: those that the program brings, the user's, and what was imported.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ablate_suggestion::{closest, quoted};

use crate::BenchmarkError;
use crate::definition::Definition;
use crate::import::{DEFINITION, Imported, Provenance, read};

macro_rules! shipped {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../../../data/benchmarks/", $name, ".toml")))),*]
    };
}

/// Name and text of every definition that the program brings.
pub const SHIPPED: [(&str, &str); 18] = shipped![
    "agieval",
    "arc_challenge",
    "arc_easy",
    "ax_b",
    "blimp",
    "boolq",
    "c3",
    "ceval",
    "cmmlu",
    "eprstmt",
    "hellaswag",
    "lambada",
    "mmlu",
    "openbookqa",
    "piqa",
    "sciq",
    "winogrande",
    "xsum",
];

/// The folders of a project that have to do with benchmarks.
#[derive(Clone, Debug)]
pub struct Library {
    definitions: PathBuf,
    imported: PathBuf,
}

/// A definition with its text.
#[derive(Clone, Debug)]
pub struct Described {
    /// The definition.
    pub definition: Definition,
    /// Its text.
    pub text: String,
    /// Whether the program brings it.
    pub shipped: bool,
}

impl Library {
    /// The user's definitions are `*.toml` in one folder, imports are folders in another; neither
    /// needs to be there.
    pub fn new(definitions: impl Into<PathBuf>, imported: impl Into<PathBuf>) -> Self {
        Self { definitions: definitions.into(), imported: imported.into() }
    }

    /// Where the user's definitions lie.
    pub fn definitions(&self) -> &Path {
        &self.definitions
    }

    /// Where imports lie.
    pub fn imported(&self) -> &Path {
        &self.imported
    }

    /// Names of all definitions: the program's, the user's, and those that were imported with.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = SHIPPED.iter().map(|(name, _)| (*name).to_owned()).collect();
        for (folder, file) in [(&self.definitions, None), (&self.imported, Some(DEFINITION))] {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = entry.path();
                let there = match file {
                    Some(file) => path.join(file).is_file(),
                    None => path.extension().is_some_and(|extension| extension == "toml"),
                };
                let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
                names.extend(stem.filter(|stem| there && !stem.starts_with('.')));
            }
        }
        names.sort();
        names.dedup();
        names
    }

    /// The definition of a name, or of a file `*.toml`. A file of the user's goes before the
    /// program's of the same name.
    ///
    /// # Errors
    /// A name that there is not, and a definition that is wrong.
    pub fn definition(&self, name: &str) -> Result<Described, BenchmarkError> {
        let own = self.definitions.join(format!("{name}.toml"));
        let kept = self.imported.join(name).join(DEFINITION);
        let shipped = SHIPPED.iter().find(|(known, _)| *known == name).map(|(_, text)| *text);
        let path = if name.ends_with(".toml") {
            Some(PathBuf::from(name))
        } else if own.is_file() {
            Some(own)
        } else if shipped.is_none() && kept.is_file() {
            Some(kept)
        } else {
            None
        };
        let (text, origin) = match (path, shipped) {
            (Some(path), _) => {
                let bytes = read(&path)?;
                let text =
                    String::from_utf8(bytes).map_err(|error| BenchmarkError::Definition {
                        origin: path.display().to_string(),
                        line: 1,
                        key: "name".to_owned(),
                        problem: format!("the file is not UTF-8: {error}"),
                    })?;
                (text, path.display().to_string())
            }
            (None, Some(text)) => (text.to_owned(), format!("{name}.toml")),
            (None, None) => return Err(self.unknown(name)),
        };
        let definition = Definition::parse(&text, &origin)?;
        let shipped = shipped.is_some_and(|shipped| shipped == text);
        Ok(Described { definition, text, shipped })
    }

    /// What is wrong with a name.
    fn unknown(&self, name: &str) -> BenchmarkError {
        let names = self.names();
        let help = match closest(name, names.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are {}; your own are files `*.toml`", quoted(&names)),
        };
        BenchmarkError::Unknown { name: name.to_owned(), help }
    }

    /// Everything that was imported, by name; what cannot be read is left out.
    pub fn imports(&self) -> BTreeMap<String, Provenance> {
        let entries = std::fs::read_dir(&self.imported).into_iter().flatten().flatten();
        let read = entries.filter_map(|entry| Provenance::read(&entry.path()).ok());
        read.map(|about| (about.name.clone(), about)).collect()
    }

    /// Whether anything was imported of a benchmark.
    pub fn is_imported(&self, name: &str) -> bool {
        self.imported.join(name).is_dir()
    }

    /// What was imported of a benchmark.
    ///
    /// # Errors
    /// A name that there is not, files that were not imported or have changed since.
    pub fn open(&self, name: &str) -> Result<Imported, BenchmarkError> {
        let described = self.definition(name)?;
        let name = described.definition.name.clone();
        let folder = self.imported.join(&name);
        if !folder.is_dir() {
            let place = self.imported.clone();
            return Err(BenchmarkError::NotImported { name, place });
        }
        Imported::open(&folder, described.definition)
    }
}
