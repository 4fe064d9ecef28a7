//! Units that are there twice, each with half of what the one wrote.
//!
//! One of such a pair is redundant, but neither by itself is worth nothing: what is scored unit by unit
//! finds both alike. Without one of them its twin has to write twice as much, which a mask of at most 1
//! cannot say and weights that learn beside it can.

use ablate_inherit::{Norm, WidthCriterion, magnitudes, taylor};
use ablate_model::{Part, Place, Units, Weights, fold, places};

use crate::garden::{Garden, Learning, Planted, VOCABULARY, plant, small};

/// Of a planted model, with the units of its two layers that are not the small model's.
struct Twins {
    planted: Planted,
    /// A head and its twin.
    heads: Vec<[usize; 2]>,
    /// A feed-forward channel and its twin.
    ffn: Vec<[usize; 2]>,
}

/// Units that are not among the small model's, each behind the one before it.
fn pairs(own: &[usize], all: usize) -> Vec<[usize; 2]> {
    (0..all).filter(|unit| !own.contains(unit)).map(|unit| [unit - 1, unit]).collect()
}

/// The planted model with copies in the place of heads and feed-forward channels that wrote nothing.
fn duplicate(trained: &Weights) -> Twins {
    let mut planted = plant(trained, 3);
    let heads = pairs(&planted.heads, planted.model.shape.heads);
    let ffn = pairs(&planted.ffn, planted.model.shape.ffn);
    for place in places(&planted.model) {
        let Place::Layer(layer, part) = place else { continue };
        if !planted.layers.contains(&layer) {
            continue;
        }
        let (pairs, size) = match part {
            Part::Query | Part::Key | Part::Value | Part::Output => (&heads, 2),
            Part::Gate | Part::Up | Part::Down => (&ffn, 1),
            _ => continue,
        };
        let tensor = planted.weights.get_mut(&place.name()).unwrap();
        let (rows, columns) = (tensor.values.len() / tensor.columns(), tensor.columns());
        for [one, other] in pairs {
            for (from, to) in (one * size..).zip(other * size..(other + 1) * size) {
                if matches!(part, Part::Output | Part::Down) {
                    for row in 0..rows {
                        let half = tensor.values[row * columns + from] / 2.0;
                        tensor.values[row * columns + from] = half;
                        tensor.values[row * columns + to] = half;
                    }
                } else {
                    let copied = tensor.row(from).to_vec();
                    tensor.values[to * columns..][..columns].copy_from_slice(&copied);
                }
            }
        }
    }
    Twins { planted, heads, ffn }
}

/// Pairs of a layer of which exactly one is kept.
fn split(pairs: &[[usize; 2]], kept: &[usize]) -> usize {
    pairs.iter().filter(|pair| kept.contains(&pair[0]) != kept.contains(&pair[1])).count()
}

