//! BPE tokenizers: training, loading, frequency counts, compaction and id maps.
//!
//! Two kinds, both with a piece for each of the 256 bytes, so that no text is lost:
//!
//! - byte-level BPE, which merges bytes. This is what is trained here, and most `tokenizer.json`
//!   files of Hugging Face;
//! - SentencePiece-style BPE, which merges characters and falls back to bytes for those that are no
//!   pieces: `tokenizer.json` with `byte_fallback`, SentencePiece's `.model`, llama2.c's
//!   `tokenizer.bin`.
//!
//! GGUF files hold tokenizers of both kinds; Qwen's `.tiktoken` files one of bytes.
//!
//! Any UTF-8 text comes back from its tokens byte for byte, unless the tokenizer normalises text
//! ([`Tokenizer::changes`] says how). The document separator (`<|endoftext|>`, id 0, in tokenizers
//! that are trained here) only separates documents: text that happens to contain these characters
//! is encoded as ordinary text.
//!
//! [`compact`] is the paper's way to a small vocabulary: keep the most frequent pieces of a
//! larger tokenizer.
//!
//! What it deliberately does not do: it reads no corpora (it gets texts and counts), it knows no
//! models, and it loads no tokenizers but BPE with all bytes (unigram and WordPiece are refused
//! with a clear error).

mod added;
mod byte_level;
mod char_class;
mod chars;
mod compact;
mod coverage;
mod definition;
mod encode;
mod error;
mod format;
mod frequencies;
mod gguf;
mod hugging_face;
mod learn;
mod llama2c;
mod merge_paths;
mod merge_table;
mod pair_places;
mod pair_ranks;
mod precompiled;
mod preparation;
mod protobuf;
mod scores;
mod sentencepiece;
mod split;
mod tally;
mod tiktoken;
mod tokenizer;
mod train;
mod word_cache;
mod word_counts;
mod words;

pub use compact::{Compacted, compact, smallest};
pub use coverage::{CoveragePoint, coverage, needed, steps};
pub use error::TokenizerError;
pub use frequencies::Frequencies;
pub use tokenizer::{END_OF_TEXT, Tokenizer, bytes_per_token};
pub use train::{LONGEST_PIECE, SPLIT_PATTERN};

/// By old id: the new one, of a list of old ids by new id.
fn invert(new_to_old: &[u32], parent: usize) -> Vec<Option<u32>> {
    let mut old_to_new = vec![None; parent];
    for (&old, new) in new_to_old.iter().zip(0..) {
        old_to_new[old as usize] = Some(new);
    }
    old_to_new
}
