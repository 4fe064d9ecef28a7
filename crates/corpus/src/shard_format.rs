//! The layout of a token shard.
//!
//! ```text
//! offset  bytes  content (little-endian)
//!      0      8  magic "ABLSHARD"
//!      8      4  version, 1
//!     12      4  bytes per token: 2 up to 65,536 entries of the vocabulary, else 4
//!     16      8  vocabulary
//!     24      8  tokens
//!     32      8  documents
//!     40      8  bytes of the text that the tokens stand for
//!     48     16  zero
//!     64      …  tokens, one document after the other, each with its end token
//!      …   0..7  zero, up to a multiple of 8
//!      …      …  documents + 1 offsets of 8 bytes: token at which each document starts,
//!                and the number of tokens
//! ```
//!
//! The header is written last, so a shard that was not finished has no magic.

/// Counts of a token shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ShardInfo {
    /// Tokens, end tokens included.
    pub tokens: u64,
    /// Documents.
    pub documents: u64,
    /// Bytes of the text that the tokens stand for.
    pub bytes: u64,
    /// Entries of the vocabulary; every token id is below.
    pub vocabulary: usize,
}

pub(crate) const HEADER: usize = 64;

/// Largest vocabulary that a shard may have: far above every real one, and low enough that
/// a table of counts always fits in memory, whatever a damaged header says.
pub(crate) const LARGEST_VOCABULARY: usize = 1 << 24;

const MAGIC: &[u8; 8] = b"ABLSHARD";
const VERSION: u32 = 1;

/// Bytes that a token takes.
pub(crate) fn width(vocabulary: usize) -> u64 {
    if vocabulary <= 1 << 16 { 2 } else { 4 }
}

impl ShardInfo {
    pub(crate) fn to_header(self) -> [u8; HEADER] {
        let mut header = [0; HEADER];
        header[..8].copy_from_slice(MAGIC);
        header[8..12].copy_from_slice(&VERSION.to_le_bytes());
        header[12..16].copy_from_slice(&(width(self.vocabulary) as u32).to_le_bytes());
        for (slot, value) in [self.vocabulary as u64, self.tokens, self.documents, self.bytes]
            .into_iter()
            .enumerate()
        {
            header[16 + 8 * slot..24 + 8 * slot].copy_from_slice(&value.to_le_bytes());
        }
        header
    }

    /// Reads a header and checks that a file of `length` bytes can have it.
    pub(crate) fn from_header(header: &[u8], length: u64) -> Result<Self, String> {
        if header.len() < HEADER {
            return Err(format!("{length} bytes are shorter than its header of {HEADER}"));
        }
        let word =
            |at: usize| u32::from_le_bytes(header[at..at + 4].try_into().unwrap_or_default());
        let long =
            |at: usize| u64::from_le_bytes(header[at..at + 8].try_into().unwrap_or_default());
        if &header[..8] != MAGIC {
            return Err(
                "it does not start like one, so it was not finished or is another file".into()
            );
        }
        if word(8) != VERSION {
            return Err(format!("version {} is not {VERSION}, which this build reads", word(8)));
        }
        let vocabulary = long(16).min(usize::MAX as u64) as usize;
        if vocabulary > LARGEST_VOCABULARY {
            return Err(format!("no shard has a vocabulary of {vocabulary}"));
        }
        let info = Self { vocabulary, tokens: long(24), documents: long(32), bytes: long(40) };
        if u64::from(word(12)) != width(vocabulary) {
            return Err(format!("{} bytes per token do not fit {vocabulary} entries", word(12)));
        }
        match info.length() {
            Some(expected) if expected == length => Ok(info),
            Some(expected) => {
                Err(format!("{length} bytes instead of {expected}, so it was cut or changed"))
            }
            None => Err("its counts overflow".to_owned()),
        }
    }

    /// Offset of the document offsets.
    pub(crate) fn bounds_at(&self) -> Option<u64> {
        let tokens = self.tokens.checked_mul(width(self.vocabulary))?;
        tokens.checked_next_multiple_of(8)?.checked_add(HEADER as u64)
    }

    /// Length of the file.
    fn length(&self) -> Option<u64> {
        let bounds = self.documents.checked_add(1)?.checked_mul(8)?;
        self.bounds_at()?.checked_add(bounds)
    }
}
