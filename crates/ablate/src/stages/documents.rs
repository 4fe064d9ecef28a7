//! Documents of a corpus in the store: one JSON object a line.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;

use ablate_corpus::Document;
use ablate_pipeline::Failure;
use serde::{Deserialize, Serialize};

use super::machine;

/// Training text of a corpus, in the order of its mixture.
pub const TRAINING: &str = "train.jsonl";

/// File of the held-out text of a language.
pub fn validation(language: &str) -> String {
    format!("validation-{language}.jsonl")
}

#[derive(Serialize, Deserialize)]
struct Line {
    language: String,
    text: String,
}

pub struct DocumentWriter {
    out: BufWriter<File>,
}

impl DocumentWriter {
    pub fn create(path: &Path) -> Result<Self, Failure> {
        Ok(Self { out: BufWriter::new(File::create(path).map_err(machine)?) })
    }

    pub fn push(&mut self, document: Document) -> Result<(), Failure> {
        let line = Line { language: document.language, text: document.text };
        serde_json::to_writer(&mut self.out, &line).map_err(machine)?;
        self.out.write_all(b"\n").map_err(machine)
    }

    pub fn finish(mut self) -> Result<(), Failure> {
        self.out.flush().map_err(machine)
    }
}

/// The documents of a file that a [`DocumentWriter`] wrote.
pub fn read(path: &Path) -> Result<impl Iterator<Item = Result<Document, Failure>>, Failure> {
    let file = File::open(path)
        .map_err(|error| machine(format!("cannot read `{}`: {error}", path.display())))?;
    let path = path.to_owned();
    Ok(BufReader::new(file).lines().map(move |line| {
        let line: Line = serde_json::from_str(&line.map_err(machine)?)
            .map_err(|error| machine(format!("`{}` is damaged: {error}", path.display())))?;
        Ok(Document { text: line.text, language: line.language })
    }))
}
