//! Which layers of the parent the child keeps.

use crate::select::largest;
use crate::{Dimension, InheritError};

/// Which of the layers between the first and the last ones a child keeps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Middle<'a> {
    /// Evenly spaced ones. The n middle layers of the parent are divided into as many equal
    /// stretches as the child has middle layers, m, and the layer at the centre of each is taken: of
    /// the middle layers 0..n, layer `floor((i + 1/2) n / m)` for i in 0..m.
    Even,
    /// Those that matter most, by a number for every layer of the parent: what the model loses
    /// without it, or how much it changes the residual stream. Of equals, the earlier.
    Important(&'a [f64]),
}

/// Picks the `first` layers, the `last` layers, and some between them: layer indices of the parent,
/// ascending.
///
/// The paper finds the first two or three layers and the last one vital and the middle redundant
/// (its Figure 5), but does not say which middle layers go.
///
/// # Errors
/// If the child is deeper than the parent, has no layers, or fewer than `first + last`; or there is
/// not a number for every layer of the parent.
pub fn select_layers(
    parent_depth: usize,
    child_depth: usize,
    [first, last]: [usize; 2],
    middle: Middle<'_>,
) -> Result<Vec<usize>, InheritError> {
    if child_depth == 0 {
        return Err(InheritError::NoLayers);
    }
    if child_depth > parent_depth {
        return Err(InheritError::Wider {
            dimension: Dimension::Depth,
            parent: parent_depth,
            child: child_depth,
        });
    }
    if first.saturating_add(last) > child_depth {
        return Err(InheritError::Ends { first, last, depth: child_depth });
    }
    let parent_middle = parent_depth - first - last;
    let child_middle = child_depth - first - last;
    let kept: Vec<usize> = match middle {
        Middle::Even => {
            let centre = |index: usize| (2 * index + 1) * parent_middle / (2 * child_middle);
            (0..child_middle).map(|index| first + centre(index)).collect()
        }
        Middle::Important(scores) => {
            if scores.len() != parent_depth || scores.iter().any(|score| score.is_nan()) {
                return Err(InheritError::LayerScores { depth: parent_depth });
            }
            let among = &scores[first..parent_depth - last];
            largest(among, child_middle).into_iter().map(|index| first + index).collect()
        }
    };
    Ok((0..first).chain(kept).chain(parent_depth - last..parent_depth).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_selections() {
        let check = |parent, child, first, last, expect: &[usize]| {
            let even = select_layers(parent, child, [first, last], Middle::Even);
            assert_eq!(even.unwrap(), expect);
        };
        check(8, 4, 2, 1, &[0, 1, 4, 7]);
        check(8, 5, 2, 1, &[0, 1, 3, 5, 7]);
        check(8, 3, 2, 1, &[0, 1, 7]);
        check(8, 8, 2, 1, &[0, 1, 2, 3, 4, 5, 6, 7]);
        check(6, 3, 0, 0, &[1, 3, 5]);
        check(1, 1, 0, 1, &[0]);
        // The paper's parent of 29 layers and its child of 21.
        let paper = select_layers(29, 21, [2, 1], Middle::Even).unwrap();
        assert_eq!(paper[..3], [0, 1, 2]);
        assert_eq!(paper[18..], [25, 27, 28]);
    }

    #[test]
    fn impossible_selections_say_why() {
        let check = |parent, child, first, last, expect: &str| {
            let error = select_layers(parent, child, [first, last], Middle::Even).unwrap_err();
            let error = error.to_string();
            assert!(error.contains(expect), "{error}");
        };
        check(4, 5, 1, 1, "`depth` is 5, but the parent's is only 4");
        check(8, 2, 2, 1, "first 2 and the last 1");
        check(8, 2, usize::MAX, 1, "lower `first` or `last`");
        check(8, 0, 0, 0, "must be at least 1");
    }

    #[test]
    fn the_most_important_are_kept_between_the_ends() {
        let scores = [0.0, 0.3, 0.1, 0.5, -0.2, 0.3, 0.9, 0.0];
        let pick = |child, ends| select_layers(8, child, ends, Middle::Important(&scores)).unwrap();
        assert_eq!(pick(3, [0, 0]), [1, 3, 6]);
        // Ends stay, whatever they are worth.
        assert_eq!(pick(4, [1, 1]), [0, 3, 6, 7]);
        assert_eq!(pick(5, [1, 1]), [0, 1, 3, 6, 7]);
        assert_eq!(pick(8, [2, 1]), [0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(pick(2, [1, 1]), [0, 7]);
        for wrong in [&scores[1..], &[f64::NAN; 8]] {
            let error = select_layers(8, 3, [1, 1], Middle::Important(wrong)).unwrap_err();
            assert!(error.to_string().contains("8 layers"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn ascending_unique_with_both_ends(
            child in 1usize..40, more in 0usize..40, first in 0usize..6, last in 0usize..6,
        ) {
            prop_assume!(first + last <= child);
            let parent = child + more;
            let layers = select_layers(parent, child, [first, last], Middle::Even).unwrap();
            prop_assert_eq!(layers.len(), child);
            prop_assert!(layers.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert!(layers[child - 1] < parent);
            prop_assert!(layers.iter().take(first).copied().eq(0..first));
            prop_assert!(layers[child - last..].iter().copied().eq(parent - last..parent));
            // Neighbours in the middle are equally far apart, up to rounding.
            let gaps = layers[first..child - last].windows(2).map(|pair| pair[1] - pair[0]);
            if let (Some(least), Some(most)) = (gaps.clone().min(), gaps.max()) {
                prop_assert!(most - least <= 1);
            }
        }
    }
}
