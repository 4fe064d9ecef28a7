//! Files of every format, whole and broken.

use std::io::Write;
use std::path::{Path, PathBuf};

use ablate_corpus::{CorpusError, DocumentSplit, FileSource, read_files};
use proptest::prelude::*;

fn source(path: &str, split: DocumentSplit) -> FileSource {
    FileSource {
        paths: vec![path.to_owned()],
        language: "en".to_owned(),
        text_field: "text".to_owned(),
        split,
    }
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// Writes `bytes` packed as the extension says.
fn write(folder: &Path, name: &str, bytes: &[u8]) {
    let path = folder.join(name);
    let packed = if name.ends_with(".gz") {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    } else if name.ends_with(".zst") {
        zstd::encode_all(bytes, 1).unwrap()
    } else {
        bytes.to_owned()
    };
    std::fs::write(path, packed).unwrap();
}

fn texts(source: &FileSource, base: &Path) -> Result<Vec<String>, CorpusError> {
    read_files(source, base)?.map(|document| document.map(|document| document.text)).collect()
}

fn check(name: &str, bytes: &[u8], split: DocumentSplit, expected: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), name, bytes);
    let found = texts(&source("*", split), folder.path()).unwrap();
    assert_eq!(found, expected, "{name} {split:?}");
}

/// The message of the error that ends the documents, without the folder's name, and how many
/// documents came before it.
fn failure(name: &str, bytes: &[u8], pack: bool) -> (usize, String) {
    let folder = tempfile::tempdir().unwrap();
    if pack {
        write(folder.path(), name, bytes);
    } else {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    let documents = match read_files(&source("*", DocumentSplit::Line), folder.path()) {
        Ok(documents) => documents.collect::<Vec<_>>(),
        Err(error) => vec![Err(error)],
    };
    let before = documents.iter().take_while(|document| document.is_ok()).count();
    assert_eq!(before + 1, documents.len(), "documents end with the error");
    let error = documents.into_iter().next_back().unwrap().unwrap_err().to_string();
    (before, error.replace(&format!("{}/", folder.path().display()), ""))
}

const THREE: &[u8] = "\u{feff}one\r\n  two \r\n\r\n\t\n三。\n\n\n\0\n".as_bytes();

#[test]
fn text_is_cut_as_asked() {
    for name in ["a.txt", "a.txt.gz", "a.txt.zst", "A.TXT"] {
        check(name, THREE, DocumentSplit::Paragraph, &["one\n  two", "三。"]);
        check(name, THREE, DocumentSplit::Line, &["one", "  two", "三。"]);
        check(name, THREE, DocumentSplit::File, &["one\n  two\n\n\n三。"]);
    }
    check("end.txt", b"no newline", DocumentSplit::Paragraph, &["no newline"]);
    check("one.txt", b"a\n\n\n\nb\n\nc", DocumentSplit::Paragraph, &["a", "b", "c"]);
}

#[test]
fn json_lines_keep_their_newlines() {
    let lines = "\u{feff}{\"id\": {\"text\": 1}, \"text\": \"one\\r\\n\\ntwo \\u0000\", \"z\": [1, null]}\n\n\
                 {\"text\": \"\"}\n{\"te\\u0078t\": \"\\u4e09\\ud83d\\ude00\"}\r\n";
    for name in ["a.jsonl", "a.jsonl.gz", "a.jsonl.zst"] {
        check(name, lines.as_bytes(), DocumentSplit::Line, &["one\n\ntwo", "三😀"]);
    }
}

#[test]
fn files_follow_one_another_and_empty_ones_do_not_matter() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "b.txt", b"second");
    write(folder.path(), "a.txt.gz", b"first");
    write(folder.path(), "aa.txt.zst", b"");
    write(folder.path(), "c.jsonl", b"{\"text\": \"third\"}");
    let documents = read_files(&source("*", DocumentSplit::File), folder.path()).unwrap();
    let documents: Vec<_> = documents.map(Result::unwrap).collect();
    let found: Vec<&str> = documents.iter().map(|document| document.text.as_str()).collect();
    assert_eq!(found, ["first", "second", "third"]);
    assert!(documents.iter().all(|document| document.language == "en"));
}

