//! The user's own text: every format, globs, several sources with weights, no benchmarks.

use std::fs;
use std::io::Write;
use std::sync::Arc;

use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use serde_json::{Value, json};

use crate::outcome::{number, of_stage, rows, text};
use crate::sandbox::{Sandbox, TINY};

const STUDY: &str = r#"
[study]
name = "tiny"

[corpus]
bytes = "40kB"
validation_bytes = "2kB"
sources = [
    { weight = 3, from.files = { paths = ["text/*.txt", "text/more.txt.gz", "text/*.jsonl"], language = "en", split = "line" } },
    { weight = 1, from.files = { paths = ["text/*.jsonl.zst", "text/*.parquet"], language = "zh", text_field = "body" } },
]

[tokenizer]
vocabulary = 300

[model]
depth = 1
width = 16
heads = 2
context = 32
ffn.size = 24

[train]
tokens = 5120
batch_tokens = 256
learning_rate = 1e-2
validations = 2

[eval]
benchmarks = []
"#;

/// Documents that say which file they are from and are all different.
fn english(file: &str, count: usize) -> Vec<String> {
    let (who, what) =
        (["a fox", "the mill", "my aunt", "rain"], ["sings", "waits", "turns", "falls"]);
    let place = ["by the river", "in the north", "under a roof"];
    let line =
        |i: usize| format!("{file} {i}: {} {} {}.", who[i % 4], what[i / 4 % 4], place[i / 16 % 3]);
    (0..count).map(line).collect()
}

fn chinese(file: &str, count: usize) -> Vec<String> {
    let (who, what) = (["狐狸", "磨坊", "姨妈", "雨"], ["唱歌", "等待", "转动", "落下"]);
    let line = |i: usize| format!("{file} {i}：{}在河边{}。", who[i % 4], what[i / 4 % 4]);
    (0..count).map(line).collect()
}

fn json_lines(field: &str, texts: &[String]) -> Vec<u8> {
    let lines = texts.iter().map(|text| format!("{}\n", json!({ "id": 1, field: text })));
    lines.collect::<String>().into_bytes()
}

fn parquet(field: &str, texts: &[String]) -> Vec<u8> {
    let schema = format!("message rows {{ required int64 id; optional binary {field} (UTF8); }}");
    let schema = Arc::new(parse_message_type(&schema).unwrap());
    let mut file = SerializedFileWriter::new(Vec::new(), schema, Arc::default()).unwrap();
    let mut group = file.next_row_group().unwrap();
    let mut ids = group.next_column().unwrap().unwrap();
    let numbers: Vec<i64> = (0..).take(texts.len()).collect();
    ids.typed::<parquet::data_type::Int64Type>().write_batch(&numbers, None, None).unwrap();
    ids.close().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    let values: Vec<ByteArray> = texts.iter().map(|text| text.as_str().into()).collect();
    column
        .typed::<ByteArrayType>()
        .write_batch(&values, Some(&vec![1; texts.len()]), None)
        .unwrap();
    column.close().unwrap();
    group.close().unwrap();
    file.into_inner().unwrap()
}

#[test]
fn every_format_in_two_weighted_sources() {
    let sandbox = Sandbox::with_study(STUDY);
    let plain = english("txt", 300);
    sandbox.write("text/one.txt", plain[..200].join("\n"));
    sandbox.write("text/two.txt", format!("\u{feff}{}\r\n", plain[200..].join("\r\n")));
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(english("gz", 300).join("\n").as_bytes()).unwrap();
    sandbox.write("text/more.txt.gz", gz.finish().unwrap());
    sandbox.write("text/lines.jsonl", json_lines("text", &english("jsonl", 500)));
    let zst = json_lines("body", &chinese("zst", 120));
    sandbox.write("text/lines.jsonl.zst", zstd::encode_all(zst.as_slice(), 3).unwrap());
    sandbox.write("text/table.parquet", parquet("body", &chinese("parquet", 250)));

    sandbox.succeed(&["run", "tiny.toml", "--quiet"]);
    let corpus = sandbox.root().join("data/store").join(&of_stage(&sandbox.root(), "corpus")[0]);
    let read = |name: &str| -> Vec<(String, String)> {
        let lines = fs::read_to_string(corpus.join(name)).unwrap();
        let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let field = |line: &Value, name: &str| line[name].as_str().unwrap().to_owned();
        lines.map(|line| (field(&line, "language"), field(&line, "text"))).collect()
    };
    let training = read("train.jsonl");
    let validation: Vec<_> =
        ["en", "zh"].iter().flat_map(|l| read(&format!("validation-{l}.jsonl"))).collect();

    // Every document is one of those written, in its own language; none is on both sides.
    for (file, language, documents) in [
        ("txt", "en", plain),
        ("gz", "en", english("gz", 300)),
        ("jsonl", "en", english("jsonl", 500)),
        ("zst", "zh", chinese("zst", 120)),
        ("parquet", "zh", chinese("parquet", 250)),
    ] {
        let from = |side: &[(String, String)]| -> Vec<String> {
            let mine = |(_, text): &&(String, String)| text.starts_with(&format!("{file} "));
            let mine = side.iter().filter(mine);
            mine.map(|(found, text)| {
                assert!(found == language && documents.contains(text), "{text}");
                text.clone()
            })
            .collect()
        };
        let (training, validation) = (from(&training), from(&validation));
        assert!(!training.is_empty(), "{file} was not read");
        assert!(!training.iter().any(|text| validation.contains(text)));
    }
    let bytes = |side: &[(String, String)], language: &str| -> usize {
        side.iter().filter(|(l, _)| l == language).map(|(_, text)| text.len()).sum()
    };
    let shares = ["en", "zh"].map(|language| bytes(&training, language) as f64);
    assert!((shares[0] / shares[1] - 3.0).abs() < 0.1, "{shares:?}");
    assert!((40_000.0..40_100.0).contains(&(shares[0] + shares[1])), "{shares:?}");
    for language in ["en", "zh"] {
        assert!((2000..2100).contains(&bytes(&validation, language)));
    }

    // Nothing but bits per byte is scored, and the report does without benchmarks.
    let scores = rows(&sandbox.report().join("scores.parquet"));
    assert!(scores.iter().all(|row| text(row, "benchmark") == "validation"));
    for language in ["en", "zh"] {
        let found = scores.iter().find(|row| {
            text(row, "language") == language && text(row, "metric") == "bits_per_byte"
        });
        let bits = number(found.unwrap(), "value");
        assert!((0.5..6.0).contains(&bits), "{language}: {bits}");
    }
    assert!(rows(&sandbox.report().join("items.parquet")).is_empty());
    assert!(!sandbox.report().join("tables/benchmarks.md").exists());
    assert!(sandbox.report().join("index.html").exists());
}

