//! Writing a token shard, one document at a time.

use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::shard_format::{HEADER, LARGEST_VOCABULARY, width};
use crate::{CorpusError, ShardInfo};

/// Writes a token shard. Only [`ShardWriter::finish`] makes the file a valid one.
pub struct ShardWriter {
    path: PathBuf,
    file: BufWriter<File>,
    info: ShardInfo,
    bounds: Vec<u64>,
    /// The document that is being written.
    encoded: Vec<u8>,
}

impl ShardWriter {
    /// Starts a shard for token ids below `vocabulary`; an existing file is replaced.
    ///
    /// # Errors
    /// A vocabulary above 2^24; a file that cannot be written.
    pub fn create(path: &Path, vocabulary: usize) -> Result<Self, CorpusError> {
        if vocabulary > LARGEST_VOCABULARY {
            let (path, largest) = (path.to_owned(), LARGEST_VOCABULARY);
            return Err(CorpusError::VocabularyTooLarge { path, vocabulary, largest });
        }
        let file = File::create(path).map_err(CorpusError::io(path))?;
        let mut file = BufWriter::with_capacity(1 << 20, file);
        file.write_all(&[0; HEADER]).map_err(CorpusError::io(path))?;
        let info = ShardInfo { tokens: 0, documents: 0, bytes: 0, vocabulary };
        Ok(Self { path: path.to_owned(), file, info, bounds: vec![0], encoded: Vec::new() })
    }

    /// Appends the tokens of a document, its end token included, that stand for `bytes` bytes
    /// of text.
    ///
    /// # Errors
    /// A document without tokens, an id outside the vocabulary (nothing is written then), or a
    /// full disk.
    pub fn push(&mut self, document: &[u32], bytes: u64) -> Result<(), CorpusError> {
        let ShardInfo { documents: index, vocabulary, .. } = self.info;
        if document.is_empty() {
            return Err(CorpusError::EmptyDocument { path: self.path.clone(), document: index });
        }
        if let Some(&token) = document.iter().find(|&&token| token as usize >= vocabulary) {
            let path = self.path.clone();
            return Err(CorpusError::TokenOutOfRange { path, token, document: index, vocabulary });
        }
        self.encoded.clear();
        if width(vocabulary) == 4 {
            self.encoded.extend(document.iter().flat_map(|token| token.to_le_bytes()));
        } else {
            self.encoded.extend(document.iter().flat_map(|&token| (token as u16).to_le_bytes()));
        }
        self.file.write_all(&self.encoded).map_err(CorpusError::io(&self.path))?;
        self.info.tokens += document.len() as u64;
        self.info.documents += 1;
        self.info.bytes += bytes;
        self.bounds.push(self.info.tokens);
        Ok(())
    }

    /// Writes offsets and header.
    ///
    /// # Errors
    /// A shard without documents, or a full disk.
    pub fn finish(mut self) -> Result<ShardInfo, CorpusError> {
        if self.info.documents == 0 {
            return Err(CorpusError::Empty { what: format!("{}", self.path.display()) });
        }
        self.write_ends().map_err(CorpusError::io(&self.path))?;
        Ok(self.info)
    }

    fn write_ends(&mut self) -> std::io::Result<()> {
        let tokens = self.info.tokens * width(self.info.vocabulary);
        let padding = tokens.next_multiple_of(8) - tokens;
        self.file.write_all(&[0; 8][..padding as usize])?;
        for bound in &self.bounds {
            self.file.write_all(&bound.to_le_bytes())?;
        }
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&self.info.to_header())?;
        self.file.flush()
    }
}