#[test]
fn parquet_of_pyarrow() {
    let expected =
        ["The lamp is red.", "灯是红色的。", "repeated", "repeated", " tab\there", "nulless"];
    for name in ["snappy", "zstd", "gzip"] {
        for field in ["text", "meta.title"] {
            let mut source = source(&format!("{name}.parquet"), DocumentSplit::default());
            source.text_field = field.to_owned();
            assert_eq!(texts(&source, &fixtures()).unwrap(), expected, "{name} {field}");
        }
    }
    let rows: Vec<String> = (0..8).map(|row| format!("row {row}")).collect();
    assert_eq!(texts(&source("lz4.parquet", DocumentSplit::File), &fixtures()).unwrap(), rows);
}

#[test]
fn parquet_without_a_text_column() {
    for (field, reason) in [
        (
            "body",
            "row 0: no column `body` among `id`, `text`, `tags.list.element`, `meta.title`, `raw`",
        ),
        ("id", "row 0: column `id` holds INT64, but text is a column of strings"),
        ("tags.list.element", "row 0: column `tags.list.element` holds lists of BYTE_ARRAY"),
        ("raw", "row 3: invalid UTF-8 at byte 0 of the text"),
    ] {
        let mut source = source("zstd.parquet", DocumentSplit::default());
        source.text_field = field.to_owned();
        let error = texts(&source, &fixtures()).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn broken_text_says_where() {
    for (name, bytes, expected) in [
        (
            "bad.txt",
            b"good\nalso \xe4\xb8\xad bad\xff\n".as_slice(),
            (
                1,
                "bad.txt: invalid UTF-8 at byte 17 of the text (line 2); convert the file to UTF-8",
            ),
        ),
        (
            "bad.txt.gz",
            b"\n\n\xe4\xb8",
            (
                0,
                "bad.txt.gz: invalid UTF-8 at byte 2 of the text (line 3); convert the file to UTF-8",
            ),
        ),
        (
            "bad.jsonl.zst",
            b"{\"text\":\"a\"}\n\xfe",
            (
                1,
                "bad.jsonl.zst: invalid UTF-8 at byte 13 of the text (line 2); convert the file to UTF-8",
            ),
        ),
        (
            "bad.jsonl",
            b"\n{\"text\": \"a\"}\n{\"text\": \"b\"",
            (1, "bad.jsonl: line 3: column 12: EOF while parsing an object"),
        ),
        (
            "bad.jsonl",
            b"{\"body\": \"a\"}",
            (
                0,
                "bad.jsonl: line 1: the object has no field `text`: name the one with the text in `text_field`",
            ),
        ),
        (
            "bad.jsonl",
            b"{\"text\": 5}",
            (0, "bad.jsonl: line 1: column 10: invalid type: integer `5`, expected a string"),
        ),
        (
            "bad.jsonl",
            b"[\"text\"]",
            (
                0,
                "bad.jsonl: line 1: column 0: invalid type: sequence, expected an object with a string in `text`",
            ),
        ),
        (
            "bad.jsonl",
            b"{\"text\": \"\\ud800\"}",
            (0, "bad.jsonl: line 1: column 17: unexpected end of hex escape"),
        ),
        (
            "bad.jsonl",
            b"{\"text\": \"a\"} x",
            (0, "bad.jsonl: line 1: column 15: trailing characters"),
        ),
        (
            "a.md",
            b"text",
            (
                0,
                "a.md: unknown extension; text is read from .txt and .jsonl (also .gz or .zst) and .parquet",
            ),
        ),
        (
            "a.parquet.gz",
            b"text",
            (
                0,
                "a.parquet.gz: unknown extension; text is read from .txt and .jsonl (also .gz or .zst) and .parquet",
            ),
        ),
        (
            "txt",
            b"text",
            (
                0,
                "txt: unknown extension; text is read from .txt and .jsonl (also .gz or .zst) and .parquet",
            ),
        ),
        ("blank.txt", b" \n\0\n\xef\xbb\xbf", (0, "no text in `*`: every document is empty")),
        ("blank.jsonl", b"", (0, "no text in `*`: every document is empty")),
    ] {
        let (documents, error) = failure(name, bytes, true);
        assert_eq!((documents, error.as_str()), expected);
    }
}

#[test]
fn broken_packing_says_where() {
    let folder = tempfile::tempdir().unwrap();
    let lines: String = (0..5000).map(|line| format!("line {line} of some text\n")).collect();
    for name in ["cut.txt.gz", "cut.txt.zst"] {
        write(folder.path(), name, lines.as_bytes());
        let packed = std::fs::read(folder.path().join(name)).unwrap();
        let (documents, error) = failure(name, &packed[..packed.len() / 2], false);
        let start = format!("{name}: broken after line {documents} of its text (");
        assert!(error.starts_with(&start) && documents < 5000, "{error}");
    }
    for (name, bytes) in [("no.txt.gz", "plain text"), ("no.txt.zst", "plain text, long enough")] {
        let (documents, error) = failure(name, bytes.as_bytes(), false);
        assert_eq!(documents, 0);
        assert!(
            error.starts_with(&format!("{name}: broken after line 0 of its text (")),
            "{error}"
        );
    }
    let (_, error) = failure("no.parquet", b"PAR1 but nothing else PAR1", false);
    assert!(error.starts_with("no.parquet: row 0: "), "{error}");
}

#[test]
fn a_gzip_of_several_members_and_a_zstd_of_several_frames() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.txt.gz", "a.txt.zst"] {
        let mut whole = Vec::new();
        for part in ["first\nsec", "ond\nthird"] {
            write(folder.path(), name, part.as_bytes());
            whole.extend(std::fs::read(folder.path().join(name)).unwrap());
        }
        std::fs::write(folder.path().join(name), whole).unwrap();
        let found = texts(&source(name, DocumentSplit::Line), folder.path()).unwrap();
        assert_eq!(found, ["first", "second", "third"]);
    }
}

