//! Keeps the parameter count equal: searches depth or width on its lattice for the count that
//! comes nearest to the target.
//!
//! The lattice of the depth is the multiples of `hold.step`. The lattice of the width is the
//! multiples of lcm(step, head_dim · kv_heads if those are fixed), or of lcm(step, 2 · heads)
//! when the number of heads is fixed, because rotary embeddings turn pairs of channels. The
//! count grows with either, so a binary search finds the two neighbours of the target.

use crate::decoder::{Decoder, Heads};
use crate::{HeldCount, Model, Solved};

/// Largest depth and width that the schema allows.
const LARGEST: [(Solved, usize); 2] = [(Solved::Depth, 1 << 14), (Solved::Width, 1 << 20)];

/// A point of the lattice.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Candidate {
    pub(crate) value: usize,
    pub(crate) count: u64,
    pub(crate) model: Model,
}

impl Candidate {
    pub(crate) fn residual(&self, target: u64) -> f64 {
        self.count as f64 / target as f64 - 1.0
    }
}

/// Parameters of a model by the count that is held.
pub(crate) fn count(model: &Model, vocabulary: usize, held: HeldCount) -> u64 {
    let parameters = model.shape(vocabulary).parameters();
    match held {
        HeldCount::Total => parameters.total,
        HeldCount::NonEmbedding => parameters.non_embedding,
    }
}

/// What is searched.
pub(crate) struct Search<'a> {
    pub(crate) decoder: &'a Decoder,
    pub(crate) vocabulary: usize,
    pub(crate) held: HeldCount,
    pub(crate) target: u64,
    pub(crate) solved: Solved,
    pub(crate) step: usize,
}

impl Search<'_> {
    /// The neighbours of the target, nearest first (of two equally near ones the smaller
    /// first). Empty when the other dimension or the heads are unknown or do not fit.
    pub(crate) fn nearest(&self) -> Vec<Candidate> {
        let largest = LARGEST.iter().find(|(solved, _)| *solved == self.solved);
        let Some(unit) = self.unit() else { return Vec::new() };
        let last = largest.map_or(0, |(_, largest)| largest / unit);
        // Invariant: point `below` counts at most the target (0: no such point), `above` more.
        let (mut below, mut above) = (0, last + 1);
        while above - below > 1 {
            let middle = below + (above - below) / 2;
            match self.candidate(middle * unit) {
                Some(candidate) if candidate.count <= self.target => below = middle,
                Some(_) => above = middle,
                None => return Vec::new(),
            }
        }
        let points = [below, above].into_iter().filter(|point| (1..=last).contains(point));
        let mut found: Vec<_> = points.filter_map(|point| self.candidate(point * unit)).collect();
        found.sort_by_key(|candidate| (candidate.count.abs_diff(self.target), candidate.value));
        found
    }

    /// The candidate at a value of the solved dimension.
    pub(crate) fn candidate(&self, value: usize) -> Option<Candidate> {
        let (depth, width) = match self.solved {
            Solved::Depth => (value, self.decoder.width?),
            Solved::Width => (self.decoder.depth?, value),
        };
        let model = self.decoder.with(depth, width)?;
        model.shape(self.vocabulary).check().ok()?;
        Some(Candidate { value, count: count(&model, self.vocabulary, self.held), model })
    }

    /// The distance between points of the lattice.
    pub(crate) fn unit(&self) -> Option<usize> {
        match (self.solved, self.decoder.heads?) {
            (Solved::Depth, _) => Some(self.step),
            (Solved::Width, Heads::Count(heads)) => lcm(self.step, heads.checked_mul(2)?),
            (Solved::Width, Heads::Of(dim)) => {
                lcm(self.step, dim.checked_mul(self.decoder.kv_heads.unwrap_or(1))?)
            }
        }
    }
}

