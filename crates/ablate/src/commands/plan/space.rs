//! Free space of a disk.

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Bytes that may still be written where a folder is, or will be. `None` when the system does
/// not say.
pub fn free(folder: &Path) -> Option<u64> {
    let absolute = std::path::absolute(folder).ok()?;
    let there = absolute.ancestors().find(|folder| folder.exists())?;
    let path = CString::new(there.as_os_str().as_bytes()).ok()?;
    // SAFETY: all bytes zero is a valid `statvfs`, and the call fills in what it is given.
    let stat = unsafe {
        let mut stat: libc::statvfs = std::mem::zeroed();
        (libc::statvfs(path.as_ptr(), &raw mut stat) == 0).then_some(stat)
    }?;
    #[allow(clippy::unnecessary_cast, reason = "the fields are narrower on other systems")]
    Some((stat.f_bavail as u64).saturating_mul(stat.f_frsize as u64))
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
