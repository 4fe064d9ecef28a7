//! Why a benchmark cannot be used.

use std::fmt::Write;
use std::path::PathBuf;

/// Problems that are shown before the rest is only counted.
const SHOWN: usize = 10;

/// A line of an upstream file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file, as it is called in the folder or archive.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: String,
}

/// Why a benchmark cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BenchmarkError {
    /// A definition is wrong.
    #[error("{origin}:{line}: `{key}`: {problem}")]
    Definition {
        /// The file of the definition.
        origin: String,
        /// Line, from 1.
        line: usize,
        /// The key that is wrong.
        key: String,
        /// What is wrong.
        problem: String,
    },
    /// No such benchmark.
    #[error("there is no benchmark `{name}`; {help}")]
    Unknown {
        /// The name.
        name: String,
        /// What was meant, or what there is.
        help: String,
    },
    /// A file or folder cannot be read or written.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// An archive that cannot be read, or that must not be.
    #[error("{} cannot be unpacked: {problem}", path.display())]
    Archive {
        /// The archive.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// None of the files that a definition names is there.
    #[error("{} holds no {} of `{benchmark}`{help}", place.display(), patterns.join(" or "))]
    NoFiles {
        /// Name of the benchmark.
        benchmark: String,
        /// The folder or archive.
        place: PathBuf,
        /// What was looked for.
        patterns: Vec<String>,
        /// What to do.
        help: String,
    },
    /// The same file lies in several folders.
    #[error(
        "`{pattern}` of `{benchmark}` is in several folders, {}; give the one that is meant",
        folders.join(" and ")
    )]
    Ambiguous {
        /// Name of the benchmark.
        benchmark: String,
        /// The file.
        pattern: String,
        /// The folders.
        folders: Vec<String>,
    },
    /// Lines cannot be used; all are named.
    #[error("{} of `{benchmark}` cannot be used:{}", count(problems.len()), list(problems))]
    Lines {
        /// Name of the benchmark.
        benchmark: String,
        /// Every line that is wrong.
        problems: Vec<Problem>,
    },
    /// A benchmark that was not imported.
    #[error(
        "`{name}` is not imported into {}; get its files and say `ablate data import {name} PATH`",
        place.display()
    )]
    NotImported {
        /// The name.
        name: String,
        /// Where it was looked for.
        place: PathBuf,
    },
    /// What was imported has been changed.
    #[error("{} is not what was imported: {problem}; import it again", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
        /// What is different.
        problem: String,
    },
    /// An item that cannot be asked as it was wanted.
    #[error("`{benchmark}` cannot be asked like this: {problem}")]
    Ask {
        /// Name of the benchmark.
        benchmark: String,
        /// What is wrong.
        problem: String,
    },
}

fn count(lines: usize) -> String {
    if lines == 1 { "one line".to_owned() } else { format!("{lines} lines") }
}

fn list(problems: &[Problem]) -> String {
    let mut text = String::new();
    for Problem { file, line, what } in problems.iter().take(SHOWN) {
        // Writing to a string cannot fail.
        let _ = write!(text, "\n  {file}, line {line}: {what}");
    }
    if problems.len() > SHOWN {
        let _ = write!(text, "\n  and {} more", problems.len() - SHOWN);
    }
    text
}
