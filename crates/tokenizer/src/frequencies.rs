//! How often every token occurs.

use rayon::prelude::*;

use crate::TokenizerError;

/// Occurrences of every token, indexed by id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frequencies(pub Vec<u64>);

impl Frequencies {
    /// Counts the tokens of several parts (shards, or slices of them), each by one thread.
    ///
    /// # Errors
    /// An id outside the vocabulary.
    pub fn count(vocabulary: usize, parts: &[&[u32]]) -> Result<Self, TokenizerError> {
        let counted: Result<Vec<Self>, TokenizerError> =
            parts.par_iter().map(|part| Self::count_part(vocabulary, part)).collect();
        let mut total = Self(vec![0; vocabulary]);
        for counts in counted? {
            total.merge(&counts)?;
        }
        Ok(total)
    }

    fn count_part(vocabulary: usize, tokens: &[u32]) -> Result<Self, TokenizerError> {
        let mut counts = vec![0; vocabulary];
        for &token in tokens {
            match counts.get_mut(token as usize) {
                Some(count) => *count += 1,
                None => return Err(TokenizerError::TokenOutOfRange { token, vocabulary }),
            }
        }
        Ok(Self(counts))
    }

    /// Adds the counts of another part of the same corpus.
    ///
    /// # Errors
    /// Counts of a different vocabulary.
    pub fn merge(&mut self, other: &Self) -> Result<(), TokenizerError> {
        if self.0.len() != other.0.len() {
            return Err(TokenizerError::FrequenciesDoNotFit {
                frequencies: other.0.len(),
                vocabulary: self.0.len(),
            });
        }
        for (count, more) in self.0.iter_mut().zip(&other.0) {
            *count += more;
        }
        Ok(())
    }

    /// Occurrences of all tokens.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up() {
        let tokens: Vec<u32> = (0..10_000u32).map(|i| i * i % 7).collect();
        let whole = Frequencies::count(8, &[&tokens]).unwrap();
        let parts: Vec<&[u32]> = tokens.chunks(333).collect();
        assert_eq!(Frequencies::count(8, &parts).unwrap(), whole);
        assert_eq!(whole.total(), 10_000);
        // Squares modulo 7 are 0, 1, 2 and 4.
        assert!([3, 5, 6, 7].iter().all(|&id| whole.0[id] == 0));
        let mut twice = whole.clone();
        twice.merge(&whole).unwrap();
        assert_eq!(twice.0, whole.0.iter().map(|count| 2 * count).collect::<Vec<_>>());
        assert_eq!(Frequencies::count(3, &[]).unwrap(), Frequencies(vec![0; 3]));
    }

    #[test]
    fn other_vocabularies_are_refused() {
        let error = Frequencies::count(8, &[&[1], &[2, 8]]).unwrap_err().to_string();
        assert!(error.starts_with("token 8 is outside the vocabulary of 8"), "{error}");
        assert!(Frequencies(vec![0; 2]).merge(&Frequencies(vec![0; 3])).is_err());
    }
}
