//! Training with the `tokenizers` crate.

use std::collections::HashSet;

use serde_json::Value;
use tokenizers::decoders::byte_level::ByteLevel;
use tokenizers::models::bpe::{BPE, BpeTrainer};
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::{
    AddedToken, DecoderWrapper, NormalizerWrapper, PostProcessorWrapper, SplitDelimiterBehavior,
    TokenizerBuilder,
};

use crate::byte_level::alphabet;
use crate::encode::blocks;
use crate::{END_OF_TEXT, TokenizerError};

/// The pattern that cuts text into words before merging, the one of Qwen2: contractions, a run
/// of letters with the sign or space before it, single digits (so that sums are seen digit by
/// digit), runs of signs, line breaks, spaces.
///
/// Two reasons to take an existing one: it was made for Chinese and English text, and programs
/// that recognise pre-tokenizers by their pattern (llama.cpp) know it as `qwen2`.
pub const SPLIT_PATTERN: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// Bytes of the longest piece that training makes.
///
/// Chinese writes no spaces, so that a whole clause is one "word" for the pattern; without a
/// limit frequent clauses would become pieces, while English pieces end with the word. Cutting
/// runs of Han characters after a fixed number of them would tear words apart depending on
/// where the clause starts; limiting pieces does not. 16 bytes are five Han characters (the
/// set phrases of Chinese have four) or an English word of 15 letters with its space.
pub const LONGEST_PIECE: usize = 16;

/// Occurrences that a pair needs to become a piece: one seen once says nothing about language.
const LEAST_COUNT: u64 = 2;

type Parts = tokenizers::TokenizerImpl<
    BPE,
    NormalizerWrapper,
    PreTokenizerWrapper,
    PostProcessorWrapper,
    DecoderWrapper,
>;

/// Trains and gives the contents of `tokenizer.json`.
pub(crate) fn train<'a>(
    texts: impl Iterator<Item = &'a str>,
    vocabulary: usize,
) -> Result<Value, TokenizerError> {
    if vocabulary < 257 {
        return Err(TokenizerError::VocabularyTooSmall { asked: vocabulary, special: 1 });
    }
    let mut bytes = 0;
    let texts: Vec<&str> =
        texts.inspect(|text| bytes += text.len() as u64).flat_map(blocks).collect();
    let refused = |error: tokenizers::Error| TokenizerError::Definition(error.to_string());
    let mut tokenizer = untrained().map_err(refused)?;
    let mut trainer = BpeTrainer::builder()
        .show_progress(false)
        .vocab_size(vocabulary)
        .min_frequency(LEAST_COUNT)
        .special_tokens(vec![AddedToken::from(END_OF_TEXT, true)])
        .initial_alphabet(alphabet().iter().copied().collect::<HashSet<char>>())
        // The trainer keeps pieces strictly shorter than this.
        .max_token_length(Some(LONGEST_PIECE + 1))
        .build();
    tokenizer.train(&mut trainer, texts.iter()).map_err(refused)?;
    let possible = tokenizer.get_vocab_size(true);
    if possible != vocabulary {
        return Err(TokenizerError::NotEnoughText { asked: vocabulary, possible, bytes });
    }
    serde_json::to_value(tokenizer).map_err(|error| TokenizerError::Definition(error.to_string()))
}

fn untrained() -> tokenizers::Result<Parts> {
    let pattern = SplitPattern::Regex(SPLIT_PATTERN.to_owned());
    let split = Split::new(pattern, SplitDelimiterBehavior::Isolated, false)?;
    let bytes = ByteLevel::new(false, false, false);
    TokenizerBuilder::default()
        .with_model(BPE::default())
        .with_normalizer(None)
        .with_pre_tokenizer(Some(PreTokenizerWrapper::Sequence(Sequence::new(vec![
            split.into(),
            bytes.into(),
        ]))))
        .with_post_processor(None)
        .with_decoder(Some(bytes.into()))
        .build()
}
