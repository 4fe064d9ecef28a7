//! Validation text, set apart by a hash of the text itself: identical documents land on the
//! same side, whatever their order, their file or the number of threads.

use std::collections::BTreeMap;

use crate::{CorpusError, Document};

/// A stable 64-bit hash of a text: FNV-1a over the seed's eight little-endian bytes and the
/// text, then the finaliser of SplitMix64, since the high bits of FNV-1a alone are poor.
pub fn text_hash(text: &str, seed: u64) -> u64 {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let seed = seed.to_le_bytes();
    let bytes = seed.iter().chain(text.as_bytes());
    let hash = bytes.fold(OFFSET, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME));
    let hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

/// Whether a text belongs to the validation side when `share` (0 to 1) of all texts does.
/// For streams that can be read only once; [`HoldOut::choose`] meets a size in bytes.
pub fn is_validation(text: &str, seed: u64, share: f64) -> bool {
    let unit = (text_hash(text, seed) >> 11) as f64 / (1u64 << 53) as f64;
    unit < share
}

/// Which documents are validation text: per language, those whose [`text_hash`] is at most a
/// threshold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldOut {
    seed: u64,
    thresholds: BTreeMap<String, u64>,
}

/// What [`HoldOut::choose`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldOut {
    /// The rule, to keep validation text out of training.
    pub hold_out: HoldOut,
    /// Validation documents by language, each text once, in the order of their hashes.
    pub documents: BTreeMap<String, Vec<Document>>,
    /// Bytes of text read, by language.
    pub bytes_read: BTreeMap<String, u64>,
}

/// The documents with the smallest hashes seen so far.
#[derive(Default)]
struct Smallest {
    by_hash: BTreeMap<u64, Document>,
    bytes: u64,
    read: u64,
    documents: u64,
}

impl Smallest {
    fn push(&mut self, hash: u64, document: Document, wanted: u64) {
        let size = document.text.len() as u64;
        self.read += size;
        let full = self.bytes >= wanted;
        let last = self.by_hash.last_key_value().map(|(&hash, _)| hash);
        if self.by_hash.contains_key(&hash) || (full && Some(hash) > last) {
            return;
        }
        self.bytes += size;
        self.by_hash.insert(hash, document);
        while let Some(entry) = self.by_hash.last_entry() {
            let size = entry.get().text.len() as u64;
            if self.bytes - size < wanted {
                break;
            }
            self.bytes -= size;
            entry.remove();
        }
    }
}

impl HoldOut {
    /// Chooses, per language, the documents with the smallest hashes until `bytes` bytes are
    /// together: at least that many, and at most one document more. Reads all documents but
    /// holds only the chosen ones in memory.
    ///
    /// # Errors
    /// What the documents bring; a language where more than half of the text would be held out.
    pub fn choose<E: From<CorpusError>>(
        documents: impl IntoIterator<Item = Result<Document, E>>,
        seed: u64,
        bytes: u64,
    ) -> Result<HeldOut, E> {
        let mut languages: BTreeMap<String, Smallest> = BTreeMap::new();
        for document in documents {
            let document = document?;
            if !languages.contains_key(&document.language) {
                languages.insert(document.language.clone(), Smallest::default());
            }
            if let Some(smallest) = languages.get_mut(&document.language) {
                smallest.documents += 1;
                smallest.push(text_hash(&document.text, seed), document, bytes);
            }
        }
        let mut held = HeldOut {
            hold_out: Self { seed, thresholds: BTreeMap::new() },
            documents: BTreeMap::new(),
            bytes_read: BTreeMap::new(),
        };
        for (language, smallest) in languages {
            held.bytes_read.insert(language.clone(), smallest.read);
            if bytes == 0 {
                continue;
            }
            if smallest.bytes < bytes || smallest.bytes > smallest.read / 2 {
                return Err(E::from(CorpusError::TooLittleToHoldOut {
                    language,
                    bytes: smallest.read,
                    documents: smallest.documents,
                    asked: bytes,
                }));
            }
            if let Some((&threshold, _)) = smallest.by_hash.last_key_value() {
                held.hold_out.thresholds.insert(language.clone(), threshold);
            }
            held.documents.insert(language, smallest.by_hash.into_values().collect());
        }
        Ok(held)
    }

    /// The documents that are not validation text; errors pass.
    pub fn training<E>(
        &self,
        documents: impl IntoIterator<Item = Result<Document, E>>,
    ) -> impl Iterator<Item = Result<Document, E>> {
        let keep = |document: &Result<Document, E>| {
            document.as_ref().map_or(true, |document| !self.is_validation(document))
        };
        documents.into_iter().filter(keep)
    }

