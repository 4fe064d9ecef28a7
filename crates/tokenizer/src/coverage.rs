//! How much of a corpus the most frequent tokens cover.

use crate::Frequencies;

/// One point of a coverage curve.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct CoveragePoint {
    /// Number of most frequent tokens.
    pub vocabulary: usize,
    /// Their share of all occurrences, as a fraction of 1.
    pub coverage: f64,
}

/// The paper's accumulated frequency (Figure 2): coverage(k) is the sum of the k largest counts
/// over the sum of all. A size beyond the vocabulary covers everything; of a corpus without
/// tokens nothing is covered.
pub fn coverage(frequencies: &Frequencies, sizes: &[usize]) -> Vec<CoveragePoint> {
    let mut counts = frequencies.0.clone();
    counts.sort_unstable_by(|a, b| b.cmp(a));
    let mut sums = vec![0u64];
    sums.extend(counts.iter().scan(0, |sum, count| {
        *sum += count;
        Some(*sum)
    }));
    let total = frequencies.total();
    sizes
        .iter()
        .map(|&vocabulary| CoveragePoint {
            vocabulary,
            coverage: share(sums[vocabulary.min(counts.len())], total),
        })
        .collect()
}

pub(crate) fn share(part: u64, total: u64) -> f64 {
    if total == 0 { 0.0 } else { part as f64 / total as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(counts: &[u64], sizes: &[usize], expected: &[f64]) {
        let curve = coverage(&Frequencies(counts.to_vec()), sizes);
        let found: Vec<f64> = curve.iter().map(|point| point.coverage).collect();
        assert_eq!(found, expected, "{counts:?}");
        assert!(curve.iter().map(|point| point.vocabulary).eq(sizes.iter().copied()));
    }

    #[test]
    fn sums_of_the_largest_counts() {
        check(
            &[1, 5, 0, 2, 8],
            &[0, 1, 2, 3, 4, 5, 99],
            &[0.0, 0.5, 0.8125, 0.9375, 1.0, 1.0, 1.0],
        );
        check(&[4; 8], &[2, 4], &[0.25, 0.5]);
        check(&[0, 0], &[0, 1, 2], &[0.0, 0.0, 0.0]);
        check(&[], &[1], &[0.0]);
        check(&[3], &[], &[]);
    }

    #[test]
    fn a_zipf_corpus_has_the_closed_form() {
        // Counts c/r for ranks r: coverage(k) is a ratio of harmonic numbers.
        let counts: Vec<u64> = (1..=1000u64).rev().map(|rank| 1_000_000_000_000 / rank).collect();
        let harmonic = |n: u64| (1..=n).map(|r| 1.0 / r as f64).sum::<f64>();
        for point in coverage(&Frequencies(counts), &[10, 100, 500]) {
            let expected = harmonic(point.vocabulary as u64) / harmonic(1000);
            assert!((point.coverage - expected).abs() < 1e-9);
        }
    }
}
