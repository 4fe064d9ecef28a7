//! Texts to train on, and the token shards that are made of them.

use std::io::Write;
use std::path::Path;

use ablate_corpus::{DocumentSplit, FileSource, Shard, ShardWriter, read_files};

use crate::fixture;
use crate::reader::{Reader, put};

const LINES: &str =
    "{\"text\": \"The lantern\\n\"}\n{\"text\": \"灯笼\", \"other\": [1, {\"a\": null}]}\n";

pub(crate) const READERS: &[Reader] = &[
    Reader {
        name: "txt",
        closed: false,
        whole: || "The lantern.\n\n灯笼\r\n\r\n\u{feff}x \u{0}\n".into(),
        read: |bytes, folder| documents(bytes, folder, "x.txt"),
    },
    Reader {
        name: "corpus.jsonl",
        closed: false,
        whole: || LINES.into(),
        read: |bytes, folder| documents(bytes, folder, "x.jsonl"),
    },
    Reader {
        name: "corpus.jsonl.gz",
        closed: true,
        whole: || {
            let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            gz.write_all(LINES.as_bytes()).unwrap();
            gz.finish().unwrap()
        },
        read: |bytes, folder| documents(bytes, folder, "x.jsonl.gz"),
    },
    Reader {
        name: "corpus.jsonl.zst",
        closed: true,
        whole: || zstd::encode_all(LINES.as_bytes(), 1).unwrap(),
        read: |bytes, folder| documents(bytes, folder, "x.jsonl.zst"),
    },
    Reader {
        name: "parquet-gzip",
        closed: true,
        whole: || parquet("gzip"),
        read: |bytes, folder| documents(bytes, folder, "x.parquet"),
    },
    Reader {
        name: "parquet-lz4",
        closed: true,
        whole: || parquet("lz4"),
        read: |bytes, folder| documents(bytes, folder, "x.parquet"),
    },
    Reader {
        name: "parquet-snappy",
        closed: true,
        whole: || parquet("snappy"),
        read: |bytes, folder| documents(bytes, folder, "x.parquet"),
    },
    Reader {
        name: "parquet-zstd",
        closed: true,
        whole: || parquet("zstd"),
        read: |bytes, folder| documents(bytes, folder, "x.parquet"),
    },
    Reader {
        name: "shard",
        closed: true,
        whole: || {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("x.shard");
            let mut writer = ShardWriter::create(&path, 300).unwrap();
            for document in [&[1, 2, 299, 0][..], &[7, 0]] {
                writer.push(document, 5).unwrap();
            }
            writer.finish().unwrap();
            std::fs::read(path).unwrap()
        },
        read: |bytes, folder| {
            put(folder, "x.shard", bytes);
            let shard = Shard::open(&folder.join("x.shard")).map_err(|error| error.to_string())?;
            shard.verify().map_err(|error| error.to_string())?;
            shard.token_counts().map(drop).map_err(|error| error.to_string())?;
            let tokens = shard.info().tokens;
            assert_eq!(shard.window(0, tokens as usize).len() as u64, tokens);
            Ok(())
        },
    },
];

fn parquet(codec: &str) -> Vec<u8> {
    std::fs::read(fixture(&format!("corpus/tests/fixtures/{codec}.parquet"))).unwrap()
}

fn documents(bytes: &[u8], folder: &Path, name: &str) -> Result<(), String> {
    put(folder, name, bytes);
    let source = FileSource {
        paths: vec![name.to_owned()],
        language: "en".to_owned(),
        text_field: "text".to_owned(),
        split: DocumentSplit::Paragraph,
    };
    for document in read_files(&source, folder).map_err(|error| error.to_string())? {
        let document = document.map_err(|error| error.to_string())?;
        assert!(!document.text.is_empty());
    }
    Ok(())
}
