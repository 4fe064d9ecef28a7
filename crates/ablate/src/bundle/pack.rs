//! Files to the bytes of a bundle.

use std::io;

use super::{FORMAT, MANIFEST, Manifest};

/// Level of zstd; the same bytes for any number of threads, since there is one.
const LEVEL: i32 = 12;

/// Packs files (names with `/`, and contents) of the study of this name.
///
/// # Errors
/// Names that an archive cannot hold.
pub fn pack(name: &str, mut files: Vec<(String, Vec<u8>)>) -> io::Result<Vec<u8>> {
    let checksums =
        files.iter().map(|(name, bytes)| (name.clone(), blake3::hash(bytes).to_hex().to_string()));
    let manifest =
        Manifest { format: FORMAT.to_owned(), name: name.to_owned(), files: checksums.collect() };
    files.push((MANIFEST.to_owned(), serde_json::to_vec_pretty(&manifest)?));
    files.sort();
    let mut archive = tar::Builder::new(Vec::new());
    for (name, bytes) in &files {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        archive.append_data(&mut header, name, bytes.as_slice())?;
    }
    zstd::encode_all(archive.into_inner()?.as_slice(), LEVEL)
}
