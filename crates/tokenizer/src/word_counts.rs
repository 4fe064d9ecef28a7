//! How often every word of a text occurs.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use crate::split::Splitter;

/// Bytes of text that a thread takes at a time.
const PORTION: usize = 1 << 20;

/// Parts of the words, by their hashes, that are summed over threads separately.
const PARTS: usize = 16;

/// A word and its hash, which is computed once.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Word<'a> {
    hash: u64,
    bytes: &'a [u8],
}

impl Hash for Word<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

/// Passes on a number that is a hash already.
#[derive(Default)]
struct Given(u64);

impl Hasher for Given {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = hash(bytes);
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

type Counts<'a> = HashMap<Word<'a>, u64, BuildHasherDefault<Given>>;

/// The words of all texts of two bytes and more with their occurrences, the most frequent first;
/// words that occur equally often come in no particular order. Words are parts of the texts,
/// nothing is copied.
pub(crate) fn count_words<'a>(texts: &[&'a str], splitter: &Splitter) -> Vec<(&'a [u8], u64)> {
    let portions = portions(texts);
    let next = AtomicUsize::new(0);
    let threads: Vec<Vec<Counts<'a>>> = (0..rayon::current_num_threads())
        .into_par_iter()
        .with_max_len(1)
        .map(|_| {
            let mut parts: Vec<Counts<'a>> = vec![Counts::default(); PARTS];
            while let Some(portion) = portions.get(next.fetch_add(1, Ordering::Relaxed)) {
                for text in *portion {
                    splitter.words(text, &mut |word| {
                        let bytes = word.as_bytes();
                        if bytes.len() > 1 {
                            let hash = hash(bytes);
                            // Bits that tables use neither for places nor for tags.
                            let part = (hash >> 48) as usize % PARTS;
                            *parts[part].entry(Word { hash, bytes }).or_default() += 1;
                        }
                    });
                }
            }
            parts
        })
        .collect();
    let mut by_part: Vec<Vec<Counts<'a>>> = (0..PARTS).map(|_| Vec::new()).collect();
    for parts in threads {
        for (all, part) in by_part.iter_mut().zip(parts) {
            all.push(part);
        }
    }
    let summed: Vec<Vec<(&[u8], u64)>> = by_part.into_par_iter().map(sum).collect();
    let mut words = summed.concat();
    words.par_sort_unstable_by_key(|&(_, count)| std::cmp::Reverse(count));
    words
}

/// Runs of texts of about a megabyte.
fn portions<'t, 'a>(texts: &'t [&'a str]) -> Vec<&'t [&'a str]> {
    let (mut portions, mut start, mut bytes) = (Vec::new(), 0, 0);
    for (at, text) in texts.iter().enumerate() {
        bytes += text.len();
        if bytes >= PORTION || at + 1 == texts.len() {
            portions.push(&texts[start..=at]);
            (start, bytes) = (at + 1, 0);
        }
    }
    portions
}

fn sum(mut counts: Vec<Counts<'_>>) -> Vec<(&[u8], u64)> {
    counts.sort_unstable_by_key(Counts::len);
    let mut total = counts.pop().unwrap_or_default();
    for other in counts {
        for (word, count) in other {
            *total.entry(word).or_default() += count;
        }
    }
    total.into_iter().map(|(word, count)| (word.bytes, count)).collect()
}

/// A hash of bytes: multiplications of 64 by 64 bits, folded. Text is nobody's attack, so speed
/// is what matters.
fn hash(bytes: &[u8]) -> u64 {
    let fold = |a: u64, b: u64| {
        let product = u128::from(a) * u128::from(b);
        product as u64 ^ (product >> 64) as u64
    };
    let (chunks, rest) = bytes.as_chunks::<8>();
    let mut state = bytes.len() as u64 ^ 0x2545_f491_4f6c_dd1d;
    for chunk in chunks {
        state = fold(state ^ u64::from_le_bytes(*chunk), 0x9e37_79b9_7f4a_7c15);
    }
    let tail = rest.iter().fold(0, |tail, &byte| tail << 8 | u64::from(byte));
    fold(fold(state ^ tail, 0xa076_1d64_78bd_642f), 0xe703_7ed1_a0b4_28db)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_counted_once_per_occurrence() {
        let splitter = Splitter::of_pattern(crate::SPLIT_PATTERN).unwrap();
        let texts: Vec<String> = (0..3000)
            .map(|i| format!("the lantern 灯笼 is {i} x{} {}", "y".repeat(i % 40), "z".repeat(999)))
            .collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let mut expected: HashMap<&[u8], u64> = HashMap::new();
        for text in &texts {
            splitter.words(text, &mut |word| *expected.entry(word.as_bytes()).or_default() += 1);
        }
        expected.retain(|word, _| word.len() > 1);
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let words = pool.install(|| count_words(&texts, &splitter));
            assert!(words.is_sorted_by(|a, b| a.1 >= b.1));
            assert_eq!(words.len(), expected.len());
            assert!(words.iter().all(|(word, count)| expected[word] == *count));
        }
        assert!(count_words(&[], &splitter).is_empty());
        assert!(count_words(&["", "a"], &splitter).is_empty());
    }
}