fn lcm(a: usize, b: usize) -> Option<usize> {
    let (mut x, mut y) = (a, b);
    while y > 0 {
        (x, y) = (y, x % y);
    }
    (a / x.max(1)).checked_mul(b).filter(|multiple| *multiple > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::{FfnTable, ModelTable};
    use proptest::prelude::*;

    fn search(
        decoder: &Decoder,
        vocabulary: usize,
        solved: Solved,
        step: usize,
        target: u64,
    ) -> Search<'_> {
        Search { decoder, vocabulary, held: HeldCount::Total, target, solved, step }
    }

    /// Table 1 of the paper: width 1792, heads of 128, the parameters of depth 20 at 48k.
    /// The depths that the printed parameter shares imply are the nearest ones but for 32k:
    /// there the paper has 22 layers (2.2% too many) where 21 (1.9% too few) come nearer.
    #[test]
    fn depths_of_table_1() {
        let decoder = Decoder::new(ModelTable {
            depth: Some(20),
            width: Some(1792),
            head_dim: Some(128),
            ..ModelTable::default()
        });
        let base = decoder.with(20, 1792).unwrap();
        let target = count(&base, 48_000, HeldCount::Total);
        let sizes = [8_000, 16_000, 32_000, 48_000, 72_000, 100_883];
        let depths = sizes.map(|vocabulary| {
            search(&decoder, vocabulary, Solved::Depth, 1, target).nearest()[0].value
        });
        let paper = [24, 23, 22, 20, 18, 15];
        assert_eq!(depths, [24, 23, 21, 20, 18, 15]);
        for (vocabulary, (ours, paper)) in sizes.into_iter().zip(depths.into_iter().zip(paper)) {
            let search = search(&decoder, vocabulary, Solved::Depth, 1, target);
            let residual = |depth| search.candidate(depth).unwrap().residual(target).abs();
            assert!(residual(ours) <= residual(paper), "{vocabulary}");
            assert!(residual(paper) < 0.022, "{vocabulary}: the paper's depth is within 2.2%");
        }
        assert!(
            search(&decoder, 32_000, Solved::Depth, 1, target)
                .candidate(22)
                .unwrap()
                .residual(target)
                > 0.021
        );
    }

    proptest! {
        /// No point of the lattice is nearer than the one chosen; brute force over all of them.
        #[test]
        fn nothing_is_nearer(
            vocabulary in 257_usize..4000, depth in 1_u64..12, heads in 1_u64..5, dim in 1_u64..17,
            kv_heads in prop::option::of(1_u64..3), fixed: bool, solve_width: bool, tied: bool,
            step in 1_usize..9, size in prop::option::of(1_u64..400), target in 20_000_u64..3_000_000,
        ) {
            let dim = dim * 2;
            let table = ModelTable {
                depth: Some(depth),
                width: Some(heads * dim),
                heads: fixed.then_some(heads),
                head_dim: (!fixed).then_some(dim),
                kv_heads: kv_heads.filter(|kv| heads % kv == 0),
                ffn: FfnTable { size, multiple: 16, ..FfnTable::default() },
                tied,
                ..ModelTable::default()
            };
            let decoder = Decoder::new(table);
            let solved = if solve_width { Solved::Width } else { Solved::Depth };
            let search = search(&decoder, vocabulary, solved, step, target);
            let found = search.nearest();
            let best = &found[0];
            prop_assert_eq!(best.value % step, 0);
            prop_assert!(best.model.shape(vocabulary).check().is_ok());
            prop_assert_eq!(best.count, best.model.shape(vocabulary).parameters().total);
            let unit = search.unit().unwrap();
            let nearest = (1..=(1 << 14) / unit)
                .filter_map(|point| search.candidate(point * unit))
                .min_by_key(|c| (c.count.abs_diff(target), c.value))
                .unwrap();
            prop_assert_eq!(best.value, nearest.value);
        }
    }

    #[test]
    fn equal_distance_takes_the_smaller() {
        let decoder = Decoder::new(ModelTable {
            width: Some(8),
            heads: Some(2),
            ffn: FfnTable { size: Some(8), ..FfnTable::default() },
            ..ModelTable::default()
        });
        let at = |depth| count(&decoder.with(depth, 8).unwrap(), 300, HeldCount::NonEmbedding);
        let target = (at(3) + at(4)) / 2;
        assert_eq!(at(3) + at(4), 2 * target);
        let search = Search {
            decoder: &decoder,
            vocabulary: 300,
            held: HeldCount::NonEmbedding,
            target,
            solved: Solved::Depth,
            step: 1,
        };
        let values: Vec<_> = search.nearest().iter().map(|c| c.value).collect();
        assert_eq!(values, [3, 4]);
    }

    #[test]
    fn unreachable_targets_have_one_neighbour() {
        let decoder =
            Decoder::new(ModelTable { width: Some(64), heads: Some(2), ..ModelTable::default() });
        let found = search(&decoder, 1000, Solved::Depth, 4, 1).nearest();
        assert_eq!(found.iter().map(|c| c.value).collect::<Vec<_>>(), [4]);
        let found = search(&decoder, 1000, Solved::Depth, 4, u64::MAX).nearest();
        assert_eq!(found.iter().map(|c| c.value).collect::<Vec<_>>(), [1 << 14]);
    }
}
