use super::super::pack;
use super::*;

/// A bundle of these entries, whatever they are; names are not checked by the writer.
fn bundle(entries: &[(&str, tar::EntryType, Vec<u8>)]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, kind, bytes) in entries {
        let mut header = tar::Header::new_old();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(*kind);
        header.set_size(bytes.len() as u64);
        header.set_cksum();
        archive.append(&header, bytes.as_slice()).unwrap();
    }
    zstd::encode_all(archive.into_inner().unwrap().as_slice(), 3).unwrap()
}

fn opened(bytes: &[u8]) -> Result<Contents, BundleError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.tar.zst");
    fs::write(&path, bytes).unwrap();
    open(&path)
}

#[track_caller]
fn refused(bytes: &[u8], expected: &str) {
    let message = opened(bytes).unwrap_err().to_string();
    assert!(message.contains(expected), "{message}");
}

fn small() -> Vec<(String, Vec<u8>)> {
    vec![
        ("report/b.csv".into(), b"1,2".to_vec()),
        ("lock.json".into(), b"{\"stages\":[]}".to_vec()),
    ]
}

#[test]
fn what_is_packed_comes_out_and_in_any_order_gives_the_same_bytes() {
    let bytes = pack("s", small()).unwrap();
    let mut turned = small();
    turned.reverse();
    assert_eq!(pack("s", turned).unwrap(), bytes);
    let contents = opened(&bytes).unwrap();
    assert_eq!((contents.name(), contents.len()), ("s", 2));
    assert!(contents.differences().is_empty());
    assert_eq!(contents.lock().unwrap().len(), 0);
    let folder = tempfile::tempdir().unwrap();
    let report = contents.unpack_report(folder.path()).unwrap();
    assert_eq!(fs::read(report.join("b.csv")).unwrap(), b"1,2");
    // Only the report is unpacked.
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn changed_added_and_removed_files_are_told() {
    let manifest = |files: &[(&str, &[u8])]| {
        let files =
            files.iter().map(|(n, b)| (n.to_string(), blake3::hash(b).to_hex().to_string()));
        let manifest = Manifest { format: FORMAT.into(), name: "s".into(), files: files.collect() };
        serde_json::to_vec(&manifest).unwrap()
    };
    let listed = manifest(&[("a", b"1"), ("b", b"2")]);
    let regular = tar::EntryType::Regular;
    let bytes = bundle(&[
        (MANIFEST, regular, listed),
        ("a", regular, b"3".to_vec()),
        ("c", regular, b"4".to_vec()),
    ]);
    let wrong = opened(&bytes).unwrap().differences();
    assert_eq!(
        wrong,
        [
            "a: its bytes are not those that were packed",
            "b: is not in the bundle",
            "c: is not on the bundle's list"
        ]
    );
}

#[test]
fn names_that_lead_out_and_links_are_refused() {
    let regular = tar::EntryType::Regular;
    for name in ["../a", "report/../../a", "/etc/a"] {
        refused(&bundle(&[(name, regular, b"x".to_vec())]), "leads out of its folder");
    }
    refused(&bundle(&[("a\\..\\b", regular, b"x".to_vec())]), "odd name");
    for kind in [tar::EntryType::Symlink, tar::EntryType::Link, tar::EntryType::Fifo] {
        refused(&bundle(&[("report/a", kind, Vec::new())]), "no file");
    }
    let twice = [("a", regular, b"x".to_vec()), ("a", regular, b"y".to_vec())];
    refused(&bundle(&twice), "`a` twice");
}

#[test]
fn bombs_and_what_is_no_bundle_are_refused() {
    // 64 MB of zeros in a few kilobytes.
    let big = bundle(&[("a", tar::EntryType::Regular, vec![0; 64 << 20])]);
    assert!(big.len() < 64 << 10);
    refused(&big, "far larger unpacked");
    refused(b"hello", "damaged or cut off");
    refused(&bundle(&[("a", tar::EntryType::Regular, Vec::new())]), "no `bundle.json`");
    let other = br#"{"format": "ablate bundle 9", "name": "s", "files": {}}"#.to_vec();
    refused(&bundle(&[(MANIFEST, tar::EntryType::Regular, other)]), "of the format");
    let whole = pack("s", small()).unwrap();
    for cut in [10, whole.len() / 2, whole.len() - 5] {
        let message = opened(&whole[..cut]).unwrap_err().to_string();
        assert!(message.contains("damaged") || message.contains("cut off"), "{cut}: {message}");
    }
}
