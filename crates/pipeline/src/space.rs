//! Room on a disk, looked at before a stage writes.

use std::ffi::CString;
use std::fs;
use std::io;
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::cause::Cause;
use crate::protocol::{Failure, FailureKind};

/// Bytes that an ordinary user may still write on the disk of an existing path.
///
/// # Errors
/// When the system does not say.
pub fn free_space(path: &Path) -> io::Result<u64> {
    let name = CString::new(path.as_os_str().as_bytes())?;
    let mut found = MaybeUninit::<libc::statvfs>::uninit();
    // SAFETY: the name ends with a zero and the structure is as large as the call expects.
    if unsafe { libc::statvfs(name.as_ptr(), found.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call has succeeded, so the structure is filled in.
    let found = unsafe { found.assume_init() };
    #[allow(clippy::unnecessary_cast, reason = "the types differ between systems")]
    let free = (found.f_bavail as u64).saturating_mul(found.f_frsize as u64);
    Ok(free)
}

/// Why a stage that is expected to write `needed` bytes into `folder` will not fit there; what an
/// attempt before it has left in the folder needs no room any more. A disk that does not say how much
/// is free is written to.
pub(crate) fn shortage(
    needed: u64,
    folder: &Path,
    free: impl Fn(&Path) -> io::Result<u64>,
) -> Option<Failure> {
    let free = free(folder).ok()?;
    // Walking the folder only pays when it matters.
    let more = (needed > free).then(|| needed.saturating_sub(size(folder)))?;
    (more > free).then(|| {
        let message = format!(
            "the disk of `{}` has no room: this stage is expected to write {}, {} are free; free \
             some space (`ablate gc` lists what no study needs), or choose another disk with \
             `--root DIR`, and run the same command again",
            folder.display(),
            in_words(more),
            in_words(free)
        );
        let failure = Failure::new(FailureKind::Machine, message);
        Failure { cause: Some(Cause::DiskFull), ..failure }
    })
}

/// Bytes of all files below a folder.
fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => size(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}

/// Bytes for people, in decimal units.
pub(crate) fn in_words(bytes: u64) -> String {
    let units = [(1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")];
    let bytes = bytes as f64;
    match units.iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => format!("{:.1} {name}", bytes / unit),
        None => format!("{bytes} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_fits_or_says_what_it_lacks() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let look = |needed, free| shortage(needed, path, |_| Ok(free));
        assert_eq!(look(1000, 1000), None);
        let failure = look(2_500_000, 1_000).unwrap();
        assert_eq!((failure.kind, failure.cause()), (FailureKind::Machine, Cause::DiskFull));
        for part in ["2.5 MB", "1.0 kB", &path.display().to_string()] {
            assert!(failure.message.contains(part), "{part}: {}", failure.message);
        }
        // What is written already is not written again.
        fs::create_dir(path.join("step-20")).unwrap();
        fs::write(path.join("step-20/weights"), vec![0; 900]).unwrap();
        assert_eq!(look(1000, 100), None);
        assert!(look(1001, 100).is_some());
        // Who does not know does not forbid.
        assert_eq!(shortage(u64::MAX, path, |_| Err(io::Error::other("no"))), None);
    }

    #[test]
    fn the_system_says_what_is_free() {
        let folder = tempfile::tempdir().unwrap();
        assert!(free_space(folder.path()).unwrap() > 0);
        let error = free_space(&folder.path().join("nowhere")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
