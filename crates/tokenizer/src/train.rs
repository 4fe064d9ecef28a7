//! Training: words are counted, merges are learnt, and the `tokenizers` crate writes the file.

use serde_json::Value;
use tokenizers::decoders::byte_level::ByteLevel;
use tokenizers::models::bpe::{BPE, Vocab};
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::{
    AddedToken, DecoderWrapper, NormalizerWrapper, PostProcessorWrapper, SplitDelimiterBehavior,
    TokenizerBuilder,
};

use crate::byte_level::alphabet;
use crate::learn::{Limits, learn};
use crate::pair_places::Pair;
use crate::split::Splitter;
use crate::word_counts::count_words;
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

/// Bytes of different words, with one more for each, that training numbers at most: places are
/// kept in 32 bits.
const MOST_SYMBOLS: u64 = u32::MAX as u64;

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
    let texts: Vec<&str> = texts.collect();
    let bytes = texts.iter().map(|text| text.len() as u64).sum();
    let splitter = Splitter::of_pattern(SPLIT_PATTERN).map_err(TokenizerError::Definition)?;
    let words = count_words(&texts, &splitter);
    let symbols = words.iter().map(|(word, _)| word.len() as u64 + 1).sum();
    if symbols >= MOST_SYMBOLS {
        return Err(TokenizerError::TooManyWords { bytes: symbols, most: MOST_SYMBOLS });
    }
    let alphabet = Alphabet::new();
    let limits =
        Limits { merges: vocabulary - 257, least_count: LEAST_COUNT, longest: LONGEST_PIECE };
    let merges = learn(&words, &alphabet.ids, 257, limits);
    let possible = 257 + merges.len();
    if possible != vocabulary {
        return Err(TokenizerError::NotEnoughText { asked: vocabulary, possible, bytes });
    }
    written(&alphabet, &merges).map_err(|error| TokenizerError::Definition(error.to_string()))
}

/// The ids of bytes: from 1 on, in the order of their characters.
struct Alphabet {
    ids: [u32; 256],
    /// In the order of ids.
    chars: Vec<char>,
}

impl Alphabet {
    fn new() -> Self {
        let mut bytes: Vec<u8> = (0..=255).collect();
        bytes.sort_by_key(|&byte| alphabet()[usize::from(byte)]);
        let mut ids = [0; 256];
        for (&byte, id) in bytes.iter().zip(1..) {
            ids[usize::from(byte)] = id;
        }
        Self { ids, chars: bytes.iter().map(|&byte| alphabet()[usize::from(byte)]).collect() }
    }
}

/// The `tokenizer.json` of learnt merges.
fn written(alphabet: &Alphabet, merges: &[Pair]) -> tokenizers::Result<Value> {
    let end = AddedToken::from(END_OF_TEXT, true);
    let mut pieces = vec![END_OF_TEXT.to_owned()];
    pieces.extend(alphabet.chars.iter().map(char::to_string));
    let mut pairs = Vec::with_capacity(merges.len());
    for &(left, right) in merges {
        let [left, right] = [left, right].map(|id| pieces[id as usize].clone());
        pieces.push(format!("{left}{right}"));
        pairs.push((left, right));
    }
    let vocabulary: Vocab = pieces.into_iter().zip(0..).collect();
    let model = BPE::builder().vocab_and_merges(vocabulary, pairs).build()?;
    let mut tokenizer = tokenizer(model)?;
    tokenizer.add_special_tokens([end])?;
    Ok(serde_json::to_value(tokenizer)?)
}

fn tokenizer(model: BPE) -> tokenizers::Result<Parts> {
    let pattern = SplitPattern::Regex(SPLIT_PATTERN.to_owned());
    let split = Split::new(pattern, SplitDelimiterBehavior::Isolated, false)?;
    let bytes = ByteLevel::new(false, false, false);
    TokenizerBuilder::default()
        .with_model(model)
        .with_normalizer(None)
        .with_pre_tokenizer(Some(PreTokenizerWrapper::Sequence(Sequence::new(vec![
            split.into(),
            bytes.into(),
        ]))))
        .with_post_processor(None)
        .with_decoder(Some(bytes.into()))
        .build()
}
