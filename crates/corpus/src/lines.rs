//! Lines of a plain or compressed file, checked to be UTF-8.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

use crate::CorpusError;

/// Bytes of a line or document above which a file is refused: memory stays bounded, and no
/// sensible document is that long.
pub(crate) const LONGEST: usize = 1 << 28;

const BUFFER: usize = 1 << 17;

/// How the bytes of a file are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    Plain,
    Gzip,
    Zstd,
}

/// A file's lines, one at a time.
pub(crate) struct Lines {
    path: PathBuf,
    packed: bool,
    reader: Box<dyn BufRead + Send>,
    buffer: Vec<u8>,
    /// Offset of the line after the one in `buffer`, in unpacked bytes.
    offset: u64,
    /// Lines read.
    line: u64,
}

impl Lines {
    pub(crate) fn open(path: &Path, packing: Packing) -> Result<Self, CorpusError> {
        let file = File::open(path).map_err(CorpusError::io(path))?;
        let file = BufReader::with_capacity(BUFFER, file);
        let reader: Box<dyn BufRead + Send> = match packing {
            Packing::Plain => Box::new(file),
            Packing::Gzip => Box::new(BufReader::with_capacity(BUFFER, MultiGzDecoder::new(file))),
            Packing::Zstd => {
                let decoder = zstd::Decoder::with_buffer(file).map_err(CorpusError::io(path))?;
                Box::new(BufReader::with_capacity(BUFFER, decoder))
            }
        };
        Ok(Self {
            path: path.to_owned(),
            packed: packing != Packing::Plain,
            reader,
            buffer: Vec::new(),
            offset: 0,
            line: 0,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Number of the line given last, from 1.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    /// The next line without its `\n` (a CR before it stays), or none at the end.
    pub(crate) fn next_line(&mut self) -> Result<Option<&str>, CorpusError> {
        self.buffer.clear();
        let limit = LONGEST as u64 + 1;
        let read = (&mut self.reader).take(limit).read_until(b'\n', &mut self.buffer);
        let read = read.map_err(|error| match (self.packed, error.raw_os_error()) {
            (true, None) => CorpusError::Corrupt {
                path: self.path.clone(),
                line: self.line,
                reason: error.to_string(),
            },
            _ => CorpusError::Io { path: self.path.clone(), source: error },
        })?;
        if read == 0 {
            return Ok(None);
        }
        self.line += 1;
        if read > LONGEST {
            return Err(CorpusError::TooLong {
                path: self.path.clone(),
                line: self.line,
                limit: LONGEST,
            });
        }
        let start = self.offset;
        self.offset += read as u64;
        if self.buffer.last() == Some(&b'\n') {
            self.buffer.pop();
        }
        std::str::from_utf8(&self.buffer).map(Some).map_err(|error| CorpusError::InvalidUtf8 {
            path: self.path.clone(),
            offset: start + error.valid_up_to() as u64,
            line: self.line,
        })
    }
}
