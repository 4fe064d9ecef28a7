//! Which units of a group are kept.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};

/// How hidden channels, heads and feed-forward channels are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WidthCriterion {
    /// Largest sum of absolute values.
    L1,
    /// Largest sum of squares.
    L2,
    /// The first ones, whatever their values.
    First,
    /// Drawn at random with this seed.
    Random(u64),
    /// Largest first-order estimate of what the loss changes without it: given as scores.
    Taylor,
    /// Largest learned mask: given as scores.
    Learned,
}

/// What becomes of key and value heads when more query heads share one than in the parent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grouping {
    /// It is an error: groups are inherited whole.
    #[default]
    Kept,
    /// Neighbouring heads are averaged into one, a whole number of them.
    Pooled,
}

/// A group of interchangeable units of the parent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Group {
    Hidden,
    Heads { layer: usize },
    Ffn { layer: usize },
    Shortcut { layer: usize },
}

impl Group {
    /// Every group draws from a random stream of its own, so that what is kept in one layer does
    /// not depend on which other layers are kept.
    fn stream(self) -> u64 {
        match self {
            Self::Hidden => 0,
            Self::Heads { layer } => 1 + 2 * layer as u64,
            Self::Ffn { layer } => 2 + 2 * layer as u64,
            // From the end, as the others count from the start.
            Self::Shortcut { layer } => u64::MAX - layer as u64,
        }
    }
}

impl WidthCriterion {
    /// Keeps `keep` of `count` units, ascending: by their scores, where the criterion has such; equal
    /// scores keep the lower index.
    pub(crate) fn keep(
        self,
        group: Group,
        count: usize,
        keep: usize,
        scores: impl FnOnce() -> Vec<f64>,
    ) -> Vec<usize> {
        match self {
            Self::L1 | Self::L2 | Self::Taylor | Self::Learned => largest(&scores(), keep),
            Self::First => (0..keep).collect(),
            Self::Random(seed) => {
                let mut key = *b"........ablate inheritance v1   ";
                key[..8].copy_from_slice(&seed.to_le_bytes());
                let mut random = ChaCha8Rng::from_seed(key);
                random.set_stream(group.stream());
                let draws: Vec<u64> = (0..count).map(|_| random.next_u64()).collect();
                largest(&draws, keep)
            }
        }
    }
}

/// The positions of the `keep` largest values, ascending.
pub(crate) fn largest<T: PartialOrd>(values: &[T], keep: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    // Stable, so equal values stay in the order of their positions. Scores of finite weights are
    // finite, so they are always comparable.
    order.sort_by(|a, b| values[*b].partial_cmp(&values[*a]).unwrap_or(std::cmp::Ordering::Equal));
    order.truncate(keep);
    order.sort_unstable();
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn largest_keeps_the_lower_of_equals_and_ascends() {
        assert_eq!(largest(&[1.0, 3.0, 2.0, 3.0, 2.0], 3), [1, 2, 3]);
        assert_eq!(largest(&[0.0; 4], 2), [0, 1]);
    }

    fn pick(seed: u64, group: Group, count: usize, keep: usize) -> Vec<usize> {
        let scores = || unreachable!("values do not matter");
        WidthCriterion::Random(seed).keep(group, count, keep, scores)
    }

    #[test]
    fn random_choices_depend_on_seed_and_group_only() {
        let base = pick(1, Group::Hidden, 60, 30);
        assert_eq!(base, pick(1, Group::Hidden, 60, 30));
        assert!(base.windows(2).all(|pair| pair[0] < pair[1]) && base.len() == 30);
        for (seed, group) in
            [(2, Group::Hidden), (1, Group::Heads { layer: 0 }), (1, Group::Ffn { layer: 0 })]
        {
            assert_ne!(pick(seed, group, 60, 30), base);
        }
        // A larger choice contains a smaller one of the same seed.
        let more = pick(1, Group::Hidden, 60, 40);
        assert!(base.iter().all(|index| more.contains(index)));
    }

    #[test]
    fn every_unit_is_as_likely_as_the_others() {
        let mut counts = [0u32; 10];
        for seed in 0..2000 {
            for index in pick(seed, Group::Hidden, 10, 3) {
                counts[index] += 1;
            }
        }
        // Binomial with p = 0.3: 600 with a deviation of 20.5.
        assert!(counts.iter().all(|count| count.abs_diff(600) < 90), "{counts:?}");
    }
}
