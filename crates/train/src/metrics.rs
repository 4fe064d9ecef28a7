//! Cutting a file of records back to a checkpoint.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use serde::Deserialize;

#[derive(Deserialize)]
struct Stepped {
    step: u64,
}

/// Drops from a file of JSON lines, each an object with a `step`, the lines whose step is after
/// `resumed` (all of them for `None`), and from the first line that is not such an object on: what
/// a killed run half wrote. A missing file stays missing. The file is replaced as a whole.
///
/// # Errors
/// When the file cannot be read or replaced.
pub fn truncate_metrics(path: &Path, resumed: Option<u64>) -> io::Result<()> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let mut kept = Vec::new();
    // A last line without its end was cut short, even where it happens to parse.
    for line in bytes.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n")) {
        let Ok(record) = serde_json::from_slice::<Stepped>(line) else { break };
        if resumed.is_some_and(|step| record.step <= step) {
            kept.extend_from_slice(line);
        }
    }
    if kept == bytes {
        return Ok(());
    }
    let mut name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?.to_owned();
    name.push(".tmp");
    let temporary = path.with_file_name(name);
    let mut file = File::create(&temporary)?;
    file.write_all(&kept)?;
    file.sync_all()?;
    fs::rename(&temporary, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, resumed: Option<u64>, expect: &str) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        fs::write(&path, text).unwrap();
        truncate_metrics(&path, resumed).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), expect);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn keeps_what_the_checkpoint_has_seen() {
        let lines = "{\"step\":0,\"loss\":3}\n{\"step\":1}\n{\"step\":2}\n{\"step\":2,\"x\":1}\n";
        check(lines, Some(1), "{\"step\":0,\"loss\":3}\n{\"step\":1}\n");
        check(lines, Some(2), lines);
        check(lines, Some(9), lines);
        check(lines, None, "");
    }

    #[test]
    fn drops_what_was_half_written() {
        check("{\"step\":1}\n{\"step\":2", Some(2), "{\"step\":1}\n");
        check("{\"step\":1}\n{\"step\":2}", Some(2), "{\"step\":1}\n");
        check("{\"step\":1}\n\0\0\0\n{\"step\":2}\n", Some(2), "{\"step\":1}\n");
    }

    #[test]
    fn a_missing_file_is_fine() {
        let folder = tempfile::tempdir().unwrap();
        truncate_metrics(&folder.path().join("none.jsonl"), Some(3)).unwrap();
    }
}
