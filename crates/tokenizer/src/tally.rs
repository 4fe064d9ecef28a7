//! Sums by id over the neighbours of one merge.

/// Sums by id that cost what was added, not the size of the vocabulary.
#[derive(Default)]
pub(crate) struct Tally {
    sums: Vec<Sum>,
    touched: Vec<u32>,
}

/// What was added for an id.
#[derive(Clone, Copy, Default)]
pub(crate) struct Sum {
    /// The sum of all counts.
    pub(crate) count: u64,
    /// How many counts there were.
    pub(crate) places: u32,
    /// Number that [`Tally::number`] gave, plus 1; 0 for none.
    list: u32,
}

impl Tally {
    /// Makes room for ids below `ids` and forgets what was added.
    pub(crate) fn clear(&mut self, ids: usize) {
        for id in self.touched.drain(..) {
            self.sums[id as usize] = Sum::default();
        }
        if self.sums.len() < ids {
            self.sums.resize(ids, Sum::default());
        }
    }

    /// Adds a count to an id.
    #[inline]
    pub(crate) fn add(&mut self, id: u32, count: u64) {
        let sum = &mut self.sums[id as usize];
        if sum.places == 0 {
            self.touched.push(id);
        }
        sum.count += count;
        sum.places += 1;
    }

    /// The ids that something was added to, and what.
    pub(crate) fn sums(&self) -> impl Iterator<Item = (u32, Sum)> {
        self.touched.iter().map(|&id| (id, self.sums[id as usize]))
    }

    /// Numbers the ids whose sums are wanted from 0 and gives them in that order.
    pub(crate) fn number(&mut self, wanted: impl Fn(Sum) -> bool) -> Vec<(u32, Sum)> {
        let mut numbered = Vec::new();
        for &id in &self.touched {
            let sum = &mut self.sums[id as usize];
            if wanted(*sum) {
                numbered.push((id, *sum));
                sum.list = numbered.len() as u32;
            }
        }
        numbered
    }

    /// The number of an id.
    #[inline]
    pub(crate) fn number_of(&self, id: u32) -> Option<usize> {
        (self.sums[id as usize].list as usize).checked_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_and_numbers() {
        let mut tally = Tally::default();
        for _ in 0..2 {
            tally.clear(8);
            for (id, count) in [(5, 2), (3, 1), (5, 4), (7, 9)] {
                tally.add(id, count);
            }
            let sums: Vec<_> = tally.sums().map(|(id, s)| (id, s.count, s.places)).collect();
            assert_eq!(sums, [(5, 6, 2), (3, 1, 1), (7, 9, 1)]);
            let numbered = tally.number(|sum| sum.count > 1);
            assert!(numbered.iter().map(|(id, _)| *id).eq([5, 7]));
            assert_eq!([3, 5, 7].map(|id| tally.number_of(id)), [None, Some(0), Some(1)]);
        }
        tally.clear(9);
        assert_eq!(tally.sums().count(), 0);
        assert_eq!(tally.number_of(5), None);
    }
}