#[test]
fn damaged_parquet_never_panics() {
    let folder = tempfile::tempdir().unwrap();
    let mut failed = 0;
    for name in ["snappy.parquet", "zstd.parquet", "gzip.parquet", "lz4.parquet"] {
        let whole = std::fs::read(fixtures().join(name)).unwrap();
        let path = folder.path().join(name);
        for at in (0..whole.len()).step_by(7) {
            let mut damaged = whole.clone();
            damaged[at] ^= 1 << (at % 8);
            std::fs::write(&path, &damaged).unwrap();
            failed +=
                usize::from(texts(&source(name, DocumentSplit::File), folder.path()).is_err());
            if at % 2 == 0 {
                std::fs::write(&path, &whole[..at]).unwrap();
                assert!(texts(&source(name, DocumentSplit::File), folder.path()).is_err());
            }
        }
    }
    assert!(failed > 100, "{failed} damages were noticed");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn lines_come_back(lines in prop::collection::vec("[a-z中é]{1,12}( [a-z]{1,5}){0,3}", 1..30)) {
        let text = lines.join("\n");
        let records: String = lines.iter().map(|line| format!("{}\n", serde_json::json!({ "text": line }))).collect();
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in [("a.txt", &text), ("a.txt.gz", &text), ("a.txt.zst", &text), ("a.jsonl", &records), ("a.jsonl.zst", &records)] {
            write(folder.path(), name, bytes.as_bytes());
            let found = texts(&source(name, DocumentSplit::Line), folder.path()).unwrap();
            prop_assert_eq!(&found, &lines);
        }
        let whole = texts(&source("a.txt.gz", DocumentSplit::File), folder.path()).unwrap();
        prop_assert_eq!(whole, vec![text]);
    }
}
