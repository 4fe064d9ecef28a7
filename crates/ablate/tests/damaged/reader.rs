//! Something that is read, with a file that is as it should be.

use std::path::Path;

/// A reader of files that others write.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader {
    pub(crate) name: &'static str,
    /// Whether neither a part of a file nor arbitrary bytes can pass for a file.
    pub(crate) closed: bool,
    /// A file that is as it should be.
    pub(crate) whole: fn() -> Vec<u8>,
    /// Reads a file with these bytes and uses what it says; the folder is the reader's own.
    pub(crate) read: fn(&[u8], &Path) -> Result<(), String>,
}

/// Writes a file into the folder unless it is there.
pub(crate) fn lay(folder: &Path, name: &str, bytes: &[u8]) {
    let path = folder.join(name);
    if !path.exists() {
        put(folder, name, bytes);
    }
}

/// Writes a file into the folder.
pub(crate) fn put(folder: &Path, name: &str, bytes: &[u8]) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}
