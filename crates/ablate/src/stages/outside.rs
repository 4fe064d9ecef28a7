//! Files of the user that a run was planned with: a result's key holds their content, so what is made
//! of another content must not be stored under it.

use std::fs::File;
use std::path::Path;

use ablate_pipeline::Failure;

use super::input;

/// Looks whether files still have the content (blake3) that the run was planned with. Called after
/// they were read: what was read before a change is then not kept either.
///
/// # Errors
/// The first file that is gone or was changed.
pub fn unchanged<'a>(
    files: impl IntoIterator<Item = (&'a String, &'a String)>,
) -> Result<(), Failure> {
    for (path, planned) in files {
        let mut hasher = blake3::Hasher::new();
        File::open(Path::new(path))
            .and_then(|file| hasher.update_reader(file).map(|_| ()))
            .map_err(|error| input(format!("cannot read `{path}`: {error}")))?;
        if hasher.finalize().to_hex().as_str() != planned {
            return Err(input(format!(
                "`{path}` was changed since the run was planned; run it again to use it as it is \
                 now, or put back what it was"
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use ablate_pipeline::Cause;

    use super::*;

    #[test]
    fn a_change_and_a_loss_are_failures_of_input() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("text.txt").display().to_string();
        // The hash of three letters, as its authors publish it.
        let hash = "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85".to_owned();
        fs::write(&path, "abc").unwrap();
        assert_eq!(unchanged([(&path, &hash)]), Ok(()));
        fs::write(&path, "abd").unwrap();
        let changed = unchanged([(&path, &hash)]).unwrap_err();
        assert!(changed.message.contains("text.txt` was changed"), "{}", changed.message);
        fs::remove_file(&path).unwrap();
        let gone = unchanged([(&path, &hash)]).unwrap_err();
        assert!(gone.message.contains("No such file"), "{}", gone.message);
        assert_eq!((changed.cause(), gone.cause()), (Cause::Input, Cause::Input));
    }
}