#[test]
fn content_counts_and_not_the_place() {
    let study = STUDY.replace(", \"text/more.txt.gz\", \"text/*.jsonl\"", "");
    let study = study.replace("\"text/*.jsonl.zst\", \"text/*.parquet\"", "\"text/*.jsonl\"");
    let sandbox = Sandbox::with_study(&study);
    sandbox.write("text/one.txt", english("txt", 600).join("\n"));
    sandbox.write("text/two.jsonl", json_lines("body", &chinese("zst", 300)));
    let run = || {
        sandbox.succeed(&["run", "tiny.toml", "--quiet"]);
        of_stage(&sandbox.root(), "train").len()
    };
    assert_eq!(run(), 1);
    // Another name, the same text: the same result.
    fs::rename(sandbox.desk("text/one.txt"), sandbox.desk("text/renamed.txt")).unwrap();
    assert_eq!(run(), 1);
    // The same name, another text: another result.
    sandbox.write("text/renamed.txt", english("new", 600).join("\n"));
    assert_eq!(run(), 2);
}

#[test]
fn a_tokenizer_of_the_users_own() {
    let sandbox = Sandbox::with_study(TINY);
    sandbox.succeed(&["run", "tiny.toml", "--quiet", "--only", "plain"]);
    let scores = fs::read(sandbox.report().join("scores.parquet")).unwrap();
    let made = of_stage(&sandbox.root(), "tokenizer").remove(0);
    let made = sandbox.root().join("data/store").join(made).join("tokenizer.json");
    fs::copy(made, sandbox.desk("mine.json")).unwrap();
    let file = |vocabulary: &str| {
        let file = format!("{vocabulary}\nbuild.file.path = \"mine.json\"");
        sandbox.write("tiny.toml", TINY.replace("vocabulary = 300", &file));
        sandbox.ablate(&["run", "tiny.toml", "--quiet", "--only", "plain"])
    };
    // Another stage, the same tokens, the same scores.
    let ended = file("vocabulary = 300");
    assert_eq!(ended.code, Some(0), "{ended}");
    assert_eq!(of_stage(&sandbox.root(), "tokenizer").len(), 2);
    assert!(fs::read(sandbox.report().join("scores.parquet")).unwrap() == scores);

    let ended = file("vocabulary = 280");
    assert_eq!(ended.code, Some(2), "{ended}");
    for words in ["mine.json", "300 entries", "280", "vocabulary = 300"] {
        assert!(ended.stderr.contains(words), "{words}: {ended}");
    }
}

#[test]
fn items_of_the_users_own() {
    let study = STUDY.replace("benchmarks = []", "benchmarks = []\nfiles = [\"items.jsonl\"]");
    let study = study.replace(", \"text/more.txt.gz\", \"text/*.jsonl\"", "");
    let study = study.replace("\"text/*.jsonl.zst\", \"text/*.parquet\"", "\"text/*.jsonl\"");
    let sandbox = Sandbox::with_study(&study);
    sandbox.write("text/one.txt", english("txt", 600).join("\n"));
    sandbox.write("text/two.jsonl", json_lines("body", &chinese("zst", 300)));
    let items: String = (0..6)
        .map(|i| {
            let item = json!({
                "id": format!("q{i}"), "benchmark": "mine", "language": "en",
                "context": format!("txt {i}: who sings? Answer:"),
                "options": [" a fox", " the mill", " my aunt"], "key": i % 3,
            });
            format!("{item}\n")
        })
        .collect();
    sandbox.write("items.jsonl", &items);
    sandbox.succeed(&["run", "tiny.toml", "--quiet"]);
    let mine = rows(&sandbox.report().join("items.parquet"));
    assert_eq!(mine.len(), 6);
    assert!(mine.iter().all(|row| text(row, "benchmark") == "mine"));
    let scores = rows(&sandbox.report().join("scores.parquet"));
    let score = scores.iter().find(|row| text(row, "benchmark") == "mine").unwrap();
    assert!((number(score, "chance") - 1.0 / 3.0).abs() < 1e-12, "{score:?}");

    // A broken line is told before anything is made.
    sandbox.write("items.jsonl", format!("{items}{{\"id\": \"q7\"}}\n"));
    let ended = sandbox.ablate(&["run", "tiny.toml", "--quiet"]);
    assert_eq!(ended.code, Some(2), "{ended}");
    assert!(ended.stderr.contains("items.jsonl") && ended.stderr.contains("line 7"), "{ended}");
    assert_eq!(of_stage(&sandbox.root(), "benchmarks").len(), 1, "{ended}");
}
