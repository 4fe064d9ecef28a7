//! Files to a stream of documents.

use std::path::{Path, PathBuf};

use crate::jsonl::JsonReader;
use crate::lines::{Lines, Packing};
use crate::parquet_column::ParquetReader;
use crate::paths::expand;
use crate::text::TextReader;
use crate::{CorpusError, Document, FileSource};

/// Streams the documents of a source: files in the order of [`expand`], documents in the order
/// of the file. Memory stays bounded by the largest document.
///
/// Every pattern and extension is checked before the first document. The stream ends after its
/// first error, and a source without any text ends with [`CorpusError::Empty`].
///
/// # Errors
/// Those of [`expand`]; a file whose extension names no known format.
pub fn read_files(source: &FileSource, base: &Path) -> Result<Documents, CorpusError> {
    let files = expand(&source.paths, base)?;
    for file in &files {
        Format::of(file)?;
    }
    Ok(Documents {
        source: source.clone(),
        files: files.into_iter(),
        reader: None,
        given: 0,
        ended: false,
    })
}

/// The documents of a [`FileSource`]; see [`read_files`].
pub struct Documents {
    source: FileSource,
    files: std::vec::IntoIter<PathBuf>,
    reader: Option<Reader>,
    given: u64,
    ended: bool,
}

impl Documents {
    fn next_document(&mut self) -> Result<Option<Document>, CorpusError> {
        loop {
            if let Some(reader) = &mut self.reader {
                if let Some(text) = reader.next_document()? {
                    self.given += 1;
                    return Ok(Some(Document { text, language: self.source.language.clone() }));
                }
                self.reader = None;
            }
            match self.files.next() {
                Some(file) => self.reader = Some(Reader::open(&file, &self.source)?),
                None if self.given > 0 => return Ok(None),
                None => {
                    let what = format!("`{}`", self.source.paths.join("`, `"));
                    return Err(CorpusError::Empty { what });
                }
            }
        }
    }
}

impl Iterator for Documents {
    type Item = Result<Document, CorpusError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.next_document().transpose();
        self.ended = !matches!(next, Some(Ok(_)));
        next
    }
}

#[derive(Clone, Copy)]
enum Format {
    Text(Packing),
    Jsonl(Packing),
    Parquet,
}

impl Format {
    fn of(path: &Path) -> Result<Self, CorpusError> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        let (stem, packing) = match name.rsplit_once('.') {
            Some((stem, "gz")) => (stem, Packing::Gzip),
            Some((stem, "zst")) => (stem, Packing::Zstd),
            _ => (name.as_str(), Packing::Plain),
        };
        match (stem.rsplit_once('.').map(|(_, extension)| extension), packing) {
            (Some("txt"), _) => Ok(Self::Text(packing)),
            (Some("jsonl"), _) => Ok(Self::Jsonl(packing)),
            (Some("parquet"), Packing::Plain) => Ok(Self::Parquet),
            _ => Err(CorpusError::UnknownFormat { path: path.to_owned() }),
        }
    }
}

enum Reader {
    Text(TextReader),
    Jsonl(JsonReader),
    Parquet(Box<ParquetReader>),
}

impl Reader {
    fn open(path: &Path, source: &FileSource) -> Result<Self, CorpusError> {
        Ok(match Format::of(path)? {
            Format::Text(packing) => {
                Self::Text(TextReader { lines: Lines::open(path, packing)?, split: source.split })
            }
            Format::Jsonl(packing) => Self::Jsonl(JsonReader {
                lines: Lines::open(path, packing)?,
                field: source.text_field.clone(),
            }),
            Format::Parquet => {
                Self::Parquet(Box::new(ParquetReader::open(path, &source.text_field)?))
            }
        })
    }

    fn next_document(&mut self) -> Result<Option<String>, CorpusError> {
        match self {
            Self::Text(reader) => reader.next_document(),
            Self::Jsonl(reader) => reader.next_document(),
            Self::Parquet(reader) => reader.next_document(),
        }
    }
}
