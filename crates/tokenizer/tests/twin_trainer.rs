//! Training gives the file that the `tokenizers` crate's own trainer gives.

use std::collections::HashSet;
use std::path::Path;

use ablate_tokenizer::{END_OF_TEXT, LONGEST_PIECE, SPLIT_PATTERN, Tokenizer, TokenizerError};
use proptest::prelude::*;
use tokenizers::decoders::byte_level::ByteLevel;
use tokenizers::models::bpe::{BPE, BpeTrainer};
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::{
    AddedToken, DecoderWrapper, NormalizerWrapper, PostProcessorWrapper, SplitDelimiterBehavior,
    TokenizerBuilder, TokenizerImpl,
};

type Twin = TokenizerImpl<
    BPE,
    NormalizerWrapper,
    PreTokenizerWrapper,
    PostProcessorWrapper,
    DecoderWrapper,
>;

/// The file of the crate's trainer, and its entries.
fn theirs(texts: &[&str], vocabulary: usize) -> (String, usize) {
    let pattern = SplitPattern::Regex(SPLIT_PATTERN.to_owned());
    let split = Split::new(pattern, SplitDelimiterBehavior::Isolated, false).unwrap();
    let bytes = ByteLevel::new(false, false, false);
    let steps = Sequence::new(vec![split.into(), bytes.into()]);
    let mut twin: Twin = TokenizerBuilder::default()
        .with_model(BPE::default())
        .with_normalizer(None)
        .with_pre_tokenizer(Some(PreTokenizerWrapper::Sequence(steps)))
        .with_post_processor(None)
        .with_decoder(Some(bytes.into()))
        .build()
        .unwrap();
    let mut trainer = BpeTrainer::builder()
        .show_progress(false)
        .vocab_size(vocabulary)
        .min_frequency(2)
        .special_tokens(vec![AddedToken::from(END_OF_TEXT, true)])
        .initial_alphabet(ByteLevel::alphabet().into_iter().collect::<HashSet<char>>())
        .max_token_length(Some(LONGEST_PIECE + 1))
        .build();
    twin.train(&mut trainer, texts.iter()).unwrap();
    (serde_json::to_value(&twin).unwrap().to_string() + "\n", twin.get_vocab_size(true))
}

fn check(texts: &[&str], vocabulary: usize) -> Result<(), TestCaseError> {
    let (theirs, entries) = theirs(texts, vocabulary);
    match Tokenizer::train(texts.iter().copied(), vocabulary) {
        Ok(ours) => {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("tokenizer.json");
            ours.save(&path).unwrap();
            prop_assert_eq!(std::fs::read_to_string(path).unwrap(), theirs);
        }
        Err(TokenizerError::NotEnoughText { possible, .. }) => prop_assert_eq!(possible, entries),
        Err(error) => prop_assert!(false, "{}", error),
    }
    Ok(())
}

/// Sentences of words and clauses that occur as often as Zipf's law has it.
fn sentences(seed: u64, number: usize, clauses: bool) -> Vec<String> {
    let mut state = seed;
    let mut below = |bound: u64| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % bound
    };
    let mut zipf = |most: u64| {
        let range = 1 + below(most);
        below(range)
    };
    let sentence = |_| {
        let mut text = String::new();
        for _ in 0..zipf(30) {
            if clauses {
                for _ in 0..1 + zipf(20) {
                    text.extend(char::from_u32(0x4e00 + 7 * zipf(600) as u32));
                }
                text.push_str(if zipf(3) == 0 { "，" } else { "。" });
            } else {
                for _ in 0..1 + zipf(9) {
                    text.push((b'a' + zipf(26) as u8) as char);
                }
                text.push_str([" ", " ", ", ", ".\n", "'s ", " 12", "_"][zipf(7) as usize]);
            }
        }
        text
    };
    (0..number).map(sentence).collect()
}

#[test]
fn the_fixture() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/training.txt");
    let text = std::fs::read_to_string(path).unwrap();
    let texts: Vec<&str> = text.split("\n\n").collect();
    for vocabulary in [257, 258, 300, 640, 1000, 9000] {
        check(&texts, vocabulary).unwrap();
    }
}

#[test]
fn words_clauses_and_both() {
    let [words, clauses] = [false, true].map(|clauses| sentences(7, 3000, clauses));
    let both: Vec<&str> = words.iter().chain(&clauses).map(String::as_str).collect();
    let (words, clauses) = both.split_at(words.len());
    for texts in [words, clauses, &both] {
        for vocabulary in [500, 2000, 5000] {
            check(texts, vocabulary).unwrap();
        }
    }
}

#[test]
fn runs_that_overlap_with_themselves() {
    let texts: Vec<String> =
        (1..60).map(|n| format!("{} {}", "a".repeat(n), "ab".repeat(n / 2))).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let more =
        ["哈哈哈哈哈哈", "哈哈哈", "------", "---", "\n\n\n\n", "    x", "        y"].repeat(3);
    check(&[texts, more].concat(), 400).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn any_texts(texts in prop::collection::vec(any::<String>(), 0..30), more in 0usize..60) {
        // Each twice, so that pairs are frequent enough.
        let texts: Vec<&str> = texts.iter().chain(&texts).map(String::as_str).collect();
        check(&texts, 257 + more)?;
    }

    #[test]
    fn sentences_of_any_seed(seed in any::<u64>(), vocabulary in 257usize..900) {
        let texts = [sentences(seed, 40, false), sentences(seed, 40, true)].concat();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        check(&texts, vocabulary)?;
    }
}
