use std::io::Write;

use super::*;

fn tarred(build: impl FnOnce(&mut tar::Builder<Vec<u8>>)) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    build(&mut builder);
    builder.into_inner().unwrap()
}

/// A header whose name is written as it is, checks of the writer left out.
fn entry(name: &str, kind: tar::EntryType, size: u64) -> tar::Header {
    let mut header = tar::Header::new_old();
    header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_cksum();
    header
}

fn one(name: &str, kind: tar::EntryType) -> Vec<u8> {
    tarred(|builder| builder.append(&entry(name, kind, 2), &b"ab"[..]).unwrap())
}

fn open(bytes: &[u8], name: &str) -> Result<Files, BenchmarkError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    Files::open(&path)
}

#[track_caller]
fn refused(bytes: &[u8], name: &str, expected: &str) {
    let message = open(bytes, name).unwrap_err().to_string();
    assert!(message.contains(expected), "{message}");
}

fn zipped(names: &[&str]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for name in names {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(b"ab").unwrap();
    }
    writer.finish().unwrap().into_inner()
}

#[test]
fn archives_are_read() {
    let plain = one("./a/b.txt", tar::EntryType::Regular);
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(&plain).unwrap();
    let cases = [
        (plain, "x.tar"),
        (gz.finish().unwrap(), "x.TAR.gz"),
        (include_bytes!("../../tests/fixtures/small.tar.xz").to_vec(), "x.tar.xz"),
        (zipped(&["a/b.txt"]), "x.zip"),
    ];
    for (bytes, name) in cases {
        let files = open(&bytes, name).unwrap();
        assert_eq!(files.names(), ["a/b.txt"], "{name}");
        assert_eq!(files.read("a/b.txt").unwrap(), b"ab");
        // Whatever is missing at the end, an error says so.
        for cut in [300, 512].map(|cut: usize| cut.min(bytes.len() / 2)) {
            refused(&bytes[..cut], name, "cut off");
        }
        // The checksum of what is packed comes last.
        if name != "x.tar" {
            for cut in [1, 4, 8] {
                refused(&bytes[..bytes.len() - cut], name, "cut off");
            }
        }
    }
}

#[test]
fn names_that_lead_out_and_links_are_refused() {
    for name in ["../a", "a/../../b", "/etc/a"] {
        refused(&one(name, tar::EntryType::Regular), "x.tar", "leads out of its folder");
    }
    refused(&zipped(&["../a"]), "x.zip", "leads out of its folder");
    refused(&one("a", tar::EntryType::Symlink), "x.tar", "a link");
    refused(&one("a", tar::EntryType::Link), "x.tar", "a link");
    let twice = tarred(|builder| {
        for _ in 0..2 {
            builder.append(&entry("a", tar::EntryType::Regular, 2), &b"ab"[..]).unwrap();
        }
    });
    refused(&twice, "x.tar", "`a` twice");
}

#[test]
fn links_and_bombs_of_zip_are_refused() {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    writer.add_symlink("a", "/etc/passwd", options).unwrap();
    refused(&writer.finish().unwrap().into_inner(), "x.zip", "`a`, a link");
    // 8 MB of zeros in a few kilobytes.
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    writer.start_file("a", options.compression_method(zip::CompressionMethod::Deflated)).unwrap();
    writer.write_all(&vec![0; 8 << 20]).unwrap();
    let bytes = writer.finish().unwrap().into_inner();
    assert!(bytes.len() < 16 << 10);
    refused(&bytes, "x.zip", "far larger unpacked");
    // Names as Windows writes them, and absolute ones.
    for name in ["..\\a", "/etc/a", "a/../../b"] {
        refused(&zipped(&[name]), "x.zip", "leads out of its folder");
    }
}

#[test]
fn bombs_are_refused() {
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let big = tarred(|builder| {
        let zeros = vec![0u8; 8 << 20];
        builder.append(&entry("a", tar::EntryType::Regular, 8 << 20), &zeros[..]).unwrap();
    });
    gz.write_all(&big).unwrap();
    refused(&gz.finish().unwrap(), "x.tar.gz", "far larger unpacked");
    // Nor may that much come after the last file.
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gz.write_all(&one("a", tar::EntryType::Regular)).unwrap();
    gz.write_all(&vec![0; 8 << 20]).unwrap();
    refused(&gz.finish().unwrap(), "x.tar.gz", "far larger unpacked");
    // A size that the archive claims and does not have allocates nothing.
    let claimed = tarred(|builder| {
        builder.append(&entry("a", tar::EntryType::Regular, 1 << 32), &b"ab"[..]).unwrap();
    });
    refused(&claimed, "x.tar", "cut off");
}

proptest::proptest! {
    #[test]
    fn damaged_archives_never_panic(
        places in proptest::collection::vec((0usize..4000, proptest::prelude::any::<u8>()), 1..6)
    ) {
        let plain = one("a/b.txt", tar::EntryType::Regular);
        let xz = include_bytes!("../../tests/fixtures/small.tar.xz").to_vec();
        for (mut bytes, name) in [(plain, "x.tar"), (xz, "x.tar.xz"), (zipped(&["a"]), "x.zip")] {
            for (place, byte) in &places {
                let length = bytes.len();
                bytes[place % length] = *byte;
            }
            let _ = open(&bytes, name);
        }
    }
}
