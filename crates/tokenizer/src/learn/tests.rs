//! Merges against those of the `tokenizers` crate's trainer.

use std::collections::HashSet;

use super::*;
use crate::byte_level::alphabet;
use proptest::prelude::*;
use tokenizers::Trainer as _;
use tokenizers::models::bpe::{BPE, BpeTrainer};

fn byte_ids() -> [u32; 256] {
    let mut bytes: Vec<u8> = (0..=255).collect();
    bytes.sort_by_key(|&byte| alphabet()[usize::from(byte)]);
    let mut ids = [0; 256];
    for (byte, id) in bytes.into_iter().zip(0..) {
        ids[usize::from(byte)] = id;
    }
    ids
}

/// The merges that the `tokenizers` crate learns from words, by its ids, which are ours.
fn theirs(words: &[(&[u8], u64)], limits: Limits) -> Vec<Pair> {
    let mut trainer = BpeTrainer::builder()
        .show_progress(false)
        .vocab_size(256 + limits.merges)
        .min_frequency(limits.least_count)
        .initial_alphabet(alphabet().iter().copied().collect::<HashSet<char>>())
        .max_token_length(Some(limits.longest + 1))
        .build();
    let written = |word: &[u8]| word.iter().map(|&byte| alphabet()[usize::from(byte)]).collect();
    let texts =
        words.iter().flat_map(|&(word, count)| std::iter::repeat_n(written(word), count as usize));
    let texts: Vec<String> = texts.collect();
    trainer.feed(texts.iter(), |word| Ok(vec![word.to_owned()])).unwrap();
    let mut model = BPE::default();
    trainer.train(&mut model).unwrap();
    let json = serde_json::to_value(&model).unwrap();
    let id =
        |piece: &serde_json::Value| json["vocab"][piece.as_str().unwrap()].as_u64().unwrap() as u32;
    let merges = json["merges"].as_array().unwrap();
    merges.iter().map(|merge| (id(&merge[0]), id(&merge[1]))).collect()
}

fn check(mut words: Vec<(&[u8], u64)>, limits: Limits) -> Result<(), TestCaseError> {
    words.sort_by_key(|&(_, count)| Reverse(count));
    let ours = learn(&words, &byte_ids(), 256, limits);
    prop_assert_eq!(ours, theirs(&words, limits), "{:?}", words);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Few letters, so that pairs overlap and tie.
    #[test]
    fn words_of_few_letters(
        words in prop::collection::hash_map(prop::collection::vec(97u8..100, 1..20), 1u64..9, 0..40),
        merges in 0usize..120,
        least_count in 1u64..4,
        longest in 2usize..20,
    ) {
        let words = words.iter().map(|(word, &count)| (word.as_slice(), count)).collect();
        check(words, Limits { merges, least_count, longest })?;
    }

    #[test]
    fn runs_of_one_letter(
        words in prop::collection::hash_map(
            prop::collection::vec((97u8..99, 1usize..20), 1..5), 1u64..9, 0..20),
        longest in 2usize..40,
    ) {
        let words: Vec<(Vec<u8>, u64)> = words.into_iter().map(|(runs, count)| {
            (runs.into_iter().flat_map(|(byte, times)| vec![byte; times]).collect(), count)
        }).collect();
        let words = words.iter().map(|(word, count)| (word.as_slice(), *count)).collect();
        check(words, Limits { merges: 200, least_count: 2, longest })?;
    }

    #[test]
    fn any_bytes(
        words in prop::collection::hash_map(prop::collection::vec(any::<u8>(), 1..9), 1u64..99, 0..99),
    ) {
        let words = words.iter().map(|(word, &count)| (word.as_slice(), count)).collect();
        check(words, Limits { merges: 300, least_count: 2, longest: 16 })?;
    }
}
