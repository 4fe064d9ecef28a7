//! Drawing batches without replacement.

use std::ops::Range;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::TrainError;

/// Keeps this use of a seed apart from every other use of the same number.
const PURPOSE: &[u8; 24] = b"ablate draw of batches  ";

/// Softmax of the losses: `p_i = exp(l_i) / sum_j exp(l_j)`, so that hard batches are likelier
/// (PanGu-pi Pro, section on multiple-round training). Computed in f64 after subtracting the
/// largest loss, which changes nothing but avoids overflow.
///
/// # Errors
/// [`TrainError::BatchLoss`] for a loss that is infinite or not a number.
pub fn probabilities(losses: &[f32]) -> Result<Vec<f64>, TrainError> {
    if let Some(batch) = losses.iter().position(|loss| !loss.is_finite()) {
        return Err(TrainError::BatchLoss { batch, loss: losses[batch] });
    }
    let largest = losses.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let odds: Vec<f64> =
        losses.iter().map(|loss| (f64::from(*loss) - f64::from(largest)).exp()).collect();
    let sum: f64 = odds.iter().sum();
    Ok(odds.into_iter().map(|odds| odds / sum).collect())
}

/// Draws `n` places without replacement, in the order of the draws: each draw takes one of those
/// left with a chance proportional to its probability, as `torch.multinomial(p, n,
/// replacement=False)` does. Probabilities need not sum to 1.
///
/// It is a race: place `i` arrives at the time `e_i / p_i` with `e_i` standard exponential, and the
/// first `n` to arrive are drawn. The exponentials come from ChaCha8 keyed by the seed, 53 bits
/// each.
///
/// # Errors
/// [`TrainError::Draw`] when fewer than `n` places have a positive probability.
pub fn draw(probabilities: &[f64], n: usize, seed: u64) -> Result<Vec<usize>, TrainError> {
    first(race(probabilities, seed), n)
}

/// As [`draw`], but separately within each of the ranges: `n` of every range is drawn, range after
/// range. One race for all, so that ranges are independent of each other.
///
/// # Errors
/// [`TrainError::Draw`] when a range has fewer places with a positive probability than are drawn.
pub(crate) fn draw_within(
    probabilities: &[f64],
    ranges: &[(Range<usize>, usize)],
    seed: u64,
) -> Result<Vec<usize>, TrainError> {
    let arrivals = race(probabilities, seed);
    let mut drawn = Vec::new();
    for (range, n) in ranges {
        let own = arrivals.iter().filter(|(_, place)| range.contains(place)).copied().collect();
        drawn.extend(first(own, *n)?);
    }
    Ok(drawn)
}

/// When each possible place arrives.
fn race(probabilities: &[f64], seed: u64) -> Vec<(f64, usize)> {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..].copy_from_slice(PURPOSE);
    let mut rng = ChaCha8Rng::from_seed(key);
    let mut arrivals = Vec::with_capacity(probabilities.len());
    for (place, probability) in probabilities.iter().enumerate() {
        // In (0, 1], so that the logarithm is finite. Every place uses one number of the stream,
        // also the impossible ones.
        let uniform = ((rng.next_u64() >> 11) + 1) as f64 / (1u64 << 53) as f64;
        if *probability > 0.0 {
            arrivals.push((-uniform.ln() / probability, place));
        }
    }
    arrivals
}

