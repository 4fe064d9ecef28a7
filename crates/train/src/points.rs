//! Evenly spaced points of a training.

/// Steps of a round at which it is looked at, ascending; the last is the round's end.
///
/// `points` of them divide the first round, which has `first` steps, evenly. A round of `steps` steps,
/// the first one or a later one, is looked at in the same intervals from its own beginning, and at its
/// end. Where there are fewer steps than points, every step is one.
pub fn point_steps(first: u64, points: u64, steps: u64) -> Vec<u64> {
    if points == 0 || steps == 0 {
        return Vec::new();
    }
    // 128 bits, so that no product is too large. A round may be longer than the first.
    let place =
        |n: u128| u64::try_from(n * u128::from(first) / u128::from(points)).unwrap_or(steps);
    let inside = (1..=u128::from(steps) * u128::from(points) + 1).map(place);
    let mut found: Vec<u64> = match first {
        0 => Vec::new(),
        _ => inside.take_while(|step| *step < steps).filter(|step| *step > 0).collect(),
    };
    found.dedup();
    found.push(steps);
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn later_rounds_go_on_at_the_same_interval() {
        assert_eq!(point_steps(20, 4, 20), [5, 10, 15, 20]);
        assert_eq!(point_steps(20, 4, 10), [5, 10]);
        assert_eq!(point_steps(20, 4, 13), [5, 10, 13]);
        assert_eq!(point_steps(20, 4, 3), [3]);
        // The interval of the paper's Figure 10 is 37,500 steps.
        assert_eq!(point_steps(750_000, 20, 375_000).len(), 10);
        assert_eq!(point_steps(750_000, 20, 375_000)[0], 37_500);
        assert_eq!(point_steps(7, 3, 7), [2, 4, 7]);
        assert_eq!(point_steps(3, 8, 3), [1, 2, 3]);
        assert_eq!(point_steps(3, 0, 3), [0; 0]);
    }

    proptest! {
        #[test]
        fn points_ascend_to_the_end(first in 1u64..5000, points in 1u64..300, share in 0.0..1.0f64) {
            let steps = ((first as f64 * share).ceil() as u64).clamp(1, first);
            let found = point_steps(first, points, steps);
            prop_assert!(found.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert_eq!(found.last(), Some(&steps));
            prop_assert!(found[0] > 0);
            let whole = point_steps(first, points, first);
            prop_assert_eq!(whole.len() as u64, points.min(first));
            // Intervals differ by at most one step.
            let gaps: Vec<u64> = whole.windows(2).map(|pair| pair[1] - pair[0]).collect();
            if let (Some(most), Some(least)) = (gaps.iter().max(), gaps.iter().min()) {
                prop_assert!(most - least <= 1);
            }
            // A part of a round is looked at where the whole is.
            let inside = found.iter().filter(|step| **step < steps);
            prop_assert!(inside.eq(whole.iter().filter(|step| **step < steps)));
        }
    }
}
