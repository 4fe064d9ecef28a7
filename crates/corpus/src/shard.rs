//! Reading a token shard through a memory map.

use std::fs::File;
use std::path::{Path, PathBuf};

use memmap2::Mmap;
use rayon::prelude::*;

use crate::shard_format::{HEADER, width};
use crate::{CorpusError, ShardInfo};

/// Tokens counted by one thread at a time.
const CHUNK: usize = 1 << 20;

/// A token shard, mapped into memory: opening costs nothing per token, and several workers
/// share one copy. The file must not be changed while it is open; the store never does that.
pub struct Shard {
    path: PathBuf,
    map: Mmap,
    info: ShardInfo,
    bounds: Vec<u64>,
}

impl Shard {
    /// Maps a shard and checks its header, its length and its document offsets. That every id
    /// is inside the vocabulary is what [`Shard::verify`] checks, since it reads every token.
    ///
    /// # Errors
    /// A file that is missing, unfinished, cut short, or of another version.
    pub fn open(path: &Path) -> Result<Self, CorpusError> {
        let bad = |reason: String| CorpusError::BadShard { path: path.to_owned(), reason };
        let file = File::open(path).map_err(CorpusError::io(path))?;
        let length = file.metadata().map_err(CorpusError::io(path))?.len();
        if length < HEADER as u64 {
            // An empty file cannot be mapped.
            return Err(bad(ShardInfo::from_header(&[], length).err().unwrap_or_default()));
        }
        // SAFETY: a map is sound as long as nobody writes to the file. Shards live in a store
        // that never changes a finished file.
        let map = unsafe { Mmap::map(&file) }.map_err(CorpusError::io(path))?;
        let info = ShardInfo::from_header(&map[..HEADER], length).map_err(bad)?;
        let start = info.bounds_at().unwrap_or(length) as usize;
        // The length was checked, so this is as large as the file's own list.
        let (words, _) = map[start..].as_chunks::<8>();
        let bounds: Vec<u64> = words.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect();
        let rising = bounds.windows(2).all(|pair| pair[0] < pair[1]);
        if !rising || bounds.first() != Some(&0) || bounds.last() != Some(&info.tokens) {
            return Err(bad("its document offsets are not in order".to_owned()));
        }
        Ok(Self { path: path.to_owned(), map, info, bounds })
    }

    /// Counts of the shard.
    pub fn info(&self) -> ShardInfo {
        self.info
    }

    /// Where documents start: `documents + 1` token offsets, the last being the number of
    /// tokens, so document `i` is `bounds[i]..bounds[i + 1]`.
    pub fn document_bounds(&self) -> &[u64] {
        &self.bounds
    }

    /// Copies `length` tokens from token `start` on.
    ///
    /// # Panics
    /// When the window reaches beyond the last token.
    pub fn window(&self, start: u64, length: usize) -> Vec<u32> {
        let mut out = vec![0; length];
        self.read_into(start, &mut out);
        out
    }

    /// Fills `out` with the tokens from `start` on.
    ///
    /// # Panics
    /// When the window reaches beyond the last token.
    pub fn read_into(&self, start: u64, out: &mut [u32]) {
        let end = start.checked_add(out.len() as u64).filter(|&end| end <= self.info.tokens);
        let Some(end) = end else {
            panic!("{} tokens from {start} on are beyond {}", out.len(), self.info.tokens);
        };
        let width = width(self.info.vocabulary);
        let bytes = &self.map[HEADER + (start * width) as usize..HEADER + (end * width) as usize];
        if width == 2 {
            for (token, bytes) in out.iter_mut().zip(bytes.as_chunks::<2>().0) {
                *token = u32::from(u16::from_le_bytes(*bytes));
            }
        } else {
            for (token, bytes) in out.iter_mut().zip(bytes.as_chunks::<4>().0) {
                *token = u32::from_le_bytes(*bytes);
            }
        }
    }

    /// How often every token id occurs, indexed by id; counted in parallel.
    ///
    /// # Errors
    /// An id outside the vocabulary, which only a damaged file has.
    pub fn token_counts(&self) -> Result<Vec<u64>, CorpusError> {
        let chunks = self.info.tokens.div_ceil(CHUNK as u64);
        let empty = || (vec![0u64; self.info.vocabulary], None);
        let (counts, stray) = (0..chunks)
            .into_par_iter()
            .fold(empty, |(mut counts, mut stray), chunk| {
                let start = chunk * CHUNK as u64;
                let length = (self.info.tokens - start).min(CHUNK as u64) as usize;
                for token in self.window(start, length) {
                    match counts.get_mut(token as usize) {
                        Some(count) => *count += 1,
                        None => stray = stray.max(Some(token)),
                    }
                }
                (counts, stray)
            })
            .reduce(empty, |(mut counts, stray), (others, other)| {
                for (count, other) in counts.iter_mut().zip(others) {
                    *count += other;
                }
                (counts, stray.max(other))
            });
        match stray {
            None => Ok(counts),
            Some(token) => Err(CorpusError::BadShard {
                path: self.path.clone(),
                reason: format!("token {token} in a vocabulary of {}", self.info.vocabulary),
            }),
        }
    }

    /// Reads every token and checks that it is inside the vocabulary.
    ///
    /// # Errors
    /// An id outside the vocabulary.
    pub fn verify(&self) -> Result<(), CorpusError> {
        self.token_counts().map(|_| ())
    }
}
