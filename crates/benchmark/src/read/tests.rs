use serde_json::json;

use super::*;
use crate::template::Path;

fn csv(columns: Option<&[&str]>) -> Reader {
    let columns = columns.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
    Reader::Csv { columns }
}

fn whole() -> Reader {
    Reader::Json { records: Path::parse("").unwrap(), each: None }
}

#[track_caller]
fn wrong(reader: &Reader, bytes: impl AsRef<[u8]>, line: usize, expected: &str) {
    let (_, wrong) = read(reader, bytes.as_ref());
    assert_eq!(wrong.len(), 1, "{wrong:?}");
    assert_eq!(wrong[0].line, line, "{wrong:?}");
    assert!(wrong[0].what.contains(expected), "{wrong:?}");
}

#[test]
fn tables() {
    let text = "q,A\n\"a, \"\"b\"\"\nc\",1\r\n\n\"d\"e,\n";
    let (records, problems) = read(&csv(None), text.as_bytes());
    assert!(problems.is_empty());
    let found: Vec<_> =
        records.iter().map(|r| (r.line, &r.document["q"], &r.document["A"])).collect();
    assert_eq!(found[0], (2, &json!("a, \"b\"\nc"), &json!("1")));
    assert_eq!(found[1], (5, &json!("de"), &json!("")));
    // The mark and a missing last line end change nothing.
    let marked = format!("\u{feff}{}", text.trim_end_matches('\n'));
    assert_eq!(read(&csv(None), marked.as_bytes()).0, records);
    let (bare, _) = read(&csv(Some(&["x", "y"])), b"1,2\n");
    assert_eq!(bare[0].document["y"], json!("2"));
}

#[test]
fn wrong_tables() {
    wrong(&csv(None), "q,A\n1,2\n3\n4,5\n", 3, "1 columns, not the 2 (`q`, `A`)");
    wrong(&csv(None), "q,A\n1,2\n3,4,5\n", 3, "3 columns");
    wrong(&csv(None), "q,A,B\n1,2,3\n4,5", 3, "the last line is cut off");
    wrong(&csv(None), "q,A\n1,\"2\n3,4\n", 2, "a quote that opens here is never closed");
    wrong(&csv(None), "q,A\n", 1, "holds no records");
    wrong(&csv(None), "", 1, "holds no records");
    wrong(&csv(None), b"q,A\n1,\xff\n", 2, "not valid UTF-8");
    wrong(&csv(None), &"q,A\n1,\u{4e2d}\n".as_bytes()[..8], 2, "in the middle of a character");
}

#[test]
fn objects() {
    let (records, problems) = read(&Reader::Jsonl, b"{\"a\":1}\r\n\n{\"a\":[2]}");
    assert!(problems.is_empty());
    assert_eq!((records[1].line, &records[1].document["a"]), (3, &json!([2])));
    wrong(&Reader::Jsonl, "{\"a\":1}\n{\"a\":", 2, "the last line is cut off");
    wrong(&Reader::Jsonl, "{\"a\":\n{\"a\":1}\n", 1, "not a JSON object: EOF");
    wrong(&Reader::Jsonl, "{\"a\":1}\n7\n", 2, "not a JSON object");
    wrong(&Reader::Jsonl, "\n\n", 1, "holds no records");
}

#[test]
fn documents() {
    let text = "[\n {\"a\": \"[,\\\"\"},\n\n {\"a\": [1, 2]}\n]";
    let (records, _) = read(&whole(), text.as_bytes());
    assert_eq!(records.iter().map(|record| record.line).collect::<Vec<_>>(), [2, 4]);
    let nested = Reader::Json {
        records: Path::parse("data").unwrap(),
        each: Some(Path::parse("[1]").unwrap()),
    };
    let (records, problems) = read(&nested, br#"{"data": [["text", [{"q": 1}, {"q": 2}], "id"]]}"#);
    assert!(problems.is_empty());
    assert_eq!(records[1].document["outer"], json!(["text", [{"q": 1}, {"q": 2}], "id"]));
    wrong(&whole(), "[\n{\"a\":1},\n7]", 3, "record 2 is no object");
    wrong(&whole(), "[\n{\"a\":1}\n", 3, "cut off");
    wrong(&whole(), "[\n{\"a\":1},\n}", 3, "not JSON");
    wrong(&whole(), "{}", 1, "is no list");
    wrong(&nested, "{}", 1, "there is no field `data`");
    wrong(&nested, r#"{"data":[["t", 3]]}"#, 1, "`[1]` of record 1 is no list");
    wrong(&nested, r#"{"data":[["t", [3]]]}"#, 1, "is no object");
}

#[test]
fn labels() {
    let (mut records, _) = read(&Reader::Jsonl, b"{\"a\":1}\n{\"a\":2}\n");
    add_labels(&mut records, b"1\r\ntrue\n").unwrap();
    assert_eq!(
        (&records[0].document["label"], &records[1].document["label"]),
        (&json!(1), &json!("true"))
    );
    let what = |bytes: &[u8]| add_labels(&mut records.clone(), bytes).unwrap_err();
    assert_eq!(what(b"1\n"), Wrong::new(1, "there are 1 labels for 2 records"));
    assert_eq!(what(b"1\n\n0\n"), Wrong::new(2, "the label is empty"));
    assert_eq!(what(b"1\n0\n1\n").line, 3);
}

proptest::proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
        for reader in [csv(None), csv(Some(&["a"])), Reader::Jsonl, whole()] {
            let _ = read(&reader, &bytes);
        }
    }

    #[test]
    fn no_text_panics(text in "[\\[\\]{}\",:a1 \n\r\\\\]{0,60}") {
        for reader in [csv(None), csv(Some(&["a", "b"])), Reader::Jsonl, whole()] {
            let _ = read(&reader, text.as_bytes());
        }
    }

    #[test]
    fn written_tables_are_read_back(
        rows in proptest::collection::vec(("[^\r]{1,12}", "[^\r]{0,12}"), 1..6)
    ) {
        let field = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
        let text: String =
            rows.iter().map(|(a, b)| format!("{},{}\n", field(a), field(b))).collect();
        let (records, wrong) = read(&csv(Some(&["a", "b"])), text.as_bytes());
        proptest::prop_assert!(wrong.is_empty());
        for (record, (a, b)) in records.iter().zip(&rows) {
            proptest::prop_assert_eq!(&record.document["a"], &json!(a));
            proptest::prop_assert_eq!(&record.document["b"], &json!(b));
        }
    }
}