#[test]
fn one_of_two_equal_units_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let garden = Garden::new(folder.path());
    let single = plant(&garden.trained, 3);
    let twins = duplicate(&garden.trained);
    let Twins { planted, heads, ffn } = &twins;
    assert_eq!((heads.len(), ffn.len()), (1, 4));
    let before = garden.loss(&planted.model, &planted.weights);
    let one = garden.loss(&single.model, &single.weights);
    assert!((before / one - 1.0).abs() < 1e-5, "a pair computes what one did: {before} {one}");

    // What slicing can come to: without a twin and with twice its own, a unit writes what both did. A
    // half and its double are exact, so these are the small model's own numbers.
    let mut masks = Units::filled(&planted.model.shape, 1.0);
    for layer in &planted.layers {
        heads.iter().for_each(|[one, other]| {
            (masks.heads[*layer][*one], masks.heads[*layer][*other]) = (2.0, 0.0);
        });
        ffn.iter().for_each(|[one, other]| {
            (masks.ffn[*layer][*one], masks.ffn[*layer][*other]) = (2.0, 0.0);
        });
    }
    for unit in 0..planted.model.shape.width {
        masks.hidden[unit] = f64::from(u8::from(planted.hidden.contains(&unit)));
    }
    let cut = |weights: &Weights| {
        let scores = masks.of_layers(&planted.layers);
        planted.cut(weights, &planted.layers, WidthCriterion::Learned, &scores)
    };
    let (doubled, map) = cut(&fold(&planted.model, &planted.weights, &masks).unwrap());
    planted.assert_found("doubled", &map);
    assert!(doubled == cut(&single.weights).0);

    // Scores of single units: both of a pair alike, and by a Taylor expansion half of the one's. Where
    // twelve of sixteen are kept, at most the pair at the border is split.
    let rows: Vec<u32> = (0..VOCABULARY as u32).collect();
    let scored = |of: &Planted| {
        let found = garden.saliency(&of.model, &of.weights);
        taylor((&of.model, &found), &of.layers, &rows).unwrap()
    };
    let (alone, by_taylor) = (scored(&single), scored(planted));
    let of_size = |norm| {
        magnitudes((&planted.model, &planted.weights), &planted.layers, &rows, norm).unwrap()
    };
    for layer in 0..2 {
        for [one, other] in ffn {
            let scores = &by_taylor.ffn[layer];
            assert!((scores[*one] / scores[*other] - 1.0).abs() < 1e-4, "{scores:?}");
            let half = alone.ffn[layer][*one] / 2.0;
            assert!((scores[*one] / half - 1.0).abs() < 1e-3, "{} {half}", scores[*one]);
        }
        let [one, other] = heads[0];
        let (scores, alone) = (&by_taylor.heads[layer], &alone.heads[layer]);
        assert!((scores[one] / scores[other] - 1.0).abs() < 1e-4, "{scores:?}");
        assert!((scores[one] / (alone[one] / 2.0) - 1.0).abs() < 1e-3, "{scores:?} {alone:?}");
    }
    let mut by_scores = Vec::new();
    for (what, scores) in
        [("Taylor", &by_taylor), ("L1", &of_size(Norm::L1)), ("L2", &of_size(Norm::L2))]
    {
        let (child, map) =
            planted.cut(&planted.weights, &planted.layers, WidthCriterion::Taylor, scores);
        for kept in &map.ffn {
            assert!(split(ffn, kept) <= 1, "{what}: {kept:?}");
        }
        by_scores.push(garden.loss(&small(), &child));
    }

    // Masks see what is lost with both of a pair. On weights that stand still, what is left of a pair
    // writes half of what it should; on weights that learn it makes up for the other, and the loss is
    // kept. They need a rate at which weights can double in so few steps. What one seed of the masks'
    // draws comes to is luck, and which is lucky differs with the CPU, for sums are rounded otherwise there.
    let learn = |frozen, learning_rate| -> Vec<_> {
        let one = |seed| {
            let how = Learning { steps: 1600, frozen, learning_rate, seed };
            let of = (&planted.model, &planted.weights);
            let (child, map) = planted.sliced(&garden.learn(of, &planted.target(), how));
            (garden.loss(&small(), &child), map)
        };
        (5..8).map(one).collect()
    };
    let (frozen, joint) = (learn(true, 1e-4), learn(false, 1e-3));
    let mean = |losses: &[f64]| losses.iter().sum::<f64>() / losses.len() as f64;
    let losses = |learned: &[(f64, _)]| learned.iter().map(|(loss, _)| *loss).collect::<Vec<_>>();
    let (frozen, by_masks) = (losses(&frozen), losses(&joint));
    let said = format!("{before}: joint {by_masks:?}, frozen {frozen:?}, scores {by_scores:?}");
    // The weights may have learned a little more in the meantime.
    assert!(mean(&by_masks) < 1.01 * before, "{said}");
    // Scores of single units may happen to split the right pair, for it is rounding that decides
    // between equal ones: masks on frozen weights are better than such scores are on average, those
    // that learn than each.
    assert!(mean(&by_masks) < mean(&frozen) && mean(&frozen) < mean(&by_scores), "{said}");
    assert!(by_masks.iter().all(|joint| by_scores.iter().all(|loss| joint < loss)), "{said}");
    let mut found = 0;
    for (_, map) in &joint {
        assert_eq!(map.layers, planted.layers);
        for kept in &map.ffn {
            // A pair that is of little use may go as a whole, and so may a unit that is none of a pair.
            let strangers = (0..planted.model.shape.ffn).filter(|unit| {
                !kept.contains(unit) && !ffn.iter().flatten().any(|twin| twin == unit)
            });
            assert!(strangers.count() <= 1, "{kept:?}");
            found += split(ffn, kept);
        }
    }
    let pairs = joint.len() * 2 * ffn.len();
    assert!(2 * found >= pairs, "{found} of {pairs} pairs lost one unit");
}