    /// Whether a document is validation text. A language that was not there when the hold-out
    /// was chosen has none.
    pub fn is_validation(&self, document: &Document) -> bool {
        let threshold = self.thresholds.get(&document.language);
        threshold.is_some_and(|&threshold| text_hash(&document.text, self.seed) <= threshold)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn document(text: &str, language: &str) -> Document {
        Document { text: text.to_owned(), language: language.to_owned() }
    }

    fn choose(documents: &[Document], seed: u64, bytes: u64) -> Result<HeldOut, CorpusError> {
        HoldOut::choose(documents.iter().cloned().map(Ok), seed, bytes)
    }

    /// Documents of ten bytes each.
    fn corpus(documents: u32, language: &str) -> Vec<Document> {
        (0..documents).map(|i| document(&format!("text {i:05}"), language)).collect()
    }

    #[test]
    fn the_hash_never_changes() {
        // FNV-1a and SplitMix64 from their definitions, in Python.
        for (text, seed, hash) in HASHES {
            assert_eq!(text_hash(text, seed), hash, "{text} {seed}");
        }
    }

    const HASHES: [(&str, u64, u64); 3] = [
        ("", 0, 0x813f_0174_a236_7c13),
        ("The lamp is red.", 1, 0x217f_9789_3f3d_7f5f),
        ("灯是红色的。", u64::MAX, 0x3932_99ac_aa7a_f8bb),
    ];

    #[test]
    fn a_share_is_met() {
        let held = (0..20_000).filter(|i| is_validation(&format!("text {i}"), 3, 0.1)).count();
        // Five standard deviations of a binomial count.
        assert!((held as f64 - 2000.0).abs() < 5.0 * (20_000.0f64 * 0.1 * 0.9).sqrt(), "{held}");
        assert!(!is_validation("text", 3, 0.0) && is_validation("text", 3, 1.0));
    }

    #[test]
    fn sizes_are_met_per_language() {
        let mut documents = corpus(1000, "en");
        documents.extend(corpus(300, "zh"));
        let held = choose(&documents, 1, 995).unwrap();
        for (language, read) in [("en", 10_000), ("zh", 3000)] {
            assert_eq!(held.documents[language].len(), 100);
            assert_eq!(held.bytes_read[language], read);
        }
        let training: Vec<Document> = held
            .hold_out
            .training(documents.iter().cloned().map(Ok::<_, CorpusError>))
            .map(Result::unwrap)
            .collect();
        assert_eq!(training.len(), 1300 - 200);
        assert!(
            training.iter().all(|document| !held.documents[&document.language].contains(document))
        );
        // Another seed holds out other documents.
        assert_ne!(choose(&documents, 2, 995).unwrap().documents, held.documents);
    }

    #[test]
    fn nothing_and_too_much() {
        let documents = corpus(100, "en");
        let none = choose(&documents, 1, 0).unwrap();
        assert!(none.documents.is_empty() && !none.hold_out.is_validation(&documents[0]));
        assert!(choose(&documents, 1, 500).is_ok());
        let error = choose(&documents, 1, 501).unwrap_err().to_string();
        assert!(
            error.starts_with("1000 bytes of `en` text in 100 different documents are too few to hold out 501 bytes"),
            "{error}"
        );
        // One document cannot be on both sides.
        assert!(choose(&[document("a whole file", "en")], 1, 1).is_err());
        let broken = [Ok(documents[0].clone()), Err(CorpusError::NoPaths)];
        assert!(matches!(HoldOut::choose(broken, 1, 1), Err(CorpusError::NoPaths)));
    }

    proptest! {
        #[test]
        fn duplicates_and_order_do_not_matter(
            texts in prop::collection::vec("[a-d]{1,6}", 20..60),
            seed: u64,
            bytes in 1u64..20,
        ) {
            let mut documents: Vec<Document> = texts.iter().map(|text| document(text, "en")).collect();
            let first = choose(&documents, seed, bytes);
            documents.reverse();
            let second = choose(&documents, seed, bytes);
            prop_assert_eq!(first.as_ref().ok(), second.as_ref().ok());
            if let Ok(held) = first {
                let chosen = &held.documents["en"];
                let size: usize = chosen.iter().map(|document| document.text.len()).sum();
                let last = chosen.last().map_or(0, |document| document.text.len());
                prop_assert!(size as u64 >= bytes && ((size - last) as u64) < bytes);
                // On the validation side is exactly what was chosen, so no text is on both.
                for document in &documents {
                    prop_assert_eq!(held.hold_out.is_validation(document), chosen.contains(document));
                }
            }
        }
    }
}
