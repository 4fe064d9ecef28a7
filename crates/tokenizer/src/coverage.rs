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

/// About 25 equal steps up to a vocabulary, as in the paper's Figure 2, which has 25 of 4,000 entries
/// for 100,883: the round step that is nearest to a 25th.
pub fn steps(vocabulary: usize) -> Vec<usize> {
    let ideal = vocabulary as f64 / 25.0;
    let power = 10f64.powf(ideal.max(1.0).log10().floor());
    let round = [1.0, 1.2, 1.6, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0];
    let far = |step: &f64| (step / ideal).ln().abs();
    let nearest = round.map(|part| part * power).into_iter().filter(|step| step.fract() == 0.0);
    let step = nearest.min_by(|a, b| far(a).total_cmp(&far(b))).unwrap_or(1.0) as usize;
    (1..=vocabulary / step.max(1)).map(|count| count * step.max(1)).collect()
}

/// The fewest of the most frequent tokens that cover more than `share` (a fraction of 1) of all
/// occurrences; none where that is impossible.
pub fn needed(frequencies: &Frequencies, least: f64) -> Option<usize> {
    let mut counts = frequencies.0.clone();
    counts.sort_unstable_by(|a, b| b.cmp(a));
    let total = frequencies.total();
    let mut sum = 0;
    let enough = |count: &u64| {
        sum += count;
        share(sum, total) > least
    };
    counts.iter().position(enough).map(|at| at + 1)
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
    fn steps_are_round_and_about_25() {
        // The paper's: 4,000 to 100,000.
        let paper = steps(100_883);
        assert_eq!((paper.len(), paper[0], paper[24]), (25, 4000, 100_000));
        for (vocabulary, step, count) in
            [(129_280, 5000, 25), (8192, 300, 27), (4096, 160, 25), (600, 25, 24), (257, 10, 25)]
        {
            let found = steps(vocabulary);
            assert_eq!((found.len(), found[0]), (count, step), "{vocabulary}");
            assert!(found.windows(2).all(|pair| pair[1] - pair[0] == step));
        }
        for vocabulary in 0..3000 {
            let found = steps(vocabulary);
            assert!(found.last().is_none_or(|last| *last <= vocabulary));
            let many = found.len();
            assert!(vocabulary < 100 || (21..=29).contains(&many), "{vocabulary}: {many}");
        }
    }

    #[test]
    fn the_fewest_that_cover_enough() {
        let counts = Frequencies(vec![1, 5, 0, 2, 8]);
        // 8, 13, 15 and 16 of 16.
        for (least, expected) in
            [(0.0, Some(1)), (0.5, Some(2)), (0.6, Some(2)), (0.9, Some(3)), (0.95, Some(4))]
        {
            assert_eq!(needed(&counts, least), expected, "{least}");
        }
        assert_eq!(needed(&counts, 1.0), None);
        assert_eq!(needed(&Frequencies(vec![0; 3]), 0.0), None);
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
