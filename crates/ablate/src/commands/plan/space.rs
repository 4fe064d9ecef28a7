//! Free space of a disk.

use std::path::Path;

use ablate_pipeline::free_space;

/// Bytes that may still be written where a folder is, or will be. `None` when the system does
/// not say.
pub fn free(folder: &Path) -> Option<u64> {
    let absolute = std::path::absolute(folder).ok()?;
    free_space(absolute.ancestors().find(|folder| folder.exists())?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_not_there_yet_has_the_space_of_its_parent() {
        let folder = tempfile::tempdir().unwrap();
        assert!(free(&folder.path().join("data").join("store")).unwrap() > 0);
    }
}
