//! Equal parts of an order.

use std::ops::Range;

use crate::TrainError;

/// The batches of each of `parts` equal parts, in the order of their visits. Where the batches do
/// not divide evenly, sizes differ by one.
///
/// # Errors
/// [`TrainError::Parts`] when there are fewer batches than parts.
pub fn part_ranges(batches: usize, parts: usize) -> Result<Vec<Range<usize>>, TrainError> {
    let parts = parts.max(1);
    if batches < parts {
        return Err(TrainError::Parts { batches, parts });
    }
    // 128 bits, so that no product is too large.
    let bound = |part: usize| (part as u128 * batches as u128 / parts as u128) as usize;
    Ok((0..parts).map(|part| bound(part)..bound(part + 1)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn uneven_parts_differ_by_one() {
        assert_eq!(part_ranges(7, 3).unwrap(), [0..2, 2..4, 4..7]);
        assert_eq!(part_ranges(4, 2).unwrap(), [0..2, 2..4]);
        let error = part_ranges(5, 8).unwrap_err().to_string();
        assert!(error.contains("5 batches do not make 8 parts"), "{error}");
    }

    proptest! {
        #[test]
        fn parts_cover_everything_once(batches in 1usize..5000, parts in 1usize..300) {
            prop_assume!(batches >= parts);
            let ranges = part_ranges(batches, parts).unwrap();
            prop_assert_eq!(ranges.len(), parts);
            prop_assert_eq!((ranges[0].start, ranges[parts - 1].end), (0, batches));
            prop_assert!(ranges.windows(2).all(|pair| pair[0].end == pair[1].start));
            let sizes: Vec<usize> = ranges.iter().map(ExactSizeIterator::len).collect();
            prop_assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1);
        }
    }
}
