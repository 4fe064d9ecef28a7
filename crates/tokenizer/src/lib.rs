//! Byte-level BPE: training, loading, frequency counts, compaction and id maps.
//!
//! Every tokenizer here is lossless: it has a piece for each of the 256 bytes and no normaliser,
//! so any UTF-8 text comes back from its tokens byte for byte. `<|endoftext|>` (id 0 in
//! tokenizers that are trained or compacted here) only separates documents: text that happens
//! to contain these characters is encoded as ordinary text.
//!
//! [`compact`] is the paper's way to a small vocabulary: keep the most frequent pieces of a
//! larger tokenizer.
//!
//! What it deliberately does not do: it reads no corpora (it gets texts and counts), it knows no
//! models, and it loads no tokenizers but byte-level BPE (unigram, WordPiece and SentencePiece
//! BPE are refused with a clear error).

mod byte_level;
mod char_class;
mod compact;
mod coverage;
mod definition;
mod encode;
mod error;
mod frequencies;
mod learn;
mod merge_paths;
mod merge_table;
mod pair_places;
mod pair_ranks;
mod split;
mod tally;
mod tokenizer;
mod train;
mod word_cache;
mod word_counts;

pub use compact::{Compacted, compact};
pub use coverage::{CoveragePoint, coverage};
pub use error::TokenizerError;
pub use frequencies::Frequencies;
pub use tokenizer::{END_OF_TEXT, Tokenizer, bytes_per_token};
pub use train::{LONGEST_PIECE, SPLIT_PATTERN};
