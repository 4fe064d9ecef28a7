//! Glob patterns to files.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::CorpusError;

/// Files that `patterns` name, relative to `base`: patterns in the order given, the matches of
/// each sorted, every file once. A pattern that is the path of a file stands for that file,
/// whatever signs are in its name.
///
/// # Errors
/// A pattern that cannot be parsed or matches no file; a folder that cannot be read.
pub fn expand(patterns: &[String], base: &Path) -> Result<Vec<PathBuf>, CorpusError> {
    if patterns.is_empty() {
        return Err(CorpusError::NoPaths);
    }
    let mut seen = BTreeSet::new();
    let mut files = Vec::new();
    for pattern in patterns {
        for file in matches(pattern, base)? {
            if seen.insert(file.clone()) {
                files.push(file);
            }
        }
    }
    Ok(files)
}

fn matches(pattern: &str, base: &Path) -> Result<Vec<PathBuf>, CorpusError> {
    let literal = base.join(pattern);
    if literal.is_file() {
        return Ok(vec![literal]);
    }
    let full = if Path::new(pattern).is_absolute() {
        pattern.to_owned()
    } else {
        // The base may hold signs that mean something in a pattern.
        let base = glob::Pattern::escape(&base.to_string_lossy());
        if base.is_empty() { pattern.to_owned() } else { format!("{base}/{pattern}") }
    };
    let paths = glob::glob(&full).map_err(|error| CorpusError::BadPattern {
        pattern: pattern.to_owned(),
        reason: error.msg.to_owned(),
    })?;
    let mut files = Vec::new();
    for path in paths {
        let path = path.map_err(|error| CorpusError::Io {
            path: error.path().to_owned(),
            source: error.into(),
        })?;
        if path.is_file() {
            files.push(path);
        }
    }
    if files.is_empty() {
        return Err(CorpusError::NoMatch {
            pattern: pattern.to_owned(),
            directory: base.to_owned(),
        });
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "text").unwrap();
        }
        folder
    }

    fn check(patterns: &[&str], base: &Path, expected: &[&str]) {
        let patterns: Vec<String> = patterns.iter().map(|p| (*p).to_owned()).collect();
        let expected: Vec<PathBuf> = expected.iter().map(|p| base.join(p)).collect();
        assert_eq!(expand(&patterns, base).unwrap(), expected, "{patterns:?}");
    }

    #[test]
    fn matches_are_sorted_and_unique() {
        let folder = folder(&["b.txt", "a.txt", "c.jsonl", "deep/d.txt", "odd[1].txt"]);
        let base = folder.path();
        check(&["[ab].txt"], base, &["a.txt", "b.txt"]);
        check(&["b.txt", "?.txt"], base, &["b.txt", "a.txt"]);
        check(&["**/d.txt", "c.*"], base, &["deep/d.txt", "c.jsonl"]);
        check(&["odd[1].txt"], base, &["odd[1].txt"]);
        check(&["d*"], &base.join("deep"), &["d.txt"]);
        let absolute = format!("{}/deep/*", base.display());
        assert_eq!(expand(&[absolute], Path::new("elsewhere")).unwrap(), [base.join("deep/d.txt")]);
    }

    #[test]
    fn a_base_with_signs_of_a_pattern() {
        let folder = folder(&["set [a]/x.txt"]);
        check(&["*.txt"], &folder.path().join("set [a]"), &["x.txt"]);
    }

    #[test]
    fn a_pattern_without_files_names_itself_and_the_folder() {
        let folder = folder(&["a.txt", "sub/b.txt"]);
        // A folder is no file.
        for pattern in ["*.json", "missing.txt", "su?"] {
            let error = expand(&[pattern.to_owned()], folder.path()).unwrap_err().to_string();
            let place = folder.path().display();
            assert!(
                error.starts_with(&format!("no file matches `{pattern}` in {place}")),
                "{error}"
            );
        }
        assert!(matches!(expand(&[], folder.path()), Err(CorpusError::NoPaths)));
        let bad = expand(&["a[".to_owned()], folder.path()).unwrap_err();
        assert!(matches!(bad, CorpusError::BadPattern { .. }), "{bad}");
    }
}