/// The places that arrive first.
fn first(mut arrivals: Vec<(f64, usize)>, n: usize) -> Result<Vec<usize>, TrainError> {
    if arrivals.len() < n {
        return Err(TrainError::Draw { wanted: n, possible: arrivals.len() });
    }
    arrivals.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    Ok(arrivals.into_iter().take(n).map(|(_, place)| place).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn softmax_of_known_values() {
        let p = probabilities(&[0.0, 2f32.ln(), 4f32.ln()]).unwrap();
        for (p, expect) in p.iter().zip([1.0 / 7.0, 2.0 / 7.0, 4.0 / 7.0]) {
            assert!((p - expect).abs() < 1e-7);
        }
        // The same losses far away, where exp alone would overflow.
        let far = probabilities(&[1e4, 1e4]).unwrap();
        assert_eq!(far, [0.5, 0.5]);
        assert!(probabilities(&[]).unwrap().is_empty());
        let error = probabilities(&[1.0, f32::NAN]).unwrap_err().to_string();
        assert!(error.contains("batch 1 has the loss NaN"), "{error}");
    }

    /// Every sequence of `n` draws with its exact probability.
    fn enumerate(p: &[f64], n: usize) -> BTreeMap<Vec<usize>, f64> {
        let mut sequences = BTreeMap::from([(Vec::new(), 1.0)]);
        for _ in 0..n {
            let mut longer = BTreeMap::new();
            for (sequence, chance) in sequences {
                let left: Vec<usize> = (0..p.len()).filter(|i| !sequence.contains(i)).collect();
                let sum: f64 = left.iter().map(|i| p[*i]).sum();
                for place in left {
                    let mut sequence: Vec<usize> = sequence.clone();
                    sequence.push(place);
                    longer.insert(sequence, chance * p[place] / sum);
                }
            }
            sequences = longer;
        }
        sequences
    }

    #[test]
    fn draws_are_successive_sampling() {
        const DRAWS: u64 = 40_000;
        for (p, n) in [
            (vec![0.4, 0.3, 0.15, 0.1, 0.05], 2),
            (vec![0.7, 0.2, 0.05, 0.05], 3),
            (vec![1.0, 3.0, 2.0], 1),
        ] {
            let exact = enumerate(&p, n);
            let mut counts: BTreeMap<Vec<usize>, u64> = BTreeMap::new();
            for seed in 0..DRAWS {
                *counts.entry(draw(&p, n, seed).unwrap()).or_default() += 1;
            }
            assert!(counts.keys().all(|sequence| exact.contains_key(sequence)));
            // Whole sequences by chi-square: its mean is the degrees of freedom, its variance twice
            // that.
            let chi: f64 = exact
                .iter()
                .map(|(sequence, chance)| {
                    let expect = chance * DRAWS as f64;
                    let count = counts.get(sequence).copied().unwrap_or(0) as f64;
                    (count - expect).powi(2) / expect
                })
                .sum();
            let freedom = (exact.len() - 1) as f64;
            assert!((chi - freedom).abs() < 3.0 * (2.0 * freedom).sqrt(), "{chi} for {freedom}");
            // Inclusion of each place, within three standard deviations.
            for place in 0..p.len() {
                let chance: f64 =
                    exact.iter().filter(|(s, _)| s.contains(&place)).map(|e| e.1).sum();
                let count: u64 =
                    counts.iter().filter(|(s, _)| s.contains(&place)).map(|c| c.1).sum();
                let share = count as f64 / DRAWS as f64;
                let deviation = (chance * (1.0 - chance) / DRAWS as f64).sqrt();
                assert!((share - chance).abs() < 3.0 * deviation, "{place}: {share} not {chance}");
            }
        }
    }

    /// Chance of each place to be among `n` draws, exactly: over all sets of places drawn before, by
    /// dynamic programming, `P(S + i) += P(S) p_i / (1 - sum of S)`.
    fn inclusion(p: &[f64], n: usize) -> Vec<f64> {
        let mut sets = BTreeMap::from([(0u32, 1.0)]);
        for _ in 0..n {
            let mut larger: BTreeMap<u32, f64> = BTreeMap::new();
            for (set, chance) in sets {
                let is_left = |i: &usize| set >> i & 1 == 0;
                let sum: f64 = (0..p.len()).filter(is_left).map(|i| p[i]).sum();
                for i in (0..p.len()).filter(is_left) {
                    *larger.entry(set | 1 << i).or_default() += chance * p[i] / sum;
                }
            }
            sets = larger;
        }
        let holds = |i: usize| sets.iter().filter(move |(set, _)| *set >> i & 1 == 1);
        (0..p.len()).map(|i| holds(i).map(|(_, chance)| chance).sum()).collect()
    }

    /// The exact chances agree with those that 2 million calls of `torch.multinomial(p, 3)` came to
    /// (PyTorch 2.9, seed 1; `tests/fixtures/draw.py`), which is thus the same distribution.
    #[test]
    fn torch_multinomial_is_successive_sampling() {
        let fixture = include_str!("../tests/fixtures/draw.json");
        let fixture: serde_json::Value = serde_json::from_str(fixture).unwrap();
        let numbers =
            |key: &str| -> Vec<f64> { serde_json::from_value(fixture[key].clone()).unwrap() };
        let (draws, n) = (fixture["draws"].as_f64().unwrap(), fixture["n"].as_u64().unwrap());
        let exact = inclusion(&numbers("probabilities"), n as usize);
        for (count, chance) in numbers("included").into_iter().zip(&exact) {
            let deviation = (chance * (1.0 - chance) / draws).sqrt();
            assert!((count / draws - chance).abs() < 4.0 * deviation, "{count} {chance}");
        }
    }

    /// Hard batches are drawn in proportion: 10,000 draws of half the batches, with probabilities
    /// that come from losses as a trained model has them, and from losses far apart.
    #[test]
    fn inclusion_frequencies_match_the_exact_probabilities() {
        const DRAWS: u64 = 10_000;
        let mild = [2.41, 2.38, 2.52, 2.29, 2.47, 2.60, 2.33, 2.44, 2.36, 2.55, 2.49, 2.31];
        let far = [0.5, 4.0, 1.0, 3.0, 2.0, 2.5, 1.5, 3.5, 0.1, 2.2, 1.9, 2.8];
        for (losses, n, base) in [(mild, 6, 0), (far, 6, 100_000), (far, 3, 200_000)] {
            let p = probabilities(&losses.map(|loss: f32| loss)).unwrap();
            let exact = inclusion(&p, n);
            assert!((exact.iter().sum::<f64>() - n as f64).abs() < 1e-9);
            let mut counts = vec![0u64; p.len()];
            for seed in base..base + DRAWS {
                for place in draw(&p, n, seed).unwrap() {
                    counts[place] += 1;
                }
            }
            for (place, (count, chance)) in counts.iter().zip(&exact).enumerate() {
                let share = *count as f64 / DRAWS as f64;
                let deviation = (chance * (1.0 - chance) / DRAWS as f64).sqrt();
                assert!((share - chance).abs() < 3.0 * deviation, "{place}: {share} not {chance}");
            }
            // Harder batches are likelier, in this order exactly.
            let mut by_loss: Vec<usize> = (0..p.len()).collect();
            by_loss.sort_by(|a, b| losses[*a].total_cmp(&losses[*b]));
            assert!(by_loss.windows(2).all(|pair| exact[pair[0]] < exact[pair[1]]));
        }
    }

    /// Within a part the draw is as from that part alone, whatever the probabilities are normalised
    /// over.
    #[test]
    fn parts_are_drawn_by_themselves() {
        const DRAWS: u64 = 10_000;
        let p = [0.1, 0.2, 0.05, 0.25, 0.1, 0.2, 0.1];
        let parts = [(0..3, 1), (3..7, 2)];
        let exact: Vec<f64> =
            parts.iter().flat_map(|(part, n)| inclusion(&p[part.clone()], *n)).collect();
        let mut counts = [0u64; 7];
        for seed in 0..DRAWS {
            let drawn = draw_within(&p, &parts, seed).unwrap();
            assert!(drawn.len() == 3 && drawn[0] < 3 && drawn[1] >= 3 && drawn[2] >= 3);
            drawn.into_iter().for_each(|place| counts[place] += 1);
        }
        for (count, chance) in counts.iter().zip(&exact) {
            let deviation = (chance * (1.0 - chance) / DRAWS as f64).sqrt();
            let share = *count as f64 / DRAWS as f64;
            assert!((share - chance).abs() < 3.0 * deviation, "{share} not {chance}");
        }
        assert!(draw_within(&p, &[(0..2, 3)], 1).is_err());
    }

    #[test]
    fn impossible_places_are_never_drawn() {
        let mut all = draw(&[0.5, 0.0, 0.5], 2, 9).unwrap();
        all.sort_unstable();
        assert_eq!(all, [0, 2]);
        let error = draw(&[0.5, 0.0, 0.5], 3, 9).unwrap_err().to_string();
        assert!(error.contains("3 batches cannot be drawn out of 2"), "{error}");
        assert!(draw(&[], 0, 9).unwrap().is_empty());
    }

    #[test]
    fn draws_never_change() {
        // Stored rounds rely on these numbers.
        assert_eq!(draw(&[1.0; 10], 10, 1).unwrap(), [4, 2, 9, 6, 0, 3, 5, 8, 7, 1]);
    }
}
