//! Files of benchmarks, loose and in archives, and definitions; what is read is asked as well.

use std::io::Write;
use std::path::Path;

use ablate_benchmark::{Ask, Definition, Imported, SHIPPED, import};
use ablate_eval::Scoring;

use crate::fixture;
use crate::reader::{Reader, lay, put};

const GOALS: &str = r#"{"id": "a", "goal": "Light a room", "sol1": "a lantern", "sol2": "a stone"}
{"id": "b", "goal": "Cross a river", "sol1": "on foot", "sol2": "by boat"}
{"id": "c", "goal": "灯笼", "sol1": "\u706f", "sol2": "x\ty"}
"#;
const LABELS: &str = "0\n1\n0\n";
const QUESTIONS: &str =
    "\"What is 2, and \"\"2\"\"?\",4,5,6,7,A\nName a fish,cow,cod,\"a\nb\",hen,B\n";
const CONVERSATIONS: &str = r#"[[["你好", "再见"], [{"question": "谁", "choice": ["甲", "乙"], "answer": "甲"}], "1"],
 [["一"], [{"question": "何", "choice": ["丙", "丁", "戊"], "answer": "戊"}], "2"]]"#;
/// Reads what lies in `small.tar.xz`.
const SMALL: &str = r#"name = "small"

[[files]]
split = "test"
path = "a/b.txt"

[reader]
format = "csv"
columns = ["text"]

[[prompt]]
scoring = "generate"
language = "en"
context = "{text}"
reference = "{text}"
until = ["\n"]
max_tokens = 4
metric = "rouge1"
"#;

pub(crate) const READERS: &[Reader] = &[
    Reader {
        name: "jsonl",
        closed: false,
        whole: || GOALS.into(),
        read: |bytes, folder| {
            lay(folder, "up/dev-labels.lst", LABELS.as_bytes());
            put(folder, "up/dev.jsonl", bytes);
            ask(shipped("piqa"), &folder.join("up"), folder)
        },
    },
    Reader {
        name: "labels",
        closed: false,
        whole: || LABELS.into(),
        read: |bytes, folder| {
            lay(folder, "up/dev.jsonl", GOALS.as_bytes());
            put(folder, "up/dev-labels.lst", bytes);
            ask(shipped("piqa"), &folder.join("up"), folder)
        },
    },
    Reader {
        name: "csv",
        closed: false,
        whole: || QUESTIONS.into(),
        read: |bytes, folder| {
            lay(folder, "up/val/x_val.csv", QUESTIONS.as_bytes());
            lay(folder, "up/dev/x_dev.csv", QUESTIONS.repeat(3).as_bytes());
            put(folder, "up/test/x_test.csv", bytes);
            ask(shipped("mmlu"), &folder.join("up"), folder)
        },
    },
    Reader {
        name: "json",
        closed: false,
        whole: || CONVERSATIONS.into(),
        read: |bytes, folder| {
            lay(folder, "up/c3-m-dev.json", CONVERSATIONS.as_bytes());
            put(folder, "up/c3-d-dev.json", bytes);
            ask(shipped("c3"), &folder.join("up"), folder)
        },
    },
    // Two blocks of zeros end an archive of tar: none of them needs to be there.
    Reader {
        name: "tar",
        closed: false,
        whole: tarred,
        read: |bytes, folder| archive(bytes, folder, "x.tar"),
    },
    Reader {
        name: "tar.gz",
        closed: true,
        whole: || {
            let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            gz.write_all(&tarred()).unwrap();
            gz.finish().unwrap()
        },
        read: |bytes, folder| archive(bytes, folder, "x.tar.gz"),
    },
    Reader {
        name: "tar.xz",
        closed: true,
        whole: || std::fs::read(fixture("benchmark/tests/fixtures/small.tar.xz")).unwrap(),
        read: |bytes, folder| archive(bytes, folder, "x.tar.xz"),
    },
    Reader {
        name: "zip",
        closed: true,
        whole: || {
            let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
            writer.start_file("a/b.txt", zip::write::SimpleFileOptions::default()).unwrap();
            writer.write_all(b"ab").unwrap();
            writer.finish().unwrap().into_inner()
        },
        read: |bytes, folder| archive(bytes, folder, "x.zip"),
    },
    Reader {
        name: "definition",
        closed: false,
        whole: || shipped("c3").into(),
        read: |bytes, folder| {
            lay(folder, "up/c3-m-dev.json", CONVERSATIONS.as_bytes());
            lay(folder, "up/c3-d-dev.json", CONVERSATIONS.as_bytes());
            let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
            ask(text, &folder.join("up"), folder)
        },
    },
];

fn shipped(name: &str) -> &'static str {
    SHIPPED.iter().find(|(other, _)| *other == name).unwrap().1
}

fn tarred() -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(2);
    builder.append_data(&mut header, "a/b.txt", &b"ab"[..]).unwrap();
    builder.into_inner().unwrap()
}

fn archive(bytes: &[u8], folder: &Path, name: &str) -> Result<(), String> {
    put(folder, name, bytes);
    ask(SMALL, &folder.join(name), folder)
}

fn ask(definition: &str, from: &Path, folder: &Path) -> Result<(), String> {
    let parsed = Definition::parse(definition, "x.toml").map_err(|error| error.to_string())?;
    let to = folder.join("imported");
    import(&parsed, (definition, false), from, &to).map_err(|error| error.to_string())?;
    let name = parsed.name.clone();
    let imported = Imported::open(&to.join(name), parsed).map_err(|error| error.to_string())?;
    for scoring in [None, Some(Scoring::Ppl), Some(Scoring::Continuation)] {
        let asked = imported.ask(&Ask { scoring, ..Ask::default() });
        for question in asked.iter().flatten() {
            question.item.check().map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}
